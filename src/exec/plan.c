/* plan.c: making a plan: memory in two walks over one arena. */
#include "exec/plan.h"
#include "base/memory.h"
#include <string.h>

uint32_t rheo__plan_span_end(const rheo_plan *plan, uint32_t t)
{
    const uint32_t T = plan->request.T, K = plan->request.truncate;
    uint32_t end = T;
    if (T - t > plan->segment - t % plan->segment) end = t + plan->segment - t % plan->segment;
    if (K && end - t > K - t % K) end = t + K - t % K;
    return end;
}

static void find_spans(rheo_plan *plan)
{
    const rheo_request *request = &plan->request;
    plan->segment = request->T;
    if (request->low_memory && request->T > RHEO_CHUNK) plan->segment = RHEO_CHUNK;
    if (!request->gradient) plan->request.truncate = 0;
    plan->spans = 0;
    for (uint32_t t = 0; t < request->T; t = rheo__plan_span_end(plan, t)) plan->spans++;
}

/* The longest span of a node's stage, before it is cut by `truncate`. */
static void set_spans(rheo_plan *plan)
{
    for (uint32_t s = 0; s < plan->stages; s++)
        for (uint32_t i = 0; i < plan->stage[s].count; i++) {
            rheo_work *work = &plan->work[plan->order[plan->stage[s].first + i]];
            work->span = plan->segment;
            if (plan->stage[s].cycle) work->span = 1;
            if (work->node->layer->whole) work->span = work->T;
        }
}

static void take_states(rheo_plan *plan, uint32_t n, size_t size, rheo_arena *arena)
{
    const rheo_work *work = &plan->work[n];
    const bool whole = work->node->layer->whole, cycle = plan->cyclic[n];
    const uint32_t segments = (work->T - 1) / plan->segment + 1;
    const size_t rows = (cycle ? segments : plan->spans) + (size_t)1;
    rheo_states *states = &plan->states[n];
    *states = (rheo_states){.size = size};
    if (!size || whole || !plan->request.gradient) return;
    if (cycle ? segments > 1 : plan->spans > 1)
        states->snap = rheo__take(arena, rows, size * sizeof(float));
    if (cycle) states->history = rheo__take(arena, plan->segment, size * sizeof(float));
}

static void walk_node(rheo_plan *plan, uint32_t n, rheo_arena *arena, size_t *scratch)
{
    rheo_work *work = &plan->work[n];
    rheo_need need = {0};
    rheo__plan_shape_node(plan, n, arena);
    if (work->node->layer->need) work->node->layer->need(work, &need);
    const uint32_t K = plan->request.truncate;
    /* what has no state goes through a segment at once */
    plan->cut[n] =
        K && !plan->cyclic[n] && !work->node->layer->whole && (need.state || need.adjoint);
    if (plan->cut[n] && K < work->span) {
        work->span = K;
        need = (rheo_need){0};
        work->node->layer->need(work, &need);
    }
    work->derived = rheo__take(arena, need.derived, sizeof(float));
    work->tape = rheo__take(arena, need.tape, sizeof(float));
    work->state = rheo__take(arena, need.state, sizeof(float));
    work->adjoint = rheo__take(arena, need.adjoint, sizeof(float));
    plan->adjoint[n] = need.adjoint;
    take_states(plan, n, need.state, arena);
    if (need.scratch > *scratch) *scratch = need.scratch;
}

static void walk(rheo_plan *plan, rheo_arena *arena)
{
    size_t scratch = 0;
    plan->unequal = 0;
    for (uint32_t n = 0; n < plan->net->nodes; n++)
        plan->lifted[n] = plan->work[n].taken = false;
    plan->sample = rheo__take(arena, plan->request.B, sizeof *plan->sample);
    plan->length = rheo__take(arena, plan->request.B, sizeof *plan->length);
    for (uint32_t i = 0; i < plan->net->nodes; i++)
        walk_node(plan, plan->order[i], arena, &scratch);
    rheo__plan_shape_inputs(plan);
    rheo__plan_shape_gradients(plan, arena);
    void *shared = rheo__take(arena, scratch, 1);
    for (uint32_t n = 0; n < plan->net->nodes; n++) {
        plan->work[n].scratch = shared;
        plan->work[n].sample = plan->sample;
    }
}

/* ---- making ---- */

/* The tables of a plan, one block. */
static void lay_tables(rheo_plan *plan, rheo_arena *arena)
{
    uint32_t nodes = plan->net->nodes, edges = plan->net->edges;
    plan->work = rheo__take(arena, nodes, sizeof *plan->work);
    plan->loop = rheo__take(arena, edges, sizeof *plan->loop);
    plan->gradient = rheo__take(arena, nodes, sizeof *plan->gradient);
    plan->branch = rheo__take(arena, edges, sizeof *plan->branch);
    plan->pull = rheo__take(arena, nodes, sizeof *plan->pull);
    plan->lift = rheo__take(arena, nodes, sizeof *plan->lift);
    plan->delayed = rheo__take(arena, edges, sizeof *plan->delayed);
    plan->looped = rheo__take(arena, nodes, sizeof *plan->looped);
    plan->wanted = rheo__take(arena, nodes, sizeof *plan->wanted);
    plan->recorded = rheo__take(arena, nodes, sizeof *plan->recorded);
    plan->order = rheo__take(arena, nodes, sizeof *plan->order);
    plan->stage = rheo__take(arena, nodes, sizeof *plan->stage);
    plan->seen = rheo__take(arena, nodes, sizeof *plan->seen);
    plan->adjoint = rheo__take(arena, nodes, sizeof *plan->adjoint);
    plan->feeds = rheo__take(arena, edges, sizeof *plan->feeds);
    plan->partial = rheo__take(arena, edges, sizeof *plan->partial);
    plan->head = rheo__take(arena, edges, sizeof *plan->head);
    plan->term = rheo__take(arena, nodes, sizeof *plan->term);
    plan->sum = rheo__take(arena, nodes, sizeof *plan->sum);
    plan->group = rheo__take(arena, nodes, sizeof *plan->group);
    plan->cyclic = rheo__take(arena, nodes, sizeof *plan->cyclic);
    plan->lifted = rheo__take(arena, nodes, sizeof *plan->lifted);
    plan->part = rheo__take(arena, nodes, sizeof *plan->part);
    plan->kept = rheo__take(arena, nodes, sizeof *plan->kept);
    plan->direct = rheo__take(arena, nodes, sizeof *plan->direct);
    plan->cut = rheo__take(arena, nodes, sizeof *plan->cut);
    plan->states = rheo__take(arena, nodes, sizeof *plan->states);
    plan->held = rheo__take(arena, nodes, sizeof *plan->held);
}

