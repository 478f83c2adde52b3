/* learn.h: learning methods, each a file with a table of operations, listed in learners.def. A
 * recipe's `learn` is one phase or a list of phases; each phase takes the net as the one before
 * left it. A learner schedules; it never loops over spikes itself. */
#ifndef RHEO_SRC_LEARN_H
#define RHEO_SRC_LEARN_H
#include "coding/coding.h"
#include "data/data.h"
#include "exec/plan.h"
#include "exec/reference.h"
#include "loss/loss.h"
#include "loss/regulariser.h"
#include "optim/optim.h"
#include "readout/readout.h"

#define RHEO_METRIC_LAYERS 16
#define RHEO_MOST_SHOWS    64u /* of a sample that wakes fewer spikes than `least` */
typedef struct rheo_metrics {  /* of one epoch; a line of metrics.csv. All double: saved as rows */
    double phase, epoch;       /* counted from 1 */
    double loss, train_accuracy; /* running, in training [1], [%]; NaN: none */
    double validation_accuracy;  /* NaN: no validation part */
    double gradient;             /* norm of the last batch's gradient; NaN */
    double seconds;
    double operations;    /* MACs and ACs of this epoch's training */
    double learning_rate; /* of the last step; NaN */
    double kept;          /* 1: the phase ended with this epoch's net (`restore`) */
    /* of each population in order; NaN: none */
    double rate[RHEO_METRIC_LAYERS];   /* spikes a neuron and step */
    double silent[RHEO_METRIC_LAYERS]; /* share that never fired in the last batch or sample; NaN */
} rheo_metrics;

/* How samples become signals and outputs become decisions: the recipe's `code`. */
typedef struct rheo_code {
    const rheo_encoder *encoder;
    rheo_options options;
    uint32_t steps;
    double dt;        /* [ms] */
    uint32_t output;  /* index of rheo__readout_names */
    rheo_group group; /* outputs are a population for each class */
    uint32_t least;   /* show a sample again while the output gave fewer spikes; 0: never */
    double raise;     /* what each further show adds to the input's intensity */
    uint32_t label;   /* training samples that label the output's neurons; 0: all */
} rheo_code;
/* The table of `code` beyond the encoder's own fields: steps, step, output, least, raise, label. */
extern const rheo_field rheo__code_fields[];
enum {
    RHEO_CODE_STEPS,
    RHEO_CODE_STEP,
    RHEO_CODE_OUTPUT,
    RHEO_CODE_LEAST,
    RHEO_CODE_RAISE,
    RHEO_CODE_LABEL,
    RHEO_CODE_POPULATION
};

/* The net's input, channels first, for samples of this shape. */
rheo_status rheo__code_shape(rheo_context *ctx, const rheo_code *code, const uint32_t data[3],
                             uint32_t net[3]);

#define RHEO_PHASE_REGULARISERS 8
typedef struct rheo_phase_regulariser {
    const rheo_regulariser *rule;
    rheo_options options;
} rheo_phase_regulariser;

/* A phase of a recipe: one map under `learn`. The options of the loss, of the optimiser and of the
 * schedule that it names stand in the same map. */
struct rheo_learner;
typedef struct rheo_phase {
    const struct rheo_learner *learner;
    rheo_options options;
    const rheo_loss *loss; /* NULL: the learner has no field `loss` */
    rheo_options loss_options;
    uint32_t regularisers; /* the map `regularise` */
    rheo_phase_regulariser regulariser[RHEO_PHASE_REGULARISERS];
    const rheo_optimiser *optimiser; /* NULL: the learner has no field `optimiser` */
    rheo_options optimiser_options;
    const rheo_schedule *schedule; /* NULL: the learner has no field `schedule` */
    rheo_options schedule_options;
} rheo_phase;

