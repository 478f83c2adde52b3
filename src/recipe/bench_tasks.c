/* bench_tasks.c: what `rheobase bench` runs. Recipes are those that come with the program, or stand
 * here where a task is no published system. */
#include "recipe/bench.h"
#include <string.h>

#define HEAD "title: for the bench\nfamily: spikes\nsource: {paper: none, id: none, where: bench}\n"

static const char recurrent_text[] =
    "name: recurrent\n" HEAD "data: {name: digits, validation: 0, batch: 256}\n"
    "code: {input: rate, steps: 100, output: rate}\n"
    "net:\n"
    "  - dense: {name: a, out: 256}\n"
    "  - neuron: {name: h}\n"
    "  - dense: {name: r, out: 256, to: h}\n"
    "  - dense: {name: b, out: out, from: h}\n"
    "  - neuron: {name: o}\n"
    "  - output: o\n"
    "neuron: {model: lif, beta: 0.95, reset: subtract, surrogate: atan}\n"
    "learn: {method: bptt, loss: step-ce, optimiser: adam, rate: 5.0e-4, epochs: 1}\n";

static const char layer_text[] =
    "name: layer\n" HEAD "data: {name: digits, validation: 0, batch: 16}\n"
    "code: {input: rate, steps: 500, output: response}\n"
    "net:\n  - dense: {out: 1024}\n  - neuron: {}\n"
    "neuron: {model: lif, beta: 0.95, reset: subtract, surrogate: atan}\n"
    "learn: {method: bptt, loss: step-ce, optimiser: sgd, epochs: 1}\n";

/* The net of snnTorch's tutorial 7, for N-MNIST. */
static const char stream_text[] =
    "name: stream\n" HEAD "data: {name: digits, validation: 0, batch: 1}\n"
    "code: {input: rate, steps: 1000, output: rate}\n"
    "net:\n"
    "  - conv: {out: 12, kernel: 5}\n"
    "  - pool: {kind: max, size: 2}\n"
    "  - neuron: {}\n"
    "  - conv: {out: 32, kernel: 5}\n"
    "  - pool: {kind: max, size: 2}\n"
    "  - neuron: {}\n"
    "  - dense: {out: out}\n"
    "neuron: {model: lif, beta: 0.5, reset: subtract, surrogate: fast-sigmoid, slope: 25}\n"
    "learn: {method: bptt, loss: step-ce, optimiser: sgd, epochs: 1}\n";

/* A converted net (Diehl et al. 2015), which integrates without a leak. */
static const char inference_text[] =
    "name: inference\n" HEAD "data: {name: digits, validation: 0, batch: 128}\n"
    "code: {input: rate, steps: 40, output: rate}\n"
    "net:\n"
    "  - dense: {out: 1200, bias: false}\n  - neuron: {}\n"
    "  - dense: {out: 1200, bias: false}\n  - neuron: {}\n"
    "  - dense: {out: out, bias: false}\n  - neuron: {}\n"
    "neuron: {model: if, reset: subtract, when: same, test: greater-equal}\n"
    "learn: {method: bptt, loss: step-ce, optimiser: sgd, epochs: 1}\n";

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define TRAINING                                                                                   \
    .unit = "samples/s", .parts = 1, .open = rheo__bench_training_open,                            \
    .run = rheo__bench_training_run, .rest = rheo__bench_training_rest,                            \
    .show = rheo__bench_training_show, .close = rheo__bench_training_close
