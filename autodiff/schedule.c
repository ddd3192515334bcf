/* schedule.c: in what order the steps go, and which of them threads may do between two barriers.
 *
 * A phase is a run of steps without a barrier inside. It is cut into bundles, one a thread: a bundle is
 * one task of each step that is split, and the steps that are its own as a whole. Split steps share out
 * their leading axis in the same way, so that a step may follow in the phase what it reads element by
 * element or row by row: the bundle that reads an element made it. What needs more opens a new phase.
 *
 * Of the steps that could come, those that can join the phase do, the earliest on the tape first. */
#include "autodiff/program.h"

#include <assert.h>
#include <string.h>

/* Nanoseconds, roughly, of one core: a phase is split when that saves more than a barrier costs. */
enum { LEAST_PHASE = 1500, LEAST_ALONE = 6000 };
/* And closed, where memory is short: it is given back at a phase's end. */
enum { LONGEST_PHASE = 50000 };

struct unit {
    int key;      /* its first value; -1: there is no such unit */
    int waiting;  /* operands not done */
    int member;   /* its values, as a chain */
    int64_t lead; /* units its tasks can share out: a size of the leading axis; 0: none */
    double cost;
    bool alone;  /* it must have the threads for itself */
    int readers; /* of the variables whose next values it makes, those that have not come */
    int read_in; /* the phase of the last that has */
    int step;    /* -1: not yet */
};

/* Units, the earliest on the tape first. */
struct heap {
    int *unit, count;
};

struct scheduler {
    struct wa_graph *g;
    struct unit *unit;
    int *next_member;       /* by value */
    int *first, *next, *to; /* edges from values to the units that read them, as chains */
    int edges;
    int *writer; /* by value: the unit that makes a variable's next value; -1: none */
    /* Ready: for this phase, for the next, to have a phase alone, when their variables have been read.
     */
    struct heap now, later, apart, held;
    struct wa_phase *phase;    /* the one that is being filled */
    double load[WA_MAX_TASKS]; /* of its bundles, beside the split steps */
    double cost;
};

bool wa_is_step(const struct wa_value *v) { return v->live && !v->source && !v->view; }

static int unit_of(const struct wa_graph *g, int v)
{
    int group = wa_group_of(g, v);
    return group >= 0 ? g->count + group : v;
}

static void push(struct heap *h, const struct unit *units, int u)
{
    int i = h->count++;
    for (; i > 0 && units[h->unit[(i - 1) / 2]].key > units[u].key; i = (i - 1) / 2)
        h->unit[i] = h->unit[(i - 1) / 2];
    h->unit[i] = u;
}

static int pop(struct heap *h, const struct unit *units)
{
    int top = h->unit[0], last = h->unit[--h->count], i = 0;
    for (;;) {
        int child = 2 * i + 1;
        if (child >= h->count) break;
        if (child + 1 < h->count && units[h->unit[child + 1]].key < units[h->unit[child]].key) child++;
        if (units[h->unit[child]].key >= units[last].key) break;
        h->unit[i] = h->unit[child];
        i = child;
    }
    h->unit[i] = last;
    return top;
}

/* -- what a unit is -- */

static double cost_of(const struct wa_graph *g, const struct wa_value *v)
{
    const washi_tensor *y = v->node;
    double made = (double)washi_size(y->shape), read = 0;
    for (int i = 0; i < v->n; i++) {
        double size = (double)washi_size(g->values[v->x[i]].node->shape);
        if (read < size) read = size;
    }
    if (y->op == &wa_op_matmul) {
        const washi_shape a = v->gathered ? v->gathered->shape : g->values[v->x[0]].node->shape;
        return made * (double)a.dim[a.rank - (v->transposed[0] ? 2 : 1)] / 50;
    }
    if (y->op == &wa_op_take || y->op == &wa_op_slice || y->op == &wa_op_take_along) read = made;
    double each = v->group >= 0 && v->form != WA_FOLDED ? 0.06 : 0.2;
    if (y->op->cost > 0) each = (double)y->op->cost * (y->type == WASHI_F64 ? 2 : 1);
    return (read > made ? read : made) * each;
}

bool wa_fold_is_alone(const struct wa_graph *g, const struct wa_value *v)
{
    return g->threads > 1 && cost_of(g, v) > LEAST_ALONE;
}

