/* profile.h: a profile over a session's phases (exec/profile.h has the clock). */
#ifndef RHEO_SRC_LEARN_PROFILE_H
#define RHEO_SRC_LEARN_PROFILE_H
#include "exec/profile.h"
#include "learn/learn.h"

/* All take a NULL profile for none. Before a phase's plan is made: finds the rows of its net. */
rheo_status rheo__profile_enter(rheo_context *ctx, rheo_profile *profile, const rheo_net *net);
/* After the phase: shares the update out among the nodes. slots: floats of the optimiser for each
 * parameter. */
void rheo__profile_leave(rheo_profile *profile, const rheo_net *net, uint32_t slots);
/* Of all that belongs to training; without the test. */
rheo_cell rheo__profile_sum(const rheo_profile *profile);
void rheo__profile_free(rheo_context *ctx, rheo_profile *profile);
/* The plan's last window counted; its profile gets the least work of each node. */
void rheo__count_window(const rheo_plan *plan, rheo_counts *add);
#endif
