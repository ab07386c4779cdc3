/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/script/judge_pairs.h"

#include "model/base/strmap.h"
#include "model/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

/* A field that the script reads, with what each VM or host holds in it as a
 * small number. */
struct field {
    enum dcp_trait_side side;
    const char *name;
    uint32_t *value; /* [object]; NONE: not looked at yet. */
    struct dcp_strmap values;
    uint32_t n_values;
};

/* A reading: field, then by value the next node.  A leaf has no field. */
struct node {
    uint32_t field; /* NONE: a leaf. */
    uint32_t *next; /* By value; NONE: not known. */
    uint32_t n_next;
    uint32_t verdict; /* Of a leaf. */
};

struct judge {
    struct dcp_script *script;
    enum dcp_script_kind kind;
    const struct dcp_inventory *inv;
    struct dcp_arena *arena;
    struct dcp_arena *scratch; /* Keys of values and verdicts. */
    struct field *fields;
    uint32_t n_fields, fields_capacity;
    struct node *nodes; /* 0: the root, once there is one. */
    uint32_t n_nodes, nodes_capacity;
    struct dcp_pair_verdict *verdicts;
    uint32_t n_verdicts, verdicts_capacity;
    struct dcp_strmap verdict_by_key;
    uint32_t n_calls;
};

static bool
no_memory(struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_NOMEM, "no memory for what a script says");
}

/* Room for one more of 'n' items. */
static bool
grow(void *array, uint32_t n, uint32_t *capacity, size_t size)
{
    void *old, *bigger;

    if (n < *capacity) {
        return true;
    }
    uint32_t more = *capacity ? 2 * *capacity : 16;

    memcpy(&old, array, sizeof old);
    bigger = realloc(old, more * size);
    if (!bigger) {
        return false;
    }
    memcpy(array, &bigger, sizeof bigger);
    *capacity = more;
    return true;
}

static struct dcp_trait_subject
subject(const struct judge *j, enum dcp_trait_side side, uint32_t ix)
{
    return (struct dcp_trait_subject){ side, j->inv, ix, NULL, 0 };
}

static uint32_t
add_field(struct judge *j, enum dcp_trait_side side, const char *name)
{
    for (uint32_t f = 0; f < j->n_fields; f++) {
        if (j->fields[f].side == side && j->fields[f].name == name) {
            return f;
        }
    }
    uint32_t n = side == DCP_TRAIT_VM ? j->inv->n_vms : j->inv->n_hosts;
    uint32_t *value = malloc((n + 1u) * sizeof *value);

    if (!value || !grow(&j->fields, j->n_fields, &j->fields_capacity,
                        sizeof *j->fields)) {
        free(value);
        return NONE;
    }
    memset(value, 0xff, (n + 1u) * sizeof *value);
    j->fields[j->n_fields] =
        (struct field){ .side = side, .name = name, .value = value };
    return j->n_fields++;
}

/* What object 'ix' holds in the field; NONE: no memory. */
static uint32_t
value_of(struct judge *j, uint32_t f, uint32_t ix)
{
    struct field *field = &j->fields[f];
    struct dcp_trait_subject s = subject(j, field->side, ix);
    struct dcp_trait trait;
    char key[512];

    if (field->value[ix] != NONE) {
        return field->value[ix];
    }
    (void)dcp_trait_read(&s, field->name, &trait, NULL);
    dcp_trait_key(&trait, key, sizeof key);
    uint32_t found = dcp_strmap_find(&field->values, key);

    if (found == DCP_STRMAP_NONE) {
        const char *kept = dcp_arena_strdup(j->scratch, key);

        if (!kept ||
            !dcp_strmap_add(&field->values, kept, field->n_values, NULL)) {
            return NONE;
        }
        found = field->n_values++;
    }
    return field->value[ix] = found;
}

static uint32_t
object_of(const struct judge *j, uint32_t f, uint32_t vm, uint32_t host)
{
    return j->fields[f].side == DCP_TRAIT_VM ? vm : host;
}

static uint32_t
add_node(struct judge *j)
{
    if (!grow(&j->nodes, j->n_nodes, &j->nodes_capacity, sizeof *j->nodes)) {
        return NONE;
    }
    j->nodes[j->n_nodes] = (struct node){ .field = NONE, .verdict = NONE };
    return j->n_nodes++;
}

/* The slot of the node's child for 'value'; NULL: no memory. */
static uint32_t *
child(struct node *node, uint32_t value)
{
    if (value >= node->n_next) {
        uint32_t n = node->n_next ? node->n_next : 4;

        while (n <= value) {
            n *= 2;
        }
        uint32_t *bigger = realloc(node->next, n * sizeof *bigger);

        if (!bigger) {
            return NULL;
        }
        memset(bigger + node->n_next, 0xff,
               (n - node->n_next) * sizeof *bigger);
        node->next = bigger;
        node->n_next = n;
    }
    return &node->next[value];
}

