/* op_shapes.c: every op over lengths from empty to several tiles, chunks and rows, odd ones above all,
 * and every elementwise op over pairs of shapes that broadcast; value against the plain answer,
 * gradients along a random direction against differences, float's against double's, and the same bits
 * at every level. */
#include "ops.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static washi *levels[LEVELS]; /* one thread each, scalar first */
static int level_count;

static void setup(void)
{
    level_count = 0;
    for (int i = 0; i < LEVELS; i++) {
        const char *why;
        washi *w = open_level(level_names[i], 1, &why);
        if (w) levels[level_count++] = w;
    }
    ck_assert_int_ge(level_count, 1);
}

static void teardown(void)
{
    for (int i = 0; i < level_count; i++) washi_close(levels[i]);
}

/* -- one sample -- */

/* Bits at all levels; returns scalar's result. */
static struct result at_all_levels(const struct sample *s)
{
    struct result first = run_sample(levels[0], s);
    near_plain(s, &first);
    for (int i = 1; i < level_count; i++) {
        struct result r = run_sample(levels[i], s);
        same_bits(s, &r, &first, washi_cpu(levels[i]));
        free_result(s, &r);
    }
    return first;
}

/* The loss whose gradients a result holds: the weights are drawn as run_sample draws them. */
static double loss_of(const struct sample *s, double step, double *const d[])
{
    struct sample moved = *s;
    double loss = 0;
    uint64_t seed = 7;
    for (int k = 0; k < s->n; k++) {
        const size_t n = (size_t)washi_size(s->x[k].shape);
        moved.x[k].data = malloc(n * washi_dtype_size(s->x[k].type) + 1);
        ck_assert_ptr_nonnull(moved.x[k].data);
        for (size_t i = 0; i < n; i++)
            put(s->x[k].type, moved.x[k].data, i,
                get(s->x[k].type, s->x[k].data, i) + (d[k] ? step * d[k][i] : 0));
    }
    struct result r = run_sample(levels[level_count - 1], &moved);
    for (size_t i = 0; i < (size_t)washi_size(r.shape); i++)
        loss += between(&seed, -1, 1) * get(r.type, r.y, i);
    free_result(&moved, &r);
    free_sample(&moved);
    return loss;
}

/* The slope of the loss along a random direction, from the gradients and from differences. */
static void check_slope(const struct sample *s, const struct result *r)
{
    uint64_t seed = 11;
    double *d[MOST_OPERANDS] = {NULL}, slope = 0, size = 0;
    for (int k = 0; k < s->n; k++) {
        const size_t n = (size_t)washi_size(s->x[k].shape);
        if (!r->dx[k]) continue;
        d[k] = malloc((n + 1) * sizeof(double));
        ck_assert_ptr_nonnull(d[k]);
        for (size_t i = 0; i < n; i++) {
            d[k][i] = between(&seed, -1, 1);
            slope += d[k][i] * get(WASHI_F64, r->dx[k], i);
            size += fabs(d[k][i] * get(WASHI_F64, r->dx[k], i));
        }
    }
    const double step = 1e-6, differences = (loss_of(s, step, d) - loss_of(s, -step, d)) / (2 * step);
    ck_assert_msg(isfinite(slope) && fabs(slope - differences) <= 1e-6 * (1 + size),
                  "%s %s: slope %.12g, by differences %.12g", s->op->name, text_of(s->x[0].shape),
                  slope, differences);
    for (int k = 0; k < s->n; k++) free(d[k]);
}

static void check_near(const struct sample *s, const struct result *f32, const struct result *f64)
{
    for (int k = 0; k < s->n; k++) {
        if (!f32->dx[k]) continue;
        for (size_t i = 0; i < (size_t)washi_size(s->x[k].shape); i++) {
            const double v = get(WASHI_F32, f32->dx[k], i), e = get(WASHI_F64, f64->dx[k], i);
            if (!(fabs(v - e) <= 2e-4 * (1 + fabs(e))))
                ck_abort_msg("gradient %d of %s %s: element %zu is %.9g, not %.9g", k, s->op->name,
                             text_of(s->x[0].shape), i, v, e);
        }
    }
}

