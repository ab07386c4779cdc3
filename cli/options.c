/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/options.h"

#include "model/base/text.h"
#include "model/base/units.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define G(MEMBER) offsetof(struct dcp_globals, MEMBER)

static const struct dcp_opt global_rows[] = {
    { "directory", 'C', DCP_OPT_FILE, G(dir), "DIR", NULL, ".",
      "work on the model in DIR" },
    { "policy-file", 0, DCP_OPT_FILE, G(policy_file), "FILE", NULL, NULL,
      "policy and rules of FILE stand in place of the model's" },
    { "json", 0, DCP_OPT_FLAG, G(json), NULL, NULL, NULL,
      "print one JSON object on standard output" },
    { "seed", 0, DCP_OPT_UINT, G(seed), "N", NULL, "1",
      "seed of every random stream" },
    { "threads", 0, DCP_OPT_UINT, G(threads), "N", NULL, "2",
      "threads at most; results do not depend on it" },
    { "iterations", 0, DCP_OPT_UINT, G(iterations), "N", NULL, "0",
      "stop searching after N iterations (repeatable); 0: no limit" },
    { "time-limit", 0, DCP_OPT_SECONDS, G(time_limit_s), "S", NULL, "0",
      "stop searching after S seconds; 0: the command's default" },
    { "now", 0, DCP_OPT_INSTANT, G(now_ms), "TIME", NULL, NULL,
      "take TIME (RFC 3339) as the present" },
    { "quiet", 'q', DCP_OPT_FLAG, G(quiet), NULL, NULL, NULL,
      "say only what is wrong" },
    { "verbose", 'v', DCP_OPT_COUNT, G(verbose), NULL, NULL, NULL,
      "say more; twice: much more" },
    { "no-color", 0, DCP_OPT_FLAG, G(no_color), NULL, NULL, NULL,
      "never colour the output (NO_COLOR does the same)" },
};
const struct dcp_opt_group dcp_global_options = {
    global_rows, sizeof global_rows / sizeof global_rows[0], 0
};

static void *
member(void *base, size_t offset)
{
    return (char *)base + offset;
}

/* Sets one option from its text; 'value' NULL for flags. */
static bool
set_option(const struct dcp_opt *opt, const char *value, void *base,
           struct dcp_error *err)
{
    void *at = member(base, opt->offset);
    double number;
    const char *end;

    switch (opt->type) {
    case DCP_OPT_FLAG:
        *(bool *)at = true;
        return true;
    case DCP_OPT_COUNT:
        ++*(uint32_t *)at;
        return true;
    case DCP_OPT_TEXT:
    case DCP_OPT_FILE:
        *(const char **)at = value;
        return true;
    case DCP_OPT_LIST: {
        struct dcp_texts *list = at;

        if (list->n == sizeof list->item / sizeof list->item[0]) {
            return dcp_fail(err, DCP_E_USAGE, "--%s: given too often",
                            opt->long_name);
        }
        list->item[list->n++] = value;
        return true;
    }
    case DCP_OPT_CHOICE:
        for (size_t i = 0; opt->choices[i]; i++) {
            if (!strcmp(opt->choices[i], value)) {
                *(const char **)at = opt->choices[i];
                return true;
            }
        }
        break;
    case DCP_OPT_UINT:
        end = dcp_scan_double(value, &number);
        if (end && !*end && number >= 0 && number <= 9007199254740992.0 &&
            number == floor(number)) {
            *(uint64_t *)at = (uint64_t)number;
            return true;
        }
        break;
    case DCP_OPT_FRAC:
        if (dcp_parse_quantity(DCP_DIM_SHARE, value, &number, NULL) &&
            number >= 0) {
            *(double *)at = number;
            return true;
        }
        break;
    case DCP_OPT_DOUBLE:
        end = dcp_scan_double(value, &number);
        if (end && !*end) {
            *(double *)at = number;
            return true;
        }
        break;
    case DCP_OPT_TIME_MS:
        if (dcp_parse_quantity(DCP_DIM_TIME, value, &number, NULL)) {
            *(int64_t *)at = llround(number);
            return true;
        }
        break;
    case DCP_OPT_SECONDS:
        end = dcp_scan_double(value, &number);
        if (end && !*end && number >= 0) {
            *(double *)at = number;
            return true;
        }
        if (dcp_parse_quantity(DCP_DIM_TIME, value, &number, NULL)) {
            *(double *)at = number / 1000;
            return true;
        }
        break;
    case DCP_OPT_INSTANT:
        if (dcp_parse_instant(value, at, NULL)) {
            return true;
        }
        return dcp_fail(err, DCP_E_USAGE,
                        "--%s: '%.60s' is not an instant such as "
                        "2013-08-22T00:00:00Z",
                        opt->long_name, value);
    }
    if (opt->type == DCP_OPT_CHOICE) {
        struct dcp_text list = { 0 };

        for (size_t i = 0; opt->choices[i]; i++) {
            dcp_text_printf(&list, "%s%s", i ? ", " : "", opt->choices[i]);
        }
        (void)dcp_fail(err, DCP_E_USAGE, "--%s: '%.60s' is not one of %s",
                       opt->long_name, value, dcp_text_get(&list));
        dcp_text_finish(&list);
        return false;
    }
    return dcp_fail(err, DCP_E_USAGE, "--%s: '%.60s' is not a valid %s",
                    opt->long_name, value,
                    opt->placeholder ? opt->placeholder : "value");
}