/* apart: the value is its unit's only one and runs by its op's own plan, as in make_steps. */
static int64_t lead_of(const struct wa_graph *g, int v, bool apart)
{
    const struct wa_value *value = &g->values[v];
    const struct wa_op *op = value->node->op;
    washi_shape shape = value->node->shape;
    int group = wa_group_of(g, v);
    if (group >= 0 && !apart) {
        shape = g->groups[group].shape;
        if (g->groups[group].folds || (g->groups[group].by_rows && shape.rank < 2)) return 0;
    } else if (op == &wa_op_take) {
        if (value->node->attr.axis || g->values[value->x[1]].node->shape.rank != 1) return 0;
    } else if (op == &wa_op_matmul || op == &wa_op_one_hot) {
        if (shape.rank != 2) return 0;
    } else if (op != &wa_op_pack)
        return 0;
    return shape.rank ? shape.dim[0] : 0;
}

bool wa_reads_along(const struct wa_graph *g, const struct wa_value *v, int k)
{
    const struct wa_op *op = v->node->op;
    if (op == &wa_op_matmul) return !v->transposed[k] && k == (v->gathered ? 2 : 0);
    if (op == &wa_op_take) return k == 1;
    if (op == &wa_op_pack) return false;
    if (v->group < 0 || wa_needs_rows(op)) return true;
    enum wa_layout layout = wa_layout_of(g->values[v->x[k]].node->shape, v->node->shape);
    return layout == WA_DENSE || layout == WA_A_ROW;
}

/* Whether u must have the threads for itself: it is cut up in some other way, or must be asked
 * between the steps whether all is well. */
static bool is_alone(const struct scheduler *s, int u)
{
    const struct unit *unit = &s->unit[u];
    for (int v = unit->member; v >= 0; v = s->next_member[v]) {
        int checked = wa_checked_operand(&s->g->values[v]);
        const struct wa_op *op = s->g->values[v].node->op;
        if (op->check && op->checked < 0) return true;
        if (checked < 0) continue;
        int base = wa_base_of(s->g, s->g->values[v].x[checked]);
        if (!s->g->values[base].source) return true;
    }
    return unit->lead < s->g->threads && unit->cost > LEAST_ALONE;
}

/* -- may it join? -- */

static struct wa_turn *turn_of(const struct scheduler *s, int u)
{
    return s->unit[u].step < 0 ? NULL : &s->g->turns[s->unit[u].step];
}

static bool in_phase(const struct scheduler *s, int u) { return s->unit[u].step >= s->phase->first; }

/* Whether u, which is alone only if the phase is empty, can come in this phase; then how. */
static bool may_join(const struct scheduler *s, int u, struct wa_turn *turn)
{
    const struct wa_graph *g = s->g;
    const struct unit *unit = &s->unit[u];
    *turn = (struct wa_turn){.owner = -1, .alone = unit->alone};
    if (g->threads == 1 || unit->alone) return true;
    if (unit->read_in == g->phase_count - 1) return false; /* by other threads, perhaps */
    bool follows = false;
    for (int v = unit->member; v >= 0; v = s->next_member[v]) {
        const struct wa_value *value = &g->values[v];
        for (int k = 0; k < value->n; k++) {
            int base = wa_base_of(g, value->x[k]), from = unit_of(g, base);
            if (from == u || !wa_is_step(&g->values[base]) || !in_phase(s, from)) continue;
            const struct wa_turn *made = turn_of(s, from);
            if (made->lead) {
                if (turn->owner >= 0 || made->lead != unit->lead || !wa_reads_along(g, value, k))
                    return false;
                follows = true;
            } else {
                if (follows || (turn->owner >= 0 && turn->owner != made->owner)) return false;
                turn->owner = made->owner;
            }
        }
    }
    if (turn->owner < 0 && unit->lead >= g->threads) turn->lead = unit->lead;
    return true;
}

/* -- phases -- */

static void open_phase(struct scheduler *s)
{
    struct wa_graph *g = s->g;
    s->phase = &g->phases[g->phase_count++];
    *s->phase = (struct wa_phase){.first = g->steps, .bundles = 1};
    memset(s->load, 0, sizeof s->load);
    s->cost = 0;
}

static void close_phase(struct scheduler *s)
{
    struct wa_graph *g = s->g;
    struct wa_phase *phase = s->phase;
    phase->end = g->steps;
    int bundles = g->threads;
    if (phase->alone) return;
    phase->bundles = s->cost * (bundles - 1) > (double)LEAST_PHASE * bundles ? bundles : 1;
    for (int i = phase->first; i < phase->end; i++) {
        struct wa_turn *turn = &g->turns[i];
        if (phase->bundles == 1) turn->lead = turn->owner = 0;
    }
}

