/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/search/scarce.h"

#include "solver/bound/clique.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NODES_MAX     20000u  /* Mixes looked at. */
#define STEPS         400000u /* At most, */
#define STEPS_EACH    4000u   /* for each item, */
#define STEPS_BASE    20000u  /* and for all. */
#define SHORT         6u      /* After that part a mix has to be near. */
#define NEAR          0.10    /* Shares of hosts over, in sum. */
#define HOT           0.02
#define COLD          0.0003
#define APART_PENALTY 0.1

struct mix {
    double cost;
    uint8_t count[DCP_SCARCE_SORTS_MAX]; /* Of each sort. */
    uint8_t last;                        /* The highest sort in it. */
};

struct packer {
    const struct dcp_scarce *q;
    const struct dcp_problem *p;
    uint32_t n_dims, n; /* n: items. */

    /* Sorts: usable hosts of one type that reach the same items. */
    uint32_t n_sorts, type[DCP_SCARCE_SORTS_MAX];
    uint32_t n_hosts[DCP_SCARCE_SORTS_MAX];
    bool needless[DCP_SCARCE_SORTS_MAX];
    uint32_t *host; /* [sort * DCP_SCARCE_HOSTS_MAX + k]: the best. */
    double *cap;    /* [sort * n_dims + dim] */
    double *size;   /* [item * n_dims + dim] */
    double *sum;    /* [dim] */
    uint8_t *apart; /* [item * n + other] */
    bool any_apart;
    struct mix *heap;
    uint32_t n_heap;

    /* The mix at hand: bins are hosts of it. */
    uint32_t n_bins, bin_sort[DCP_SCARCE_HOSTS_MAX];
    uint32_t bin_host[DCP_SCARCE_HOSTS_MAX];
    double *load; /* [bin * n_dims + dim] */
    double over[DCP_SCARCE_HOSTS_MAX];
    uint32_t *at;       /* By item: its bin. */
    uint16_t *clashes;  /* [item * HOSTS_MAX + bin]: items that it may not
                         * share the bin with. */
    uint32_t n_clashes; /* Pairs. */
    struct dcp_rng rng;
};

void
dcp_scarce_packing_finish(struct dcp_scarce_packing *packing)
{
    free(packing->at);
    *packing = (struct dcp_scarce_packing){ 0 };
}

/* --- The instance --------------------------------------------------------- */

static uint32_t
in_reach(const struct packer *k, uint32_t h)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < k->n; i++) {
        n += dcp_problem_reaches(k->p, k->q->item[i], h);
    }
    return n;
}

/* Keeps the best hosts of a sort, the best first: those in reach of most, then
 * those that are wanted most. */
static void
add_host(struct packer *k, uint32_t sort, uint32_t h, uint32_t *reach)
{
    uint32_t *row = k->host + (size_t)sort * DCP_SCARCE_HOSTS_MAX;
    uint32_t at = k->n_hosts[sort];

    if (at == DCP_SCARCE_HOSTS_MAX) {
        at--;
        if (reach[h] < reach[row[at]] ||
            (reach[h] == reach[row[at]] &&
             k->q->wanted[h] <= k->q->wanted[row[at]])) {
            return;
        }
    } else {
        k->n_hosts[sort]++;
    }
    while (at > 0 && (reach[h] > reach[row[at - 1]] ||
                      (reach[h] == reach[row[at - 1]] &&
                       k->q->wanted[h] > k->q->wanted[row[at - 1]]))) {
        row[at] = row[at - 1];
        at--;
    }
    row[at] = h;
}

static bool
reach_alike(const struct packer *k, uint32_t a, uint32_t b)
{
    bool alike = true;

    for (uint32_t i = 0; alike && i < k->n; i++) {
        alike = dcp_problem_reaches(k->p, k->q->item[i], a) ==
                dcp_problem_reaches(k->p, k->q->item[i], b);
    }
    return alike;
}

