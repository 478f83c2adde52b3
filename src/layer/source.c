/* source.c: where the input enters: node 0 of a net. The plan fills its output from an encoder or
 * from the caller's array; it computes nothing. */
#include "layer/rows.h"

static const rheo_field fields[] = {RHEO_FIELD_END};

const rheo_layer rheo__layer_source = {
    .name = "source",
    .title = "the net's input",
    .equations = "out = what the data and their coding give",
    .source = "-",
    .kind = RHEO_SOURCE,
    .fields = fields,
    .infer = rheo__infer_same,
};
