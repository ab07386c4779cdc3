/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The file is read by the same kind of rows as dc.yaml, by the same reader;
 * what is found goes by the indices of the inventory. */

#include "model/io/connect.h"

#include "model/io/file.h"
#include "model/io/model_reader.h"
#include "model/io/schema_rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_BYTES ((size_t)16 << 20)

#define BMC_TYPES "ipmi|redfish|wake_on_lan|none"

#define TLS_ROWS(TYPE)                                                         \
    { "ca_file", TEXT, AT(TYPE, tls.ca_file),                                  \
      .help = "certificates of who signs, for ssl:" },                         \
        { "certificate_file", TEXT, AT(TYPE, tls.certificate_file),            \
          .help = "ours, for ssl:" },                                          \
    {                                                                          \
        "key_file", TEXT, AT(TYPE, tls.key_file), .help = "ours, for ssl:"     \
    }

static const struct dcp_schema_row connect_rows[] = {
    { "dcplan", TEXT, .required = true, .help = "connect/1" },
    { "hosts", .value = DCP_VALUE_SECTION, MAP,
      .help = "how hosts are reached" },
    { "switches", .value = DCP_VALUE_SECTION, MAP,
      .help = "how switches are reached" },
    { "pools", .value = DCP_VALUE_SECTION, MAP,
      .help = "how pools are reached" },
};
static DEFINE_SECTION(connect, "connect.yaml", "file", NONE, 0, "");

#define HOST struct dcp_connect_host
static const struct dcp_schema_row connect_host_rows[] = {
    { "libvirt", TEXT, AT(HOST, libvirt), .help = "URI, as seen from here" },
    { "peer", TEXT, AT(HOST, peer),
      .help = "URI, as seen from other hosts; absent: the same" },
    { "uuid", TEXT, AT(HOST, uuid),
      .help = "of the machine, as libvirt and the BMC say it" },
    { "bridge", TEXT, AT(HOST, bridge), .fallback = "br0",
      .help = "Open vSwitch bridge of guests" },
    { "ovsdb", TEXT, AT(HOST, ovsdb), .help = "its switch database" },
    { "uplink", TEXT, AT(HOST, uplink),
      .help = "the bridge's port towards the switch" },
    TLS_ROWS(HOST),
    { "guard", TEXT, LIST,
      .help = "command that shuts it down only when no guest runs there" },
    { "bmc", .value = DCP_VALUE_SECTION, .shape = DCP_SHAPE_MAP,
      .help = "its board management controller" },
};
static DEFINE_SECTION(connect_host, "hosts", "host", NONE, sizeof(HOST), "");

#define BMC struct dcp_bmc
static const struct dcp_schema_row bmc_rows[] = {
    { "type", CHOICE(BMC_TYPES), AT(BMC, type), .required = true,
      .help = BMC_TYPES },
    { "address", TEXT, AT(BMC, address), .help = "host name or address" },
    { "port", QUANTITY(NUMBER), AT(BMC, port), .min = 1, .max = 65535,
      .help = "absent: 623 for ipmi, 9 for wake_on_lan" },
    { "cipher", QUANTITY(NUMBER), AT(BMC, cipher), .min = 1, .max = 17,
      .fallback = "17", .help = "IPMI cipher suite" },
    { "user", TEXT, AT(BMC, user), .help = "of ipmi and redfish" },
    { "password_file", TEXT, AT(BMC, password_file),
      .help = "its first line is the password; mode 0600" },
    { "url", TEXT, AT(BMC, url), .help = "of redfish" },
    { "ca_file", TEXT, AT(BMC, ca_file), .help = "who signs for redfish" },
    { "mac", TEXT, AT(BMC, mac), .help = "to wake" },
    { "uuid", TEXT, AT(BMC, uuid),
      .help = "what it says of itself; absent: the host's" },
};
static DEFINE_SECTION(bmc, "hosts.bmc", "bmc", NONE, sizeof(BMC), "");

#define SWITCH struct dcp_connect_switch
static const struct dcp_schema_row connect_switch_rows[] = {
    { "ovsdb", TEXT, AT(SWITCH, ovsdb),
      .help = "tcp:HOST:PORT, ssl:HOST:PORT or unix:PATH" },
    { "bridge", TEXT, AT(SWITCH, bridge), .help = "of the kernel" },
    TLS_ROWS(SWITCH),
};
static DEFINE_SECTION(connect_switch, "switches", "switch", NONE,
                      sizeof(SWITCH), "");