static void check_zeros(const struct sample *s, const struct result *r)
{
    for (int k = 0; k < s->n; k++)
        for (size_t i = 0; r->dx[k] && i < (size_t)washi_size(s->x[k].shape); i++)
            if (fpclassify(get(s->x[k].type, r->dx[k], i)) != FP_ZERO)
                ck_abort_msg("%s passes a gradient", s->op->name);
}

/* A sample of these shapes in both real types: float's numbers are double's, rounded. */
static void check_sample(struct sample s, int64_t index_end, bool differences)
{
    const struct wa_sample *from = &s.op->sample;
    uint64_t seed = 17;
    draw_operands(&s, from->low, from->high, index_end, DISTINCT, &seed);
    struct sample f32 = s;
    for (int k = 0; k < s.n; k++) {
        const size_t n = (size_t)washi_size(s.x[k].shape);
        const bool real = s.x[k].type == WASHI_F64;
        if (real) f32.x[k].type = WASHI_F32;
        f32.x[k].data = malloc(n * sizeof(double) + 1);
        ck_assert_ptr_nonnull(f32.x[k].data);
        for (size_t i = 0; i < n; i++) {
            put(f32.x[k].type, f32.x[k].data, i, get(s.x[k].type, s.x[k].data, i));
            put(s.x[k].type, s.x[k].data, i, get(f32.x[k].type, f32.x[k].data, i));
        }
    }
    struct result r64 = at_all_levels(&s), r32 = at_all_levels(&f32);
    check_near(&f32, &r32, &r64);
    if (s.op->rule && differences && r64.type == WASHI_F64) check_slope(&s, &r64);
    if (!s.op->rule) check_zeros(&s, &r64);
    free_result(&s, &r64);
    free_result(&f32, &r32);
    free_sample(&s);
    free_sample(&f32);
}

/* -- lengths -- */

enum { N = -1, N2 = -2 }; /* stand for the length, and for two more */

