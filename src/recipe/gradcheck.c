/* gradcheck.c: `rheobase gradcheck`: are the gradients right? Two links of one chain:
 *
 *   1. the double reference of the recipe's net, with smooth spikes, against differences of the
 *      loss, (8 L(w+h) - 8 L(w-h) - L(w+2h) + L(w-2h)) / 12h, for some weights of each parameter;
 *   2. the float engine with its real spikes against the double reference with the same spikes, for
 *      all weights.
 *
 * The loss is the recipe's, with its regularisers. (`force` looks for silent neurons, of which
 * smooth spikes leave none: link 1 does not see it.)
 *
 * Link 1 lets the gradient through resets even where the recipe detaches them, which is a choice,
 * not a derivative; link 2 has the recipe's own. Straight-through parameters (binary weights) have
 * a gradient by definition, not by calculus: link 1 leaves them out and says so. Data are random, a
 * few steps of a few samples. */
#include "exec/reference.h"
#include "layer/weights.h"
#include "recipe/job.h"
#include <cjson/cJSON.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SAMPLES 16u /* fewer let sums of signs tie exactly at the mean of a batch normalisation */
#define STEPS   6u
#define WEIGHTS 6u
#define TRIES   8u /* of other inputs, when a neuron is so near its threshold that rounding decides */
/* Four points leave an error of h^4 times the fifth derivative: (h/0.02)^4 = 6e-10 for the
 * narrowest bend in use, a soft-LIF of gamma 0.02, and rounding of the loss L about 16 units in its
 * last place, divided by h and by the largest gradient, which is added to the limit. */
#define STEP         1e-4
#define SMOOTH_LIMIT 1e-6
/* float32 has 2^-24 = 6e-8; sums of some thousand terms lose about two digits more. */
#define FLOAT_LIMIT 1e-4

typedef struct line {
    char name[64];
    double limit;          /* of smooth, with the rounding of this parameter's differences */
    double smooth, engine; /* largest errors, relative to scale_of; NaN: not applicable */
    const char *why;
} line;

typedef struct checker {
    rheo_context *ctx;
    rheo_recipe *recipe;
    rheo_dataset *data;
    rheo_net *net;
    const rheo_phase *phase;
    uint32_t T, inputs, outputs;
    double *x, *g;                                     /* [T,B,N], [T,B,C] */
    float *scratch;                                    /* the loss's */
    double *held;                                      /* the regularisers' */
    double *gout[RHEO_NET_NODES], *gv[RHEO_NET_NODES]; /* of populations, with regularisers: what
        pushes outputs and membranes; of the output one of the two is g */
    uint32_t label[SAMPLES], id[SAMPLES];
    line *lines;
    uint32_t count;
    double detach[RHEO_NET_NODES]; /* the recipe's own, a node */
    uint64_t differ, spikes;       /* spikes of engine and reference that differ, of all */
} checker;

/* Floats, so that both sides see the same numbers. */
static void draw_input(checker *c, uint32_t attempt)
{
    rheo_key key = rheo__key(c->recipe->seed, 0, RHEO_FOR_TEST);
    bool integer = !strcmp(c->recipe->code.encoder->name, "integer");
    for (size_t i = 0; i < (size_t)c->T * SAMPLES * c->inputs; i++) {
        uint32_t draw[4], counter[4] = {(uint32_t)i, 1 + attempt, 0, 0};
        rheo__philox(key, counter, draw);
        double x = (double)rheo__uniform(draw[0]);
        c->x[i] = integer ? floor(256 * x) : x;
    }
}

static bool straight_through(const checker *c, uint32_t p)
{
    const rheo_param *param = &c->net->param[p];
    int node = rheo__net_find(c->net, param->node, param->name);
    const rheo_node_spec *spec = &c->net->node[node];
    int index = spec->layer->fields ? rheo__field_index(spec->layer->fields, "weights") : -1;
    if (index < 0 || strcmp(param->name, "weight") != 0) return false;
    const int kind = (int)spec->options.v[index]; /* the steps; the other kinds have derivatives */
    return kind >= RHEO_BINARY_WEIGHTS && kind <= RHEO_QUANTISED_WEIGHTS;
}

static uint32_t classes_of(const checker *c)
{
    return c->recipe->code.group == RHEO_GROUP_NONE ? c->outputs : c->data->classes;
}

static rheo_loss_call call_of(const checker *c)
{
    return (rheo_loss_call){.options = &c->phase->loss_options,
                            .dt = c->recipe->code.dt,
                            .T = c->T,
                            .B = SAMPLES,
                            .C = c->outputs,
                            .classes = classes_of(c),
                            .mean = c->recipe->code.group == RHEO_GROUP_MEAN,
                            .label = c->label,
                            .scratch = c->scratch};
}

