/* one_context.h: a context for all tests of a program. */
#ifndef RHEO_TESTS_ONE_CONTEXT_H
#define RHEO_TESTS_ONE_CONTEXT_H
#include "check.h"

static rheo_context *ctx;

static inline int open_context(void **state)
{
    (void)state;
    ctx = check_context(1);
    return 0;
}

static inline int close_context(void **state)
{
    (void)state;
    rheo_context_free(ctx);
    return 0;
}
#endif
