/* about.h: what a plasticity rule (rule.h) becomes in synapse.c: its row in the table. */
static const char RHEO_R(name)[] = RHEO_NAME;
static const rheo_synapse RHEO_R(model) = {.name = RHEO_R(name),
                                           .title = RHEO_TITLE,
                                           .equations = RHEO_EQUATIONS,
                                           .source = RHEO_SOURCE,
                                           .index = RHEO_R(index),
                                           .pre_traces = RHEO_PRE_TRACES,
                                           .post_traces = RHEO_POST_TRACES,
                                           .fields = RHEO_R(fields),
                                           .derive = RHEO_R(derive)};
#undef RHEO_RULE
#undef RHEO_PRE_TRACES
#undef RHEO_POST_TRACES
#undef RHEO_NAME
#undef RHEO_TITLE
#undef RHEO_EQUATIONS
#undef RHEO_SOURCE
