/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "bench/suite/suite.h"

int
main(int argc, char *argv[])
{
    static const struct dcp_program suite = {
        .name = "dcplan-bench",
        .purpose = "dcplan's solver on the benchmarks of its field",
        .usage = "BENCHMARK FILE ... [-o SOLUTION]",
        .examples =
            "The last line of each is one JSON object.\n"
            "  dcplan-bench vbp Triplet_1.vbp --time-limit 10 -o packing\n"
            "  dcplan-bench roadef model_a1_1.txt assignment_a1_1.txt "
            "--time-limit 300 --threads 2 -o new\n",
        .commands = dcp_suite_commands,
    };

    return dcp_cli_main(argc, argv, &suite);
}
