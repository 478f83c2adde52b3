/* binary.c: products of bits with bits by counting; exact integers. The row is the instruction
 * set's (kernels.h has the formulas). */
#include "base/threads.h"
#include "kernels/kernels.h"

enum { COLUMNS = 256 }; /* outputs of a task: their weights serve ROWS rows */
enum { ROWS = 32 };

typedef struct job {
    const rheo_kernels *kernels;
    const rheo_binary_product *product;
    uint32_t groups; /* of ROWS */
} job;

static void task_rows(void *arg, uint32_t task, uint32_t thread)
{
    const job *j = arg;
    const rheo_binary_product *p = j->product;
    (void)thread;
    uint32_t n0 = task / j->groups * COLUMNS, n1 = p->N - n0 < COLUMNS ? p->N : n0 + COLUMNS;
    uint32_t m = task % j->groups * ROWS, end = p->M - m < ROWS ? p->M : m + ROWS;
    for (; m < end; m++) j->kernels->binary_row(p, m, n0, n1);
}

void rheo__binary_product(rheo_context *ctx, const rheo_binary_product *p)
{
    if (p->M == 0 || p->N == 0) return;
    job j = {rheo__kernels(ctx), p, (p->M - 1) / ROWS + 1};
    rheo__parallel(ctx, ((p->N - 1) / COLUMNS + 1) * j.groups, task_rows, &j);
}
