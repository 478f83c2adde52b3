/* schedule.c: courses of the learning rate: rate x factor(k) after k ticks. A tick is an epoch or a
 * step of the optimiser (`each`); K is `period`; with 0, k/K is
 * the share of the training that is done; f is `last`.
 * Those of torch.optim.lr_scheduler:
 *
 *   linear       1 + (f - 1) min(k, K)/K              LinearLR(1, f, K)
 *   cosine       f + (1 - f) (1 + cos(pi k/K))/2      CosineAnnealingLR(K, f rate), closed form
 *   exponential  f^(k/K)                              ExponentialLR(f) with period 1
 *   step         factor^floor(k/K)                    StepLR(K, factor)
 *   multi-step   factor^(milestones passed)           MultiStepLR
 *   plateau      x factor after more than `patience` epochs without a better figure, then
 *                `rest` epochs that do not count       ReduceLROnPlateau
 *   warm-up      from + (1 - from) k/n, then a schedule from its own tick 0
 *                                                      SequentialLR(LinearLR(from, 1, n), …)
 *
 * Leaves out: restarts and cycles; milestones beyond four. */
#include "optim/optim.h"
#include <math.h>

static const char *const each_names[] = {"epoch", "step", NULL};
static const char *const watch_names[] = {"loss", "validation", NULL};
#define EACH(value)                                                                                \
    RHEO_CHOICE_FIELD("each", value, each_names,                                                   \
                      "What ticks: an epoch, or a step of the optimiser.")
#define PERIOD(value, least, doc) RHEO_NUMBER_FIELD("period", "ticks", value, least, 1e12, doc)
#define LAST                      RHEO_NUMBER_FIELD("last", "1", 0.01, 0, 1, "Factor on the rate after the period.")
#define FACTOR                    RHEO_NUMBER_FIELD("factor", "1", 0.1, 0, 1, "Factor on the rate at each change.")
#define WHOLE                     "Ticks until `last`; 0: the whole training."

/* Progress through the period, which continuous schedules count in parts of the training. */
enum { AT_EACH, AT_PERIOD, AT_LAST };
static double progress(const rheo_options *options, const rheo_course *course)
{
    double period = options->v[AT_PERIOD];
    return period > 0 ? course->tick / period : course->progress;
}

static const rheo_field constant_fields[] = {EACH(RHEO_EACH_STEP), RHEO_FIELD_END};
static double constant(const rheo_options *options, const rheo_course *course)
{
    (void)options;
    (void)course;
    return 1;
}

static const rheo_field smooth_fields[] = {EACH(RHEO_EACH_STEP), PERIOD(0, 0, WHOLE), LAST,
                                           RHEO_FIELD_END};
static double linear(const rheo_options *options, const rheo_course *course)
{
    double part = progress(options, course);
    return 1 + (options->v[AT_LAST] - 1) * (part < 1 ? part : 1);
}

static double cosine(const rheo_options *options, const rheo_course *course)
{
    double last = options->v[AT_LAST];
    return last + (1 - last) * (1 + cos(3.14159265358979323846 * progress(options, course))) / 2;
}

static double exponential(const rheo_options *options, const rheo_course *course)
{
    return pow(options->v[AT_LAST], progress(options, course));
}

enum { STEP_EACH, STEP_PERIOD, STEP_FACTOR };
static const rheo_field step_fields[] = {
    EACH(RHEO_EACH_EPOCH), PERIOD(30, 1, "Ticks between changes."), FACTOR, RHEO_FIELD_END};
static double step(const rheo_options *options, const rheo_course *course)
{
    return pow(options->v[STEP_FACTOR], floor(course->tick / options->v[STEP_PERIOD]));
}

enum { MULTI_EACH, MULTI_FACTOR, MULTI_AT, MULTI_END = MULTI_AT + 4 };
static const rheo_field multi_step_fields[] = {
    EACH(RHEO_EACH_EPOCH),
    FACTOR,
    RHEO_NUMBER_FIELD("first", "ticks", 30, 1, 1e12, "When the rate changes first."),
    RHEO_NUMBER_FIELD("second", "ticks", 0, 0, 1e12, "When it changes again; 0: never."),
    RHEO_NUMBER_FIELD("third", "ticks", 0, 0, 1e12, "And again."),
    RHEO_NUMBER_FIELD("fourth", "ticks", 0, 0, 1e12, "And again."),
    RHEO_FIELD_END};
