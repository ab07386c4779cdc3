/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tests/fake/faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 8

static const char *const fate_names[FAKE_FATES] = {
    [FAKE_DONE] = "done",         [FAKE_FAILS] = "fails",
    [FAKE_REFUSES] = "refuses",   [FAKE_ANSWERS_NO] = "answers_no",
    [FAKE_SILENT] = "silent",     [FAKE_LIES] = "lies",
    [FAKE_DENIES] = "denies",     [FAKE_HANGS] = "hangs",
    [FAKE_VANISHES] = "vanishes",
};

const char *
fake_fate_name(enum fake_fate fate)
{
    return fate_names[fate];
}

enum fake_fate
fake_fate_parse(const char *name)
{
    for (int i = 0; name && i < FAKE_FATES; i++) {
        if (!strcmp(fate_names[i], name)) {
            return (enum fake_fate)i;
        }
    }
    return FAKE_DONE;
}

static bool
number(const char *word, double *out)
{
    char *end;

    *out = strtod(word, &end);
    return end != word && !*end && *out >= 0 && *out < 1e15;
}

/* "step ID what ...", the last two words off if they are "times N". */
static bool
parse_step(char *const words[], int n, struct fake_fault *out)
{
    double id, times = 0;

    if (n >= 5 && !strcmp(words[n - 2], "times")) {
        if (!number(words[n - 1], &times)) {
            return false;
        }
        n -= 2;
    }
    if (n < 3 || !number(words[1], &id) || id < 1) {
        return false;
    }
    out->step = (uint32_t)id;
    out->times = (uint32_t)times;
    if (!strcmp(words[2], "slow")) {
        out->kind = FAKE_FAULT_SLOW;
        return n == 4 && number(words[3], &out->factor);
    }
    if (!strcmp(words[2], "meddled")) {
        out->kind = FAKE_FAULT_MEDDLED;
        out->key = n == 5 ? strdup(words[3]) : NULL;
        out->value = n == 5 ? strdup(words[4]) : NULL;
        return out->key && out->value;
    }
    out->kind = FAKE_FAULT_FATE;
    out->fate = fake_fate_parse(words[2]);
    return n == 3 && out->fate != FAKE_DONE;
}

static bool
parse_words(char *const words[], int n, struct fake_fault *out)
{
    double from = 0, until = 0;

    if (!strcmp(words[0], "step")) {
        return parse_step(words, n, out);
    }
    if (!strcmp(words[0], "host") && n == 5 && !strcmp(words[2], "silent") &&
        number(words[3], &from) && number(words[4], &until)) {
        char key[300];

        out->kind = FAKE_FAULT_SILENT;
        (void)snprintf(key, sizeof key, "host:%s", words[1]);
        out->key = strdup(key);
        out->from_ms = (int64_t)from;
        out->until_ms = (int64_t)until;
        return out->key != NULL;
    }
    if (!strcmp(words[0], "at") && n == 5 && !strcmp(words[2], "set") &&
        number(words[1], &from)) {
        out->kind = FAKE_FAULT_SET;
        out->from_ms = (int64_t)from;
        out->key = strdup(words[3]);
        out->value = strdup(words[4]);
        return out->key && out->value;
    }
    if (!strcmp(words[0], "away") && n == 2 && number(words[1], &from)) {
        out->kind = FAKE_FAULT_AWAY;
        out->from_ms = (int64_t)from;
        return true;
    }
    if (!strcmp(words[0], "die") && n == 3 && !strcmp(words[1], "start") &&
        number(words[2], &from)) {
        out->kind = FAKE_FAULT_DIE;
        out->times = (uint32_t)from;
        return true;
    }
    return false;
}

bool
fake_fault_parse(const char *line, struct fake_fault *out, bool *out_none)
{
    char *copy = strdup(line), *rest = copy;
    char *words[WORDS_MAX + 1];
    int n = 0;

    *out = (struct fake_fault){ .due_ms = INT64_MAX };
    for (char *word = copy ? strsep(&rest, " \t\n") : NULL;
         word && n <= WORDS_MAX; word = strsep(&rest, " \t\n")) {
        if (*word) {
            words[n++] = word;
        }
    }
    *out_none = n == 0 || words[0][0] == '#';
    bool ok =
        copy && n <= WORDS_MAX && (*out_none || parse_words(words, n, out));

    free(copy);
    if (!ok) {
        fake_fault_finish(out);
    }
    return ok;
}

void
fake_fault_finish(struct fake_fault *f)
{
    free(f->key);
    free(f->value);
    *f = (struct fake_fault){ 0 };
}
