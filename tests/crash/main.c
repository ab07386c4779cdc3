/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Runs a program and kills it -9 at its Nth system call of a kind, or makes
 * that call fail, to the millisecond and the same each time.
 *
 *     at-call CALLS [N [ERROR]] -- PROGRAM ARGUMENT...
 *
 * CALLS is a list of names with commas: "write", "pwrite64", "fdatasync" ... or
 * "all" of them; "openat" is one that may make a file.  The program dies as it
 * enters the Nth, which then has not happened; with ERROR (ENOSPC, EIO), the
 * call does nothing and fails with that, and so does every later one of CALLS
 * if ERROR has a '+' after it.  With no N (or one that is never reached) the
 * program runs as it would.  Only calls of the program itself count, not of
 * those that it starts, which go on when it is dead until they end by
 * themselves.
 *
 * The last line on standard error is "at-call: COUNT calls, killed" (or
 * "failed", "ended"); with "-v" before CALLS each call is named before it.  The
 * exit status is the program's, 137 when it was killed, and 77 when this system
 * does not let a program be traced.
 *
 * A seccomp filter stops the program at these calls and no others, so that all
 * else runs at full speed. */

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_USAGE   2
#define STATUS_SKIPPED 77
#define STATUS_KILLED  137

#ifdef __x86_64__

/* What changes files, or tells others something. */
static const struct call {
    const char *name;
    long number;
} calls[] = {
    { "write", SYS_write },
    { "pwrite64", SYS_pwrite64 },
    { "writev", SYS_writev },
    { "fsync", SYS_fsync },
    { "fdatasync", SYS_fdatasync },
    { "ftruncate", SYS_ftruncate },
    { "rename", SYS_rename },
    { "renameat", SYS_renameat },
    { "renameat2", SYS_renameat2 },
    { "unlink", SYS_unlink },
    { "unlinkat", SYS_unlinkat },
    { "openat", SYS_openat },
    { "close", SYS_close },
    { "mkdir", SYS_mkdir },
    { "link", SYS_link },
    { "fallocate", SYS_fallocate },
    { "fcntl", SYS_fcntl },
    { "flock", SYS_flock },
    { "poll", SYS_poll },
    { "ppoll", SYS_ppoll },
    { "epoll_wait", SYS_epoll_wait },
    { "read", SYS_read },
    { "pread64", SYS_pread64 },
    { "lseek", SYS_lseek },
    { "fchmod", SYS_fchmod },
    { "chmod", SYS_chmod },
    { "kill", SYS_kill },
    { "wait4", SYS_wait4 },
    { "mmap", SYS_mmap },
    { "munmap", SYS_munmap },
    { "newfstatat", SYS_newfstatat },
    { "fstat", SYS_fstat },
    { "stat", SYS_stat },
    { "access", SYS_access },
};
#define N_CALLS (sizeof calls / sizeof calls[0])

struct job {
    bool wanted[N_CALLS];
    bool verbose;
    unsigned long at; /* 0: never. */
    int error;        /* 0: kill. */
    bool for_good;    /* The error, of all later calls. */
    char *const *argv;
};

static bool
choose(struct job *job, char *list)
{
    bool any = false;

    for (char *rest = list, *name; (name = strsep(&rest, ","));) {
        bool known = !strcmp(name, "all");

        for (size_t i = 0; i < N_CALLS; i++) {
            if (!strcmp(name, "all") || !strcmp(name, calls[i].name)) {
                job->wanted[i] = known = any = true;
            }
        }
        if (!known) {
            (void)fprintf(stderr, "at-call: no call '%s'\n", name);
            return false;
        }
    }
    return any;
}

static bool
parse(struct job *job, int argc, char *argv[])
{
    int i = 1;

    if (i < argc && !strcmp(argv[i], "-v")) {
        job->verbose = true;
        i++;
    }
    if (i >= argc || !choose(job, argv[i++])) {
        return false;
    }
    if (i < argc && strcmp(argv[i], "--") != 0) {
        job->at = strtoul(argv[i++], NULL, 10);
    }
    if (i < argc && strcmp(argv[i], "--") != 0) {
        size_t length = strcspn(argv[i], "+");

        job->for_good = argv[i][length] == '+';
        job->error = !strncmp(argv[i], "ENOSPC", length) ? ENOSPC
                     : !strncmp(argv[i], "EIO", length)  ? EIO
                                                         : 0;
        if (!job->error) {
            return false;
        }
        i++;
    }
    if (i + 1 >= argc || strcmp(argv[i], "--") != 0) {
        return false;
    }
    job->argv = argv + i + 1;
    return true;
}

