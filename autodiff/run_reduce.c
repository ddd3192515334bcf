/* run_reduce.c: folds over a group of axes, in chunks of a fixed length, of what a step has in memory
 * or computes on the way.
 *
 * A long fold is done chunk by chunk, and then over the chunks' results in the same way: threads share
 * out chunks, and the bits depend on the shape alone. What is computed is folded tile by tile, while it
 * is in the first-level cache, each chunk going on from tile to tile: a row is folded like so many
 * columns as there are lanes, and then these. */
#include "autodiff/fused.h"

/* Columns that a thread has of a row in memory, at least. */
enum { FEWEST_COLUMNS = 64 };

void wa_plan_folds(struct wa_step *s, struct wa_folding of, bool by_rows, size_t tasks)
{
    const struct wa_fused *fused = s->geometry;
    struct wa_folds *f = fused->folds;
    f->outer = (size_t)of.outer, f->n = (size_t)of.n, f->inner = (size_t)of.inner;
    f->chunk = (size_t)wa_chunk_of(&of), f->chunks = (size_t)wa_chunks_of(&of);
    if (!fused->count) f->tile = 0;
    size_t chunks = f->outer * f->chunks, parts = f->inner / (f->tile ? WA_FOLD_TILE : FEWEST_COLUMNS);
    bool uneven = f->tile ? !by_rows && !wa_is_even(chunks, s->threads) : chunks < tasks;
    f->column_parts = !uneven || !parts ? 1 : parts < tasks ? parts : tasks;
    f->units = chunks * f->column_parts;
    if (!s->lead) s->tasks = (int)(tasks < f->units ? tasks : f->units ? f->units : 1);
    for (int k = 0; k < f->count && f->chunks > 1; k++) {
        struct wa_ending *e = &f->end[k];
        size_t bytes = f->outer * f->chunks * f->inner * washi_dtype_size(e->type);
        e->partial = s->shared_bytes;
        e->partial_bytes = wa_round_up(bytes, WA_ALIGN);
        s->shared_bytes += 2 * e->partial_bytes;
    }
}

/* What the step's tasks share. */
static char *shared(const struct wa_step *s)
{
    return (char *)s->scratch + (size_t)s->tasks * s->scratch_step;
}

/* How results of parts meet. */
static int kernel_of_results(const struct wa_ending *e)
{
    return e->kernel == WA_FOLD_sum_squares ? WA_FOLD_sum : e->kernel;
}

/* Where the ending's operand is, a block or memory, from this element on. */
static const char *operand(const struct wa_ending *e, size_t first, char *const bases[])
{
    return bases[e->x.base] + (e->x.start == WA_AT_ELEMENT ? first * e->x.size : 0);
}

/* Short rows as a whole, as many as make a tile. A step split within a phase shares out whole units of
 * the leading axis, as the steps that read its rows do. */
static void fold_rows(const struct wa_step *s, const struct wa_folds *f, int task, char *bases[])
{
    size_t units = s->lead ? (size_t)s->lead : f->outer, each = units ? f->outer / units : 0;
    size_t begin, end, rows;
    wa_share(units, s->tasks, task, &begin, &end);
    begin *= each, end *= each;
    size_t most = !f->tile || !f->n ? end - begin : f->tile / f->n;
    for (size_t row = begin; row < end; row += rows) {
        rows = end - row < most ? end - row : most;
        if (f->tile) wa_run_elements(s->geometry, row * f->n, (row + rows) * f->n, bases);
        for (int k = 0; k < f->count; k++) {
            const struct wa_ending *e = &f->end[k];
            s->simd->fold_last[e->kernel][e->type](rows, f->n,
                                                   (char *)s->out[e->output].data + row * e->x.size,
                                                   operand(e, row * f->n, bases));
        }
    }
}

/* Of [outer, n, inner] some columns of rows of one chunk, the first of all being row, and the chunk the
 * one of that number among all. */
struct piece {
    size_t row, rows, column, columns, chunk;
    bool on, last; /* not the first of the chunk's; the last */
};

