/* tape_folds.c: folds in chunks of what is computed on the way: sizes about the edges of chunks, the
 * same bits at every CPU level and number of threads, fused or not, and those of the order that
 * docs/numerics.md tells. */
#include "tape.h"

#include <stdlib.h>
#include <string.h>

enum { ROW_CHUNK = 4096, COLUMN_CHUNK = 256, OUTPUTS = 3 };

/* x, y of [n, columns], a row, a column, and bytes of [n, columns]. */
enum { X, Y, ROW, COLUMN, BYTES, INPUTS };
/* Outputs; returns how many. */
typedef int formula_fn(washi_tensor *const in[], washi_tensor *out[]);

static int distance(washi_tensor *const in[], washi_tensor *out[])
{
    out[0] = washi_sum(washi_square(washi_sub(in[X], in[Y])), WASHI_ALL, false);
    return 1;
}

static int columns(washi_tensor *const in[], washi_tensor *out[])
{
    out[0] = washi_sum(washi_mul(in[X], in[Y]), 0, false);
    return 1;
}

/* With a gradient that reads what the folds read. */
static int loss(washi_tensor *const in[], washi_tensor *out[])
{
    washi_tensor *d = washi_sub(washi_tanh(in[X]), in[ROW]);
    out[0] = washi_mean(washi_square(d), WASHI_ALL, false);
    ok(washi_grad(out[0], 2, (washi_tensor *[]){in[X], in[ROW]}, out + 1));
    return 3;
}

static int bytes(washi_tensor *const in[], washi_tensor *out[])
{
    washi_tensor *x =
        washi_mul(washi_scale(washi_cast(in[BYTES], washi_dtype_of(in[X])), 0.01), in[ROW]);
    out[0] = washi_max(x, WASHI_ALL, false);
    out[1] = washi_min(washi_sub(x, in[COLUMN]), 0, false);
    return 2;
}

/* Two folds of one chain, one of which reads a value that is an output too. */
static int two(washi_tensor *const in[], washi_tensor *out[])
{
    out[0] = washi_mul(washi_sub(in[X], in[COLUMN]), in[Y]);
    out[1] = washi_norm(out[0], 0, false);
    out[2] = washi_prod(washi_shift(washi_scale(out[0], 1e-3), 1), 0, true);
    return 3;
}

/* A value that is an output too. */
static int stored(washi_tensor *const in[], washi_tensor *out[])
{
    out[0] = washi_sub(in[X], in[ROW]);
    out[1] = washi_sum(out[0], WASHI_ALL, false);
    return 2;
}

/* What needs its rows whole. */
static int whole_rows(washi_tensor *const in[], washi_tensor *out[])
{
    washi_tensor *d = washi_sub(in[X], washi_mean(in[X], -1, true));
    out[0] = washi_sum(washi_mul(d, in[Y]), 0, false);
    out[1] = washi_sum(washi_mul(washi_softmax(in[X]), in[Y]), WASHI_ALL, false);
    return 2;
}

/* Statistics of columns. */
static int statistics(washi_tensor *const in[], washi_tensor *out[])
{
    out[0] = washi_var(washi_mul(in[X], in[Y]), 0, false);
    out[1] = washi_sum(washi_mul(in[X], washi_rsqrt(washi_shift(out[0], 1))), -1, false);
    return 2;
}

/* Rows of two, four times as long, and in the middle. */
static int reshaped(washi_tensor *const in[], washi_tensor *out[])
{
    const washi_shape s = washi_shape_of(in[X]);
    washi_tensor *x = washi_reshape(washi_mul(in[X], in[ROW]), SHAPE(s.dim[1], s.dim[0]));
    out[0] = washi_sum(x, 1, false);
    out[1] = washi_sum(x, 0, false);
    x = washi_reshape(washi_add(in[Y], in[ROW]), SHAPE(1, s.dim[0], s.dim[1], 1));
    out[2] = washi_sum(x, 1, false);
    return 3;
}

enum { DISTANCE, COLUMNS, LOSS, OF_BYTES, TWO, STORED, WHOLE_ROWS, RESHAPED, STATISTICS, FORMULAS };
static const struct {
    const char *name;
    formula_fn *of;
} formulas[FORMULAS] = {[DISTANCE] = {"distance", distance},
                        [COLUMNS] = {"columns", columns},
                        [LOSS] = {"loss", loss},
                        [OF_BYTES] = {"bytes", bytes},
                        [TWO] = {"two", two},
                        [STORED] = {"stored", stored},
                        [WHOLE_ROWS] = {"whole rows", whole_rows},
                        [RESHAPED] = {"reshaped", reshaped},
                        [STATISTICS] = {"statistics", statistics}};

/* Rows and columns. On several threads only folds of 30000 elements or more take others with them. */
static const int64_t sizes[][2] = {
    {0, 5},     {5, 0},     {1, 1},    {255, 130}, {256, 130}, {257, 130},  {513, 66},  {1, 4095},
    {1, 4096},  {1, 4097},  {3, 1365}, {64, 64},   {8, 4096},  {8, 4097},   {7, 9001},  {1, 32767},
    {1, 32769}, {2049, 16}, {4096, 9}, {4097, 9},  {32, 1024}, {300, 2500}, {33000, 1}, {1030, 37}};

/* -- the order -- */

