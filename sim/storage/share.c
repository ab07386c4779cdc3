/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/storage/share.h"

#include <math.h>
#include <stdbool.h>

#define RISING (-1.0) /* Of served_frac. */

static void
add(struct dcp_io_load *l, const struct dcp_io_flow *f, double served_frac,
    double rising_sign)
{
    l->served_kib_s += f->kib_s * served_frac;
    l->served_iops += f->iops * served_frac;
    l->rising_kib_s += f->kib_s * rising_sign;
    l->rising_iops += f->iops * rising_sign;
}

static bool
is_short(const struct dcp_io_link *link, const struct dcp_io_load *load)
{
    return load->asked_kib_s > link->kib_s || load->asked_iops > link->iops;
}

/* What is asked of each link; flows over links that have enough are done. */
static bool
begin(struct dcp_io_flow flows[], uint32_t n, const struct dcp_io_link links[],
      uint32_t n_links, struct dcp_io_load load[])
{
    bool any = false;

    for (uint32_t i = 0; i < n_links; i++) {
        load[i] = (struct dcp_io_load){ 0 };
    }
    for (uint32_t i = 0; i < n; i++) {
        struct dcp_io_flow *f = &flows[i];

        load[f->path].asked_kib_s += f->kib_s;
        load[f->path].asked_iops += f->iops;
        load[f->pool].asked_kib_s += f->kib_s;
        load[f->pool].asked_iops += f->iops;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct dcp_io_flow *f = &flows[i];
        bool rises = is_short(&links[f->path], &load[f->path]) ||
                     is_short(&links[f->pool], &load[f->pool]);

        f->full = DCP_IO_NONE;
        f->served_frac = rises ? RISING : 1;
        add(&load[f->path], f, !rises, rises);
        add(&load[f->pool], f, !rises, rises);
        any |= rises;
    }
    return any;
}

/* The part to which flows over the link may rise by one of its limits. */
static double
level_of(double limit, double served, double rising)
{
    double room = limit - served;

    return rising > 0 && room < rising ? fmax(room, 0) / rising : 1;
}

/* Stops those that ask for what the link has no more of. */
static void
stop(struct dcp_io_flow flows[], uint32_t n, uint32_t link, bool by_kib,
     double level, struct dcp_io_load load[])
{
    for (uint32_t i = 0; i < n; i++) {
        struct dcp_io_flow *f = &flows[i];
        double asks = by_kib ? f->kib_s : f->iops;

        if (f->served_frac == RISING && asks > 0 &&
            (f->path == link || f->pool == link)) {
            f->served_frac = level;
            f->full = link;
            add(&load[f->path], f, level, -1);
            add(&load[f->pool], f, level, -1);
        }
    }
    /* Not what roundings leave. */
    if (by_kib) {
        load[link].rising_kib_s = 0;
    } else {
        load[link].rising_iops = 0;
    }
}

/* The link and limit that is full first. */
static double
first_full(const struct dcp_io_link links[], uint32_t n_links,
           const struct dcp_io_load load[], uint32_t *out_link, bool *out_kib)
{
    double least = 1;

    for (uint32_t i = 0; i < n_links; i++) {
        const struct dcp_io_load *l = &load[i];

        if (!is_short(&links[i], l)) {
            continue;
        }
        double kib = level_of(links[i].kib_s, l->served_kib_s, l->rising_kib_s);
        double ops = level_of(links[i].iops, l->served_iops, l->rising_iops);
        double level = fmin(kib, ops);

        if (level < least) {
            least = level;
            *out_link = i;
            *out_kib = kib <= ops;
        }
    }
    return least;
}

void
dcp_io_share(struct dcp_io_flow flows[], uint32_t n,
             const struct dcp_io_link links[], uint32_t n_links,
             struct dcp_io_load load[])
{
    uint32_t link = 0;
    bool by_kib = false;

    if (begin(flows, n, links, n_links, load)) {
        double level;

        while ((level = first_full(links, n_links, load, &link, &by_kib)) < 1) {
            stop(flows, n, link, by_kib, level, load);
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        if (flows[i].served_frac == RISING) {
            flows[i].served_frac = 1;
            add(&load[flows[i].path], &flows[i], 1, -1);
            add(&load[flows[i].pool], &flows[i], 1, -1);
        }
    }
}
