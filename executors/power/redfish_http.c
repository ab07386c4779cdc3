/* SPDX-License-Identifier: GPL-3.0-or-later */

#define _GNU_SOURCE /* For strcasestr(). */

#include "executors/power/redfish_http.h"

#include "executors/power/boot_clock.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BODY_MAX_BYTES  (1024 * 1024)
#define CONNECT_MAX_MS  5000
#define PATH_MAX_LENGTH 900
#define SESSIONS_PATH   "/redfish/v1/SessionService/Sessions"

struct dcp_http {
    CURL *curl;
    const struct dcp_bmc *bmc;
    int64_t deadline_ms;
    char origin[512]; /* "https://bmc:443", no slash. */
    char path[PATH_MAX_LENGTH + 1];
    char secret[DCP_SECRET_SIZE];
    char token[512];    /* Of the session; "": basic authentication. */
    char session[1024]; /* Its path, to close it. */
};

/* What comes in while one request is under way. */
struct exchange {
    char *bytes;
    size_t n;
    bool too_long;
    bool offers_basic, offers_any;
    char etag[160], location[1024], token[512];
};

/* --- Where to ----------------------------------------------------------- */

static bool
is_path(const char *path)
{
    size_t length = strlen(path);

    if (path[0] != '/' || path[1] == '/' || length > PATH_MAX_LENGTH) {
        return false;
    }
    for (const char *c = path; *c; c++) {
        if (*c <= ' ' || *c > '~' || *c == '\\' || *c == '#') {
            return false;
        }
    }
    return strstr(path, "/../") == NULL;
}

static bool
is_this_machine(const char *host)
{
    return !strcmp(host, "127.0.0.1") || !strcmp(host, "localhost") ||
           !strcmp(host, "[::1]");
}

/* Takes the url apart, so that whatever a reply names is put behind our own
 * origin and nowhere else. */
static bool
take_url(struct dcp_http *h, struct dcp_error *err)
{
    CURLU *url = curl_url();
    char *scheme = NULL, *host = NULL, *port = NULL, *path = NULL, *user = NULL;
    bool ok = url && !curl_url_set(url, CURLUPART_URL, h->bmc->url, 0) &&
              !curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) &&
              !curl_url_get(url, CURLUPART_HOST, &host, 0) &&
              !curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) &&
              !curl_url_get(url, CURLUPART_PATH, &path, 0);

    if (!ok) {
        (void)dcp_fail(err, DCP_E_REFUSED, "'%s' is no URL of a BMC",
                       h->bmc->url);
    } else if (!curl_url_get(url, CURLUPART_USER, &user, 0)) {
        ok = dcp_fail(err, DCP_E_REFUSED,
                      "the URL of BMC '%s' has a user in it; give 'user' and "
                      "'password_file' instead",
                      host);
    } else if (strcmp(scheme, "https") != 0 &&
               (strcmp(scheme, "http") != 0 || !is_this_machine(host))) {
        ok = dcp_fail(err, DCP_E_REFUSED,
                      "'%s': passwords go to BMCs by https only", h->bmc->url);
    } else {
        ok = snprintf(h->origin, sizeof h->origin, "%s://%s:%s", scheme, host,
                      port) < (int)sizeof h->origin &&
             strlen(path) <= PATH_MAX_LENGTH;
        (void)snprintf(h->path, sizeof h->path, "%s", path);
        ok = ok || dcp_fail(err, DCP_E_REFUSED, "the URL of a BMC is too long");
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(path);
    curl_free(user);
    curl_url_cleanup(url);
    return ok;
}

/* A Location, as the path behind our origin that it names; "": elsewhere. */
static void
take_location(const struct dcp_http *h, const char *said, char out[1024])
{
    size_t n = strlen(h->origin);
    char without_port[512];

    /* The origin may be repeated, with or without the port. */
    (void)snprintf(without_port, sizeof without_port, "%s", h->origin);
    *strrchr(without_port, ':') = '\0';
    if (!strncasecmp(said, h->origin, n)) {
        said += n;
    } else if (!strncasecmp(said, without_port, strlen(without_port))) {
        said += strlen(without_port);
    }
    (void)snprintf(out, 1024, "%s", is_path(said) ? said : "");
}

