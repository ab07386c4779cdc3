/* SPDX-License-Identifier: GPL-3.0-or-later */

/* UUIDs of VMs: as given, in one form, or made from lineage and name. */

#include "model/base/diag.h"
#include "model/identity.h"
#include "model/io/file.h"
#include "model/io/model_dir.h"
#include "tests/unit/run_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char dir[64];
static struct dcp_model model;

/* Whether the model with these VMs can be read; if not, 'out_why'. */
static bool
open_vms(const char *vms, char out_why[512])
{
    struct dcp_diag diag = { 0 };
    struct dcp_error err = { 0 };
    char text[1024], path[128];

    (void)snprintf(text, sizeof text,
                   "dcplan: model/1\n"
                   "lineage: 6f1c0f6e-9a0e-4c51-8d34-0e5a4c1b7a10\n"
                   "hardware: {m: {sockets: 1, cores_per_socket: 4,\n"
                   "  clock: 2GHz, memory: 8GiB, speed_factor: 1}}\n"
                   "hosts: {h1: {hardware: m}}\n"
                   "flavours: {s: {vcpus: 1, memory: 1GiB}}\n"
                   "vms: {%s}\n",
                   vms);
    (void)snprintf(path, sizeof path, "%s/dc.yaml", dir);
    ck_assert(dcp_file_write(path, text, strlen(text), NULL));
    bool ok = dcp_model_open(dir, NULL, &diag, &model, &err);

    (void)snprintf(out_why, 512, "%s", err.message);
    for (size_t i = diag.n; i-- > 0;) {
        if (strstr(diag.items[i].message, "uuid")) {
            (void)snprintf(out_why, 512, "%s", diag.items[i].message);
        }
    }
    dcp_diag_finish(&diag);
    return ok;
}

static void
set_up(void)
{
    (void)snprintf(dir, sizeof dir, "/tmp/dcp-test-identity-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void
tear_down(void)
{
    char command[128];

    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(a_given_uuid_is_kept_and_others_are_made)
{
    char why[512], uuid[DCP_UUID_SIZE];
    const char *given = "{flavour: s, "
                        "uuid: ABCDEF01-2345-4678-9abc-def012345678}";
    char vms[256];

    (void)snprintf(vms, sizeof vms, "a: {flavour: s}, b: %s, c: {flavour: s}",
                   given);
    ck_assert_msg(open_vms(vms, why), "%s", why);
    /* By another program, from the words of the header. */
    dcp_vm_uuid(model.inventory, (dcp_vm_id){ 0 }, uuid);
    ck_assert_str_eq(uuid, "71b19d63-fe9f-8a38-a886-cb79da50fff5");
    dcp_vm_uuid(model.inventory, (dcp_vm_id){ 1 }, uuid);
    ck_assert_str_eq(uuid, "abcdef01-2345-4678-9abc-def012345678");
    dcp_vm_uuid(model.inventory, (dcp_vm_id){ 2 }, uuid);
    ck_assert_str_ne(uuid, "71b19d63-fe9f-8a38-a886-cb79da50fff5");
    dcp_model_finish(&model);
}
END_TEST

START_TEST(two_vms_cannot_be_one)
{
    char why[512];

    ck_assert(!open_vms("a: {flavour: s, "
                        "uuid: abcdef01-2345-4678-9abc-def012345678}, "
                        "b: {flavour: s, "
                        "uuid: ABCDEF01-2345-4678-9ABC-DEF012345678}",
                        why));
    ck_assert_msg(strstr(why, "vm 'a' has it already") != NULL, "%s", why);
    ck_assert(!open_vms("a: {flavour: s, uuid: abcdef}", why));
    ck_assert_ptr_nonnull(strstr(why, "is not of the form"));
}
END_TEST

START_TEST(only_the_usual_form_is_a_uuid)
{
    char out[DCP_UUID_SIZE];

    ck_assert(dcp_uuid_parse("00000000-0000-0000-0000-00000000000F", out));
    ck_assert_str_eq(out, "00000000-0000-0000-0000-00000000000f");
    ck_assert(!dcp_uuid_parse("", out));
    ck_assert(!dcp_uuid_parse("00000000-0000-0000-0000-00000000000", out));
    ck_assert(!dcp_uuid_parse("00000000-0000-0000-0000-0000000000000", out));
    ck_assert(!dcp_uuid_parse("00000000x0000-0000-0000-000000000000", out));
    ck_assert(!dcp_uuid_parse("0000000g-0000-0000-0000-000000000000", out));
}
END_TEST

static const TTest *const *const tests[] = {
    &a_given_uuid_is_kept_and_others_are_made,
    &two_vms_cannot_be_one,
    &only_the_usual_form_is_a_uuid,
};

int
main(void)
{
    return run_tests_with("identity", tests, sizeof tests / sizeof tests[0],
                          set_up, tear_down);
}