static void fold_row(const struct wa_step *s, const struct wa_ending *e, const struct piece *p,
                     void *lanes, void *y, const char *x)
{
    wa_fold_first_fn *fold = s->simd->fold_first[e->kernel][e->type];
    if (!p->on && p->last) {
        s->simd->fold_last[e->kernel][e->type](1, p->rows, y, x);
        return;
    }
    size_t whole = p->rows / WA_LANES, rest = p->rows % WA_LANES;
    fold(whole, WA_LANES, WA_LANES, p->on, lanes, x);
    if (rest) fold(1, rest, WA_LANES, true, lanes, x + whole * WA_LANES * e->x.size);
    if (p->last) s->simd->fold_last[kernel_of_results(e)][e->type](1, WA_LANES, y, lanes);
}

static void fold_piece(const struct wa_step *s, const struct wa_folds *f, const struct piece *p,
                       char *bases[])
{
    size_t first = p->row * f->inner + p->column;
    if (f->tile && p->columns == f->inner)
        wa_run_elements(s->geometry, first, first + p->rows * f->inner, bases);
    else if (f->tile && p->rows) /* one row */
        wa_run_elements(s->geometry, first, first + p->columns, bases);
    for (int k = 0; k < f->count; k++) {
        const struct wa_ending *e = &f->end[k];
        size_t stride = e->x.start == WA_AT_ELEMENT ? f->inner : p->columns;
        const char *x = operand(e, first, bases);
        char *y = f->chunks > 1 ? shared(s) + e->partial : s->out[e->output].data;
        y += (p->chunk * f->inner + p->column) * e->x.size;
        if (f->inner == 1)
            fold_row(s, e, p, bases[e->lanes], y, x);
        else
            s->simd->fold_first[e->kernel][e->type](p->rows, p->columns, stride, p->on, y, x);
    }
}

void wa_run_folds(const struct wa_step *s, int task, char *bases[])
{
    const struct wa_fused *fused = s->geometry;
    const struct wa_folds *f = fused->folds;
    if (f->inner == 1 && f->chunks == 1 && (!f->tile || f->n <= f->tile)) {
        fold_rows(s, f, task, bases);
        return;
    }
    size_t begin, end;
    wa_share(f->units, s->tasks, task, &begin, &end);
    for (size_t unit = begin; unit < end; unit++) {
        struct piece p = {.chunk = unit / f->column_parts};
        size_t from = p.chunk % f->chunks * f->chunk, row = p.chunk / f->chunks * f->n + from, last;
        size_t n = f->n - from < f->chunk ? f->n - from : f->chunk;
        wa_share(f->inner, (int)f->column_parts, (int)(unit % f->column_parts), &p.column, &last);
        for (; p.column < last; p.column += p.columns) {
            p.columns = f->tile && last - p.column > f->tile ? f->tile : last - p.column;
            size_t done = 0, most = !f->tile ? n : p.columns == f->inner ? f->tile / p.columns : 1;
            do {
                p.row = row + done, p.on = done > 0;
                p.last = n - done <= most;
                p.rows = p.last ? n - done : most;
                fold_piece(s, f, &p, bases);
                done += p.rows;
            } while (!p.last);
        }
    }
}

/* Folds the chunks' results, [outer, chunks, inner], until one is left of each. */
static void finish(const struct wa_step *s, const struct wa_folds *f, const struct wa_ending *e)
{
    const int kernel = kernel_of_results(e);
    size_t n = f->chunks, row = f->inner * e->x.size;
    char *from = shared(s) + e->partial, *to = from + e->partial_bytes;
    while (n > 1) {
        size_t chunks = (n + f->chunk - 1) / f->chunk;
        char *out = chunks == 1 ? s->out[e->output].data : to;
        for (size_t block = 0; block < f->outer * chunks; block++) {
            size_t outer = block / chunks, first = block % chunks * f->chunk;
            size_t rows = n - first < f->chunk ? n - first : f->chunk;
            const char *x = from + (outer * n + first) * row;
            if (f->inner == 1)
                s->simd->fold_last[kernel][e->type](1, rows, out + block * row, x);
            else
                s->simd->fold_first[kernel][e->type](rows, f->inner, f->inner, false, out + block * row,
                                                     x);
        }
        n = chunks;
        to = from;
        from = out;
    }
}

void wa_finish_folds(const struct wa_step *s)
{
    const struct wa_fused *fused = s->geometry;
    for (int k = 0; fused->folds && k < fused->folds->count; k++)
        finish(s, fused->folds, &fused->folds->end[k]);
}
