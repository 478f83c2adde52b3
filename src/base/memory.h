/* memory.h: how much memory there is. */
#ifndef RHEO_SRC_MEMORY_H
#define RHEO_SRC_MEMORY_H
#include <stdint.h>

/* Bytes that this process may take: RHEOBASE_MEMORY in MB where it is set, else the least of the
 * machine's memory and its control group's limit. */
uint64_t rheo__memory_limit(void);
#endif
