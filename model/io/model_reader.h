/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_MODEL_READER_H
#define DCP_MODEL_IO_MODEL_READER_H 1

/* Private to model/io/: the state of reading one model, and the reading of any
 * section by its schema rows.
 *
 * First every entry of every table gets its index (its place in the order of
 * their names, dcp_text_compare()), so references may point forward; then the
 * sections are read one table at a time.  Problems go to the diagnostics, each
 * with the object that is being read, and reading goes on with the default; a
 * failed allocation sets 'no_memory' and everything after it does nothing.
 *
 * Not thread-safe. */

#include "model/base/sha256.h"
#include "model/inventory.h"
#include "model/io/schema.h"
#include "model/io/hourly_file.h"
#include "model/io/yaml.h"
#include "model/pairs.h"

struct dcp_entry { /* Of a table. */
    const char *name;
    struct dcp_pos pos;
    const struct dcp_yaml *node; /* NULL: built in, nothing was written. */
};
struct dcp_entries {
    struct dcp_entry *items;
    uint32_t n, capacity;
    struct dcp_strmap by_name;
};

struct dcp_nodes { /* Rules of all files. */
    const struct dcp_yaml **items;
    uint32_t n, capacity;
};

struct dcp_reader {
    struct dcp_inventory *inv;
    struct dcp_arena *scratch; /* Trees; gone when reading ends. */
    struct dcp_diag *diag;
    struct dcp_entries tables[DCP_KINDS];
    uint32_t n_builtin[DCP_KINDS]; /* The first ones, which stay first. */
    struct dcp_strmap texts, tags;
    struct dcp_names { /* By value of the map. */
        const char **items;
        uint32_t capacity;
    } text_names, tag_names; /* In the inventory's arena. */
    struct dcp_nodes rules, filters, scores, tests;
    const struct dcp_yaml *calendar, *policy, *timezone, *generations;
    const struct dcp_yaml *dcplan;
    struct dcp_vm *flavours;       /* By flavour. */
    uint32_t *tag_first, *tag_vms; /* VMs by tag, see dcp_reader_index_tags. */
    const struct dcp_zone *zones[16]; /* Read so far. */
    uint32_t n_zones;

    struct dcp_sha256 *digest; /* Of the model's files. */

    const char *kind, *name; /* The object that is being read. */
    uint32_t n_suggestions;  /* Made over large tables; they cost time. */
    size_t n_errors_before;  /* In 'diag', of others. */
    bool no_memory;
};

/* --- Messages: "vm 'web-1': text" --------------------------------------- */

void dcp_reader_error(struct dcp_reader *, struct dcp_pos, const char *format,
                      ...) DCP_PRINTF(3, 4);
void dcp_reader_warn(struct dcp_reader *, struct dcp_pos, const char *format,
                     ...) DCP_PRINTF(3, 4);
void dcp_reader_object(struct dcp_reader *, const char *kind, const char *name);

/* --- Memory ------------------------------------------------------------- */

/* In the inventory's arena, zeroed; NULL only with 'no_memory' set. */
void *dcp_reader_array(struct dcp_reader *, size_t n, size_t size);
/* The same text always gives the same pointer. */
const char *dcp_reader_text(struct dcp_reader *, const char *);

/* --- Values ------------------------------------------------------------- */

/* The items of a list.  A lone scalar is a list of one, a table cell is split
 * at spaces, nothing is a list of none. */
const struct dcp_yaml *
dcp_reader_items(struct dcp_reader *, const struct dcp_yaml *, uint32_t *out_n);
/* Each false after an error was reported. */
bool dcp_reader_scalar(struct dcp_reader *, const char *key,
                       const struct dcp_yaml *);
bool dcp_reader_number(struct dcp_reader *, const struct dcp_schema_row *,
                       const struct dcp_yaml *, double *out);
bool dcp_reader_choice(struct dcp_reader *, const struct dcp_schema_row *,
                       const struct dcp_yaml *, uint32_t *out);
bool dcp_reader_bool(struct dcp_reader *, const char *key,
                     const struct dcp_yaml *, bool *out);
bool dcp_reader_date(struct dcp_reader *, const char *key,
                     const struct dcp_yaml *, int64_t *out_day);
/* Where the key is given ('node' not NULL); 'out' is else as it was. */
void dcp_reader_instant(struct dcp_reader *, const char *key,
                        const struct dcp_yaml *, int64_t *out_ms);
/* model/io/model_policy.c: a list of day classes as bits. */
void dcp_reader_day_classes(struct dcp_reader *, const struct dcp_yaml *list,
                            uint32_t *out);
/* A list of choices as bits, by their place in the row. */
uint32_t dcp_reader_bits(struct dcp_reader *, const struct dcp_schema_row *,
                         const struct dcp_yaml *list);
