/* run_reduce.c: folds over a group of axes, in chunks of a fixed length.
 *
 * A long fold is done chunk by chunk, and then over the chunks' results in the same way: threads share
 * out chunks, and the bits depend on the shape alone. */
#include "autodiff/ops.h"
#include "autodiff/step.h"

/* Format constants: elements of a row, and rows of a column, folded at a time. A row of one chunk may
 * be folded within a group of values. */
enum { CHUNK_LAST = WA_LONGEST_ROW, CHUNK_FIRST = 256 };

/* x seen as [outer, n, inner], folded over n. */
struct fold {
    size_t outer, n, inner, size;
    size_t chunk, chunks; /* along n */
    size_t column_parts;  /* inner cut into so many parts */
    size_t units;         /* outer * chunks * column_parts */
    size_t partial_bytes; /* of one of the two buffers of chunk results; 0 with one chunk */
};

bool wa_plan_fold(struct wa_step *s)
{
    struct fold *f = wa_step_new(s, sizeof *f);
    if (!f) return false;
    washi_shape x = s->x[0].shape;
    int begin = (int)s->node->attr.begin, end = (int)s->node->attr.end;
    f->outer = (size_t)wa_shape_span(x, 0, begin);
    f->n = (size_t)wa_shape_span(x, begin, end);
    f->inner = (size_t)wa_shape_span(x, end, x.rank);
    f->size = washi_dtype_size(s->y.type);
    f->chunk = f->inner == 1 ? CHUNK_LAST : CHUNK_FIRST;
    f->chunks = f->n > f->chunk ? (f->n + f->chunk - 1) / f->chunk : 1;
    size_t work = f->outer * f->n * f->inner * f->size;
    if (!s->lead) s->tasks = wa_tasks(s, work, WA_GRAIN);
    f->column_parts = 1;
    if (f->outer * f->chunks < (size_t)s->tasks && f->inner >= 64)
        f->column_parts = f->inner / 64 < (size_t)s->tasks ? f->inner / 64 : (size_t)s->tasks;
    f->units = f->outer * f->chunks * f->column_parts;
    if ((size_t)s->tasks > f->units) s->tasks = f->units ? (int)f->units : 1;
    if (f->chunks > 1) {
        f->partial_bytes = wa_round_up(f->outer * f->chunks * f->inner * f->size, WA_ALIGN);
        s->scratch_bytes = 2 * f->partial_bytes;
    }
    s->geometry = f;
    return true;
}

/* Folds rows [from, to) of one [n, inner] block, columns [j, end). */
static void fold_block(const struct wa_step *s, int kernel, const struct fold *f, const char *x,
                       size_t rows, char *y, size_t j, size_t end)
{
    if (f->inner == 1)
        s->simd->fold_last[kernel][s->y.type](1, rows, y, x);
    else
        s->simd->fold_first[kernel][s->y.type](rows, end - j, f->inner, y + j * f->size,
                                               x + j * f->size);
}

/* Many short rows go to the kernel in one call. A step split within a phase shares out whole units of
 * the leading axis, as the steps that read its rows do. */
static void fold_rows(const struct wa_step *s, const struct fold *f, int task)
{
    size_t units = s->lead ? (size_t)s->lead : f->outer, each = units ? f->outer / units : 0;
    size_t begin, end;
    wa_share(units, s->tasks, task, &begin, &end);
    begin *= each;
    end *= each;
    s->simd->fold_last[s->op->kernel][s->y.type](end - begin, f->n, (char *)s->y.data + begin * f->size,
                                                 (const char *)s->x[0].data + begin * f->n * f->size);
}

void wa_run_fold(const struct wa_step *s, int task)
{
    const struct fold *f = s->geometry;
    if (f->inner == 1 && f->chunks == 1) {
        fold_rows(s, f, task);
        return;
    }
    char *out = f->chunks > 1 ? s->scratch : s->y.data;
    size_t begin, end;
    wa_share(f->units, s->tasks, task, &begin, &end);
    for (size_t unit = begin; unit < end; unit++) {
        size_t part = unit % f->column_parts, block = unit / f->column_parts;
        size_t first = block % f->chunks * f->chunk, outer = block / f->chunks, j, j_end;
        size_t rows = f->n - first < f->chunk ? f->n - first : f->chunk;
        wa_share(f->inner, (int)f->column_parts, (int)part, &j, &j_end);
        fold_block(s, s->op->kernel, f,
                   (const char *)s->x[0].data + (outer * f->n + first) * f->inner * f->size, rows,
                   out + block * f->inner * f->size, j, j_end);
    }
}

/* Folds the chunks' results, [outer, chunks, inner], until one is left of each. */
void wa_finish_fold(const struct wa_step *s)
{
    const struct fold *f = s->geometry;
    int kernel = s->op->kernel == WA_FOLD_sum_squares ? WA_FOLD_sum : s->op->kernel;
    size_t n = f->chunks, row = f->inner * f->size;
    char *from = s->scratch, *to = from + f->partial_bytes;
    while (n > 1) {
        size_t chunks = (n + f->chunk - 1) / f->chunk;
        char *out = chunks == 1 ? s->y.data : to;
        for (size_t block = 0; block < f->outer * chunks; block++) {
            size_t outer = block / chunks, first = block % chunks * f->chunk;
            size_t rows = n - first < f->chunk ? n - first : f->chunk;
            fold_block(s, kernel, f, from + (outer * n + first) * row, rows, out + block * row, 0,
                       f->inner);
        }
        n = chunks;
        to = from;
        from = out;
    }
}
