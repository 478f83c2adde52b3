/* field.c: values of options as text and back. Numbers are read and written with a decimal point
 * whatever the locale of the program is. */
#include "base/field.h"
#include "base/text.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t rheo__field_count(const rheo_field *fields)
{
    uint32_t count = 0;
    while (fields[count].name) count++;
    return count;
}

int rheo__field_index(const rheo_field *fields, const char *name)
{
    for (int i = 0; fields[i].name; i++)
        if (strcmp(fields[i].name, name) == 0) return i;
    return -1;
}

rheo_options rheo__field_defaults(const rheo_field *fields)
{
    rheo_options options = {{0}};
    for (int i = 0; i < RHEO_OPTIONS_MAX && fields[i].name; i++) options.v[i] = fields[i].init;
    return options;
}

/* Decimal digits, a point, an exponent, or inf and nan with an optional point before them (YAML):
 * strtod alone would also take blanks and hexadecimal. */
bool rheo__number(const char *text, double *out)
{
    const char *p = text + (*text == '-' || *text == '+');
    const char *word = p + (*p == '.');
    double sign = *text == '-' ? -1 : 1;
    if (strcmp(word, "inf") == 0 || strcmp(word, "nan") == 0) {
        *out = *word == 'i' ? sign * (double)INFINITY : (double)NAN;
        return true;
    }
    if (!*p || strspn(p, "0123456789.eE+-") != strlen(p)) return false;
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain) return false;
    char *end;
    *out = strtod_l(text, &end, plain);
    freelocale(plain);
    return end != text && *end == '\0';
}

static void print_number(double value, char out[64])
{
    if (!isfinite(value)) {
        snprintf(out, 64, "%s", isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        double back;
        snprintf(out, 64, "%.*g", digits, value);
        char *comma = strchr(out, ',');
        if (comma) *comma = '.';
        if (rheo__number(out, &back) && back == value) return;
    }
}

void rheo__field_print(const rheo_field *field, double value, char out[64])
{
    if (field->type == RHEO_FLAG)
        snprintf(out, 64, "%s", value != 0 ? "true" : "false");
    else if (field->type == RHEO_CHOICE)
        snprintf(out, 64, "%s", field->choices[(int)value]);
    else if (field->choices && value < 0)
        snprintf(out, 64, "%s", field->choices[-1 - (int)value]);
    else
        print_number(value, out);
}

static rheo_status parse_number(rheo_context *ctx, const rheo_field *field, const char *text,
                                const char *where, double *out)
{
    bool whole = field->type == RHEO_INTEGER;
    char min[64], max[64];
    double value;
    for (int i = 0; field->choices && field->choices[i]; i++)
        if (strcmp(field->choices[i], text) == 0) {
            *out = -1 - i;
            return RHEO_OK;
        }
    bool good = rheo__number(text, &value);
    if (good && isnan(value))
        good = isnan(field->init);
    else if (good)
        good = value >= field->min && value <= field->max && (!whole || value == floor(value));
    if (good) {
        *out = value;
        return RHEO_OK;
    }
    print_number(field->min, min);
    print_number(field->max, max);
    bool plain = !field->unit || strcmp(field->unit, "1") == 0;
    return rheo__fail(ctx, RHEO_USAGE, "%s: %s is '%.64s', expected %s from %s to %s%s%s%s%s",
                      where, field->name, text, whole ? "a whole number" : "a number", min, max,
                      plain ? "" : " ", plain ? "" : field->unit, field->choices ? ", or " : "",
                      field->choices ? field->choices[0] : "");
}

static rheo_status parse_flag(rheo_context *ctx, const rheo_field *field, const char *text,
                              const char *where, double *out)
{
    bool yes = strcmp(text, "true") == 0;
    RHEO_CHECK(ctx, yes || strcmp(text, "false") == 0, RHEO_USAGE,
               "%s: %s is '%.64s', expected true or false", where, field->name, text);
    *out = yes;
    return RHEO_OK;
}

/* A name has letters, digits and '-' only. */
static bool is_expression(const char *text)
{
    return strpbrk(text, "()*/+^<> ") || strspn(text, "-.0123456789xk") == strlen(text);
}

static rheo_status parse_choice(rheo_context *ctx, const rheo_field *field, const char *text,
                                const char *where, double *out)
{
    for (int i = 0; field->choices[i]; i++) {
        if (strcmp(field->choices[i], text) != 0) continue;
        *out = i;
        return RHEO_OK;
    }
    if (field->max == 1 && is_expression(text)) {
        for (*out = 0; field->choices[(int)*out + 1]; ++*out) continue;
        return RHEO_OK;
    }
    const char *near = rheo__nearest(text, field->choices);
    if (near)
        return rheo__fail(ctx, RHEO_USAGE, "%s: %s is '%.64s'; did you mean '%s'?", where,
                          field->name, text, near);
    char list[1024] = "";
    for (int i = 0; field->choices[i]; i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", field->choices[i]);
    }
    return rheo__fail(ctx, RHEO_USAGE, "%s: %s is '%.64s', expected one of %s", where, field->name,
                      text, list);
}

rheo_status rheo__field_parse(rheo_context *ctx, const rheo_field *field, const char *text,
                              const char *where, double *out)
{
    static rheo_status (*const parsers[])(rheo_context *, const rheo_field *, const char *,
                                          const char *, double *) = {
        [RHEO_NUMBER] = parse_number,
        [RHEO_INTEGER] = parse_number,
        [RHEO_FLAG] = parse_flag,
        [RHEO_CHOICE] = parse_choice,
    };
    return parsers[field->type](ctx, field, text, where, out);
}
