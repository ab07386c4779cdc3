/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/storage_use.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MIB_PER_GIB 1024

/* --- Samples ------------------------------------------------------------ */

/* Reads and writes together; one of them where the other is missing. */
static void
add_up(struct dcp_samples *to, const struct dcp_samples *more)
{
    size_t n = (size_t)to->n_times * to->n_vms;

    for (size_t i = 0; i < n; i++) {
        float a = to->value[i], b = more->value[i];

        to->value[i] = isnan(a) ? b : isnan(b) ? a : a + b;
    }
}

static bool
load_disk(struct dcp_context *c, int64_t from_ms, int64_t to_ms,
          struct dcp_samples *out, struct dcp_error *err)
{
    struct dcp_samples writes = { 0 };

    *out = (struct dcp_samples){ 0 };
    if (!c->store || (!dcp_store_has(c->store, DCP_METRIC_DISK_READ_KIB_S) &&
                      !dcp_store_has(c->store, DCP_METRIC_DISK_WRITE_KIB_S))) {
        return true;
    }
    bool ok = dcp_samples_load(c->store, DCP_METRIC_DISK_READ_KIB_S,
                               c->model.inventory, c->measured, from_ms, to_ms,
                               out, err) &&
              dcp_samples_load(c->store, DCP_METRIC_DISK_WRITE_KIB_S,
                               c->model.inventory, c->measured, from_ms, to_ms,
                               &writes, err);

    if (ok) {
        add_up(out, &writes);
    }
    dcp_samples_finish(&writes);
    return ok;
}

bool
dcp_storage_use_load(struct dcp_context *c, int64_t from_ms, int64_t to_ms,
                     struct dcp_storage_use *u, struct dcp_error *err)
{
    u->limited = dcp_io_is_limited(c->model.inventory);
    return !u->limited || load_disk(c, from_ms, to_ms, &u->disk, err);
}

void
dcp_storage_use_finish(struct dcp_storage_use *u)
{
    dcp_samples_finish(&u->disk);
    dcp_io_result_finish(&u->without);
    dcp_io_result_finish(&u->with);
    *u = (struct dcp_storage_use){ 0 };
}

/* --- Replays ------------------------------------------------------------ */

bool
dcp_storage_count_begin(const struct dcp_storage_use *u,
                        struct dcp_sim_input *in, struct dcp_storage_count *out,
                        struct dcp_error *err)
{
    *out = (struct dcp_storage_count){ 0 };
    if (!u->limited || in->n_watches >= DCP_STORAGE_WATCHES_MAX) {
        return true;
    }
    out->io =
        dcp_io_create(in->inventory, u->disk.n_times ? &u->disk : NULL, err);
    if (!out->io) {
        return false;
    }
    out->own = dcp_io_watch(out->io);
    for (uint32_t i = 0; i < in->n_watches; i++) {
        out->watches[i] = in->watches[i];
    }
    out->watches[in->n_watches++] = &out->own;
    in->watches = out->watches;
    return true;
}

bool
dcp_storage_count_end(struct dcp_storage_count *c, struct dcp_io_result *out_io,
                      struct dcp_error *err)
{
    dcp_io_result_finish(out_io);
    return !c->io || dcp_io_end(c->io, out_io, err);
}

void
dcp_storage_count_finish(struct dcp_storage_count *c)
{
    dcp_io_destroy(c->io);
    *c = (struct dcp_storage_count){ 0 };
}

bool
dcp_storage_use_simulate(const struct dcp_storage_use *u,
                         const struct dcp_sim_input *in,
                         struct dcp_sim_result *out,
                         struct dcp_io_result *out_io, struct dcp_error *err)
{
    struct dcp_sim_input watched = *in;
    struct dcp_storage_count count;
    bool ok = dcp_storage_count_begin(u, &watched, &count, err) &&
              dcp_simulate(&watched, out, err) &&
              dcp_storage_count_end(&count, out_io, err);

    dcp_storage_count_finish(&count);
    return ok;
}

bool
dcp_storage_use_static(struct dcp_context *c, const struct dcp_placement *p,
                       const struct dcp_sim_result *s,
                       struct dcp_storage_use *u, struct dcp_error *err)
{
    DCP_AUTO(dcp_io) struct dcp_io *io = NULL;
    struct dcp_samples day = { 0 };
    bool ok = true;

    u->limited = dcp_io_is_limited(c->model.inventory);
    if (!u->limited) {
        return true;
    }
    io = dcp_io_create(c->model.inventory, NULL, err);
    if (!io) {
        return false;
    }
    int64_t until_ms = INT64_MIN;

