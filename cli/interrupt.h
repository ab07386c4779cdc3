/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_INTERRUPT_H
#define DCP_CLI_INTERRUPT_H 1

/* Ctrl-C and SIGTERM, counted: the first asks to end in good order, the second
 * to stop at once. */

#include <stdint.h>

/* From now on the signals are counted and no longer end the program. */
void dcp_interrupt_watch(void);
uint32_t dcp_interrupt_count(void);

#endif /* cli/interrupt.h */
