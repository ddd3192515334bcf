/* run_fused.c: running a group of values, unit by unit in the first-level cache. */
#include "autodiff/fused.h"

#include <string.h>

static size_t elements(const struct wa_instruction *i, const struct wa_unit *u)
{
    return i->form == WA_FULL ? u->rows * u->n : u->rows;
}

void wa_do_map(const struct wa_instruction *i, const struct wa_unit *u, void *y, const void *const x[])
{
    i->kernel.map(elements(i, u), y, x);
}

void wa_do_cast(const struct wa_instruction *i, const struct wa_unit *u, void *y, const void *const x[])
{
    i->kernel.cast(elements(i, u), y, x[0]);
}

void wa_do_fold(const struct wa_instruction *i, const struct wa_unit *u, void *y, const void *const x[])
{
    i->kernel.fold(u->rows, u->n, y, x[0]);
}

void wa_do_row(const struct wa_instruction *i, const struct wa_unit *u, void *y, const void *const x[])
{
    i->kernel.row(u->rows, u->n, y, x[0]);
}

void wa_do_row_pair(const struct wa_instruction *i, const struct wa_unit *u, void *y,
                    const void *const x[])
{
    i->kernel.pair(u->rows, u->n, y, (void *)(uintptr_t)x[1], x[0]);
}

void wa_do_argmax(const struct wa_instruction *i, const struct wa_unit *u, void *y,
                  const void *const x[])
{
    i->kernel.argmax(u->rows, u->n, y, x[0]);
}

void wa_do_splat(const struct wa_instruction *i, const struct wa_unit *u, void *y,
                 const void *const x[])
{
    i->kernel.copy(1, u->rows * u->n, y, 0, x[0], 0, 0);
}

void wa_do_spread(const struct wa_instruction *i, const struct wa_unit *u, void *y,
                  const void *const x[])
{
    i->kernel.copy(u->rows, u->n, y, u->n, x[0], 1, 0);
}

void wa_do_repeat(const struct wa_instruction *i, const struct wa_unit *u, void *y,
                  const void *const x[])
{
    i->kernel.copy(u->rows, u->n, y, u->n, x[0], 0, 1);
}

void wa_do_gather(const struct wa_instruction *i, const struct wa_unit *u, void *y,
                  const void *const x[])
{
    const struct wa_gather *g = i->kernel.gather;
    size_t size = i->y.size;
    for (size_t r = 0; r < u->rows; r++) {
        size_t row = u->row + r, at = 0;
        for (int k = g->rank; k-- > 0;) {
            at += row % (size_t)g->dim[k] * (size_t)g->stride[k];
            row /= (size_t)g->dim[k];
        }
        if (g->along) at += u->begin;
        g->copy(1, u->n, (char *)y + r * u->n * size, 0, (const char *)x[0] + at * size, 0,
                (size_t)g->along);
    }
}

void wa_do_take(const struct wa_instruction *i, const struct wa_unit *u, void *y, const void *const x[])
{
    const struct wa_slices *s = i->kernel.slices;
    const int32_t *index = x[1];
    size_t size = i->y.size, rows;
    bool whole = u->n == s->columns;
    for (size_t r = 0; r < u->rows; r += rows) {
        size_t slice = (u->row + r) / s->rows, row = (u->row + r) % s->rows;
        size_t at = ((size_t)index[slice] * s->rows + row) * s->columns + u->begin;
        rows = !whole ? 1 : s->rows - row < u->rows - r ? s->rows - row : u->rows - r;
        memcpy((char *)y + r * u->n * size, (const char *)x[0] + at * size, rows * u->n * size);
    }
}

/* -- units, blocks, tasks -- */

static void *resolve(const struct wa_ref *r, char *const bases[], const size_t first[])
{
    return bases[r->base] + first[r->start] * r->size;
}

