/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The scene in SimGrid, by its C interface: one computation without end on each
 * VM, whose bound is the VM's load, and an actor for each migration. */

#include "bench/simgrid/scene.h"

#include <simgrid/actor.h>
#include <simgrid/engine.h>
#include <simgrid/exec.h>
#include <simgrid/host.h>
#include <simgrid/plugins/live_migration.h>
#include <simgrid/vm.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CORE_FLOPS_S 1e9

struct stage {
    struct dcp_scene *scene;
    sg_vm_t *vms;
};

struct mover {
    struct stage *stage;
    struct dcp_scene_move *move;
};

static sg_host_t
host_of(uint32_t ix)
{
    char name[32];

    (void)snprintf(name, sizeof name, "h%u", ix);
    return sg_host_by_name(name);
}

static bool
write_platform(const struct dcp_scene *s, char *path, struct dcp_error *err)
{
    int fd = mkstemps(path, 4);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;

    if (!file) {
        return dcp_fail(err, DCP_E_IO, "cannot write %s", path);
    }
    (void)fprintf(
        file,
        "<?xml version='1.0'?>\n"
        "<!DOCTYPE platform SYSTEM "
        "\"https://simgrid.org/simgrid.dtd\">\n"
        "<platform version=\"4.1\">\n"
        "<cluster id=\"c\" prefix=\"h\" suffix=\"\" radical=\"0-%u\" "
        "speed=\"1Gf\" bw=\"%.0fBps\" lat=\"0us\" sharing_policy=\"%s\"/>\n"
        "</platform>\n",
        s->n_hosts - 1, s->nic_bytes_s,
        s->full_duplex ? "SPLITDUPLEX" : "SHARED");
    return fclose(file) == 0 ||
           dcp_fail(err, DCP_E_IO, "cannot write %s", path);
}

static void
migrate(int argc, char *argv[])
{
    struct mover *m = sg_actor_self_get_data();
    double from_s = simgrid_get_clock();

    (void)argc;
    (void)argv;
    sg_vm_migrate(m->stage->vms[m->move->vm], host_of(m->move->to));
    m->move->seconds = simgrid_get_clock() - from_s;
}

static void
start_vms(struct stage *stage)
{
    const struct dcp_scene *s = stage->scene;

    for (uint32_t v = 0; v < s->n_vms; v++) {
        char name[32];

        (void)snprintf(name, sizeof name, "v%u", v);
        stage->vms[v] =
            sg_vm_create_migratable(host_of(s->host[v]), name, 1,
                                    (int)s->mem_mib, (int)s->write_mib_s, 100);
        sg_vm_start(stage->vms[v]);
        sg_exec_t work = sg_actor_exec_init(1e18);

        sg_exec_set_host(work, (sg_host_t)stage->vms[v]);
        sg_exec_start(work);
    }
}

static void
direct(int argc, char *argv[])
{
    struct stage *stage = sg_actor_self_get_data();
    struct dcp_scene *s = stage->scene;
    struct mover *movers = calloc((size_t)s->n_moves + 1, sizeof *movers);
    uint32_t next = 0;

    (void)argc;
    (void)argv;
    start_vms(stage);
    for (uint32_t t = 0; movers && t < s->n_ticks; t++) {
        for (uint32_t v = 0; v < s->n_vms; v++) {
            double load = (double)s->load[(size_t)t * s->n_vms + v];

            /* A bound of 0 would be none. */
            sg_vm_set_bound(stage->vms[v],
                            (load > 0 ? load : 1e-6) * CORE_FLOPS_S);
        }
        for (; next < s->n_moves && s->moves[next].tick == t; next++) {
            sg_actor_t actor =
                sg_actor_init("migrate", host_of(s->moves[next].from));

            movers[next] = (struct mover){ stage, &s->moves[next] };
            sg_actor_set_data(actor, &movers[next]);
            sg_actor_start_(actor, migrate, 0, NULL);
        }
        sg_actor_sleep_until((double)(t + 1) * DCP_SCENE_TICK_S);
    }
    free(movers);
    sg_actor_kill_all();
}

bool
dcp_scene_by_simgrid(struct dcp_scene *s, double *out_cpu_s,
                     struct dcp_error *err)
{
    char program[] = "bench_simgrid", quiet[] = "--log=root.thresh:error";
    char cross[] = "--cfg=network/crosstraffic:0";
    char *argv[] = { program, quiet, s->full_duplex ? cross : NULL, NULL };
    int argc = s->full_duplex ? 3 : 2;
    char path[] = "/tmp/dcplan-simgrid-XXXXXX.xml";
    struct stage stage = { s, calloc((size_t)s->n_vms + 1, sizeof *stage.vms) };
    double from_s = dcp_scene_cpu_s();

    if (!stage.vms) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u VMs", s->n_vms);
    }
    if (!write_platform(s, path, err)) {
        free(stage.vms);
        return false;
    }
    simgrid_init(&argc, argv);
    sg_vm_live_migration_plugin_init();
    simgrid_load_platform(path);
    (void)unlink(path);
    sg_actor_t director = sg_actor_init("direct", host_of(0));

    sg_actor_set_data(director, &stage);
    sg_actor_start_(director, direct, 0, NULL);
    simgrid_run();
    *out_cpu_s = dcp_scene_cpu_s() - from_s;
    free(stage.vms);
    return true;
}
