/* loss.h: losses, each with its gradient; listed in losses.def. A loss is one function of one
 * sample's window x [T,C] in double, which fills dl/dx; what is common to all is around it
 * (loss.c):
 *
 *   L = 1/B sum_b l(x_b),   x_b[t,c] = the output (bits as 0/1, or real) or its membrane
 *
 * Populations: of N = k C neurons, group c (k neurons side by side) stands for class c, and x[t,c]
 * is their sum, or their mean. Lengths: steps from length[b] on are neither seen nor pushed. */
#ifndef RHEO_SRC_LOSS_H
#define RHEO_SRC_LOSS_H
#include "array/signal.h"
#include "base/field.h"

typedef struct rheo_loss_call {
    const rheo_options *options;
    double dt;                  /* step [ms]; 0: 1 */
    uint32_t T, B, C;           /* C: neurons of the output */
    uint32_t classes;           /* C is a multiple of it; 0: a neuron a class */
    bool mean;                  /* a class is the mean of its neurons, not their sum */
    const rheo_signal *out;     /* bits or real */
    const rheo_signal *readout; /* real; NULL unless the loss uses it */
    const uint32_t *label;      /* [B] */
    const uint32_t *length;     /* [B] steps that count, 1 … T; NULL: T */
    const float *target; /* real targets [B,classes], or [B,T,classes] when they move; NULL: the
                            label's. Losses that do not take them follow the label. */
    bool moving;
    rheo_signal *gout, *greadout; /* real, overwritten by mean-loss gradients; NULL when not used */
    float *scratch;               /* rheo__loss_need floats */
} rheo_loss_call;

/* What a loss sees. */
typedef struct rheo_loss_window {
    const rheo_options *options;
    double dt;
    uint32_t T, C, label; /* the sample's own length; classes */
    double share;         /* neurons that a class sums: a neuron's target times this is a class's */
    const float *target;  /* [C], or [T,C] when moving; NULL */
    bool moving;
    const double *x; /* [T,C] */
    double *g;       /* [T,C], 0 on entry */
    double *row;     /* RHEO_LOSS_ROWS rows of C */
} rheo_loss_window;
#define RHEO_LOSS_ROWS 4u

typedef struct rheo_loss {
    const char *name, *title, *equations, *source;
    bool uses_readout; /* the membrane; else the output */
    bool estimated;    /* the gradient is an estimator's: differences do not show it */
    bool takes_target; /* real targets in place of labels */
    bool takes_moving; /* also those that change from step to step */
    const rheo_field *fields;
    double (*window)(const rheo_loss_window *w);
} rheo_loss;
const rheo_loss *rheo__loss_find(const char *name);
const rheo_loss *rheo__loss_at(uint32_t index);
extern const char *const rheo__loss_names[];

size_t rheo__loss_need(uint32_t T, uint32_t C);
/* Mean over B; fills the gradients. */
double rheo__loss_value(const rheo_loss *loss, const rheo_loss_call *call);
/* The same in double on x [T,B,C], whatever the loss reads; grad the same shape, or NULL. Of the
 * call's signals none is looked at. */
double rheo__loss_reference(const rheo_loss *loss, const rheo_loss_call *call, const double *x,
                            double *grad);

/* For losses: -log softmax(x)[label] by the largest x; g: its gradient, may be x. */
double rheo__cross_entropy(const double *x, uint32_t C, uint32_t label, double *g);
/* The target of class c at step t: the caller's, or a neuron's `correct` or `incorrect`, summed. */
double rheo__loss_target(const rheo_loss_window *w, uint32_t t, uint32_t c, double correct,
                         double incorrect);
#endif
