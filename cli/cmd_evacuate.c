/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/named.h"
#include "cli/planning.h"

#include <stdlib.h>

struct options {
    struct dcp_planning_options planning;
    bool bring_back;
};

static const struct dcp_opt rows[] = {
    { "return", 0, DCP_OPT_FLAG, offsetof(struct options, bring_back), NULL,
      NULL, NULL, "add a second leg that brings the VMs back" },
};

/* Words that name pools are marked in 'pools', the others are moved to the
 * front of 'hosts'; how many these are. */
static bool
sort_words(const struct dcp_inventory *inv, uint32_t n, char *const words[],
           uint8_t pools[], char *hosts[], uint32_t *out_n_hosts,
           struct dcp_error *err)
{
    *out_n_hosts = 0;
    for (uint32_t i = 0; i < n; i++) {
        bool is_pool;

        if (!dcp_named_pools(inv, words[i], pools, &is_pool, err)) {
            return false;
        }
        if (!is_pool) {
            hosts[(*out_n_hosts)++] = words[i];
        }
    }
    return true;
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const struct options *o = options;
    struct dcp_context c;
    int status = -1;

    if (!dcp_context_open(g, o->planning.traces, &c, err)) {
        return -1;
    }
    const struct dcp_inventory *inv = c.model.inventory;
    DCP_FREE uint8_t *avoid = calloc(inv->n_hosts + 1u, 1);
    DCP_FREE uint8_t *pools = calloc(inv->n_pools + 1u, 1);
    DCP_FREE char **hosts = calloc(n_args + 1u, sizeof *hosts);
    uint32_t n_hosts = 0;
    struct dcp_planning_job job = { .job = DCP_JOB_EVACUATE,
                                    .command = "evacuate",
                                    .avoid = avoid,
                                    .bring_back = o->bring_back };

    if (!avoid || !pools || !hosts) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for %u hosts",
                       inv->n_hosts);
    } else if (sort_words(inv, n_args, args, pools, hosts, &n_hosts, err) &&
               dcp_named_hosts(inv, n_hosts, hosts, avoid, err)) {
        if (n_hosts < n_args) {
            job.job = n_hosts ? DCP_JOB_EVACUATE : DCP_JOB_STORAGE;
            job.storage = (struct dcp_storage_job){ .asked = true,
                                                    .avoid = pools };
        }
        if (n_hosts < n_args && o->bring_back) {
            (void)dcp_fail(err, DCP_E_USAGE,
                           "--return is for hosts: volumes stay where they "
                           "went");
        } else {
            status = dcp_planning_run(g, &o->planning, &job, &c, err);
        }
    }
    dcp_context_close(&c);
    return status;
}

static const struct dcp_opt_group groups[] = {
    { rows, sizeof rows / sizeof rows[0], 0 },
    { dcp_planning_rows, DCP_N_PLANNING_ROWS,
      offsetof(struct options, planning) },
};

const struct dcp_command dcp_cmd_evacuate = {
    .name = "evacuate",
    .summary = "plan to empty hosts or storage pools, and to bring VMs back",
    .synopsis = "HOST...|pool:NAME... [--return] [-o PLAN]",
    .details =
        "Empties the hosts that are named, for repair or upgrade: a name, a "
        "glob, or\nrack:R, room:R, site:S, tag:T, hardware:M.  Each VM on "
        "them moves once, the others\nstay, rules and headroom (policy."
        "headroom) are kept without the hosts, and their\npower is left to "
        "you.  Hosts that are off are not woken.  With --return the plan\nhas "
        "a leg 'out' and a leg 'return'.\n\npool:NAME (or a glob) empties a storage "
        "pool: its volumes move to others of their tier.\n\nExamples:\n"
        "  dcplan evacuate h12 --return -o plan.json\n"
        "  dcplan evacuate rack:r3 -o plan.json && dcplan plan check "
        "plan.json\n"
        "  dcplan evacuate pool:nas1 -o plan.json\n",
    .groups = groups,
    .n_groups = 2,
    .options_size = sizeof(struct options),
    .min_args = 1,
    .max_args = UINT32_MAX,
    .run = run,
};
