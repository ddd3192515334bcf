/* op_reference.c: what each op should give, by libm and plain loops in double, found by the op's name.
 */
#include "ops.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- places -- */

void unravel(washi_shape s, int64_t i, int64_t at[])
{
    for (int k = s.rank; k-- > 0;) {
        at[k] = i % s.dim[k];
        i /= s.dim[k];
    }
}

int64_t ravel(washi_shape s, const int64_t at[])
{
    int64_t i = 0;
    for (int k = 0; k < s.rank; k++) i = i * s.dim[k] + at[k];
    return i;
}

double stretched(const struct operand *x, int rank, const int64_t at[])
{
    int64_t own[WASHI_MAX_RANK];
    for (int k = 0; k < x->shape.rank; k++)
        own[k] = x->shape.dim[k] == 1 ? 0 : at[k + rank - x->shape.rank];
    return get(x->type, x->data, (size_t)ravel(x->shape, own));
}

double item(const struct operand *x, const int64_t at[])
{
    return get(x->type, x->data, (size_t)ravel(x->shape, at));
}

void give(struct answer *out, washi_dtype type, washi_shape shape)
{
    const size_t n = (size_t)washi_size(shape);
    *out = (struct answer){.type = type, .shape = shape};
    out->v = calloc(n + 1, sizeof *out->v);
    out->size = calloc(n + 1, sizeof *out->size);
    ck_assert(out->v && out->size);
}

void add_term(struct answer *out, int64_t i, double term)
{
    out->v[i] += term;
    out->size[i] += fabs(term);
}

void each(struct answer *out, const struct sample *s,
          double (*f)(const struct sample *s, const int64_t at[], int64_t i))
{
    int64_t at[WASHI_MAX_RANK];
    for (int64_t i = 0; i < washi_size(out->shape); i++) {
        unravel(out->shape, i, at);
        add_term(out, i, f(s, at, i));
    }
}

static void run_elementwise(const struct sample *s, struct answer *out)
{
    washi_shape y = {0};
    for (int k = 0; k < s->n; k++) {
        const washi_shape x = s->x[k].shape;
        for (int j = 0; j < WASHI_MAX_RANK; j++) { /* axes from the last */
            if (j >= x.rank) break;
            int64_t *to = &y.dim[WASHI_MAX_RANK - 1 - j];
            const int64_t size = x.dim[x.rank - 1 - j];
            if (j >= y.rank || *to == 1) *to = size;
            if (j >= y.rank) y.rank = j + 1;
        }
    }
    memmove(y.dim, y.dim + WASHI_MAX_RANK - y.rank, (size_t)y.rank * sizeof *y.dim);
    give(out, s->x[0].type, y);
    for (int64_t i = 0; i < washi_size(y); i++) {
        int64_t at[WASHI_MAX_RANK];
        double x[MOST_OPERANDS] = {0};
        unravel(y, i, at);
        for (int k = 0; k < s->n; k++) x[k] = stretched(&s->x[k], y.rank, at);
        plain_element(s->op->name, x, &out->v[i], &out->size[i]);
    }
}

/* -- reductions: x seen as [outer, n, inner] -- */

static washi_shape folded(const struct sample *s, int64_t begin, int64_t end)
{
    washi_shape y = s->x[0].shape;
    for (int64_t k = begin; k < end; k++) y.dim[k] = 1;
    return y;
}

/* kind: s sum, q of squares, p product, l largest, t least. */
static void run_fold(const struct sample *s, struct answer *out, char kind)
{
    const struct operand *x = &s->x[0];
    give(out, x->type, folded(s, s->attr.begin, s->attr.end));
    double *lost = calloc((size_t)washi_size(out->shape) + 1, sizeof *lost); /* of sums of squares */
    ck_assert_ptr_nonnull(lost);
    for (int64_t i = 0; i < washi_size(out->shape); i++)
        out->v[i] = kind == 'l' ? -INFINITY : kind == 't' ? INFINITY : kind == 'p';
    for (int64_t i = 0; i < washi_size(x->shape); i++) {
        int64_t at[WASHI_MAX_RANK];
        unravel(x->shape, i, at);
        for (int64_t k = s->attr.begin; k < s->attr.end; k++) at[k] = 0;
        const int64_t to = ravel(out->shape, at);
        const double v = get(x->type, x->data, (size_t)i);
        if (kind == 's') add_term(out, to, v);
        if (kind == 'q') { /* by Kahan and Babuska */
            const double sum = out->v[to], square = v * v, more = sum + square;
            lost[to] += sum >= square ? sum - more + square : square - more + sum;
            out->v[to] = more;
        }
        if (kind == 'l') out->v[to] = fmax(out->v[to], v);
        if (kind == 't') out->v[to] = fmin(out->v[to], v);
        if (kind == 'p') out->v[to] *= v;
    }
    const double factors = (double)(washi_size(x->shape) / (washi_size(out->shape) + 1));
    for (int64_t i = 0; kind == 'p' && i < washi_size(out->shape); i++)
        out->size[i] = fabs(out->v[i]) * (1 + factors / 8);
    for (int64_t i = 0; kind == 'q' && i < washi_size(out->shape); i++) {
        out->v[i] += lost[i]; /* no sign changes, and chains of up to 256 */
        out->size[i] = out->v[i] * (1 + fmin(factors, 256) / 64);
    }
    free(lost);
}

