/* formula.c: the user's surrogate: from text to a flat program, checked, evaluated and integrated
 * in double.
 *
 *   comparison   sum [ < | > | <= | >= sum ]        gives 1 or 0
 *   sum          term { + | - term }
 *   term         unary { * | / unary }
 *   unary        - unary | + unary | atom [ ^ unary ]   (so -x^2 is -(x^2), 2^-x works)
 *   atom         number | x | k | pi | ( comparison ) | name ( comparison [ , comparison ] )
 *
 * Left out: names of one's own, conditions, powers of negative numbers by anything but small whole
 * numbers. The integral is Gauss and Kronrod's rule of 7 and 15 points, halved until both agree. A
 * jump very near the end of a piece is not seen. */
#include "neuron/formula.h"
#include "base/field.h"
#include "kernels/math.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define NESTING 32 /* parentheses, signs and powers inside each other */

static const uint8_t takes[] = {
#define RHEO_FORMULA_OP(token, takes) takes,
    RHEO_FORMULA_OPERATIONS
#undef RHEO_FORMULA_OP
};

static const struct {
    const char *name;
    uint8_t op;
} names[] = {
    {"abs", RHEO_FORMULA_ABS},   {"exp", RHEO_FORMULA_EXP},   {"log", RHEO_FORMULA_LOG},
    {"sqrt", RHEO_FORMULA_SQRT}, {"tanh", RHEO_FORMULA_TANH}, {"sin", RHEO_FORMULA_SIN},
    {"cos", RHEO_FORMULA_COS},   {"sign", RHEO_FORMULA_SIGN}, {"min", RHEO_FORMULA_MIN},
    {"max", RHEO_FORMULA_MAX},   {"x", RHEO_FORMULA_X},       {"k", RHEO_FORMULA_K},
    {"pi", RHEO_FORMULA_NUMBER},
};

typedef struct reader {
    rheo_context *ctx;
    const char *where, *at; /* at: the character that is next */
    rheo_formula *out;
    uint32_t nesting, depth; /* depth: values on the stack so far */
} reader;

static rheo_status comparison(reader *r);
static rheo_status unary(reader *r);

static uint32_t column_of(const reader *r, const char *at)
{
    return (uint32_t)(at - r->out->text) + 1;
}

static rheo_status wrong(const reader *r, const char *at, const char *what)
{
    char found[24] = "its end";
    if (*at) snprintf(found, sizeof found, "'%.12s'", at);
    return rheo__fail(r->ctx, RHEO_USAGE, "%s: formula \"%s\", column %u: found %s, expected %s",
                      r->where, r->out->text, column_of(r, at), found, what);
}

static void blanks(reader *r)
{
    while (*r->at == ' ') r->at++;
}

static rheo_status emit(reader *r, rheo_formula_op op, double number, const char *at)
{
    rheo_formula *f = r->out;
    r->depth += 1u - takes[op];
    if (f->ops == RHEO_FORMULA_OPS || r->depth > RHEO_FORMULA_DEPTH)
        return rheo__fail(r->ctx, RHEO_USAGE,
                          "%s: formula \"%s\", column %u: too long, at most %d operations and %d "
                          "values at a time",
                          r->where, f->text, column_of(r, at), RHEO_FORMULA_OPS,
                          RHEO_FORMULA_DEPTH);
    f->op[f->ops] = (uint8_t)op;
    f->column[f->ops] = (uint8_t)column_of(r, at);
    f->number[f->ops++] = number;
    return RHEO_OK;
}

static rheo_status number(reader *r)
{
    char text[40];
    const char *start = r->at, *p = start;
    p += strspn(p, "0123456789.");
    if (*p == 'e' || *p == 'E') {
        const char *power = p + 1 + (p[1] == '-' || p[1] == '+');
        if (*power >= '0' && *power <= '9') p = power + strspn(power, "0123456789");
    }
    double value;
    const size_t size = (size_t)(p - start);
    if (size >= sizeof text) return wrong(r, start, "a shorter number");
    memcpy(text, start, size);
    text[size] = 0;
    if (!rheo__number(text, &value) || !isfinite(value)) return wrong(r, start, "a number");
    r->at = p;
    return emit(r, RHEO_FORMULA_NUMBER, value, start);
}

