/* test_peers.c: small nets as snnTorch, SpikingJelly and Norse compute them, recorded by the
 * scripts of oracles/peers, run here: spikes equal, every one; membranes to 1e-5 and gradients of
 * weights, biases, inputs and the neurons' learned parameters to 1e-4 of the array's largest value.
 * Each case was recorded with its least distance to a threshold, which is 1e-3 at least: equality
 * is no luck. */
#include "array/npy.h"
#include "nets.h"
#include <cjson/cJSON.h>
#include <stdio.h>

enum { T = 12, B = 2, IN = 4, HIDDEN = 5, OUT = 3, MOST_HIDDEN = 24 };

/* The arrays of a case stand one after another in one vector; `arrays` lists names and shapes. */
static const float *array_of(const cJSON *entry, const rheo_array *flat, const char *name,
                             size_t *count)
{
    const cJSON *item;
    size_t at = 0;
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(entry, "arrays"))
    {
        const cJSON *size;
        *count = 1;
        cJSON_ArrayForEach(size, cJSON_GetArrayItem(item, 1)) *count *= (size_t)size->valuedouble;
        if (!strcmp(cJSON_GetArrayItem(item, 0)->valuestring, name))
            return (const float *)flat->data + at;
        at += *count;
    }
    return NULL;
}

static float *pattern(size_t count, size_t step, size_t modulus, float scale)
{
    float *x = room(count, sizeof *x);
    for (size_t i = 0; i < count; i++)
        x[i] = ((float)(i * step % modulus) - (float)(modulus / 2)) * scale;
    return x;
}

typedef struct replay {
    rheo_context *ctx;
    const cJSON *entry;
    const rheo_array *flat;
    const char *name;
    rheo_net *net;
    rheo_plan *plan;
    double membrane, gradient; /* largest differences, by the arrays' largest values */
} replay;

/* Largest difference by the largest value; ours: NULL stands for 0. */
static double compare(const replay *r, const char *name, const float *ours, double limit)
{
    size_t count;
    const float *want = array_of(r->entry, r->flat, name, &count);
    double size = 0, worst = 0;
    if (!want) fail_msg("%s: no array %s", r->name, name);
    for (size_t i = 0; i < count; i++) size = fmax(size, fabs((double)want[i]));
    for (size_t i = 0; i < count; i++) {
        const double off = fabs((double)ours[i] - (double)want[i]);
        worst = fmax(worst, off / (size + 1e-30));
        if (!(off <= limit * size))
            fail_msg("%s: %s[%zu] = %.9g, the peer's %.9g (largest %.3g)", r->name, name, i,
                     (double)ours[i], (double)want[i], size);
    }
    return worst;
}

/* "EACH": the values that the note lists. */
static void each(const char *neuron, uint32_t layer, char *out, size_t size)
{
    static const char *const values[] = {"[0.5, 0.625, 0.75, 0.875, 0.9375]",
                                         "[0.9375, 0.75, 0.5]"};
    const char *at = strstr(neuron, "EACH");
    if (at)
        snprintf(out, size, "%.*s%s%s", (int)(at - neuron), neuron, values[layer], at + 4);
    else
        snprintf(out, size, "%s", neuron);
}

/* The neuron's map with a name in front: "{model: …}" to "{name: h, model: …}". */
static void build(replay *r)
{
    const char *neuron = cJSON_GetObjectItem(r->entry, "neuron")->valuestring;
    const char *recurrent = cJSON_GetObjectItem(r->entry, "recurrent")->valuestring;
    const bool conv = !strcmp(recurrent, "conv");
    char text[2048], hidden[512], out[512], first[64], loop[256] = "";
    size_t count;
    each(neuron, 0, hidden, sizeof hidden);
    each(neuron, 1, out, sizeof out);
    if (!strcmp(recurrent, "dense"))
        snprintf(loop, sizeof loop, "- dense: {name: r, out: %d, bias: %s, to: h}\n", HIDDEN,
                 array_of(r->entry, r->flat, "br", &count) ? "true" : "false");
    if (strstr(recurrent, "one-to-one"))
        snprintf(loop, sizeof loop, "- one-to-one: {name: r, weight: 0.5, trained: %s, to: h}\n",
                 strcmp(recurrent, "one-to-one") ? "true" : "false");
    if (conv) snprintf(loop, sizeof loop, "- conv: {name: r, out: 2, padding: same, to: h}\n");
    snprintf(first, sizeof first,
             conv ? "conv: {name: a, out: 2, padding: same}" : "dense: {name: a, out: %d}", HIDDEN);
    snprintf(text, sizeof text,
             "- %s\n- neuron: {name: h, %s\n%s- dense: {name: b, out: %d, from: h}\n"
             "- neuron: {name: o, %s\n- output: o\n",
             first, hidden + 1, loop, OUT, out + 1);
    const net_text net = {.net = text,
                          .in = conv ? (rheo_shape){{1, 3, 4, 1}} : (rheo_shape){{IN}},
                          .dt = cJSON_GetObjectItem(r->entry, "dt")->valuedouble};
    if (net_make(r->ctx, &net, &r->net) != RHEO_OK) fail_msg("%s: %s", r->name, rheo_error(r->ctx));
    static const char *const from[] = {"w1", "b1", "w2", "b2", "wr", "br"};
    static const char *const to[] = {"a.weight", "a.bias",   "b.weight",
                                     "b.bias",   "r.weight", "r.bias"};
    for (int i = 0; i < 6; i++) {
        const float *values = array_of(r->entry, r->flat, from[i], &count);
        uint32_t rows, cols;
        float *param = values ? rheo_net_parameter(r->net, to[i], &rows, &cols) : NULL;
        if (!values) continue;
        assert_non_null(param);
        assert_int_equal(rows * cols, count);
        /* the peers' weights are [out, in]; ours stand as the net says */
        const rheo_param *p = rheo__net_param(r->net, (char[]){to[i][0], 0}, to[i] + 2);
        for (uint32_t y = 0; y < rows; y++)
            for (uint32_t x = 0; x < cols; x++)
                param[y * cols + x] = p->transposed ? values[x * rows + y] : values[y * cols + x];
    }
    rheo_net_touch(r->net);
}

