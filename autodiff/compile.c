/* compile.c: from a planned graph to an array of steps. */
#include "autodiff/fused.h"

#include <string.h>

void *wa_step_new(struct wa_step *s, size_t size)
{
    void *p = wa_arena_new(&s->program->arena, size, WA_ALIGN);
    if (p) memset(p, 0, size);
    return p;
}

static void *new_array(washi_program *p, size_t count, size_t element)
{
    void *array =
        count <= SIZE_MAX / element ? wa_arena_new(&p->arena, count * element, WA_ALIGN) : NULL;
    if (array) memset(array, 0, count * element);
    return array;
}

/* Sets *where to a value's memory, now or, for a fed input, before each run. */
static void locate(washi_program *p, const struct wa_graph *g, int v, void **where)
{
    int r = g->values[v].root;
    const washi_tensor *root = g->values[r].node;
    if (root->op == &wa_op_input)
        p->patches[p->patch_count++] = (struct wa_patch){where, root};
    else if (root->op->source)
        *where = (void *)(uintptr_t)root->data;
    else
        *where = (char *)p->slab + g->values[r].offset;
}

struct wa_place wa_place_of(const struct wa_graph *g, int v)
{
    const washi_tensor *node = g->values[v].node, *root = g->values[g->values[v].root].node;
    return (struct wa_place){.value = v,
                             .maker = g->values[wa_base_of(g, v)].step,
                             .type = node->type,
                             .shape = node->shape,
                             .source = root->op->source ? root : NULL};
}

struct wa_place wa_operand_of(const struct wa_graph *g, const struct wa_value *v, int i)
{
    struct wa_place place = wa_place_of(g, v->x[i]);
    if (v->gathered && i == 0) place.shape = v->gathered->shape;
    if (v->transposed[i]) {
        int64_t *last = &place.shape.dim[place.shape.rank - 1], swap = last[0];
        last[0] = last[-1];
        last[-1] = swap;
        place.transposed = true;
    }
    place.packed = g->values[v->x[i]].node->op == &wa_op_pack;
    return place;
}

static bool plan_value(struct wa_step *s, const struct wa_graph *g, int v)
{
    const struct wa_value *value = &g->values[v];
    s->op = value->node->op;
    s->node = value->node;
    s->y = wa_place_of(g, v);
    s->n = value->n;
    s->x = new_array(s->program, (size_t)value->n, sizeof *s->x);
    if (!s->x) return false;
    if (value->gathered) {
        struct wa_gathered *gathered = wa_step_new(s, sizeof *gathered);
        if (!gathered) return false;
        *gathered = *value->gathered;
        s->gathered = gathered;
    }
    for (int i = 0; i < value->n; i++) s->x[i] = wa_operand_of(g, value, i);
    return s->op->plan(s);
}

/* The steps, without their memory: what scratch they need follows from their shapes. */
static bool make_steps(washi_program *p, struct wa_graph *g)
{
    const washi *w = p->tape->arena.w;
    p->steps = new_array(p, (size_t)g->steps, sizeof *p->steps);
    if (!p->steps) return false;
    for (; p->step_count < g->steps; p->step_count++) {
        struct wa_step *s = &p->steps[p->step_count];
        const struct wa_turn *turn = &g->turns[p->step_count];
        *s = (struct wa_step){.program = p,
                              .simd = w->simd,
                              .threads = turn->alone ? g->threads : 1,
                              .lead = turn->lead,
                              .owner = turn->owner,
                              .tasks = turn->lead ? g->threads : 1};
        const int *member = &g->member[g->first[p->step_count]];
        int members = g->first[p->step_count + 1] - g->first[p->step_count];
        bool alone = members == 1 && g->values[*member].node->op->plan;
        if (alone ? !plan_value(s, g, *member) : !wa_plan_fused(s, g, member, members)) return false;
        wa_account(s, g, member, members);
        int checks = 0, early = 0;
        for (int i = 0; i < members; i++) {
            const struct wa_value *v = &g->values[member[i]];
            int checked = wa_checked_operand(v);
            if (checked < 0) continue;
            checks++;
            early += g->values[g->values[v->x[checked]].root].source;
        }
        s->checked_first = checks && early == checks;
        s->checks = early < checks || (alone && s->op->check && s->op->checked < 0);
    }
    return true;
}

/* What a run looks at before its first step, and its phases. */
static bool look_over(washi_program *p, const struct wa_graph *g)
{
    p->checks = new_array(p, (size_t)p->step_count, sizeof *p->checks);
    p->phases = new_array(p, (size_t)g->phase_count, sizeof *p->phases);
    if (!p->checks || !p->phases) return false;
    for (int i = 0; i < p->step_count; i++)
        if (p->steps[i].checked_first) p->checks[p->check_count++] = i;
    p->phase_count = g->phase_count;
    p->widest = 1;
    for (int i = 0; i < p->phase_count; i++) {
        struct wa_phase *phase = &p->phases[i];
        *phase = g->phases[i];
        if (phase->alone) phase->bundles = p->steps[phase->first].tasks;
        if (phase->bundles > p->widest) p->widest = phase->bundles;
    }
    return true;
}

/* Gives each step its part of the scratch memory, where that begins at base: the bundles of a phase
 * have parts of their own. Returns how much there must be. */
