/* table.c: the comparison as a table: short for a terminal and markdown, complete as CSV (RFC 4180:
 * CRLF, quotes doubled) and JSON (one element a system). */
#include "report/row.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define WIDTH 160 /* of a terminal; beyond it the table gives up space step by step */
#define DASH  "–"

static const rheo_family families[] = {
    {"binary", "Binary networks",
     "Trained with weights and activations of ±1; a product is an XOR and a count of bits.",
     "#0072b2", "#4aa8e0", "#00588a", "#7cc4f0"},
    {"conversion", "Conversion",
     "An ordinary network is trained first; its weights are rescaled and its units become spiking "
     "neurons whose rates stand for the activations.",
     "#d08700", "#f0b030", "#8a5a00", "#f5c55c"},
    {"constrained", "Constrained, then trained",
     "The spiking neuron's own response, with its limits and its noise, is built into the network "
     "that is trained; the spiking network then runs with the same weights.",
     "#009e73", "#2cc79a", "#007354", "#5fd9b6"},
    {"spikes", "Trained with spikes",
     "Gradients flow through the spiking neurons themselves, by a smooth stand-in for the step "
     "that "
     "is a spike.",
     "#a64d94", "#d98acb", "#8c3a7b", "#e6a8db"},
    {"local", "Local learning",
     "Each synapse learns from the spikes on its own two sides, without labels; labels only name "
     "the neurons afterwards.",
     "#c8442a", "#f07a5c", "#a83218", "#f79a82"},
};

const rheo_family *rheo__family_at(uint32_t index)
{
    return index < sizeof families / sizeof families[0] ? &families[index] : NULL;
}

uint32_t rheo__row_family(const rheo_row *row)
{
    const char *name = rheo__text_at(row->json, "family");
    uint32_t i = 0;
    while (i < sizeof families / sizeof families[0] && strcmp(families[i].name, name) != 0) i++;
    return i;
}

/* The narrow names of the columns are promises: scripts look for them. */
const char *const rheo__column_names[RHEO_COLUMNS] = {
    "system",        "family",  "network",         "steps",     "accuracy %",
    "spikes/neuron", "SynOps",  "MACs (same net)", "energy nJ", "decision",
    "train s",       "on chip", "reported %",      "verdict"};

bool rheo__column_is_number(uint32_t column)
{
    return column >= RHEO_COLUMN_STEPS && column < RHEO_COLUMN_VERDICT &&
           column != RHEO_COLUMN_ON_CHIP;
}

void rheo__human(double value, char out[32])
{
    static const char *const unit[] = {"", " k", " M", " G", " T", " P"};
    size_t u = 0;
    if (isnan(value)) {
        snprintf(out, 32, DASH);
        return;
    }
    /* 999.5 would be written as 1e+03: the next unit begins where three digits round up */
    while (fabs(value) >= 999.5 && u + 1 < sizeof unit / sizeof unit[0]) {
        value /= 1000;
        u++;
    }
    bool whole = value == floor(value) && fabs(value) < 1e6;
    snprintf(out, 32, whole ? "%.0f%s" : "%.3g%s", value, unit[u]);
}

static bool differ(const rheo_row *rows, uint32_t count, const char *key)
{
    for (uint32_t r = 1; r < count; r++)
        if (strcmp(rheo__text_at(rows[r].json, key), rheo__text_at(rows[0].json, key))) return true;
    return false;
}

/* Another row is of the same system, data and size: only the settings tell them apart. */
static bool needs_settings(const rheo_row *rows, uint32_t count, uint32_t row)
{
    static const char *const keys[] = {"name", "data", "size"};
    for (uint32_t r = 0; r < count; r++) {
        bool same = r != row;
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
            same = same && !strcmp(rheo__text_at(rows[r].json, keys[k]),
                                   rheo__text_at(rows[row].json, keys[k]));
        if (same) return true;
    }
    return false;
}

void rheo__row_label(const rheo_row *rows, uint32_t count, uint32_t row, char out[RHEO_CELL])
{
    const cJSON *json = rows[row].json;
    const char *settings = rows[row].run[0].settings;
    bool data = differ(rows, count, "data"), size = differ(rows, count, "size");
    int n = snprintf(out, RHEO_CELL, "%.60s", rheo__text_at(json, "name"));
    if (*settings && needs_settings(rows, count, row))
        n += snprintf(out + n, RHEO_CELL - (size_t)n, " [%s]", settings);
    if (data || size)
        snprintf(out + n, RHEO_CELL - (size_t)n, " (%.30s%s%.20s)",
                 data ? rheo__text_at(json, "data") : "", data && size ? ", " : "",
                 size ? rheo__text_at(json, "size") : "");
}

