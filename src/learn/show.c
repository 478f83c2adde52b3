/* show.c: how a session shows samples to a net: the encoder and its neurons, the steps, where a
 * sample ends. Analogue nets see one step of constant input. */
#include "learn/learn.h"

bool rheo__net_analogue(const rheo_net *net)
{
    for (uint32_t n = 0; n < net->nodes; n++)
        if (rheo__is_population(&net->node[n]) && !rheo__is_analogue(&net->node[n])) return false;
    return true;
}

rheo_status rheo__code_shape(rheo_context *ctx, const rheo_code *code, const uint32_t data[3],
                             uint32_t net[3])
{
    const uint32_t N = data[0] * data[1] * data[2];
    const uint32_t width = rheo__encoder_width(code->encoder, &code->options, N);
    RHEO_CHECK(
        ctx, width > 0, RHEO_SHAPE,
        "code: input %s cannot take samples of %u features with these options; channels must "
        "divide the features, and low be below high",
        code->encoder->name, N);
    const bool planes = width % N == 0; /* neuron p of all features is a plane */
    net[0] = planes ? width / N * data[0] : width;
    net[1] = planes ? data[1] : 1;
    net[2] = planes ? data[2] : 1;
    return RHEO_OK;
}

/* The encoder and its options for the net as it is: the code's, but `constant` for analogue nets
 * whose code gives spikes. */
static const rheo_encoder *encoder_of(const rheo_session *session, rheo_options *options)
{
    const rheo_encoder *encoder = session->code.encoder;
    *options = session->code.options;
    if (!rheo__net_analogue(session->net) || encoder->fixed || encoder->width) return encoder;
    encoder = rheo__encoder_find("constant");
    *options = rheo__field_defaults(encoder->fields);
    return encoder;
}

static bool one_step(const rheo_session *session)
{
    return rheo__net_analogue(session->net) && !session->code.encoder->width;
}

rheo_status rheo__session_fits(const rheo_session *session)
{
    rheo_options options;
    const rheo_encoder *encoder = encoder_of(session, &options);
    const uint32_t width = rheo__encoder_width(encoder, &options, session->data->features);
    RHEO_CHECK(
        session->ctx, width == rheo_net_inputs(session->net), RHEO_SHAPE,
        "code: input %s makes %u neurons of %u features, but the net was built for %u inputs",
        encoder->name, width, session->data->features, rheo_net_inputs(session->net));
    for (uint32_t i = 0; session->data->length && i < session->data->total; i++)
        RHEO_CHECK(session->ctx, session->data->length[i] <= session->code.steps, RHEO_SHAPE,
                   "%s: sample %u lasts %u steps, but a presentation has %u; set code.steps",
                   session->data->name, i, session->data->length[i], session->code.steps);
    return RHEO_OK;
}

/* Of an analogue net one step says all, however long a sample lasts. */
const uint32_t *rheo__session_lengths(const rheo_session *session, rheo_split split,
                                      const uint32_t *position, uint32_t B, uint32_t *room)
{
    if (!session->data->length) return NULL;
    rheo__data_lengths(session->data, split, position, B, room);
    for (uint32_t b = 0; b < B && one_step(session); b++) room[b] = 1;
    return room;
}

uint32_t rheo__sweep_steps(const rheo_session *session)
{
    return one_step(session) ? 1 : session->code.steps;
}

rheo_request rheo__session_request(const rheo_session *session, uint32_t B)
{
    rheo_options options;
    const rheo_encoder *encoder = encoder_of(session, &options);
    return (rheo_request){.T = rheo__sweep_steps(session),
                          .B = B,
                          .in_form = encoder->form,
                          .in_fixed = encoder->fixed,
                          .lengths = session->data && session->data->length};
}

void rheo__session_encode(const rheo_session *session, rheo_plan *plan, const rheo_encode *samples)
{
    rheo_options options;
    const rheo_encoder *encoder = encoder_of(session, &options);
    rheo_encode call = *samples;
    call.ctx = session->ctx;
    call.options = &options;
    call.dt = session->code.dt;
    call.B = plan->B;
    call.seed = session->seed;
    call.steps = rheo__sweep_steps(session);
    encoder->encode(&call, &plan->work[0].out);
}
