/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The state of a model directory: what is written is read back, two writers
 * do not meet, and a kill at any moment leaves the old state or the new. */

#include "model/io/file.h"
#include "model/io/model_dir.h"
#include "tests/unit/run_suite.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64];

static void
put(const char *name, const char *text)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    ck_assert(dcp_file_write(path, text, strlen(text), NULL));
}

static void
begin(void)
{
    (void)snprintf(dir, sizeof dir, "/tmp/dcp-test-dir-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    put("dc.yaml",
        "dcplan: model/1\nlineage: x\n"
        "hardware: {m: {sockets: 1, cores_per_socket: 4, clock: 2GHz,\n"
        "  memory: 8GiB}}\n"
        "hosts: {h1: {hardware: m}, h2: {hardware: m, state: standby},\n"
        "  h3: {hardware: m, state: maintenance}}\n"
        "vms: {a: {vcpus: 1, memory: 1GiB, host: h1},\n"
        "  b: {vcpus: 1, memory: 1GiB, host: h1}}\n");
}

static void
end(void)
{
    char command[128];

    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static void
open_model(struct dcp_model *m)
{
    struct dcp_diag diag = { 0 };
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_model_open(dir, NULL, &diag, m, &err), "%s", err.message);
    dcp_diag_finish(&diag);
}

START_TEST(commit_is_read_back)
{
    struct dcp_model m, again;
    struct dcp_error err = { 0 };

    begin();
    open_model(&m);
    ck_assert_uint_eq(m.serial, 0);
    ck_assert(m.placement->on[0] && !m.placement->on[1] && !m.placement->on[2]);
    struct dcp_placement *now = dcp_placement_copy(m.placement, &err);

    now->host[0] = (dcp_host_id){ 1 };
    now->host[1] = dcp_host_none();
    now->on[0] = 0;
    now->on[1] = 1;
    ck_assert_msg(dcp_model_commit(dir, &m, now, &err), "%s", err.message);
    ck_assert_uint_eq(m.serial, 1);
    open_model(&again);
    ck_assert_uint_eq(again.serial, 1);
    ck_assert_uint_eq(again.placement->host[0].ix, 1);
    ck_assert(dcp_host_is_none(again.placement->host[1]));
    ck_assert(!again.placement->on[0] && again.placement->on[1] &&
              !again.placement->on[2]);
    dcp_placement_destroy(now);
    dcp_model_finish(&m);
    dcp_model_finish(&again);
    end();
}
END_TEST

/* A size that a plan gave is kept and counts; dc.yaml's needs no row. */
START_TEST(sizes_are_read_back)
{
    struct dcp_model m, again;
    struct dcp_error err = { 0 };

    begin();
    open_model(&m);
    DCP_AUTO(dcp_placement)
    struct dcp_placement *now = dcp_placement_copy(m.placement, &err);

    ck_assert(dcp_placement_resize(now, m.inventory, 0,
                                   (struct dcp_vm_size){ 3, 1536 }, &err));
    ck_assert(dcp_model_commit(dir, &m, now, &err));
    open_model(&again);
    ck_assert_uint_eq(again.inventory->vms[0].vcpus, 3);
    ck_assert_uint_eq(again.inventory->vms[0].mem_mib, 1536);
    ck_assert_uint_eq(again.inventory->vms[1].vcpus, 1);
    ck_assert_uint_eq(again.stated_vms[0].vcpus, 1);
    ck_assert_ptr_null(again.placement->size);
    /* It stays through a change that knows nothing of it. */
    ck_assert(dcp_model_commit(dir, &again, again.placement, &err));
    dcp_model_finish(&again);
    open_model(&again);
    ck_assert_uint_eq(again.inventory->vms[0].mem_mib, 1536);
    /* Back to what dc.yaml says: no such columns any more. */
    DCP_AUTO(dcp_placement)
    struct dcp_placement *back = dcp_placement_copy(again.placement, &err);

    ck_assert(dcp_placement_resize(back, again.inventory, 0,
                                   (struct dcp_vm_size){ 1, 1024 }, &err));
    ck_assert(dcp_model_commit(dir, &again, back, &err));
    char path[128];
    size_t length;

    (void)snprintf(path, sizeof path, "%s/.dcplan/placement.csv", dir);
    DCP_FREE char *text = dcp_file_read(path, 4096, &length, &err);

    ck_assert_ptr_nonnull(text);
    ck_assert_ptr_null(strstr(text, "vcpus"));
    dcp_model_finish(&m);
    dcp_model_finish(&again);
    end();
}
END_TEST

START_TEST(second_writer_is_stale)
{
    struct dcp_model a, b;
    struct dcp_error err = { 0 };

    begin();
    open_model(&a);
    open_model(&b);
    ck_assert(dcp_model_commit(dir, &a, a.placement, &err));
    ck_assert(!dcp_model_commit(dir, &b, b.placement, &err));
    ck_assert_int_eq(err.code, DCP_E_STALE);
    ck_assert_uint_eq(b.serial, 0);
    ck_assert(dcp_model_commit(dir, &a, a.placement, &err));
    ck_assert_uint_eq(a.serial, 2);
    dcp_model_finish(&a);
    dcp_model_finish(&b);
    end();
}
END_TEST

START_TEST(lock_names_its_holder)
{
    struct dcp_error err = { 0 };
    char pid[32];

    begin();
    int lock = dcp_model_lock(dir, &err);

    ck_assert_int_ge(lock, 0);
    ck_assert_int_lt(dcp_model_lock(dir, &err), 0);
    ck_assert_int_eq(err.code, DCP_E_LOCKED);
    (void)snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    ck_assert_ptr_nonnull(strstr(err.message, pid));
    dcp_model_unlock(lock);
    lock = dcp_model_lock(dir, &err);
    ck_assert_int_ge(lock, 0);
    dcp_model_unlock(lock);
    end();
}
END_TEST