static void r_sum(const struct sample *s, struct answer *out) { run_fold(s, out, 's'); }
static void r_sum_squares(const struct sample *s, struct answer *out) { run_fold(s, out, 'q'); }
static void r_prod(const struct sample *s, struct answer *out) { run_fold(s, out, 'p'); }
static void r_max(const struct sample *s, struct answer *out) { run_fold(s, out, 'l'); }
static void r_min(const struct sample *s, struct answer *out) { run_fold(s, out, 't'); }

static void run_arg(const struct sample *s, struct answer *out, double sign)
{
    const struct operand *x = &s->x[0];
    const int last = x->shape.rank - 1;
    const int64_t n = x->shape.dim[last];
    give(out, WASHI_I32, folded(s, last, last + 1));
    for (int64_t i = 0; i < washi_size(out->shape); i++)
        for (int64_t j = n; j-- > 0;) {
            const double best = get(x->type, x->data, (size_t)(i * n + (int64_t)out->v[i]));
            if (j == n - 1 || sign * get(x->type, x->data, (size_t)(i * n + j)) >= sign * best)
                out->v[i] = (double)j;
        }
}

static void r_argmax(const struct sample *s, struct answer *out) { run_arg(s, out, 1); }
static void r_argmin(const struct sample *s, struct answer *out) { run_arg(s, out, -1); }

/* log(sum(exp(row))) without overflow for the tests' moderate numbers. */
static double row_log_sum(const struct operand *x, int64_t row, int64_t n)
{
    double sum = 0;
    for (int64_t j = 0; j < n; j++) sum += exp(get(x->type, x->data, (size_t)(row * n + j)));
    return log(sum);
}

static void run_row(const struct sample *s, struct answer *out, char kind)
{
    const struct operand *x = &s->x[0];
    const int last = x->shape.rank - 1;
    const int64_t n = x->shape.dim[last];
    give(out, x->type, kind == 'e' ? folded(s, last, last + 1) : x->shape);
    for (int64_t i = 0; i < washi_size(out->shape); i++) {
        const int64_t row = kind == 'e' ? i : i / n;
        const double whole = row_log_sum(x, row, n);
        const double v = kind == 'e' ? 0 : get(x->type, x->data, (size_t)i);
        out->v[i] = kind == 'e' ? whole : kind == 'l' ? v - whole : exp(v - whole);
        out->size[i] = kind == 's' ? 4 * out->v[i] : fabs(whole) + 4;
    }
}

static void r_softmax(const struct sample *s, struct answer *out) { run_row(s, out, 's'); }
static void r_log_softmax(const struct sample *s, struct answer *out) { run_row(s, out, 'l'); }
static void r_logsumexp(const struct sample *s, struct answer *out) { run_row(s, out, 'e'); }

/* -- products -- */

