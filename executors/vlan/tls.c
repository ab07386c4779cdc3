/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "executors/vlan/tls.h"

#include "model/io/connect.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct dcp_tls {
    SSL_CTX *context;
    SSL *ssl;
    BIO *from_peer, *to_peer; /* Owned by 'ssl'. */
    char *host, *name;
};

static bool
fail(struct dcp_error *err, const char *what)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());

    (void)dcp_fail(err, DCP_E_REMOTE, "TLS: %s%s%s", what, why ? ": " : "",
                   why ? why : "");
    ERR_clear_error();
    return false;
}

void
dcp_tls_destroy(struct dcp_tls *t)
{
    if (t) {
        SSL_free(t->ssl);
        SSL_CTX_free(t->context);
        free(t->host);
        free(t->name);
        free(t);
    }
}

/* --- Keys and certificates ---------------------------------------------- */

/* A key with a passphrase is refused, and nobody is asked for it. */
static int
no_passphrase(char *out, int size, int writing, void *user)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)user;
    return 0;
}

static bool
is_private(const char *path, struct dcp_error *err)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        return dcp_fail(err, DCP_E_IO, "%s: %s", path, strerror(errno));
    }
    return !(st.st_mode & (S_IRWXG | S_IRWXO)) ||
           dcp_fail(err, DCP_E_REFUSED,
                    "%s: mode %04o lets others than its owner use the key; run "
                    "chmod 600 on it",
                    path, (unsigned)st.st_mode & 07777U);
}

static bool
load(struct dcp_tls *t, const struct dcp_connect_tls *files,
     struct dcp_error *err)
{
    SSL_CTX *c = t->context;
    char what[320];

    if (!files->ca_file[0]) {
        return dcp_fail(err, DCP_E_REFUSED,
                        "'ssl:' needs 'ca_file' in connect.yaml: nobody is "
                        "believed unverified");
    }
    if (!SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) ||
        !SSL_CTX_load_verify_locations(c, files->ca_file, NULL)) {
        (void)snprintf(what, sizeof what, "cannot use ca_file '%.250s'",
                       files->ca_file);
        return fail(err, what);
    }
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_default_passwd_cb(c, no_passphrase);
    if (!files->certificate_file[0] != !files->key_file[0]) {
        return dcp_fail(err, DCP_E_REFUSED,
                        "'certificate_file' and 'key_file' go together in "
                        "connect.yaml");
    }
    if (!files->key_file[0]) {
        return true;
    }
    if (!is_private(files->key_file, err)) {
        return false;
    }
    if (SSL_CTX_use_certificate_chain_file(c, files->certificate_file) != 1 ||
        SSL_CTX_use_PrivateKey_file(c, files->key_file, SSL_FILETYPE_PEM) !=
            1 ||
        SSL_CTX_check_private_key(c) != 1) {
        (void)snprintf(what, sizeof what,
                       "cannot use certificate_file '%.110s' with key_file "
                       "'%.110s'",
                       files->certificate_file, files->key_file);
        return fail(err, what);
    }
    return true;
}

static bool
start(struct dcp_tls *t, struct dcp_error *err)
{
    t->ssl = SSL_new(t->context);
    t->from_peer = BIO_new(BIO_s_mem());
    t->to_peer = BIO_new(BIO_s_mem());
    if (!t->ssl || !t->from_peer || !t->to_peer) {
        BIO_free(t->from_peer);
        BIO_free(t->to_peer);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for TLS");
    }
    SSL_set_bio(t->ssl, t->from_peer, t->to_peer);
    SSL_set_connect_state(t->ssl);
    return true;
}

struct dcp_tls *
dcp_tls_create(const struct dcp_connect_tls *files, const char *host,
               const char *name, struct dcp_error *err)
{
    struct dcp_tls *t = calloc(1, sizeof *t);

    ERR_clear_error();
    if (t) {
        t->context = SSL_CTX_new(TLS_client_method());
        t->host = strdup(host);
        t->name = strdup(name);
    }
    if (!t || !t->context || !t->host || !t->name) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for TLS");
    } else if (load(t, files, err) && start(t, err)) {
        return t;
    }
    dcp_tls_destroy(t);
    return NULL;
}