/* The index of the entry that 'node' names, or DCP_IX_NONE. */
uint32_t dcp_reader_refer(struct dcp_reader *, enum dcp_kind, const char *key,
                          const struct dcp_yaml *node);
/* "; did you mean 'x'?" or "". */
const char *dcp_reader_suggest(struct dcp_reader *, enum dcp_kind,
                               const char *name, char out[120]);
/* Ascending and distinct; 'ix' is reordered. */
struct dcp_ids dcp_reader_ids(struct dcp_reader *, uint32_t ix[], uint32_t n);
struct dcp_ids dcp_reader_tags(struct dcp_reader *, const struct dcp_yaml *);
void dcp_reader_extras(struct dcp_reader *, const struct dcp_yaml *,
                       uint32_t out[DCP_EXTRAS_MAX]);

/* --- Sections ----------------------------------------------------------- */

/* Sets ids to none, texts to "", and what has a default to it. */
void dcp_reader_defaults(struct dcp_reader *, const struct dcp_schema_section *,
                         void *base);
/* Reads every key of 'node' into 'base' by its row; false when 'node' is not a
 * mapping.  Rows without a store are only checked for their shape. */
bool dcp_reader_section(struct dcp_reader *, const struct dcp_schema_section *,
                        const struct dcp_yaml *node, void *base);
/* Reads a whole table of structs that begin with their name, calling 'finish'
 * (may be NULL) after each.  'out_table' is the address of the inventory's
 * pointer to it. */
void dcp_reader_table(struct dcp_reader *, enum dcp_kind, void *out_table,
                      uint32_t *out_n,
                      void (*finish)(struct dcp_reader *, uint32_t ix,
                                     void *entry, const struct dcp_yaml *node));

/* --- The parts, in the order they are read ------------------------------ */

void dcp_read_calendar(struct dcp_reader *); /* model_policy.c */
void dcp_read_tariffs(struct dcp_reader *);
void dcp_read_tiers(struct dcp_reader *);
void dcp_read_policy(struct dcp_reader *);
void dcp_read_places(struct dcp_reader *); /* model_hardware.c */
void dcp_read_hardware(struct dcp_reader *);
/* model_plant.c: the plant of a site, and, once all machines are known, the
 * PUEs of each site that has one. */
const struct dcp_plant *dcp_read_plant(struct dcp_reader *,
                                       const struct dcp_yaml *);
void dcp_read_plant_pues(struct dcp_reader *);
/* The file that 'node' names, beside the file it stands in; NULL after an
 * error. */
const struct dcp_hourly *dcp_reader_hourly(struct dcp_reader *, const char *key,
                                           const struct dcp_yaml *node,
                                           enum dcp_hourly_figure,
                                           bool every_year);
void dcp_read_network(struct dcp_reader *); /* model_network.c */
void dcp_read_hosts(struct dcp_reader *);
void dcp_read_vms(struct dcp_reader *);   /* model_vms.c */
void dcp_read_rules(struct dcp_reader *); /* model_rules.c */
void dcp_read_licences(struct dcp_reader *);
void dcp_read_parking(struct dcp_reader *);     /* model_parking.c */
void dcp_read_rightsize(struct dcp_reader *);
void dcp_read_conversions(struct dcp_reader *); /* model_conversions.c */
void dcp_read_filters(struct dcp_reader *); /* model_scripts.c */
void dcp_read_scores(struct dcp_reader *);
void dcp_read_policy_tests(struct dcp_reader *); /* model_policy_file.c */
void dcp_check_model(struct dcp_reader *); /* model_checks.c */
void dcp_check_start(struct dcp_reader *); /* model_start.c */

/* The script of 'node', and what went wrong with it; false after an error. */
bool dcp_read_script(struct dcp_reader *, const struct dcp_yaml *node,
                     struct dcp_script_text *out);
void dcp_reader_script_error(struct dcp_reader *, const struct dcp_error *);
/* What a policy file says, in place of what the model says. */
void dcp_overlay_policy(struct dcp_reader *, const struct dcp_yaml *top);

/* Hypervisors that are built in; NULL beyond the last. */
const struct dcp_hypervisor *dcp_builtin_hypervisor(uint32_t);
/* VMs by tag: those of tag t are tag_vms[tag_first[t]] and on. */
void dcp_reader_index_tags(struct dcp_reader *);
/* Ids that the selectors of 'node' select, ascending; an error for each that
 * selects nothing. */
struct dcp_ids dcp_select_vms(struct dcp_reader *, const char *key,
                              const struct dcp_yaml *node);
struct dcp_ids dcp_select_hosts(struct dcp_reader *, const char *key,
                                const struct dcp_yaml *node);
/* The zone of that name, read once; NULL after an error. */
const struct dcp_zone *
dcp_reader_zone(struct dcp_reader *, const struct dcp_yaml *);

#endif /* model/io/model_reader.h */