static void r_matmul(const struct sample *s, struct answer *out)
{
    const struct operand *a = &s->x[0], *b = &s->x[1];
    const int ra = a->shape.rank, rb = b->shape.rank, rank = ra > rb ? ra : rb;
    washi_shape y = {.rank = rank};
    for (int k = 0; k < rank - 2; k++) {
        const int64_t da = k < rank - ra ? 1 : a->shape.dim[k - rank + ra];
        const int64_t db = k < rank - rb ? 1 : b->shape.dim[k - rank + rb];
        y.dim[k] = da == 1 ? db : da;
    }
    y.dim[rank - 2] = a->shape.dim[ra - 2];
    y.dim[rank - 1] = b->shape.dim[rb - 1];
    give(out, a->type, y);
    for (int64_t i = 0; i < washi_size(y); i++)
        for (int64_t p = 0; p < a->shape.dim[ra - 1]; p++) {
            int64_t at[WASHI_MAX_RANK], in_a[WASHI_MAX_RANK], in_b[WASHI_MAX_RANK];
            unravel(y, i, at);
            for (int k = 0; k < ra; k++) in_a[k] = a->shape.dim[k] == 1 ? 0 : at[k + rank - ra];
            for (int k = 0; k < rb; k++) in_b[k] = b->shape.dim[k] == 1 ? 0 : at[k + rank - rb];
            in_a[ra - 1] = in_b[rb - 2] = p;
            add_term(out, i, item(a, in_a) * item(b, in_b));
        }
}

/* -- indices -- */

/* From a place in take's result to that in the whole, `whole` being its shape. */
static int64_t in_whole(const struct sample *s, washi_shape whole, const int64_t at[])
{
    const struct operand *indices = &s->x[1];
    const int axis = s->attr.axis, more = indices->shape.rank;
    int64_t from[WASHI_MAX_RANK];
    for (int k = 0; k < whole.rank; k++)
        from[k] = k < axis ? at[k] : at[k + more - 1 < 0 ? 0 : k + more - 1];
    from[axis] = (int64_t)item(indices, at + axis);
    return ravel(whole, from);
}

static double taken(const struct sample *s, const int64_t at[], int64_t i)
{
    (void)i;
    return get(s->x[0].type, s->x[0].data, (size_t)in_whole(s, s->x[0].shape, at));
}

static void r_take(const struct sample *s, struct answer *out)
{
    const washi_shape x = s->x[0].shape, indices = s->x[1].shape;
    washi_shape y = {.rank = x.rank - 1 + indices.rank};
    int to = 0;
    for (int k = 0; k < s->attr.axis; k++) y.dim[to++] = x.dim[k];
    for (int k = 0; k < indices.rank; k++) y.dim[to++] = indices.dim[k];
    for (int k = s->attr.axis + 1; k < x.rank; k++) y.dim[to++] = x.dim[k];
    give(out, s->x[0].type, y);
    each(out, s, taken);
}

static void r_scatter(const struct sample *s, struct answer *out)
{
    const washi_shape x = s->x[0].shape;
    const int axis = s->attr.axis, more = s->x[1].shape.rank;
    washi_shape y = {.rank = x.rank + 1 - more};
    for (int k = 0; k < y.rank; k++)
        y.dim[k] = k < axis ? x.dim[k] : k == axis ? s->attr.end : x.dim[k + more - 1];
    give(out, s->x[0].type, y);
    for (int64_t i = 0; i < washi_size(x); i++) {
        int64_t at[WASHI_MAX_RANK];
        unravel(x, i, at);
        add_term(out, in_whole(s, y, at), get(s->x[0].type, s->x[0].data, (size_t)i));
    }
}

static double hot(const struct sample *s, const int64_t at[], int64_t i)
{
    (void)i;
    return item(&s->x[0], at) == (double)at[s->x[0].shape.rank];
}

static void r_one_hot(const struct sample *s, struct answer *out)
{
    washi_shape y = s->x[0].shape;
    y.dim[y.rank++] = s->attr.end;
    give(out, s->attr.type, y);
    each(out, s, hot);
}

static const struct reference references[] = {
    {"sum", r_sum},
    {"sum_squares", r_sum_squares},
    {"prod", r_prod},
    {"max", r_max},
    {"min", r_min},
    {"argmax", r_argmax},
    {"argmin", r_argmin},
    {"softmax", r_softmax},
    {"log_softmax", r_log_softmax},
    {"logsumexp", r_logsumexp},
    {"matmul", r_matmul},
    {"take", r_take},
    {"scatter", r_scatter},
    {"one_hot", r_one_hot},
    {NULL, NULL},
};

static const struct reference *const lists[] = {references, movement_references, along_references,
                                                random_references};

bool plain_answer(const struct sample *s, struct answer *out)
{
    *out = (struct answer){0};
    if (plain_element(s->op->name, NULL, NULL, NULL)) run_elementwise(s, out);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (const struct reference *r = lists[i]; r->name; r++)
            if (!strcmp(r->name, s->op->name)) r->run(s, out);
    return out->v != NULL;
}

void free_answer(struct answer *a)
{
    free(a->v);
    free(a->size);
    *a = (struct answer){0};
}
