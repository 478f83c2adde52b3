/* kernels.h: a table of inner loops for each instruction set; the context's level picks one.
 *
 * Every product is one running sum an output: it starts from the bias (or what stands there) and
 * adds fma(a[k], b[k], sum) in ascending k. Dense, bit-expanded and gathered kernels all keep that
 * order, so batch size, density, kernel choice, threads and instruction set change no bit. A bit
 * that is 0 (lo = 0) may be skipped: fma(0, w, s) = s for finite w. */
#ifndef RHEO_SRC_KERNELS_H
#define RHEO_SRC_KERNELS_H
#include "array/signal.h"
#include "base/random.h"

/* An operand: element (i,k) is data[i*row + k*col]; or bits: row i at bits + i*row words, its
 * element k is lo or hi. */
typedef struct rheo_operand {
    const float *real; /* or */
    const uint64_t *bits;
    size_t row, col; /* bits: row in words; col 1: k runs along the bits, 0: k runs over the rows */
    float lo, hi;
} rheo_operand;

/* Of the operands of a product, as they are multiplied; its sums are float32. By name in a recipe. */
typedef enum { RHEO_FLOAT32, RHEO_BF16 } rheo_precision;

/* C[M,N] = start + A[M,K] · B[K,N], where A's element is (m,k) and B's is (n,k): both operands have k
 * second. start: bias[n] when bias is given, else C itself when accumulate, else 0. */
typedef struct rheo_product {
    uint32_t M, N, K;
    rheo_operand a, b;
    const float *bias;
    bool accumulate;
    float *c;
    size_t c_row;
    rheo_precision precision; /* RHEO_BF16: kernels/bf16.h */
} rheo_product;

/* Scratch bytes a call needs (for all threads together), for any M ≤ the given one. */
size_t rheo__product_scratch(const rheo_context *ctx, rheo_precision precision, uint32_t M,
                             uint32_t N, uint32_t K);
/* scratch: aligned to 64. Splits the output over the context's threads. */
void rheo__product(rheo_context *ctx, const rheo_product *product, void *scratch);

/* Sparse rows: c[m,:] = start + sum over set bits k of row m, ascending, of w[k,:], with w [K,N]
 * (the transposed weights), lo 0 and hi 1. Same bits as rheo__product on the same numbers. */
typedef struct rheo_gather {
    uint32_t M, N, K;
    const uint64_t *bits;
    size_t bits_row; /* words */
    const float *w;
    size_t w_row;
    const float *bias;
    bool accumulate;
    float *c;
    size_t c_row;
} rheo_gather;
size_t rheo__gather_scratch(const rheo_context *ctx, uint32_t M, uint32_t N, uint32_t K);
void rheo__gather(rheo_context *ctx, const rheo_gather *gather, void *scratch);
/* Below this density of set bits the gather wins (measured; printed by `rheobase plan`). */
double rheo__gather_density(const rheo_context *ctx, uint32_t N);

/* The same sums for at most RHEO_FEW columns and any density, without scratch (few.c). */
#define RHEO_FEW 32
void rheo__few(rheo_context *ctx, const rheo_gather *gather);
double rheo__few_density(const rheo_context *ctx); /* below it the gather wins */
/* c[M,N] = start + sum over the rows k of g[k,:]^T bits[k,:], ascending: the gradient of weights; start:
 * c when accumulate, else 0. */
typedef struct rheo_bits_gradient {
    uint32_t M, N, K;
    const float *g; /* [K, M] */
    size_t g_row;
    const uint64_t *bits; /* [K, N] */
    size_t bits_row;      /* words */
    bool accumulate;
    float *c;
    size_t c_row;
} rheo_bits_gradient;
/* Of at most RHEO_FEW outputs, for any density. */
void rheo__few_gradient(rheo_context *ctx, const rheo_bits_gradient *gradient);
/* Of sparse spikes (sparse_gradient.c), and the density below which it wins against the product. */
void rheo__sparse_gradient(rheo_context *ctx, const rheo_bits_gradient *gradient);
double rheo__sparse_gradient_density(const rheo_context *ctx);

/* Binary nets: weights as bits [N, words(K)], 1 is +1, 0 is -1.
 *   x of signs (bits, 1 is +1):  c[m,n] = K - 2 popcount(x XOR w)
 *   x of integers 0 … 255 as eight bit planes [8][words(K)] a row (plane p holds bit p):
 *                                c[m,n] = sum_p 2^p (2 popcount(plane AND w) - popcount(plane))
 * Both are exact integers, equal bit for bit to the float product while |c| < 2^24. */
