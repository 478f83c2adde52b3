/* learn.h: learning methods, each a file with a table of operations, listed in learners.def. A
 * recipe's `learn` is one phase or a list of phases; each phase takes the net as the one before left
 * it. A learner schedules; it never loops over spikes itself. */
#ifndef RHEO_SRC_LEARN_H
#define RHEO_SRC_LEARN_H
#include "coding/coding.h"
#include "data/data.h"
#include "exec/plan.h"
#include "loss/loss.h"
#include "optim/optim.h"

typedef struct rheo_metrics { /* of one epoch; a line of metrics.csv */
    uint32_t phase, epoch;
    double loss, train_accuracy;     /* running, in training; NaN: none */
    double validation_accuracy;      /* NaN: no validation part */
    double rate, silent;             /* output spikes a neuron and step; share that never fired */
    double gradient;                 /* norm of the last batch's gradient; NaN */
    double seconds;
    double operations;               /* MACs and ACs of this epoch's training */
} rheo_metrics;

/* How samples become signals and outputs become decisions: the recipe's `code`. */
typedef struct rheo_code {
    const rheo_encoder *encoder;
    rheo_options options;
    uint32_t steps;
    double dt;                       /* [ms] */
    uint32_t output;                 /* index of rheo__readout_names */
} rheo_code;

/* A phase of a recipe: one map under `learn`. The options of the loss and of the optimiser that it
 * names stand in the same map. */
struct rheo_learner;
typedef struct rheo_phase {
    const struct rheo_learner *learner;
    rheo_options options;
    const rheo_loss *loss;           /* NULL: the learner has no field `loss` */
    rheo_options loss_options;
    const rheo_optimiser *optimiser; /* NULL: the learner has no field `optimiser` */
    rheo_options optimiser_options;
} rheo_phase;

#define RHEO_SESSION_SLOTS 512
typedef struct rheo_session {
    rheo_context *ctx;
    rheo_net *net;                   /* replaced by a phase's edit */
    const rheo_dataset *data;
    rheo_code code;
    uint32_t batch;                  /* samples a batch (data.batch) */
    uint64_t seed;
    /* the phase under way */
    uint32_t phase;
    const rheo_phase *now;
    void *own;                       /* the learner's, made by begin, freed by end */
    uint32_t epoch, epochs;          /* of this phase */
    uint32_t at;                     /* samples of this epoch done */
    uint32_t show;                   /* training steps or presentations of the run so far */
    double loss_sum, seconds;        /* of this epoch so far */
    uint64_t correct, seen;
    double operations;               /* of the run so far */
    uint32_t lines, lines_room;      /* history */
    rheo_metrics *line;
    /* fitted on training data after the phases: neuron -> class, for readout `response` */
    uint32_t *assignment;            /* [outputs] or NULL */
} rheo_session;

typedef struct rheo_learner {
    const char *name, *title, *equations, *source;
    const char *needs;               /* what learning needs of hardware: "transported weights", "local traces", … */
    bool local;                      /* learnable on chip */
    bool once;                       /* an edit without epochs (normalise, spike) */
    const rheo_field *fields;
    /* Checks options against the net; may change the net in place (another neuron, scaled weights). */
    rheo_status (*edit)(rheo_session *session);
    /* Makes plans and slots: all memory it will own. *bytes: what it takes, also when only asked
     * (measure true: nothing is made). */
    rheo_status (*begin)(rheo_session *session, bool measure, size_t *bytes);
    /* Trains on the next batch (position `at` of the epoch's permutation); advances at, show, sums. */
    rheo_status (*batch)(rheo_session *session);
    rheo_status (*epoch)(rheo_session *session, rheo_metrics *line); /* end of an epoch; may be NULL */
    /* What must be in a checkpoint beyond the net's slots and the session's counters. */
    uint32_t (*slots)(rheo_session *session, rheo_slot *slots, uint32_t room);
    void (*end)(rheo_session *session);
} rheo_learner;
const rheo_learner *rheo__learner_find(const char *name);
const rheo_learner *rheo__learner_at(uint32_t index);
extern const char *const rheo__learner_names[];

/* Testing: accuracy against time, counts, confusion; parallel over samples, ties wrong. */
typedef struct rheo_tally {
    uint32_t samples, steps, classes;
    uint64_t correct;                /* at the last step, ties wrong */
    uint64_t correct_first;          /* the first maximum wins (some sources' rule) */
    uint64_t *correct_at;            /* [steps] ties wrong, after t+1 steps */
    double *synops_at;               /* [steps] synaptic operations and MACs until then, a sample */
    uint64_t *confusion;             /* [classes, classes]: label, decision (ties: the first maximum) */
    uint64_t *class_count;           /* [classes] */
    rheo_counts counts;              /* sums over the samples */
    uint64_t neurons;                /* that can spike */
    double seconds;
} rheo_tally;
rheo_status rheo__tally_new(rheo_context *ctx, uint32_t steps, uint32_t classes, rheo_tally *out);
void rheo__tally_free(rheo_context *ctx, rheo_tally *tally);
/* limit: samples, 0: all. Progress is reported as `what`. */
rheo_status rheo__test(rheo_session *session, rheo_split split, uint32_t limit, const char *what,
                       rheo_tally *out);
#endif