/* u can come as soon as its phase and the readers of its variables let it. */
static void make_ready(struct scheduler *s, int u)
{
    const struct unit *unit = &s->unit[u];
    push(unit->readers ? &s->held : unit->alone ? &s->apart : &s->now, s->unit, u);
}

/* u is there: who reads its values, or makes the next ones of what it reads, waits for one thing less.
 */
static void let_follow(struct scheduler *s, int u)
{
    const struct wa_graph *g = s->g;
    for (int v = s->unit[u].member; v >= 0; v = s->next_member[v]) {
        for (int e = s->first[v]; e >= 0; e = s->next[e])
            if (s->to[e] != u && !--s->unit[s->to[e]].waiting) make_ready(s, s->to[e]);
        for (int i = 0; i < g->values[v].n; i++) {
            int writer = s->writer[wa_base_of(g, g->values[v].x[i])];
            if (writer < 0 || writer == u) continue;
            s->unit[writer].read_in = g->phase_count - 1;
            bool last = !--s->unit[writer].readers;
            if (last && !s->unit[writer].waiting && s->unit[writer].step < 0) make_ready(s, writer);
        }
    }
}

static void take_turn(struct scheduler *s, int u, struct wa_turn turn)
{
    struct wa_graph *g = s->g;
    turn.phase = g->phase_count - 1;
    turn.cost = s->unit[u].cost;
    if (turn.owner < 0 && !turn.lead) {
        turn.owner = 0;
        for (int b = 1; b < g->threads; b++)
            if (s->load[b] < s->load[turn.owner]) turn.owner = b;
    }
    if (!turn.lead) s->load[turn.owner] += turn.cost;
    s->cost += turn.cost;
    if (turn.alone) s->phase->alone = true;
    s->unit[u].step = g->steps;
    g->turns[g->steps++] = turn;
    for (int v = s->unit[u].member; v >= 0; v = s->next_member[v]) g->values[v].step = s->unit[u].step;
    let_follow(s, u);
}

static void turn_over(struct scheduler *s)
{
    close_phase(s);
    open_phase(s);
    while (s->later.count) push(&s->now, s->unit, pop(&s->later, s->unit));
}

/* Whether nothing more can come in the phase. */
static bool is_full(const struct scheduler *s)
{
    bool keeps = s->g->tape->arena.w->recompute && s->g->threads > 1;
    return s->phase->alone || (keeps && s->cost > LONGEST_PHASE);
}

/* The unit to be tried next; -1: none for this phase. When nothing else is left an update need not wait
 * for who reads the variable: it is not made in its memory then. */
static int next_unit(struct scheduler *s)
{
    bool empty = s->g->steps == s->phase->first;
    const int *now = s->now.unit, *apart = s->apart.unit;
    if (is_full(s)) return -1;
    if (empty && s->apart.count && (!s->now.count || s->unit[*apart].key < s->unit[*now].key))
        return pop(&s->apart, s->unit);
    if (s->now.count) return pop(&s->now, s->unit);
    while (empty && s->held.count) {
        int u = pop(&s->held, s->unit);
        if (s->unit[u].readers) return u;
    }
    return -1;
}

static void schedule(struct scheduler *s)
{
    open_phase(s);
    for (;;) {
        struct wa_turn turn;
        int u = next_unit(s);
        if (u < 0 && s->g->steps == s->phase->first) break;
        if (u < 0)
            turn_over(s);
        else if (may_join(s, u, &turn))
            take_turn(s, u, turn);
        else
            push(&s->later, s->unit, u);
    }
    s->g->phase_count--; /* the last is empty */
}

/* -- the units and their edges -- */

