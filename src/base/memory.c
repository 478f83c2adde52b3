/* memory.c: how much memory there is: the machine's, or less in a control group (version 2, then
 * 1). */
#include "base/memory.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static uint64_t number_in(const char *path)
{
    char text[32] = "";
    FILE *file = fopen(path, "re");
    if (!file) return UINT64_MAX;
    const bool read = fgets(text, sizeof text, file) != NULL;
    fclose(file);
    const uint64_t value = read ? strtoull(text, NULL, 10) : 0;
    return value ? value : UINT64_MAX; /* "max": none */
}

uint64_t rheo__memory_limit(void)
{
    static const char *const limits[] = {"/sys/fs/cgroup/memory.max",
                                         "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
    const char *asked = getenv("RHEOBASE_MEMORY");
    const double megabytes = asked ? strtod(asked, NULL) : 0;
    if (megabytes > 0 && megabytes < 1e12) return (uint64_t)(megabytes * 1e6);
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    uint64_t least = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : UINT64_MAX;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        const uint64_t limit = number_in(limits[i]);
        if (limit < least) least = limit;
    }
    return least;
}