/* What regularisers add to the loss; c->g holds the loss's gradient. */
static double hold(checker *c, const rheo_reference *reference)
{
    if (c->phase->regularisers == 0) return 0;
    for (uint32_t n = 0; n < c->net->nodes; n++) {
        const size_t bytes =
            (size_t)c->T * SAMPLES * rheo__shape_size(c->net->node[n].out) * sizeof(double);
        if (c->gout[n] && c->gout[n] != c->g) memset(c->gout[n], 0, bytes);
        if (c->gv[n] && c->gv[n] != c->g) memset(c->gv[n], 0, bytes);
    }
    return rheo__regularise_reference(c->phase, c->net, reference, c->T, SAMPLES, c->gout, c->gv,
                                      c->held);
}

/* Loss and, when asked, its gradient, at the output that the reference holds. */
static double loss_of(checker *c, rheo_reference *reference, double *grad)
{
    const rheo_loss *loss = c->phase->loss;
    const double *at =
        loss->uses_readout ? rheo__reference_readout(reference) : rheo__reference_out(reference);
    const rheo_loss_call call = call_of(c);
    const double value = rheo__loss_reference(loss, &call, at, grad);
    return value + hold(c, reference);
}

static void backward(checker *c, rheo_reference *reference)
{
    bool readout = c->phase->loss->uses_readout;
    rheo__reference_forward(reference, c->x);
    loss_of(c, reference, c->g);
    for (uint32_t n = 0; n < c->net->nodes; n++)
        if (n != c->net->output) rheo__reference_push(reference, n, c->gout[n], c->gv[n]);
    rheo__reference_backward(reference, readout ? c->gout[c->net->output] : c->g,
                             readout ? c->g : c->gv[c->net->output], NULL);
}

static double largest(const double *g, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++) most = fmax(most, fabs(g[i]));
    return most;
}

/* The largest, of a node's channels, of the sums of the sizes of the numbers in its row. */
static double largest_sum(const rheo_node_spec *node, const double *g, uint32_t rows)
{
    const size_t size = rheo__shape_size(node->out), places = size / node->out.dim[0];
    double most = 0;
    for (size_t c = 0; c < size; c += places) {
        double sum = 0;
        for (uint32_t r = 0; r < rows; r++)
            for (size_t i = c; i < c + places; i++) sum += fabs(g[r * size + i]);
        most = fmax(most, sum);
    }
    return most;
}

/* What the errors of a parameter's gradient are measured by: the largest of its elements. Before a
 * batch normalisation a bias has the gradient 0, and what is computed is what rounding leaves of
 * its n terms, one a step, sample and place, which cancel: in double at most n 2^-53 of the sum of
 * their sizes. Up to there that sum is the measure: float32 leaves about 2^-24 of it a term. */
static double scale_of(const checker *c, const rheo_reference *reference, uint32_t p)
{
    const rheo_param *param = &c->net->param[p];
    const uint32_t n = (uint32_t)rheo__net_find(c->net, param->node, param->name);
    const rheo_node_spec *node = &c->net->node[n];
    const double own =
        largest(rheo__reference_grad(reference, p), (size_t)param->rows * param->cols);
    const double terms = largest_sum(node, rheo__reference_node_grad(reference, n), c->T * SAMPLES);
    const double count = (double)c->T * SAMPLES * rheo__shape_size(node->out) / node->out.dim[0];
    return own > count * DBL_EPSILON / 2 * terms ? own : terms;
}

/* Link 1 for one parameter. */
static double check_smooth(checker *c, rheo_reference *reference, uint32_t p, double *limit)
{
    const rheo_param *param = &c->net->param[p];
    size_t count = (size_t)param->rows * param->cols;
    const double *grad = rheo__reference_grad(reference, p);
    double *w = rheo__reference_param(reference, p);
    double scale = scale_of(c, reference, p), worst = 0;
    double rounding = 16 * DBL_EPSILON * fabs(loss_of(c, reference, NULL)) / STEP;
    *limit = SMOOTH_LIMIT + (scale > 0 ? rounding / scale : 0);
    rheo_key key = rheo__key(c->recipe->seed, p, RHEO_FOR_TEST);
    for (uint32_t i = 0; i < WEIGHTS && scale > 0; i++) {
        uint32_t draw[4], counter[4] = {i, 0, 0, 0};
        rheo__philox(key, counter, draw);
        size_t at = draw[0] % count;
        static const double point[] = {1, -1, 2, -2}, factor[] = {8, -8, -1, 1};
        double kept = w[at], difference = 0;
        for (uint32_t j = 0; j < 4; j++) {
            w[at] = kept + point[j] * STEP;
            rheo__reference_forward(reference, c->x);
            difference += factor[j] * loss_of(c, reference, NULL);
        }
        w[at] = kept;
        worst = fmax(worst, fabs(difference / (12 * STEP) - grad[at]) / scale);
    }
    return worst;
}

