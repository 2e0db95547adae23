/* SPDX-License-Identifier: MIT
 * libcurl, loaded and started when it is first asked for: a program that only decodes or streams does without it and
 * the thirty libraries behind it. */
#ifndef CDS_CURL_H
#define CDS_CURL_H

#include <curl/curl.h>

#include "base/error.h"

/* The functions of those names with curl_ before them. */
#define CDS_CURL_FUNCTIONS(F)                                                                                          \
  F(easy_cleanup)                                                                                                      \
  F(easy_getinfo)                                                                                                      \
  F(easy_init)                                                                                                         \
  F(easy_setopt)                                                                                                       \
  F(easy_strerror)                                                                                                     \
  F(getdate)                                                                                                           \
  F(global_init)                                                                                                       \
  F(multi_add_handle)                                                                                                  \
  F(multi_cleanup)                                                                                                     \
  F(multi_info_read)                                                                                                   \
  F(multi_init)                                                                                                        \
  F(multi_perform)                                                                                                     \
  F(multi_poll)                                                                                                        \
  F(multi_remove_handle)                                                                                               \
  F(multi_wakeup)                                                                                                      \
  F(slist_append)                                                                                                      \
  F(slist_free_all)                                                                                                    \
  F(version_info)

struct cds_curl {
#define MEMBER(name) __typeof__(curl_##name) *name;
  CDS_CURL_FUNCTIONS(MEMBER)
#undef MEMBER
};

/* A failure (*out is NULL) is one for good. From any thread. */
CDS_MUST_CHECK enum cds_status cds_curl_load(const struct cds_curl **out, struct cds_error *err);

#endif