/* The sum of n numbers, stride apart, in chunks; x is lost. */
static float sum_of(size_t n, size_t stride, float *x)
{
    const size_t chunk = stride == 1 ? ROW_CHUNK : COLUMN_CHUNK;
    for (size_t chunks = 0; n > 1 || !chunks; n = chunks) {
        chunks = 0;
        for (size_t i = 0; i < n || !chunks; i += chunk) {
            const size_t m = n - i < chunk ? n - i : chunk;
            float sum = 0;
            for (size_t k = 0; k < m && stride > 1; k++) sum += x[(i + k) * stride];
            x[chunks++ * stride] = stride > 1 ? sum : lanes_sum(m, x + i);
        }
    }
    return n ? x[0] : 0;
}

/* Of DISTANCE and COLUMNS. */
static void check_order(int f, int64_t rows, int64_t columns, const float *x, const float *y,
                        const float *out)
{
    const size_t n = (size_t)(rows * columns);
    float *made = malloc((n + (size_t)columns + 1) * sizeof *made);
    ck_assert_ptr_nonnull(made);
    for (size_t i = 0; i < n; i++) made[i] = f == COLUMNS ? x[i] * y[i] : (x[i] - y[i]) * (x[i] - y[i]);
    if (f == COLUMNS && columns > 1) {
        for (int64_t j = 0; j < columns; j++)
            ck_assert_float_eq(out[j], rows ? sum_of((size_t)rows, (size_t)columns, made + j) : 0);
    } else if (n || f == DISTANCE)
        ck_assert_float_eq(out[0], n ? sum_of(n, 1, made) : 0);
    free(made);
}

/* -- every setting -- */

struct values {
    washi_shape shape[OUTPUTS];
    void *data[OUTPUTS];
    int n;
};

static struct values evaluate(washi *by, formula_fn *of, washi_dtype type, const int64_t size[2],
                              void *const data[])
{
    washi_tape *tape = washi_tape_new(by);
    const washi_shape shape[INPUTS] = {SHAPE(size[0], size[1]), SHAPE(size[0], size[1]), SHAPE(size[1]),
                                       SHAPE(size[0], 1), SHAPE(size[0], size[1])};
    washi_tensor *in[INPUTS], *out[OUTPUTS];
    for (int i = 0; i < INPUTS; i++) {
        in[i] = washi_input(tape, i == BYTES ? WASHI_U8 : type, shape[i]);
        ok(washi_feed(in[i], data[i]));
    }
    struct values v = {.n = of(in, out)};
    ok(washi_eval(v.n, out));
    for (int i = 0; i < v.n; i++) {
        v.shape[i] = washi_shape_of(out[i]);
        const size_t bytes = bytes_of(v.shape[i], type);
        v.data[i] = malloc(bytes + 1);
        ck_assert_ptr_nonnull(v.data[i]);
        if (bytes) memcpy(v.data[i], washi_data(out[i]), bytes);
    }
    washi_tape_free(tape);
    return v;
}

static void drop(struct values *v)
{
    for (int i = 0; i < v->n; i++) free(v->data[i]);
}

/* In all settings from this one on. */
static void check(const struct settings *set, int from, int f, washi_dtype type, const int64_t size[2])
{
    const size_t n = (size_t)(size[0] * size[1] + size[0] + size[1]);
    void *data[INPUTS];
    uint64_t seed = n;
    for (int k = 0; k < INPUTS; k++) {
        data[k] = malloc((n + 1) * sizeof(double));
        ck_assert_ptr_nonnull(data[k]);
        for (size_t i = 0; i < n; i++)
            put(k == BYTES ? WASHI_U8 : type, data[k], i,
                k == BYTES ? below(&seed, 256) : between(&seed, -1, 1));
    }
    struct values first = evaluate(set->w[from], formulas[f].of, type, size, data);
    if (f <= COLUMNS && type == WASHI_F32)
        check_order(f, size[0], size[1], data[X], data[Y], first.data[0]);
    for (int s = from + 1; s < set->count; s++) {
        struct values v = evaluate(set->w[s], formulas[f].of, type, size, data);
        for (int i = 0; i < v.n; i++) {
            const long at =
                first_difference(type, (size_t)washi_size(v.shape[i]), first.data[i], v.data[i]);
            ck_assert_msg(at < 0, "%s of [%d,%d], %s: output %d differs at %ld by %s", formulas[f].name,
                          (int)size[0], (int)size[1], washi_dtype_name(type), i, at, set->name[s]);
        }
        drop(&v);
    }
    drop(&first);
    for (int k = 0; k < INPUTS; k++) free(data[k]);
}

START_TEST(the_order_in_every_setting)
{
    struct settings set = open_settings();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int type = WASHI_F32; type <= WASHI_F64; type++)
            check(&set, 0, _i, (washi_dtype)type, sizes[i]);
    close_settings(&set);
}
END_TEST

/* 32 MiB and more go past the caches, and are folded all the same. At the best level. */
START_TEST(large_results_that_are_folded)
{
    struct settings set = open_settings();
    check(&set, set.count - 5, STORED, WASHI_F32, (int64_t[]){28000, 300});
    close_settings(&set);
}
END_TEST

TCase *folds_case(void)
{
    TCase *c = tcase_create("folds");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, large_results_that_are_folded);
    tcase_add_loop_test(c, the_order_in_every_setting, 0, FORMULAS);
    return c;
}