static uint32_t
add_verdict(struct judge *j, const struct dcp_script_answer *a)
{
    char key[DCP_SCRIPT_REASON_MAX + 64];

    (void)snprintf(key, sizeof key, "%d %.17g %s", a->allowed, a->score,
                   a->reason);
    uint32_t found = dcp_strmap_find(&j->verdict_by_key, key);

    if (found != DCP_STRMAP_NONE) {
        return found;
    }
    const char *kept = dcp_arena_strdup(j->scratch, key);
    const char *reason = dcp_arena_strdup(j->arena, a->reason);

    if (!kept || !reason ||
        !grow(&j->verdicts, j->n_verdicts, &j->verdicts_capacity,
              sizeof *j->verdicts) ||
        !dcp_strmap_add(&j->verdict_by_key, kept, j->n_verdicts, NULL)) {
        return NONE;
    }
    j->verdicts[j->n_verdicts] =
        (struct dcp_pair_verdict){ a->allowed, a->score, reason };
    return j->n_verdicts++;
}

/* Writes the answer down as a path of readings from the root. */
static bool
learn(struct judge *j, uint32_t vm, uint32_t host,
      const struct dcp_script_answer *a, uint32_t *out_verdict)
{
    uint32_t verdict = add_verdict(j, a);
    uint32_t at = j->n_nodes ? 0 : add_node(j);

    if (verdict == NONE || at == NONE) {
        return false;
    }
    for (uint32_t i = 0; i < a->n_reads; i++) {
        uint32_t f = add_field(j, a->reads[i].side, a->reads[i].field);
        uint32_t value =
            f == NONE ? NONE : value_of(j, f, object_of(j, f, vm, host));

        if (value == NONE) {
            return false;
        }
        j->nodes[at].field = f;
        uint32_t *slot = child(&j->nodes[at], value);

        if (!slot) {
            return false;
        }
        uint32_t next = *slot;

        if (next == NONE) {
            next = add_node(j);
            if (next == NONE) {
                return false;
            }
            j->nodes[at].next[value] = next; /* The nodes may have moved. */
        }
        at = next;
    }
    j->nodes[at].verdict = verdict;
    *out_verdict = verdict;
    return true;
}

/* What is said of the pair if it is known, else NONE. */
static bool
recall(struct judge *j, uint32_t vm, uint32_t host, uint32_t *out)
{
    uint32_t at = j->n_nodes ? 0 : NONE;

    *out = NONE;
    while (at != NONE && j->nodes[at].field != NONE) {
        uint32_t f = j->nodes[at].field;
        uint32_t value = value_of(j, f, object_of(j, f, vm, host));

        if (value == NONE) {
            return false;
        }
        at = value < j->nodes[at].n_next ? j->nodes[at].next[value] : NONE;
    }
    if (at != NONE) {
        *out = j->nodes[at].verdict;
    }
    return true;
}

static bool
ask(struct judge *j, uint32_t vm, uint32_t host, uint32_t *out,
    struct dcp_error *err)
{
    struct dcp_trait_subject v = subject(j, DCP_TRAIT_VM, vm);
    struct dcp_trait_subject h = subject(j, DCP_TRAIT_HOST, host);
    struct dcp_script_answer answer;

    if (!recall(j, vm, host, out)) {
        return no_memory(err);
    }
    if (*out != NONE) {
        return true;
    }
    if (++j->n_calls > DCP_PAIRS_CALLS_MAX) {
        return dcp_fail(err, DCP_E_LIMIT,
                        "it tells too many VMs and hosts apart (over %u "
                        "pairs): name the VMs that it is about, or read "
                        "fewer fields",
                        DCP_PAIRS_CALLS_MAX);
    }
    if (!dcp_script_call(j->script, j->kind, &v, &h, &answer, err)) {
        char text[200];

        (void)snprintf(text, sizeof text,
                       " (asked of vm '%.60s' on host "
                       "'%.60s')",
                       j->inv->vms[vm].name, j->inv->hosts[host].name);
        if (err && strlen(err->message) + strlen(text) < sizeof err->message) {
            memcpy(err->message + strlen(err->message), text, strlen(text) + 1);
        }
        return false;
    }
    if (!learn(j, vm, host, &answer, out)) {
        return no_memory(err);
    }
    return j->n_verdicts <= UINT16_MAX ||
           dcp_fail(err, DCP_E_LIMIT, "it gives over %d different answers",
                    UINT16_MAX);
}

/* --- Classes of VMs ----------------------------------------------------- */

struct classes {
    struct dcp_strmap by_key;
    uint16_t *verdict;              /* [class * n_hosts + host] */
    uint32_t n, capacity, n_fields; /* Fields known when they were made. */
};

/* The values of the VM in all fields of VMs that are read. */
static bool
class_key(struct judge *j, uint32_t vm, struct dcp_text *out)
{
    for (uint32_t f = 0; f < j->n_fields; f++) {
        if (j->fields[f].side == DCP_TRAIT_VM) {
            uint32_t value = value_of(j, f, vm);

            if (value == NONE) {
                return false;
            }
            dcp_text_printf(out, "%u;", value);
        }
    }
    dcp_text_puts(out, ".");
    return !out->failed;
}

