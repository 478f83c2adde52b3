/* field.h: an option, parameter or state variable as data: name, unit, default, range, meaning.
 * One table serves the recipe's check, the help text, `rheobase show`, the documents and the tests;
 * there is no second list. */
#ifndef RHEO_SRC_FIELD_H
#define RHEO_SRC_FIELD_H
#include "base/context.h"

typedef enum { RHEO_NUMBER, RHEO_INTEGER, RHEO_FLAG, RHEO_CHOICE } rheo_type;

typedef struct rheo_field {
    const char *name, *unit; /* unit: "ms", "mV", "1", … */
    rheo_type type;
    double init, min, max;      /* FLAG: 0 or 1; CHOICE: the index of the default, max 1:
                                   the last choice stands for an expression in place of a name */
    const char *const *choices; /* CHOICE, NULL-terminated; numbers from 0: names of -1, -2, … */
    const char *doc;            /* one sentence */
} rheo_field;

/* A table ends with RHEO_FIELD_END. Shorthands keep tables one line an entry. */
/* (a formatter would take the braces for a block) */
/* clang-format off */
#define RHEO_NUMBER_FIELD(name, unit, init, min, max, doc)                                         \
    {name, unit, RHEO_NUMBER, init, min, max, NULL, doc}
#define RHEO_INTEGER_FIELD(name, unit, init, min, max, doc)                                        \
    {name, unit, RHEO_INTEGER, init, min, max, NULL, doc}
#define RHEO_FLAG_FIELD(name, init, doc) {name, "1", RHEO_FLAG, init, 0, 1, NULL, doc}
#define RHEO_CHOICE_FIELD(name, init, choices, doc)                                                \
    {name, "1", RHEO_CHOICE, init, 0, 0, choices, doc}
#define RHEO_FIELD_END {NULL, NULL, RHEO_NUMBER, 0, 0, 0, NULL, NULL}
/* clang-format on */

/* The values of a table's options, in the table's order. */
#define RHEO_OPTIONS_MAX 64
typedef struct rheo_options {
    double v[RHEO_OPTIONS_MAX];
} rheo_options;

/* A decimal number, .inf or .nan, all of the text and nothing else; whatever the locale is. */
bool rheo__number(const char *text, double *out);
uint32_t rheo__field_count(const rheo_field *fields);
/* Index of a name, -1 when there is none. */
int rheo__field_index(const rheo_field *fields, const char *name);
rheo_options rheo__field_defaults(const rheo_field *fields);
/* Parses and range-checks one value. where: "net[1].neuron (recipe.yaml:12)", for the message. */
rheo_status rheo__field_parse(rheo_context *ctx, const rheo_field *field, const char *text,
                              const char *where, double *out);
/* The value as text: shortest that reads back to the same double; a choice by its name. */
void rheo__field_print(const rheo_field *field, double value, char out[64]);
#endif
