/* SPDX-License-Identifier: GPL-3.0-or-later */

/* One connection, opened with the first question and again when it broke.  A
 * thread of the child's own runs libvirt's event loop, without which there is
 * no keepalive, and with none a host that went dark would be waited for for
 * hours. */

#include "executors/libvirt/serve.h"

#include "executors/libvirt/look.h"

#include <errno.h>
#include <jansson.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define QUESTION_MAX 65536
#define KEEPALIVE_S  5
#define KEEPALIVES   3
#define STOP_POLL_NS 200000000L

struct server {
    const char *uri, *host_uuid;
    virConnectPtr connection; /* NULL: none now. */
};

/* --- Words -------------------------------------------------------------- */

/* What a hypervisor says, made fit to print: no control characters. */
static void
clean(char *text)
{
    for (char *c = text; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 127) {
            *c = ' ';
        }
    }
}

static json_t *
no(const char *what, const char *why)
{
    char text[400];

    (void)snprintf(text, sizeof text, "%s%s%.300s", what, *what ? ": " : "",
                   why && *why ? why : "no reason was given");
    clean(text);
    json_t *string = json_string(text);

    if (!string) { /* No UTF-8, or cut in the middle of a character. */
        for (char *c = text; *c; c++) {
            *c = (unsigned char)*c < 128 ? *c : '?';
        }
        string = json_string(text);
    }

    return json_pack("{s:b, s:o}", "ok", 0, "text", string);
}

static json_t *
failed(const char *what)
{
    const virError *e = virGetLastError();

    return no(what, e ? e->message : NULL);
}

static json_t *
yes(void)
{
    return json_pack("{s:b}", "ok", 1);
}

static const char *
text_of(const json_t *question, const char *key)
{
    const char *text = json_string_value(json_object_get(question, key));

    return text ? text : "";
}

/* --- The connection ----------------------------------------------------- */

static void
say_nothing(void *user, virErrorPtr error)
{
    (void)user, (void)error;
}

static void *
run_events(void *user)
{
    (void)user;
    for (;;) {
        if (virEventRunDefaultImpl() < 0) {
            (void)usleep(100000);
        }
    }
    return NULL;
}

static void
hang_up(struct server *s)
{
    if (s->connection) {
        (void)virConnectClose(s->connection);
        s->connection = NULL;
    }
}

/* NULL: it is the machine that it should be. */
static json_t *
identify(const struct server *s)
{
    char is[DCP_HOST_UUID_SIZE], text[200];

    if (!*s->host_uuid) {
        return NULL;
    }
    char *xml = virConnectGetCapabilities(s->connection);
    bool known = xml && dcp_capabilities_uuid(xml, is);

    free(xml);
    if (!known) {
        return failed("it does not say which machine it is");
    }
    if (!strcasecmp(is, s->host_uuid)) {
        return NULL;
    }
    (void)snprintf(text, sizeof text,
                   "it says that its machine is %.36s, connect.yaml has uuid: "
                   "%.36s",
                   *is ? is : "none", s->host_uuid);
    return no("", text);
}

/* NULL: there is a connection. */
static json_t *
connect_to(struct server *s)
{
    if (s->connection && virConnectIsAlive(s->connection) == 1) {
        return NULL;
    }
    hang_up(s);
    s->connection = virConnectOpen(s->uri);
    if (!s->connection) {
        return failed("cannot connect");
    }
    (void)virConnectSetKeepAlive(s->connection, KEEPALIVE_S, KEEPALIVES);
    json_t *stranger = identify(s);

    if (stranger) {
        hang_up(s);
    }
    return stranger;
}

/* --- Questions ---------------------------------------------------------- */

static enum dcp_look_state
state_of(int state)
{
    switch (state) {
    case VIR_DOMAIN_RUNNING:
    case VIR_DOMAIN_BLOCKED:
    case VIR_DOMAIN_SHUTDOWN:
        return DCP_LOOK_RUNNING;
    case VIR_DOMAIN_PAUSED:
    case VIR_DOMAIN_PMSUSPENDED:
        return DCP_LOOK_PAUSED;
    default:
        return DCP_LOOK_DEFINED;
    }
}

/* Whether a domain with the name is another than that of the UUID. */
static bool
is_foreign(const struct server *s, const char *name, const char *uuid)
{
    char other[VIR_UUID_STRING_BUFLEN] = "";
    virDomainPtr domain =
        *name ? virDomainLookupByName(s->connection, name) : NULL;
    bool foreign = domain && virDomainGetUUIDString(domain, other) == 0 &&
                   strcasecmp(other, uuid) != 0;

    if (domain) {
        (void)virDomainFree(domain);
    }
    return foreign;
}