static void run_code(const struct wa_instruction *code, int count, const struct wa_unit *u,
                     const struct wa_fused *f, char *bases[])
{
    const size_t columns = f->columns;
    const size_t first[] = {[WA_AT_BASE] = 0,
                            [WA_AT_ELEMENT] = u->row * columns + u->begin,
                            [WA_AT_NEXT] = (u->row + u->rows) * columns + u->begin,
                            [WA_AT_AFTER] = (u->row + 3 * u->rows) * columns + u->begin,
                            [WA_AT_ROW] = u->row,
                            [WA_AT_COLUMN] = u->begin,
                            [WA_AT_BLOCK] = u->row * columns + u->begin - u->block,
                            [WA_AT_LOCAL] = 0,
                            [WA_AT_KERNEL] = 1};
    for (const struct wa_instruction *i = code, *end = code + count; i < end; i++) {
        if (i->chain) {
            const struct wa_chain *c = i->chain;
            void **links = (void **)(bases + f->bases) + c->first;
            for (int k = 0; k < c->moves && !f->still; k++)
                links[c->moving[k]] = resolve(&c->at[c->moving[k]], bases, first);
            c->run(elements(i, u), (size_t)c->links, c->code, links);
            continue;
        }
        const void *x[3] = {NULL};
        for (int k = 0; k < i->n; k++) x[k] = resolve(&i->x[k], bases, first);
        i->run(i, u, resolve(&i->y, bases, first), x);
    }
}

/* Units begin ... end-1 of all. */
static void run_units(const struct wa_fused *f, size_t begin, size_t end, char *bases[])
{
    struct wa_unit u = {.block = 0};
    if (begin == end) return;
    size_t row = begin / f->pieces, piece = begin % f->pieces;
    for (size_t i = begin; i < end; i++) {
        u.row = row * f->rows_a_unit;
        u.begin = piece * f->piece;
        if (++piece == f->pieces) piece = 0, row++;
        u.rows = f->rows - u.row < f->rows_a_unit ? f->rows - u.row : f->rows_a_unit;
        u.n = f->columns - u.begin < f->piece ? f->columns - u.begin : f->piece;
        run_code(f->code + f->once, f->count - f->once, &u, f, bases);
    }
}

/* Columns begin ... end-1 of rows first ... last-1. */
static void run_rows(const struct wa_fused *f, size_t first, size_t last, size_t begin, size_t end,
                     char *bases[])
{
    struct wa_unit u = {.block = first * f->columns};
    for (u.row = first; u.row < last; u.row += u.rows) {
        u.rows = last - u.row < f->rows_a_unit ? last - u.row : f->rows_a_unit;
        u.begin = begin;
        do { /* once also where a row has no elements */
            u.n = end - u.begin < f->piece ? end - u.begin : f->piece;
            run_code(f->code + f->once, f->count - f->once, &u, f, bases);
            u.begin += u.n;
        } while (u.begin < end);
    }
}

void wa_run_elements(const struct wa_fused *f, size_t begin, size_t end, char *bases[])
{
    struct wa_unit u = {.block = begin};
    for (; begin < end; begin += u.rows * u.n) {
        size_t left = end - begin, rows = left / f->columns;
        u.row = begin / f->columns;
        u.begin = begin % f->columns;
        bool whole = u.begin == 0 && rows > 0 && f->piece == f->columns;
        u.rows = !whole ? 1 : rows < f->rows_a_unit ? rows : f->rows_a_unit;
        u.n = f->columns - u.begin < f->piece ? f->columns - u.begin : f->piece;
        if (u.n > left) u.n = left;
        run_code(f->code + f->once, f->count - f->once, &u, f, bases);
    }
}

static size_t units_of(const struct wa_fused *f, size_t rows)
{
    return (rows + f->rows_a_unit - 1) / f->rows_a_unit * f->pieces;
}

