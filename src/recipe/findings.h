/* findings.h: what `rheobase diagnose` measures of a net in training, and what it makes of it. */
#ifndef RHEO_SRC_FINDINGS_H
#define RHEO_SRC_FINDINGS_H
#include "recipe/job.h"

/* A spiking population in one training batch. */
typedef struct rheo_activity {
    const rheo_node_spec *node;
    bool output;
    double rate;      /* spikes a neuron and step */
    double silent;    /* share of neurons that never fired */
    double saturated; /* share that fired in more than 9 of 10 steps */
    double threshold; /* NaN: the model has none */
    double v[3];      /* membrane: median, 95th percentile, largest; NaN: none */
    double pass;      /* mean derivative of the spike where there was none, by its largest; NaN */
    double slope;     /* of the surrogate */
} rheo_activity;

/* A trained parameter. */
typedef struct rheo_motion {
    const rheo_param *param;
    double size, gradient; /* root mean square of the values, of the gradient */
    double step;           /* of the optimiser's first step at `rate` */
    double later;          /* largest root mean square gradient of the weights behind it; 0: none */
    bool finite;
} rheo_motion;

typedef struct rheo_look {
    const rheo_phase *phase; /* NULL: no gradients */
    double loss;             /* of the batch */
    double rate;             /* learn.rate */
    double largest;          /* root mean square gradient of a parameter */
    double first, last;      /* training loss of the first and of the last epoch; NaN */
    uint32_t samples, steps, activities, motions;
    rheo_activity *activity; /* in the order of nodes */
    rheo_motion *motion;
} rheo_look;

#define RHEO_FINDINGS 256
typedef struct rheo_finding {
    const char *name, *change; /* of the kind; `change`: what to do in general */
    char where[64], what[320]; /* "2", figures and advice */
} rheo_finding;
/* At most `room`; returns their number. */
uint32_t rheo__findings(const rheo_look *look, rheo_finding *out, uint32_t room);
#endif
