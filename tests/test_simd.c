/* test_simd.c: every kernel of every level this CPU can run gives the scalar level's bits, and touches
 * nothing outside its operands. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "test_simd.h"

static void run_map(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    s->map[c->index][c->type](c->n, y, x);
}
START_TEST(maps)
{
    for (int type = 0; type < WA_REALS; type++)
        for (size_t i = 0; i < SIZES; i++)
            for (size_t trial = 0; trial < (i < 68 ? PLACES : 3); trial++) {
                struct call c = {run_map,        wa_map_name((enum wa_map)_i), _i, type, type,
                                 .n = size_of(i)};
                c.inputs = wa_map_arity((enum wa_map)_i);
                c.in = c.out = c.n;
                c.in_place = trial % 5 == 4;
                check_call(&c, trial);
            }
}
END_TEST

static void run_fold_last(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    s->fold_last[c->index][c->type](c->rows, c->n, y, x[0]);
}
static void run_fold_first(const struct wa_simd *s, const struct call *c, void *y,
                           const void *const x[])
{
    const size_t half = c->rows / 2;
    s->fold_first[c->index][c->type](half, c->n, c->x_stride, false, y, x[0]);
    s->fold_first[c->index][c->type](c->rows - half, c->n, c->x_stride, true, y,
                                     (const char *)x[0] + half * c->x_stride * type_size[c->type]);
}
START_TEST(folds)
{
#define LAST(name)  "fold_last " #name,
#define FIRST(name) "fold_first " #name,
    static const char *const last[] = {WA_FOLDS(LAST)}, *const first[] = {WA_FOLDS(FIRST)};
    for (int type = 0; type < WA_REALS; type++)
        for (size_t i = 0; i < SIZES; i++)
            for (size_t trial = 0; trial < 12; trial++) {
                const size_t n = size_of(i), rows = n > 999 ? 1 + trial % 3 : trial;
                struct call c = {run_fold_last, last[_i], _i, type, type, 1,    rows * n,
                                 rows,          rows,     n,  0,    0,    false};
                check_call(&c, trial);
                c.run = run_fold_first;
                c.kernel = first[_i];
                c.x_stride = n + trial % 4;
                c.in = rows ? (rows - 1) * c.x_stride + n : 0;
                c.out = n;
                check_call(&c, trial);
            }
}
END_TEST

static void run_arg(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    (c->index ? s->argmin : s->argmax)[c->type](c->rows, c->n, y, x[0]);
}
START_TEST(args)
{
    for (int type = 0; type < WA_REALS; type++)
        for (size_t i = 1; i < SIZES; i++)
            for (size_t trial = 0; trial < 12; trial++) {
                const size_t n = size_of(i), rows = n > 999 ? 1 + trial % 3 : trial;
                struct call c = {run_arg, _i ? "argmin" : "argmax", _i, type, WA_I32, 1, .rows = rows,
                                 .n = n};
                c.in = rows * n;
                c.out = rows;
                check_call(&c, trial);
            }
}
END_TEST

/* A row of n that ends where an operand of rows * n does. */
static const char *last_row(const struct call *c, const void *x)
{
    return (const char *)x + (c->in - c->n) * type_size[c->type];
}

static void run_dot(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    s->dot[c->type](c->rows, c->n, y, x[0], x[1]);
}
static void run_moments(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    s->moments[c->type](c->rows, c->n, y, (char *)y + c->rows * type_size[c->type], x[0]);
}
static void run_normalize(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    const void *gain = c->index & 1 ? last_row(c, x[1]) : NULL,
               *bias = c->index & 2 ? last_row(c, x[2]) : NULL;
    s->normalize[c->type](c->rows, c->n, y, x[0], gain, bias, 1e-3);
}
START_TEST(statistics)
{
    for (int type = 0; type < WA_REALS; type++)
        for (size_t i = 0; i < SIZES; i++)
            for (size_t trial = 0; trial < 12; trial++) {
                const size_t n = size_of(i), rows = n > 999 ? 1 + trial % 3 : trial;
                struct call c = {run_dot, "dot", 0, type, type, 2,    rows * n,
                                 rows,    rows,  n, 0,    0,    false};
                check_call(&c, trial);
                c = (struct call){run_moments, "moments", 0, type, type, 1,    rows * n,
                                  2 * rows,    rows,      n, 0,    0,    false};
                check_call(&c, trial);
                const bool in_place = trial % 5 == 4;
                c = (struct call){run_normalize, "normalize", (int)trial % 4, type, type, 3,
                                  rows * n,      rows * n,    rows,           n,    0,    0,
                                  in_place};
                if (rows) check_call(&c, trial);
            }
}
END_TEST

