/* regulariser.h: what is added to the loss to hold activity within bounds; listed in
 * regularisers.def. Each looks at one population's window, and adds its gradient to the
 * population's outputs or membranes:
 *
 *   a spike's gradient is the same at every step, since counts are what is held: [B,N]
 *   a membrane's gradient stands at its step: [T,B,N] */
#ifndef RHEO_SRC_REGULARISER_H
#define RHEO_SRC_REGULARISER_H
#include "array/signal.h"
#include "base/field.h"

/* What the double reference has in the place of signals, spikes hard or smooth; all [T,B,N]. */
typedef struct rheo_regularise_exact {
    uint32_t T, N;
    const double *out, *v;
    double *gout, *gv; /* added to */
} rheo_regularise_exact;

typedef struct rheo_regularise {
    const rheo_options *options;
    uint32_t B;                         /* of the batch */
    const rheo_signal *out;             /* bits or real */
    const rheo_signal *v;               /* membrane; NULL unless one is regularised */
    rheo_signal *gout, *gv;             /* added to; gout static */
    double *scratch;                    /* [N] */
    const uint32_t *length;             /* [B] steps of each sample; NULL: all */
    const rheo_regularise_exact *exact; /* these, and none of the signals; NULL: the signals */
} rheo_regularise;

typedef struct rheo_regulariser {
    const char *name, *title, *equations, *source;
    const rheo_field *fields; /* begins with strength and layers */
    /* what it reads with these options */
    bool (*membrane)(const rheo_options *options);
    double (*value)(const rheo_regularise *call);
} rheo_regulariser;
enum { RHEO_REGULARISE_STRENGTH, RHEO_REGULARISE_LAYERS };
enum { RHEO_LAYERS_HIDDEN, RHEO_LAYERS_OUTPUT, RHEO_LAYERS_ALL };

const rheo_regulariser *rheo__regulariser_find(const char *name);
const rheo_regulariser *rheo__regulariser_at(uint32_t index);
extern const char *const rheo__regulariser_names[];
#endif
