/* faults.h: an allocator that fails when told to and knows what has not been given back. */
#ifndef RHEO_TESTS_FAULTS_H
#define RHEO_TESTS_FAULTS_H
#include "check.h"

typedef struct faults {
    uint64_t left; /* calls that succeed before one fails; UINT64_MAX: none fails */
    size_t live;   /* bytes out */
} faults;

static inline void *faults_resize(void *user, void *p, size_t old, size_t now)
{
    faults *f = user;
    if (now != 0 && f->left != UINT64_MAX && f->left-- == 0) {
        f->left = UINT64_MAX;
        return NULL;
    }
    void *fresh = rheo__default_resize(NULL, p, old, now);
    if (fresh || now == 0) f->live = f->live - old + now;
    return fresh;
}

static inline rheo_context *faults_context(faults *f)
{
    rheo_context *ctx = NULL;
    rheo_context_options options = {.threads = 2, .seed = 1, .allocator = {f, faults_resize}};
    *f = (faults){.left = UINT64_MAX};
    assert_int_equal(rheo_context_new(&options, &ctx), RHEO_OK);
    return ctx;
}

/* Runs work(ctx, arg) with its 1st, 2nd, … allocation failing, until it gets through: each failure
 * must say RHEO_MEMORY, have a text and leave nothing behind. work frees what it made. */
static inline void faults_sweep(rheo_status (*work)(rheo_context *, void *), void *arg)
{
    faults f;
    rheo_context *ctx = faults_context(&f);
    size_t before = f.live;
    uint64_t n = 0;
    for (;; n++) {
        f.left = n;
        rheo_status status = work(ctx, arg);
        if (f.live != before) fail_msg("allocation %d: leak of %zu", (int)n, f.live - before);
        if (status == RHEO_OK) break;
        assert_int_equal(status, RHEO_MEMORY);
        assert_non_null(strstr(rheo_error(ctx), "out of memory"));
    }
    assert_true(n > 0); /* there was something to fail */
    rheo_context_free(ctx);
    assert_int_equal(f.live, 0);
}
#endif
