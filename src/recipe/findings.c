/* findings.c: the table of what can be wrong with a net that does not learn, each a test on
 * measured figures. Bounds are rules of thumb, far from what nets that learn show:
 *
 *   silent        more than 90 % of a population never fires in a batch
 *   saturated     more than half of a population fires in more than 9 of 10 steps
 *   threshold     the membrane's 95th percentile is below a quarter of the threshold
 *   dead          the spike's derivative, where there was no spike, is below 1/1000 of its largest
 *   vanishing     weights' gradients (root mean square) below 1e-4 of the largest behind them
 *   exploding     above 1 and 1e3 times it, or above 1e3
 *   too-high      the first step changes weights by more than their own size (Bottou's rule: 1e-3)
 *   too-low       by less than 1e-6 of it, though there is a gradient
 *   not-falling   the training loss has not fallen by 1 % over the epochs
 *   not-finite    parameters that are NaN or infinite
 *
 * Zenke & Vogels 2021 (Neural Computation 33:899) and Rossbroich et al. 2022 (arXiv:2206.10226) on
 * silence, thresholds and surrogates; Glorot & Bengio 2010 on gradients from layer to layer. */
#include "recipe/findings.h"
#include <math.h>
#include <stdio.h>

typedef struct kind {
    const char *name, *change;
    /* one of these: says what it found, false: nothing */
    bool (*activity)(const rheo_look *look, const rheo_activity *a, char *what, size_t room);
    bool (*motion)(const rheo_look *look, const rheo_motion *m, char *what, size_t room);
    bool (*whole)(const rheo_look *look, char *what, size_t room);
} kind;

/* How much larger weights would bring the membrane's 95th percentile to the threshold. */
static double to_threshold(const rheo_activity *a)
{
    return a->v[1] > 0 && a->threshold > 0 ? a->threshold / a->v[1] : NAN;
}

static void advise(const rheo_activity *a, char *what, size_t room, int used)
{
    const double factor = to_threshold(a);
    if (used < 0 || (size_t)used >= room) return;
    if (factor > 1)
        snprintf(what + used, room - (size_t)used,
                 "; weights %.2g times as large, or a threshold of %.2g, would reach it", factor,
                 a->v[1]);
}

static bool silent(const rheo_look *look, const rheo_activity *a, char *what, size_t room)
{
    (void)look;
    if (!(a->silent > 0.9)) return false;
    advise(a, what, room,
           snprintf(what, room, "%.0f %% of its neurons never fire, %.2g spikes a neuron and step",
                    100 * a->silent, a->rate));
    return true;
}

static bool saturated(const rheo_look *look, const rheo_activity *a, char *what, size_t room)
{
    if (!(a->saturated > 0.5) || look->steps < 2) return false;
    const double reach = fmax(a->v[0], a->threshold) + a->threshold;
    int used = snprintf(what, room, "%.0f %% of its neurons fire in more than 9 of 10 steps",
                        100 * a->saturated);
    if (reach > 0 && used > 0 && (size_t)used < room)
        snprintf(what + used, room - (size_t)used,
                 "; the membrane's median is %.3g, the threshold %.3g: weights about %.1g times as "
                 "large would bring it back",
                 a->v[0], a->threshold, a->threshold / reach);
    return true;
}

static bool threshold(const rheo_look *look, const rheo_activity *a, char *what, size_t room)
{
    (void)look;
    if (!(a->v[1] < 0.25 * a->threshold)) return false;
    advise(a, what, room,
           snprintf(what, room,
                    "the threshold is %.3g, but the membrane is below %.3g in 95 %% of steps and "
                    "%.3g at most",
                    a->threshold, a->v[1], a->v[2]));
    return true;
}

static bool dead(const rheo_look *look, const rheo_activity *a, char *what, size_t room)
{
    if (!look->phase || !(a->pass < 1e-3)) return false;
    snprintf(
        what, room,
        "the surrogate's derivative is %.2g of its largest on average: membranes are far from the "
        "threshold (median %.3g, threshold %.3g) for slope %.3g; a slope of about %.2g would "
        "reach them",
        a->pass, a->v[0], a->threshold, a->slope, 1 / fmax(fabs(a->threshold - a->v[0]), 1e-6));
    return true;
}

static bool vanishing(const rheo_look *look, const rheo_motion *m, char *what, size_t room)
{
    (void)look;
    if (!m->finite || m->param->rows < 2 || !(m->gradient < 1e-4 * m->later)) return false;
    snprintf(what, room, "its gradient is %.2g, the largest behind it %.2g: %.1g of that",
             m->gradient, m->later, m->gradient / m->later);
    return true;
}