/* Operands by length. op NULL: every elementwise op of as many operands. */
static const struct family {
    const char *op;
    int n;
    struct wa_sample sample;
} families[] = {
#define AXES(...)                                                                                      \
    {                                                                                                  \
        .rank = (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), .dim = { __VA_ARGS__ }      \
    }
    {NULL, 1, {.x = {AXES(N)}}},
    {NULL, 1, {.x = {AXES(3, N)}}},
    {NULL, 2, {.x = {AXES(N), AXES(N)}}},
    {NULL, 2, {.x = {AXES(N), AXES(1)}}},
    {NULL, 2, {.x = {AXES(3, 1), AXES(N)}}},
    {NULL, 2, {.x = {AXES(N, 3), AXES(3)}}},
    {NULL, 2, {.x = {AXES(N, 1), AXES(N, 3)}}},
    {NULL, 3, {.x = {AXES(N), AXES(N), AXES(N)}}},
    {NULL, 3, {.x = {AXES(1), AXES(N, 1), AXES(3)}}},
    {"sum", 1, {.x = {AXES(N)}, .attr = {.begin = 0, .end = 1}}},
    {"sum", 1, {.x = {AXES(N, 3)}, .attr = {.begin = 0, .end = 1}}},
    {"sum", 1, {.x = {AXES(3, N)}, .attr = {.begin = 1, .end = 2}}},
    {"sum", 1, {.x = {AXES(2, N, 2)}, .attr = {.begin = 0, .end = 3}}},
    {"sum", 1, {.x = {AXES(2, 3, N)}, .attr = {.begin = 0, .end = 2}}},
    {"max", 1, {.x = {AXES(N)}, .attr = {.begin = 0, .end = 1}}},
    {"max", 1, {.x = {AXES(N, 3)}, .attr = {.begin = 0, .end = 1}}},
    {"max", 1, {.x = {AXES(3, N)}, .attr = {.begin = 1, .end = 2}}},
    {"max", 1, {.x = {AXES(2, 3, N)}, .attr = {.begin = 0, .end = 2}}},
    {"min", 1, {.x = {AXES(N)}, .attr = {.begin = 0, .end = 1}}},
    {"min", 1, {.x = {AXES(3, N)}, .attr = {.begin = 1, .end = 2}}},
    {"min", 1, {.x = {AXES(2, 3, N)}, .attr = {.begin = 0, .end = 2}}},
    {"sum_squares", 1, {.x = {AXES(N)}, .attr = {.begin = 0, .end = 1}}},
    {"sum_squares", 1, {.x = {AXES(N, 3)}, .attr = {.begin = 0, .end = 1}}},
    {"sum_squares", 1, {.x = {AXES(3, N)}, .attr = {.begin = 1, .end = 2}}},
    {"prod", 1, {.x = {AXES(N)}, .attr = {.begin = 0, .end = 1}}},
    {"prod", 1, {.x = {AXES(N, 3)}, .attr = {.begin = 0, .end = 1}}},
    {"prod", 1, {.x = {AXES(3, N)}, .attr = {.begin = 1, .end = 2}}},
    {"prod", 1, {.x = {AXES(2, 3, N)}, .attr = {.begin = 0, .end = 2}}},
    {"argmin", 1, {.x = {AXES(3, N2)}}},
    {"argmin", 1, {.x = {AXES(N, 3)}}},
    {"argmax", 1, {.x = {AXES(3, N2)}}},
    {"argmax", 1, {.x = {AXES(N, 3)}}},
    {"softmax", 1, {.x = {AXES(3, N)}}},
    {"softmax", 1, {.x = {AXES(N, 3)}}},
    {"log_softmax", 1, {.x = {AXES(3, N)}}},
    {"log_softmax", 1, {.x = {AXES(N, 3)}}},
    {"logsumexp", 1, {.x = {AXES(3, N)}}},
    {"logsumexp", 1, {.x = {AXES(N, 3)}}},
    {"matmul", 2, {.x = {AXES(N, 3), AXES(3, 2)}}},
    {"matmul", 2, {.x = {AXES(2, N), AXES(N, 3)}}},
    {"matmul", 2, {.x = {AXES(3, 2), AXES(2, N)}}},
    {"matmul", 2, {.x = {AXES(2, 1, 1, N), AXES(3, N, 2)}}},
    {"reshape", 1, {.x = {AXES(2, N, 3)}, .attr.shape = AXES(3, 2, N)}},
    {"stop_gradient", 1, {.x = {AXES(N)}}},
    {"permute", 1, {.x = {AXES(3, N)}, .attr.shape = AXES(1, 0)}},
    {"permute", 1, {.x = {AXES(2, N, 3)}, .attr.shape = AXES(2, 0, 1)}},
    {"permute", 1, {.x = {AXES(N, 2, 2, 3)}, .attr.shape = AXES(2, 1, 0, 3)}},
    {"broadcast_to", 1, {.x = {AXES(N)}, .attr.shape = AXES(3, N)}},
    {"broadcast_to", 1, {.x = {AXES(3, 1)}, .attr.shape = AXES(2, 3, N)}},
    {"broadcast_to", 1, {.x = {AXES(1)}, .attr.shape = AXES(N)}},
    {"slice", 1, {.x = {AXES(N2)}, .attr = {.begin = 1, .end = N}}},
    {"slice", 1, {.x = {AXES(3, N)}, .attr = {.axis = 0, .begin = 1, .end = 3}}},
    {"slice", 1, {.x = {AXES(3, N2)}, .attr = {.axis = 1, .begin = 0, .end = N}}},
    {"slice", 1, {.x = {AXES(N2)}, .attr = {.begin = 1, .end = N, .step = 3}}},
    {"slice", 1, {.x = {AXES(3, N2)}, .attr = {.axis = 1, .begin = N, .end = 0, .step = -1}}},
    {"slice", 1, {.x = {AXES(3, N)}, .attr = {.axis = 0, .begin = 2, .end = 0, .step = -1}}},
    {"slice", 1, {.x = {AXES(N2, 2)}, .attr = {.begin = N, .end = 0, .step = -2}}},
    {"pad", 1, {.x = {AXES(N)}, .attr = {.begin = 2, .end = 1}}},
    {"pad", 1, {.x = {AXES(N)}, .attr = {.begin = 2, .end = 1, .step = 2}}},
    {"pad", 1, {.x = {AXES(3, N)}, .attr = {.axis = 0, .begin = 0, .end = 1, .step = 3}}},
    {"pad", 1, {.x = {AXES(2, N)}, .attr = {.axis = 0, .begin = 0, .end = 1}}},
    {"concat", 3, {.x = {AXES(N), AXES(1), AXES(N2)}}},
    {"concat", 3, {.x = {AXES(2, N), AXES(2, N2), AXES(2, 1)}, .attr.axis = 1}},
    {"concat", 3, {.x = {AXES(2, N), AXES(1, N), AXES(0, N)}}},
    {"take", 2, {.x = {AXES(N2, 3), AXES(5)}, .index_end = N2}},
    {"take", 2, {.x = {AXES(2, 4), AXES(N, 2)}, .attr.axis = 1, .index_end = 4}},
    {"take", 2, {.x = {AXES(N2), {0}}, .index_end = N2}},
    {"scatter", 2, {.x = {AXES(5, 3), AXES(5)}, .attr.end = N2, .index_end = N2}},
    {"scatter", 2, {.x = {AXES(2, N, 3), AXES(N)}, .attr = {.axis = 1, .end = 4}, .index_end = 4}},
    {"scatter", 2, {.x = {AXES(2, N), AXES(2)}, .attr = {.axis = 0, .end = 3}, .index_end = 3}},
    {"take_along", 2, {.x = {AXES(N2, 3), AXES(5, 3)}, .index_end = N2}},
    {"take_along", 2, {.x = {AXES(2, 4), AXES(2, N)}, .attr.axis = 1, .index_end = 4}},
    {"take_along", 2, {.x = {AXES(4, N), AXES(2, N)}, .attr.axis = 0, .index_end = 4}},
    {"put_along", 2, {.x = {AXES(5, 3), AXES(5, 3)}, .attr.end = N2, .index_end = N2}},
    {"put_along", 2, {.x = {AXES(2, N), AXES(2, N)}, .attr = {.axis = 1, .end = 4}, .index_end = 4}},
    {"put_along", 2, {.x = {AXES(3, N), AXES(3, N)}, .attr = {.axis = 0, .end = 2}, .index_end = 2}},
    {"ravel_index", 1, {.x = {AXES(N, 2)}, .attr.shape = AXES(3, 5), .index_end = 3}},
    {"ravel_index", 1, {.x = {AXES(1)}, .attr.shape = AXES(N2), .index_end = N2}},
    {"recurrence", 2, {.x = {AXES(N), AXES(N)}}},
    {"recurrence", 2, {.x = {AXES(3, N), AXES(3, N)}, .attr = {.axis = 1, .step = -1}}},
    {"recurrence", 2, {.x = {AXES(N, 3), AXES(N, 3)}, .attr = {.axis = 0, .step = -1}}},
    {"recurrence", 2, {.x = {{0}, AXES(2, N, 3)}, .attr.axis = 1}},
    {"one_hot", 1, {.x = {AXES(5)}, .attr = {.end = N2, .type = WASHI_F32}, .index_end = N2}},
    {"one_hot", 1, {.x = {AXES(N)}, .attr = {.end = 3, .type = WASHI_F64}, .index_end = 3}},
    {"cast", 1, {.x = {AXES(N)}, .attr.type = WASHI_F64}},
    {"uniform",
     1,
     {.x = {{0}}, .attr = {.shape = AXES(N), .begin = 3, .type = WASHI_F32}, .index_end = 9}},
    {"uniform", 1, {.x = {AXES(1)}, .attr = {.shape = AXES(3, N), .type = WASHI_F64}, .index_end = 9}},
    {"normal", 1, {.x = {{0}}, .attr = {.shape = AXES(N), .type = WASHI_F32}, .index_end = 9}},
    {"normal",
     1,
     {.x = {AXES(1)}, .attr = {.shape = AXES(3, N), .begin = 4, .type = WASHI_F64}, .index_end = 9}},
    {"permutation", 1, {.x = {{0}}, .attr = {.end = N, .begin = 3}, .index_end = 9}},
    {"cast", 1, {.x = {AXES(N)}, .attr.type = WASHI_F32}},
};
enum { FAMILIES = sizeof families / sizeof *families };