/* In the child: stop at the chosen calls, then become the program. */
static void
become(const struct job *job)
{
    struct sock_filter code[N_CALLS + 8];
    unsigned short n = 0;
    unsigned char n_wanted = 0;

    for (size_t i = 0; i < N_CALLS; i++) {
        n_wanted += job->wanted[i];
    }
    code[n++] = (struct sock_filter)BPF_STMT(
        BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                                             AUDIT_ARCH_X86_64, 0,
                                             (unsigned char)(n_wanted + 1));
    code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                             offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < N_CALLS; i++) {
        if (job->wanted[i]) {
            code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                                                     (unsigned)calls[i].number,
                                                     n_wanted, 0);
            n_wanted--;
        }
    }
    code[n++] =
        (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    code[n++] =
        (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    struct sock_fprog program = { n, code };

    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
        _exit(STATUS_SKIPPED);
    }
    (void)raise(SIGSTOP);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        _exit(STATUS_SKIPPED);
    }
    (void)execvp(job->argv[0], job->argv);
    (void)fprintf(stderr, "at-call: cannot run %s: %s\n", job->argv[0],
                  strerror(errno));
    _exit(STATUS_USAGE);
}

/* A program stopped at one of the calls; true: it is to go on. */
static bool
at_call(const struct job *job, pid_t pid, unsigned long *n)
{
    struct user_regs_struct regs;

    if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) != 0) {
        return true; /* It died at this very moment. */
    }
    if (regs.orig_rax == SYS_openat && !(regs.rdx & O_CREAT)) {
        return true; /* Only looks. */
    }
    ++*n;
    for (size_t i = 0; job->verbose && i < N_CALLS; i++) {
        if ((long)regs.orig_rax == calls[i].number) {
            (void)fprintf(stderr, "at-call: %lu %s\n", *n, calls[i].name);
        }
    }
    if (!job->at || *n < job->at || (*n > job->at && !job->for_good)) {
        return true;
    }
    if (!job->error) {
        return false;
    }
    regs.orig_rax = (unsigned long long)-1; /* No call at all. */
    regs.rax = (unsigned long long)-job->error;
    (void)ptrace(PTRACE_SETREGS, pid, NULL, &regs);
    return true;
}

static int
watch(const struct job *job, pid_t program)
{
    const char *how = job->at && job->error ? "failed" : "ended";
    unsigned long n = 0;
    int status = STATUS_SKIPPED, wait_status;
    bool killed = false;

    for (pid_t pid; (pid = waitpid(-1, &wait_status, __WALL)) > 0;) {
        int pass_on = 0;

        if (!WIFSTOPPED(wait_status)) {
            if (pid == program) {
                status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status)
                                                : 128 + WTERMSIG(wait_status);
            }
            continue;
        }
        bool counts =
            wait_status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8) &&
            pid == program && !killed;

        if (counts && !at_call(job, pid, &n)) {
            killed = true;
            how = "killed";
            (void)kill(program, SIGKILL);
            continue;
        }
        if (wait_status >> 16 == 0 && WSTOPSIG(wait_status) != SIGSTOP) {
            pass_on = WSTOPSIG(wait_status);
        }
        (void)ptrace(PTRACE_CONT, pid, NULL, pass_on);
    }
    (void)fprintf(stderr, "at-call: %lu calls, %s\n", n, how);
    return killed ? STATUS_KILLED : status;
}

int
main(int argc, char *argv[])
{
    struct job job = { .verbose = false };
    int status;

    if (!parse(&job, argc, argv)) {
        (void)fprintf(stderr, "usage: at-call [-v] CALLS [N [ERROR[+]]] -- "
                              "PROGRAM ARGUMENT...\n");
        return STATUS_USAGE;
    }
    pid_t pid = fork();

    if (pid == 0) {
        become(&job);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
        ptrace(PTRACE_SETOPTIONS, pid, NULL,
               PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK |
                   PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                   PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) != 0 ||
        ptrace(PTRACE_CONT, pid, NULL, NULL) != 0) {
        (void)fprintf(stderr,
                      "at-call: this system lets no program be traced\n");
        return STATUS_SKIPPED;
    }
    return watch(&job, pid);
}

#else

int
main(void)
{
    (void)fprintf(stderr, "at-call: for x86-64 only\n");
    return STATUS_SKIPPED;
}

#endif