static json_t *
look(const struct server *s, const json_t *question)
{
    const char *uuid = text_of(question, "uuid");
    virDomainPtr domain = virDomainLookupByUUIDString(s->connection, uuid);
    bool foreign = false;
    int state = 0, reason = 0, autostart = 0, persistent = 0, saved = 0;
    virDomainJobInfo job = { 0 };

    if (!domain) {
        const virError *e = virGetLastError();

        if (!e || e->code != VIR_ERR_NO_DOMAIN) {
            return failed("cannot look");
        }
        foreign = is_foreign(s, text_of(question, "name"), uuid);
        return json_pack("{s:b, s:i, s:b}", "ok", 1, "state", DCP_LOOK_NOT_HERE,
                         "foreign", foreign);
    }
    foreign = is_foreign(s, text_of(question, "name"), uuid);
    bool ok = virDomainGetState(domain, &state, &reason, 0) == 0 &&
              (persistent = virDomainIsPersistent(domain)) >= 0;

    if (ok && state_of(state) != DCP_LOOK_DEFINED &&
        virDomainGetJobInfo(domain, &job) != 0) {
        const virError *e = virGetLastError();

        /* Targets of a move do not tell; drivers without jobs have none.  Any
         * other failure leaves open whether there is one. */
        ok = e && (e->code == VIR_ERR_OPERATION_INVALID ||
                   e->code == VIR_ERR_NO_SUPPORT);
    }
    if (ok && persistent) {
        (void)virDomainGetAutostart(domain, &autostart);
        saved = virDomainHasManagedSaveImage(domain, 0) == 1;
    }
    json_t *answer =
        ok ? json_pack("{s:b, s:i, s:i, s:b, s:b, s:b, s:b, s:b}", "ok", 1,
                       "state", (int)state_of(state), "reason", reason,
                       "persistent", persistent, "job",
                       job.type == VIR_DOMAIN_JOB_BOUNDED ||
                           job.type == VIR_DOMAIN_JOB_UNBOUNDED,
                       "saved", saved, "autostart", autostart, "foreign",
                       foreign)
           : failed("cannot look");

    (void)virDomainFree(domain);
    return answer;
}

static json_t *
count(const struct server *s)
{
    virDomainPtr *domains = NULL;
    int n = virConnectListAllDomains(s->connection, &domains,
                                     VIR_CONNECT_LIST_DOMAINS_ACTIVE);

    for (int i = 0; i < n; i++) {
        (void)virDomainFree(domains[i]);
    }
    free(domains);
    return n < 0 ? failed("cannot list")
                 : json_pack("{s:b, s:i}", "ok", 1, "n", n);
}

/* --- Acts --------------------------------------------------------------- */

/* The paths of connect.yaml; to be freed. */
static const char **
list_shared(const json_t *question, size_t *out_n)
{
    const json_t *list = json_object_get(question, "shared");
    const char **paths = calloc(json_array_size(list) + 1, sizeof *paths);

    *out_n = 0;
    for (size_t i = 0; paths && i < json_array_size(list); i++) {
        const char *path = json_string_value(json_array_get(list, i));

        if (path) {
            paths[(*out_n)++] = path;
        }
    }
    return paths;
}

/* Whether another host can open its disks; NULL: yes. */
static json_t *
check_disks(virDomainPtr domain, const json_t *question, bool *out_files)
{
    struct dcp_error err = { 0 };
    size_t n_shared;
    const char **shared = list_shared(question, &n_shared);
    char *xml = virDomainGetXMLDesc(domain, 0);
    bool ok = xml && shared &&
              dcp_domain_disks_shared(xml, shared, n_shared, out_files, &err);
    json_t *answer = ok    ? NULL
                     : xml ? no("", err.message)
                           : failed("cannot read its definition");

    free(xml);
    free(shared);
    return answer;
}

static json_t *
migrate(virDomainPtr domain, const json_t *question)
{
    unsigned long flags = VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER |
                          VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_ABORT_ON_ERROR;
    json_int_t mib_s =
        json_integer_value(json_object_get(question, "bandwidth_mib_s"));
    virTypedParameterPtr params = NULL;
    int n = 0, room = 0;
    bool files = false;
    json_t *answer = check_disks(domain, question, &files);

    if (answer) {
        return answer;
    }
    flags |= files ? VIR_MIGRATE_UNSAFE : 0;
    if (json_is_true(json_object_get(question, "auto_converge"))) {
        flags |= VIR_MIGRATE_AUTO_CONVERGE;
    }
    if (mib_s > 0 &&
        virTypedParamsAddULLong(&params, &n, &room, VIR_MIGRATE_PARAM_BANDWIDTH,
                                (unsigned long long)mib_s) < 0) {
        answer = failed("cannot say how fast");
    } else if (virDomainMigrateToURI3(domain, text_of(question, "to"), params,
                                      (unsigned)n, (unsigned)flags) < 0) {
        answer = failed("did not migrate");
    }
    virTypedParamsFree(params, n);
    return answer ? answer : yes();
}

static bool
is_active(virDomainPtr domain)
{
    int state = VIR_DOMAIN_NOSTATE;

    return virDomainGetState(domain, &state, NULL, 0) != 0 ||
           state_of(state) != DCP_LOOK_DEFINED;
}

