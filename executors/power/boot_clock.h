/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_POWER_BOOT_CLOCK_H
#define DCP_EXECUTORS_POWER_BOOT_CLOCK_H 1

/* Time for deadlines: ms since the machine started, sleep included, which no
 * administrator and no time server moves. */

#include <stdint.h>
#include <time.h>

static inline int64_t
dcp_boot_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif /* executors/power/boot_clock.h */