static rheo_status make_reference(checker *c, bool smooth, rheo_reference **out)
{
    rheo_reference_options options = {.T = c->T,
                                      .B = SAMPLES,
                                      .train = true,
                                      .smooth = smooth,
                                      .seed = c->net->seed,
                                      .sample = c->id,
                                      .show = 1};
    return rheo__reference_new(c->net, &options, out);
}

/* Differences see the whole derivative: for link 1 the reset passes its gradient too. */
static void set_detach(checker *c, double value, double *before)
{
    for (uint32_t n = 0; n < c->net->nodes; n++) {
        rheo_node_spec *node = &c->net->node[n];
        int index = node->neuron ? rheo__field_index(node->neuron->fields, "detach") : -1;
        if (index < 0) continue;
        if (before) before[n] = node->neuron_options.v[index];
        node->neuron_options.v[index] = before ? value : c->detach[n];
    }
}

static rheo_status link_smooth(checker *c)
{
    rheo_reference *reference = NULL;
    const bool estimated = c->phase->loss->estimated;
    RHEO_TRY(make_reference(c, true, &reference));
    set_detach(c, 0, c->detach);
    draw_input(c, 0);
    backward(c, reference);
    for (uint32_t i = 0, p = 0; p < c->net->params; p++) {
        if (!c->net->param[p].trained) continue;
        bool through = straight_through(c, p);
        c->lines[i].smooth =
            through || estimated ? NAN : check_smooth(c, reference, p, &c->lines[i].limit);
        c->lines[i++].why = estimated ? "the loss estimates" : through ? "straight-through" : "";
    }
    set_detach(c, 0, NULL);
    rheo__reference_free(reference);
    return RHEO_OK;
}

/* Link 2: the engine's forward and backward on the same numbers. */
static void run_engine(checker *c, rheo_plan *plan)
{
    rheo__plan_batch(plan, SAMPLES, c->id, 1);
    rheo_signal *source = &plan->work[0].out;
    for (uint32_t t = 0; t < c->T; t++)
        for (uint32_t b = 0; b < SAMPLES; b++)
            for (uint32_t n = 0; n < c->inputs; n++)
                rheo__real_row(source, t, b)[n] =
                    (float)c->x[((size_t)t * SAMPLES + b) * c->inputs + n];
    rheo__plan_forward(plan);
    bool readout = c->phase->loss->uses_readout;
    rheo_loss_call call = call_of(c);
    call.out = rheo__plan_output(plan);
    call.readout = rheo__plan_readout(plan);
    call.gout = readout ? NULL : &plan->gradient[c->net->output];
    call.greadout = readout ? &plan->greadout : NULL;
    rheo__loss_value(c->phase->loss, &call);
    plan->work[c->net->output].gout = call.gout;
    rheo__regularise(c->phase, plan, readout, c->held);
    rheo__plan_backward(plan);
}

static void compare_spikes(checker *c, const rheo_plan *plan, const rheo_reference *reference)
{
    c->differ = c->spikes = 0;
    for (uint32_t n = 1; n < c->net->nodes; n++) {
        const rheo_signal *out = &plan->work[n].out;
        if (out->form != RHEO_BITS) continue;
        const double *there = rheo__reference_node(reference, n);
        for (uint32_t t = 0; t < c->T; t++)
            for (uint32_t b = 0; b < SAMPLES; b++)
                for (uint32_t i = 0; i < out->N; i++, c->spikes++)
                    c->differ += fabs((double)rheo__signal_get(out, t, b, i) - *there++) > 1e-6;
    }
}

static void compare_gradients(checker *c, const rheo_plan *plan, const rheo_reference *reference)
{
    uint32_t at = 0;
    for (uint32_t n = 0; n < c->net->nodes; n++)
        for (uint32_t i = 0; i < c->net->node[n].params; i++) {
            const rheo_param *param = c->net->node[n].param[i];
            if (!param->trained) continue;
            const uint32_t p = (uint32_t)(param - c->net->param);
            const double *want = rheo__reference_grad(reference, p);
            const float *got = plan->work[n].grad[i];
            size_t count = (size_t)param->rows * param->cols;
            double scale = scale_of(c, reference, p), worst = 0;
            for (size_t k = 0; k < count; k++) worst = fmax(worst, fabs((double)got[k] - want[k]));
            c->lines[at++].engine = scale > 0 ? worst / scale : worst;
        }
}