static double multi_step(const rheo_options *options, const rheo_course *course)
{
    double passed = 0;
    for (int i = MULTI_AT; i < MULTI_END; i++)
        passed += options->v[i] > 0 && course->tick >= options->v[i];
    return pow(options->v[MULTI_FACTOR], passed);
}

enum { WATCH_EACH, WATCH, WATCH_FACTOR, PATIENCE, LEAST, REST, SMALLEST };
static const char *const epoch_names[] = {"epoch", NULL};
static const rheo_field plateau_fields[] = {
    RHEO_CHOICE_FIELD("each", RHEO_EACH_EPOCH, epoch_names, "What ticks: an epoch."),
    RHEO_CHOICE_FIELD("watch", 0, watch_names,
                      "The figure: the training loss, or the validation accuracy."),
    FACTOR,
    RHEO_INTEGER_FIELD("patience", "epochs", 10, 0, 1e9, "Epochs without a better figure."),
    RHEO_NUMBER_FIELD("better", "1", 1e-4, 0, 1, "By which share of it a figure has to be better."),
    RHEO_INTEGER_FIELD("rest", "epochs", 0, 0, 1e9, "Epochs after a change that do not count."),
    RHEO_NUMBER_FIELD("least", "1", 0, 0, 1, "The smallest factor on the rate."),
    RHEO_FIELD_END};

/* PyTorch's order: count, then rest, then change; a change below 1e-8 is none. */
static void plateau(const rheo_options *options, double loss, double accuracy, double rate,
                    rheo_course *course)
{
    const double *v = options->v;
    const bool rises = v[WATCH] > 0;
    const double figure = rises ? accuracy : loss;
    const double limit = course->best * (rises ? 1 + v[LEAST] : 1 - v[LEAST]);
    const bool better = !(course->seen > 0) || (rises ? figure > limit : figure < limit);
    course->seen++;
    if (better) course->best = figure;
    course->bad = better ? 0 : course->bad + 1;
    if (course->rest > 0) {
        course->rest--;
        course->bad = 0;
    }
    if (course->bad <= v[PATIENCE]) return;
    double next = course->factor * v[WATCH_FACTOR];
    next = next > v[SMALLEST] ? next : v[SMALLEST];
    if (rate * (course->factor - next) > 1e-8) course->factor = next;
    course->rest = v[REST];
    course->bad = 0;
}

double rheo__warm_up(double from, double ticks, double tick)
{
    return tick < ticks ? from + (1 - from) * tick / ticks : 1;
}

#define SMOOTH(symbol, name_, title_, equations_)                                                  \
    const rheo_schedule rheo__schedule_##symbol = {.name = name_,                                  \
                                                   .title = title_,                                \
                                                   .equations = equations_,                        \
                                                   .source = "torch.optim.lr_scheduler",           \
                                                   .fields = smooth_fields,                        \
                                                   .factor = symbol}
SMOOTH(linear, "linear", "falls in a straight line", "1 + (last - 1) min(k / period, 1)");
SMOOTH(cosine, "cosine", "falls as half a cosine",
       "last + (1 - last) (1 + cos(pi k / period)) / 2");
SMOOTH(exponential, "exponential", "falls by the same share at each tick", "last^(k / period)");

const rheo_schedule rheo__schedule_constant = {.name = "constant",
                                               .title = "stays as it is",
                                               .equations = "1",
                                               .fields = constant_fields,
                                               .factor = constant};
const rheo_schedule rheo__schedule_step = {.name = "step",
                                           .title = "falls in equal steps",
                                           .equations = "factor^floor(k / period)",
                                           .source = "torch.optim.lr_scheduler.StepLR",
                                           .fields = step_fields,
                                           .factor = step};
const rheo_schedule rheo__schedule_multi_step = {.name = "multi-step",
                                                 .title = "falls at up to four given times",
                                                 .equations =
                                                     "factor^(number of first, second, … <= k)",
                                                 .source = "torch.optim.lr_scheduler.MultiStepLR",
                                                 .fields = multi_step_fields,
                                                 .factor = multi_step};
const rheo_schedule rheo__schedule_plateau = {
    .name = "plateau",
    .title = "falls when a figure has not got better",
    .equations =
        "times factor after more than `patience` epochs without a figure better than the best "
        "by the share `better`",
    .source = "torch.optim.lr_scheduler.ReduceLROnPlateau, threshold_mode rel",
    .fields = plateau_fields,
    .observe = plateau};