static void link_units(struct scheduler *s)
{
    struct wa_graph *g = s->g;
    for (int v = 0; v < g->count; v++) {
        const struct wa_value *value = &g->values[v];
        if (!wa_is_step(value)) continue;
        int to = unit_of(g, v);
        struct unit *unit = &s->unit[to];
        if (unit->key < 0) unit->key = v;
        s->next_member[v] = unit->member;
        unit->member = v;
        unit->cost += cost_of(g, value);
        for (int i = 0; i <= value->n; i++) {
            int base = wa_before(g, value, i), from = base < 0 ? to : unit_of(g, base);
            if (base < 0) continue;
            if (from == to && wa_is_step(&g->values[base])) continue;
            if (wa_is_step(&g->values[base])) unit->waiting++;
            s->to[s->edges] = to;
            s->next[s->edges] = s->first[base];
            s->first[base] = s->edges++;
        }
    }
    for (int v = 0; v < g->count; v++) {
        struct unit *unit = &s->unit[unit_of(g, v)];
        if (!wa_is_step(&g->values[v])) continue;
        bool only = unit->member == v && s->next_member[v] < 0;
        unit->lead = lead_of(g, v, only && g->values[v].node->op->plan);
        if (unit->key == v) unit->alone = g->threads > 1 && is_alone(s, unit_of(g, v));
    }
    for (int i = 0; i < g->goal_count; i++) {
        const struct wa_goal *goal = &g->goals[i];
        int base = wa_base_of(g, goal->value), u = unit_of(g, base);
        if (!goal->assigns || goal->variable < 0 || !wa_is_step(&g->values[base])) continue;
        s->writer[goal->variable] = u;
        for (int e = s->first[goal->variable]; e >= 0; e = s->next[e])
            s->unit[u].readers += s->to[e] != u;
    }
}

/* The values of each step, in order. */
static bool list_members(struct wa_graph *g)
{
    g->first = wa_arena_new(&g->arena, ((size_t)g->steps + 2) * sizeof(int), _Alignof(int));
    g->member = wa_arena_new(&g->arena, ((size_t)g->count + 1) * sizeof(int), _Alignof(int));
    if (!g->first || !g->member) return false;
    memset(g->first, 0, ((size_t)g->steps + 2) * sizeof(int));
    /* first[s + 2] counts, then first[s + 1] is where s goes on, and in the end where s + 1 begins. */
    for (int v = 0; v < g->count; v++)
        if (g->values[v].step >= 0) g->first[g->values[v].step + 2]++;
    for (int s = 0; s < g->steps; s++) g->first[s + 2] += g->first[s + 1];
    for (int v = 0; v < g->count; v++)
        if (g->values[v].step >= 0) g->member[g->first[g->values[v].step + 1]++] = v;
    return true;
}

static int *new_ints(struct wa_graph *g, size_t n)
{
    int *list = wa_arena_new(&g->arena, (n + 1) * sizeof *list, _Alignof(int));
    if (list) memset(list, -1, (n + 1) * sizeof *list);
    return list;
}

bool wa_graph_schedule(struct wa_graph *g)
{
    size_t n = (size_t)(g->count + g->group_count), edges = 0, count = (size_t)g->count;
    for (int v = 0; v < g->count; v++) edges += (size_t)g->values[v].n + 1;
    struct scheduler s = {.g = g,
                          .unit =
                              wa_arena_new(&g->arena, (n + 1) * sizeof *s.unit, _Alignof(struct unit)),
                          .next_member = new_ints(g, count),
                          .first = new_ints(g, count),
                          .next = new_ints(g, edges),
                          .to = new_ints(g, edges),
                          .writer = new_ints(g, count),
                          .now.unit = new_ints(g, n),
                          .later.unit = new_ints(g, n),
                          .apart.unit = new_ints(g, n),
                          .held.unit = new_ints(g, n)};
    g->turns = wa_arena_new(&g->arena, (n + 1) * sizeof *g->turns, _Alignof(struct wa_turn));
    g->phases = wa_arena_new(&g->arena, (n + 1) * sizeof *g->phases, _Alignof(struct wa_phase));
    if (!s.unit || !s.next_member || !s.first || !s.next || !s.to || !s.writer || !s.now.unit ||
        !s.later.unit || !s.apart.unit || !s.held.unit || !g->turns || !g->phases)
        return false;
    for (size_t u = 0; u < n; u++)
        s.unit[u] = (struct unit){.key = -1, .member = -1, .read_in = -1, .step = -1};
    link_units(&s);
    for (size_t u = 0; u < n; u++)
        if (s.unit[u].key >= 0 && !s.unit[u].waiting) make_ready(&s, (int)u);
    schedule(&s);
    for (size_t u = 0; u < n; u++) assert(s.unit[u].key < 0 || s.unit[u].step >= 0); /* no cycle */
    return list_members(g) && wa_graph_order(g);
}

bool wa_same_task(const struct wa_graph *g, const struct wa_value *reader, int k, int step)
{
    const struct wa_turn *a = &g->turns[reader->step], *b = &g->turns[step];
    if (a->phase != b->phase || g->phases[a->phase].bundles == 1) return true;
    if (!a->lead && !b->lead) return a->owner == b->owner;
    return a->lead == b->lead && wa_reads_along(g, reader, k);
}
