/* check.h: what every test program includes first: cmocka and the things all tests need. */
#ifndef RHEO_TESTS_CHECK_H
#define RHEO_TESTS_CHECK_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/context.h"

/* fails with the context's error text */
#define CHECK_OK(ctx, call)                                                                        \
    do {                                                                                           \
        if ((call) != RHEO_OK) fail_msg("%s: %s", #call, rheo_error(ctx));                         \
    } while (0)
/* the call fails with this status and its message holds this text */
#define CHECK_FAILS(ctx, call, code, text)                                                         \
    do {                                                                                           \
        assert_int_equal((call), (code));                                                          \
        if (!strstr(rheo_error(ctx), (text)))                                                      \
            fail_msg("%s: message '%s' lacks '%s'", #call, rheo_error(ctx), (text));               \
    } while (0)
/* |a - b| <= tolerance, both printed */
#define CHECK_NEAR(a, b, tolerance)                                                                \
    do {                                                                                           \
        double a_ = (a), b_ = (b), t_ = (tolerance);                                               \
        if (!(fabs(a_ - b_) <= t_))                                                                \
            fail_msg("%s = %.9g, %s = %.9g: differ by %.3g > %.3g", #a, a_, #b, b_, fabs(a_ - b_), \
                     t_);                                                                          \
    } while (0)

static inline rheo_context *check_context(uint32_t threads)
{
    rheo_context *ctx = NULL;
    rheo_context_options options = {.threads = threads, .seed = 1};
    assert_int_equal(rheo_context_new(&options, &ctx), RHEO_OK);
    return ctx;
}
#endif