static void run_blocks(const struct wa_step *s, int task, size_t begin, size_t end, char *bases[],
                       void *scratch)
{
    const struct wa_fused *f = s->geometry;
    size_t size = f->gemm_c.size;
    /* Blocks alike, so that none has a few rows only. */
    size_t blocks = (end - begin + f->block_rows - 1) / f->block_rows;
    for (size_t i = 0; i < blocks; i++) {
        size_t row = begin + (end - begin) * i / blocks,
               next = begin + (end - begin) * (i + 1) / blocks;
        struct wa_gemm gemm = f->gemm;
        void *indices = f->gemm_indices >= 0 ? bases[f->gemm_indices] : NULL;
        wa_gemm_operands(&gemm, bases[f->gemm_a], bases[f->gemm_b], indices);
        if (f->gemm_kept >= 0) gemm.a_kept = bases[f->gemm_kept];
        wa_gemm_rows(&gemm, row, next, size);
        gemm.c_shared = s->tasks > 1;
        gemm.c =
            bases[f->gemm_c.base] + (f->gemm_c.start == WA_AT_ELEMENT ? row * f->columns * size : 0);
        struct wa_lines ahead = {.left = 0};
        wa_ahead_ask(s, task, i, blocks, &ahead);
        gemm.ahead = &ahead;
        s->simd->gemm[f->gemm_type](&gemm, scratch);
        run_rows(f, row, next, 0, f->columns, bases);
    }
}

static void run_update(const struct wa_step *s, int task, size_t begin, size_t end, char *bases[],
                       void *scratch)
{
    const struct wa_fused *f = s->geometry;
    size_t size = f->gemm_c.size, from = begin * f->columns * size;
    struct wa_gemm gemm = f->gemm;
    void *indices = f->gemm_indices >= 0 ? bases[f->gemm_indices] : NULL;
    wa_gemm_operands(&gemm, bases[f->gemm_a], bases[f->gemm_b], indices);
    wa_gemm_rows(&gemm, begin, end, size);
    gemm.c = bases[s->n] + from;
    gemm.c_shared = s->tasks > 1;
    const char *old = bases[f->update_old] + from;
    if (old != gemm.c) memcpy(gemm.c, old, (end - begin) * f->columns * size);
    gemm.alpha = f->update_sign;
    gemm.beta = f->update_old_sign;
    if (f->update_scale >= 0) {
        const void *scale = bases[f->update_scale];
        gemm.alpha *=
            f->gemm_type == WASHI_F32 ? (double)*(const float *)scale : *(const double *)scale;
    }
    size_t parts = ((end - begin) + f->block_rows - 1) / f->block_rows;
    for (size_t i = 0; i < parts; i++) {
        size_t row = (end - begin) * i / parts, next = (end - begin) * (i + 1) / parts;
        struct wa_gemm part = gemm;
        wa_gemm_rows(&part, row, next, size);
        part.c = (char *)gemm.c + row * f->columns * size;
        struct wa_lines ahead = {.left = 0};
        wa_ahead_ask(s, task, i, parts, &ahead);
        part.ahead = &ahead;
        s->simd->gemm[f->gemm_type](&part, scratch);
    }
}

/* The task's share of the rows, of the columns of a single row, or of the units. */
static void run_share(const struct wa_step *s, int task, char *bases[], void *scratch)
{
    const struct wa_fused *f = s->geometry;
    size_t begin, end;
    if (!f->multiplies && !s->lead) {
        wa_share(units_of(f, f->rows), s->tasks, task, &begin, &end);
        run_units(f, begin, end, bases);
        return;
    }
    bool row = f->rows == 1; /* the leading axis is the columns */
    size_t lead = s->lead ? (size_t)s->lead : f->rows, each = (row ? f->columns : f->rows) / lead;
    wa_share(lead, s->tasks, task, &begin, &end);
    begin *= each, end *= each;
    if (begin == end || !f->pieces) return;
    if (f->multiplies && f->update_old >= 0)
        run_update(s, task, begin, end, bases, scratch);
    else if (f->multiplies)
        run_blocks(s, task, begin, end, bases, scratch);
    else if (row)
        run_rows(f, 0, 1, begin, end, bases);
    else
        run_rows(f, begin, end, 0, f->columns, bases);
}

void wa_run_fused(const struct wa_step *s, int task)
{
    const struct wa_fused *f = s->geometry;
    char **bases = (char **)(void *)(f->frames + (size_t)task * f->frame_bytes);
    const struct wa_unit most = {.rows = f->rows_a_unit, .n = f->piece};
    run_code(f->code, f->once, &most, f, bases);
    if (f->folds)
        wa_run_folds(s, task, bases);
    else
        run_share(s, task, bases, bases[f->bases - 1]);
    if (f->streams) wa_fence();
}