static int64_t at_length(int64_t size, int64_t n) { return size == N ? n : size == N2 ? n + 2 : size; }

static washi_shape shape_at(washi_shape s, int64_t n)
{
    for (int i = 0; i < s.rank; i++) s.dim[i] = at_length(s.dim[i], n);
    return s;
}

static bool belongs(const struct family *f, const struct wa_op *op)
{
    return f->op ? !strcmp(f->op, op->name) : op->fusion == WA_FUSE_MAP && f->n == op->arity;
}

static void check_length(const struct family *f, const struct wa_op *op, int64_t n, bool differences)
{
    struct sample s = {.op = op, .n = f->n, .attr = f->sample.attr};
    s.attr.shape = shape_at(s.attr.shape, n);
    s.attr.begin = at_length(s.attr.begin, n);
    s.attr.end = at_length(s.attr.end, n);
    if (f->op && !strcmp(op->name, "slice") && s.attr.step >= 0 && s.attr.end < s.attr.begin)
        s.attr.end = s.attr.begin;
    for (int k = 0; k < s.n; k++)
        s.x[k] = (struct operand){.type = f->sample.index_end && k == s.n - 1 ? WASHI_I32 : WASHI_F64,
                                  .shape = shape_at(f->sample.x[k], n)};
    check_sample(s, at_length(f->sample.index_end, n), differences);
}

