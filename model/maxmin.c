/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Filling goes by a queue of levels: that at which a link would be full, were
 * all its open flows to rise together, and those of limits.  A link's level
 * only rises as flows of it stop below it, so an entry that is out of date is
 * met early and put back.  Rates are taken off a link in rising order, equal
 * ones in any: sums come out the same however flows are numbered. */

#include "model/maxmin.h"

#include <math.h>
#include <stdlib.h>

struct link {
    double capacity;
    double limits;      /* Sum of the finite limits of its flows. */
    uint32_t unlimited; /* Flows without a limit. */
    uint32_t *flows;    /* Owned. */
    uint32_t n_flows, flow_capacity;
    /* While settling: */
    bool dirty, seen;
    double left;
    uint32_t open;
};

struct flow {
    double rate, before, limit;
    uint32_t n_links; /* 0: not in use. */
    uint32_t links[DCP_MAXMIN_LINKS_MAX];
    uint32_t at[DCP_MAXMIN_LINKS_MAX]; /* Its place in each link's flows. */
    bool seen, stopped;
    bool fresh; /* Added since rates were settled; it, or one before it. */
};

struct level { /* In the queue: of a link, or of a flow's limit. */
    double at;
    uint32_t ix;
    bool is_flow;
};

struct dcp_maxmin {
    struct link *links;
    uint32_t n_links;
    struct flow *flows;
    uint32_t n_flows, flow_capacity; /* With those not in use. */
    uint32_t *unused;                /* A heap, lowest first. */
    uint32_t n_unused;
    uint32_t *dirty; /* Links whose flows must be settled. */
    uint32_t n_dirty;
    uint32_t *fresh; /* Flows. */
    uint32_t n_fresh;
    uint32_t *touched_links, *touched_flows; /* While settling. */
    uint32_t n_touched_links, n_touched_flows;
    uint32_t *changed;
    struct level *queue;
    uint32_t n_queue;
};

struct dcp_maxmin *
dcp_maxmin_create(uint32_t n_links, struct dcp_error *err)
{
    DCP_AUTO(dcp_maxmin) struct dcp_maxmin *m = calloc(1, sizeof *m);

    if (m) {
        m->n_links = n_links;
        m->links = calloc((size_t)n_links + 1, sizeof *m->links);
        m->dirty = calloc((size_t)n_links + 1, sizeof *m->dirty);
        m->touched_links =
            calloc((size_t)n_links + 1, sizeof *m->touched_links);
    }
    if (!m || !m->links || !m->dirty || !m->touched_links) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for %u links", n_links);
        return NULL;
    }
    return DCP_STEAL(m);
}

void
dcp_maxmin_destroy(struct dcp_maxmin *m)
{
    if (m) {
        for (uint32_t l = 0; m->links && l < m->n_links; l++) {
            free(m->links[l].flows);
        }
        free(m->links);
        free(m->flows);
        free(m->unused);
        free(m->dirty);
        free(m->fresh);
        free(m->touched_links);
        free(m->touched_flows);
        free(m->changed);
        free(m->queue);
        free(m);
    }
}

/* --- What there is ------------------------------------------------------ */

/* Can its flows never fill it? */
static bool
is_slack(const struct link *l)
{
    return isinf(l->capacity) || (!l->unlimited && l->limits <= l->capacity);
}

/* Where it was slack and is, no flow sees a difference. */
static void
make_dirty(struct dcp_maxmin *m, uint32_t link, bool was_slack)
{
    struct link *l = &m->links[link];

    if (!l->dirty && !(was_slack && is_slack(l))) {
        l->dirty = true;
        m->dirty[m->n_dirty++] = link;
    }
}

void
dcp_maxmin_set_capacity(struct dcp_maxmin *m, uint32_t link, double capacity)
{
    bool was_slack = is_slack(&m->links[link]);

    if (m->links[link].capacity != capacity) {
        m->links[link].capacity = capacity;
        make_dirty(m, link, was_slack);
    }
}

/* Room for one more flow, and for settling them all. */
static bool
reserve(struct dcp_maxmin *m)
{
    if (m->n_flows < m->flow_capacity || m->n_unused) {
        return true;
    }
    uint32_t capacity = m->flow_capacity ? 2 * m->flow_capacity : 64;
    struct flow *flows = realloc(m->flows, capacity * sizeof *flows);

    m->flows = flows ? flows : m->flows;
    uint32_t *unused = realloc(m->unused, capacity * sizeof *unused);

    m->unused = unused ? unused : m->unused;
    uint32_t *fresh = realloc(m->fresh, capacity * sizeof *fresh);

    m->fresh = fresh ? fresh : m->fresh;
    uint32_t *touched = realloc(m->touched_flows, capacity * sizeof *touched);

    m->touched_flows = touched ? touched : m->touched_flows;
    uint32_t *changed = realloc(m->changed, capacity * sizeof *changed);

    m->changed = changed ? changed : m->changed;
    size_t n_levels = (size_t)capacity + m->n_links;
    struct level *queue = realloc(m->queue, n_levels * sizeof *queue);

    m->queue = queue ? queue : m->queue;
    if (!flows || !unused || !fresh || !touched || !changed || !queue) {
        return false;
    }
    for (uint32_t i = m->flow_capacity; i < capacity; i++) {
        m->flows[i].fresh = false;
    }
    m->flow_capacity = capacity;
    return true;
}

