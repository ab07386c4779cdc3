/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Reach of all items.  Each VM's reasons are written as a key of numbers; items
 * with equal keys share one class, so hosts are tested once per class, not once
 * per VM; what machines allow once for all VMs that differ by rules alone, of
 * one host of each kind; and a rule that is the same for all of its VMs once.
 */

#include "model/base/text.h"
#include "model/change.h"
#include "model/convert.h"
#include "solver/compile/host_kinds.h"
#include "solver/compile/reach_parts.h"
#include "solver/rules/delta.h"

#include <stdlib.h>
#include <string.h>

/* "tag17;", which printf() would take most of the time for. */
static void
put(struct dcp_text *key, const char *tag, uint32_t n)
{
    char digits[12];
    size_t at = sizeof digits;

    digits[--at] = '\0';
    digits[--at] = ';';
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    dcp_text_puts(key, tag);
    dcp_text_puts(key, digits + at);
}

/* To which hypervisors it may be converted. */
static void
key_of_conversions(const struct dcp_question *q, uint32_t v,
                   struct dcp_text *key)
{
    const struct dcp_inventory *inv = q->inventory;
    dcp_host_id now = q->start->host[v];

    if (q->may_convert && q->may_convert[v] == DCP_MUST_CONVERT) {
        dcp_text_puts(key, "M;");
    }
    for (uint32_t i = 0; q->may_convert && q->may_convert[v] &&
                         !dcp_host_is_none(now) && i < inv->n_conversions;
         i++) {
        dcp_hypervisor_id to = inv->conversions[i].to;

        if (inv->conversions[i].from.ix == inv->hosts[now.ix].hypervisor.ix &&
            !dcp_reach_why_not_convert(q, v, now, to, NULL, 0)) {
            put(key, "C", to.ix);
        }
    }
}

/* Which machine facts of its present host matter to where a VM may go. */
static void
key_of_vm(const struct dcp_question *q, uint32_t v, struct dcp_text *key)
{
    const struct dcp_inventory *inv = q->inventory;
    const struct dcp_vm *vm = &inv->vms[v];
    dcp_host_id now = q->start->host[v];
    bool local_disk = false;

    for (uint32_t i = 0; i < vm->n_volumes; i++) {
        local_disk |= dcp_pool_is_none(inv->volumes[vm->first_volume + i].pool);
    }
    if (!dcp_host_is_none(now)) {
        const struct dcp_host *host = &inv->hosts[now.ix];
        const struct dcp_hardware *hw = &inv->hardware[host->hardware.ix];

        put(key, "h", host->hypervisor.ix);
        dcp_text_puts(key, "a");
        dcp_text_puts(key, hw->cpu_arch);
        dcp_text_puts(key, ";");
        char why[160];

        /* Where only its being there speaks for a host, no other VM may share
         * the class. */
        if (!vm->movable || local_disk || (q->resting && q->resting[v]) ||
            dcp_reach_why_not_coming(q, v, now.ix, false, why, sizeof why)) {
            put(key, "at", now.ix);
        }
    }
    if (vm->windows) {
        dcp_text_puts(key, "w;");
    }
    if (vm->needs) {
        put(key, "c", vm->needs);
    }
    key_of_conversions(q, v, key);
    if (vm->cpu_generation_min[0]) {
        dcp_text_printf(key, "g%s;", vm->cpu_generation_min);
    }
    if (vm->single_numa_node) {
        dcp_text_printf(key, "n%llu,%u;", (unsigned long long)vm->mem_mib,
                        vm->vcpus);
    }
    for (uint32_t i = 0; i < vm->hypervisors.n; i++) {
        put(key, "y", vm->hypervisors.ix[i]);
    }
    for (uint32_t i = 0; i < vm->vlans.n; i++) {
        put(key, "v", vm->vlans.ix[i]);
    }
    for (uint32_t i = 0; i < vm->n_volumes; i++) {
        put(key, "p", inv->volumes[vm->first_volume + i].pool.ix);
    }
}

