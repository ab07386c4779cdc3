/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_CSV_MAP_H
#define DCP_TRACES_CSV_MAP_H 1

/* The mapping of `traces import csv --map M.yaml`: which column of somebody's
 * CSV is what, in which unit.  Every key is explained in docs/traces.md.
 *
 * Immutable once read: thread-safe. */

#include "traces/store.h"

/* What a number in a column stands for: value x factor, and then of what. */
enum dcp_csv_of {
    DCP_CSV_ABSOLUTE,
    DCP_CSV_OF_CAPACITY, /* A share of the VM's CPU or memory. */
    DCP_CSV_OF_CORE,     /* A number of cores. */
};

struct dcp_csv_field {
    const char *column; /* Name, or from "1" where there is no header; NULL:
                         * not mapped. */
    double factor;
    enum dcp_csv_of of;
    struct dcp_pos pos;
};

enum dcp_csv_time { DCP_CSV_RFC3339, DCP_CSV_SECONDS, DCP_CSV_PATTERN };

enum { DCP_CSV_MISSING_MAX = 16 };

struct dcp_csv_map {
    bool wide;      /* A column per VM; else a line per VM and time. */
    bool header;    /* The first line (after 'skip') names the columns. */
    uint32_t skip;  /* Lines before it. */
    char separator; /* 0: the first of , ; | tab in the header. */
    char decimal;
    int64_t step_ms; /* Nominal; 0: the grid's interval. */
    const char *mem_basis;

    const char *time_column;
    enum dcp_csv_time time_form;
    double time_factor;       /* DCP_CSV_SECONDS: seconds per unit. */
    const char *time_pattern; /* %Y %m %d %H %M %S and literal text. */
    int64_t time_offset_ms;   /* Local time minus UTC. */

    const char *vm_column; /* NULL: the file's name is the VM's. */
    struct dcp_csv_field metric[DCP_METRICS]; /* Wide: one, without column. */
    struct dcp_csv_field vcpus, cpu_capacity, mem_capacity;

    const char *missing[DCP_CSV_MISSING_MAX]; /* Besides an empty field. */
    uint32_t n_missing;
};

/* 'path' is borrowed by positions; strings are in 'arena'. */
bool
dcp_csv_map_read(struct dcp_arena *, const char *path, struct dcp_csv_map *out,
                 struct dcp_error *err) DCP_CHECKED;
bool dcp_csv_map_parse(struct dcp_arena *, const char *path, const char *text,
                       size_t length, struct dcp_csv_map *out,
                       struct dcp_error *err) DCP_CHECKED;

/* The mapping that reads what `traces export` writes, long or wide, by its
 * header line; an error at 'pos' for any other. */
bool
dcp_csv_map_guess(const char *header, struct dcp_pos pos,
                  struct dcp_csv_map *out, struct dcp_error *err) DCP_CHECKED;

/* An instant by the map; false: 'text' is not one. */
bool
dcp_csv_map_time(const struct dcp_csv_map *, const char *text, int64_t *out_ms);

#endif /* traces/csv_map.h */