typedef struct rheo_binary_product {
    uint32_t M, N, K;
    const uint64_t *x;
    size_t x_row;    /* words between rows of x (planes: of row's first plane) */
    uint32_t planes; /* 0: x holds signs; else 1 … 8 planes, plane p at x + p*words(K) */
    const uint64_t *w;
    size_t w_row;
    const float *bias; /* added at the end, or NULL */
    float *c;
    size_t c_row;
} rheo_binary_product;
void rheo__binary_product(rheo_context *ctx, const rheo_binary_product *product);

/* Elementwise loops, one thread, vectorised for each instruction set, same bits on all. */
typedef struct rheo_adam {
    float rate, beta1, beta2, epsilon, decay, correction1, correction2; /* 1-beta^t */
} rheo_adam;

/* c[tile_m][…] = from + a[tile_m][K] · b[K][tile_n]. Element (i,k) of a is a[i*a_row + k*a_col]; b is a
 * packed panel; rows of c and from are their pitch apart, from_row 0: one row for all. from may be c.
 * Meanwhile 4*K floats at `next` are fetched into the cache (it may lie outside of memory). */
typedef struct rheo_tile {
    uint32_t K;
    const float *a, *b, *from, *next;
    float *c;
    size_t a_row, a_col, from_row, c_row;
} rheo_tile;
typedef void rheo_tile_fn(const rheo_tile *tile);

/* sum[o][lane] += bit(k, lane) ? s[k][o] : 0 for k = 0 … K-1; 64 lanes, N outputs. */
typedef struct rheo_bit_sums {
    uint32_t K, N;
    const uint64_t *bits; /* word k * bits_row: the lanes' bits */
    size_t bits_row;
    const float *s;
    size_t s_row;
    float *sum; /* [N][64] */
} rheo_bit_sums;

/* to[t][64] = sum over k, ascending from 0, of g[t][k] w[k][64] */
typedef struct rheo_give {
    uint32_t T, K;
    const float *g, *w;
    size_t g_row, w_row;
    float *to;
} rheo_give;

/* Rows of w, some times each, into lines of an image: image[line[l] + i] += sum over j, ascending, of
 * factor[j] w[index[j]][l][i], i < width. A line of w has whole vectors, all lines at most
 * RHEO_SCATTER_VECTORS. */
#define RHEO_SCATTER_VECTORS 8
typedef struct rheo_scatter {
    uint32_t count;
    const uint32_t *index;
    const float *factor, *w;
    size_t w_row;
    const uint32_t *line;
    uint32_t lines, width;
    float *image;
} rheo_scatter;

/* Bits of a window: those of 64 * words that the mask lets through, and a number for each. */
typedef struct rheo_bit_window {
    uint32_t words;
    const uint64_t *mask;
    const uint32_t *number;
} rheo_bit_window;

/* Windows over images as rows of numbers: row k has, at piece.to, `count` numbers from image + tap[k] +
 * piece.from, stride apart. Pieces ascend in `to`. */
typedef struct rheo_piece {
    uint32_t to, count;
    ptrdiff_t from;
} rheo_piece;
typedef struct rheo_columns {
    const uint32_t *tap;
    const rheo_piece *piece;
    uint32_t taps, pieces, stride;
    uint32_t width; /* of the rows, whole vectors: the last vector is cleared first; 0: it is not */
    size_t pitch;   /* between rows */
} rheo_columns;

/* n columns of a row and of their channels' values; w: the step's weight.
 *   norm       y = (x - mean) scale + shift
 *   norm_sums  of_g += w g, of_gh += w g h                  h = (x - mean) inverse
 *   norm_back  gx = scale (w g - mean_g - h mean_gh), added to what stands there or not */
typedef struct rheo_norm_row {
    uint32_t n;
    float w;
    const float *x, *mean, *inverse, *scale, *shift, *mean_g, *mean_gh;
} rheo_norm_row;

/* panel[depth][width] = elements (r0 + i, k0 + k) of x; rows i >= rows are 0. width is tile_m or
 * tile_n; r0 is a multiple of it, k0 of 64 */
typedef void rheo_pack_fn(const rheo_operand *x, uint32_t r0, uint32_t rows, uint32_t k0,
                          uint32_t depth, uint32_t width, float *panel);

