/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The steps with their reasons.  Reasons are sentences that differ in their
 * numbers, so a sentence is kept once, as the texts between its numbers; a
 * step then has the sentence's index and its own numbers.  That makes the page
 * of a large plan three times smaller. */

#include "report/work.h"

#include "model/base/strmap.h"

#include <string.h>

#define HOLE '\x01' /* Stands for a number in a template's key. */

struct texts {
    struct dcp_strmap map; /* Template -> index. */
    const char **key;      /* By index. */
    uint32_t n;
    uint32_t *of_step; /* DCP_STRMAP_NONE: the step is not in the page. */
};

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char *
make_key(const char *text, struct dcp_arena *arena)
{
    char *key = dcp_arena_array(arena, char, strlen(text) + 1);
    size_t n = 0;

    for (const char *p = text; key && *p;) {
        if (is_digit(*p)) {
            key[n++] = HOLE;
            while (is_digit(*p)) {
                p++;
            }
        } else {
            key[n++] = *p == HOLE ? ' ' : *p;
            p++;
        }
    }
    return key;
}

static bool
texts_make(struct texts *t, const struct dcp_report_work *r,
           struct dcp_arena *arena)
{
    const struct dcp_plan *plan = r->in->plan;
    uint32_t shown = 0;

    t->of_step = dcp_arena_array(arena, uint32_t, plan->n_steps);
    t->key = dcp_arena_array(arena, const char *, DCP_REPORT_STEPS_MAX);
    if (!t->of_step || !t->key) {
        return false;
    }
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        t->of_step[i] = DCP_STRMAP_NONE;
        if (plan->steps[i].kind == DCP_STEP_SYNC ||
            shown == DCP_REPORT_STEPS_MAX) {
            continue;
        }
        shown++;
        char *key = make_key(plan->steps[i].reason_text, arena);

        if (!key) {
            return false;
        }
        t->of_step[i] = dcp_strmap_find(&t->map, key);
        if (t->of_step[i] == DCP_STRMAP_NONE) {
            if (!dcp_strmap_add(&t->map, key, t->n, NULL)) {
                return false;
            }
            t->key[t->n] = key;
            t->of_step[i] = t->n++;
        }
    }
    return true;
}

/* templates: [[text before the first number, text after it, ...]...]. */
static void
write_templates(const struct texts *t, struct dcp_json *w)
{
    dcp_json_karray(w, "templates");
    for (uint32_t i = 0; i < t->n; i++) {
        struct dcp_text part = { 0 };

        dcp_json_begin(w, '[');
        for (const char *p = t->key[i];; p++) {
            if (*p && *p != HOLE) {
                dcp_text_add(&part, p, 1);
                continue;
            }
            dcp_json_string(w, dcp_text_get(&part));
            w->text.failed |= part.failed;
            dcp_text_finish(&part);
            part = (struct dcp_text){ 0 };
            if (!*p) {
                break;
            }
        }
        dcp_json_end(w, ']');
    }
    dcp_json_end(w, ']');
}

/* [template, number...]; a number that would not read back as it is written
 * ("007", or very long) is a string. */
static void
write_text(const struct texts *t, uint32_t step, const char *text,
           struct dcp_json *w)
{
    dcp_json_begin(w, '[');
    dcp_json_u64(w, t->of_step[step]);
    for (const char *p = text; *p;) {
        size_t n = 0;

        while (is_digit(p[n])) {
            n++;
        }
        if (n == 0) {
            p++;
            continue;
        }
        struct dcp_text number = { 0 };
        bool is_plain = n <= 15 && (*p != '0' || n == 1);

        dcp_text_puts(&number, is_plain ? "" : "\"");
        dcp_text_add(&number, p, n);
        dcp_text_puts(&number, is_plain ? "" : "\"");
        dcp_json_raw(w, dcp_text_get(&number));
        w->text.failed |= number.failed;
        dcp_text_finish(&number);
        p += n;
    }
    dcp_json_end(w, ']');
}

static void
write_host_ref(struct dcp_json *w, const struct dcp_inventory *inv,
               struct dcp_object object)
{
    if (object.kind == DCP_OBJECT_NONE) {
        dcp_json_null(w);
    } else if (object.kind == DCP_OBJECT_HOST) {
        dcp_json_u64(w, object.ix); /* Index into hosts. */
    } else {
        dcp_json_string(w, dcp_object_name(inv, object));
    }
}

/* [leg, kind, object, from, to, start s after its leg's, seconds, reason,
 * text, memory MiB, downtime ms]; kind and reason index into tables, the text
 * is [template, number...]. */
static void
write_step(const struct dcp_report_work *r, const struct texts *t, uint32_t i,
           struct dcp_json *w)
{
    const struct dcp_inventory *inv = r->in->inventory;
    const struct dcp_step *s = &r->in->plan->steps[i];
    int64_t start = r->tl.step_start_ms[i] - r->in->plan->legs[s->leg].start_ms;
    int64_t length = r->tl.step_end_ms[i] - r->tl.step_start_ms[i];

    dcp_json_begin(w, '[');
    dcp_json_u64(w, s->leg);
    dcp_json_u64(w, s->kind);
    if (s->object.kind == DCP_OBJECT_HOST) {
        dcp_json_u64(w, s->object.ix);
    } else {
        dcp_json_string(w, dcp_object_name(inv, s->object));
    }
    write_host_ref(w, inv, s->from);
    write_host_ref(w, inv, s->to);
    dcp_json_i64(w, (start + 500) / 1000);
    dcp_json_i64(w, (length + 500) / 1000);
    dcp_json_u64(w, s->reason);
    write_text(t, i, s->reason_text, w);
    dcp_json_u64(w, s->mem_mib);
    dcp_json_i64(w, s->downtime_ms);
    dcp_json_end(w, ']');
}

static void
write_names(struct dcp_json *w)
{
    dcp_json_karray(w, "kinds");
    for (int k = 0; k < DCP_STEP_KINDS; k++) {
        dcp_json_string(w, dcp_step_kind_name((enum dcp_step_kind)k));
    }
    dcp_json_end(w, ']');
    dcp_json_karray(w, "reasons");
    for (int k = 0; k < DCP_REASONS; k++) {
        dcp_json_string(w, dcp_reason_name((enum dcp_reason)k));
    }
    dcp_json_end(w, ']');
}

void
dcp_report_write_steps(const struct dcp_report_work *r, struct dcp_json *w)
{
    const struct dcp_plan *plan = r->in->plan;
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);
    struct texts t = { 0 };
    uint32_t n = 0;

    write_names(w);
    if (!arena || !texts_make(&t, r, arena)) {
        w->text.failed = true;
    } else {
        write_templates(&t, w);
        dcp_json_karray(w, "steps");
        for (uint32_t i = 0; i < plan->n_steps; i++) {
            if (t.of_step[i] != DCP_STRMAP_NONE) {
                write_step(r, &t, i, w);
            }
            n += plan->steps[i].kind != DCP_STEP_SYNC;
        }
        dcp_json_end(w, ']');
        dcp_json_ku64(w, "n_steps", n);
    }
    dcp_strmap_finish(&t.map);
}