/* --- One request -------------------------------------------------------- */

static size_t
take_body(char *bytes, size_t size, size_t n, void *user)
{
    struct exchange *x = user;

    n *= size;
    if (n > BODY_MAX_BYTES - x->n) {
        x->too_long = true;
        return 0; /* Ends the transfer. */
    }
    memcpy(x->bytes + x->n, bytes, n);
    x->n += n;
    return n;
}

/* The value of header 'name' in a line, shortened to 'size'. */
static bool
header(const char *line, size_t length, const char *name, char *out,
       size_t size)
{
    size_t n = strlen(name);

    if (length <= n || strncasecmp(line, name, n) != 0 || line[n] != ':') {
        return false;
    }
    line += n + 1;
    length -= n + 1;
    while (length && isspace((unsigned char)line[length - 1])) {
        length--;
    }
    while (length && isspace((unsigned char)*line)) {
        line++;
        length--;
    }
    if (length >= size) {
        return false; /* Half of one is none. */
    }
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)line[i] < ' ' || (unsigned char)line[i] > '~') {
            return false;
        }
    }
    memcpy(out, line, length);
    out[length] = '\0';
    return true;
}

static size_t
take_header(char *line, size_t size, size_t n, void *user)
{
    struct exchange *x = user;
    char offer[160];

    n *= size;
    (void)(header(line, n, "ETag", x->etag, sizeof x->etag) ||
           header(line, n, "Location", x->location, sizeof x->location) ||
           header(line, n, "X-Auth-Token", x->token, sizeof x->token));
    if (header(line, n, "WWW-Authenticate", offer, sizeof offer)) {
        x->offers_any = true;
        x->offers_basic |= strcasestr(offer, "basic") != NULL;
    }
    return n;
}

static bool
explain(struct dcp_http *h, CURLcode code, const struct exchange *x,
        const char *detail, struct dcp_error *err)
{
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return dcp_fail(err, DCP_E_REFUSED,
                        "BMC %s: its certificate is not to be believed: %s; "
                        "give the signer's as 'ca_file' in connect.yaml",
                        h->origin, detail);
    case CURLE_WRITE_ERROR:
        if (x->too_long) {
            return dcp_fail(err, DCP_E_LIMIT,
                            "BMC %s: a reply is longer than 1 MiB", h->origin);
        }
        break;
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
        return dcp_fail(err, DCP_E_REMOTE, "BMC %s does not answer: %s",
                        h->origin, detail);
    default:
        break;
    }
    return dcp_fail(err, DCP_E_REMOTE, "BMC %s: %s", h->origin, detail);
}

static struct curl_slist *
headers_of(struct dcp_http *h, const char *if_match, bool has_body)
{
    char line[700];
    struct curl_slist *list =
                          curl_slist_append(NULL, "Accept: application/json"),
                      *more;

    more = list ? curl_slist_append(list, "OData-Version: 4.0") : NULL;
    if (more && has_body) {
        more = curl_slist_append(list, "Content-Type: application/json");
    }
    if (more && h->token[0]) {
        (void)snprintf(line, sizeof line, "X-Auth-Token: %s", h->token);
        more = curl_slist_append(list, line);
        explicit_bzero(line, sizeof line);
    }
    if (more && if_match) {
        (void)snprintf(line, sizeof line, "If-Match: %s", if_match);
        more = curl_slist_append(list, line);
    }
    if (!more) {
        curl_slist_free_all(list);
        return NULL;
    }
    return list;
}