static rheo_status link_engine(checker *c)
{
    rheo_reference *reference = NULL;
    rheo_plan *plan = NULL;
    bool readout = c->phase->loss->uses_readout;
    rheo_request request = {.T = c->T,
                            .B = SAMPLES,
                            .in_form = RHEO_REAL,
                            .train = true,
                            .gradient = true,
                            .readout = readout};
    rheo__regularise_ask(c->phase, &request);
    rheo_status status = make_reference(c, false, &reference);
    if (!status) status = rheo__plan_new(c->net, &request, &plan);
    for (uint32_t attempt = 0; attempt < TRIES && !status; attempt++) {
        draw_input(c, attempt);
        backward(c, reference);
        run_engine(c, plan);
        compare_spikes(c, plan, reference);
        compare_gradients(c, plan, reference);
        if (c->differ == 0) break;
    }
    rheo_plan_free(plan);
    rheo__reference_free(reference);
    return status;
}

/* ---- setting up ---- */

static rheo_status make_held(checker *c)
{
    const bool readout = c->phase->loss->uses_readout;
    RHEO_TRY(rheo__alloc(c->ctx, rheo__regularise_need(c->net, c->phase), sizeof(double),
                         "gradcheck", &c->held));
    for (uint32_t n = 0; n < c->net->nodes && c->phase->regularisers > 0; n++) {
        const size_t size = (size_t)c->T * SAMPLES * rheo__shape_size(c->net->node[n].out);
        const bool output = n == c->net->output;
        if (!rheo__is_population(&c->net->node[n])) continue;
        if (output && readout)
            c->gv[n] = c->g;
        else
            RHEO_TRY(rheo__alloc(c->ctx, size, sizeof(double), "gradcheck", &c->gv[n]));
        if (output && !readout)
            c->gout[n] = c->g;
        else
            RHEO_TRY(rheo__alloc(c->ctx, size, sizeof(double), "gradcheck", &c->gout[n]));
    }
    return RHEO_OK;
}

static rheo_status make_arrays(checker *c)
{
    size_t in = (size_t)c->T * SAMPLES * c->inputs, out = (size_t)c->T * SAMPLES * c->outputs;
    RHEO_TRY(rheo__alloc(c->ctx, in, sizeof(double), "gradcheck", &c->x));
    RHEO_TRY(rheo__alloc(c->ctx, out, sizeof(double), "gradcheck", &c->g));
    RHEO_TRY(rheo__alloc(c->ctx, rheo__loss_need(c->T, c->outputs), sizeof(float), "gradcheck",
                         &c->scratch));
    RHEO_TRY(rheo__alloc(c->ctx, c->net->params, sizeof *c->lines, "gradcheck", &c->lines));
    RHEO_TRY(make_held(c));
    for (uint32_t b = 0; b < SAMPLES; b++) {
        c->id[b] = b;
        c->label[b] = b % classes_of(c);
    }
    for (uint32_t p = 0; p < c->net->params; p++) {
        const rheo_param *param = &c->net->param[p];
        if (!param->trained) continue;
        snprintf(c->lines[c->count].name, sizeof c->lines->name, "%s.%s", param->node, param->name);
        c->count++;
    }
    return RHEO_OK;
}

static rheo_status set_up(checker *c)
{
    rheo_recipe *recipe = c->recipe;
    for (uint32_t p = 0; p < recipe->phases && !c->phase; p++)
        if (recipe->phase[p].loss) c->phase = &recipe->phase[p];
    RHEO_CHECK(c->ctx, c->phase, RHEO_USAGE,
               "%s: nothing in it learns by gradients (method bptt), there is none to check",
               recipe->name);
    RHEO_CHECK(c->ctx, recipe->precision == RHEO_FLOAT32, RHEO_USAGE,
               "%s: precision is bf16, whose rounding would hide what a gradient check looks for; "
               "take --set precision=float32",
               recipe->name);
    RHEO_TRY(rheo__data_open(c->ctx, &recipe->data, &c->data));
    rheo_net_request request = {.net = recipe->net,
                                .neuron = recipe->neuron,
                                .classes = c->data->classes,
                                .dt = recipe->code.dt,
                                .seed = recipe->seed,
                                .file = recipe->file};
    RHEO_TRY(rheo__code_shape(c->ctx, &recipe->code, c->data->shape, request.in.dim));
    RHEO_TRY(rheo__net_build(c->ctx, &request, &c->net));
    c->inputs = rheo_net_inputs(c->net);
    c->outputs = rheo_net_outputs(c->net);
    c->T = rheo__net_analogue(c->net) ? 1 : STEPS;
    return make_arrays(c);
}

