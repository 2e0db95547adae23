/* SPDX-License-Identifier: MIT
 * libwebsockets decodes percent signs, and keeps a query's arguments apart. */
#include "web/request.h"

#include <libwebsockets.h>
#include <string.h>

static enum cds_status read_target(struct cds_buf *target, const char *path, struct lws *wsi) {
  const enum lws_token_indexes arguments = WSI_TOKEN_HTTP_URI_ARGS;
  enum cds_status status = cds_buf_append(target, path, strlen(path));
  for (int i = 0, length; status == CDS_OK && (length = lws_hdr_fragment_length(wsi, arguments, i)) > 0; i++) {
    char piece[CDS_WEB_MAX_SIGNED_HEADERS];
    if (lws_hdr_copy_fragment(wsi, piece, sizeof piece, arguments, i) < 0) return CDS_E_MEMORY;
    status = cds_buf_append(target, i ? "&" : "?", 1);
    if (status == CDS_OK) status = cds_buf_append(target, piece, (size_t)length);
  }
  return status;
}

static void read_own(char *out, int size, const char *name, struct lws *wsi) {
  if (lws_hdr_custom_copy(wsi, out, size, name, (int)strlen(name)) < 0) out[0] = 0;
}

void cds_web_request_read(struct cds_web_request *out, struct cds_buf *target, struct lws *wsi) {
  bool get = lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0;
  bool head = lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0;
  out->target = out->query = "";
  if (get || head) {
    strcpy(out->method, get ? "GET" : "HEAD");
    if (lws_hdr_copy(wsi, out->path, sizeof out->path, get ? WSI_TOKEN_GET_URI : WSI_TOKEN_HEAD_URI) < 0)
      out->path[0] = 0;
  }
  read_own(out->resume, sizeof out->resume, "last-event-id:", wsi);
  if (read_target(target, out->path, wsi) != CDS_OK || !target->data) return;
  out->target = target->data;
  out->query = target->data + strlen(out->path);
  if (*out->query) out->query++;
}

void cds_web_request_credentials(struct cds_web_credentials *out, struct lws *wsi) {
  if (lws_hdr_copy(wsi, out->key, sizeof out->key, WSI_TOKEN_HTTP_AUTHORIZATION) < 0) out->key[0] = 0;
  read_own(out->timestamp, sizeof out->timestamp, "x-authorization-timestamp:", wsi);
  read_own(out->signature, sizeof out->signature, "x-authorization-signature-sha256:", wsi);
}
