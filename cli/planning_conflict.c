/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/planning.h"

#include <stdio.h>

static uint32_t
kept(uint32_t n)
{
    return n < DCP_CONFLICT_PARTS ? n : DCP_CONFLICT_PARTS;
}

static void
print_more(uint32_t n)
{
    if (n > DCP_CONFLICT_PARTS) {
        printf("%-15s   and %u more\n", "", n - DCP_CONFLICT_PARTS);
    }
}

void
dcp_conflict_part_text(const struct dcp_conflict_part *part, char out[],
                       size_t size)
{
    size_t used = 0;

    *out = '\0';
    for (uint32_t i = 0; i < part->n_amounts && used < size; i++) {
        const struct dcp_part_amount *a = &part->amount[i];
        int n = snprintf(
            out + used, size - used, "%s%s%s", i ? ", and " : "", a->text,
            a->proved ? "" : " (that less will not do is not proved)");

        used += n > 0 ? (size_t)n : 0;
    }
    if (used < size) {
        (void)snprintf(out + used, size - used, "%s%s",
                       part->n_amounts ? "; else " : "", part->remedy);
    }
}

static void
print_purchases(const struct dcp_conflict *c)
{
    for (uint32_t i = 0; i < c->n_purchases; i++) {
        const struct dcp_conflict_purchase *p = &c->purchase[i];

        printf("%-15s %s%s\n",
               i             ? "or"
               : c->hopeless ? "buy"
                             : "or buy",
               p->text,
               p->proved ? "" : " (that less will not do is not proved)");
    }
}

void
dcp_conflict_print(const struct dcp_conflict *c)
{
    if (c->hopeless) {
        printf("%-15s no rule or limit of policy: with all of them given up "
               "there is no room\n",
               "in the way");
        print_purchases(c);
        return;
    }
    for (uint32_t i = 0; i < kept(c->n_clash); i++) {
        printf("%-15s %s%s\n",
               i                 ? ""
               : c->clash_proved ? "clash"
                                 : "clash within",
               i ? "with " : "", c->clash[i].name);
    }
    print_more(c->n_clash);
    for (uint32_t i = 0; i < kept(c->n_relax); i++) {
        char text[DCP_CONFLICT_PART_TEXT];

        dcp_conflict_part_text(&c->relax[i], text, sizeof text);
        printf("%-15s %s: %s\n", i ? "and" : "give up", c->relax[i].name, text);
    }
    print_more(c->n_relax);
    if (c->relax_partial) {
        printf("%-15s that ends %u clashes; whether there are more is not "
               "known\n",
               "", c->n_clashes);
    } else if (c->n_relax) {
        printf("%-15s then there is an answer%s\n", "",
               c->n_relax == 1 && c->relax_proved ? ""
               : c->relax_proved ? ", and none of these can be kept"
                                 : "; that all of it is needed was not proved");
    }
    for (uint32_t i = 0; i < c->n_instead; i++) {
        char text[DCP_CONFLICT_PART_TEXT];

        dcp_conflict_part_text(&c->instead[i], text, sizeof text);
        printf("%-15s %s: %s\n", i ? "or" : "or instead", c->instead[i].name,
               text);
    }
    print_purchases(c);
}

static void
json_amounts(struct dcp_json *w, const struct dcp_conflict_part *part)
{
    dcp_json_karray(w, "amounts");
    for (uint32_t i = 0; i < part->n_amounts; i++) {
        const struct dcp_part_amount *a = &part->amount[i];

        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "unit", a->unit);
        dcp_json_kdouble(w, "was", a->was);
        dcp_json_kdouble(w, "least", a->least);
        dcp_json_kbool(w, "least_proved", a->proved);
        dcp_json_kstring(w, "text", a->text);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

static void
json_parts(struct dcp_json *w, const char *key,
           const struct dcp_conflict_part parts[], uint32_t n, bool amounts)
{
    dcp_json_karray(w, key);
    for (uint32_t i = 0; i < kept(n); i++) {
        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "kind", dcp_part_kind_name(parts[i].kind));
        dcp_json_kstring(w, "name", parts[i].name);
        dcp_json_kstring(w, "remedy", parts[i].remedy);
        if (amounts) {
            json_amounts(w, &parts[i]);
        }
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

void
dcp_conflict_json(struct dcp_json *w, const struct dcp_conflict *c)
{
    dcp_json_kobject(w, "conflict");
    dcp_json_kbool(w, "hopeless", c->hopeless);
    json_parts(w, "clash", c->clash, c->n_clash, false);
    dcp_json_ku64(w, "clash_total", c->n_clash);
    dcp_json_kbool(w, "clash_irreducible", c->clash_proved);
    json_parts(w, "give_up", c->relax, c->n_relax, true);
    dcp_json_ku64(w, "give_up_total", c->n_relax);
    dcp_json_kbool(w, "give_up_irreducible", c->relax_proved);
    dcp_json_kbool(w, "give_up_partial", c->relax_partial);
    json_parts(w, "instead", c->instead, c->n_instead, true);
    dcp_json_karray(w, "purchases");
    for (uint32_t i = 0; i < c->n_purchases; i++) {
        const struct dcp_conflict_purchase *p = &c->purchase[i];

        dcp_json_begin_line(w, '{');
        dcp_json_ku64(w, "hosts", p->n_hosts);
        dcp_json_ku64(w, "mem_mib", p->mem_mib);
        dcp_json_kbool(w, "each_host", p->all);
        dcp_json_kbool(w, "least_proved", p->proved);
        dcp_json_kstring(w, "text", p->text);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
    dcp_json_end(w, '}');
}