static void verdict(const cJSON *json, char out[RHEO_CELL])
{
    double accept = rheo__number_at(json, "accept");
    double lack = accept - rheo__number_at(json, "accuracy.mean");
    if (isnan(lack))
        snprintf(out, RHEO_CELL, DASH);
    else if (lack <= 0)
        snprintf(out, RHEO_CELL, "reached");
    else if (lack < 0.01)
        snprintf(out, RHEO_CELL, "short by <0.01");
    else
        snprintf(out, RHEO_CELL, lack < 0.1 ? "short by %.2f" : "short by %.1f", lack);
}

static void plain(double x, int digits, char out[RHEO_CELL])
{
    if (isnan(x))
        snprintf(out, RHEO_CELL, DASH);
    else
        snprintf(out, RHEO_CELL, "%.*f", digits, x);
}

void rheo__cell(const rheo_row *rows, uint32_t count, uint32_t row, uint32_t column,
                char out[RHEO_CELL])
{
    static const char *const path[RHEO_COLUMNS] = {
        [RHEO_COLUMN_FAMILY] = "family",
        [RHEO_COLUMN_NETWORK] = "network",
        [RHEO_COLUMN_STEPS] = "steps",
        [RHEO_COLUMN_SPIKES] = "spikes_per_neuron",
        [RHEO_COLUMN_SYNOPS] = "synaptic_operations",
        [RHEO_COLUMN_MACS] = "macs_without_spikes",
        [RHEO_COLUMN_ENERGY] = "energy_nj",
        [RHEO_COLUMN_DECISION] = "steps_to_decision",
        [RHEO_COLUMN_TRAIN] = "train.seconds",
        [RHEO_COLUMN_REPORTED] = "reported",
    };
    const cJSON *json = rows[row].json;
    double sd = rheo__number_at(json, "accuracy.sd");
    double x = path[column] ? rheo__number_at(json, path[column]) : NAN;
    char human[32];
    switch (column) {
    case RHEO_COLUMN_SYSTEM:
        rheo__row_label(rows, count, row, out);
        return;
    case RHEO_COLUMN_FAMILY:
    case RHEO_COLUMN_NETWORK:
        snprintf(out, RHEO_CELL, "%.150s", rheo__text_at(json, path[column]));
        return;
    case RHEO_COLUMN_ACCURACY:
        plain(rheo__number_at(json, "accuracy.mean"), 2, out);
        if (!isnan(sd)) snprintf(out + strlen(out), 32, " ± %.2f", sd);
        return;
    case RHEO_COLUMN_REPORTED:
        plain(x, 2, out);
        return;
    case RHEO_COLUMN_ON_CHIP: {
        const cJSON *chip = rheo__at(json, "hardware.on_chip");
        snprintf(out, RHEO_CELL, "%s", !chip ? DASH : cJSON_IsTrue(chip) ? "yes" : "no");
        return;
    }
    case RHEO_COLUMN_VERDICT:
        verdict(json, out);
        return;
    default:
        rheo__human(x, human);
        snprintf(out, RHEO_CELL, "%s", human);
    }
}