static bool
takes_value(const struct dcp_opt *opt)
{
    return opt->type != DCP_OPT_FLAG && opt->type != DCP_OPT_COUNT;
}

static bool
set_defaults(const struct dcp_opt_group *group, void *base)
{
    for (size_t i = 0; i < group->n_opts; i++) {
        const struct dcp_opt *opt = &group->opts[i];

        if (opt->type == DCP_OPT_INSTANT && !opt->default_text) {
            *(int64_t *)member(base, opt->offset) = DCP_INSTANT_NONE;
        } else if (opt->default_text &&
                   !set_option(opt, opt->default_text, base, NULL)) {
            return false;
        }
    }
    return true;
}

double
dcp_globals_limit_s(const struct dcp_globals *g, double otherwise_s)
{
    return g->time_limit_s > 0 ? g->time_limit_s
           : g->iterations     ? 0
                               : otherwise_s;
}

void
dcp_globals_default(struct dcp_globals *g)
{
    memset(g, 0, sizeof *g);
    (void)set_defaults(&dcp_global_options, g);
}

static const struct dcp_opt *
find_in(const struct dcp_opt_group *group, const char *name, size_t length,
        char short_name)
{
    for (size_t i = 0; i < group->n_opts; i++) {
        const struct dcp_opt *opt = &group->opts[i];

        if (name ? strlen(opt->long_name) == length &&
                       !strncmp(opt->long_name, name, length)
                 : opt->short_name && opt->short_name == short_name) {
            return opt;
        }
    }
    return NULL;
}

/* Whether an option of any command, or a global one, that is spelt so takes a
 * value: enough to tell words from values before the command is known. */
static bool
any_takes_value(const struct dcp_command *const table[], const char *name,
                size_t length, char short_name)
{
    const struct dcp_opt *opt =
        find_in(&dcp_global_options, name, length, short_name);

    for (size_t c = 0; !opt && table[c]; c++) {
        for (size_t i = 0; !opt && i < table[c]->n_groups; i++) {
            opt = find_in(&table[c]->groups[i], name, length, short_name);
        }
    }
    return opt && takes_value(opt);
}

bool
dcp_scan_words(int argc, char *argv[], const struct dcp_command *const table[],
               struct dcp_scan *out, struct dcp_error *err)
{
    memset(out, 0, sizeof *out);
    (void)err;
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];

        if (!strcmp(arg, "--")) {
            break;
        }
        if (!strcmp(arg, "--help") || !strcmp(arg, "-h")) {
            out->help = true;
        } else if (!strcmp(arg, "--version")) {
            out->version = true;
        } else if (arg[0] == '-' && arg[1] == '-') {
            i += !strchr(arg, '=') &&
                 any_takes_value(table, arg + 2, strlen(arg + 2), 0);
        } else if (arg[0] == '-' && arg[1]) {
            i += !arg[2] && any_takes_value(table, NULL, 0, arg[1]);
        } else if (out->n_words < 8) {
            out->words[out->n_words++] = argv[i];
        }
    }
    return true;
}