static rheo_status expect(reader *r, char c)
{
    const char what[] = {'\'', c, '\'', 0};
    blanks(r);
    if (*r->at != c) return wrong(r, r->at, what);
    r->at++;
    return RHEO_OK;
}

static rheo_status name(reader *r)
{
    const char *start = r->at;
    const size_t size = strspn(start, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i].name) != size || strncmp(names[i].name, start, size) != 0) continue;
        const rheo_formula_op op = (rheo_formula_op)names[i].op;
        r->at += size;
        if (takes[op] > 0) {
            RHEO_TRY(expect(r, '('));
            RHEO_TRY(comparison(r));
            if (takes[op] > 1) {
                RHEO_TRY(expect(r, ','));
                RHEO_TRY(comparison(r));
            }
            RHEO_TRY(expect(r, ')'));
        }
        return emit(r, op, 3.141592653589793, start);
    }
    return wrong(r, start,
                 "a number, x, k, pi, abs, exp, log, sqrt, tanh, sin, cos, sign, min, max or '('");
}

static rheo_status atom(reader *r)
{
    blanks(r);
    if (*r->at == '(') {
        r->at++;
        RHEO_TRY(comparison(r));
        return expect(r, ')');
    }
    if ((*r->at >= '0' && *r->at <= '9') || *r->at == '.') return number(r);
    return name(r);
}

/* ^ by a whole number that was written as one becomes products. */
static rheo_status power(reader *r, const char *at)
{
    rheo_formula *f = r->out;
    const uint32_t before = f->ops;
    RHEO_TRY(unary(r));
    double n = f->number[before];
    const bool negative = f->ops == before + 2 && f->op[before + 1] == RHEO_FORMULA_NEGATE;
    if (f->op[before] == RHEO_FORMULA_NUMBER && (f->ops == before + 1 || negative) &&
        n == floor(n) && n <= 16) {
        f->ops = before;
        r->depth--;
        return emit(r, RHEO_FORMULA_INTEGER_POWER, negative ? -n : n, at);
    }
    return emit(r, RHEO_FORMULA_POWER, 0, at);
}

static rheo_status unary(reader *r)
{
    blanks(r);
    const char *at = r->at;
    if (++r->nesting > NESTING) return wrong(r, at, "less nesting");
    if (*at == '-' || *at == '+') {
        r->at++;
        RHEO_TRY(unary(r));
        if (*at == '-') RHEO_TRY(emit(r, RHEO_FORMULA_NEGATE, 0, at));
    } else {
        RHEO_TRY(atom(r));
        blanks(r);
        if (*r->at == '^') {
            at = r->at++;
            RHEO_TRY(power(r, at));
        }
    }
    r->nesting--;
    return RHEO_OK;
}

static rheo_status term(reader *r)
{
    RHEO_TRY(unary(r));
    for (blanks(r); *r->at == '*' || *r->at == '/'; blanks(r)) {
        const char *at = r->at++;
        RHEO_TRY(unary(r));
        RHEO_TRY(emit(r, *at == '*' ? RHEO_FORMULA_MULTIPLY : RHEO_FORMULA_DIVIDE, 0, at));
    }
    return RHEO_OK;
}

static rheo_status sum(reader *r)
{
    RHEO_TRY(term(r));
    for (blanks(r); *r->at == '+' || *r->at == '-'; blanks(r)) {
        const char *at = r->at++;
        RHEO_TRY(term(r));
        RHEO_TRY(emit(r, *at == '+' ? RHEO_FORMULA_ADD : RHEO_FORMULA_SUBTRACT, 0, at));
    }
    return RHEO_OK;
}

