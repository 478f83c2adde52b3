/* profile.h: where the time of training goes, node by node (`rheobase train --profile`).
 *
 * Off, it is one branch where a node is called. On, it is a look at the clock there: all the time
 * since the look before belongs to what has just ended, so nothing falls between two. */
#ifndef RHEO_SRC_PROFILE_H
#define RHEO_SRC_PROFILE_H
#include "base/clock.h"
#include <stddef.h>
#include <stdint.h>

typedef enum {
    RHEO_LAP_FORWARD,
    RHEO_LAP_BACKWARD,
    RHEO_LAP_GRADIENT,
    RHEO_LAP_UPDATE,
    RHEO_LAPS
} rheo_lap;
/* What belongs to no node. */
typedef enum {
    RHEO_REST_PLAN,    /* plans and learners made, checkpoints read */
    RHEO_REST_SCALING, /* first weights to a rate of spikes */
    RHEO_REST_DATA,
    RHEO_REST_ENCODE,
    RHEO_REST_LOSS, /* loss, regularisers, running accuracy */
    RHEO_REST_COUNT,
    RHEO_REST_VALIDATION,
    RHEO_REST_FILES, /* checkpoints, metrics, progress */
    RHEO_REST_TEST,  /* after training */
    RHEO_RESTS
} rheo_rest;

/* macs, bytes: the least that the work takes */
typedef struct rheo_cell {
    double seconds, macs, bytes;
    uint64_t calls;
} rheo_cell;

typedef struct rheo_profile_row {
    char name[32];
    const char *kind; /* of neuron or layer */
    rheo_cell cell[RHEO_LAPS];
    uint64_t settled; /* calls of `update` whose bytes have been added */
} rheo_profile_row;

typedef struct rheo_profile {
    rheo_profile_row *row; /* nodes of all phases' nets, by name and kind */
    uint32_t rows;
    uint32_t *of;                       /* one a node of the net under way: its row */
    rheo_cell rest[RHEO_RESTS], update; /* update: of the phase under way, of all parameters */
    double mark, began, wall; /* began: of the phase; wall: of the phases that are over [s] */
} rheo_profile;

/* Nothing is noted for the time since the last lap. */
static inline void rheo__lap_drop(rheo_profile *p)
{
    if (p) p->mark = rheo__now();
}
static inline void rheo__lap_cell(rheo_profile *p, rheo_cell *cell, uint32_t calls)
{
    const double t = rheo__now();
    cell->seconds += t - p->mark;
    cell->calls += calls;
    p->mark = t;
}
static inline void rheo__lap_node(rheo_profile *p, uint32_t n, rheo_lap lap, uint32_t calls)
{
    if (p) rheo__lap_cell(p, &p->row[p->of[n]].cell[lap], calls);
}
static inline void rheo__lap_update(rheo_profile *p, uint32_t calls)
{
    if (p) rheo__lap_cell(p, &p->update, calls);
}
static inline void rheo__lap_rest(rheo_profile *p, rheo_rest rest, uint32_t calls, double bytes)
{
    if (!p) return;
    rheo__lap_cell(p, &p->rest[rest], calls);
    p->rest[rest].bytes += bytes;
}
#endif
