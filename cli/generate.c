/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/generate.h"

#include "cli/help.h"
#include "cli/options.h"

#include <stdio.h>
#include <string.h>

static bool
takes_value(const struct dcp_opt *opt)
{
    return opt->type != DCP_OPT_FLAG && opt->type != DCP_OPT_COUNT;
}

/* --- Manual page (man(7)) ----------------------------------------------- */

/* Text as roff reads it: no requests at a line's start, hyphens that can be
 * copied. */
static void
roff(const char *text)
{
    bool at_start = true;

    for (; *text; text++) {
        if (at_start && (*text == '.' || *text == '\'')) {
            fputs("\\&", stdout);
        }
        at_start = *text == '\n';
        if (*text == '-') {
            fputs("\\-", stdout);
        } else if (*text == '\\') {
            fputs("\\e", stdout);
        } else {
            putchar(*text);
        }
    }
}

static void
man_option(const struct dcp_opt *opt)
{
    fputs(".TP\n\\fB", stdout);
    if (opt->short_name) {
        printf("\\-%c\\fR, \\fB", opt->short_name);
    }
    roff("--");
    roff(opt->long_name);
    fputs("\\fR", stdout);
    if (opt->placeholder) {
        fputs(" \\fI", stdout);
        roff(opt->placeholder);
        fputs("\\fR", stdout);
    }
    putchar('\n');
    roff(opt->help);
    for (size_t c = 0; opt->choices && opt->choices[c]; c++) {
        fputs(c ? ", " : ": ", stdout);
        roff(opt->choices[c]);
    }
    if (opt->default_text && strcmp(opt->default_text, "0") != 0) {
        fputs(" [", stdout);
        roff(opt->default_text);
        putchar(']');
    }
    putchar('\n');
}

static void
man_groups(const struct dcp_opt_group *groups, size_t n_groups)
{
    for (size_t g = 0; g < n_groups; g++) {
        for (size_t i = 0; i < groups[g].n_opts; i++) {
            man_option(&groups[g].opts[i]);
        }
    }
}

static void
man_command(const struct dcp_command *command)
{
    fputs(".SS \"", stdout);
    roff(command->name);
    fputs("\"\n\\fBdcplan ", stdout);
    roff(command->name);
    fputs("\\fR ", stdout);
    roff(command->synopsis);
    fputs("\n.PP\nWhat it does: ", stdout);
    roff(command->summary);
    fputs(".\n", stdout);
    if (command->details && *command->details) {
        fputs(".PP\n.nf\n", stdout);
        roff(command->details);
        fputs(".fi\n", stdout);
    }
    man_groups(command->groups, command->n_groups);
}

static const char man_end[] =
    ".SH \"EXIT STATUS\"\n"
    ".TP\n0\ndone; also a plan with a gap, and nothing to do\n"
    ".TP\n1\nfailed, or no plan was found in the time\n"
    ".TP\n2\nwrong usage or invalid input\n"
    ".TP\n3\ninfeasible (proved), or a check or gate that fails\n"
    ".TP\n4\nstale: another lineage, serial or digest, or a precondition "
    "failed\n"
    ".TP\n5\nthe model is locked by another process\n"
    ".TP\n6\npartly applied or interrupted; can be resumed\n"
    ".TP\n10\nwith \\fB\\-\\-detailed\\-exitcode\\fR: there is something to "
    "do\n"
    ".SH FILES\n"
    ".TP\n\\fIdc.yaml\\fR, \\fIdc.d/*.yaml\\fR\nthe model\n"
    ".TP\n\\fIconnect.yaml\\fR\nhow to reach what it names; mode 0600\n"
    ".TP\n\\fIusage.h5\\fR\nmeasured usage\n"
    ".TP\n\\fI.dcplan/\\fR\nthe present placement, serial, journal and lock\n"
    ".SH ENVIRONMENT\n"
    ".TP\n\\fBNO_COLOR\\fR\nnever colour the output\n";

