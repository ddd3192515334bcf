/* test_nn_init.c: first values: moments, bounds, orthogonality, and the same bits at every CPU level.
 */
#include "test_nn.h"

/* -- distributions ------------------------------------------------------------------------------ */

/* Of fans 300 and 200 (a window of 2, by 150, by 100): the standard deviation, and the largest value
 * there can be, by Keras' documentation; and the share of values within half of that, which tells the
 * distributions apart: uniform 1/2, a normal one cut off at two deviations erf(1/sqrt 2) / erf(sqrt 2).
 */
#define CUT 0.87962566103423978
static const struct distribution {
    const char *name;
    washi_init_fn *init;
    double deviation, most, inside;
} distributions[] = {
    {"random_normal", washi_random_normal, 0.05, INFINITY, 1},
    {"random_uniform", washi_random_uniform, 0.028867513459481288, 0.05, 0.5},
    {"truncated_normal", washi_truncated_normal, 0.05 * CUT, 0.1, 0.7152338},
    {"glorot_uniform", washi_glorot_uniform, 0.063245553203367586, 0.10954451150103323, 0.5},
    {"glorot_normal", washi_glorot_normal, 0.063245553203367586, 0.14380107711327, 0.7152338},
    {"he_uniform", washi_he_uniform, 0.081649658092772603, 0.14142135623730951, 0.5},
    {"he_normal", washi_he_normal, 0.081649658092772603, 0.18564639, 0.7152338},
    {"lecun_uniform", washi_lecun_uniform, 0.057735026918962576, 0.1, 0.5},
    {"lecun_normal", washi_lecun_normal, 0.057735026918962576, 0.13127182, 0.7152338},
};
enum { KINDS = sizeof distributions / sizeof *distributions, VALUES = 2 * 150 * 100 };
static const washi_shape window = {3, {2, 150, 100}};

START_TEST(moments)
{
    const struct distribution *d = &distributions[_i];
    float x[VALUES];
    double sum = 0, squares = 0, cubes = 0, largest = 0;
    int inside = 0;
    ok(d->init(w, window, 7, x));
    for (int i = 0; i < VALUES; i++) {
        sum += x[i];
        squares += (double)x[i] * x[i];
        cubes += (double)x[i] * x[i] * x[i];
        largest = fmax(largest, fabs(x[i]));
        inside += fabs(x[i]) <= d->most / 2;
    }
    const double share = 1 / sqrt(VALUES);
    near(sum / VALUES / d->deviation, 0, 5 * share);
    near(sqrt(squares / VALUES) / d->deviation, 1, 4 * share);
    near(cubes / VALUES / pow(d->deviation, 3), 0, 5 * sqrt(15) * share);
    near((double)inside / VALUES, d->inside, 5 * 0.5 * share);
    ck_assert_msg(largest <= d->most * (1 + 1e-6), "%s: %g", d->name, largest);
    if (isfinite(d->most)) ck_assert_msg(largest > 0.995 * d->most, "%s: %g", d->name, largest);
}
END_TEST

/* Shapes of few axes: a vector has its length as both fans, a scalar 1 and 1. */
START_TEST(fans)
{
    float x[4096];
    double largest = 0;
    ok(washi_he_uniform(w, SHAPE(4096), 7, x));
    for (int i = 0; i < 4096; i++) largest = fmax(largest, fabs(x[i]));
    near(largest / sqrt(6.0 / 4096), 0.999, 0.001001);
    ok(washi_lecun_normal(w, SCALAR, 7, x));
    ck_assert(x[0] != 0 && fabsf(x[0]) <= 2 / (float)CUT);
    float again[4096];
    ok(washi_glorot_normal(w, SHAPE(64, 64), 3, x)); /* equal fans: the same variance */
    ok(washi_lecun_normal(w, SHAPE(64, 64), 3, again));
    ck_assert_mem_eq(x, again, sizeof x);
}
END_TEST