/* Each operand whole, one row, one column or one number. */
static void run_stretch(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    const void *operands[2];
    size_t row[2], column[2];
    for (int i = 0; i < 2; i++) {
        const size_t form = (c->x_stride >> (2 * i)) & 3, size = type_size[c->type];
        const size_t used = form == 0 ? c->in : form == 1 ? c->n : form == 2 ? c->rows : 1;
        operands[i] = (const char *)x[i] + (c->in - used) * size;
        row[i] = form == 0 ? c->n : form == 2;
        column[i] = form < 2;
    }
    s->stretch[c->index][c->type](c->rows, c->n, y, operands, row, column);
}
START_TEST(stretches)
{
#define STRETCH(name) "stretch " #name,
    static const char *const name[] = {WA_STRETCHES(STRETCH)};
    for (int type = 0; type < WA_REALS; type++)
        for (size_t i = 1; i < 68; i++)
            for (size_t trial = 0; trial < 2 * PLACES; trial++) {
                const size_t rows = 1 + trial % 7;
                check_call(&(struct call){run_stretch, name[_i], _i, type, type, 2, rows * i, rows * i,
                                          rows, i, trial % 16, 0,
                                          trial % 16 % 4 == 0 && trial % 3 == 0},
                           trial);
            }
}
END_TEST

static void run_row(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    s->row[c->index][c->type](c->rows, c->n, y, x[0]);
}
static void run_row_pair(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    s->softmax_logsumexp[c->type](c->rows, c->n, y, (char *)y + c->rows * c->n * type_size[c->type],
                                  x[0]);
}
START_TEST(row_kernels)
{
    static const char *const name[] = {"softmax", "log_softmax", "logsumexp", "softmax_logsumexp"};
    for (int type = 0; type < WA_REALS; type++)
        for (size_t i = 0; i < SIZES; i++)
            for (size_t trial = 0; trial < 12; trial++) {
                const size_t n = size_of(i), rows = n > 999 ? 1 + trial % 3 : trial * trial;
                const bool pair = _i == WA_ROW_COUNT, one = pair || _i == WA_ROW_logsumexp;
                const size_t out = (_i == WA_ROW_logsumexp ? 0 : rows * n) + (one ? rows : 0);
                const bool in_place = !one && trial % 5 == 4;
                check_call(&(struct call){pair ? run_row_pair : run_row, name[_i], _i, type, type, 1,
                                          rows * n, out, rows, n, 0, 0, in_place},
                           trial);
            }
}
END_TEST

static void run_cast(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    s->cast[c->out_type][c->type](c->n, y, x[0]);
}
START_TEST(casts)
{
    static const char *const name[] = {"cast to f32", "cast to f64", "cast to i32", "cast to u8"};
    for (int type = 0; type < WA_TYPES; type++)
        for (size_t i = 0; i < SIZES; i++)
            for (size_t trial = 0; trial < (i < 68 ? PLACES : 3); trial++) {
                const size_t n = size_of(i);
                check_call(&(struct call){run_cast, name[_i], 0, type, _i, 1, n, n, 1, n, 0, 0, false},
                           trial);
            }
}
END_TEST

static void run_transpose(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    s->transpose[c->type](c->rows, c->n, y, c->y_stride, x[0], c->x_stride);
}
START_TEST(transposes)
{
    for (size_t rows = 0; rows < 68; rows++)
        for (size_t n = 0; n < 68; n++) {
            const size_t trial = rows * 31 + n;
            const size_t xs = n + trial % 3, ys = rows + trial % 4;
            check_call(&(struct call){run_transpose, "transpose", 0, _i, _i, 1,
                                      rows && n ? (rows - 1) * xs + n : 0,
                                      rows && n ? (n - 1) * ys + rows : 0, rows, n, xs, ys, false},
                       trial);
        }
    check_call(&(struct call){run_transpose, "transpose", 0, _i, _i, 1, 401 * 199, 401 * 199, 401, 199,
                              199, 401, false},
               1);
}
END_TEST

