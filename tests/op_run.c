/* op_run.c: operands for an op, and one run of it with its derivatives. */
#include "ops.h"

#include "autodiff/program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- operands -- */

static const double specials[] = {
    0.0,   -0.0, (double)INFINITY, -(double)INFINITY, (double)NAN,   1e-40, -1e-45, 3e38,
    -3e38, 1.0,  0x1p-126,         2147483648.0,      -2147483904.0, 88.8,  -104.0, 255.5};
enum { SPECIALS = sizeof specials / sizeof *specials };

/* One number of the grid of `count` cells over (low, high), in cell `cell`, moved away from 0. */
static double in_cell(double low, double high, size_t cell, size_t count, uint64_t *seed)
{
    const double x = low + (high - low) * ((double)cell + between(seed, 0.3, 0.7)) / (double)count;
    return low < 0 ? x + copysign(0.05, x) : x;
}

static double drawn(double low, double high, size_t cell, size_t count, enum draw draw, uint64_t *seed)
{
    if (draw == DISTINCT) return in_cell(low, high, cell, count, seed);
    if (draw == SPREAD) return between(seed, low, high);
    if (draw == SPECIAL && below(seed, 3) == 0) return specials[below(seed, SPECIALS)];
    const double x = round(2 * between(seed, low, high)) / 2;
    return x > low ? x : (low + high) / 2;
}

void draw_operands(struct sample *s, double low, double high, int64_t index_end, enum draw draw,
                   uint64_t *seed)
{
    size_t count = 0, next = 0;
    for (int k = 0; k < s->n; k++) count += (size_t)washi_size(s->x[k].shape);
    size_t *cell = calloc(count + 1, sizeof *cell); /* a shuffled order of the grid's cells */
    ck_assert_ptr_nonnull(cell);
    for (size_t i = 0; i < count && draw == DISTINCT; i++) {
        const size_t j = (size_t)(next_bits(seed) % (i + 1));
        cell[i] = cell[j];
        cell[j] = i;
    }
    for (int k = 0; k < s->n; k++) {
        struct operand *x = &s->x[k];
        const size_t n = (size_t)washi_size(x->shape);
        if (!x->data) x->data = calloc(n + 1, washi_dtype_size(x->type));
        ck_assert_ptr_nonnull(x->data);
        for (size_t i = 0; i < n; i++, next++)
            if (x->type == WASHI_F32 || x->type == WASHI_F64)
                put(x->type, x->data, i, drawn(low, high, cell[next], count, draw, seed));
            else
                put(x->type, x->data, i, below(seed, index_end > 0 ? (int)index_end : 100));
    }
    free(cell);
}

struct sample table_sample(const struct wa_op *op, washi_dtype real, enum draw draw, uint64_t *seed)
{
    const struct wa_sample *from = &op->sample;
    ck_assert_msg(from->low < from->high || from->index_end > 0, "%s has no sample", op->name);
    struct sample s = {.op = op, .attr = from->attr, .n = op->arity < 0 ? MOST_OPERANDS : op->arity};
    for (int k = 0; k < s.n; k++) {
        const bool indices = from->index_end > 0 && k == s.n - 1;
        s.x[k] = (struct operand){.type = indices ? WASHI_I32 : real, .shape = from->x[k]};
    }
    draw_operands(&s, from->low, from->high, from->index_end, draw, seed);
    return s;
}

void free_sample(struct sample *s)
{
    for (int k = 0; k < s->n; k++) free(s->x[k].data);
}

/* -- a run -- */

static bool is_real(washi_dtype type) { return type == WASHI_F32 || type == WASHI_F64; }

static washi_tensor *weights_like(washi_tensor *y)
{
    uint64_t seed = 7;
    const size_t n = (size_t)washi_size(y->shape);
    void *u = calloc(n + 1, sizeof(double));
    ck_assert_ptr_nonnull(u);
    for (size_t i = 0; i < n; i++) put(y->type, u, i, between(&seed, -1, 1));
    washi_tensor *constant = washi_constant(y->tape, y->type, y->shape, u);
    free(u);
    return constant;
}

static void *copy_of(washi_tensor *y)
{
    const size_t bytes = bytes_of(y->shape, y->type);
    void *copy = malloc(bytes + 1);
    ck_assert(copy && (washi_data(y) || !bytes));
    if (bytes) memcpy(copy, washi_data(y), bytes);
    return copy;
}