static bool
reserve_on(struct link *l)
{
    if (l->n_flows == l->flow_capacity) {
        uint32_t capacity = l->flow_capacity ? 2 * l->flow_capacity : 4;
        uint32_t *flows = realloc(l->flows, capacity * sizeof *flows);

        if (!flows) {
            return false;
        }
        l->flows = flows;
        l->flow_capacity = capacity;
    }
    return true;
}

static uint32_t
take_unused(struct dcp_maxmin *m)
{
    if (!m->n_unused) {
        return m->n_flows++;
    }
    uint32_t lowest = m->unused[0], last = m->unused[--m->n_unused];
    uint32_t i = 0;

    for (uint32_t c; (c = 2 * i + 1) < m->n_unused; i = c) {
        c += c + 1 < m->n_unused && m->unused[c + 1] < m->unused[c];
        if (m->unused[c] >= last) {
            break;
        }
        m->unused[i] = m->unused[c];
    }
    m->unused[i] = last;
    return lowest;
}

bool
dcp_maxmin_add(struct dcp_maxmin *m, const uint32_t links[], uint32_t n_links,
               double limit, uint32_t *out_flow, struct dcp_error *err)
{
    if (n_links == 0 || n_links > DCP_MAXMIN_LINKS_MAX || !(limit > 0)) {
        return dcp_fail(err, DCP_E_ARGUMENT, "a flow over %u links", n_links);
    }
    bool room = reserve(m);

    for (uint32_t i = 0; room && i < n_links; i++) {
        room = reserve_on(&m->links[links[i]]);
    }
    if (!room) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a flow");
    }
    uint32_t ix = take_unused(m);
    struct flow *f = &m->flows[ix];

    if (!f->fresh) {
        m->fresh[m->n_fresh++] = ix;
    }
    *f = (struct flow){ .limit = limit, .n_links = n_links, .fresh = true };
    for (uint32_t i = 0; i < n_links; i++) {
        struct link *l = &m->links[links[i]];
        bool was_slack = is_slack(l);

        f->links[i] = links[i];
        f->at[i] = l->n_flows;
        l->flows[l->n_flows++] = ix;
        if (isfinite(limit)) {
            l->limits += limit;
        } else {
            l->unlimited++;
        }
        make_dirty(m, links[i], was_slack);
    }
    *out_flow = ix;
    return true;
}

/* Where 'flow' keeps its place on 'link'. */
static uint32_t *
place_on(struct dcp_maxmin *m, uint32_t flow, uint32_t link)
{
    struct flow *f = &m->flows[flow];
    uint32_t i = 0;

    while (f->links[i] != link) {
        i++;
    }
    return &f->at[i];
}

void
dcp_maxmin_remove(struct dcp_maxmin *m, uint32_t ix)
{
    struct flow *f = &m->flows[ix];

    for (uint32_t i = 0; i < f->n_links; i++) {
        struct link *l = &m->links[f->links[i]];
        bool was_slack = is_slack(l);
        uint32_t last = l->flows[--l->n_flows];

        *place_on(m, last, f->links[i]) = f->at[i];
        l->flows[f->at[i]] = last;
        if (isfinite(f->limit)) {
            l->limits = l->n_flows ? l->limits - f->limit : 0;
        } else {
            l->unlimited--;
        }
        make_dirty(m, f->links[i], was_slack);
    }
    *f = (struct flow){ .fresh = f->fresh };
    uint32_t at = m->n_unused++;

    for (; at && m->unused[(at - 1) / 2] > ix; at = (at - 1) / 2) {
        m->unused[at] = m->unused[(at - 1) / 2];
    }
    m->unused[at] = ix;
}

double
dcp_maxmin_rate(const struct dcp_maxmin *m, uint32_t flow)
{
    return m->flows[flow].rate;
}

/* --- Settling ----------------------------------------------------------- */

static bool
is_lower(struct level a, struct level b)
{
    if (a.at != b.at) {
        return a.at < b.at;
    }
    return a.is_flow != b.is_flow ? a.is_flow : a.ix < b.ix;
}