#define POOL struct dcp_connect_pool
static const struct dcp_schema_row connect_pool_rows[] = {
    { "path", TEXT, AT(POOL, path), .help = "directory on each host" },
    { "shared_path", FLAG, AT(POOL, shared_path),
      .help = "the path is one filesystem on all hosts" },
    { "nbd", TEXT, AT(POOL, nbd), .help = "tcp:HOST:PORT or unix:PATH" },
    { "iscsi", TEXT, AT(POOL, iscsi), .help = "HOST:PORT/IQN" },
    { "control", TEXT, AT(POOL, control),
      .help = "socket that its exports are managed by" },
};
static DEFINE_SECTION(connect_pool, "pools", "pool", NONE, sizeof(POOL), "");

/* --- Reading ------------------------------------------------------------ */

struct loader {
    struct dcp_reader reader;
    struct dcp_connect *out;
    const struct dcp_inventory *inventory;
};

static uint32_t
n_of(const struct dcp_inventory *inv, enum dcp_kind kind)
{
    return kind == DCP_KIND_HOST     ? inv->n_hosts
           : kind == DCP_KIND_SWITCH ? inv->n_switches
                                     : inv->n_pools;
}

static const char *
name_of(const struct dcp_inventory *inv, enum dcp_kind kind, uint32_t ix)
{
    return kind == DCP_KIND_HOST     ? inv->hosts[ix].name
           : kind == DCP_KIND_SWITCH ? inv->switches[ix].name
                                     : inv->pools[ix].name;
}

/* The model's names, which this file refers to. */
static void
take_names(struct loader *l, enum dcp_kind kind)
{
    struct dcp_entries *t = &l->reader.tables[kind];
    uint32_t n = n_of(l->inventory, kind);

    t->items = calloc((size_t)n + 1, sizeof *t->items);
    l->reader.no_memory |= !t->items;
    for (uint32_t i = 0; t->items && i < n; i++) {
        t->items[i].name = name_of(l->inventory, kind, i);
        l->reader.no_memory |=
            !dcp_strmap_add(&t->by_name, t->items[i].name, i, NULL);
        t->n++;
    }
}

/* A path as written from the folder of connect.yaml. */
static void
place_path(struct loader *l, const char **path)
{
    char text[4096];

    if (**path && **path != '/') {
        if (snprintf(text, sizeof text, "%s/%s", l->out->dir, *path) >=
            (int)sizeof text) {
            l->reader.no_memory = true;
        }
        *path = dcp_reader_text(&l->reader, text);
    }
}

static void
need(struct loader *l, const struct dcp_yaml *node, const char *value,
     const char *key, const char *type)
{
    if (!*value) {
        dcp_reader_error(&l->reader, node->pos, "bmc: %s needs '%s'", type,
                         key);
    }
}

static void
read_bmc(struct loader *l, const struct dcp_yaml *node, struct dcp_bmc *bmc)
{
    dcp_reader_defaults(&l->reader, &dcp_schema_bmc, bmc);
    bmc->type = DCP_BMC_NONE;
    if (!node || !dcp_reader_section(&l->reader, &dcp_schema_bmc, node, bmc)) {
        return;
    }
    if (!bmc->port) {
        bmc->port = bmc->type == DCP_BMC_WAKE_ON_LAN ? 9 : 623;
    }
    if (bmc->type == DCP_BMC_IPMI) {
        need(l, node, bmc->address, "address", "ipmi");
        need(l, node, bmc->user, "user", "ipmi");
        need(l, node, bmc->password_file, "password_file", "ipmi");
    } else if (bmc->type == DCP_BMC_REDFISH) {
        need(l, node, bmc->url, "url", "redfish");
    } else if (bmc->type == DCP_BMC_WAKE_ON_LAN) {
        need(l, node, bmc->mac, "mac", "wake_on_lan");
    }
    place_path(l, &bmc->password_file);
    place_path(l, &bmc->ca_file);
}

static void
read_tls(struct loader *l, struct dcp_connect_tls *tls)
{
    place_path(l, &tls->ca_file);
    place_path(l, &tls->certificate_file);
    place_path(l, &tls->key_file);
}

