/* update.c: what happens to a gradient.
 *
 *   accumulate n   g = sum_i B_i g_i / sum_i B_i over n batches of B_i samples, in their order: the
 *                  gradient of one batch of all samples, up to the order of the sum
 *   clip_value c   g <- min(max(g, -c), c)
 *   clip c         g <- g c / |g| if |g| > c, over all parameters together (Pascanu et al. 2013)
 *   then the optimiser's step, and the constraints of parameters
 *
 * The norm is a sum of squares in double: 16 lanes in a piece of 16,384 elements, over the lanes,
 * over the pieces in order. */
#include "learn/update.h"
#include "base/threads.h"
#include "kernels/kernels.h"
#include "learn/finite.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BATCHES, SAMPLES };
#define PIECE    ((size_t)1 << 14) /* elements */
#define PARALLEL ((size_t)1 << 16) /* elements from which threads pay */

rheo_status rheo__taker_take(const rheo_taker *taker, size_t count, size_t size, void *out)
{
    size_t all;
    RHEO_CHECK(taker->ctx,
               rheo__mul(count, size, &all) && rheo__add(*taker->bytes, all, taker->bytes),
               RHEO_MEMORY, "out of memory: training needs more than there can be");
    return taker->measure ? RHEO_OK : rheo__alloc(taker->ctx, count, size, "training", out);
}

static size_t elements(const rheo_param *param)
{
    return (size_t)param->rows * param->cols;
}

/* Order of nodes, of a node's parameters, of elements. */
static void cut(rheo_update *update, const rheo_net *net, const rheo_plan *plan)
{
    const uint32_t slots = update->phase->optimiser->slots;
    rheo_share *piece = update->piece;
    for (uint32_t n = 0; n < net->nodes; n++)
        for (uint32_t i = 0; i < net->node[n].params; i++) {
            rheo_param *param = net->node[n].param[i];
            float *g = plan->work[n].grad[i];
            const size_t p = (size_t)(param - net->param), count = elements(param);
            for (size_t at = 0; g && at < count; at += PIECE, piece++) {
                *piece = (rheo_share){.param = param,
                                      .w = param->value + at,
                                      .g = g + at,
                                      .sum = update->sum ? update->sum[p] + at : NULL,
                                      .count = count - at < PIECE ? count - at : PIECE};
                for (uint32_t s = 0; s < slots; s++)
                    piece->slot[s] = update->slot[p * slots + s] + at;
            }
        }
    update->pieces = (uint32_t)(piece - update->piece);
}

static rheo_status make(const rheo_taker *taker, const rheo_net *net, rheo_update *update)
{
    const uint32_t slots = update->phase->optimiser->slots;
    size_t pieces = 0, all = 0;
    if (slots > 0)
        RHEO_TRY(
            rheo__taker_take(taker, (size_t)net->params * slots, sizeof(float *), &update->slot));
    if (update->accumulate > 1)
        RHEO_TRY(rheo__taker_take(taker, net->params, sizeof(float *), &update->sum));
    for (uint32_t p = 0; p < net->params; p++) {
        const size_t count = elements(&net->param[p]);
        if (!net->param[p].trained) continue;
        pieces += count / PIECE + (count % PIECE != 0);
        all += count;
        for (uint32_t s = 0; s < slots; s++)
            RHEO_TRY(rheo__taker_take(taker, count, sizeof(float),
                                      update->slot ? &update->slot[p * slots + s] : NULL));
        if (update->accumulate > 1)
            RHEO_TRY(rheo__taker_take(taker, count, sizeof(float),
                                      update->sum ? &update->sum[p] : NULL));
    }
    update->parallel = all >= PARALLEL;
    return rheo__taker_take(taker, pieces, sizeof *update->piece, &update->piece);
}

rheo_status rheo__update_make(const rheo_taker *taker, const rheo_net *net, const rheo_phase *phase,
                              const rheo_plan *plan, rheo_update *update)
{
    update->ctx = taker->ctx;
    update->phase = phase;
    update->net = net;
    update->params = net->params;
    if (phase->optimiser->check)
        RHEO_TRY(phase->optimiser->check(taker->ctx, &phase->optimiser_options));
    RHEO_TRY(make(taker, net, update));
    if (plan) cut(update, net, plan);
    return RHEO_OK;
}

void rheo__update_free(rheo_update *update)
{
    const uint32_t slots = update->phase ? update->phase->optimiser->slots : 0;
    for (uint32_t i = 0; update->slot && i < update->params * slots; i++)
        rheo__release(update->ctx, update->slot[i]);
    for (uint32_t p = 0; update->sum && p < update->params; p++)
        rheo__release(update->ctx, update->sum[p]);
    rheo__release(update->ctx, update->slot);
    rheo__release(update->ctx, update->sum);
    rheo__release(update->ctx, update->piece);
}

/* ---- passes over all pieces ---- */

static void pass(rheo_update *update, rheo_task_fn *fn)
{
    if (update->parallel)
        rheo__parallel(update->ctx, update->pieces, fn, update);
    else
        for (uint32_t i = 0; i < update->pieces; i++) fn(update, i, 0);
}

static double square_sum(const rheo_update *update, const rheo_share *piece, const float *g)
{
    return rheo__kernels(update->ctx)->square_sum(g, piece->count);
}