static bool is_fine(const line *l)
{
    return !(l->smooth > l->limit) && l->engine <= FLOAT_LIMIT;
}

static void write_text(const checker *c, rheo_text *out)
{
    rheo__text_add(out, "%-24s %-28s %-28s %s\n", "parameter", "smooth: analytic - numeric",
                   "engine: float32 - double", "verdict");
    for (uint32_t i = 0; i < c->count; i++) {
        const line *l = &c->lines[i];
        rheo__text_add(out, "%-24s ", l->name);
        if (isnan(l->smooth))
            rheo__text_add(out, "%-28s ", l->why);
        else
            rheo__text_add(out, "%-28.2e ", l->smooth);
        rheo__text_add(out, "%-28.2e %s\n", l->engine, is_fine(l) ? "fine" : "OFF");
    }
    rheo__text_add(
        out,
        "errors relative to the parameter's largest gradient, or, if that is 0, to the sum "
        "of its terms; limits %.0e (and the "
        "rounding of the differences) and %.0e; spikes that differ: %llu of %llu\n",
        SMOOTH_LIMIT, FLOAT_LIMIT, (unsigned long long)c->differ, (unsigned long long)c->spikes);
}

static rheo_status write_json(const checker *c, rheo_text *out)
{
    cJSON *root = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(root, "parameters");
    for (uint32_t i = 0; i < c->count; i++) {
        const line *l = &c->lines[i];
        cJSON *to = cJSON_CreateObject();
        cJSON_AddStringToObject(to, "name", l->name);
        if (isnan(l->smooth))
            cJSON_AddNullToObject(to, "smooth");
        else
            cJSON_AddNumberToObject(to, "smooth", l->smooth);
        cJSON_AddNumberToObject(to, "engine", l->engine);
        cJSON_AddBoolToObject(to, "fine", is_fine(l));
        cJSON_AddItemToArray(list, to);
    }
    cJSON_AddNumberToObject(root, "smooth_limit", SMOOTH_LIMIT);
    cJSON_AddNumberToObject(root, "engine_limit", FLOAT_LIMIT);
    cJSON_AddNumberToObject(root, "spikes_that_differ", (double)c->differ);
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    RHEO_CHECK(c->ctx, text, RHEO_MEMORY, "out of memory: a result");
    rheo__text_add(out, "%s\n", text);
    cJSON_free(text);
    return RHEO_OK;
}

static rheo_status check(checker *c, bool json, rheo_text *out)
{
    RHEO_TRY(set_up(c));
    RHEO_TRY(link_smooth(c));
    RHEO_TRY(link_engine(c));
    if (json)
        RHEO_TRY(write_json(c, out));
    else
        write_text(c, out);
    RHEO_TRY(out->status);
    for (uint32_t i = 0; i < c->count; i++)
        RHEO_CHECK(c->ctx, is_fine(&c->lines[i]), RHEO_FAILED,
                   "gradcheck: the gradient of %s is off by %.2e (smooth) and %.2e (engine) of its "
                   "largest, expected %.0e and %.0e at most",
                   c->lines[i].name, c->lines[i].smooth, c->lines[i].engine, c->lines[i].limit,
                   FLOAT_LIMIT);
    return RHEO_OK;
}

rheo_status rheo_recipe_gradcheck(rheo_recipe *recipe, bool json, char **text)
{
    rheo_context *ctx = recipe->ctx;
    checker *c = NULL;
    RHEO_TRY(rheo__alloc(ctx, 1, sizeof *c, "gradcheck", &c));
    *c = (checker){.ctx = ctx, .recipe = recipe};
    rheo_text out = {.ctx = ctx};
    rheo_status status = check(c, json, &out);
    *text = NULL;
    if (!status || status == RHEO_FAILED)
        *text = out.data;
    else
        rheo__text_free(&out);
    rheo__release(ctx, c->lines);
    for (uint32_t n = 0; n < RHEO_NET_NODES; n++) {
        if (c->gout[n] != c->g) rheo__release(ctx, c->gout[n]);
        if (c->gv[n] != c->g) rheo__release(ctx, c->gv[n]);
    }
    rheo__release(ctx, c->held);
    rheo__release(ctx, c->x);
    rheo__release(ctx, c->g);
    rheo__release(ctx, c->scratch);
    rheo_net_free(c->net);
    rheo__data_free(c->data);
    rheo__release(ctx, c);
    return status;
}
