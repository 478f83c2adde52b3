/* readout.c: from the output layer to a decision, after every step: scores of the output's neurons,
 * joined for populations. What each read-out is, readouts.def tells.
 * The decision is the largest score; scores that are equal are a tie, which is reported. */
#include "readout/readout.h"

static float value(const rheo_signal *s, uint32_t t, uint32_t b, uint32_t n)
{
    if (s->form == RHEO_REAL) return rheo__real_row(s, t, b)[n];
    uint64_t bit = rheo__bits_row(s, t, b)[n / 64] >> n % 64 & 1;
    return bit ? s->hi : s->lo;
}

/* ---- the scores of the outputs after step t ---------------------------------------------------
 */

static void take_rate(const rheo_decide *d, uint32_t t, uint32_t b)
{
    for (uint32_t n = 0; n < d->out->N; n++) d->score[n] += (double)value(d->out, t, b, n);
}

static void take_membrane(const rheo_decide *d, uint32_t t, uint32_t b)
{
    for (uint32_t n = 0; n < d->v->N; n++) d->score[n] += (double)value(d->v, t, b, n);
}

static void take_last(const rheo_decide *d, uint32_t t, uint32_t b)
{
    for (uint32_t n = 0; n < d->v->N; n++) d->score[n] = (double)value(d->v, t, b, n);
}

static void take_first(const rheo_decide *d, uint32_t t, uint32_t b)
{
    for (uint32_t n = 0; n < d->out->N; n++)
        if (!(d->score[n] > 0) && value(d->out, t, b, n) > 0) d->score[n] = d->out->T - t;
}

static void take_max(const rheo_decide *d, uint32_t t, uint32_t b)
{
    for (uint32_t n = 0; n < d->v->N; n++) {
        const double v = (double)value(d->v, t, b, n);
        if (t == 0 || v > d->score[n]) d->score[n] = v;
    }
}

static void take_mean(const rheo_decide *d, uint32_t t, uint32_t b)
{
    for (uint32_t n = 0; n < d->v->N; n++)
        d->score[n] = (d->score[n] * t + (double)value(d->v, t, b, n)) / (t + 1.0);
}

/* Outputs that first spike in the same step have the same rank. */
static void take_rank(const rheo_decide *d, uint32_t t, uint32_t b)
{
    double weight = 1;
    for (uint32_t n = 0; n < d->out->N; n++) weight *= d->score[n] > 0 ? 0.9 : 1;
    for (uint32_t n = 0; n < d->out->N; n++)
        if (!(d->score[n] > 0) && value(d->out, t, b, n) > 0) d->score[n] = weight;
}

/* Exact sums and one division a class, so equal means are equal. Blocks keep the counts on the
 * stack. */
static void average(const rheo_decide *d)
{
    enum { BLOCK = 64 };
    for (uint32_t first = 0; first < d->classes; first += BLOCK) {
        uint32_t count[BLOCK] = {0}, m = d->classes - first < BLOCK ? d->classes - first : BLOCK;
        double *sum = d->class_score + first;
        for (uint32_t c = 0; c < m; c++) sum[c] = 0;
        for (uint32_t n = 0; n < d->out->N; n++) {
            uint32_t c = d->assignment[n] - first; /* wraps below first: not < m */
            if (c >= m) continue;
            sum[c] += d->score[n];
            count[c]++;
        }
        for (uint32_t c = 0; c < m; c++)
            if (count[c]) sum[c] /= count[c];
    }
}

static bool silent(const rheo_signal *s, uint32_t t, uint32_t b)
{
    if (s->form != RHEO_BITS || s->lo != 0) return false;
    const uint64_t *row = rheo__bits_row(s, t, b);
    uint64_t any = 0;
    for (uint32_t w = 0; w < rheo__words(s->N); w++) any |= row[w];
    return !any;
}

static void take_response(const rheo_decide *d, uint32_t t, uint32_t b)
{
    if (t > 0 && silent(d->out, t, b)) return; /* class_score stands */
    take_rate(d, t, b);
    average(d);
}

/* ---- the table --------------------------------------------------------------------------------
 */

const char *const rheo__group_names[] = {"none", "sum", "mean", NULL};

#define RHEO_READOUT(name, membrane, join, title, equations, source) #name,
const char *const rheo__readout_names[] = {
#include "readout/readouts.def"
    NULL};
#undef RHEO_READOUT

enum { SUM, LARGEST };
static const struct {
    bool membrane;
    int join;
    void (*take)(const rheo_decide *d, uint32_t t, uint32_t b);
} readouts[] = {
#define RHEO_READOUT(name, membrane, join, title, equations, source) {membrane, join, take_##name},
#include "readout/readouts.def"
#undef RHEO_READOUT
};

bool rheo__readout_uses_membrane(uint32_t readout)
{
    return readouts[readout].membrane;
}

/* Scores of the classes from those of their neurons. */
static void join(const rheo_decide *d, uint32_t outputs)
{
    const uint32_t k = outputs / d->classes;
    for (uint32_t c = 0; c < d->classes; c++) {
        double all = 0;
        for (uint32_t n = c * k; n < c * k + k; n++) {
            if (readouts[d->readout].join == SUM)
                all += d->score[n];
            else if (d->score[n] > all)
                all = d->score[n];
        }
        if (d->group == RHEO_GROUP_MEAN && readouts[d->readout].join == SUM) all /= k;
        d->class_score[c] = all;
    }
}

uint32_t rheo__decide(const rheo_decide *d, uint32_t t, uint32_t b, bool *tie)
{
    const rheo_signal *from = readouts[d->readout].membrane ? d->v : d->out;
    if (t == 0)
        for (uint32_t n = 0; n < from->N; n++) d->score[n] = 0;
    readouts[d->readout].take(d, t, b);
    const bool response = readouts[d->readout].take == take_response;
    const bool by_class = response || d->group != RHEO_GROUP_NONE;
    if (by_class && !response) join(d, from->N);
    const double *score = by_class ? d->class_score : d->score;
    uint32_t count = by_class || d->classes < from->N ? d->classes : from->N, best = 0;
    *tie = false;
    for (uint32_t c = 1; c < count; c++) {
        if (score[c] > score[best]) {
            best = c;
            *tie = false;
        } else if (score[c] == score[best]) {
            *tie = true;
        }
    }
    return best;
}
