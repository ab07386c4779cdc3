/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/help.h"

#include "cli/options.h"
#include "model/base/text.h"

#include <stdio.h>
#include <string.h>

int
dcp_help_version(const struct dcp_program *program)
{
    printf("%s %s\n", program->name, DCP_VERSION);
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

            size_t text = strlen(opt->help);

            text -= opt->choices && text && opt->help[text - 1] == '.';
            printf("%-30s%s%.*s", left,
                   used >= 30 ? "\n                              " : "",
                   (int)text, opt->help);
            for (size_t c = 0; opt->choices && opt->choices[c]; c++) {
                printf("%s%s", c ? ", " : ": ", opt->choices[c]);
            }
            if (opt->default_text && strcmp(opt->default_text, "0") != 0) {
                printf(" [%s]", opt->default_text);
            }
            putchar('\n');
        }
    }
}

int
dcp_help_command(const struct dcp_program *program, const struct dcp_command *c)
{
    printf("%s %s: %s\n\nusage: %s %s %s\n", program->name, c->name, c->summary,
           program->name, c->name, c->synopsis);
    if (c->details && *c->details) {
        printf("\n%s", c->details);
    }
    print_options("options", c->groups, c->n_groups);
    print_options("options of every command", &dcp_global_options, 1);
    return 0;
}

static void
print_commands(FILE *out, const struct dcp_program *program)
{
    fprintf(out, "%s: %s\n\nusage: %s %s\n\ncommands:\n", program->name,
            program->purpose, program->name, program->usage);
    for (size_t i = 0; program->commands[i]; i++) {
        fprintf(out, "  %-18s %s\n", program->commands[i]->name,
                program->commands[i]->summary);
    }
    fprintf(out, "\n'%s COMMAND --help' explains one, with examples.\n%s",
            program->name, program->examples);
}

int
dcp_help_top(const struct dcp_program *program, char *const words[],
             uint32_t n_words, bool asked)
{
    const struct dcp_command *const *table = program->commands;
    FILE *out = asked ? stdout : stderr;

    if (!n_words) {
        print_commands(out, program);
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
                fprintf(out, "%s: '%.60s' is one of:\n", program->name,
                        words[0]);
            }
            is_group = true;
            fprintf(out, "  %s %-18s %s\n", program->name, names[i],
                    table[i]->summary);
        }
    }
    if (is_group) {
        return asked ? 0 : 2;
    }
    fprintf(stderr, "%s: there is no command '%s'", program->name, word);
    if (near != UINT32_MAX) {
        fprintf(stderr, "; did you mean '%s'?\n", names[near]);
    } else {
        fprintf(stderr, "; '%s --help' lists them\n", program->name);
    }
    return 2;
}