static void
push(struct dcp_maxmin *m, struct level level)
{
    uint32_t i = m->n_queue++;

    for (; i && is_lower(level, m->queue[(i - 1) / 2]); i = (i - 1) / 2) {
        m->queue[i] = m->queue[(i - 1) / 2];
    }
    m->queue[i] = level;
}

static struct level
pop(struct dcp_maxmin *m)
{
    struct level top = m->queue[0], last = m->queue[--m->n_queue];
    uint32_t i = 0;

    for (uint32_t c; (c = 2 * i + 1) < m->n_queue; i = c) {
        c += c + 1 < m->n_queue && is_lower(m->queue[c + 1], m->queue[c]);
        if (!is_lower(m->queue[c], last)) {
            break;
        }
        m->queue[i] = m->queue[c];
    }
    m->queue[i] = last;
    return top;
}

static void
touch_flow(struct dcp_maxmin *m, uint32_t ix)
{
    struct flow *f = &m->flows[ix];

    if (!f->seen) {
        f->seen = true;
        f->stopped = false;
        f->before = f->rate;
        m->touched_flows[m->n_touched_flows++] = ix;
    }
}

/* All that competes with what changed.  A dirty link may be slack now: its
 * flows count all the same, since it was not. */
static void
collect(struct dcp_maxmin *m)
{
    m->n_touched_flows = m->n_touched_links = 0;
    for (uint32_t i = 0; i < m->n_dirty; i++) {
        struct link *l = &m->links[m->dirty[i]];

        l->dirty = false;
        for (uint32_t k = 0; k < l->n_flows; k++) {
            touch_flow(m, l->flows[k]);
        }
    }
    m->n_dirty = 0;
    for (uint32_t i = 0; i < m->n_fresh; i++) {
        struct flow *f = &m->flows[m->fresh[i]];

        f->fresh = false;
        if (f->n_links) {
            touch_flow(m, m->fresh[i]);
        }
    }
    m->n_fresh = 0;
    for (uint32_t i = 0; i < m->n_touched_flows; i++) {
        const struct flow *f = &m->flows[m->touched_flows[i]];

        for (uint32_t k = 0; k < f->n_links; k++) {
            struct link *l = &m->links[f->links[k]];

            if (l->seen || is_slack(l)) {
                continue;
            }
            l->seen = true;
            l->left = l->capacity;
            l->open = l->n_flows;
            m->touched_links[m->n_touched_links++] = f->links[k];
            for (uint32_t j = 0; j < l->n_flows; j++) {
                touch_flow(m, l->flows[j]);
            }
        }
    }
}

static void
stop(struct dcp_maxmin *m, uint32_t ix, double rate)
{
    struct flow *f = &m->flows[ix];

    f->stopped = true;
    f->rate = rate;
    for (uint32_t i = 0; i < f->n_links; i++) {
        struct link *l = &m->links[f->links[i]];

        if (l->seen) {
            l->left = fmax(0, l->left - rate);
            l->open--;
        }
    }
}

static void
fill(struct dcp_maxmin *m)
{
    m->n_queue = 0;
    for (uint32_t i = 0; i < m->n_touched_links; i++) {
        const struct link *l = &m->links[m->touched_links[i]];

        push(m,
             (struct level){ l->left / l->open, m->touched_links[i], false });
    }
    for (uint32_t i = 0; i < m->n_touched_flows; i++) {
        const struct flow *f = &m->flows[m->touched_flows[i]];

        push(m, (struct level){ f->limit, m->touched_flows[i], true });
    }
    while (m->n_queue) {
        struct level top = pop(m);

        if (top.is_flow) {
            if (!m->flows[top.ix].stopped) {
                stop(m, top.ix, top.at);
            }
            continue;
        }
        struct link *l = &m->links[top.ix];
        double level = l->open ? l->left / l->open : 0;

        if (l->open && level > top.at) {
            push(m, (struct level){ level, top.ix, false });
            continue;
        }
        for (uint32_t i = 0; l->open && i < l->n_flows; i++) {
            if (!m->flows[l->flows[i]].stopped) {
                stop(m, l->flows[i], top.at);
            }
        }
    }
}

uint32_t
dcp_maxmin_settle(struct dcp_maxmin *m, const uint32_t **out_flows)
{
    uint32_t n = 0;

    collect(m);
    fill(m);
    for (uint32_t i = 0; i < m->n_touched_links; i++) {
        m->links[m->touched_links[i]].seen = false;
    }
    for (uint32_t i = 0; i < m->n_touched_flows; i++) {
        struct flow *f = &m->flows[m->touched_flows[i]];

        f->seen = false;
        if (f->rate != f->before) {
            m->changed[n++] = m->touched_flows[i];
        }
    }
    *out_flows = m->changed;
    return n;
}
