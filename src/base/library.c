/* SPDX-License-Identifier: MIT
 * Functions of a shared library, by dlopen. */
#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

enum cds_status cds_library_find(void *functions, const char *const *names, size_t count, const char *soname,
                                 struct cds_error *err) {
  void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return cds_error_set(err, CDS_E_CONFIG, "%s cannot be loaded: %s", soname, dlerror());
  for (size_t i = 0; i < count; i++) {
    void *function = dlsym(library, names[i]);
    if (function == NULL) return cds_error_set(err, CDS_E_CONFIG, "%s is too old: it has no %s", soname, names[i]);
    memcpy((char *)functions + i * sizeof function, &function, sizeof function);
  }
  return CDS_OK;
}
