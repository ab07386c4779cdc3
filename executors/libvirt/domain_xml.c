/* SPDX-License-Identifier: GPL-3.0-or-later */

/* XML of hypervisors is a stranger's: no DTD, no entities, no network, and
 * nothing of libxml2's is printed. */

#include "executors/libvirt/serve.h"

#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <stdio.h>
#include <string.h>

#define XML_BYTES_MAX ((size_t)4 << 20)

struct document {
    xmlDocPtr doc;
    xmlXPathContextPtr context;
};

static bool
open_document(struct document *d, const char *xml)
{
    size_t length = strlen(xml);

    *d = (struct document){ 0 };
    if (length > XML_BYTES_MAX) {
        return false;
    }
    d->doc = xmlReadMemory(xml, (int)length, NULL, NULL,
                           XML_PARSE_NONET | XML_PARSE_NOERROR |
                               XML_PARSE_NOWARNING);
    /* A document type is where entities come from; hypervisors send none. */
    if (d->doc && !d->doc->intSubset && !d->doc->extSubset) {
        d->context = xmlXPathNewContext(d->doc);
    }
    return d->context != NULL;
}

static void
close_document(struct document *d)
{
    xmlXPathFreeContext(d->context);
    xmlFreeDoc(d->doc);
}

bool
dcp_capabilities_uuid(const char *xml, char out[DCP_HOST_UUID_SIZE])
{
    struct document d;
    bool ok = open_document(&d, xml);
    xmlChar *text = NULL;

    out[0] = '\0';
    if (ok) {
        xmlXPathObjectPtr found = xmlXPathEvalExpression(
            (const xmlChar *)"string(/capabilities/host/uuid)", d.context);

        text = found ? xmlXPathCastToString(found) : NULL;
        xmlXPathFreeObject(found);
    }
    if (text) {
        (void)snprintf(out, DCP_HOST_UUID_SIZE, "%.36s", (const char *)text);
        xmlFree(text);
    }
    close_document(&d);
    return ok;
}

/* Of a path that names a file below the folder: "/srv/a" is not below "/srv/a"
 * nor "/srv/ab" below it, and what climbs ("..") is below nothing. */
static bool
is_below(const char *path, const char *folder)
{
    size_t n = strlen(folder);

    while (n > 1 && folder[n - 1] == '/') {
        n--;
    }
    return n && !strncmp(path, folder, n) && path[n] == '/' && path[n + 1] &&
           !strstr(path, "/../");
}

static bool
judge_disk(const char *path, const char *const shared[], size_t n_shared,
           struct dcp_error *err)
{
    for (size_t i = 0; i < n_shared; i++) {
        if (is_below(path, shared[i])) {
            return true;
        }
    }
    return dcp_fail(err, DCP_E_REFUSED,
                    "its disk %.120s is below no pool's path that connect.yaml "
                    "calls shared_path: true",
                    path);
}

bool
dcp_domain_disks_shared(const char *xml, const char *const shared[],
                        size_t n_shared, bool *out_files, struct dcp_error *err)
{
    struct document d;
    bool ok = open_document(&d, xml);
    xmlXPathObjectPtr found = NULL;

    *out_files = false;
    if (ok) {
        found = xmlXPathEvalExpression(
            (const xmlChar *)"/domain/devices/disk[@type='file' or "
                             "@type='block' or @type='dir']/source/@*[name()="
                             "'file' or name()='dev' or name()='dir']",
            d.context);
    }
    ok = (found && found->type == XPATH_NODESET) ||
         dcp_fail(err, DCP_E_REMOTE, "the domain's XML cannot be read");
    for (int i = 0; ok && found->nodesetval && i < found->nodesetval->nodeNr;
         i++) {
        xmlChar *path = xmlNodeGetContent(found->nodesetval->nodeTab[i]);

        *out_files = true;
        ok = path ? judge_disk((const char *)path, shared, n_shared, err)
                  : dcp_fail(err, DCP_E_NOMEM, "no memory for a path");
        xmlFree(path);
    }
    xmlXPathFreeObject(found);
    close_document(&d);
    return ok;
}