/* Characters a UTF-8 text shows: all bytes but those that continue one. */
static uint32_t shown(const char *text)
{
    uint32_t n = 0;
    for (; *text; text++) n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static uint32_t most(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* Cuts to `width` characters, the last one an ellipsis. */
static void cut(char *text, uint32_t width)
{
    if (shown(text) <= width) return;
    uint32_t n = 0;
    char *c = text;
    for (; *c && n < width; c++) n += ((unsigned char)*c & 0xc0) != 0x80;
    while (c > text && ((unsigned char)*--c & 0xc0) == 0x80) {
    }
    strcpy(c, "…");
}

static void padded(rheo_text *out, const char *text, uint32_t width, bool right)
{
    int space = width > shown(text) ? (int)(width - shown(text)) : 0;
    rheo__text_add(out, "%*s%s%*s", right ? space : 0, "", text, right ? 0 : space, "");
}

/* Too wide: first one space between columns, then shorter networks, then shorter names. */
static uint32_t fit(uint32_t width[RHEO_COLUMNS])
{
    static const uint32_t give[] = {RHEO_COLUMN_NETWORK, RHEO_COLUMN_SYSTEM, RHEO_COLUMN_VERDICT};
    uint32_t sum = 0;
    for (uint32_t c = 0; c < RHEO_COLUMNS; c++) sum += width[c];
    if (sum + 2 * (RHEO_COLUMNS - 1) <= WIDTH) return 2;
    sum += RHEO_COLUMNS - 1;
    for (size_t g = 0; g < sizeof give / sizeof give[0] && sum > WIDTH; g++) {
        uint32_t *w = &width[give[g]], least = most(12, shown(rheo__column_names[give[g]]));
        uint32_t now = *w > least + (sum - WIDTH) ? *w - (sum - WIDTH) : *w < least ? *w : least;
        sum -= *w - now;
        *w = now;
    }
    return 1;
}

static void terminal(const rheo_row *rows, uint32_t count, rheo_text *out)
{
    uint32_t width[RHEO_COLUMNS];
    char cell[RHEO_CELL];
    for (uint32_t c = 0; c < RHEO_COLUMNS; c++) {
        width[c] = shown(rheo__column_names[c]);
        for (uint32_t r = 0; r < count; r++) {
            rheo__cell(rows, count, r, c, cell);
            width[c] = most(width[c], shown(cell));
        }
    }
    uint32_t gap = fit(width);
    for (uint32_t line = 0; line <= count; line++) {
        for (uint32_t c = 0; c < RHEO_COLUMNS; c++) {
            if (line == 0)
                snprintf(cell, sizeof cell, "%s", rheo__column_names[c]);
            else
                rheo__cell(rows, count, line - 1, c, cell);
            cut(cell, width[c]);
            bool last = c + 1 == RHEO_COLUMNS;
            padded(out, cell, last ? 0 : width[c], rheo__column_is_number(c));
            rheo__text_add(out, "%s", last ? "\n" : gap == 2 ? "  " : " ");
        }
    }
}

static void markdown(const rheo_row *rows, uint32_t count, rheo_text *out)
{
    char cell[RHEO_CELL];
    for (uint32_t c = 0; c < RHEO_COLUMNS; c++) rheo__text_add(out, "| %s ", rheo__column_names[c]);
    rheo__text_add(out, "|\n");
    for (uint32_t c = 0; c < RHEO_COLUMNS; c++)
        rheo__text_add(out, rheo__column_is_number(c) ? "|---:" : "|---");
    rheo__text_add(out, "|\n");
    for (uint32_t r = 0; r < count; r++) {
        for (uint32_t c = 0; c < RHEO_COLUMNS; c++) {
            rheo__cell(rows, count, r, c, cell);
            rheo__text_add(out, "| ");
            for (const char *p = cell; *p; p++) {
                if (strchr("|\\`*_<[", *p)) rheo__text_add(out, "\\");
                rheo__text_put(out, *p == '\n' || *p == '\r' ? " " : p, 1);
            }
            rheo__text_add(out, " ");
        }
        rheo__text_add(out, "|\n");
    }
}

/* name of the column, path in the merged document */
static const struct rheo_csv_column {
    const char *name, *path;
} csv_columns[] = {
    {"system", "name"},
    {"title", "title"},
    {"family", "family"},
    {"data", "data"},
    {"size", "size"},
    {"network", "network"},
    {"steps", "steps"},
    {"dt_ms", "dt_ms"},
    {"seeds", "seeds"},
    {"accuracy_mean", "accuracy.mean"},
    {"accuracy_sd", "accuracy.sd"},
    {"accuracy_low", "accuracy.interval.0"},
    {"accuracy_high", "accuracy.interval.1"},
    {"accuracy_each", "accuracy.each"},
    {"source_rule", "accuracy.source_rule"},
    {"reported", "reported"},
    {"accept", "accept"},
    {"verdict", "verdict"},
    {"spikes_per_neuron", "spikes_per_neuron"},
    {"synaptic_operations", "synaptic_operations"},
    {"macs", "macs"},
    {"acs", "acs"},
    {"updates", "updates"},
    {"macs_without_spikes", "macs_without_spikes"},
    {"energy_nj", "energy_nj"},
    {"energy_table", "energy_table"},
    {"steps_to_decision", "steps_to_decision"},
    {"train_operations", "train.operations"},
    {"train_seconds", "train.seconds"},
    {"train_peak_mb", "train.peak_mb"},
    {"parameters", "hardware.parameters"},
    {"parameter_bits", "hardware.bits"},
    {"neurons", "neurons"},
    {"fan_in", "hardware.fan_in"},
    {"states", "hardware.states"},
    {"multiplies", "hardware.multiplies"},
    {"event_driven", "hardware.event_driven"},
    {"learning", "hardware.learning"},
    {"on_chip", "hardware.on_chip"},
    {"chips", "hardware.chips"},
    {"command", "command"},
    {"commit", "commit"},
};
static const uint32_t csv_steps[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};

static void csv_text(rheo_text *out, const char *text)
{
    bool quote = strpbrk(text, ",\"\r\n") != NULL;
    if (quote) rheo__text_add(out, "\"");
    for (; *text; text++) rheo__text_add(out, *text == '"' ? "\"\"" : "%c", *text);
    if (quote) rheo__text_add(out, "\"");
}

/* A list is joined by spaces (chips by semicolons: their names may hold spaces). */
static void csv_item(rheo_text *out, const cJSON *item)
{
    if (cJSON_IsString(item)) csv_text(out, item->valuestring);
    if (cJSON_IsNumber(item) && isfinite(item->valuedouble))
        rheo__text_add(out, "%.15g", item->valuedouble);
    if (cJSON_IsBool(item)) rheo__text_add(out, cJSON_IsTrue(item) ? "yes" : "no");
    if (!cJSON_IsArray(item)) return;
    for (const cJSON *child = item->child; child; child = child->next) {
        csv_item(out, child);
        if (child->next) rheo__text_add(out, cJSON_IsString(child) ? "; " : " ");
    }
}

static void csv(const rheo_row *rows, uint32_t count, rheo_text *out)
{
    size_t columns = sizeof csv_columns / sizeof csv_columns[0];
    size_t steps = sizeof csv_steps / sizeof csv_steps[0];
    for (size_t c = 0; c < columns; c++)
        rheo__text_add(out, "%s%s", c ? "," : "", csv_columns[c].name);
    for (size_t s = 0; s < steps; s++) rheo__text_add(out, ",accuracy_at_%u", csv_steps[s]);
    rheo__text_add(out, ",operations_ratio\r\n");
    for (uint32_t r = 0; r < count; r++) {
        const cJSON *json = rows[r].json;
        for (size_t c = 0; c < columns; c++) {
            if (c) rheo__text_add(out, ",");
            csv_item(out, rheo__at(json, csv_columns[c].path));
        }
        const cJSON *curve = rheo__at(json, "accuracy_by_step");
        for (size_t s = 0; s < steps; s++) {
            rheo__text_add(out, ",");
            csv_item(out, cJSON_GetArrayItem(curve, (int)csv_steps[s] - 1));
        }
        double ratio =
            (rheo__number_at(json, "synaptic_operations") + rheo__number_at(json, "macs")) /
            rheo__number_at(json, "macs_without_spikes");
        rheo__text_add(out, isfinite(ratio) ? ",%.6g\r\n" : ",\r\n", ratio);
    }
}

static void json_table(const rheo_row *rows, uint32_t count, rheo_text *out)
{
    rheo__text_add(out, "[");
    for (uint32_t r = 0; r < count; r++) {
        char *text = cJSON_PrintUnformatted(rows[r].json);
        if (!text) {
            out->status = rheo__fail(out->ctx, RHEO_MEMORY, "out of memory while writing a table");
            return;
        }
        rheo__text_add(out, "%s\n", r ? "," : "");
        rheo__text_put(out, text, strlen(text));
        cJSON_free(text);
    }
    rheo__text_add(out, "\n]\n");
}

void rheo__table(const rheo_row *rows, uint32_t count, rheo_table_kind kind, rheo_text *out)
{
    static void (*const writers[])(const rheo_row *, uint32_t, rheo_text *) = {
        [RHEO_TABLE_TERMINAL] = terminal,
        [RHEO_TABLE_MARKDOWN] = markdown,
        [RHEO_TABLE_CSV] = csv,
        [RHEO_TABLE_JSON] = json_table,
    };
    writers[kind](rows, count, out);
}