#define LAYER(n)                                                                                   \
    .unit = "steps/s", .recipe = "layer", .text = layer_text, .set = LIST("net.0.dense.out=" #n),  \
    .features = n, .data = rheo__bench_level, .warm = 3, .runs = 11, .parts = 1,                   \
    .open = rheo__bench_layer_open, .run = rheo__bench_layer_run, .rest = rheo__bench_layer_rest,  \
    .show = rheo__bench_layer_run, .close = rheo__bench_plan_close
#define EPOCH                                                                                      \
    .unit = "samples/s", .warm = 1, .runs = 3, .parts = 1, .open = rheo__bench_epoch_open,         \
    .run = rheo__bench_epoch_run, .rest = rheo__bench_epoch_rest,                                  \
    .close = rheo__bench_training_close

const rheo_bench_task rheo__bench_tasks[] = {
    {.name = "product",
     .title = "float32 product, 1024 x 1024 x 1024, one thread",
     .unit = "GMAC/s",
     .single = true,
     .warm = 5,
     .runs = 50,
     .parts = 1,
     .open = rheo__bench_product_open,
     .run = rheo__bench_product_run,
     .close = rheo__bench_product_close},
    {.name = "fc",
     .title = "784-1000-10 LIF, T 25, B 128, Adam: one training iteration on enlarged digits",
     .recipe = "surrogate-mlp",
     .warm = 5,
     .runs = 50,
     .data = rheo__bench_images,
     TRAINING},
    {.name = "fc-rate",
     .title = "fc on Bernoulli spikes of the pixels",
     .recipe = "surrogate-mlp",
     .set = LIST("code.input=rate"),
     .warm = 5,
     .runs = 31,
     .data = rheo__bench_images,
     TRAINING},
    {.name = "conv",
     .title = "12C5-MP2-64C5-MP2-10 LIF, T 50, B 128, Adam: one training iteration",
     .recipe = "surrogate-csnn",
     .gain = 3,
     /* as PyTorch: of equal places of a window the first takes the gradient */
     .set = LIST("net.1.pool.ties=first", "net.4.pool.ties=first"),
     .warm = 3,
     .runs = 11,
     .data = rheo__bench_images,
     TRAINING},
    {.name = "csnn",
     .title = "[C3 128, BN, IF, MP2] x 2, 2048, 10, T 4, B 128, SGD: one training iteration",
     .recipe = "fashion-csnn",
     .warm = 3,
     .runs = 11,
     .data = rheo__bench_images,
     TRAINING},
    {.name = "recurrent",
     .title = "700-256(recurrent)-20 LIF, T 100, B 256, spikes at 2 %, Adam: one iteration",
     .recipe = "recurrent",
     .text = recurrent_text,
     .features = 700,
     .gain = 2.5,
     .density = 0.02,
     .warm = 3,
     .runs = 11,
     .data = rheo__bench_level,
     TRAINING},
    {.name = "layer-512", .title = "512 to 512 and LIF, T 500, B 16, normal input", LAYER(512)},
    {.name = "layer-1024", .title = "1024 to 1024 and LIF, T 500, B 16, normal input", LAYER(1024)},
    {.name = "layer-2048", .title = "2048 to 2048 and LIF, T 500, B 16, normal input", LAYER(2048)},
    {.name = "layer-4096", .title = "4096 to 4096 and LIF, T 500, B 16, normal input", LAYER(4096)},
    {.name = "layer-1024-input",
     .title = "layer-1024 with the input's gradient",
     LAYER(1024),
     .input = true},
    {.name = "layer-1024-20", .title = "layer-1024 on spikes at 20 %", LAYER(1024), .density = 0.2},
    {.name = "layer-1024-5", .title = "layer-1024 on spikes at 5 %", LAYER(1024), .density = 0.05},
    {.name = "layer-1024-1",
     .title = "layer-1024 on spikes at 1 %",
     LAYER(1024),
     .density = 0.01,
     .gain = 4},
    {.name = "inference",
     .title = "784-1200-1200-10 IF on Bernoulli spikes, T 40, batches of 128: an image",
     .unit = "images/s",
     .recipe = "inference",
     .text = inference_text,
     .gain = 1.8,
     .data = rheo__bench_images,
     .warm = 5,
     .runs = 31,
     .parts = 128,
     .open = rheo__bench_inference_open,
     .run = rheo__bench_inference_run,
     .rest = rheo__bench_inference_rest,
     .show = rheo__bench_inference_run,
     .close = rheo__bench_plan_close},
    {.name = "stream",
     .title = "12C5-MP2-32C5-MP2-10 LIF on events of 2 x 34 x 34, batch 1: one step",
     .unit = "steps/s",
     .recipe = "stream",
     .text = stream_text,
     .gain = 4,
     .data = rheo__bench_events,
     .single = true,
     .warm = 3,
     .runs = 11,
     .parts = 1000,
     .open = rheo__bench_stream_open,
     .run = rheo__bench_stream_run,
     .rest = rheo__bench_stream_rest,
     .show = rheo__bench_stream_show,
     .close = rheo__bench_plan_close},
    {.name = "epoch",
     .title = "surrogate-mlp, reading of the files and one epoch",
     .recipe = "surrogate-mlp",
     EPOCH},
    {.name = "epoch-conv",
     .title = "surrogate-csnn, reading of the files and one epoch",
     .recipe = "surrogate-csnn",
     /* all of the epoch, on what `conv` computes */
     .set = LIST("learn.iterations=0", "net.1.pool.ties=first", "net.4.pool.ties=first"),
     EPOCH},
    {.name = "stdp-100",
     .title = "diehl-cook-2015, 100 neurons, learning: an image",
     .unit = "images/s",
     .recipe = "diehl-cook-2015",
     .data = rheo__bench_images,
     .warm = 3,
     .runs = 10,
     .parts = 100,
     .open = rheo__bench_training_open,
     .run = rheo__bench_stdp_run,
     .close = rheo__bench_training_close},
    {.name = "stdp-400",
     .title = "diehl-cook-2015-400, 400 neurons, learning: an image",
     .unit = "images/s",
     .recipe = "diehl-cook-2015-400",
     .data = rheo__bench_images,
     .warm = 3,
     .runs = 10,
     .parts = 50,
     .open = rheo__bench_training_open,
     .run = rheo__bench_stdp_run,
     .close = rheo__bench_training_close},
    {.name = NULL},
};
