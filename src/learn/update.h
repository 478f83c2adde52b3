/* update.h: from the gradient of a batch to new parameters: accumulation, clipping, the optimiser's
 * step, constraints. Works in pieces of parameters that the context's threads share out; a piece
 * owns what it writes, and sums go over pieces in order, so threads change no bit. */
#ifndef RHEO_SRC_UPDATE_H
#define RHEO_SRC_UPDATE_H
#include "learn/learn.h"

typedef struct rheo_share {
    rheo_param *param;
    float *w, *g, *sum; /* sum: of the gradients so far; NULL without accumulation */
    float *slot[RHEO_OPTIMISER_SLOTS];
    size_t count;
    double square; /* of the gradient's norm */
    bool wrong;    /* a parameter is not finite after the step */
} rheo_share;

typedef struct rheo_update {
    rheo_context *ctx;
    const rheo_phase *phase;
    double clip, clip_value; /* 0: no limit */
    uint32_t accumulate;     /* batches a step */
    uint32_t params, pieces;
    const rheo_net *net;
    float **slot; /* [params][slots], [params] sums; NULL where not trained */
    float **sum;
    rheo_share *piece;
    bool parallel;       /* there is work for more than one thread */
    double norm;         /* of the last gradient, before clipping */
    uint64_t step;       /* of the optimiser, from 1; saved */
    uint64_t pending[2]; /* batches and samples in the sums; saved */
    double factor, rate; /* of the pass under way */
} rheo_update;

/* Memory of a learner: made, or with `measure` only added to *bytes. */
typedef struct rheo_taker {
    rheo_context *ctx;
    bool measure;
    size_t *bytes;
} rheo_taker;
rheo_status rheo__taker_take(const rheo_taker *taker, size_t count, size_t size, void *out);

/* update: zeroed but for clip, clip_value and accumulate. plan: NULL when only measured. */
rheo_status rheo__update_make(const rheo_taker *taker, const rheo_net *net, const rheo_phase *phase,
                              const rheo_plan *plan, rheo_update *update);
void rheo__update_free(rheo_update *update);
/* Takes the gradient of a batch of B samples, as it stands in the plan; fills norm. */
void rheo__update_add(rheo_update *update, uint32_t B);
/* All batches of a step are there. */
bool rheo__update_full(const rheo_update *update);
/* The step, with what has been added; norm becomes that of the whole gradient. NULL: fine; else a
 * parameter that is not finite any more. */
const rheo_param *rheo__update_step(rheo_update *update, double rate);
uint32_t rheo__update_slots(rheo_update *update, rheo_slot *slot, uint32_t room);
#endif