/* Adds to the keys what the answer of a rule follows from. */
static void
key_of_rule(const struct dcp_question *q, uint32_t r, struct dcp_text *keys)
{
    const struct dcp_rule *rule = &q->inventory->rules[r];
    const struct dcp_rule_delta *delta = dcp_rule_delta(rule->kind);
    const struct dcp_placement *home = q->home ? q->home : q->start;
    bool about_change = dcp_rule_is_about_change(rule->kind);

    if (about_change && !(q->closed && q->closed[r])) {
        return; /* Asks nothing. */
    }
    for (uint32_t i = 0; delta->by == DCP_FORBIDS_RULE && i < rule->n_vms;
         i++) {
        put(&keys[rule->vms[i]], "r", r);
    }
    for (uint32_t i = 0; delta->by == DCP_FORBIDS_HOME && i < rule->n_vms;
         i++) {
        uint32_t v = rule->vms[i];

        if (!dcp_host_is_none(home->host[v])) {
            dcp_text_printf(&keys[v], rule->has_hours ? "R%u,%u;" : "R%u;",
                            home->host[v].ix, r);
        }
    }
    for (uint32_t v = 0;
         delta->by == DCP_FORBIDS_START && v < q->inventory->n_vms; v++) {
        dcp_host_id at = q->start->host[v];

        if (!dcp_host_is_none(at) &&
            (dcp_ids_contain(&(struct dcp_ids){ rule->hosts, rule->n_hosts },
                             at.ix) ||
             (about_change &&
              dcp_ids_contain(&(struct dcp_ids){ rule->vms, rule->n_vms },
                              v)))) {
            dcp_text_printf(&keys[v], "at%u;", at.ix);
        }
    }
}

static bool
key_of_rules(const struct dcp_question *q, struct dcp_text *keys)
{
    const struct dcp_inventory *inv = q->inventory;

    for (uint32_t r = 0; r < inv->n_rules; r++) {
        if (dcp_rule_is_hard(q, &inv->rules[r]) &&
            dcp_rule_names_hosts(&inv->rules[r])) {
            key_of_rule(q, r, keys);
        }
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        if (keys[v].failed) {
            return false;
        }
    }
    return true;
}

/* Hard rules that have a say on hosts alone, by VM; some are about all VMs. */
struct rule_index {
    uint32_t *first, *of; /* Of VM v: of[first[v]] .. of[first[v + 1] - 1]. */
    uint32_t *every, n_every;
    /* By rule that is the same for all VMs, once it was asked, and whether
     * about restarts: the hosts that it allows. */
    uint64_t **allowed;
    uint32_t n_rules;
};

static void
rule_index_finish(struct rule_index *x)
{
    for (uint32_t i = 0; x->allowed && i < 2 * x->n_rules; i++) {
        free(x->allowed[i]);
    }
    free(x->allowed);
    free(x->first);
    free(x->of);
    free(x->every);
}

static bool
is_indexed(const struct dcp_question *q, const struct dcp_rule *rule)
{
    return dcp_rule_names_hosts(rule) && dcp_rule_is_hard(q, rule);
}

static bool
index_rules(const struct dcp_question *q, struct rule_index *x)
{
    const struct dcp_inventory *inv = q->inventory;
    size_t total = 0;

    x->first = calloc(inv->n_vms + 2u, sizeof *x->first);
    x->every = calloc(inv->n_rules + 1u, sizeof *x->every);
    x->allowed = calloc(2 * (size_t)inv->n_rules + 1, sizeof *x->allowed);
    x->n_rules = inv->n_rules;
    for (int pass = 0; x->first && x->every && x->allowed && pass < 2;
         pass++) {
        for (uint32_t r = 0; r < inv->n_rules; r++) {
            const struct dcp_rule *rule = &inv->rules[r];

            if (!is_indexed(q, rule)) {
                continue;
            }
            if (dcp_rule_delta(rule->kind)->every_vm) {
                x->every[pass ? x->n_every++ : 0] = r;
                continue;
            }
            for (uint32_t i = 0; i < rule->n_vms; i++) {
                if (pass) {
                    x->of[x->first[rule->vms[i] + 1]++] = r;
                } else {
                    x->first[rule->vms[i] + 2]++;
                    total++;
                }
            }
        }
        for (uint32_t v = 0; !pass && v < inv->n_vms; v++) {
            x->first[v + 2] += x->first[v + 1];
        }
        if (!pass && !(x->of = calloc(total + 1, sizeof *x->of))) {
            return false;
        }
    }
    return x->of != NULL;
}