/* The sort of hosts like this one, else where there is no room for a sort more
 * the first of its type; n_sorts: a new one. */
static uint32_t
sort_of(const struct packer *k, uint32_t h)
{
    uint32_t of_type = DCP_SCARCE_SORTS_MAX;

    for (uint32_t s = k->n_sorts; s-- > 0;) {
        if (k->type[s] == k->p->type_of_host[h]) {
            of_type = s;
            if (reach_alike(k, h, k->host[(size_t)s * DCP_SCARCE_HOSTS_MAX])) {
                return s;
            }
        }
    }
    return k->n_sorts < DCP_SCARCE_SORTS_MAX ? k->n_sorts : of_type;
}

static void
add_sort(struct packer *k, uint32_t h)
{
    const struct dcp_problem *p = k->p;
    double *cap = k->cap + (size_t)k->n_sorts * k->n_dims;

    k->type[k->n_sorts++] = p->type_of_host[h];
    for (uint32_t d = 0; d < k->n_dims; d++) {
        size_t r = d - p->n_slots;

        cap[d] =
            d < p->n_slots ? p->cap_cpu_mhz[h] : p->cap[r * p->n_hosts + h];
    }
}

/* Whether another sort of the type has hosts enough that reach as much. */
static bool
is_needless(const struct packer *k, uint32_t s)
{
    uint32_t h = k->host[(size_t)s * DCP_SCARCE_HOSTS_MAX];

    for (uint32_t o = 0; o < k->n_sorts; o++) {
        uint32_t other = k->host[(size_t)o * DCP_SCARCE_HOSTS_MAX];
        bool as_much = o != s && k->type[o] == k->type[s] &&
                       k->n_hosts[o] == DCP_SCARCE_HOSTS_MAX;

        for (uint32_t i = 0; as_much && i < k->n; i++) {
            as_much = dcp_problem_reaches(k->p, k->q->item[i], other) ||
                      !dcp_problem_reaches(k->p, k->q->item[i], h);
        }
        if (as_much) {
            return true;
        }
    }
    return false;
}

static void
find_sorts(struct packer *k, uint32_t *reach)
{
    for (uint32_t h = 0; h < k->p->n_hosts; h++) {
        reach[h] = k->q->usable[h] ? in_reach(k, h) : 0;
        if (!reach[h]) {
            continue;
        }
        uint32_t s = sort_of(k, h);

        if (s == k->n_sorts) {
            add_sort(k, h);
        }
        if (s < DCP_SCARCE_SORTS_MAX) {
            add_host(k, s, h, reach);
        }
    }
    for (uint32_t s = 0; s < k->n_sorts; s++) {
        k->needless[s] = is_needless(k, s);
    }
}

static void
find_items(struct packer *k)
{
    const struct dcp_problem *p = k->p;

    for (uint32_t i = 0; i < k->n; i++) {
        uint32_t item = k->q->item[i];

        for (uint32_t d = 0; d < k->n_dims; d++) {
            double size =
                d < p->n_slots
                    ? p->cpu_mhz[(size_t)item * p->stride + d]
                    : p->request[(size_t)item * p->n_scalars + d - p->n_slots];

            k->size[(size_t)i * k->n_dims + d] = size;
            k->sum[d] += size;
        }
        for (uint32_t j = 0; j < i; j++) {
            bool apart = dcp_clique_ruled_apart(p, item, k->q->item[j]);

            k->apart[(size_t)i * k->n + j] = apart;
            k->apart[(size_t)j * k->n + i] = apart;
            k->any_apart |= apart;
        }
    }
}

/* --- Mixes ---------------------------------------------------------------- */

static bool
is_cheaper(const struct mix *a, const struct mix *b)
{
    return a->cost != b->cost ? a->cost < b->cost
                              : memcmp(a->count, b->count, sizeof a->count) < 0;
}

