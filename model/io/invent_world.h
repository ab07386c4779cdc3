/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_INVENT_WORLD_H
#define DCP_MODEL_IO_INVENT_WORLD_H 1

/* Private to model/io/invent*.c: the datacenter while it is being invented. */

#include "model/base/arena.h"
#include "model/base/rng.h"
#include "model/base/text.h"
#include "model/inventory.h"
#include "model/io/invent.h"

#define N_MACHINES     5
#define HOSTS_PER_RACK 20
#define RACKS_PER_ROW  10 /* A row has its own A and B feed. */
#define RACKS_PER_ROOM 40 /* A room has its own pools. */
#define DMZ_EVERY      10 /* VLAN dmz is trunked to every tenth rack. */
#define VMS_PER_RULE   50
#define GROUP_MAX      4
#define MEDIAN_MACHINE 2

struct machine { /* A published SPECpower_ssj2008 result. */
    const char *name, *cpu, *generation, *source;
    uint32_t sockets, cores_per_socket, clock_mhz, mem_gib, height_u;
    uint32_t nic_gbit;
    double ssj_ops; /* At 100 % load. */
    double power_w[DCP_POWER_POINTS];
};
extern const struct machine dcp_invent_machines[N_MACHINES];

enum shape { OFFICE, EVENING, BATCH, FLAT, BURSTY };
#define N_SHAPES 5
extern const char *const dcp_invent_shape_name[N_SHAPES];
extern const double dcp_invent_shape[N_SHAPES][2][24]; /* Weekday, weekend. */

struct invented_host {
    uint32_t machine, rack, unit;
    uint32_t mem_gib, vcpus; /* Of the VMs on it. */
    bool has_test, has_tagged;
};
struct invented_vm {
    uint32_t vcpus, mem_gib, tenant, rule; /* rule: DCP_IX_NONE none. */
    uint32_t disk_gib, host;
    enum shape shape;
    bool test, tagged, dmz, oracle, new_cpu; /* new_cpu: broadwell or later. */
    uint8_t os;                              /* 0 rhel, 1 windows, 2 debian. */
};
struct invented_rule {
    enum dcp_rule_kind kind;
    enum dcp_domain over;
    uint32_t vms[GROUP_MAX], n_vms;
    uint32_t first_rack, n_racks;     /* FENCE, BAN. */
    uint32_t used[GROUP_MAX], n_used; /* SPREAD: hosts or racks taken. */
};

struct world {
    const struct dcp_invent_options *options;
    struct dcp_arena *arena;
    struct invented_host *hosts;
    struct invented_vm *vms;
    struct invented_rule *rules; /* 0 is the separation. */
    uint32_t n_racks, n_rules;
};

/* Not the first rack alone: small datacenters have one machine per rack. */
static inline bool
rack_has_dmz(uint32_t rack)
{
    return rack % DMZ_EVERY == 0 || rack % DMZ_EVERY == 3;
}

bool dcp_invent_hosts(struct world *, struct dcp_error *err);
bool dcp_invent_vms(struct world *, struct dcp_error *err);
bool dcp_invent_start(struct world *, struct dcp_error *err);
/* The files' texts. */
void dcp_invent_print_main(const struct world *, struct dcp_text *);
void dcp_invent_print_rules(const struct world *, struct dcp_text *);
void dcp_invent_print_racks(const struct world *, struct dcp_text *);
void dcp_invent_print_switches(const struct world *, struct dcp_text *);
void dcp_invent_print_hosts(const struct world *, struct dcp_text *);
void dcp_invent_print_vms(const struct world *, struct dcp_text *);

#endif /* model/io/invent_world.h */
