/* initialise.c: first values of weights w [rows, cols], drawn with a key of their own.
 *
 *   pytorch         U(-b, b), b = 1/sqrt(in), bias too        torch.nn.Linear and Conv2d
 *   glorot          U(-b, b), b = sqrt(6/(in + out))          Glorot & Bengio 2010, eq. 16
 *   glorot-normal   N(0, 2/(in + out))
 *   he              N(0, 2/in)                                He et al. 2015, eq. 10
 *   he-uniform      U(-b, b), b = sqrt(6/in)                  (arXiv:1502.01852)
 *   normal          N(mean, sd^2)
 *   uniform         U(low, high)
 *   orthogonal      w w^T = 1, or w^T w = 1 with more rows than columns; of all such with the same
 *                   probability                               Saxe et al. 2014, arXiv:1312.6120
 *
 * All times `gain`. Weights that make a layer fire at a target rate need data: see `target_rate` of
 * the method bptt. */
#include "layer/initialise.h"
#include <math.h>
#include <string.h>

const char *const rheo__initial_kinds[] = {"pytorch",       "glorot",     "he",
                                           "glorot-normal", "he-uniform", "normal",
                                           "uniform",       "orthogonal", NULL};

/* A range, or a mean and a deviation. */
typedef struct spread {
    double low, high, mean, sd;
} spread;

static spread even(double bound)
{
    return (spread){.low = -bound, .high = bound};
}
static spread bell(double mean, double sd)
{
    return (spread){.mean = mean, .sd = sd};
}

static spread pytorch(const rheo_initial *i)
{
    return even(1 / sqrt(i->in));
}
static spread glorot(const rheo_initial *i)
{
    return even(sqrt(6 / (i->in + i->out)));
}
static spread he(const rheo_initial *i)
{
    return bell(0, sqrt(2 / i->in));
}
static spread glorot_normal(const rheo_initial *i)
{
    return bell(0, sqrt(2 / (i->in + i->out)));
}
static spread he_uniform(const rheo_initial *i)
{
    return even(sqrt(6 / i->in));
}
static spread normal(const rheo_initial *i)
{
    return bell(i->option[RHEO_INITIAL_MEAN], i->option[RHEO_INITIAL_SD]);
}
static spread uniform(const rheo_initial *i)
{
    return (spread){.low = i->option[RHEO_INITIAL_LOW], .high = i->option[RHEO_INITIAL_HIGH]};
}
static spread orthogonal(const rheo_initial *i)
{
    (void)i;
    return bell(0, 1);
}

static const struct {
    spread (*of)(const rheo_initial *);
    bool normal;
} kinds[] = {
    [RHEO_INITIAL_PYTORCH] = {pytorch, false},
    [RHEO_INITIAL_GLOROT] = {glorot, false},
    [RHEO_INITIAL_HE] = {he, true},
    [RHEO_INITIAL_GLOROT_NORMAL] = {glorot_normal, true},
    [RHEO_INITIAL_HE_UNIFORM] = {he_uniform, false},
    [RHEO_INITIAL_NORMAL] = {normal, true},
    [RHEO_INITIAL_UNIFORM] = {uniform, false},
    [RHEO_INITIAL_ORTHOGONAL] = {orthogonal, true},
};

/* ---- vectors at right angles: Gram and Schmidt in place, rows when there are no more of them than
 * columns, else columns. Vector v of `count` has its element k at v * apart + k * along. ---- */

typedef struct basis {
    float *x;
    size_t count, length, apart, along;
} basis;

static void shorten(const basis *b, size_t v)
{
    float *x = b->x + v * b->apart;
    double squares = 0;
    for (size_t k = 0; k < b->length; k++)
        squares += (double)x[k * b->along] * (double)x[k * b->along];
    const double factor = squares > 0 ? 1 / sqrt(squares) : 0;
    for (size_t k = 0; k < b->length; k++)
        x[k * b->along] = (float)((double)x[k * b->along] * factor);
}

/* Takes vector v's part out of the vectors behind it, a group at a time: both loops run along
 * memory whichever way the vectors lie. */
#define GROUP 256u
static void take_out(const basis *b, size_t v)
{
    const float *x = b->x + v * b->apart;
    for (size_t first = v + 1; first < b->count; first += GROUP) {
        const size_t group = b->count - first < GROUP ? b->count - first : GROUP;
        double dot[GROUP] = {0};
        float *y = b->x + first * b->apart;
        if (b->along == 1) {
            for (size_t g = 0; g < group; g++, y += b->apart) {
                for (size_t k = 0; k < b->length; k++) dot[0] += (double)x[k] * (double)y[k];
                for (size_t k = 0; k < b->length; k++) y[k] -= (float)(dot[0] * (double)x[k]);
                dot[0] = 0;
            }
            continue;
        }
        for (size_t k = 0; k < b->length; k++)
            for (size_t g = 0; g < group; g++)
                dot[g] += (double)x[k * b->along] * (double)y[k * b->along + g];
        for (size_t k = 0; k < b->length; k++)
            for (size_t g = 0; g < group; g++)
                y[k * b->along + g] -= (float)(dot[g] * (double)x[k * b->along]);
    }
}

/* Twice: what rounding leaves of the first time is at the rounding of the numbers after the second.
 */
static void make_orthogonal(const rheo_param *w)
{
    const size_t rows = w->rows, cols = w->cols;
    const basis b = rows <= cols ? (basis){w->value, rows, cols, cols, 1}
                                 : (basis){w->value, cols, rows, 1, cols};
    for (int time = 0; time < 2; time++)
        for (size_t v = 0; v < b.count; v++) {
            shorten(&b, v);
            take_out(&b, v);
        }
}

/* ---- first values ---- */

rheo_status rheo__initial_check(rheo_context *ctx, const rheo_initial *initial)
{
    const double *o = initial->option;
    RHEO_CHECK(ctx, o[RHEO_INITIAL_LOW] <= o[RHEO_INITIAL_HIGH], RHEO_USAGE,
               "net node %s: first weights are from %g to %g, expected low <= high",
               initial->node->name, o[RHEO_INITIAL_LOW], o[RHEO_INITIAL_HIGH]);
    return RHEO_OK;
}

void rheo__initialise(const rheo_initial *initial, uint64_t seed, const rheo_param *weight,
                      const rheo_param *bias)
{
    const rheo_key key = rheo__key(seed, initial->node->index, RHEO_FOR_WEIGHTS);
    const rheo_initial_kind kind = (rheo_initial_kind)initial->option[RHEO_INITIAL_KIND];
    const float gain = (float)initial->option[RHEO_INITIAL_GAIN];
    const spread s = kinds[kind].of(initial);
    const uint64_t n = (uint64_t)weight->rows * weight->cols;
    if (kinds[kind].normal)
        rheo__fill_normal(key, 0, (float)s.mean, (float)s.sd, weight->value, n);
    else
        rheo__fill_uniform(key, 0, (float)s.low, (float)s.high, weight->value, n);
    if (kind == RHEO_INITIAL_ORTHOGONAL) make_orthogonal(weight);
    for (uint64_t i = 0; i < n; i++) weight->value[i] *= gain;
    if (!bias) return;
    if (kind == RHEO_INITIAL_PYTORCH)
        rheo__fill_uniform(key, 1, (float)s.low, (float)s.high, bias->value, bias->cols);
    else
        memset(bias->value, 0, bias->cols * sizeof(float));
}