/* Numbers depend on seed and stream alone, and the first ones not on how many follow. */
START_TEST(streams)
{
    washi_init_fn *init = distributions[_i].init;
    float x[VALUES], y[VALUES];
    ok(init(w, window, 7, x));
    ok(init(w, window, 7, y));
    ck_assert_mem_eq(x, y, sizeof x);
    ok(init(w, window, 8, y));
    ck_assert_mem_ne(x, y, sizeof x);
    washi *other;
    ok(washi_open(&other, &(washi_options){.seed = 2, .threads = 1}));
    ok(init(other, window, 7, y));
    ck_assert_mem_ne(x, y, sizeof x);
    washi_close(other);
    if (init != washi_random_normal && init != washi_random_uniform && init != washi_truncated_normal)
        return;
    ok(init(w, SHAPE(1001), 7, y));
    ck_assert_mem_eq(x, y, 1001 * sizeof *x);
}
END_TEST

/* -- constants ---------------------------------------------------------------------------------- */

static washi_status tenth(washi *c, washi_shape shape, uint64_t stream, float *out)
{
    (void)stream;
    return washi_init_constant(c, shape, 0.1, out);
}

static washi_tensor *constants(washi_scope *s, washi_tensor *x, const void *config)
{
    (void)config;
    washi_tensor *v = washi_weight(s, "v", (washi_weight_options){.shape = SHAPE(3), .init = tenth});
    return washi_mul(x, v);
}

START_TEST(constant)
{
    washi_model *m = washi_model_new(w, NULL, constants, NULL);
    ok(washi_model_build(m, WASHI_F32, SHAPE(3)));
    const float *v = washi_model_weight(m, 0).data;
    for (int i = 0; i < 3; i++) ck_assert(v[i] == 0.1f);
    washi_model_free(m);
    float x[4] = {9, 9, 9, 9};
    ok(washi_zeros(w, SHAPE(3), 0, x));
    ck_assert(x[0] == 0 && x[1] == 0 && x[2] == 0 && x[3] == 9);
    ok(washi_ones(w, SCALAR, 0, x));
    ck_assert(x[0] == 1 && x[1] == 0);
}
END_TEST

/* -- orthogonal --------------------------------------------------------------------------------- */

/* The columns of a matrix (or the rows, when they are fewer) are of length 1 and at right angles. */
static void is_orthogonal(const float *x, int rows, int columns)
{
    const bool tall = rows >= columns;
    const int n = tall ? columns : rows, m = tall ? rows : columns;
    const int step = tall ? columns : 1, next = tall ? 1 : columns;
    for (int a = 0; a < n; a++)
        for (int b = 0; b <= a; b++) {
            double sum = 0;
            for (int i = 0; i < m; i++)
                sum += (double)x[a * next + i * step] * (double)x[b * next + i * step];
            near(sum, a == b, 1e-7 * sqrt(m));
        }
}

START_TEST(orthogonality)
{
    static const int sizes[][2] = {{1, 1},   {2, 2},    {7, 3},  {3, 7},
                                   {64, 64}, {784, 10}, {1, 50}, {129, 65}};
    static float x[784 * 64];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int rows = sizes[i][0], columns = sizes[i][1];
        ok(washi_orthogonal(w, SHAPE(rows, columns), 5, x));
        is_orthogonal(x, rows, columns);
    }
    ok(washi_orthogonal(w, SHAPE(3, 4, 5), 5, x)); /* a matrix of 12 rows */
    is_orthogonal(x, 12, 5);
    ok(washi_orthogonal(w, SHAPE(0, 4), 5, x));
}
END_TEST

/* Each orthogonal matrix is as likely: an element of 3 x 3 is uniform in [-1, 1], as the height of a
 * point on the sphere is (Archimedes); the trace of a rotation or reflection has mean 0 and variance 1.
 */