#define RHEO_SESSION_SLOTS 512
typedef struct rheo_session {
    rheo_context *ctx;
    rheo_net *net; /* replaced by a phase's edit */
    const rheo_dataset *data;
    rheo_code code;
    uint32_t batch; /* samples a batch (data.batch) */
    uint64_t seed;
    /* the phase under way */
    uint32_t phase;
    const rheo_phase *now;
    void *own;                /* the learner's, made by begin, freed by end */
    uint32_t epoch, epochs;   /* of this phase */
    uint32_t at, goal;        /* samples of this epoch done; in all, 0: all there are */
    uint32_t show;            /* the optimiser's steps or presentations of the run so far */
    double loss_sum, seconds; /* of this epoch so far */
    uint64_t correct, seen;
    double operations;          /* of the run so far */
    uint32_t lines, lines_room; /* history; room: epochs of all phases */
    rheo_metrics *line;
    const char *const *record; /* what training's plan records, for who looks at it; NULL */
    rheo_profile *profile;     /* of all phases that train; NULL: none */
    /* fitted on training data after the phases: neuron -> class, for readout `response` */
    uint32_t *assignment; /* [outputs] or NULL */
} rheo_session;

typedef struct rheo_learner {
    const char *name, *title, *equations, *source;
    const char *needs; /* of hardware, for learning: "transported weights", "local traces", … */
    bool local;        /* learnable on chip */
    const rheo_field *fields; /* fields `epochs` and `iterations` are read by the session */
    /* Checks the options against the net and changes its structure (another neuron model). Called
     * in training and again when a model file is read. NULL: nothing. */
    rheo_status (*edit)(rheo_session *session);
    /* A phase without epochs: changes weights once (normalisation). NULL: has epochs. */
    rheo_status (*apply)(rheo_session *session);
    /* Makes plans and slots: all memory it will own. measure: only adds up what they would take. */
    rheo_status (*begin)(rheo_session *session, bool measure, size_t *bytes);
    /* Trains on the next batch (position `at` of the epoch's permutation, up to `goal`); advances
     * at, show, sums. */
    rheo_status (*batch)(rheo_session *session);
    /* Forward, loss and backward of the next batch, as `batch` would do them, in the plan that it
     * uses; nothing is learned. NULL: no gradients */
    rheo_status (*look)(rheo_session *session, const rheo_plan **plan, double *loss);
    rheo_status (*epoch)(rheo_session *session,
                         rheo_metrics *line); /* fills what it knows of the line */
    /* After an epoch has been validated; *stop: it was the last of the phase. NULL: nothing */
    rheo_status (*closed)(rheo_session *session, const rheo_metrics *line, bool *stop);
    /* What must be in a checkpoint beyond the net's slots and the session's counters. */
    uint32_t (*slots)(rheo_session *session, rheo_slot *slots, uint32_t room);
    void (*end)(rheo_session *session);
} rheo_learner;
const rheo_learner *rheo__learner_find(const char *name);
const rheo_learner *rheo__learner_at(uint32_t index);
extern const char *const rheo__learner_names[];

/* ---- regularisers (regularise.c) ---- */
/* What a phase's regularisers need of the plan: gradients at outputs, at membranes. */
void rheo__regularise_ask(const rheo_phase *phase, rheo_request *request);
/* Doubles of scratch. */
size_t rheo__regularise_need(const rheo_net *net, const rheo_phase *phase);
/* After the loss and before the plan's backward; loss_membrane: what the loss has filled. Returns
 * what is added to the loss. */
double rheo__regularise(const rheo_phase *phase, rheo_plan *plan, bool loss_membrane,
                        double *scratch);
/* The same of the double reference: gout, gv one a node, [T,B,N] of each population, added to. */
double rheo__regularise_reference(const rheo_phase *phase, const rheo_net *net,
                                  const rheo_reference *reference, uint32_t T, uint32_t B,
                                  double *const *gout, double *const *gv, double *scratch);

/* ---- how a session shows samples (show.c) ---- */
/* All populations are stateless: one step says all, and training takes constant input. */
bool rheo__net_analogue(const rheo_net *net);
/* Steps of a presentation: 1 for an analogue net with static input. */
uint32_t rheo__sweep_steps(const rheo_session *session);
/* A plan for B samples as the session shows them, forward only. */
rheo_request rheo__session_request(const rheo_session *session, uint32_t B);
/* Encodes samples into a plan's source. Theirs are x, sample, length, show, intensity and step0; the
 * rest is the session's. */