START_TEST(lengths)
{
    static const int64_t some_long[] = {255, 256, 257, 1023, 1024, 1025, 4095, 4096, 4097, 5000};
    const struct wa_op *op = wa_ops[_i];
    const bool lean = getenv("WASHI_LEAN"); /* fewer lengths, under an emulator */
    int members = 0;
    for (int f = 0; f < FAMILIES && !op->source; f++) {
        if (!belongs(&families[f], op)) continue;
        members++;
        for (int64_t n = 0; n <= 67; n++)
            if (!lean || n < 6 || (n + 1) % 16 < 3)
                check_length(&families[f], op, n, n && (n < 20 || n % 16 < 2));
        for (size_t i = 0; i < sizeof some_long / sizeof *some_long; i += lean ? 4 : 1)
            check_length(&families[f], op, some_long[i], false);
    }
    ck_assert_msg(op->source || members, "%s has no lengths to be tested at", op->name);
}
END_TEST

/* -- pairs that broadcast -- */

START_TEST(broadcasting)
{
    static const washi_shape pairs[][2] = {
        {AXES(3, 1), AXES(5)},
        {AXES(5), AXES(3, 1)},
        {AXES(2, 1, 4), AXES(3, 1)},
        {AXES(3, 1), AXES(2, 1, 4)},
        {{0}, AXES(3, 5)},
        {AXES(3, 5), {0}},
        {{0}, {0}},
        {AXES(1), AXES(7)},
        {AXES(1, 1, 1), AXES(7)},
        {{0}, AXES(1, 1)},
        {AXES(0), AXES(1)},
        {AXES(1), AXES(0)},
        {AXES(0), {0}},
        {AXES(0, 1), AXES(1, 5)},
        {AXES(4, 0), AXES(1, 1)},
        {AXES(3, 1, 0), AXES(2, 1)},
        {AXES(2, 3, 4), AXES(2, 1, 4)},
        {AXES(2, 1, 3, 1, 2), AXES(4, 1, 5, 1)},
        {AXES(1, 2, 1, 2, 1, 2, 1, 2), AXES(2, 1, 2, 1, 2, 1, 2, 1)},
        {AXES(2, 2, 2, 2, 2, 2, 2, 2), AXES(1, 1, 2, 2, 1, 1, 2)},
        {AXES(7, 5000), AXES(7, 1)},
        {AXES(2000, 3), AXES(1, 3)},
        {AXES(2000, 3), AXES(2000, 1)},
        {AXES(5, 1, 300), AXES(1, 4, 300)},
    };
    const struct wa_op *op = wa_ops[_i];
    for (size_t i = 0; op->fusion == WA_FUSE_MAP && op->arity > 1 && i < sizeof pairs / sizeof *pairs;
         i++)
        for (int k = 0; k < op->arity; k++) { /* the operand that is the odd one */
            struct sample s = {.op = op, .n = op->arity};
            for (int j = 0; j < s.n; j++) s.x[j] = (struct operand){WASHI_F64, pairs[i][j == k], NULL};
            check_sample(s, 0, washi_size(pairs[i][0]) < 100);
        }
}
END_TEST