static void
push(struct packer *k, const struct mix *m)
{
    uint32_t at = k->n_heap++;

    while (at > 0 && is_cheaper(m, &k->heap[(at - 1) / 2])) {
        k->heap[at] = k->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    k->heap[at] = *m;
}

static struct mix
pop(struct packer *k)
{
    struct mix top = k->heap[0], m = k->heap[--k->n_heap];
    uint32_t at = 0;

    for (;;) {
        uint32_t child = 2 * at + 1;

        if (child + 1 < k->n_heap &&
            is_cheaper(&k->heap[child + 1], &k->heap[child])) {
            child++;
        }
        if (child >= k->n_heap || !is_cheaper(&k->heap[child], &m)) {
            break;
        }
        k->heap[at] = k->heap[child];
        at = child;
    }
    k->heap[at] = m;
    return top;
}

/* Each mix comes from one other: that without a host of its last sort. */
static void
push_larger(struct packer *k, const struct mix *m)
{
    uint32_t n = 0;

    for (uint32_t s = 0; s < k->n_sorts; s++) {
        n += m->count[s];
    }
    for (uint32_t s = m->last;
         n < DCP_SCARCE_HOSTS_MAX && s < k->n_sorts && k->n_heap < NODES_MAX;
         s++) {
        struct mix more = *m;

        if (more.count[s] < k->n_hosts[s] && !k->needless[s]) {
            more.count[s]++;
            more.last = (uint8_t)s;
            more.cost += k->q->cost[k->type[s]];
            push(k, &more);
        }
    }
}

static void
take_bins(struct packer *k, const struct mix *m)
{
    k->n_bins = 0;
    for (uint32_t s = 0; s < k->n_sorts; s++) {
        for (uint32_t c = 0; c < m->count[s]; c++) {
            k->bin_sort[k->n_bins] = s;
            k->bin_host[k->n_bins++] =
                k->host[(size_t)s * DCP_SCARCE_HOSTS_MAX + c];
        }
    }
}

/* Whether sums, reach and pairs leave it possible. */
static bool
may_hold_all(const struct packer *k)
{
    if (!k->n_bins || (k->any_apart && k->n_bins < 2)) {
        return false;
    }
    for (uint32_t d = 0; d < k->n_dims; d++) {
        double cap = 0;

        for (uint32_t b = 0; b < k->n_bins; b++) {
            cap += k->cap[(size_t)k->bin_sort[b] * k->n_dims + d];
        }
        if (cap < k->sum[d]) {
            return false;
        }
    }
    for (uint32_t i = 0; i < k->n; i++) {
        bool some = false;

        for (uint32_t b = 0; !some && b < k->n_bins; b++) {
            some = dcp_problem_reaches(k->p, k->q->item[i], k->bin_host[b]);
        }
        if (!some) {
            return false;
        }
    }
    return true;
}

/* --- Annealing ------------------------------------------------------------ */

/* What a load is over the bin's capacity, in shares, were 'in' there and 'out'
 * not (NULL: none). */
static double
over_with(const struct packer *k, uint32_t b, const double *in,
          const double *out)
{
    const double *load = k->load + (size_t)b * k->n_dims;
    const double *cap = k->cap + (size_t)k->bin_sort[b] * k->n_dims;
    double over = 0;

    for (uint32_t d = 0; d < k->n_dims; d++) {
        double l = load[d] + (in ? in[d] : 0) - (out ? out[d] : 0);

        over += l > cap[d] ? (l - cap[d]) / fmax(cap[d], 1) : 0;
    }
    return over;
}

static void
put(struct packer *k, uint32_t i, uint32_t b, double sign)
{
    double *load = k->load + (size_t)b * k->n_dims;
    const double *size = k->size + (size_t)i * k->n_dims;

    for (uint32_t d = 0; d < k->n_dims; d++) {
        load[d] += sign * size[d];
    }
    for (uint32_t j = 0; k->any_apart && j < k->n; j++) {
        if (k->apart[(size_t)i * k->n + j]) {
            size_t at = (size_t)j * DCP_SCARCE_HOSTS_MAX + b;

            k->clashes[at] = (uint16_t)(k->clashes[at] + (sign > 0 ? 1 : -1));
        }
    }
    if (sign > 0) {
        k->at[i] = b;
        k->n_clashes += k->clashes[(size_t)i * DCP_SCARCE_HOSTS_MAX + b];
    } else {
        k->n_clashes -= k->clashes[(size_t)i * DCP_SCARCE_HOSTS_MAX + b];
    }
}

static bool
reaches(const struct packer *k, uint32_t i, uint32_t b)
{
    return dcp_problem_reaches(k->p, k->q->item[i], k->bin_host[b]);
}

/* In the order given, each where it adds least. */
static double
begin(struct packer *k)
{
    double over = 0;

    memset(k->load, 0, (size_t)k->n_bins * k->n_dims * sizeof *k->load);
    memset(k->clashes, 0,
           (size_t)k->n * DCP_SCARCE_HOSTS_MAX * sizeof *k->clashes);
    memset(k->over, 0, sizeof k->over);
    k->n_clashes = 0;
    for (uint32_t i = 0; i < k->n; i++) {
        double least = DBL_MAX;
        uint32_t best = 0;

        for (uint32_t b = 0; b < k->n_bins; b++) {
            double more =
                over_with(k, b, k->size + (size_t)i * k->n_dims, NULL) -
                k->over[b] +
                APART_PENALTY *
                    k->clashes[(size_t)i * DCP_SCARCE_HOSTS_MAX + b];

            if (reaches(k, i, b) && more < least) {
                least = more;
                best = b;
            }
        }
        put(k, i, best, 1);
        k->over[best] = over_with(k, best, NULL, NULL);
    }
    for (uint32_t b = 0; b < k->n_bins; b++) {
        over += k->over[b];
    }
    return over;
}

static double
clash(const struct packer *k, uint32_t i, uint32_t b)
{
    return k->clashes[(size_t)i * DCP_SCARCE_HOSTS_MAX + b];
}

/* Item i to bin b, and where j is one, j to where i was; kept or not by
 * chance. */
static void
try_step(struct packer *k, uint32_t i, uint32_t j, uint32_t b, double heat)
{
    uint32_t a = k->at[i];
    const double *in = k->size + (size_t)i * k->n_dims;
    const double *out = j < k->n ? k->size + (size_t)j * k->n_dims : NULL;
    double over_a = over_with(k, a, out, in), over_b = over_with(k, b, in, out);
    double more = over_a + over_b - k->over[a] - k->over[b];
    double pairs = clash(k, i, b) - clash(k, i, a);

    if (out) {
        pairs += clash(k, j, a) - clash(k, j, b) -
                 2.0 * k->apart[(size_t)i * k->n + j];
    }
    more += APART_PENALTY * pairs;
    if (more > 0 && dcp_rng_unit(&k->rng) >= exp(-more / heat)) {
        return;
    }
    put(k, i, a, -1);
    if (out) {
        put(k, j, b, -1);
        put(k, j, a, 1);
    }
    put(k, i, b, 1);
    k->over[a] = over_a;
    k->over[b] = over_b;
}

static double
sum_over(const struct packer *k)
{
    double over = 0;

    for (uint32_t b = 0; b < k->n_bins; b++) {
        over += k->over[b];
    }
    return over;
}

/* Everything in the bins at hand, within capacity; false: not found. */
static bool
anneal(struct packer *k)
{
    uint32_t n_steps = STEPS_BASE + STEPS_EACH * k->n;

    n_steps = n_steps < STEPS ? n_steps : STEPS;
    double cooling = pow(COLD / HOT, 1.0 / n_steps), heat = HOT;
    double least = begin(k);

    for (uint32_t step = 0; step < n_steps; step++, heat *= cooling) {
        double over = sum_over(k);

        least = fmin(least, over);
        if (over <= 0 && !k->n_clashes) {
            return true;
        }
        if (k->n_bins < 2 || (step == n_steps / SHORT && least > NEAR)) {
            return false;
        }
        uint32_t i = (uint32_t)dcp_rng_below(&k->rng, k->n);
        uint32_t j = (uint32_t)dcp_rng_below(&k->rng, 2 * (uint64_t)k->n);
        uint32_t b =
            j < k->n ? k->at[j] : (uint32_t)dcp_rng_below(&k->rng, k->n_bins);

        if (b != k->at[i] && reaches(k, i, b) &&
            (j >= k->n || reaches(k, j, k->at[i]))) {
            try_step(k, i, j, b, heat);
        }
    }
    return false;
}

/* --- All ------------------------------------------------------------------ */

static void
search_mixes(struct packer *k, struct dcp_scarce_packing *out, bool *out_found)
{
    struct mix none = { 0 };
    uint32_t n_tried = 0;

    push(k, &none);
    while (k->n_heap && n_tried < DCP_SCARCE_MIXES && !*out_found) {
        struct mix m = pop(k);

        take_bins(k, &m);
        if (may_hold_all(k)) {
            n_tried++;
            *out_found = anneal(k);
            out->cost = m.cost;
        }
        if (k->n_heap >= NODES_MAX - DCP_SCARCE_SORTS_MAX) {
            return;
        }
        push_larger(k, &m);
    }
}

static bool
init(struct packer *k)
{
    size_t n = k->n, dims = k->n_dims;

    k->host = calloc((size_t)DCP_SCARCE_SORTS_MAX * DCP_SCARCE_HOSTS_MAX,
                     sizeof *k->host);
    k->cap = calloc(DCP_SCARCE_SORTS_MAX * dims + 1, sizeof *k->cap);
    k->size = calloc(n * dims + 1, sizeof *k->size);
    k->sum = calloc(dims + 1, sizeof *k->sum);
    k->apart = calloc(n * n + 1, 1);
    k->heap = calloc(NODES_MAX + 1u, sizeof *k->heap);
    k->load = calloc(DCP_SCARCE_HOSTS_MAX * dims + 1, sizeof *k->load);
    k->at = calloc(n + 1, sizeof *k->at);
    k->clashes = calloc(n * DCP_SCARCE_HOSTS_MAX + 1, sizeof *k->clashes);
    return k->host && k->cap && k->size && k->sum && k->apart && k->heap &&
           k->load && k->at && k->clashes;
}

static void
finish(struct packer *k)
{
    free(k->host);
    free(k->cap);
    free(k->size);
    free(k->sum);
    free(k->apart);
    free(k->heap);
    free(k->load);
    free(k->at);
    free(k->clashes);
}

bool
dcp_scarce_pack(const struct dcp_scarce *q, uint64_t seed,
                struct dcp_scarce_packing *out, bool *out_found,
                struct dcp_error *err)
{
    const struct dcp_problem *p = q->p;
    struct packer k = { .q = q,
                        .p = p,
                        .n_dims = p->n_slots + p->n_scalars,
                        .n = q->n_items,
                        .rng = dcp_rng_stream(seed, "scarce", q->n_items) };
    DCP_FREE uint32_t *reach = calloc(p->n_hosts + 1u, sizeof *reach);

    *out = (struct dcp_scarce_packing){ 0 };
    *out_found = false;
    if (q->n_items > DCP_SCARCE_ITEMS_MAX) {
        return true;
    }
    if (!reach || !init(&k)) {
        finish(&k);
        return dcp_fail(err, DCP_E_NOMEM, "no memory to pack");
    }
    find_sorts(&k, reach);
    find_items(&k);
    search_mixes(&k, out, out_found);
    if (*out_found) {
        out->n_hosts = k.n_bins;
        memcpy(out->host, k.bin_host, sizeof out->host);
        out->at = k.at;
        k.at = NULL;
    } else {
        *out = (struct dcp_scarce_packing){ 0 };
    }
    finish(&k);
    return true;
}