/* A weight's gradient as the peers have it, [out, in]. */
static void check_weight(replay *r, const char *peers, const char *ours)
{
    size_t count;
    if (!array_of(r->entry, r->flat, peers, &count)) return;
    const float *g = rheo_gradient(r->plan, ours);
    if (!g) fail_msg("%s: no gradient of %s", r->name, ours);
    char node[8];
    snprintf(node, sizeof node, "%.*s", (int)strcspn(ours, "."), ours);
    const rheo_param *p = rheo__net_param(r->net, node, ours + strlen(node) + 1);
    float *turned = room(count, sizeof *turned);
    for (uint32_t y = 0; y < p->rows; y++)
        for (uint32_t x = 0; x < p->cols; x++)
            turned[p->transposed ? x * p->rows + y : y * p->cols + x] = g[y * p->cols + x];
    r->gradient = fmax(r->gradient, compare(r, peers, turned, 1e-4));
    free(turned);
}

/* dL/dx from dL/d(what the first weights give), which the plan keeps; where those are dense. */
static void check_input(replay *r)
{
    size_t count;
    const float *w = array_of(r->entry, r->flat, "w1", &count);
    const rheo_signal *g = &r->plan->gradient[net_node(r->net, "a", "dense")];
    float gx[T * B * IN];
    for (uint32_t t = 0; t < T; t++)
        for (uint32_t b = 0; b < B; b++)
            for (uint32_t i = 0; i < IN; i++) {
                double sum = 0;
                for (uint32_t n = 0; n < HIDDEN; n++)
                    sum += (double)w[n * IN + i] * (double)rheo__real_row(g, t, b)[n];
                gx[(t * B + b) * IN + i] = (float)sum;
            }
    r->gradient = fmax(r->gradient, compare(r, "g.x", gx, 1e-4));
}

static void check_learned(replay *r)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(r->entry, "arrays"))
    {
        const char *name = cJSON_GetArrayItem(item, 0)->valuestring;
        char path[64];
        if (strncmp(name, "g.1.", 4) != 0 && strncmp(name, "g.2.", 4) != 0) continue;
        snprintf(path, sizeof path, "%c.%s", name[2] == '1' ? 'h' : 'o', name + 4);
        check_weight(r, name, path);
    }
}

static void run_case(replay *r)
{
    const bool readout = cJSON_IsTrue(cJSON_GetObjectItem(r->entry, "readout"));
    static const char *const record[] = {"h.s", "h.v", "o.s", "o.v", NULL};
    static const char *const arrays[] = {"s1", "v1", "s2", "v2"};
    const rheo_plan_options options = {.steps = T, .batch = B, .train = true, .record = record};
    float y[T * B * OUT], got[T * B * MOST_HIDDEN];
    size_t count;
    build(r);
    CHECK_OK(r->ctx, rheo_plan_new(r->net, &options, &r->plan));
    CHECK_OK(r->ctx, rheo_forward(r->plan, array_of(r->entry, r->flat, "x", &count), y));
    compare(r, "s2", y, 0);
    for (int i = 0; i < 4; i++) {
        CHECK_OK(r->ctx, rheo_record(r->plan, record[i], got));
        const double off = compare(r, arrays[i], got, i % 2 ? 1e-5 : 0);
        if (i % 2) r->membrane = fmax(r->membrane, off);
    }
    float *gout = pattern(T * B * OUT, 7, 11, 1.0f / 8);
    float *gread = pattern(T * B * OUT, 5, 13, 1.0f / 16);
    CHECK_OK(r->ctx, rheo_backward(r->plan, gout, readout ? gread : NULL));
    check_weight(r, "g.w1", "a.weight");
    check_weight(r, "g.b1", "a.bias");
    check_weight(r, "g.wr", "r.weight");
    check_weight(r, "g.br", "r.bias");
    check_weight(r, "g.w2", "b.weight");
    check_weight(r, "g.b2", "b.bias");
    check_learned(r);
    if (array_of(r->entry, r->flat, "x", &count) && count == T * B * IN) check_input(r);
    free(gout), free(gread);
    rheo_plan_free(r->plan);
    rheo_net_free(r->net);
}