/* Clears the bits of hosts that the rule keeps the VM from. */
static void
clear_forbidden(const struct dcp_problem *p, const struct dcp_rule *rule,
                uint32_t v, bool restart, uint64_t *row)
{
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (dcp_rule_delta(rule->kind)
                ->forbids(p->q, rule, v, h,
                          restart ? DCP_FORBIDS_RESTART : DCP_FORBIDS_LIVE)) {
            row[h / 64] &= ~(UINT64_C(1) << (h % 64));
        }
    }
}

/* The hosts that a rule allows which is the same for all of its VMs. */
static void
fill_allowed(const struct dcp_problem *p, const struct dcp_rule *rule,
             uint32_t v, bool restart, uint64_t *row)
{
    enum dcp_forbids_list list = dcp_rule_delta(rule->kind)->list;

    memset(row, list == DCP_FORBIDS_NOT_LISTED ? 0 : 0xff,
           p->reach_words * sizeof *row);
    if (list == DCP_FORBIDS_NO_LIST) {
        clear_forbidden(p, rule, v, restart, row);
    }
    for (uint32_t i = 0; list != DCP_FORBIDS_NO_LIST && i < rule->n_hosts;
         i++) {
        uint64_t *word = &row[rule->hosts[i] / 64];
        uint64_t bit = UINT64_C(1) << (rule->hosts[i] % 64);

        *word = list == DCP_FORBIDS_LISTED ? *word & ~bit : *word | bit;
    }
}

/* False: no memory. */
static bool
apply_rule(const struct dcp_problem *p, const struct rule_index *x, uint32_t r,
           uint32_t v, bool restart, uint64_t *row)
{
    const struct dcp_rule *rule = &p->q->inventory->rules[r];
    uint32_t relax = p->q->inventory->policy.relax_rules;
    uint64_t **allowed = &x->allowed[2 * (size_t)r + restart];

    if (restart && (rule->soft || relax >> rule->kind & 1)) {
        return true;
    }
    if (dcp_rule_delta(rule->kind)->by != DCP_FORBIDS_RULE) {
        clear_forbidden(p, rule, v, restart, row);
        return true;
    }
    if (!*allowed) {
        *allowed = malloc((p->reach_words + 1u) * sizeof **allowed);
        if (!*allowed) {
            return false;
        }
        fill_allowed(p, rule, v, restart, *allowed);
    }
    for (uint32_t w = 0; w < p->reach_words; w++) {
        row[w] &= (*allowed)[w];
    }
    return true;
}

static bool
apply_rules(const struct dcp_problem *p, const struct rule_index *x, uint32_t v,
            bool restart, uint64_t *row)
{
    bool ok = true;

    for (uint32_t i = 0; ok && i < x->n_every; i++) {
        ok = apply_rule(p, x, x->every[i], v, restart, row);
    }
    for (uint32_t i = x->first[v]; ok && i < x->first[v + 1]; i++) {
        ok = apply_rule(p, x, x->of[i], v, restart, row);
    }
    return ok;
}

/* Rows of what machines allow, one pair (now, and after a loss) for each
 * distinct key of a VM without its rules: many VMs share them where rules make
 * each VM a class of its own. */
struct machine_rows {
    uint64_t **row; /* Two rows each; owned. */
    uint32_t n, room;
    uint32_t *of_vm;
    struct dcp_host_kinds kinds;
    uint8_t *reached; /* By kind: scratch. */
};

static void
machine_rows_finish(struct machine_rows *m)
{
    dcp_host_kinds_finish(&m->kinds);
    free(m->reached);
    for (uint32_t i = 0; i < m->n; i++) {
        free(m->row[i]);
    }
    free(m->row);
    free(m->of_vm);
}