static bool
set_up(struct dcp_http *h, const char *url, const char *method,
       const char *body, struct curl_slist *headers, struct exchange *x,
       char *detail)
{
    CURL *c = h->curl;
    int64_t left_ms = h->deadline_ms - dcp_boot_ms();
    long all_ms = left_ms < 1 ? 1 : left_ms > 600000 ? 600000 : (long)left_ms;
    bool basic = !h->token[0] && h->bmc->user[0];
    bool ok;

    curl_easy_reset(c);
    ok = !curl_easy_setopt(c, CURLOPT_URL, url) &&
         !curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") &&
         !curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) &&
         !curl_easy_setopt(c, CURLOPT_PROXY, "") &&
         !curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
         !curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) &&
         !curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, all_ms) &&
         !curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
                           all_ms < CONNECT_MAX_MS ? all_ms : CONNECT_MAX_MS) &&
         !curl_easy_setopt(c, CURLOPT_SSLVERSION,
                           (long)CURL_SSLVERSION_TLSv1_2) &&
         !curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L) &&
         !curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L) &&
         !curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers) &&
         !curl_easy_setopt(c, CURLOPT_ERRORBUFFER, detail) &&
         !curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body) &&
         !curl_easy_setopt(c, CURLOPT_WRITEDATA, (void *)x) &&
         !curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header) &&
         !curl_easy_setopt(c, CURLOPT_HEADERDATA, (void *)x);
    if (ok && h->bmc->ca_file[0]) {
        ok = !curl_easy_setopt(c, CURLOPT_CAINFO, h->bmc->ca_file);
    }
    if (ok && basic) {
        ok = !curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) &&
             !curl_easy_setopt(c, CURLOPT_USERNAME, h->bmc->user) &&
             !curl_easy_setopt(c, CURLOPT_PASSWORD, h->secret);
    }
    if (ok && body) {
        ok = !curl_easy_setopt(c, CURLOPT_POST, 1L) &&
             !curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)strlen(body)) &&
             !curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
    } else if (ok && method) {
        ok = !curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
    }
    return ok;
}

/* 'method' NULL: GET, or POST where there is a body. */
static bool
exchange(struct dcp_http *h, const char *method, const char *path,
         const char *body, const char *if_match, struct exchange *x,
         long *out_status, struct dcp_error *err)
{
    char url[sizeof h->origin + PATH_MAX_LENGTH + 1];
    char detail[CURL_ERROR_SIZE] = "";

    if (!is_path(path)) {
        return dcp_fail(err, DCP_E_REMOTE,
                        "BMC %s names an address that is not its own: '%.80s'",
                        h->origin, path);
    }
    (void)snprintf(url, sizeof url, "%s%s", h->origin, path);
    struct curl_slist *headers = headers_of(h, if_match, body != NULL);

    x->bytes = malloc(BODY_MAX_BYTES);
    if (!headers || !x->bytes ||
        !set_up(h, url, method, body, headers, x, detail)) {
        curl_slist_free_all(headers);
        return dcp_fail(err, DCP_E_NOMEM, "no memory to ask BMC %s", h->origin);
    }
    CURLcode code = curl_easy_perform(h->curl);

    curl_slist_free_all(headers);
    if (code != CURLE_OK) {
        return explain(h, code, x,
                       detail[0] ? detail : curl_easy_strerror(code), err);
    }
    (void)curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, out_status);
    return true;
}

static void
exchange_finish(struct exchange *x)
{
    free(x->bytes);
    explicit_bzero(x, sizeof *x);
}

/* --- Sessions ----------------------------------------------------------- */

static bool
refuse_user(struct dcp_http *h, struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_REFUSED,
                    "BMC %s refuses user '%s' with the password in %s; "
                    "correct connect.yaml or the file",
                    h->origin, h->bmc->user, h->bmc->password_file);
}

static bool
open_session(struct dcp_http *h, struct dcp_error *err)
{
    struct exchange x = { 0 };
    json_t *who = json_pack("{s:s, s:s}", "UserName", h->bmc->user, "Password",
                            h->secret);
    char *body = who ? json_dumps(who, JSON_COMPACT) : NULL;
    long status = 0;
    bool ok = body || dcp_fail(err, DCP_E_NOMEM, "no memory for a session");

    ok = ok && exchange(h, NULL, SESSIONS_PATH, body, NULL, &x, &status, err);
    if (ok && (status < 200 || status > 299 || !x.token[0])) {
        ok = refuse_user(h, err);
    }
    if (ok) {
        memcpy(h->token, x.token, sizeof h->token);
        take_location(h, x.location, h->session);
    }
    if (body) {
        explicit_bzero(body, strlen(body));
        free(body);
    }
    json_decref(who);
    exchange_finish(&x);
    return ok;
}

