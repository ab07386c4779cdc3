/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/help.h"

#include "cli/options.h"
#include "model/base/text.h"

#include <stdio.h>
#include <string.h>

int
dcp_help_version(void)
{
    puts("dcplan " DCP_VERSION);
    return 0;
}

static void
print_options(const char *title, const struct dcp_opt_group *groups,
              size_t n_groups)
{
    size_t n = 0;

    for (size_t g = 0; g < n_groups; g++) {
        n += groups[g].n_opts;
    }
    if (!n) {
        return;
    }
    printf("\n%s:\n", title);
    for (size_t g = 0; g < n_groups; g++) {
        for (size_t i = 0; i < groups[g].n_opts; i++) {
            const struct dcp_opt *opt = &groups[g].opts[i];
            char left[64];
            int used = snprintf(left, sizeof left, "  %c%c%s --%s%s%s",
                                opt->short_name ? '-' : ' ',
                                opt->short_name ? opt->short_name : ' ',
                                opt->short_name ? "," : " ", opt->long_name,
                                opt->placeholder ? " " : "",
                                opt->placeholder ? opt->placeholder : "");

            printf("%-30s%s%s", left, used >= 30 ? "\n                              " : "",
                   opt->help);
            if (opt->choices) {
                printf(": ");
                for (size_t c = 0; opt->choices[c]; c++) {
                    printf("%s%s", c ? ", " : "", opt->choices[c]);
                }
            }
            if (opt->default_text && strcmp(opt->default_text, "0") != 0) {
                printf(" [%s]", opt->default_text);
            }
            putchar('\n');
        }
    }
}

int
dcp_help_command(const struct dcp_command *c)
{
    printf("dcplan %s: %s\n\nusage: dcplan %s %s\n", c->name, c->summary,
           c->name, c->synopsis);
    if (c->details && *c->details) {
        printf("\n%s", c->details);
    }
    print_options("options", c->groups, c->n_groups);
    print_options("options of every command", &dcp_global_options, 1);
    return 0;
}

static void
print_commands(FILE *out, const struct dcp_command *const table[])
{
    fputs("dcplan: plan, check, rehearse and carry out where VMs run\n\n"
          "usage: dcplan [-C DIR] [--json] COMMAND ...\n\ncommands:\n",
          out);
    for (size_t i = 0; table[i]; i++) {
        fprintf(out, "  %-18s %s\n", table[i]->name, table[i]->summary);
    }
    fputs("\n'dcplan COMMAND --help' explains one, with examples.\n"
          "The main job, on a model of your own:\n"
          "  dcplan init night && cd night && dcplan import csv --hosts H "
          "--vms V\n"
          "  dcplan traces import bitbrains DIR -o usage.h5\n"
          "  dcplan model check\n"
          "  dcplan consolidate --window 22:00-06:00 -o plan.json\n"
          "  dcplan plan check plan.json && dcplan simulate plan.json\n",
          out);
}

int
dcp_help_top(const struct dcp_command *const table[], char *const words[],
             uint32_t n_words, bool asked)
{
    FILE *out = asked ? stdout : stderr;

    if (!n_words) {
        print_commands(out, table);
        return asked ? 0 : 2;
    }
    const char *names[64];
    uint32_t n = 0;
    char word[80];

    for (size_t i = 0; table[i] && n < 64; i++) {
        names[n++] = table[i]->name;
    }
    (void)snprintf(word, sizeof word, "%.30s%s%.30s", words[0],
                   n_words > 1 ? " " : "", n_words > 1 ? words[1] : "");
    uint32_t near = dcp_text_nearest(word, names, n);

    if (near == UINT32_MAX) {
        near = dcp_text_nearest(words[0], names, n);
    }
    bool is_group = false;

    for (uint32_t i = 0; i < n; i++) {
        size_t length = strlen(words[0]);

        if (!strncmp(names[i], words[0], length) && names[i][length] == ' ') {
            if (!is_group) {
                fprintf(out, "dcplan: '%.60s' is one of:\n", words[0]);
            }
            is_group = true;
            fprintf(out, "  dcplan %-18s %s\n", names[i], table[i]->summary);
        }
    }
    if (is_group) {
        return asked ? 0 : 2;
    }
    fprintf(stderr, "dcplan: there is no command '%s'", word);
    if (near != UINT32_MAX) {
        fprintf(stderr, "; did you mean '%s'?\n", names[near]);
    } else {
        fputs("; 'dcplan --help' lists them\n", stderr);
    }
    return 2;
}