static bool exploding(const rheo_look *look, const rheo_motion *m, char *what, size_t room)
{
    const bool far = m->later > 0 && m->gradient > 1e3 * m->later && m->gradient > 1;
    (void)look;
    if (m->param->rows < 2 || (!far && !(m->gradient > 1e3))) return false;
    snprintf(what, room, "its gradient is %.2g, the largest behind it %.2g; `clip` limits the step",
             m->gradient, m->later);
    return true;
}

/* Rules for weights: a bias of 0 has no size to compare with. */
static bool too_high(const rheo_look *look, const rheo_motion *m, char *what, size_t room)
{
    if (!(m->size > 0) || m->param->rows < 2 || !(m->step > m->size)) return false;
    snprintf(what, room,
             "a step at rate %.2g changes it by %.2g, and its size is %.2g; a rate of %.1g changes "
             "one part in a hundred",
             look->rate, m->step, m->size, look->rate * 0.01 * m->size / m->step);
    return true;
}

static bool too_low(const rheo_look *look, const rheo_motion *m, char *what, size_t room)
{
    if (!(m->size > 0) || m->param->rows < 2 || !(m->gradient > 0) || !(m->step < 1e-6 * m->size))
        return false;
    if (m->gradient < 1e-3 * look->largest) return false; /* then the gradient is what is small */
    if (m->step > 0)
        snprintf(
            what, room,
            "a step at rate %.2g changes it by %.1g of its size; a rate of %.1g changes one part "
            "in a thousand",
            look->rate, m->step / m->size, look->rate * 1e-3 * m->size / m->step);
    else
        snprintf(what, room, "a step at rate %.2g does not change it at all", look->rate);
    return true;
}

static bool not_falling(const rheo_look *look, char *what, size_t room)
{
    if (!(look->last > 0.99 * look->first)) return false;
    snprintf(what, room, "the training loss was %.4g in the first epoch and is %.4g in the last",
             look->first, look->last);
    return true;
}

static bool not_finite(const rheo_look *look, const rheo_motion *m, char *what, size_t room)
{
    if (m->finite) return false;
    snprintf(what, room, "it has values that are NaN or infinite; train anew at a rate below %.2g",
             look->rate);
    return true;
}

static const kind kinds[] = {
    {"not-finite", "a smaller rate, or clip", NULL, not_finite, NULL},
    {"silent",
     "a lower threshold, larger weights (gain, target_rate), or the regulariser for quiet "
     "neurons",
     silent, NULL, NULL},
    {"saturated", "a higher threshold, smaller weights, or a regulariser on spikes", saturated,
     NULL, NULL},
    {"threshold", "a threshold within the membrane's range, or larger weights", threshold, NULL,
     NULL},
    {"dead-surrogate", "a smaller slope, or a surrogate with wide tails (fast sigmoid, arctan)",
     dead, NULL, NULL},
    {"vanishing-gradient", "other first weights, normalisation between layers, a wider surrogate",
     NULL, vanishing, NULL},
    {"exploding-gradient", "clip, smaller first weights, a detached reset", NULL, exploding, NULL},
    {"rate-too-high", "a smaller learn.rate, or warm_up", NULL, too_high, NULL},
    {"rate-too-low", "a larger learn.rate", NULL, too_low, NULL},
    {"loss-not-falling", "see what else was found; then more epochs, or another rate", NULL, NULL,
     not_falling},
};

static void add(const kind *k, const char *where, const char *name, rheo_finding *out)
{
    out->name = k->name;
    out->change = k->change;
    snprintf(out->where, sizeof out->where, "%s%s%s", where, name ? "." : "", name ? name : "");
}

uint32_t rheo__findings(const rheo_look *look, rheo_finding *out, uint32_t room)
{
    uint32_t count = 0;
    for (const kind *k = kinds; k < kinds + sizeof kinds / sizeof *kinds; k++) {
        for (uint32_t i = 0; k->activity && i < look->activities && count < room; i++)
            if (k->activity(look, &look->activity[i], out[count].what, sizeof out->what))
                add(k, look->activity[i].node->name, NULL, &out[count++]);
        for (uint32_t i = 0; k->motion && i < look->motions && count < room; i++)
            if (k->motion(look, &look->motion[i], out[count].what, sizeof out->what))
                add(k, look->motion[i].param->node, look->motion[i].param->name, &out[count++]);
        if (k->whole && count < room && k->whole(look, out[count].what, sizeof out->what))
            add(k, "training", NULL, &out[count++]);
    }
    return count;
}