START_TEST(every_orthogonal_matrix)
{
    enum { TRIES = 4000 };
    double corner = 0, squares = 0, trace = 0, traces = 0;
    int lower = 0, rotations = 0;
    for (int i = 0; i < TRIES; i++) {
        float q[9];
        ok(washi_orthogonal(w, SHAPE(3, 3), (uint64_t)i, q));
        const double t = (double)q[0] + q[4] + q[8];
        corner += q[8];
        squares += (double)q[8] * q[8];
        lower += q[8] < -0.5f;
        trace += t;
        traces += t * t;
        rotations += q[0] * (q[4] * q[8] - q[5] * q[7]) - q[1] * (q[3] * q[8] - q[5] * q[6]) +
                         q[2] * (q[3] * q[7] - q[4] * q[6]) >
                     0;
    }
    const double share = 1 / sqrt(TRIES);
    near(corner / TRIES, 0, 4 * share);
    near(squares / TRIES, 1 / 3.0, 2 * share);
    near((double)lower / TRIES, 0.25, 3 * share);
    near(trace / TRIES, 0, 4 * share);
    near(traces / TRIES, 1, 6 * share);
    near((double)rotations / TRIES, 0.5, 3 * share);
}
END_TEST

START_TEST(orthogonal_without_memory)
{
    float x[12];
    const size_t before = heap.blocks;
    heap.calls = 0;
    ok(washi_orthogonal(w, SHAPE(4, 3), 5, x));
    const long total = heap.calls;
    ck_assert_int_gt(total, 0);
    for (long i = 0; i < total; i++) {
        heap.calls = 0;
        heap.fail_at = i;
        fails(washi_orthogonal(w, SHAPE(4, 3), 5, x), WASHI_NO_MEMORY, "no memory");
        ck_assert_uint_eq(heap.blocks, before);
    }
    heap.fail_at = -1;
}
END_TEST

/* -- all of them -------------------------------------------------------------------------------- */

START_TEST(same_bits)
{
    struct settings s = open_settings();
    static float first[VALUES], x[VALUES];
    const washi_shape matrix = SHAPE(150, 40);
    for (int kind = 0; kind <= KINDS; kind++) {
        const bool last = kind == KINDS;
        washi_init_fn *init = last ? washi_orthogonal : distributions[kind].init;
        const washi_shape shape = last ? matrix : window;
        for (int i = 0; i < s.count; i++) {
            ok(init(s.w[i], shape, 11, i ? x : first));
            if (i)
                ck_assert_msg(!memcmp(x, first, bytes_of(shape, WASHI_F32)), "%s: %s",
                              last ? "orthogonal" : distributions[kind].name, s.name[i]);
        }
    }
    close_settings(&s);
}
END_TEST

START_TEST(mistakes)
{
    const washi_shape none = {.rank = -1}, many = {.rank = 9}, negative = SHAPE(3, -1);
    float x[4];
    for (int i = 0; i < KINDS; i++) {
        const struct distribution *d = &distributions[i];
        fails(d->init(w, none, 0, x), WASHI_BAD_SHAPE, d->name);
        fails(d->init(w, many, 0, x), WASHI_BAD_SHAPE, "is no shape");
        fails(d->init(w, negative, 0, x), WASHI_BAD_SHAPE, "[3,-1]");
        fails(d->init(NULL, SHAPE(2), 0, x), WASHI_MISUSE, "the context is NULL");
        fails(d->init(w, SHAPE(2), 0, NULL), WASHI_MISUSE, "the result is NULL");
        ok(d->init(w, SHAPE(0), 0, x));
    }
    fails(washi_orthogonal(w, SHAPE(4), 0, x), WASHI_BAD_SHAPE, "orthogonal: [4], two axes");
    fails(washi_orthogonal(NULL, SHAPE(4), 0, x), WASHI_MISUSE, "context");
    fails(washi_init_constant(w, none, 1, x), WASHI_BAD_SHAPE, "init_constant");
}
END_TEST

int main(void)
{
    TCase *all = CASE("nn_init", setup, teardown, fans, constant, orthogonality,
                      every_orthogonal_matrix, orthogonal_without_memory, same_bits, mistakes);
    tcase_add_loop_test(all, moments, 0, KINDS);
    tcase_add_loop_test(all, streams, 0, KINDS);
    return RUN_SUITE("nn_init", all);
}
