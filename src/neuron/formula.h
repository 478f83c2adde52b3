/* formula.h: a user's own surrogate: an expression in x (distance above the threshold) and k (the
 * slope) becomes a flat program, which is evaluated on vectors of 64 lanes in the loops
 * (formula.inc) and one number at a time in double. The program is a plain value: it is copied with
 * the node that it belongs to and owns nothing. */
#ifndef RHEO_SRC_FORMULA_H
#define RHEO_SRC_FORMULA_H
#include "base/context.h"

#define RHEO_FORMULA_TEXT  128 /* with its end */
#define RHEO_FORMULA_OPS   64
#define RHEO_FORMULA_DEPTH 8 /* values kept at a time */

/* RHEO_FORMULA_OP(token, values it takes) */
#define RHEO_FORMULA_OPERATIONS                                                                    \
    RHEO_FORMULA_OP(NUMBER, 0)                                                                     \
    RHEO_FORMULA_OP(X, 0)                                                                          \
    RHEO_FORMULA_OP(K, 0)                                                                          \
    RHEO_FORMULA_OP(NEGATE, 1)                                                                     \
    RHEO_FORMULA_OP(INTEGER_POWER, 1) /* by `number`, up to 16, as products */                     \
    RHEO_FORMULA_OP(ABS, 1)                                                                        \
    RHEO_FORMULA_OP(EXP, 1)                                                                        \
    RHEO_FORMULA_OP(LOG, 1)                                                                        \
    RHEO_FORMULA_OP(SQRT, 1)                                                                       \
    RHEO_FORMULA_OP(TANH, 1)                                                                       \
    RHEO_FORMULA_OP(SIN, 1)                                                                        \
    RHEO_FORMULA_OP(COS, 1)                                                                        \
    RHEO_FORMULA_OP(SIGN, 1)                                                                       \
    RHEO_FORMULA_OP(ADD, 2)                                                                        \
    RHEO_FORMULA_OP(SUBTRACT, 2)                                                                   \
    RHEO_FORMULA_OP(MULTIPLY, 2)                                                                   \
    RHEO_FORMULA_OP(DIVIDE, 2)                                                                     \
    RHEO_FORMULA_OP(POWER, 2)                                                                      \
    RHEO_FORMULA_OP(MIN, 2)                                                                        \
    RHEO_FORMULA_OP(MAX, 2)                                                                        \
    RHEO_FORMULA_OP(LESS, 2) /* comparisons give 1 or 0 */                                         \
    RHEO_FORMULA_OP(GREATER, 2)                                                                    \
    RHEO_FORMULA_OP(AT_MOST, 2)                                                                    \
    RHEO_FORMULA_OP(AT_LEAST, 2)

typedef enum {
#define RHEO_FORMULA_OP(token, takes) RHEO_FORMULA_##token,
    RHEO_FORMULA_OPERATIONS
#undef RHEO_FORMULA_OP
} rheo_formula_op;

typedef struct rheo_formula {
    char text[RHEO_FORMULA_TEXT]; /* as it was written; "": none */
    uint32_t ops;
    uint8_t op[RHEO_FORMULA_OPS];     /* in the order of work: operands first */
    uint8_t column[RHEO_FORMULA_OPS]; /* where it stands in the text, from 1 */
    double number[RHEO_FORMULA_OPS];  /* NUMBER, INTEGER_POWER */
} rheo_formula;

/* Reads the text. where: "recipe.yaml:12: surrogate", for messages, which point at the column. */
rheo_status rheo__formula_compile(rheo_context *ctx, const char *text, const char *where,
                                  rheo_formula *out);
/* The formula must be a finite number at every x from -1000 to 1000 that is looked at, in float32,
 * with this k; the message names x and the column of the operation that is not. */
rheo_status rheo__formula_check(rheo_context *ctx, const rheo_formula *formula, double k,
                                const char *where);
double rheo__formula_value(const rheo_formula *formula, double x, double k);
/* 1/2 + the integral from 0 to x, by quadrature. */
double rheo__formula_integral(const rheo_formula *formula, double x, double k);
#endif
