/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/command.h"

int
main(int argc, char *argv[])
{
    static const struct dcp_program dcplan = {
        .name = "dcplan",
        .purpose = "plan, check, rehearse and carry out where VMs run",
        .usage = "[-C DIR] [--json] COMMAND ...",
        .examples =
            "The main job, on a model of your own:\n"
            "  dcplan init night && cd night && dcplan import csv --hosts H "
            "--vms V\n"
            "  dcplan traces import bitbrains DIR -o usage.h5\n"
            "  dcplan model check\n"
            "  dcplan consolidate --window 22:00-06:00 -o plan.json\n"
            "  dcplan plan check plan.json && dcplan simulate plan.json\n",
        .commands = dcp_commands,
        .generates = true,
    };

    return dcp_cli_main(argc, argv, &dcplan);
}