static size_t share_scratch(washi_program *p, char *base)
{
    size_t most = 0;
    for (int i = 0; i < p->phase_count; i++) {
        const struct wa_phase *phase = &p->phases[i];
        size_t part = 0;
        for (int k = phase->first; k < phase->end; k++) {
            const struct wa_step *s = &p->steps[k];
            size_t needs = wa_round_up(s->scratch_bytes / (s->lead ? (size_t)s->tasks : 1), WA_ALIGN);
            if (part < needs) part = needs;
        }
        for (int k = phase->first; k < phase->end && base; k++) {
            struct wa_step *s = &p->steps[k];
            s->scratch = base + (s->lead ? 0 : (size_t)s->owner * part);
            s->scratch_step = s->lead ? part : (s->scratch_bytes - s->shared_bytes) / (size_t)s->tasks;
        }
        if (!phase->alone) part *= (size_t)phase->bundles;
        if (most < part) most = part;
    }
    return most;
}

static bool make_memory(washi_program *p, const struct wa_graph *g)
{
    p->planned_bytes = g->slab_bytes;
    p->least_bytes = g->least_bytes;
    p->slab_bytes = g->slab_bytes + share_scratch(p, NULL);
    p->slab = wa_new_aligned(p->tape->arena.w, p->slab_bytes);
    size_t patches = (size_t)g->goal_count;
    for (int i = 0; i < p->step_count; i++) {
        const struct wa_step *s = &p->steps[i];
        patches += (size_t)s->n + (s->node ? 0 : wa_frame_patches(s));
    }
    p->patches = new_array(p, patches, sizeof *p->patches);
    return p->slab && p->patches;
}

static void locate_steps(washi_program *p, const struct wa_graph *g)
{
    for (int i = 0; i < p->step_count; i++) {
        struct wa_step *s = &p->steps[i];
        if (s->node) locate(p, g, s->y.value, &s->y.data);
        for (int k = 0; k < s->n; k++) locate(p, g, s->x[k].value, &s->x[k].data);
        for (int k = 0; k < s->outputs; k++) locate(p, g, s->out[k].value, &s->out[k].data);
    }
    share_scratch(p, (char *)p->slab + g->slab_bytes);
    for (int i = 0; i < p->step_count; i++)
        if (!p->steps[i].node) wa_frame_set(&p->steps[i], p);
}

static bool make_deliveries(washi_program *p, const struct wa_graph *g)
{
    p->deliveries = new_array(p, (size_t)g->goal_count, sizeof *p->deliveries);
    if (!p->deliveries) return false;
    for (int i = 0; i < g->goal_count; i++) {
        const struct wa_goal *goal = &g->goals[i];
        if (!goal->assigns && goal->node->op == &wa_op_input) locate(p, g, goal->value, &p->unread);
        if (goal->assigns ? goal->in_memory : goal->node->op->source) continue;
        struct wa_delivery *d = &p->deliveries[p->delivery_count++];
        const washi_tensor *root = g->values[g->values[goal->value].root].node;
        *d = (struct wa_delivery){.node = goal->node,
                                  .assigns = goal->assigns,
                                  .bytes = wa_shape_bytes(goal->node->shape, goal->node->type)};
        locate(p, g, goal->value, &d->data);
        if (root->assigned && !(d->copy = wa_arena_new(&p->arena, d->bytes, WA_ALIGN))) return false;
    }
    return true;
}

static bool check_outputs(washi_tape *t, int n, washi_tensor *const outputs[])
{
    if (t->status) return false;
    if (n < 0 || (n && !outputs)) {
        washi_fail(t, WASHI_MISUSE, "compile: %d outputs", n);
        return false;
    }
    for (int i = 0; i < n; i++)
        if (!outputs[i] || outputs[i]->tape != t) {
            washi_fail(t, WASHI_MISUSE, "compile: output %d is %s", i,
                       outputs[i] ? "on another tape" : "NULL");
            return false;
        }
    return true;
}

/* values: nothing but these, of constants alone. */
static washi_program *compile(washi_tape *t, int n, washi_tensor *const outputs[], bool values)
{
    washi *w = t->arena.w;
    washi_program *p = wa_new(w, sizeof *p);
    if (!p) return NULL;
    p->tape = t;
    p->arena.w = w;
    struct wa_graph g;
    bool made = wa_graph_make(&g, t, n, outputs, !values) &&
                (values || w->check || wa_graph_fold(&g, p)) && (!w->fuse || wa_graph_prologues(&g)) &&
                (!w->recompute || wa_graph_recompute(&g)) && (!w->fuse || wa_graph_packs(&g, p)) &&
                wa_graph_fuse(&g, w->fuse) && wa_graph_plan(&g) && make_steps(p, &g) &&
                look_over(p, &g) && wa_ahead_find(p, &g) && make_memory(p, &g);
    if (made) {
        locate_steps(p, &g);
        made = make_deliveries(p, &g);
    }
    wa_graph_free(&g);
    if (made && w->profile) made = !washi_profile(p, true);
    if (made) return p;
    washi_program_free(p);
    return NULL;
}

washi_program *wa_compile_values(washi_tape *t, int n, washi_tensor *const values[])
{
    return compile(t, n, values, true);
}

washi_program *washi_compile(washi_tape *t, int n, washi_tensor *const outputs[])
{
    if (t) return check_outputs(t, n, outputs) ? compile(t, n, outputs, false) : NULL;
    wa_error(WASHI_MISUSE, "compile: the tape is NULL");
    return NULL;
}

void washi_program_free(washi_program *p)
{
    if (!p) return;
    washi *w = p->arena.w;
    for (int i = 0; i < p->delivery_count; i++) {
        washi_tensor *node = p->deliveries[i].node;
        if (!p->deliveries[i].assigns && node->by == p) {
            node->data = NULL;
            node->by = NULL;
        }
    }
    wa_free_aligned(w, p->slab, p->slab_bytes);
    wa_arena_free(&p->arena);
    wa_free(w, p, sizeof *p);
}

size_t washi_program_bytes(const washi_program *p) { return p ? p->slab_bytes : 0; }
