/* ahead.c: asking memory for the rows that the next run will gather, while this one computes. */
#include "autodiff/program.h"

#include <string.h>

enum { LINE = 64 };

/* Whether the step gathers rows of something there before the run, by an input; then a says which. */
static bool gathers(const struct wa_step *s, struct wa_ahead *a)
{
    const struct wa_place *table = NULL, *indices = NULL;
    if (s->op == &wa_op_take && s->node->attr.axis == 0) {
        table = &s->x[0];
        indices = &s->x[1];
    } else
        wa_fused_gather(s, &table, &indices);
    if (!table || !table->source || !indices->source || indices->source->op != &wa_op_input)
        return false;
    size_t rows = (size_t)table->shape.dim[0];
    if (!rows) return false;
    a->indices = indices->source;
    a->table = table;
    a->row = wa_shape_bytes(table->shape, table->type) / rows;
    a->rows = (size_t)washi_size(indices->shape);
    a->lines = a->rows * ((a->row + LINE - 1) / LINE);
    return a->lines > 0;
}

/* Whether another step gathers the same: one of a chain of those by these indices. */
static bool known(const washi_program *p, const struct wa_ahead *a, int newest, const int before[])
{
    while (newest >= 0 && p->ahead[newest].table->source != a->table->source) newest = before[newest];
    return newest >= 0;
}

/* Gives each step its portion of the lines, by its part of the time. A step that takes little asks for
 * none, since to ask at all would take as long; unless nothing but such steps are most of the program.
 */
static void share_out(washi_program *p, const struct wa_graph *g)
{
    enum { LARGE = 64 };
    double all = 0, large = 0, before = 0;
    for (int i = 0; i < p->step_count; i++) all += g->turns[i].cost;
    for (int i = 0; i < p->step_count; i++)
        if (g->turns[i].cost * LARGE >= all) large += g->turns[i].cost;
    bool every = large * 2 < all;
    if (every) large = all;
    for (int i = 0; i < p->step_count; i++) {
        struct wa_step *s = &p->steps[i];
        double cost = every || g->turns[i].cost * LARGE >= all ? g->turns[i].cost : 0;
        s->asked_before = large > 0 ? before / large : 0;
        before += cost;
        s->asked = large > 0 ? before / large : 0;
    }
}

bool wa_ahead_find(washi_program *p, struct wa_graph *g)
{
    size_t steps = (size_t)p->step_count + 1, nodes = p->tape->count;
    p->ahead = wa_arena_new(&p->arena, steps * sizeof *p->ahead, WA_ALIGN);
    int *newest = wa_arena_new(&g->arena, nodes * sizeof *newest, _Alignof(int)),
        *before = wa_arena_new(&g->arena, steps * sizeof *before, _Alignof(int));
    if (!p->ahead || !newest || !before) return false;
    memset(newest, -1, nodes * sizeof *newest); /* by the node of the indices */
    for (int i = 0; i < p->step_count; i++) {
        struct wa_ahead *a = &p->ahead[p->ahead_count];
        if (!gathers(&p->steps[i], a) || known(p, a, newest[a->indices->id], before)) continue;
        before[p->ahead_count] = newest[a->indices->id];
        newest[a->indices->id] = p->ahead_count++;
    }
    share_out(p, g);
    return true;
}

/* The part from ... to of a share of the lines. An index may be anything: nothing is read there. */
static struct wa_lines lines_of(const struct wa_ahead *a, int share, int shares, double from, double to)
{
    size_t begin, end;
    wa_share(a->lines, shares, share, &begin, &end);
    size_t first = begin + (size_t)((double)(end - begin) * from),
           last = begin + (size_t)((double)(end - begin) * to);
    return (struct wa_lines){.from = (uintptr_t)a->table->data,
                             .index = a->indices->next,
                             .stride = a->row,
                             .rows = a->rows,
                             .row = first % a->rows,
                             .line = first / a->rows,
                             .left = last - first};
}

void wa_ahead_ask(const struct wa_step *s, int task, size_t part, size_t parts, struct wa_lines *later)
{
    const washi_program *p = s->program;
    const double all = s->asked - s->asked_before;
    if (!p->announced || all <= 0) return;
    double from = s->asked_before + all * (double)part / (double)parts,
           to = s->asked_before + all * (double)(part + 1) / (double)parts;
    int own = s->lead ? task : 0;
    for (int i = 0; i < p->ahead_count; i++) {
        if (!p->ahead[i].indices->next) continue;
        for (int share = 0; share < p->widest; share++) {
            if (s->lead && share != own) continue;
            struct wa_lines lines = lines_of(&p->ahead[i], share, p->widest, from, to);
            if (later && share == own && later->left < lines.left) {
                struct wa_lines other = *later;
                *later = lines;
                lines = other;
            }
            wa_ask(&lines, lines.left);
        }
    }
}
