/* version.c: which build this is; the build file defines both. */
#include <rheobase/base.h>

#ifndef RHEO_VERSION
#define RHEO_VERSION "0.1.0"
#endif
#ifndef RHEO_COMMIT
#define RHEO_COMMIT "unknown"
#endif

const char *rheo_version(void)
{
    return RHEO_VERSION;
}

const char *rheo_commit(void)
{
    return RHEO_COMMIT;
}
