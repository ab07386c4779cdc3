/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_INVENT_H
#define DCP_MODEL_IO_INVENT_H 1

/* A plausible datacenter, invented from a seed: for demos, tests and sizing.
 *
 * Hosts are of five real machines, 2012 to 2021, with their published
 * SPECpower_ssj2008 curves, in racks with A and B feeds.  VM sizes are
 * log-normal, half of them CPU-bound (2 GiB per vCPU), half memory-bound (6
 * GiB); one in ten has more than a quarter of the memory, or more vCPUs than a
 * quarter of the cores, of the median machine.  VMs follow hourly profiles
 * (office, evening, batch, flat, bursty), are of tier live or test, belong to
 * 20 tenants, and one rule per 50 of them holds: mostly spread, some gather,
 * fence and ban, and one that keeps test VMs off the hosts of tagged live
 * ones.  The start is scattered: hosts about 30 % full, within all capacities
 * and rules.
 *
 * Same options, same bytes. */

#include "model/base/error.h"

#include <stdint.h>

struct dcp_invent_options {
    uint32_t n_hosts, n_vms;
    uint64_t seed;
};
#define DCP_INVENT_HOSTS_MAX 200000
#define DCP_INVENT_VMS_MAX   5000000

/* Writes dc.yaml, rules.yaml, racks.csv, switches.csv, hosts.csv and vms.csv
 * into the directory, which must exist; dc.yaml last.  Refuses (DCP_E_USAGE)
 * where there is a dc.yaml, and (DCP_E_LIMIT) when so many VMs have no room on
 * so few hosts. */
bool dcp_invent_model(const struct dcp_invent_options *, const char *dir,
                      struct dcp_error *err) DCP_CHECKED;

#endif /* model/io/invent.h */
