/* composed_random.c: random numbers on the tape: what they are a function of, and how they are
 * distributed. */
#include "composed.h"

#include <math.h>
#include <string.h>

static washi_tensor *draw(int32_t d) { return i32(SCALAR, &d); }

START_TEST(uniform_is_what_fill_gives)
{
    static float wanted[1000];
    for (int32_t d = -1; d <= 3; d += 2) {
        washi_tensor *y = washi_uniform(t, WASHI_F32, SHAPE(10, 100), 42, draw(d));
        ok(washi_eval(1, &y));
        ok(washi_fill_uniform(w, 42, (uint64_t)(uint32_t)d << 32, 1000, wanted));
        ck_assert_mem_eq(washi_f32(y), wanted, sizeof wanted);
    }
    washi_tensor *none = washi_uniform(t, WASHI_F32, SHAPE(7), 42, NULL);
    ok(washi_eval(1, &none));
    ok(washi_fill_uniform(w, 42, 0, 7, wanted));
    ck_assert_mem_eq(washi_f32(none), wanted, 7 * sizeof *wanted);
}
END_TEST

START_TEST(normal_is_what_fill_gives)
{
    static float wanted[1000];
    washi_tensor *y = washi_normal(t, WASHI_F32, SHAPE(1000), 42, draw(3)),
                 *d = washi_normal(t, WASHI_F64, SHAPE(20000), 42, draw(3));
    ok(washi_eval(2, (washi_tensor *[]){y, d}));
    ok(washi_fill_normal(w, 42, (uint64_t)3 << 32, 1000, wanted));
    ck_assert_mem_eq(washi_f32(y), wanted, sizeof wanted);
    double power[5] = {0};
    for (int i = 0; i < 20000; i++)
        for (int k = 1; k < 5; k++) power[k] += pow(element(d, i), k) / 20000;
    ck_assert(fabs(power[1]) < 0.03 && fabs(power[2] - 1) < 0.04 && fabs(power[3]) < 0.11 &&
              fabs(power[4] - 3) < 0.3);
}
END_TEST

/* Element i from words 2i and 2i+1 of the draw. */
START_TEST(uniform_in_double_has_53_bits)
{
    uint32_t word[600];
    washi_tensor *y = washi_uniform(t, WASHI_F64, SHAPE(300), 9, draw(5));
    ok(washi_eval(1, &y));
    ok(washi_fill_bits(w, 9, (uint64_t)5 << 33, 600, word));
    for (int i = 0; i < 300; i++)
        ck_assert_double_eq(element(y, i), ldexp((double)(word[2 * i] >> 5), -27) +
                                               ldexp((double)(word[2 * i + 1] >> 6), -53));
}
END_TEST

START_TEST(seed_stream_draw_and_index_decide)
{
    washi_tensor *a = washi_uniform(t, WASHI_F32, SHAPE(5), 1, draw(2)),
                 *longer = washi_uniform(t, WASHI_F32, SHAPE(2, 6), 1, draw(2)),
                 *other_stream = washi_uniform(t, WASHI_F32, SHAPE(5), 2, draw(2)),
                 *other_draw = washi_uniform(t, WASHI_F32, SHAPE(5), 1, draw(3));
    ok(washi_eval(4, (washi_tensor *[]){a, longer, other_stream, other_draw}));
    ck_assert_mem_eq(washi_f32(a), washi_f32(longer), 5 * sizeof(float));
    ck_assert_mem_ne(washi_f32(a), washi_f32(other_stream), 5 * sizeof(float));
    ck_assert_mem_ne(washi_f32(a), washi_f32(other_draw), 5 * sizeof(float));
    washi *seeded;
    ok(washi_open(&seeded, &(washi_options){.seed = 2}));
    washi_tape *tape = washi_tape_new(seeded);
    washi_tensor *y = washi_uniform(tape, WASHI_F32, SHAPE(5), 1, NULL);
    washi_tensor *here = washi_uniform(t, WASHI_F32, SHAPE(5), 1, NULL);
    ok(washi_eval(1, &y));
    ok(washi_eval(1, &here));
    ck_assert_mem_ne(washi_f32(here), washi_f32(y), 5 * sizeof(float));
    washi_tape_free(tape);
    washi_close(seeded);
}
END_TEST

START_TEST(bernoulli_has_its_probability)
{
    static const double probabilities[] = {0, 0.1, 0.5, 0.875, 1};
    enum { N = 40000 };
    for (int k = 0; k < 10; k++) {
        const double p = probabilities[k % 5];
        washi_tensor *y = washi_bernoulli(t, k < 5 ? WASHI_F32 : WASHI_F64, SHAPE(N), p, 3, NULL);
        ok(washi_eval(1, &y));
        double sum = 0;
        for (int i = 0; i < N; i++) {
            const double v = k < 5 ? (double)washi_f32(y)[i] : washi_f64(y)[i];
            if (v < 0 || v > 1 || (v > 0 && v < 1)) ck_abort_msg("%g", v);
            sum += v;
        }
        ck_assert_double_le(fabs(sum / N - p), 4 * sqrt(p * (1 - p) / N));
    }
}
END_TEST

/* Dropout's need: other numbers in every run of one program, the same ones when the counter goes back.
 */