static void
read_host(struct loader *l, const struct dcp_yaml *node, uint32_t ix)
{
    struct dcp_reader *r = &l->reader;
    struct dcp_connect_host *host = &l->out->hosts[ix];
    const struct dcp_yaml *guard = dcp_yaml_get(node, "guard");
    uint32_t n;
    const struct dcp_yaml *words = dcp_reader_items(r, guard, &n);
    const char **copy = dcp_reader_array(r, (size_t)n + 1, sizeof *copy);

    if (!dcp_reader_section(r, &dcp_schema_connect_host, node, host)) {
        return;
    }
    host->given = true;
    for (uint32_t i = 0; copy && i < n; i++) {
        copy[i] = dcp_reader_scalar(r, "guard", &words[i])
                      ? dcp_reader_text(r, words[i].text)
                      : "";
    }
    host->guard = copy;
    host->n_guard = copy ? n : 0;
    if (host->n_guard && !*copy[0]) {
        dcp_reader_error(r, guard->pos, "guard: the first word is the program");
    }
    read_tls(l, &host->tls);
    read_bmc(l, dcp_yaml_get(node, "bmc"), &host->bmc);
}

static void
read_switch(struct loader *l, const struct dcp_yaml *node, uint32_t ix)
{
    if (dcp_reader_section(&l->reader, &dcp_schema_connect_switch, node,
                           &l->out->switches[ix])) {
        read_tls(l, &l->out->switches[ix].tls);
    }
}

static void
read_pool(struct loader *l, const struct dcp_yaml *node, uint32_t ix)
{
    (void)dcp_reader_section(&l->reader, &dcp_schema_connect_pool, node,
                             &l->out->pools[ix]);
}

static void
read_table(struct loader *l, const struct dcp_yaml *table, enum dcp_kind kind,
           const char *one,
           void (*read)(struct loader *, const struct dcp_yaml *, uint32_t ix))
{
    for (uint32_t i = 0;
         table && table->kind == DCP_YAML_MAPPING && i < table->n; i++) {
        const struct dcp_yaml_entry *e = &table->entries[i];
        uint32_t ix = dcp_strmap_find(&l->reader.tables[kind].by_name, e->key);
        char hint[120];

        dcp_reader_object(&l->reader, one, e->key);
        if (ix == DCP_STRMAP_NONE) {
            dcp_reader_error(
                &l->reader, e->pos, "the model has none of this name%s",
                dcp_reader_suggest(&l->reader, kind, e->key, hint));
            continue;
        }
        read(l, &e->value, ix);
    }
    dcp_reader_object(&l->reader, NULL, NULL);
}

static void
read_top(struct loader *l, const struct dcp_yaml *top)
{
    struct dcp_reader *r = &l->reader;
    const struct dcp_yaml *version = dcp_yaml_get(top, "dcplan");

    if (!dcp_reader_section(r, &dcp_schema_connect, top, NULL)) {
        return;
    }
    if (version && dcp_reader_scalar(r, "dcplan", version) &&
        strcmp(version->text, "connect/1") != 0) {
        dcp_reader_error(r, version->pos,
                         "dcplan: '%.40s' is not connect/1, the only form that "
                         "this version reads",
                         version->text);
    }
    read_table(l, dcp_yaml_get(top, "hosts"), DCP_KIND_HOST, "host", read_host);
    read_table(l, dcp_yaml_get(top, "switches"), DCP_KIND_SWITCH, "switch",
               read_switch);
    read_table(l, dcp_yaml_get(top, "pools"), DCP_KIND_POOL, "pool", read_pool);
}

/* Every host, switch and pool as if nothing were written. */
static void
set_defaults(struct loader *l)
{
    const struct dcp_inventory *inv = l->inventory;
    struct dcp_connect *out = l->out;

    out->hosts = dcp_reader_array(&l->reader, inv->n_hosts, sizeof *out->hosts);
    out->switches =
        dcp_reader_array(&l->reader, inv->n_switches, sizeof *out->switches);
    out->pools = dcp_reader_array(&l->reader, inv->n_pools, sizeof *out->pools);
    if (l->reader.no_memory) {
        return;
    }
    for (uint32_t i = 0; i < inv->n_hosts; i++) {
        dcp_reader_defaults(&l->reader, &dcp_schema_connect_host,
                            &out->hosts[i]);
        read_bmc(l, NULL, &out->hosts[i].bmc);
    }
    for (uint32_t i = 0; i < inv->n_switches; i++) {
        dcp_reader_defaults(&l->reader, &dcp_schema_connect_switch,
                            &out->switches[i]);
    }
    for (uint32_t i = 0; i < inv->n_pools; i++) {
        dcp_reader_defaults(&l->reader, &dcp_schema_connect_pool,
                            &out->pools[i]);
    }
}

static bool
is_private(const char *path, const char *what, struct dcp_error *err)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        return dcp_fail(err, errno == ENOENT ? DCP_E_NOT_FOUND : DCP_E_IO,
                        "%s: %s", path, strerror(errno));
    }
    if (st.st_mode & (S_IRWXG | S_IRWXO)) {
        return dcp_fail(err, DCP_E_REFUSED,
                        "%s: mode %04o lets others than its owner use %s; run "
                        "chmod 600 on it",
                        path, (unsigned)st.st_mode & 07777U, what);
    }
    return true;
}

