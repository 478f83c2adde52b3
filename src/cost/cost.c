/* cost.c: energy tables (energy.def) and energy as counts times a table.
 *
 *   E [nJ] = (MACs * mac + ACs * ac + updates * update) / 1000     with mac, ac, update in pJ
 *
 * The pJ of the chips: Table 3 of the SENECA paper, measured by different groups in different ways
 * and not to be compared to the last digit. Left out: memory traffic, idle power, input and output.
 */
#include "cost/cost.h"

#include <math.h>
#include <string.h>

#define RHEO_SENECA "Tang et al., SENECA, Frontiers in Neuroscience 2023 (PMC10326429), Table 3"

static const rheo_energy_table tables[] = {
#define X(name, mac, ac, update, source) {name, source, mac, ac, update},
#include "energy.def"
#undef X
};

const rheo_energy_table *rheo__energy_at(uint32_t index)
{
    return index < sizeof tables / sizeof tables[0] ? &tables[index] : NULL;
}

const rheo_energy_table *rheo__energy_find(const char *name)
{
    for (uint32_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        if (strcmp(tables[i].name, name) == 0) return &tables[i];
    return NULL;
}

double rheo__energy_nj(const rheo_energy_table *table, double macs, double acs, double updates)
{
    /* No operations of a kind cost nothing even where its figure is unknown; operations of a kind
     * without a figure leave the sum unknown. Updates are the exception: no source has them, and
     * the usual figure of the literature is the one without. */
    double mac = macs > 0 ? macs * table->mac : 0;
    double ac = acs > 0 ? acs * table->ac : 0;
    double update = isnan(table->update) ? 0 : updates * table->update;
    return (mac + ac + update) / 1000;
}