static bool
add_machine_row(const struct dcp_problem *p, struct machine_rows *m, uint32_t v)
{
    if (m->n == m->room) {
        uint32_t room = m->room ? 2 * m->room : 64;
        uint64_t **more = realloc(m->row, room * sizeof *more);

        if (!more) {
            return false;
        }
        m->row = more;
        m->room = room;
    }
    uint64_t *row = calloc(2 * (size_t)p->reach_words + 1, sizeof *row);

    if (!row) {
        return false;
    }
    m->row[m->n++] = row;
    for (int restart = 0; restart < 2; restart++, row += p->reach_words) {
        for (uint32_t k = 0; k < m->kinds.n; k++) {
            m->reached[k] = !dcp_reach_why_not_coming(
                p->q, v, m->kinds.example[k], restart, NULL, 0);
        }
        for (uint32_t h = 0; h < p->n_hosts; h++) {
            row[h / 64] |= (uint64_t)m->reached[m->kinds.of_host[h]]
                           << (h % 64);
        }
        uint32_t now = p->q->start->host[v].ix;

        if (now != DCP_IX_NONE &&
            !dcp_reach_why_not_machine(p->q, v, now, restart, NULL, 0)) {
            row[now / 64] |= UINT64_C(1) << (now % 64);
        }
    }
    return true;
}

/* From keys that have nothing of rules yet. */
static bool
make_machine_rows(const struct dcp_problem *p, const struct dcp_text *keys,
                  struct machine_rows *m)
{
    uint32_t n_vms = p->q->inventory->n_vms;
    struct dcp_strmap map = { 0 };
    bool ok = dcp_host_kinds_make(p->q->inventory, &m->kinds, NULL);

    m->of_vm = calloc(n_vms + 1u, sizeof *m->of_vm);
    m->reached = calloc(m->kinds.n + 1u, sizeof *m->reached);
    ok = ok && m->of_vm && m->reached;
    for (uint32_t v = 0; ok && v < n_vms; v++) {
        if (p->item_of_vm[v] == DCP_IX_NONE) {
            continue;
        }
        uint32_t found = dcp_strmap_find(&map, dcp_text_get(&keys[v]));

        if (found == DCP_STRMAP_NONE) {
            /* The map keeps the pointer, and the key grows. */
            const char *key =
                dcp_arena_strdup(p->arena, dcp_text_get(&keys[v]));

            found = m->n;
            ok = key && add_machine_row(p, m, v) &&
                 dcp_strmap_add(&map, key, found, NULL);
        }
        m->of_vm[v] = found;
    }
    dcp_strmap_finish(&map);
    return ok;
}

static bool
make_keys(const struct dcp_problem *p, struct dcp_text *keys,
          struct machine_rows *machines)
{
    for (uint32_t v = 0; v < p->q->inventory->n_vms; v++) {
        if (p->item_of_vm[v] != DCP_IX_NONE) {
            key_of_vm(p->q, v, &keys[v]);
        }
    }
    return make_machine_rows(p, keys, machines) && key_of_rules(p->q, keys);
}

/* The item's key: that of its VM, or of its VMs with bars; as long as theirs.
 */
static const char *
item_key(struct dcp_problem *p, uint32_t item, const struct dcp_text *keys)
{
    uint32_t first = p->vm_first[item], end = p->vm_first[item + 1];
    struct dcp_text all = { 0 };

    if (end - first == 1) { /* No other key is without a bar. */
        return dcp_text_get(&keys[p->vm[first]]);
    }
    for (uint32_t k = first; k < end; k++) {
        dcp_text_printf(&all, "%s|", dcp_text_get(&keys[p->vm[k]]));
    }
    const char *copy =
        all.failed ? NULL : dcp_arena_strdup(p->arena, dcp_text_get(&all));

    dcp_text_finish(&all);
    return copy;
}

struct reach_parts {
    struct rule_index rules;
    struct machine_rows machines;
};