static bool
read_file(struct loader *l, const char *path, struct dcp_error *err)
{
    struct dcp_yaml top = { 0 };
    size_t length = 0;

    if (!is_private(path, "it", err)) {
        return false;
    }
    DCP_FREE char *bytes = dcp_file_read(path, MAX_BYTES, &length, err);

    if (!bytes) {
        return false;
    }
    take_names(l, DCP_KIND_HOST);
    take_names(l, DCP_KIND_SWITCH);
    take_names(l, DCP_KIND_POOL);
    set_defaults(l);
    if (l->reader.no_memory) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to read %s", path);
    }
    if (dcp_yaml_parse(l->reader.scratch, path, bytes, length, l->reader.diag,
                       &top, err)) {
        read_top(l, &top);
    }
    return !l->reader.no_memory ||
           dcp_fail(err, DCP_E_NOMEM, "no memory to read %s", path);
}

bool
dcp_connect_read(const char *dir, const struct dcp_inventory *inv,
                 struct dcp_diag *diag, struct dcp_connect *out,
                 struct dcp_error *err)
{
    struct dcp_inventory *texts = dcp_inventory_create(err);
    struct loader *l = texts ? calloc(1, sizeof *l) : NULL;
    size_t n_errors = diag->n_errors;
    bool ok = false;

    *out = (struct dcp_connect){ 0 };
    if (!l) {
        dcp_inventory_destroy(texts);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for connect.yaml");
    }
    out->arena = texts->arena;
    out->dir = dcp_arena_strdup(texts->arena, dir);
    l->out = out;
    l->inventory = inv;
    l->reader.inv = texts;
    l->reader.diag = diag;
    l->reader.n_errors_before = n_errors;
    l->reader.scratch = dcp_arena_create(0);

    char path[4096];
    bool fits =
        snprintf(path, sizeof path, "%s/connect.yaml", dir) < (int)sizeof path;
    const char *kept = fits ? dcp_arena_strdup(texts->arena, path) : NULL;

    if (!fits) {
        (void)dcp_fail(err, DCP_E_ARGUMENT, "the folder's name is too long");
    } else if (!kept || !out->dir || !l->reader.scratch) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for connect.yaml");
    } else {
        ok = read_file(l, kept, err);
    }
    if (ok && diag->n_errors > n_errors) {
        ok = dcp_fail(err, DCP_E_PARSE, "%s has %zu error%s; nothing was done",
                      kept, diag->n_errors - n_errors,
                      diag->n_errors - n_errors == 1 ? "" : "s");
    }
    for (uint32_t k = 0; k < DCP_KINDS; k++) {
        free(l->reader.tables[k].items);
        dcp_strmap_finish(&l->reader.tables[k].by_name);
    }
    dcp_strmap_finish(&l->reader.texts);
    free(l->reader.text_names.items);
    dcp_arena_destroy(l->reader.scratch);
    free(l);
    if (!ok) {
        dcp_connect_finish(out);
    }
    return ok;
}

void
dcp_connect_finish(struct dcp_connect *connect)
{
    dcp_arena_destroy(connect->arena);
    *connect = (struct dcp_connect){ 0 };
}

bool
dcp_connect_secret(const char *path, char out[DCP_SECRET_SIZE],
                   struct dcp_error *err)
{
    FILE *file;
    size_t length;

    out[0] = '\0';
    if (!is_private(path, "the secret", err)) {
        return false;
    }
    file = fopen(path, "re");
    if (!file) {
        return dcp_fail(err, DCP_E_IO, "%s: %s", path, strerror(errno));
    }
    (void)setvbuf(file, NULL, _IONBF, 0); /* No second copy to wipe. */
    bool read = fgets(out, DCP_SECRET_SIZE, file) != NULL;

    (void)fclose(file);
    length = strcspn(out, "\r\n");
    if (!read || !length) {
        explicit_bzero(out, DCP_SECRET_SIZE);
        return dcp_fail(err, DCP_E_PARSE,
                        "%s: the first line is to be a password, and is empty",
                        path);
    }
    if (!out[length] && length == DCP_SECRET_SIZE - 1) {
        explicit_bzero(out, DCP_SECRET_SIZE);
        return dcp_fail(err, DCP_E_LIMIT, "%s: longer than %d bytes", path,
                        DCP_SECRET_SIZE - 2);
    }
    out[length] = '\0';
    return true;
}