/* -- elements that are only moved -- */

static void check_typed(const struct family *f, const struct wa_op *op, washi_dtype type, int64_t n)
{
    struct sample s = {.op = op, .n = f->n, .attr = f->sample.attr};
    uint64_t seed = 23;
    s.attr.shape = shape_at(s.attr.shape, n);
    s.attr.begin = at_length(s.attr.begin, n);
    s.attr.end = at_length(s.attr.end, n);
    for (int k = 0; k < s.n; k++) s.x[k] = (struct operand){type, shape_at(f->sample.x[k], n), NULL};
    if (f->sample.index_end) s.x[s.n - 1].type = WASHI_I32;
    draw_operands(&s, -100, 300, at_length(f->sample.index_end, n), TIED, &seed);
    struct result r = at_all_levels(&s);
    free_result(&s, &r);
    free_sample(&s);
}

START_TEST(movement_of_every_type)
{
    static const char *const movers[] = {"reshape", "stop_gradient", "permute", "broadcast_to", "slice",
                                         "pad",     "concat",        "take",    "take_along"};
    for (size_t m = 0; m < sizeof movers / sizeof *movers; m++)
        for (int i = 0; wa_ops[i]; i++)
            for (int f = 0; f < FAMILIES && !strcmp(movers[m], wa_ops[i]->name); f++)
                for (int64_t n = 1; n < 80 && families[f].op && belongs(&families[f], wa_ops[i]);
                     n += 3) {
                    check_typed(&families[f], wa_ops[i], WASHI_U8, n);
                    check_typed(&families[f], wa_ops[i], WASHI_I32, n);
                }
}
END_TEST

START_TEST(cast_between_all_types)
{
    static const int64_t sizes[] = {0, 1, 7, 16, 33, 67, 1025};
    for (int from = 0; from < 4; from++)
        for (int to = 0; to < 4; to++)
            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
                uint64_t seed = 29;
                struct sample s = {.op = &wa_op_cast,
                                   .n = 1,
                                   .attr.type = (washi_dtype)to,
                                   .x = {{(washi_dtype)from, SHAPE(sizes[i]), NULL}}};
                draw_operands(&s, -300, 300, 0, SPECIAL, &seed);
                struct result r = at_all_levels(&s);
                free_result(&s, &r);
                free_sample(&s);
            }
}
END_TEST

TCase *shapes_case(void)
{
    int ops = 0;
    while (wa_ops[ops]) ops++;
    TCase *c = CASE("shapes", setup, teardown, movement_of_every_type, cast_between_all_types);
    tcase_set_timeout(c, 600);
    tcase_add_loop_test(c, lengths, 0, ops);
    tcase_add_loop_test(c, broadcasting, 0, ops);
    return c;
}