static rheo_status make_tables(rheo_plan *plan)
{
    rheo_arena arena = {0};
    lay_tables(plan, &arena);
    arena.size = arena.used;
    RHEO_TRY(rheo__alloc(plan->ctx, arena.size, 1, "the plan's tables", &plan->tables));
    arena.base = plan->tables;
    arena.used = 0;
    lay_tables(plan, &arena);
    plan->bytes = sizeof *plan + arena.size;
    for (uint32_t n = 0; n < plan->net->nodes; n++)
        plan->work[n] = (rheo_work){.ctx = plan->ctx,
                                    .node = &plan->net->node[n],
                                    .T = plan->request.T,
                                    .B = plan->request.B,
                                    .train = plan->request.train,
                                    .gradient = plan->request.gradient,
                                    .learn = plan->request.learn,
                                    .precision = plan->net->precision,
                                    .seed = plan->net->seed};
    return RHEO_OK;
}

static rheo_status prepare(rheo_plan *plan, rheo_arena *arena)
{
    RHEO_TRY(rheo__plan_check_request(plan->net, &plan->request));
    RHEO_TRY(make_tables(plan));
    find_spans(plan);
    RHEO_TRY(rheo__plan_stages(plan));
    RHEO_TRY(rheo__plan_check(plan));
    set_spans(plan);
    rheo__plan_find_wanted(plan);
    rheo__plan_find_readers(plan);
    walk(plan, arena); /* once more, now that every loop knows the form of its source */
    arena->used = 0;
    walk(plan, arena);
    RHEO_CHECK(
        plan->ctx, plan->unequal == 0, RHEO_UNSUPPORTED,
        "node '%s' adds to a sum of spikes, or stands still and adds to a sum that moves; let it "
        "stand before the moving ones in the net",
        plan->net->node[plan->unequal].name);
    RHEO_CHECK(plan->ctx, !arena->overflow, RHEO_MEMORY,
               "plan: %u steps of %u samples need more memory than there can be; take fewer",
               plan->request.T, plan->request.B);
    plan->bytes += arena->used;
    const uint64_t limit = rheo__memory_limit(), used = rheo_memory_used(plan->ctx).now;
    RHEO_CHECK(
        plan->ctx, plan->bytes <= limit && used <= limit - plan->bytes, RHEO_MEMORY,
        "out of memory: %u steps of %u samples take %.0f MB besides the %.0f MB in use, but "
        "there are %.0f MB (RHEOBASE_MEMORY sets another limit); take a smaller batch, fewer "
        "steps%s",
        plan->request.T, plan->request.B, (double)plan->bytes / 1e6, (double)used / 1e6,
        (double)limit / 1e6, plan->request.low_memory ? "" : " or memory: low");
    return RHEO_OK;
}

rheo_status rheo__plan_new(rheo_net *net, const rheo_request *request, rheo_plan **out)
{
    rheo_plan *plan = NULL;
    RHEO_TRY(rheo__alloc(net->ctx, 1, sizeof *plan, "a plan", &plan));
    *plan = (rheo_plan){.ctx = net->ctx, .net = net, .request = *request, .B = request->B};
    rheo_arena arena = {0};
    rheo_status status = prepare(plan, &arena);
    if (!status) status = rheo__alloc(net->ctx, arena.used, 1, "the plan's memory", &plan->memory);
    if (status) {
        rheo_plan_free(plan);
        return status;
    }
    arena = (rheo_arena){.base = plan->memory, .size = arena.used};
    walk(plan, &arena);
    rheo__plan_reset(plan);
    *out = plan;
    return RHEO_OK;
}

rheo_status rheo__plan_measure(rheo_net *net, const rheo_request *request, size_t *bytes)
{
    rheo_plan *plan = NULL;
    RHEO_TRY(rheo__alloc(net->ctx, 1, sizeof *plan, "a plan", &plan));
    *plan = (rheo_plan){.ctx = net->ctx, .net = net, .request = *request, .B = request->B};
    rheo_arena arena = {0};
    rheo_status status = prepare(plan, &arena);
    if (!status) *bytes = plan->bytes;
    rheo_plan_free(plan);
    return status;
}

void rheo_plan_free(rheo_plan *plan)
{
    if (!plan) return;
    rheo__release(plan->ctx, plan->memory);
    rheo__release(plan->ctx, plan->tables);
    rheo__release(plan->ctx, plan);
}

size_t rheo_plan_bytes(const rheo_plan *plan)
{
    return plan->bytes;
}
