/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What is read of hypervisors' XML. */

#include "executors/libvirt/serve.h"
#include "tests/unit/run_suite.h"

#include <stdio.h>
#include <string.h>

static const char *const shared[] = { "/srv/bulk/", "/srv/gold" };

static bool
judge(const char *source, bool *files, struct dcp_error *err)
{
    char xml[1024];

    (void)snprintf(xml, sizeof xml,
                   "<domain type='kvm'><devices>%s</devices></domain>", source);
    return dcp_domain_disks_shared(xml, shared, 2, files, err);
}

START_TEST(disks)
{
    struct dcp_error err = { 0 };
    bool files;

    ck_assert(judge("<disk type='file'><source file='/srv/bulk/a.img'/></disk>"
                    "<disk type='network'><source protocol='nbd' name='v'/>"
                    "</disk>",
                    &files, &err));
    ck_assert(files);
    ck_assert(
        judge("<disk type='network'><source name='v'/></disk>", &files, &err));
    ck_assert(!files);
    ck_assert(judge("", &files, &err) && !files);
    ck_assert(judge("<disk type='file' device='cdrom'/>", &files, &err));

    static const char *const bad[] = {
        "<disk type='file'><source file='/srv/bulky/a.img'/></disk>",
        "<disk type='file'><source file='/srv/bulk/../a.img'/></disk>",
        "<disk type='file'><source file='/srv/bulk'/></disk>",
        "<disk type='block'><source dev='/dev/sdb'/></disk>",
        "<disk type='dir'><source dir='/var'/></disk>",
        ("<disk type='file'><source file='/srv/gold/a'/></disk>"
         "<disk type='file'><source file='/var/b'/></disk>"),
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(!judge(bad[i], &files, &err), "%s", bad[i]);
        ck_assert_int_eq(err.code, DCP_E_REFUSED);
        ck_assert_ptr_nonnull(strstr(err.message, "shared_path"));
    }
}
END_TEST

START_TEST(machines)
{
    char uuid[DCP_HOST_UUID_SIZE];

    ck_assert(dcp_capabilities_uuid("<capabilities><host><uuid>"
                                    "9eacd825-50dc-58a3-a125-f94f479a8151"
                                    "</uuid></host></capabilities>",
                                    uuid));
    ck_assert_str_eq(uuid, "9eacd825-50dc-58a3-a125-f94f479a8151");
    ck_assert(dcp_capabilities_uuid("<capabilities/>", uuid));
    ck_assert_str_eq(uuid, "");
    ck_assert(!dcp_capabilities_uuid("no xml", uuid));
}
END_TEST

/* Entities blow up, or read our files. */
START_TEST(hostile)
{
    struct dcp_error err = { 0 };
    char uuid[DCP_HOST_UUID_SIZE];
    bool files;

    ck_assert(!dcp_capabilities_uuid(
        "<!DOCTYPE c [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>"
        "<capabilities><host><uuid>&a;</uuid></host></capabilities>",
        uuid));
    ck_assert_str_eq(uuid, "");
    ck_assert(!dcp_domain_disks_shared(
        "<!DOCTYPE d [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]>"
        "<domain><devices><disk type='file'><source file='/srv/gold/&b;'/>"
        "</disk></devices></domain>",
        shared, 2, &files, &err));
    ck_assert(!dcp_domain_disks_shared("<domain>", shared, 2, &files, &err));
    ck_assert_int_eq(err.code, DCP_E_REMOTE);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = { &disks, &machines, &hostile };

    return RUN_TESTS("domain_xml", tests);
}