static double norm(const rheo_update *update)
{
    double sum = 0;
    for (uint32_t i = 0; i < update->pieces; i++) sum += update->piece[i].square;
    return sqrt(sum);
}

/* The gradient's square; with accumulation sum += factor g. */
static void add_piece(void *arg, uint32_t task, uint32_t thread)
{
    const rheo_update *update = arg;
    rheo_share *piece = &update->piece[task];
    const float *restrict g = piece->g;
    float *restrict sum = piece->sum;
    const float factor = (float)update->factor;
    (void)thread;
    piece->square = square_sum(update, piece, g);
    for (size_t i = 0; sum && i < piece->count; i++) sum[i] += factor * g[i];
}

/* g = sum / samples; sum = 0 */
static void mean_piece(void *arg, uint32_t task, uint32_t thread)
{
    const rheo_update *update = arg;
    rheo_share *piece = &update->piece[task];
    const float count = (float)update->factor;
    (void)thread;
    for (size_t i = 0; i < piece->count; i++) piece->g[i] = piece->sum[i] / count;
    memset(piece->sum, 0, piece->count * sizeof(float));
    piece->square = square_sum(update, piece, piece->g);
}

static void limit_piece(void *arg, uint32_t task, uint32_t thread)
{
    const rheo_update *update = arg;
    rheo_share *piece = &update->piece[task];
    const float limit = (float)update->clip_value;
    (void)thread;
    rheo__kernels(update->ctx)->clamp(-limit, limit, piece->g, piece->count);
    piece->square = square_sum(update, piece, piece->g);
}

static void step_piece(void *arg, uint32_t task, uint32_t thread)
{
    const rheo_update *update = arg;
    const rheo_phase *phase = update->phase;
    const rheo_kernels *kernels = rheo__kernels(update->ctx);
    rheo_share *piece = &update->piece[task];
    const rheo_param *param = piece->param;
    (void)thread;
    if (update->factor < 1) kernels->scale((float)update->factor, piece->g, piece->count);
    phase->optimiser->step(kernels, &phase->optimiser_options, update->rate, update->step, piece->w,
                           piece->g, piece->slot, piece->count);
    piece->wrong = !rheo__all_finite(piece->w, piece->count); /* clamping would hide infinity */
    if (param->low > -INFINITY || param->high < INFINITY)
        kernels->clamp(param->low, param->high, piece->w, piece->count);
}

/* ---- a step ---- */

void rheo__update_add(rheo_update *update, uint32_t B)
{
    update->factor = B;
    pass(update, add_piece);
    update->norm = norm(update);
    update->pending[BATCHES]++;
    update->pending[SAMPLES] += B;
}

bool rheo__update_full(const rheo_update *update)
{
    return update->pending[BATCHES] >= update->accumulate;
}

const rheo_param *rheo__update_step(rheo_update *update, double rate)
{
    if (update->sum) {
        update->factor = (double)update->pending[SAMPLES];
        pass(update, mean_piece);
        update->norm = norm(update);
    }
    double clipped = update->norm;
    if (update->clip_value > 0) {
        pass(update, limit_piece);
        clipped = norm(update);
    }
    update->factor = update->clip > 0 && clipped > update->clip ? update->clip / clipped : 1;
    update->rate = rate;
    update->step++;
    memset(update->pending, 0, sizeof update->pending);
    pass(update, step_piece);
    const rheo_param *wrong = NULL;
    for (uint32_t i = 0; i < update->pieces; i++) {
        const rheo_share *piece = &update->piece[i];
        if (i == 0 || piece->param != update->piece[i - 1].param) piece->param->version++;
        if (piece->wrong && !wrong) wrong = piece->param;
    }
    return wrong;
}

/* ---- what a checkpoint needs ---- */

static uint32_t add_slot(const rheo_param *param, const char *what, uint32_t index, float *data,
                         rheo_slot *slot)
{
    *slot =
        (rheo_slot){.type = RHEO_SLOT_F32, .rows = param->rows, .cols = param->cols, .data = data};
    snprintf(slot->path, sizeof slot->path, "/%s/%s/%s/%u", what, param->node, param->name, index);
    return 1;
}

uint32_t rheo__update_slots(rheo_update *update, rheo_slot *slot, uint32_t room)
{
    const uint32_t slots = update->phase->optimiser->slots;
    uint32_t count = 0;
    for (uint32_t p = 0; p < update->params; p++) {
        const rheo_param *param = &update->net->param[p];
        for (uint32_t s = 0; s < slots && param->trained && count < room; s++)
            count += add_slot(param, "optimiser", s, update->slot[p * slots + s], slot + count);
        if (update->sum && param->trained && count < room)
            count += add_slot(param, "accumulated", 0, update->sum[p], slot + count);
    }
    if (count + 2 > room) return count;
    slot[count] = (rheo_slot){.type = RHEO_SLOT_U64, .rows = 1, .data = &update->step};
    snprintf(slot[count++].path, sizeof slot->path, "/optimiser/step");
    if (!update->sum) return count;

    slot[count] = (rheo_slot){.type = RHEO_SLOT_U64, .rows = 2, .data = update->pending};
    snprintf(slot[count++].path, sizeof slot->path, "/accumulated/counts");
    return count;
}