START_TEST(a_counter_moves_the_draw_on)
{
    int32_t counter = INT32_MAX - 2;
    float run[4][64];
    washi_tensor *d = washi_variable(t, WASHI_I32, SCALAR, &counter);
    washi_tensor *y = washi_bernoulli(t, WASHI_F32, SHAPE(64), 0.5, 11, d);
    ok(washi_assign(d, washi_shift(d, 1)));
    washi_program *p = compiled(1, &y);
    counter = 0;
    for (int i = 0; i < 4; i++) {
        if (i == 3) counter = 1;
        ok(washi_run(p));
        memcpy(run[i], washi_f32(y), sizeof run[i]);
        ck_assert_int_eq(counter, i == 3 ? 2 : i + 1);
    }
    ck_assert_mem_ne(run[0], run[1], sizeof run[0]);
    ck_assert_mem_ne(run[1], run[2], sizeof run[0]);
    ck_assert_mem_eq(run[1], run[3], sizeof run[0]);
    washi_program_free(p);
}
END_TEST

START_TEST(integers_add_subtract_and_multiply)
{
    const int32_t a[] = {1, -7, INT32_MAX, INT32_MIN, 65536, 123456}, b[] = {2, 3, 1, 1, 65536, -7890};
    washi_tensor *x = i32(SHAPE(6), a), *y = i32(SHAPE(6), b);
    gives(washi_add(x, y), SHAPE(6), (double[]){3, -4, INT32_MAX, INT32_MIN + 1, 131072, 115566}, 0);
    gives(washi_sub(x, y), SHAPE(6), (double[]){-1, -10, INT32_MAX - 1, INT32_MIN, 0, 131346}, 0);
    gives(washi_mul(x, y), SHAPE(6), (double[]){2, -21, INT32_MAX, INT32_MIN, INT32_MAX, -974067840},
          0);
    ck_assert_int_eq(washi_dtype_of(washi_add(x, y)), WASHI_I32);
    refuses(WASHI_BAD_TYPE, "add: operand [6] of type i32: f32 or f64 wanted, cast it first",
            washi_add(x, washi_scalar(t, WASHI_F32, 1)));
}
END_TEST

START_TEST(permutations)
{
    static const int64_t sizes[] = {0, 1, 2, 5, 1000};
    for (size_t k = 0; k < 5; k++) {
        const int64_t n = sizes[k];
        bool seen[1000] = {false};
        washi_tensor *y = washi_permutation(t, n, 5, NULL);
        ok(washi_eval(1, &y));
        ck_assert(washi_dtype_of(y) == WASHI_I32 && washi_size(washi_shape_of(y)) == n);
        for (int64_t i = 0; i < n; i++) {
            const int at = (int)element(y, i);
            ck_assert(at >= 0 && at < n && !seen[at]);
            seen[at] = true;
        }
    }
}
END_TEST

/* All 24 orders of 4, in 2400 draws: chi-squared with 23 degrees of freedom is above 49.7 once in 1000.
 */
START_TEST(every_order_is_as_likely)
{
    int32_t d = 0;
    int count[256] = {0};
    double chi = 0;
    washi_tensor *v = washi_variable(t, WASHI_I32, SHAPE(1), &d), *y = washi_permutation(t, 4, 6, v);
    washi_program *p = washi_compile(t, 1, &y);
    for (d = 0; d < 2400; d++) {
        ok(washi_run(p));
        int code = 0;
        for (int i = 0; i < 4; i++) code = code * 4 + (int)element(y, i);
        count[code]++;
    }
    for (int code = 0; code < 256; code++)
        if (count[code]) chi += (count[code] - 100.0) * (count[code] - 100.0) / 100;
    int orders = 0;
    for (int code = 0; code < 256; code++) orders += count[code] > 0;
    ck_assert_int_eq(orders, 24);
    ck_assert_double_lt(chi, 49.7);
    washi_program_free(p);
}
END_TEST

START_TEST(refusals)
{
    refuses(WASHI_BAD_VALUE, "bernoulli: the probability is 1.5",
            washi_bernoulli(t, WASHI_F32, SHAPE(2), 1.5, 0, NULL));
    refuses(WASHI_BAD_VALUE, "bernoulli: the probability is nan",
            washi_bernoulli(t, WASHI_F32, SHAPE(2), (double)NAN, 0, NULL));
    ck_assert_ptr_null(washi_uniform(NULL, WASHI_F32, SHAPE(2), 0, NULL));
    ck_assert_str_eq(washi_message(), "uniform: the tape is NULL");
    washi_tape *other = washi_tape_new(w);
    refuses(WASHI_MISUSE, "permutation: the draw is on another tape",
            washi_permutation(t, 3, 0, washi_scalar(other, WASHI_I32, 0)));
    washi_tape_free(other);
}
END_TEST

TCase *random_case(void)
{
    return CASE("random", open_tape, close_tape, uniform_is_what_fill_gives, normal_is_what_fill_gives,
                uniform_in_double_has_53_bits, seed_stream_draw_and_index_decide,
                bernoulli_has_its_probability, a_counter_moves_the_draw_on,
                integers_add_subtract_and_multiply, permutations, every_order_is_as_likely, refusals);
}