    for (uint32_t i = 0; ok && i < s->n_slices; i++) {
        const struct dcp_sim_slice *at = &s->slices[i];

        if (at->start_ms >= until_ms) {
            int64_t length_ms = dcp_store_interval_ms(c->store);
            int64_t cell = dcp_store_cell(c->store, at->start_ms);
            int64_t first_ms = dcp_store_start_ms(c->store) + cell * length_ms;

            until_ms = at->start_ms + DCP_DAY_MS;
            dcp_samples_finish(&day);
            ok = load_disk(c, first_ms, until_ms, &day, err);
            dcp_io_set_disk(io, ok && day.n_times ? &day : NULL);
        }
        if (ok) {
            dcp_io_take(io, p, at->start_ms, at->end_ms);
        }
    }
    dcp_samples_finish(&day);
    dcp_io_result_finish(&u->without);
    return ok && dcp_io_end(io, &u->without, err);
}

/* --- JSON --------------------------------------------------------------- */

struct ranked {
    double short_s;
    uint32_t link;
};

/* Longest first, then by the model's order. */
static int
by_time(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->short_s != y->short_s) {
        return x->short_s > y->short_s ? -1 : 1;
    }
    return x->link < y->link ? -1 : x->link > y->link;
}

static bool
json_links(struct dcp_json *w, const char *key, const char *what,
           const struct dcp_inventory *inv, const struct dcp_io_result *r,
           uint32_t first, uint32_t n_links)
{
    DCP_FREE struct ranked *links = calloc((size_t)n_links + 1, sizeof *links);
    uint32_t n = 0;

    for (uint32_t i = 0; links && i < n_links; i++) {
        if (r->links[first + i].short_s > 0) {
            links[n++] =
                (struct ranked){ r->links[first + i].short_s, first + i };
        }
    }
    if (!links) {
        return false;
    }
    qsort(links, n, sizeof *links, by_time);
    dcp_json_karray(w, key);
    for (uint32_t i = 0; i < n && i < DCP_STORAGE_USE_LINKS; i++) {
        const struct dcp_io_link_result *l = &r->links[links[i].link];
        uint32_t link = links[i].link;

        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, what,
                         link < r->n_hosts
                             ? inv->hosts[link].name
                             : inv->pools[link - r->n_hosts].name);
        dcp_json_kdouble(w, "seconds", l->short_s);
        dcp_json_kdouble(w, "unmet_gib", l->unmet_mib / MIB_PER_GIB);
        dcp_json_kdouble(w, "unmet_operations", l->unmet_ops);
        dcp_json_kdouble(w, "peak_frac", l->peak_frac);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
    return true;
}

bool
dcp_storage_use_json(struct dcp_json *w, const struct dcp_inventory *inv,
                     const struct dcp_storage_use *u,
                     const struct dcp_io_result *r, struct dcp_error *err)
{
    uint32_t n_vms = 0;

    for (uint32_t v = 0; v < r->n_vms; v++) {
        n_vms += r->vm_unmet_mib[v] > 0;
    }
    dcp_json_kobject(w, "storage");
    dcp_json_kbool(w, "limited", u->limited);
    dcp_json_kbool(w, "measured", r->measured);
    dcp_json_kdouble(w, "asked_gib", r->asked_mib / MIB_PER_GIB);
    dcp_json_kdouble(w, "unmet_gib", r->unmet_mib / MIB_PER_GIB);
    dcp_json_kdouble(w, "asked_operations", r->asked_ops);
    dcp_json_kdouble(w, "unmet_operations", r->unmet_ops);
    dcp_json_ku64(w, "unmet_vms", n_vms);
    bool ok =
        json_links(w, "short_pools", "pool", inv, r, r->n_hosts, r->n_pools) &&
        json_links(w, "short_hosts", "host", inv, r, 0, r->n_hosts);

    dcp_json_end(w, '}');
    return ok || dcp_fail(err, DCP_E_NOMEM, "no memory for the result");
}

/* --- Text --------------------------------------------------------------- */

static double
unmet_percent(const struct dcp_io_result *r)
{
    return r->asked_mib > 0 ? 100 * r->unmet_mib / r->asked_mib : 0;
}

void
dcp_storage_use_print(const struct dcp_storage_use *u, bool has_plan)
{
    if (!u->limited) {
        return;
    }
    if (has_plan) {
        printf("%-34s %12.3f %12.3f\n", "reads and writes not served, %",
               unmet_percent(&u->without), unmet_percent(&u->with));
        printf("%-34s %12.1f %12.1f\n", "storage short, link-minutes",
               u->without.short_link_s / 60, u->with.short_link_s / 60);
    } else {
        printf("%-30s %10.3f %%\n", "reads and writes not served",
               unmet_percent(&u->without));
        printf("%-30s %10.1f link-minutes\n", "storage short",
               u->without.short_link_s / 60);
    }
}