static void
dump_man(const struct dcp_command *const table[])
{
    puts(".TH DCPLAN 1 \"\" \"dcplan " DCP_VERSION "\" \"User Commands\"\n"
         ".SH NAME\n"
         "dcplan \\- plan, check, rehearse and carry out where VMs run\n"
         ".SH SYNOPSIS\n"
         "\\fBdcplan\\fR [\\fB\\-C\\fR \\fIDIR\\fR] [\\fB\\-\\-json\\fR] "
         "\\fICOMMAND\\fR ...\n"
         ".SH DESCRIPTION\n"
         "Simulates a datacenter and plans its capacity: takes inventory and "
         "measured\nusage, and makes plans that are checked, rehearsed on "
         "recorded usage, and\ncarried out step by step.\n"
         ".SH COMMANDS");
    for (size_t i = 0; table[i]; i++) {
        man_command(table[i]);
    }
    puts(".SH \"OPTIONS OF EVERY COMMAND\"");
    man_groups(&dcp_global_options, 1);
    fputs(man_end, stdout);
}

/* --- bash completion ---------------------------------------------------- */

/* "-o|--output" */
static void
bash_spellings(const struct dcp_opt *opt, const char *prefix)
{
    if (opt->short_name) {
        printf("%s-%c|", prefix, opt->short_name);
    }
    printf("%s--%s", prefix, opt->long_name);
}

static void
bash_skip_values(const struct dcp_opt_group *groups, size_t n_groups)
{
    for (size_t g = 0; g < n_groups; g++) {
        for (size_t i = 0; i < groups[g].n_opts; i++) {
            if (takes_value(&groups[g].opts[i])) {
                fputs("        ", stdout);
                bash_spellings(&groups[g].opts[i], "");
                puts(") skip=1 ;;");
            }
        }
    }
}

/* What follows an option that takes a value. */
static void
bash_values(const char *command, const struct dcp_opt_group *groups,
            size_t n_groups)
{
    char prefix[80];

    (void)snprintf(prefix, sizeof prefix,
                   "\"%s\":", command ? command : "$command");
    for (size_t g = 0; g < n_groups; g++) {
        for (size_t i = 0; i < groups[g].n_opts; i++) {
            const struct dcp_opt *opt = &groups[g].opts[i];

            if (!takes_value(opt)) {
                continue;
            }
            fputs("    ", stdout);
            bash_spellings(opt, prefix);
            fputs(") ", stdout);
            if (opt->choices) {
                fputs("COMPREPLY=($(compgen -W \"", stdout);
                for (size_t c = 0; opt->choices[c]; c++) {
                    printf("%s%s", c ? " " : "", opt->choices[c]);
                }
                fputs("\" -- \"$cur\")); ", stdout);
            } else if (opt->type == DCP_OPT_FILE) {
                fputs("COMPREPLY=($(compgen -f -- \"$cur\")); ", stdout);
            }
            puts("return ;;");
        }
    }
}

static void
bash_option_words(const struct dcp_opt_group *groups, size_t n_groups)
{
    for (size_t g = 0; g < n_groups; g++) {
        for (size_t i = 0; i < groups[g].n_opts; i++) {
            printf(" --%s", groups[g].opts[i].long_name);
        }
    }
}

/* The words that may follow 'first' (NULL: that may come first). */
static void
bash_command_words(const struct dcp_command *const table[], const char *first)
{
    const char *last = "";

    for (size_t i = 0; table[i]; i++) {
        const char *name = table[i]->name;
        size_t length = strcspn(name, " ");

        if (!first && strncmp(last, name, length + 1) != 0 &&
            !(strcspn(last, " ") == length && !strncmp(last, name, length))) {
            printf(" %.*s", (int)length, name);
            last = name;
        } else if (first && name[length] && strlen(first) == length &&
                   !strncmp(first, name, length)) {
            printf(" %s", name + length + 1);
        }
    }
}