typedef struct rheo_kernels {
    const char *name;
    uint32_t lanes, tile_m, tile_n; /* floats in a vector; of the product's micro-kernel */
    rheo_pack_fn *pack;
    /* tile[v]: the first (v+1)*lanes columns */
    rheo_tile_fn *tile[3];
    /* one row of the gather: c[n] += w[k,n] for k in index, columns n0 … n1-1 */
    void (*gather_row)(const uint32_t *index, uint32_t count, const float *w, size_t w_row,
                       uint32_t n0, uint32_t n1, float *c);
    uint32_t few; /* outputs up to which bit_sums beats the product; at most RHEO_FEW */
    void (*bit_sums)(const rheo_bit_sums *b);
    void (*give)(const rheo_give *g);
    void (*scatter)(const rheo_scatter *s);
    /* to[c * to_row + r] = from[r * from_row + c] */
    void (*transpose)(const float *from, size_t from_row, uint32_t rows, uint32_t columns,
                      float *to, size_t to_row);
    /* bit j of word i becomes bit i of word j */
    void (*transpose_bits)(uint64_t word[64]);
    void (*binary_row)(const rheo_binary_product *p, uint32_t m, uint32_t n0, uint32_t n1);
    /* copies pieces of the image to rows; up to lanes-1 numbers after a row are overwritten */
    void (*columns)(const rheo_columns *c, const float *image, float *to);
    /* adds rows to the image, row after row */
    void (*columns_add)(const rheo_columns *c, const float *from, float *image);
    /* to[j] = bit first + j ? hi : lo */
    void (*expand)(const uint64_t *bits, size_t first, uint32_t n, float lo, float hi, float *to);
    /* Lists; each returns how many, and up to RHEO_LIST_SLACK numbers after them are overwritten.
     * Places of the set bits, ascending; begin[words + 1]: where each word's begin, or NULL. */
    uint32_t (*list_bits)(const uint64_t *bits, uint32_t words, uint32_t *to, uint32_t *begin);
    /* base + number[j] of the set bits begin + j that the window lets through; the word after the
     * last is read */
    uint32_t (*list_window)(const rheo_bit_window *w, const uint64_t *bits, size_t begin,
                            uint32_t base, uint32_t *to);
    /* places and values of what is not 0 */
    uint32_t (*list_nonzero)(uint32_t n, const float *x, uint32_t *index, float *value);
    void (*adam)(const rheo_adam *k, float *w, const float *g, float *m, float *v, size_t n);
    /* m NULL: no momentum */
    void (*sgd)(float rate, float momentum, float decay, float *w, const float *g, float *m,
                size_t n);
    void (*scale)(float factor, float *x, size_t n);
    /* sums in double, in a fixed order: of squares; of x, number i to sum[i % 8] */
    double (*square_sum)(const float *x, size_t n);
    void (*sums)(const float *x, size_t n, double sum[8]);
    void (*clamp)(float low, float high, float *x, size_t n);
    /* out = 1 where uniform < p, packed: bit j of step t from draw (key, {c0, c1, c2 + t, j/4}), lane
     * j%4; rows of out out_t words apart. p[j] in [0,1] is searched once for what is not 0, and the
     * rest is skipped four at a time */
    void (*bernoulli_steps)(rheo_key key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t steps,
                            const float *p, uint32_t n, uint64_t *out, size_t out_t);
    /* out[4 count]: the words of the draws (key, {c0, c1, c2, id}) of ascending ids */
    void (*draws)(rheo_key key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t id, uint32_t count,
                  uint32_t *out);
    /* Windows of 2 x 2 places that do not overlap, n in each two of the 2 * lines lines of a plane:
     * the place of the largest, 0 … 3 line by line; of k equal ones that one whose number is draw k
     * >> 32 (draw NULL: the first) */
    void (*places)(uint32_t lines, uint32_t n, const float *x, size_t width, const uint32_t *draw,
                   uint8_t *place);
    /* g to those places, 0 to the others and to those behind the last window */
    void (*spread)(uint32_t lines, uint32_t n, const float *g, const uint8_t *place, size_t width,
                   float *to);
    /* to[i]: the largest of such a window; NaN if one is */
    void (*largest)(uint32_t lines, uint32_t n, const float *x, size_t width, float *to);
    /* Rows of batch normalisation. sum[j] += x[j], or with a centre (x[j] - centre[j])^2 */
    void (*column_sums)(uint32_t n, const float *x, const double *centre, double *sum);
    void (*norm)(const rheo_norm_row *row, float *y);
    void (*norm_sums)(const rheo_norm_row *row, const float *g, double *of_g, double *of_gh);
    void (*norm_back)(const rheo_norm_row *row, const float *g, bool add, float *gx); /* or x */
    /* rounds of RHEO_PEAK_CHAINS vector FMAs in independent chains, all in registers: the most that
     * a core can do. The number says nothing, but depends on all of them */
    float (*fma_peak)(uint64_t rounds);
} rheo_kernels;
#define RHEO_PEAK_CHAINS 12
#define RHEO_LIST_SLACK  16

/* The table of the context's instruction set; never NULL. */
const rheo_kernels *rheo__kernels(const rheo_context *ctx);
/* exp, log1p and so on for loops are in kernels/math.h: inline, branch-free, with a stated error. */
#endif