static const struct dcp_opt *
find_option(const struct dcp_command *command, struct dcp_globals *g,
            void *options, const char *name, size_t length, char short_name,
            void **out_base)
{
    for (size_t i = 0; i < command->n_groups; i++) {
        const struct dcp_opt *opt =
            find_in(&command->groups[i], name, length, short_name);

        if (opt) {
            *out_base = member(options, command->groups[i].offset);
            return opt;
        }
    }
    *out_base = g;
    return find_in(&dcp_global_options, name, length, short_name);
}

static bool
unknown_option(const struct dcp_globals *g, const struct dcp_command *command,
               const char *arg, struct dcp_error *err)
{
    const char *names[96];
    uint32_t n = 0;

    for (size_t c = 0; c <= command->n_groups; c++) {
        const struct dcp_opt_group *group =
            c < command->n_groups ? &command->groups[c] : &dcp_global_options;

        for (size_t i = 0; i < group->n_opts && n < 96; i++) {
            names[n++] = group->opts[i].long_name;
        }
    }
    char word[64];
    size_t length = strcspn(arg + 2, "=");

    (void)snprintf(word, sizeof word, "%.*s", (int)(length < 60 ? length : 60),
                   arg[1] == '-' ? arg + 2 : "");
    uint32_t near = dcp_text_nearest(word, names, n);

    if (near != UINT32_MAX) {
        return dcp_fail(err, DCP_E_USAGE,
                        "unknown option '%.60s'; did you mean '--%s'?", arg,
                        names[near]);
    }
    return dcp_fail(err, DCP_E_USAGE,
                    "unknown option '%.60s'; '%s %s --help' lists them", arg,
                    g->program, command->name);
}

bool
dcp_parse_options(int argc, char *argv[], const struct dcp_command *command,
                  uint32_t n_words, struct dcp_globals *g, void *options,
                  char **args, uint32_t *out_n_args, struct dcp_error *err)
{
    uint32_t n_args = 0;
    bool only_args = false;

    for (size_t i = 0; i < command->n_groups; i++) {
        if (!set_defaults(&command->groups[i],
                          member(options, command->groups[i].offset))) {
            return dcp_fail(err, DCP_E_BUG, "bad default of an option");
        }
    }
    for (int i = 1; i < argc; i++) {
        char *arg = argv[i];
        bool is_long = arg[0] == '-' && arg[1] == '-';

        if (only_args || arg[0] != '-' || !arg[1]) {
            if (n_words) {
                n_words--;
            } else {
                args[n_args++] = arg;
            }
            continue;
        }
        if (!strcmp(arg, "--")) {
            only_args = true;
            continue;
        }
        void *base;
        const char *value = is_long ? strchr(arg, '=') : NULL;
        size_t length = is_long ? strcspn(arg + 2, "=") : 0;
        const struct dcp_opt *opt =
            find_option(command, g, options, is_long ? arg + 2 : NULL, length,
                        is_long ? 0 : arg[1], &base);

        if (!opt) {
            return unknown_option(g, command, arg, err);
        }
        if (value) {
            value++;
        } else if (!is_long && arg[2]) {
            value = arg + 2; /* -Cdir */
        }
        if (!takes_value(opt) && value) {
            if (is_long || arg[1] != 'v' || strspn(arg + 1, "v") !=
                                                strlen(arg + 1)) {
                return dcp_fail(err, DCP_E_USAGE, "--%s takes no value",
                                opt->long_name);
            }
            for (const char *v = value; *v; v++) { /* -vv */
                (void)set_option(opt, NULL, base, NULL);
            }
        }
        if (takes_value(opt) && !value) {
            if (i + 1 == argc) {
                return dcp_fail(err, DCP_E_USAGE, "--%s needs a value (%s)",
                                opt->long_name, opt->placeholder);
            }
            value = argv[++i];
        }
        if (!set_option(opt, value, base, err)) {
            return false;
        }
    }
    if (n_args < command->min_args || n_args > command->max_args) {
        return dcp_fail(err, DCP_E_USAGE, "%s; usage: %s %s %s",
                        n_args < command->min_args ? "something is missing"
                                                   : "too many arguments",
                        g->program, command->name, command->synopsis);
    }
    *out_n_args = n_args;
    return true;
}