/* Index lists have an operand's place of their own. */
static const int32_t *indices(const struct call *c, size_t limit)
{
    int32_t *index = (int32_t *)(void *)place(2, c->rows * 4, 4, c->n + c->rows);
    for (size_t i = 0; i < c->rows; i++) index[i] = (int32_t)((bits64() >> 33) % limit);
    return index;
}
static void run_copy(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    const size_t column = c->index < 3 ? (size_t)c->index : 1, row = c->index == 3 ? 0 : c->x_stride;
    if (c->index == 4)
        s->copy[c->type](c->rows, c->n, y, c->y_stride, x[0], 1, c->rows);
    else
        s->copy[c->type](c->rows, c->n, y, c->y_stride, x[0], row, column);
}
static void run_gather(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    s->gather[c->type](c->rows, c->n, y, x[0], c->x_stride, indices(c, 9));
}
static void run_scatter_add(const struct wa_simd *s, const struct call *c, void *y,
                            const void *const x[])
{
    s->scatter_add[c->type](c->rows, c->n, y, c->y_stride, x[0], indices(c, 5));
}
START_TEST(movements)
{
    for (size_t n = 1; n < 68; n++)
        for (size_t trial = 0; trial < PLACES; trial++) {
            const size_t rows = 1 + trial % 11, xs = 2 * n + trial % 3, ys = n + trial % 4;
            struct call c = {run_copy,
                             "copy strided",
                             (int)trial % 5,
                             _i,
                             _i,
                             1,
                             (rows - 1) * xs + 2 * n - 1,
                             (rows - 1) * ys + n,
                             rows,
                             n,
                             xs,
                             ys,
                             false};
            check_call(&c, trial);
            c = (struct call){run_gather, "gather", 0, _i, _i, 1,    8 * xs + n,
                              rows * n,   rows,     n, xs, 0,  false};
            check_call(&c, trial);
            c = (struct call){run_scatter_add, "scatter_add", 0, _i, _i, 1,    rows * n,
                              4 * ys + n,      rows,          n, 0,  ys, false};
            if (_i < WA_REALS) check_call(&c, trial);
        }
}
END_TEST

static void run_random(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    (void)x;
    s->random[c->index](0x0123456789abcdef * (c->rows + 1), 77 + ((uint64_t)c->rows << 40), c->x_stride,
                        c->n, y);
}
START_TEST(randoms)
{
    static const char *const name[] = {"random bits", "random uniform", "random normal",
                                       "random uniform in double", "random normal in double"};
    const int type = _i < WA_RANDOM_uniform_f64 ? WA_F32 : WA_F64;
    const size_t first[] = {0, 4,
                            ((size_t)1 << 34) - 64}; /* the last one crosses the counter's low word */
    for (size_t i = 0; i < SIZES; i++)
        for (size_t trial = 0; trial < PLACES; trial++)
            check_call(&(struct call){run_random, name[_i], _i, type, type, 0, 0, size_of(i), trial,
                                      size_of(i), first[trial % 3], 0, false},
                       trial);
}
END_TEST

/* What all calls above gave, on every architecture and with every compiler. It changes with the bits of
 * a kernel, and with the calls. */
START_TEST(golden)
{
    ck_assert_msg(digest == 0x721c6af733d9ea98, "the scalar level's results have digest 0x%016llx",
                  (unsigned long long)digest);
}
END_TEST

int main(void)
{
    TCase *calls = tcase_create("calls");
    tcase_add_loop_test(calls, maps, 0, WA_MAP_COUNT);
    tcase_add_loop_test(calls, folds, 0, WA_FOLD_COUNT);
    tcase_add_loop_test(calls, args, 0, 2);
    tcase_add_test(calls, statistics);
    tcase_add_loop_test(calls, stretches, 0, WA_STRETCH_COUNT);
    tcase_add_loop_test(calls, row_kernels, 0, WA_ROW_COUNT + 1);
    tcase_add_loop_test(calls, casts, 0, WA_TYPES);
    tcase_add_loop_test(calls, transposes, 0, WA_TYPES);
    tcase_add_loop_test(calls, movements, 0, WA_TYPES);
    tcase_add_loop_test(calls, randoms, 0, WA_RANDOM_COUNT);
    tcase_add_test(calls, golden);
    return run_calls("simd", calls);
}
