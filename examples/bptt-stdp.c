/* bptt-stdp.c: backpropagation through time contains the causal half of STDP (Eshraghian et al.
 * 2023, section 4, "BPTT-STDP link"). Forty-one inputs fire once each, input i at step i, with next
 * to no weight; one more makes the neuron spike at step 20. The gradient of that spike by the
 * weight of input i is
 *
 *   dS[20]/dw_i = surrogate'(U[20] - theta) beta^(20 - i)   for i <= 20, and 0 for i > 20
 *
 * so over t_post - t_pre it is an exponential with tau = -1/ln(beta) steps, and nothing is learned
 * from spikes that come too late.
 *
 *   cc bptt-stdp.c $(pkg-config --cflags --libs rheobase) -lm -o bptt-stdp && ./bptt-stdp 0.9
 *
 * Prints t_post - t_pre [steps] and the gradient, then the fitted tau beside the closed form. */
#include <rheobase/rheobase.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { INPUTS = 42, STEPS = 41, POST = 20, DRIVER = 41 };

static int fail(rheo_context *ctx)
{
    fprintf(stderr, "bptt-stdp: %s\n", rheo_error(ctx));
    return 1;
}

/* Least squares of ln g over t_post - t_pre on the causal side: the slope is -1/tau. */
static double fitted_tau(const float *g)
{
    double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (int i = 0; i <= POST; i++) {
        const double x = POST - i, y = log(g[i]);
        n++, sx += x, sy += y, sxx += x * x, sxy += x * y;
    }
    return -(n * sxx - sx * sx) / (n * sxy - sx * sy);
}

int main(int argc, char **argv)
{
    const float beta = argc > 1 ? strtof(argv[1], NULL) : 0.9f;
    static float input[STEPS][INPUTS], output[STEPS], gout[STEPS];
    rheo_context *ctx;
    rheo_net *net;
    rheo_plan *plan;
    if (!(beta > 0 && beta < 1)) {
        fprintf(stderr, "bptt-stdp: beta is %g, expected a number between 0 and 1\n", (double)beta);
        return 2;
    }
    if (rheo_context_new(&(rheo_context_options){.threads = 1}, &ctx)) return 1;
    rheo_net_options lif = {.neuron = "lif", .beta = beta};
    rheo_plan_options window = {.steps = STEPS, .batch = 1, .train = true};
    if (rheo_net_parse(ctx, "42-1", &lif, &net) || rheo_plan_new(net, &window, &plan))
        return fail(ctx);

    uint32_t rows, cols;
    float *w = rheo_net_parameter(net, "1.weight", &rows, &cols);
    for (uint32_t i = 0; i < INPUTS; i++) w[i] = i == DRIVER ? 1.5f : 1e-4f;
    *rheo_net_parameter(net, "1.bias", &rows, &cols) = 0;
    rheo_net_touch(net);
    for (int i = 0; i < STEPS; i++) input[i][i] = 1;
    input[POST][DRIVER] = 1;
    gout[POST] = 1; /* the loss is the spike itself */
    if (rheo_forward(plan, input[0], output) || rheo_backward(plan, gout, NULL)) return fail(ctx);

    const float *g = rheo_gradient(plan, "1.weight");
    printf("spike at step %d: %s\n", POST, output[POST] > 0 ? "yes" : "no");
    printf("t_post - t_pre  gradient\n");
    for (int i = 0; i < STEPS; i++) printf("%14d  %.6g\n", POST - i, (double)g[i]);
    printf("tau %.4f steps, closed form %.4f\n", fitted_tau(g), -1 / log((double)beta));
    rheo_plan_free(plan);
    rheo_net_free(net);
    rheo_context_free(ctx);
    return output[POST] > 0 ? 0 : 1;
}
