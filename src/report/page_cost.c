/* page_cost.c: what the systems cost, and how well they suit hardware. */
#include "report/page.h"

#include "cost/cost.h"

#include <math.h>
#include <stdio.h>

/* ---- costs ---- */

static void draw_energy(const rheo_page *page, double width, bool narrow, const void *arg)
{
    (void)arg;
    (void)narrow;
    rheo_bar bars[RHEO_CURVES];
    char value[RHEO_CURVES][48];
    uint32_t count = 0;
    for (uint32_t r = 0; r < page->count && count < RHEO_CURVES; r++) {
        const cJSON *json = page->rows[r].json;
        double energy = rheo__number_at(json, "energy_nj");
        if (!(energy > 0)) continue;
        const rheo_energy_table *costs = rheo__energy_find(rheo__text_at(json, "energy_table"));
        double macs = rheo__number_at(json, "macs_without_spikes");
        char number[32];
        rheo__human(energy, number);
        snprintf(value[count], sizeof value[count], "%s nJ", number);
        bars[count] =
            (rheo_bar){page->track[r].label, value[count], energy,
                       costs ? rheo__energy_nj(costs, macs, 0, 0) : NAN, page->track[r].family};
        count++;
    }
    rheo_chart chart = {.label = "Energy a sample, one bar a system",
                        .width = width,
                        .x = {"nJ a sample (logarithmic)", 0, 0, true, false}};
    rheo__bars(page->out, &chart, bars, count);
}

static void cost_line(const rheo_page *page, uint32_t r)
{
    static const char *const path[] = {
        "synaptic_operations", "macs",          "acs",          "updates", "energy_nj",
        "train.operations",    "train.seconds", "train.peak_mb"};
    char number[32];
    const cJSON *json = page->rows[r].json;
    rheo__text_add(page->out, "<tr>");
    rheo__page_name(page, r);
    rheo__text_add(page->out, "</th>");
    for (size_t p = 0; p < sizeof path / sizeof path[0]; p++) {
        rheo__human(rheo__number_at(json, path[p]), number);
        rheo__text_add(page->out, "<td class=\"n\">%s</td>", number);
    }
    double ratio = (rheo__number_at(json, "synaptic_operations") + rheo__number_at(json, "macs")) /
                   rheo__number_at(json, "macs_without_spikes");
    rheo__text_add(page->out,
                   isfinite(ratio) ? "<td class=\"n\">%.3g</td></tr>\n"
                                   : "<td class=\"n\">–</td></tr>\n",
                   ratio);
}

void rheo__page_costs(const rheo_page *page)
{
    rheo_text *out = page->out;
    rheo__page_section(
        page, "costs", "What it costs",
        "Energy of one sample: counts times a table of pJ an operation. Memory "
        "traffic and idle power are not in it, so it compares and does not predict.");
    bool known = false;
    for (uint32_t r = 0; r < page->count; r++)
        known = known || rheo__number_at(page->rows[r].json, "energy_nj") > 0;
    if (known)
        rheo__page_figure(page, draw_energy, NULL,
                          "The upright stroke is one pass of the same net without spikes, by the "
                          "same table.");
    rheo__text_add(out,
                   "<div class=\"scroll\"><table>\n<thead><tr><th>system</th>"
                   "<th class=\"n\">SynOps</th><th class=\"n\">MACs</th><th class=\"n\">ACs</th>"
                   "<th class=\"n\">neuron updates</th><th class=\"n\">energy nJ</th>"
                   "<th class=\"n\">train operations</th><th class=\"n\">train s</th>"
                   "<th class=\"n\">train MB</th><th class=\"n\">operations / MACs (same net)</th>"
                   "</tr></thead>\n<tbody>\n");
    for (uint32_t r = 0; r < page->count; r++) cost_line(page, r);
    rheo__text_add(out, "</tbody></table></div>\n");
    /* all runs of one version share a table; the first one's is named */
    for (uint32_t r = 0; r < page->count; r++) {
        const rheo_energy_table *t =
            rheo__energy_find(rheo__text_at(page->rows[r].json, "energy_table"));
        if (!t) continue;
        rheo__text_add(out, "<p class=\"quiet\">Energy table: %s: %s; MAC %g pJ, AC %g pJ.</p>\n",
                       t->name, t->source, t->mac, t->ac);
        return;
    }
}

/* ---- hardware ---- */

static void yes_no(rheo_text *out, const cJSON *json, const char *path, const char *yes,
                   const char *no)
{
    const cJSON *item = rheo__at(json, path);
    rheo__text_add(out, "<td>%s</td>", !item ? "–" : cJSON_IsTrue(item) ? yes : no);
}

static void hardware_line(const rheo_page *page, uint32_t r)
{
    static const char *const path[] = {"hardware.parameters", "hardware.bits", "neurons",
                                       "hardware.fan_in", "hardware.states"};
    rheo_text *out = page->out;
    const cJSON *json = page->rows[r].json, *chip, *chips = rheo__at(json, "hardware.chips");
    char number[32];
    rheo__text_add(out, "<tr>");
    rheo__page_name(page, r);
    rheo__text_add(out, "</th>");
    for (size_t p = 0; p < sizeof path / sizeof path[0]; p++) {
        rheo__human(rheo__number_at(json, path[p]), number);
        rheo__text_add(out, "<td class=\"n\">%s</td>", number);
    }
    yes_no(out, json, "hardware.multiplies", "yes", "no");
    yes_no(out, json, "hardware.event_driven", "event-driven", "clocked");
    const char *learning = rheo__text_at(json, "hardware.learning");
    rheo__text_add(out, "<td>");
    rheo__escape(out, *learning ? learning : "–");
    rheo__text_add(out, "</td>");
    yes_no(out, json, "hardware.on_chip", "yes", "no");
    rheo__text_add(out, "<td class=\"wrap\">");
    uint32_t n = 0;
    cJSON_ArrayForEach(chip, chips)
    {
        if (!cJSON_IsString(chip)) continue;
        rheo__text_add(out, n++ ? ", " : "");
        rheo__escape(out, chip->valuestring);
    }
    rheo__text_add(out, n ? "</td></tr>\n" : "none listed</td></tr>\n");
}

void rheo__page_hardware(const rheo_page *page)
{
    rheo__page_section(page, "hardware", "How well it suits hardware", NULL);
    rheo__text_add(page->out,
                   "<div class=\"scroll\"><table>\n<thead><tr><th>system</th>"
                   "<th class=\"n\">parameters</th><th class=\"n\">bits</th>"
                   "<th class=\"n\">neurons</th><th class=\"n\">largest fan-in</th>"
                   "<th class=\"n\">states a&nbsp;neuron</th><th>multiplies</th><th>runs</th>"
                   "<th>learning needs</th><th>on chip</th><th>fits</th></tr></thead>\n<tbody>\n");
    for (uint32_t r = 0; r < page->count; r++) hardware_line(page, r);
    rheo__text_add(
        page->out,
        "</tbody></table></div>\n<p class=\"quiet\">Fits: the chip states enough neurons, "
        "synapses and fan-in for the net, and the net speaks in spikes alone; its weights "
        "would still have to be rounded to the chip’s.</p>\n");
}