/* The parent says for how long, by killing this. */
static json_t *
stop(virDomainPtr domain)
{
    if (virDomainShutdown(domain) != 0 && is_active(domain)) {
        return failed("cannot ask it to shut down");
    }
    while (is_active(domain)) {
        const struct timespec pause = { .tv_nsec = STOP_POLL_NS };

        (void)nanosleep(&pause, NULL);
    }
    return yes();
}

/* What runs here gets a definition that outlives it. */
static json_t *
define(const struct server *s, virDomainPtr domain)
{
    char *xml = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE |
                                                VIR_DOMAIN_XML_SECURE);
    virDomainPtr defined = xml ? virDomainDefineXML(s->connection, xml) : NULL;
    json_t *answer = defined ? yes() : failed("cannot define it");

    if (defined) {
        (void)virDomainFree(defined);
    }
    free(xml);
    return answer;
}

/* Of what does not run here, has no saved memory and does not start with the
 * host. */
static json_t *
undefine(virDomainPtr domain)
{
    int autostart = 0;

    if (is_active(domain)) {
        return no("", "it runs there: its definition stays");
    }
    if (virDomainGetAutostart(domain, &autostart) != 0 || autostart) {
        return no("", "it starts with its host: its definition stays; end that "
                      "by virsh autostart --disable");
    }
    return virDomainUndefineFlags(domain, VIR_DOMAIN_UNDEFINE_KEEP_NVRAM) == 0
               ? yes()
               : failed("cannot undefine it");
}

/* Of a copy that is paused: one that has come to run since it was seen stays.
 */
static json_t *
destroy(virDomainPtr domain)
{
    int state = VIR_DOMAIN_NOSTATE;

    if (virDomainGetState(domain, &state, NULL, 0) != 0) {
        return failed("cannot look");
    }
    if (state_of(state) != DCP_LOOK_PAUSED) {
        return no("", "it is not paused any more: nothing was destroyed");
    }
    return virDomainDestroy(domain) == 0 ? yes() : failed("destroy");
}

static json_t *
act(const struct server *s, const char *op, virDomainPtr domain,
    const json_t *question)
{
    int bad = -1;

    if (!strcmp(op, "migrate")) {
        return migrate(domain, question);
    }
    if (!strcmp(op, "stop")) {
        return stop(domain);
    }
    if (!strcmp(op, "destroy")) {
        return destroy(domain);
    }
    if (!strcmp(op, "define")) {
        return define(s, domain);
    }
    if (!strcmp(op, "undefine")) {
        return undefine(domain);
    }
    if (!strcmp(op, "abort")) {
        bad = virDomainAbortJob(domain);
    } else if (!strcmp(op, "suspend")) {
        bad = virDomainSuspend(domain);
    } else if (!strcmp(op, "start")) {
        bad = virDomainCreate(domain);
    } else if (!strcmp(op, "park")) {
        bad = virDomainManagedSave(domain, VIR_DOMAIN_SAVE_RUNNING);
    } else if (!strcmp(op, "resume")) {
        bad = virDomainResume(domain);
    } else {
        return no("", "no such question");
    }
    return bad ? failed(op) : yes();
}

static json_t *
answer_to(struct server *s, const json_t *question)
{
    const char *op = text_of(question, "op");
    json_t *answer = connect_to(s);

    if (answer) {
        return answer;
    }
    if (!strcmp(op, "look")) {
        return look(s, question);
    }
    if (!strcmp(op, "count")) {
        return count(s);
    }
    virDomainPtr domain =
        virDomainLookupByUUIDString(s->connection, text_of(question, "uuid"));

    if (!domain) {
        return failed(op);
    }
    answer = act(s, op, domain, question);
    (void)virDomainFree(domain);
    return answer;
}

/* --- The line ----------------------------------------------------------- */

static bool
write_all(int fd, const char *text, size_t length)
{
    while (length) {
        ssize_t n = write(fd, text, length);

        if (n < 0 && errno != EINTR) {
            return false;
        }
        text += n > 0 ? n : 0;
        length -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool
reply(int fd, json_t *answer)
{
    char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
    bool ok =
        text && write_all(fd, text, strlen(text)) && write_all(fd, "\n", 1);

    free(text);
    json_decref(answer);
    return ok;
}

void
dcp_serve(int fd, const char *uri, const char *host_uuid)
{
    struct server s = { .uri = uri, .host_uuid = host_uuid };
    FILE *in = fdopen(fd, "r");
    char *line = malloc(QUESTION_MAX);
    pthread_t events;

    virSetErrorFunc(NULL, say_nothing);
    if (!in || !line || virInitialize() < 0 ||
        virEventRegisterDefaultImpl() < 0 ||
        pthread_create(&events, NULL, run_events, NULL) != 0) {
        return;
    }
    while (fgets(line, QUESTION_MAX, in)) {
        json_t *question = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        json_t *answer =
            question ? answer_to(&s, question) : no("", "that is no question");

        json_decref(question);
        if (!reply(fd, answer)) {
            break;
        }
    }
}