static int most_tasks(const washi_program *p)
{
    int most = 0;
    for (int i = 0; i < p->step_count; i++)
        if (most < p->steps[i].tasks) most = p->steps[i].tasks;
    return most;
}

struct result run_sample(washi *w, const struct sample *s)
{
    washi_tape *t = washi_tape_new(w);
    washi_tensor *x[MOST_OPERANDS], *real[MOST_OPERANDS], *out[1 + MOST_OPERANDS];
    int reals = 0;
    for (int k = 0; k < s->n; k++) {
        x[k] = washi_input(t, s->x[k].type, s->x[k].shape);
        ck_assert_int_eq(washi_feed(x[k], s->x[k].data), WASHI_OK);
        if (is_real(s->x[k].type)) real[reals++] = x[k];
    }
    washi_tensor *y = wa_record(s->op, s->n, x, &s->attr);
    ck_assert_msg(y, "%s", washi_message());
    out[0] = y;
    if (is_real(y->type) && reals) {
        washi_tensor *u = weights_like(y);
        ck_assert_msg(!washi_vjp(1, &y, &u, reals, real, out + 1), "%s", washi_message());
    } else
        reals = 0;
    washi_program *p = washi_compile(t, 1 + reals, out);
    ck_assert_msg(p && washi_run(p) == WASHI_OK, "%s: %s", s->op->name, washi_message());

    struct result r = {.type = y->type, .shape = y->shape, .y = copy_of(y), .tasks = most_tasks(p)};
    for (int k = 0, i = 1; k < s->n && reals; k++) {
        if (!is_real(s->x[k].type)) continue;
        ck_assert(out[i]->type == s->x[k].type && same_shape(out[i]->shape, s->x[k].shape));
        r.dx[k] = copy_of(out[i++]);
    }
    washi_program_free(p);
    washi_tape_free(t);
    return r;
}

void free_result(const struct sample *s, struct result *r)
{
    free(r->y);
    for (int k = 0; k < s->n; k++) free(r->dx[k]);
}

/* -- comparison -- */

static void same(const struct sample *s, washi_dtype type, washi_shape shape, const void *a,
                 const void *b, const char *what, const char *where)
{
    const long i = first_difference(type, (size_t)washi_size(shape), a, b);
    ck_assert_msg(i < 0, "%s of %s %s, %s: element %ld is %.17g, not %.17g", what, s->op->name,
                  text_of(s->x[0].shape), where, i, get(type, a, (size_t)i), get(type, b, (size_t)i));
}

void same_bits(const struct sample *s, const struct result *a, const struct result *b,
               const char *where)
{
    ck_assert(a->type == b->type && same_shape(a->shape, b->shape));
    same(s, a->type, a->shape, a->y, b->y, "value", where);
    for (int k = 0; k < s->n; k++)
        if (a->dx[k]) same(s, s->x[k].type, s->x[k].shape, a->dx[k], b->dx[k], "gradient", where);
}

void near_plain(const struct sample *s, const struct result *r)
{
    struct answer want;
    ck_assert_msg(plain_answer(s, &want), "%s has no plain reference", s->op->name);
    ck_assert_msg(same_shape(r->shape, want.shape), "%s: shape %s, not %s", s->op->name,
                  text_of(r->shape), text_of(want.shape));
    ck_assert_int_eq(r->type, want.type);
    const double rounding = (r->type == WASHI_F32 ? 0x1p-24 : r->type == WASHI_F64 ? 0x1p-53 : 0) * 16;
    for (size_t i = 0; i < (size_t)washi_size(want.shape); i++) {
        const double v = get(r->type, r->y, i), e = want.v[i];
        const bool good = isfinite(e) ? fabs(v - e) <= rounding * want.size[i]
                          : isnan(e)  ? isnan(v)
                                      : !(v < e || v > e);
        if (!good) /* a ck_assert that holds costs a message to Check's parent process */
            ck_abort_msg("%s %s of %s: element %zu is %.17g, not %.17g", s->op->name,
                         text_of(s->x[0].shape), washi_dtype_name(s->x[0].type), i, v, e);
    }
    free_answer(&want);
}