static void
bash_find_command(const struct dcp_command *const table[])
{
    puts("    case \"$first $second\" in");
    for (size_t i = 0; table[i]; i++) {
        const char *name = table[i]->name;

        if (strchr(name, ' ')) {
            printf("    \"%s\") command=\"%s\" ;;\n", name, name);
        }
    }
    for (size_t i = 0; table[i]; i++) {
        const char *name = table[i]->name;

        if (!strchr(name, ' ')) {
            printf("    \"%s \"*) command=\"%s\" ;;\n", name, name);
        }
    }
    puts("    esac");
}

static void
bash_words(const struct dcp_command *const table[])
{
    puts("    case \"$command\" in");
    for (size_t i = 0; table[i]; i++) {
        printf("    \"%s\") words=\"", table[i]->name);
        bash_option_words(table[i]->groups, table[i]->n_groups);
        puts("\" ;;");
    }
    fputs("    esac\n    if [[ $cur == -* ]]; then\n        words+=\" --help",
          stdout);
    bash_option_words(&dcp_global_options, 1);
    puts("\"\n    elif [[ ! $first ]]; then");
    fputs("        words=\"", stdout);
    bash_command_words(table, NULL);
    puts("\"\n    elif [[ ! $command && ! $second ]]; then\n"
         "        case \"$first\" in");
    for (size_t i = 0; table[i]; i++) {
        const char *name = table[i]->name;
        size_t length = strcspn(name, " ");
        bool is_new = i == 0 || strncmp(table[i - 1]->name, name, length) ||
                      table[i - 1]->name[length] != ' ';

        if (name[length] && is_new) {
            char first[40];

            (void)snprintf(first, sizeof first, "%.*s", (int)length, name);
            printf("        %s) words=\"", first);
            bash_command_words(table, first);
            puts("\" ;;");
        }
    }
    puts("        esac\n    else\n"
         "        COMPREPLY=($(compgen -f -- \"$cur\"))\n        return\n"
         "    fi\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
         "complete -o filenames -F _dcplan dcplan");
}

static void
dump_bash(const struct dcp_command *const table[])
{
    puts("# bash completion for dcplan " DCP_VERSION "\n"
         "_dcplan()\n{\n"
         "    local cur=${COMP_WORDS[COMP_CWORD]}\n"
         "    local prev=${COMP_WORDS[COMP_CWORD-1]}\n"
         "    local i word skip= first= second= command= words=\n"
         "    COMPREPLY=()\n"
         "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "        word=${COMP_WORDS[i]}\n"
         "        if [[ $skip ]]; then skip=; continue; fi\n"
         "        case \"$word\" in");
    bash_skip_values(&dcp_global_options, 1);
    for (size_t i = 0; table[i]; i++) {
        bash_skip_values(table[i]->groups, table[i]->n_groups);
    }
    puts("        -*) ;;\n"
         "        *) if [[ ! $first ]]; then first=$word\n"
         "           elif [[ ! $second ]]; then second=$word; fi ;;\n"
         "        esac\n    done");
    bash_find_command(table);
    puts("    case \"$command:$prev\" in");
    for (size_t i = 0; table[i]; i++) {
        bash_values(table[i]->name, table[i]->groups, table[i]->n_groups);
    }
    bash_values(NULL, &dcp_global_options, 1);
    puts("    esac");
    bash_words(table);
}

bool
dcp_generate(int argc, char *argv[], const struct dcp_command *const table[],
             int *out_status)
{
    bool man = argc == 2 && !strcmp(argv[1], "--dump-man");
    bool completion = argc == 3 && !strcmp(argv[1], "--dump-completion");

    if (!man && !completion) {
        return false;
    }
    if (man) {
        dump_man(table);
    } else if (!strcmp(argv[2], "bash")) {
        dump_bash(table);
    } else {
        (void)fprintf(stderr,
                      "dcplan: completion is made for bash, not "
                      "'%.40s'\n",
                      argv[2]);
        *out_status = 2;
        return true;
    }
    *out_status = fflush(stdout) != 0 || ferror(stdout);
    return true;
}