/* Asks of the VM and all hosts as a new class. */
static bool
add_class(struct judge *j, struct classes *c, uint32_t vm,
          struct dcp_error *err)
{
    uint32_t n_hosts = j->inv->n_hosts;

    if (!grow(&c->verdict, c->n, &c->capacity,
              (n_hosts + 1u) * sizeof *c->verdict)) {
        return no_memory(err);
    }
    for (uint32_t h = 0; h < n_hosts; h++) {
        uint32_t verdict;

        if (!ask(j, vm, h, &verdict, err)) {
            return false;
        }
        c->verdict[(size_t)c->n * n_hosts + h] = (uint16_t)verdict;
    }
    c->n++;
    return true;
}

static void
forget_classes(const struct judge *j, struct classes *c)
{
    dcp_strmap_finish(&c->by_key);
    c->by_key = (struct dcp_strmap){ 0 };
    c->n = 0;
    c->n_fields = j->n_fields;
}

/* One pass over the VMs.  Where a VM makes the script read a field that it had
 * not read before, the classes so far may hold VMs that differ in it:
 * *out_again, and the pass is begun anew with that field in the keys. */
static bool
classify(struct judge *j, struct classes *c, const uint32_t vms[],
         uint32_t n_vms, uint32_t class_of[], bool *out_again,
         struct dcp_error *err)
{
    *out_again = false;
    forget_classes(j, c);
    for (uint32_t i = 0; i < n_vms; i++) {
        struct dcp_text key = { 0 };

        if (!class_key(j, vms[i], &key)) {
            dcp_text_finish(&key);
            return no_memory(err);
        }
        uint32_t found = dcp_strmap_find(&c->by_key, dcp_text_get(&key));

        if (found == DCP_STRMAP_NONE) {
            const char *kept = dcp_arena_strdup(j->scratch, dcp_text_get(&key));

            found = c->n;
            if (!kept || !dcp_strmap_add(&c->by_key, kept, found, NULL)) {
                dcp_text_finish(&key);
                return no_memory(err);
            }
            if (!add_class(j, c, vms[i], err)) {
                dcp_text_finish(&key);
                return false;
            }
        }
        dcp_text_finish(&key);
        class_of[vms[i]] = found;
        if (j->n_fields != c->n_fields) {
            *out_again = true;
            return true;
        }
    }
    return true;
}

static const struct dcp_pairs *
keep(struct judge *j, const struct classes *c, const uint32_t *class_of,
     struct dcp_error *err)
{
    uint32_t n_hosts = j->inv->n_hosts;
    size_t cells = (size_t)c->n * n_hosts;
    struct dcp_pairs *p = dcp_arena_new(j->arena, struct dcp_pairs);
    uint16_t *verdict = dcp_arena_array(j->arena, uint16_t, cells + 1);
    struct dcp_pair_verdict *verdicts =
        dcp_arena_array(j->arena, struct dcp_pair_verdict, j->n_verdicts + 1u);

    if (!p || !verdict || !verdicts) {
        (void)no_memory(err);
        return NULL;
    }
    if (cells) {
        memcpy(verdict, c->verdict, cells * sizeof *verdict);
        memcpy(verdicts, j->verdicts, j->n_verdicts * sizeof *verdicts);
    }
    *p = (struct dcp_pairs){ j->inv->n_vms, n_hosts,  c->n,         class_of,
                             verdict,       verdicts, j->n_verdicts };
    return p;
}

static void
judge_finish(struct judge *j)
{
    for (uint32_t f = 0; f < j->n_fields; f++) {
        free(j->fields[f].value);
        dcp_strmap_finish(&j->fields[f].values);
    }
    for (uint32_t n = 0; n < j->n_nodes; n++) {
        free(j->nodes[n].next);
    }
    free(j->fields);
    free(j->nodes);
    free(j->verdicts);
    dcp_strmap_finish(&j->verdict_by_key);
    dcp_arena_destroy(j->scratch);
}

const struct dcp_pairs *
dcp_judge_pairs(struct dcp_script *script, enum dcp_script_kind kind,
                const struct dcp_inventory *inv, const uint32_t vms[],
                uint32_t n_vms, struct dcp_arena *arena, struct dcp_error *err)
{
    struct judge j = { .script = script,
                       .kind = kind,
                       .inv = inv,
                       .arena = arena,
                       .scratch = dcp_arena_create(0) };
    struct classes c = { 0 };
    uint32_t *class_of = dcp_arena_array(arena, uint32_t, inv->n_vms + 1u);
    const struct dcp_pairs *out = NULL;
    bool again = true, ok = j.scratch && class_of;

    if (!ok) {
        (void)no_memory(err);
    } else {
        memset(class_of, 0xff, (inv->n_vms + 1u) * sizeof *class_of);
    }
    while (ok && again) {
        ok = classify(&j, &c, vms, n_vms, class_of, &again, err);
    }
    if (ok) {
        out = keep(&j, &c, class_of, err);
    }
    dcp_strmap_finish(&c.by_key);
    free(c.verdict);
    judge_finish(&j);
    return out;
}