static rheo_status comparison(reader *r)
{
    RHEO_TRY(sum(r));
    blanks(r);
    const char *at = r->at;
    if (*at != '<' && *at != '>') return RHEO_OK;
    const bool equal = at[1] == '=', less = *at == '<';
    r->at += equal ? 2 : 1;
    RHEO_TRY(sum(r));
    const rheo_formula_op op = less    ? equal ? RHEO_FORMULA_AT_MOST : RHEO_FORMULA_LESS
                               : equal ? RHEO_FORMULA_AT_LEAST
                                       : RHEO_FORMULA_GREATER;
    return emit(r, op, 0, at);
}

rheo_status rheo__formula_compile(rheo_context *ctx, const char *text, const char *where,
                                  rheo_formula *out)
{
    *out = (rheo_formula){0};
    const size_t size = strlen(text);
    RHEO_CHECK(ctx, size < sizeof out->text, RHEO_USAGE,
               "%s: the formula has %zu characters, at most %zu", where, size,
               sizeof out->text - 1);
    memcpy(out->text, text, size + 1);
    reader r = {.ctx = ctx, .where = where, .at = out->text, .out = out};
    RHEO_TRY(comparison(&r));
    blanks(&r);
    if (*r.at) return wrong(&r, r.at, "an operator or its end");
    return RHEO_OK;
}

/* ---- values ---- */

static double integer_power(double x, int n)
{
    double result = 1;
    for (int i = 0; i < (n < 0 ? -n : n); i++) result *= x;
    return n < 0 ? 1 / result : result;
}

static double apply(rheo_formula_op op, double number, double a, double b)
{
    switch (op) {
    case RHEO_FORMULA_NUMBER:
        return number;
    case RHEO_FORMULA_X:
    case RHEO_FORMULA_K:
        break;
    case RHEO_FORMULA_NEGATE:
        return -a;
    case RHEO_FORMULA_INTEGER_POWER:
        return integer_power(a, (int)number);
    case RHEO_FORMULA_ABS:
        return fabs(a);
    case RHEO_FORMULA_EXP:
        return exp(a);
    case RHEO_FORMULA_LOG:
        return log(a);
    case RHEO_FORMULA_SQRT:
        return sqrt(a);
    case RHEO_FORMULA_TANH:
        return tanh(a);
    case RHEO_FORMULA_SIN:
        return sin(a);
    case RHEO_FORMULA_COS:
        return cos(a);
    case RHEO_FORMULA_SIGN:
        return (a > 0) - (a < 0);
    case RHEO_FORMULA_ADD:
        return a + b;
    case RHEO_FORMULA_SUBTRACT:
        return a - b;
    case RHEO_FORMULA_MULTIPLY:
        return a * b;
    case RHEO_FORMULA_DIVIDE:
        return a / b;
    case RHEO_FORMULA_POWER:
        return pow(a, b);
    case RHEO_FORMULA_MIN:
        return a < b ? a : b;
    case RHEO_FORMULA_MAX:
        return a > b ? a : b;
    case RHEO_FORMULA_LESS:
        return a < b;
    case RHEO_FORMULA_GREATER:
        return a > b;
    case RHEO_FORMULA_AT_MOST:
        return a <= b;
    case RHEO_FORMULA_AT_LEAST:
        return a >= b;
    }
    return 0;
}

/* *bad (may be NULL): the first operation whose value is not finite in float32, or ops. */
static double value(const rheo_formula *f, double x, double k, uint32_t *bad)
{
    double stack[RHEO_FORMULA_DEPTH + 2] = {0};
    uint32_t top = 0; /* values on the stack */
    if (bad) *bad = f->ops;
    for (uint32_t i = 0; i < f->ops; i++) {
        const rheo_formula_op op = (rheo_formula_op)f->op[i];
        top -= takes[op];
        double got = op == RHEO_FORMULA_X   ? x
                     : op == RHEO_FORMULA_K ? k
                                            : apply(op, f->number[i], stack[top], stack[top + 1]);
        stack[top++] = got;
        if (bad && *bad == f->ops && !(fabs(got) <= 3.4028234e38)) *bad = i;
    }
    return stack[0];
}

