/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/command.h"

int
main(int argc, char *argv[])
{
    return dcp_cli_main(argc, argv, dcp_commands);
}