/* Commits until it is killed, moving VM a between two hosts by parity. */
static void
commit_forever(void)
{
    struct dcp_model m;

    open_model(&m);
    for (;;) {
        m.placement->host[0].ix = (uint32_t)((m.serial + 1) % 2);
        if (!dcp_model_commit(dir, &m, m.placement, NULL)) {
            _exit(1);
        }
    }
}

START_TEST(kill_leaves_a_whole_state)
{
    uint64_t last = 0;

    begin();
    for (int round = 0; round < 12; round++) {
        pid_t child = fork();

        if (!child) {
            commit_forever();
        }
        struct dcp_model m;
        int status;

        (void)usleep(3000 + 1371 * (useconds_t)round);
        ck_assert_int_eq(kill(child, SIGKILL), 0);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFSIGNALED(status));
        open_model(&m);
        ck_assert_uint_ge(m.serial, last);
        if (m.serial) {
            ck_assert_uint_eq(m.placement->host[0].ix, m.serial % 2);
        }
        last = m.serial;
        dcp_model_finish(&m);
    }
    ck_assert_uint_gt(last, 0);
    end();
}
END_TEST

static const struct {
    const char *csv;
    enum dcp_code code;
} wrong[] = {
    { "", DCP_E_PARSE },
    { "kind,name,host\n", DCP_E_PARSE },
    { "kind,name,host,state\nvm,a,h1\n", DCP_E_PARSE },
    { "kind,name,host,state\nserial,x,,\n", DCP_E_PARSE },
    { "kind,name,host,state\nserial,-1,,\n", DCP_E_PARSE },
    { "kind,name,host,state\nfoo,a,h1,x\n", DCP_E_PARSE },
    { "kind,name,host,state\nvm,a,h9,running\n", DCP_E_STALE },
    { "kind,name,host,state,vcpus\n", DCP_E_PARSE },
    { "kind,name,host,state,vcpus,mem_mib\nvm,a,h1,running,2\n", DCP_E_PARSE },
    { "kind,name,host,state,vcpus,mem_mib\nvm,a,h1,running,0,9\n",
      DCP_E_PARSE },
    { "kind,name,host,state,vcpus,mem_mib\nvm,a,h1,running,2,\n", DCP_E_PARSE },
};

START_TEST(damaged_states_are_refused)
{
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct dcp_model m;
        struct dcp_diag diag = { 0 };
        struct dcp_error err = { 0 };

        begin();
        dcp_model_unlock(dcp_model_lock(dir, &err)); /* Makes .dcplan. */
        put(".dcplan/placement.csv", wrong[i].csv);
        ck_assert(!dcp_model_open(dir, NULL, &diag, &m, &err));
        ck_assert_msg(err.code == wrong[i].code, "%zu: %s", i, err.message);
        dcp_diag_finish(&diag);
        end();
    }
}
END_TEST

START_TEST(vms_without_a_row_are_where_dc_yaml_says)
{
    struct dcp_model m;
    struct dcp_error err = { 0 };

    begin();
    dcp_model_unlock(dcp_model_lock(dir, &err));
    put(".dcplan/placement.csv", "kind,name,host,state\nserial,7,,\n"
                                 "vm,a,h2,running\nvm,gone,h2,running\n"
                                 "host,h2,,on\n");
    open_model(&m);
    ck_assert_uint_eq(m.serial, 7);
    ck_assert_uint_eq(m.placement->host[0].ix, 1);
    ck_assert_uint_eq(m.placement->host[1].ix, 0);
    ck_assert(m.placement->on[1]);
    dcp_model_finish(&m);
    end();
}
END_TEST

/* What is not a plain file stays what it is. */
START_TEST(links_and_pipes_stay)
{
    char link[128], file[128], got[8] = "";
    struct stat st;
    struct dcp_error err = { 0 };
    int fd;

    begin();
    put("plain", "old");
    (void)snprintf(file, sizeof file, "%s/plain", dir);
    (void)snprintf(link, sizeof link, "%s/link", dir);
    ck_assert_int_eq(symlink("plain", link), 0);
    put("link", "new");
    ck_assert(lstat(link, &st) == 0 && S_ISLNK(st.st_mode));
    ck_assert(stat(file, &st) == 0 && st.st_size == 3);

    (void)snprintf(link, sizeof link, "%s/pipe", dir);
    ck_assert_int_eq(mkfifo(link, 0600), 0);
    fd = open(link, O_RDWR | O_NONBLOCK);
    ck_assert_int_ge(fd, 0);
    put("pipe", "through");
    ck_assert(lstat(link, &st) == 0 && S_ISFIFO(st.st_mode));
    ck_assert_int_eq(read(fd, got, sizeof got - 1), 7);
    ck_assert_str_eq(got, "through");
    (void)close(fd);

    ck_assert(!dcp_file_write(dir, "x", 1, &err));
    ck_assert(strstr(err.message, "cannot write") != NULL);
    end();
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &commit_is_read_back,
        &sizes_are_read_back,
        &second_writer_is_stale,
        &lock_names_its_holder,      &kill_leaves_a_whole_state,
        &damaged_states_are_refused, &vms_without_a_row_are_where_dc_yaml_says,
        &links_and_pipes_stay,
    };

    return RUN_TESTS("model_dir", tests);
}