/* --- Who it is ---------------------------------------------------------- */

/* The common name is the model's name, or that and what ovs-pki(8) adds. */
static bool
is_common_name(X509 *certificate, const char *name)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    unsigned char *text = NULL;
    bool ok = false;

    if (at < 0 ||
        X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) {
        return false;
    }
    int length = ASN1_STRING_to_UTF8(
        &text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    size_t n = strlen(name);

    if (length > 0 && memchr(text, '\0', (size_t)length) == NULL) {
        const char *s = (const char *)text; /* OpenSSL ends it with a NUL. */

        ok = n > 0 && !strncmp(s, name, n) &&
             (!s[n] || !strncmp(s + n, " id:", 4));
    }
    OPENSSL_free(text);
    return ok;
}

static bool
is_expected(const struct dcp_tls *t, struct dcp_error *err)
{
    const unsigned flags =
        X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_WILDCARDS;
    X509 *certificate = SSL_get1_peer_certificate(t->ssl);
    bool ok = false;

    if (certificate) {
        int by_ip = X509_check_ip_asc(certificate, t->host, 0);

        ok = by_ip == 1 /* -2: it is no number. */
             || (by_ip == -2 &&
                 X509_check_host(certificate, t->host, 0, flags, NULL) == 1) ||
             X509_check_host(certificate, t->name, 0, flags, NULL) == 1 ||
             is_common_name(certificate, t->name);
    }
    X509_free(certificate);
    ERR_clear_error();
    return ok || dcp_fail(err, DCP_E_REFUSED,
                          "TLS: its certificate is neither for '%s' nor for "
                          "'%s': is it another machine?",
                          t->host, t->name);
}

bool
dcp_tls_handshake(struct dcp_tls *t, bool *out_done, struct dcp_error *err)
{
    *out_done = false;
    ERR_clear_error();
    int result = SSL_do_handshake(t->ssl);

    if (result == 1) {
        *out_done = is_expected(t, err);
        return *out_done;
    }
    int reason = SSL_get_error(t->ssl, result);

    if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
        return true;
    }
    long verdict = SSL_get_verify_result(t->ssl);

    if (verdict != X509_V_OK) {
        ERR_clear_error();
        return dcp_fail(err, DCP_E_REFUSED,
                        "TLS: its certificate is not believed: %s",
                        X509_verify_cert_error_string(verdict));
    }
    return fail(err, "no agreement with the peer");
}

/* --- Bytes -------------------------------------------------------------- */

bool
dcp_tls_feed(struct dcp_tls *t, const char *bytes, size_t n,
             struct dcp_error *err)
{
    size_t written = 0;

    return (n == 0 || (BIO_write_ex(t->from_peer, bytes, n, &written) == 1 &&
                       written == n)) ||
           dcp_fail(err, DCP_E_NOMEM, "no memory for TLS");
}

size_t
dcp_tls_take(struct dcp_tls *t, char *bytes, size_t size)
{
    size_t n = 0;

    return BIO_read_ex(t->to_peer, bytes, size, &n) == 1 ? n : 0;
}

bool
dcp_tls_write(struct dcp_tls *t, const char *bytes, size_t n,
              struct dcp_error *err)
{
    size_t written = 0;

    ERR_clear_error();
    return n == 0 ||
           (SSL_write_ex(t->ssl, bytes, n, &written) == 1 && written == n) ||
           fail(err, "it takes nothing more");
}

bool
dcp_tls_read(struct dcp_tls *t, char *bytes, size_t size, size_t *out_n,
             struct dcp_error *err)
{
    *out_n = 0;
    ERR_clear_error();
    int result = SSL_read_ex(t->ssl, bytes, size, out_n);
    int reason = result == 1 ? SSL_ERROR_NONE : SSL_get_error(t->ssl, result);

    if (reason == SSL_ERROR_NONE || reason == SSL_ERROR_WANT_READ ||
        reason == SSL_ERROR_WANT_WRITE) {
        return true;
    }
    return fail(err, reason == SSL_ERROR_ZERO_RETURN ? "the peer ended it"
                                                     : "the connection broke");
}
