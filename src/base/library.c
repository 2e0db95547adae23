/* SPDX-License-Identifier: MIT
 * Functions of a shared library, by dlopen. */
#include "base/library.h"

#include <dlfcn.h>
#include <pthread.h>
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

enum cds_status cds_library_load(struct cds_library *library, struct cds_error *err) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&lock);
  enum cds_status status = library->problem.status;
  if (!library->is_known)
    status = cds_library_find(library->functions, library->names, library->count, library->soname, &library->problem);
  library->is_known = true;
  if (status != CDS_OK) *err = library->problem;
  pthread_mutex_unlock(&lock);
  return status;
}
