/* clock.h: seconds of a clock that never goes back, for durations. */
#ifndef RHEO_SRC_CLOCK_H
#define RHEO_SRC_CLOCK_H
#include <time.h>

static inline double rheo__now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
#endif