struct dcp_http *
dcp_http_open(const struct dcp_bmc *bmc, int64_t deadline_ms,
              const char **out_path, struct dcp_error *err)
{
    struct dcp_http *h = calloc(1, sizeof *h);

    if (!h) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to ask a BMC");
        return NULL;
    }
    h->bmc = bmc;
    h->deadline_ms = deadline_ms;
    bool ok = take_url(h, err);

    if (ok && bmc->user[0] && !bmc->password_file[0]) {
        ok = dcp_fail(err, DCP_E_REFUSED,
                      "BMC %s has a user and no 'password_file'", bmc->url);
    } else if (ok && bmc->user[0]) {
        ok = dcp_connect_secret(bmc->password_file, h->secret, err);
    }
    if (!ok) {
        dcp_http_close(h);
        return NULL;
    }
    h->curl = curl_easy_init();
    if (!h->curl) {
        dcp_http_close(h);
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to ask a BMC");
        return NULL;
    }
    *out_path = h->path;
    return h;
}

void
dcp_http_close(struct dcp_http *h)
{
    if (!h) {
        return;
    }
    if (h->session[0]) {
        struct exchange x = { 0 };
        long status = 0;

        (void)exchange(h, "DELETE", h->session, NULL, NULL, &x, &status, NULL);
        exchange_finish(&x);
    }
    curl_easy_cleanup(h->curl);
    explicit_bzero(h, sizeof *h);
    free(h);
}

/* --- For others --------------------------------------------------------- */

bool
dcp_http_ask(struct dcp_http *h, const char *path, const json_t *body,
             const char *if_match, struct dcp_http_reply *out,
             struct dcp_error *err)
{
    struct exchange x = { 0 };
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    long status = 0;
    bool ok = !body || text ||
              dcp_fail(err, DCP_E_NOMEM, "no memory to ask BMC %s", h->origin);

    *out = (struct dcp_http_reply){ 0 };
    ok = ok && exchange(h, NULL, path, text, if_match, &x, &status, err);
    /* Not a second time with a password that was refused as such: accounts get
     * locked by that. */
    if (ok && status == 401 && !h->token[0] && h->bmc->user[0] &&
        (x.offers_basic || !open_session(h, err))) {
        ok = x.offers_basic ? refuse_user(h, err) : false;
    } else if (ok && status == 401 && h->token[0]) {
        exchange_finish(&x);
        ok = exchange(h, NULL, path, text, if_match, &x, &status, err);
    }
    if (ok && (status == 401 || status == 403)) {
        ok = refuse_user(h, err);
    } else if (ok && status >= 300 && status <= 399) {
        ok = dcp_fail(err, DCP_E_REFUSED,
                      "BMC %s wants us to go elsewhere (HTTP status %ld); give "
                      "its own URL in connect.yaml",
                      h->origin, status);
    }
    if (ok) {
        out->status = status;
        out->body = x.n ? json_loadb(x.bytes, x.n, 0, NULL) : NULL;
        memcpy(out->etag, x.etag, sizeof out->etag);
        take_location(h, x.location, out->location);
    }
    free(text);
    exchange_finish(&x);
    return ok;
}

void
dcp_http_reply_finish(struct dcp_http_reply *reply)
{
    json_decref(reply->body);
    *reply = (struct dcp_http_reply){ 0 };
}

void
dcp_http_reason(const struct dcp_http_reply *reply, char out[160])
{
    const json_t *error = json_object_get(reply->body, "error");
    const json_t *first =
        json_array_get(json_object_get(error, "@Message.ExtendedInfo"), 0);
    const char *text = json_string_value(json_object_get(first, "Message"));

    if (!text) {
        text = json_string_value(json_object_get(error, "message"));
    }
    if (text) {
        (void)snprintf(out, 160, "%.120s (HTTP status %ld)", text,
                       reply->status);
    } else {
        (void)snprintf(out, 160, "HTTP status %ld", reply->status);
    }
    dcp_one_line(out);
}