void rheo__session_encode(const rheo_session *session, rheo_plan *plan, const rheo_encode *samples);
/* The encoder's neurons must be the net's inputs, and a sample must end with its presentation. */
rheo_status rheo__session_fits(const rheo_session *session);
/* The steps of the samples at these positions, as plans and encoders take them; room: [B]. NULL:
 * the data have no lengths. */
const uint32_t *rheo__session_lengths(const rheo_session *session, rheo_split split,
                                      const uint32_t *position, uint32_t B, uint32_t *room);

/* ---- sweeps: every sample of a split through the net as it is, weights frozen, each from rest,
 * in parallel; what is done with the output is the visitor's ---- */
typedef struct rheo_visit {
    const rheo_plan *plan; /* after its forward */
    uint32_t thread;       /* index of the visitor's own sums */
    uint32_t B;
    const uint32_t *label, *id; /* [B] */
    uint32_t shows;             /* presentations that it took (all of B) */
} rheo_visit;
typedef void rheo_visitor(void *arg, const rheo_visit *visit);
typedef struct rheo_sweep {
    rheo_split split;
    uint32_t limit;   /* samples, 0: all */
    const char *what; /* for progress, "test" */
    bool readout;     /* v of the output is needed */
    rheo_visitor *visit;
    void *arg;
} rheo_sweep;
rheo_status rheo__sweep(rheo_session *session, const rheo_sweep *sweep);
/* Bytes that a sweep takes while it runs. */
rheo_status rheo__sweep_measure(rheo_session *session, bool readout, size_t *bytes);

/* ---- testing: accuracy against time, counts, confusion; ties wrong ---- */
typedef struct rheo_tally {
    uint32_t samples, steps, classes;
    uint64_t correct;       /* at the last step, ties wrong */
    uint64_t correct_first; /* the first maximum wins (some sources' rule) */
    uint64_t *correct_at;   /* [steps] ties wrong, after t+1 steps */
    double *operations_at;  /* [steps] synaptic operations and MACs until then, a sample */
    uint64_t *confusion;    /* [classes, classes]: label, decision (ties: the first maximum) */
    rheo_counts counts;     /* sums over the samples */
    uint64_t neurons;       /* that can spike */
    uint64_t shows;
    double seconds;
} rheo_tally;
void rheo__tally_free(rheo_context *ctx, rheo_tally *tally);
/* limit: samples, 0: all. Progress is reported as `what`. */
rheo_status rheo__test(rheo_session *session, rheo_split split, uint32_t limit, const char *what,
                       rheo_tally *out);
/* For the read-out `response`: gives each output neuron the class it answers most (mean spikes a
 * sample), from at most `limit` training samples. */
rheo_status rheo__label(rheo_session *session, uint32_t limit);

/* ---- sessions: phases in order, checkpoints between batches ---- */
typedef struct rheo_session_request {
    const rheo_phase *phase;
    uint32_t phases;
    const char *checkpoint;  /* path; NULL: none */
    const char *recipe_text; /* goes into the checkpoint */
    double every;            /* seconds between checkpoints */
    /* called after each epoch, with the line added; NULL: nothing */
    rheo_status (*line)(void *arg, rheo_session *session);
    /* called when the trained phases are over and before those that only edit; NULL: nothing */
    rheo_status (*learned)(void *arg, rheo_session *session);
    void *arg;
} rheo_session_request;
/* Runs all phases, or what is left of them after the checkpoint. RHEO_INTERRUPTED: a checkpoint is
 * there. */
rheo_status rheo__session_run(rheo_session *session, const rheo_session_request *request);
/* The memory of training and of testing, for the plan's prediction. */
rheo_status rheo__session_measure(rheo_session *session, const rheo_session_request *request,
                                  size_t *train, size_t *test);
void rheo__session_clear(rheo_session *session); /* frees what the session itself holds */
#endif
