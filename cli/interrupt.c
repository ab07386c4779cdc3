/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>

/* A signal handler can tell nobody else. */
static volatile sig_atomic_t n_signals;

static void
on_signal(int number)
{
    (void)number;
    if (n_signals < 100) {
        n_signals = n_signals + 1;
    }
}

void
dcp_interrupt_watch(void)
{
    struct sigaction action = { .sa_handler = on_signal };

    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

uint32_t
dcp_interrupt_count(void)
{
    return (uint32_t)n_signals;
}