double rheo__formula_value(const rheo_formula *formula, double x, double k)
{
    return value(formula, x, k, NULL);
}

/* 0, and 40 points a decade from 1e-6 to 1e3 on both sides. An infinity on the way is fine as long
 * as what comes of it is a number: exp(1000) in 1/(1+exp(k*x)). */
rheo_status rheo__formula_check(rheo_context *ctx, const rheo_formula *formula, double k,
                                const char *where)
{
    for (int i = 0; i <= 2 * 361; i++) {
        const double size = i == 0 ? 0 : pow(10, -6 + ((i - 1) / 2) / 40.0);
        const double x = i % 2 ? size : -size;
        uint32_t bad;
        const double got = value(formula, x, k, &bad);
        if (fabs(got) <= 3.4028234e38) continue;
        const uint32_t column = formula->column[bad < formula->ops ? bad : formula->ops - 1];
        return rheo__fail(ctx, RHEO_USAGE,
                          "%s: formula \"%s\" is %s at x = %g with k = %g, expected a number for "
                          "every x; look at column %u",
                          where, formula->text, isnan(got) ? "not a number" : "infinite", x, k,
                          column);
    }
    return RHEO_OK;
}

/* ---- integral ---- */

/* Nodes and weights of the rule of 15 points, and of the 7 among them. */
static double rule(const rheo_formula *f, double k, double from, double to, double *error)
{
    static const double node[8] = {
        0.991455371120812639206854697526329, 0.949107912342758524526189684047851,
        0.864864423359769072789712788640926, 0.741531185599394439863864773280788,
        0.586087235467691130294144691693178, 0.405845151377397166906606412076961,
        0.207784955007898467600689403773245, 0};
    static const double kronrod[8] = {
        0.022935322010529224963732008058970, 0.063092092629978553290700663189204,
        0.104790010322250183839876322541518, 0.140653259715525918745189590510238,
        0.169004726639267902826583426598550, 0.190350578064785409913256402421014,
        0.204432940075298892414161999234649, 0.209482141084727828012999174891714};
    static const double gauss[4] = {
        0.129484966168869693270611432679082, 0.279705391489276667901467771423780,
        0.381830050505118944950369775488975, 0.417959183673469387755102040816327};
    const double middle = (from + to) / 2, half = (to - from) / 2;
    double fine = 0, coarse = 0;
    for (int i = 0; i < 8; i++) {
        double pair = rheo__formula_value(f, middle + half * node[i], k);
        if (i < 7) pair += rheo__formula_value(f, middle - half * node[i], k);
        fine += kronrod[i] * pair;
        if (i % 2) coarse += gauss[i / 2] * pair;
    }
    *error = fabs(fine - coarse) * fabs(half);
    return fine * half;
}

static double part(const rheo_formula *f, double k, double from, double to, int depth)
{
    double error, whole = rule(f, k, from, to, &error), middle = (from + to) / 2;
    if (depth == 0 || error <= 1e-13 * (1 + fabs(whole))) return whole;
    return part(f, k, from, middle, depth - 1) + part(f, k, middle, to, depth - 1);
}

/* By pieces of 1/4, longer ones beyond 16: they are the same for every x, so what a jump inside a
 * piece costs (up to some 1e-5) is no error of the integral's slope elsewhere. */
double rheo__formula_integral(const rheo_formula *formula, double x, double k)
{
    const double sign = x < 0 ? -1 : 1, end = fabs(x);
    double sum = 0.5, at = 0;
    while (at < end) {
        const double next = fmin(end, at < 16 ? at + 0.25 : 2 * at);
        sum += part(formula, k, sign * at, sign * next, 40);
        at = next;
    }
    return sum;
}