/* Two rows per class: reach now, and after a loss. */
static bool
fill_row(const struct dcp_problem *p, uint32_t item,
         const struct reach_parts *parts, bool restart, uint64_t *row)
{
    const struct machine_rows *m = &parts->machines;

    for (uint32_t k = p->vm_first[item]; k < p->vm_first[item + 1]; k++) {
        const uint64_t *machine =
            m->row[m->of_vm[p->vm[k]]] + (restart ? p->reach_words : 0);

        for (uint32_t w = 0; w < p->reach_words; w++) {
            row[w] = k == p->vm_first[item] ? machine[w] : row[w] & machine[w];
        }
    }
    bool ok = true;

    for (uint32_t k = p->vm_first[item]; ok && k < p->vm_first[item + 1]; k++) {
        ok = apply_rules(p, &parts->rules, p->vm[k], restart, row);
    }
    return ok;
}

static bool
fill_class(struct dcp_problem *p, uint64_t **rows, uint32_t *capacity,
           uint32_t item, const struct reach_parts *parts)
{
    size_t words = p->reach_words;

    if (p->n_classes == *capacity) {
        uint32_t bigger = *capacity ? 2 * *capacity : 64;
        uint64_t *more = realloc(*rows, bigger * 2 * words * sizeof *more);

        if (!more) {
            return false;
        }
        *rows = more;
        *capacity = bigger;
    }
    uint64_t *row = *rows + p->n_classes * 2 * words;

    p->n_classes++;
    return fill_row(p, item, parts, false, row) &&
           fill_row(p, item, parts, true, row + words);
}

static bool
classify(struct dcp_problem *p, const struct dcp_text *keys,
         const struct reach_parts *parts, uint32_t *class_of, uint64_t **rows)
{
    struct dcp_strmap map = { 0 };
    uint32_t capacity = 0;
    bool ok = true;

    for (uint32_t i = 0; ok && i < p->n_items; i++) {
        const char *key = item_key(p, i, keys);
        uint32_t found = key ? dcp_strmap_find(&map, key) : 0;

        ok = key != NULL;
        if (ok && found == DCP_STRMAP_NONE) {
            found = p->n_classes;
            ok = dcp_strmap_add(&map, key, found, NULL) &&
                 fill_class(p, rows, &capacity, i, parts);
        }
        class_of[i] = found;
    }
    dcp_strmap_finish(&map);
    return ok;
}

bool
dcp_problem_compile_reach(struct dcp_problem *p, struct dcp_error *err)
{
    uint32_t n_vms = p->q->inventory->n_vms;
    uint32_t *class_of = dcp_arena_array(p->arena, uint32_t, p->n_items);
    struct dcp_text *keys = calloc(n_vms + 1u, sizeof *keys);
    struct reach_parts parts = { 0 };
    uint64_t *rows = NULL;

    p->reach_words = (p->n_hosts + 63) / 64;
    bool ok = class_of && keys && index_rules(p->q, &parts.rules) &&
              make_keys(p, keys, &parts.machines) &&
              classify(p, keys, &parts, class_of, &rows);

    if (ok) {
        size_t words = p->reach_words, n = p->n_classes * words;
        uint64_t *reach = dcp_arena_array(p->arena, uint64_t, n);
        uint64_t *restart = dcp_arena_array(p->arena, uint64_t, n);

        ok = reach && restart;
        for (uint32_t c = 0; ok && c < p->n_classes; c++) {
            memcpy(reach + c * words, rows + 2 * c * words,
                   words * sizeof *reach);
            memcpy(restart + c * words, rows + (2 * c + 1) * words,
                   words * sizeof *restart);
        }
        p->reach = reach;
        p->reach_restart = restart;
        p->reach_class = class_of;
    }
    for (uint32_t v = 0; keys && v < n_vms; v++) {
        dcp_text_finish(&keys[v]);
    }
    free(keys);
    rule_index_finish(&parts.rules);
    machine_rows_finish(&parts.machines);
    free(rows);
    return ok ||
           dcp_fail(err, DCP_E_NOMEM, "no memory for reach of %u VMs", n_vms);
}