/* ---- the cases, one test each ---- */

typedef struct peer {
    const char *name;
    uint32_t cases, left; /* as many as there are, and those without a counterpart of ours */
    rheo_array *arrays;
    cJSON *doc;
    double membrane, gradient, least;
} peer;

static rheo_context *ctx;
static peer peers[] = {{.name = "snntorch", .cases = 43},
                       {.name = "spikingjelly", .cases = 56},
                       {.name = "norse", .cases = 18, .left = 1}};
enum { PEERS = sizeof peers / sizeof *peers, MOST = 200 };

typedef struct one {
    peer *of;
    uint32_t index;
    char label[96];
} one;

static void test_case(void **state)
{
    const one *c = *state;
    const cJSON *entry =
        cJSON_GetArrayItem(cJSON_GetObjectItem(c->of->doc, "cases"), (int)c->index);
    replay r = {.ctx = ctx, .entry = entry, .flat = &c->of->arrays[c->index], .name = c->label};
    assert_string_equal(r.flat->name, cJSON_GetObjectItem(entry, "name")->valuestring);
    c->of->least = fmin(c->of->least, cJSON_GetObjectItem(entry, "distance")->valuedouble);
    run_case(&r);
    c->of->membrane = fmax(c->of->membrane, r.membrane);
    c->of->gradient = fmax(c->of->gradient, r.gradient);
}

/* Last: every case was looked at, and is far from its threshold. */
static void test_all(void **state)
{
    (void)state;
    for (int p = 0; p < PEERS; p++) {
        print_message(
            "%s: %u cases, %u without a counterpart; largest difference of membranes %.1e, "
            "of gradients %.1e; least distance %.1e\n",
            peers[p].name, peers[p].cases, peers[p].left, peers[p].membrane, peers[p].gradient,
            peers[p].least);
        assert_true(peers[p].least > 1e-3);
    }
}

static void open_peer(peer *p)
{
    char path[128], *text = room(1 << 20, 1);
    uint32_t count;
    snprintf(path, sizeof path, "tests/oracles/peers/%s.json", p->name);
    FILE *file = fopen(path, "rb");
    if (!file) exit(2);
    text[fread(text, 1, (1 << 20) - 1, file)] = 0;
    fclose(file);
    snprintf(path, sizeof path, "tests/oracles/peers/%s.npz", p->name);
    if (rheo__npz_read(ctx, path, 1 << 22, &p->arrays, &count) != RHEO_OK) exit(2);
    p->doc = cJSON_Parse(text);
    p->least = 1e30;
    if (!p->doc || count != p->cases) exit(2);
    free(text);
}

int main(void)
{
    static struct CMUnitTest tests[MOST];
    static one cases[MOST];
    uint32_t count = 0, wrong = 0;
    const rheo_context_options options = {.threads = 1, .seed = 1};
    if (rheo_context_new(&options, &ctx) != RHEO_OK) return 2;
    for (int p = 0; p < PEERS; p++) {
        const cJSON *entry;
        uint32_t index = 0, left = 0;
        open_peer(&peers[p]);
        cJSON_ArrayForEach(entry, cJSON_GetObjectItem(peers[p].doc, "cases"))
        {
            const one c = {.of = &peers[p], .index = index++};
            if (!cJSON_IsString(cJSON_GetObjectItem(entry, "neuron"))) {
                left++;
                continue;
            }
            cases[count] = c;
            snprintf(cases[count].label, sizeof cases[count].label, "%s %s", peers[p].name,
                     cJSON_GetObjectItem(entry, "name")->valuestring);
            tests[count] = (struct CMUnitTest){
                .name = cases[count].label, .test_func = test_case, .initial_state = &cases[count]};
            count++;
        }
        wrong += index != peers[p].cases || left != peers[p].left;
    }
    tests[count++] = (struct CMUnitTest){.name = "all", .test_func = test_all};
    int failed = _cmocka_run_group_tests("peers", tests, count, NULL, NULL);
    for (int p = 0; p < PEERS; p++) {
        rheo__npz_free(ctx, peers[p].arrays, peers[p].cases);
        cJSON_Delete(peers[p].doc);
    }
    rheo_context_free(ctx);
    return failed + (int)wrong;
}
