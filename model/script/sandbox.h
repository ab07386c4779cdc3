/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_SCRIPT_SANDBOX_H
#define DCP_MODEL_SCRIPT_SANDBOX_H 1

/* A piece of Lua 5.4 that says something of a VM and a host.
 *
 * The text is the body of a function of `vm` and `host` (their fields are
 * those of model/script/traits.h) and returns what it says: a filter returns
 * true or false and, where false, may add a reason; a score returns a number.
 *
 *   if vm.tier == "gold" and host.cpu_generation ~= "skylake" then
 *     return false, "gold runs on skylake"
 *   end
 *   return true
 *
 * What it can reach: assert, error, ipairs, select, tonumber, tostring, type,
 * math (without random), and of strings format, len, lower, rep, reverse, sub,
 * upper, starts(s, part), ends and contains.  There are no files, processes,
 * modules, clocks, random numbers, coroutines or patterns, and no walk over a
 * table in its own order: whatever could run for long outside the count of
 * instructions, or say another thing on another day, is left out.  Globals
 * cannot be set, so that a script says the same whatever it was asked before.
 *
 * Each call may take DCP_SCRIPT_STEPS instructions and ask for
 * DCP_SCRIPT_CALL_BYTES of memory in all, the whole script may hold
 * DCP_SCRIPT_BYTES; more is an error.
 *
 * The only home of Lua.  Not thread-safe on one script. */

#include "model/pairs.h"
#include "model/script/traits.h"

#define DCP_SCRIPT_STEPS      200000
#define DCP_SCRIPT_BYTES      (512u << 10)
#define DCP_SCRIPT_CALL_BYTES (64u << 20)
#define DCP_SCRIPT_READS_MAX  64
#define DCP_SCRIPT_REASON_MAX 160

struct dcp_script;

/* 'name' is for messages and outlives the script, as does 'text'.  Compiles;
 * NULL: an error of syntax, at its line. */
struct dcp_script *
dcp_script_create(const struct dcp_script_text *text, const char *name,
                  struct dcp_error *err) DCP_CHECKED;
void dcp_script_destroy(struct dcp_script *);
DCP_DEFINE_AUTO(dcp_script)

enum dcp_script_kind { DCP_SCRIPT_FILTER, DCP_SCRIPT_SCORE };

struct dcp_script_answer {
    bool allowed;                       /* FILTER. */
    double score;                       /* SCORE; finite. */
    char reason[DCP_SCRIPT_REASON_MAX]; /* FILTER, where not allowed; or "". */
    /* The fields that were read, in the order of their first reading.  The
     * answer follows from them: two pairs that agree in them agree in it. */
    struct dcp_script_read {
        enum dcp_trait_side side;
        const char *field; /* Owned by the script, equal fields by pointer. */
    } reads[DCP_SCRIPT_READS_MAX];
    uint32_t n_reads;
};

/* False: the script failed, or did not return what its kind asks for. */
bool dcp_script_call(struct dcp_script *, enum dcp_script_kind,
                     const struct dcp_trait_subject *vm,
                     const struct dcp_trait_subject *host,
                     struct dcp_script_answer *out,
                     struct dcp_error *err) DCP_CHECKED;

#endif /* model/script/sandbox.h */
