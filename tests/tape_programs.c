/* tape_programs.c: compiling and running through the public header: what is pruned and shared, inputs
 * fed again, variables read anew, the caller's threads. */
#include "tape.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* -- pruning, sharing -- */

START_TEST(unused_and_equal_nodes_go)
{
    double data[3] = {1, 2, 3};
    washi_tensor *x = fed(SHAPE(3), data), *unused = washi_log(washi_tanh(x));
    washi_tensor *a = washi_exp(washi_add(x, number(1))), *b = washi_exp(washi_add(x, number(1)));
    washi_tensor *y = washi_mul(a, b), *other = washi_exp(washi_add(x, number(2)));
    washi_program *p = compiled(1, &y), *q = compiled(2, (washi_tensor *[]){y, other});
    ck_assert_int_eq(dumped(p, "exp"), 1);
    ck_assert_int_eq(dumped(p, "add"), 1);
    ck_assert_int_eq(dumped(p, "mul"), 1);
    ck_assert_int_eq(dumped(p, "log"), 0);
    ck_assert_int_eq(dumped(q, "exp"), 2);
    ck_assert_int_eq(dumped(q, "add"), 2);
    ok(washi_run(p));
    for (int i = 0; i < 3; i++) ck_assert_double_eq_tol(element(y, i), exp(2 * (data[i] + 1)), 1e-11);
    ck_assert(!washi_data(unused) && !washi_data(a));
    washi_program_free(p);
    washi_program_free(q);
}
END_TEST

/* -0 tells x + 0 from x. */
START_TEST(what_changes_no_bit_goes)
{
    double data[3] = {-0.0, 0, 3};
    washi_tensor *x = fed(SHAPE(3), data);
    washi_tensor *same[] = {washi_mul(x, number(1)),    washi_mul(number(1), x),
                            washi_div(x, number(1)),    washi_sub(x, number(0)),
                            washi_add(x, number(-0.0)), washi_neg(washi_neg(x)),
                            washi_cast(x, WASHI_F64)};
    enum { SAME = sizeof same / sizeof *same };
    washi_program *p = compiled(SAME, same);
    ck_assert_int_eq(dumped(p, "<-"), 0);
    ok(washi_run(p));
    for (int i = 0; i < SAME; i++) ck_assert_mem_eq(washi_data(same[i]), data, sizeof data);
    washi_program_free(p);
    washi_tensor *other[] = {washi_add(x, number(0)), washi_sub(x, number(-0.0)),
                             washi_mul(x, number(-1)), washi_div(number(1), x),
                             washi_mul(x, vector(3, (double[]){1, 1, 1.5}))};
    p = compiled(5, other);
    ck_assert_int_eq(dumped(p, "add") + dumped(p, "sub") + dumped(p, "mul") + dumped(p, "div"), 5);
    ok(washi_run(p));
    ck_assert(!signbit(element(other[0], 0)) && !signbit(element(other[1], 0)));
    is(other[2], 2, -3);
    is(other[4], 2, 4.5);
    washi_program_free(p);
}
END_TEST

/* Two negations of what is stretched: the inner one is done on the few elements, so nothing that stands
 * for both has the stretched shape. */
START_TEST(negations_of_what_is_stretched)
{
    double data[2] = {4, 9};
    washi_tensor *x = fed(SHAPE(2, 1), data), *wide = washi_broadcast_to(x, SHAPE(2, 3));
    washi_tensor *y[] = {washi_neg(washi_neg(wide)), NULL, NULL};
    y[1] = washi_cumsum(y[0], 1);
    y[2] = washi_flip(y[0], 0);
    washi_program *p = compiled(3, y);
    ok(washi_run(p));
    for (int i = 0; i < 6; i++) {
        is(y[0], i, data[i / 3]);
        is(y[1], i, data[i / 3] * (i % 3 + 1));
        is(y[2], i, data[1 - i / 3]);
    }
    washi_program_free(p);
}
END_TEST

/* What is of constants alone is made by the compile, to the same bits as by a run. */
START_TEST(constants_are_folded)
{
    double data[4] = {0.1, -2, 3, 0.7};
    washi_tensor *x = fed(SHAPE(4), data), *c = vector(4, data), *result[2];
    for (int i = 0; i < 2; i++) {
        washi_tensor *from = i ? x : c;
        washi_tensor *sum = washi_sum(washi_exp(from), WASHI_ALL, false);
        result[i] = washi_add(washi_tanh(x), washi_softmax(washi_div(from, sum)));
    }
    washi_program *p = compiled(1, result), *q = compiled(1, result + 1);
    ck_assert(!dumped(p, "exp") && !dumped(p, "softmax") && dumped(q, "exp") && dumped(q, "softmax"));
    ok(washi_run(p));
    ok(washi_run(q));
    ck_assert_mem_eq(washi_data(result[0]), washi_data(result[1]), sizeof data);
    washi_program_free(p);
    washi_program_free(q);
    /* What a run would refuse, a run refuses. */
    washi_tensor *outside = washi_take(c, washi_constant(t, WASHI_I32, SHAPE(1), &(int32_t){4}), 0);
    p = compiled(1, &outside);
    fails(washi_run(p), WASHI_BAD_VALUE, "take: index 4 is outside 0 ... 3");
    washi_program_free(p);
}
END_TEST

START_TEST(movement_that_costs_nothing)
{
    double data[6] = {1, 2, 3, 4, 5, 6};
    washi_tensor *x = fed(SHAPE(2, 3), data);
    washi_tensor *y =
        washi_matmul(washi_transpose(x), washi_stop_gradient(washi_reshape(x, SHAPE(2, 3))));
    washi_tensor *z = washi_add(x, washi_broadcast_to(washi_slice(x, 0, 0, 1), SHAPE(2, 3)));
    washi_program *p = compiled(2, (washi_tensor *[]){y, z});
    ck_assert(dumped(p, "matmul") == 1 && dumped(p, "slice") == 1 && dumped(p, "add") == 1);
    ck_assert(!dumped(p, "permute") && !dumped(p, "reshape") && !dumped(p, "stop_gradient") &&
              !dumped(p, "broadcast_to"));
    ok(washi_run(p));
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) is(y, i * 3 + j, data[i] * data[j] + data[3 + i] * data[3 + j]);
    for (int i = 0; i < 6; i++) is(z, i, data[i] + data[i % 3]);
    washi_program_free(p);
}
END_TEST

/* Two constants with equal bytes are one; with different ones, or of different shapes, not. */
START_TEST(constants_are_shared_by_their_bytes)
{
    washi_tensor *x = fed(SCALAR, &(double){3});
    washi_tensor *y[3] = {washi_mul(x, number(0.0)), washi_mul(x, number(-0.0)),
                          washi_mul(x, number(0.0))};
    washi_program *p = compiled(3, y);
    ck_assert_int_eq(dumped(p, "mul"), 2);
    ok(washi_run(p));
    for (int i = 0; i < 3; i++)
        ck_assert(!(element(y[i], 0) < 0) && !(element(y[i], 0) > 0) &&
                  signbit(element(y[i], 0)) == (i == 1));
    washi_program_free(p);
}
END_TEST

/* -- running again -- */

START_TEST(inputs_and_variables_are_read_anew)
{
    double weight[2] = {1, 2}, first[2] = {10, 20}, second[2] = {30, 40};
    washi_tensor *v = washi_variable(t, WASHI_F64, SHAPE(2), weight), *x = fed(SHAPE(2), first);
    washi_tensor *y = washi_mul(v, x), *view = washi_reshape(x, SHAPE(1, 2));
    washi_program *p = compiled(4, (washi_tensor *[]){y, v, x, view});
    ok(washi_run(p));
    is(y, 1, 40), is(view, 0, 10);
    weight[1] = 5, first[0] = 11;
    ok(washi_run(p));
    is(y, 0, 11), is(y, 1, 100);
    ok(washi_feed(x, second));
    ok(washi_run(p));
    is(y, 1, 200), is(view, 1, 40);
    ck_assert(washi_data(v) == weight && washi_data(x) == second && washi_f64(y) != NULL);
    ck_assert_uint_eq((uintptr_t)washi_data(y) % 64, 0);
    ok(washi_feed(x, NULL));
    ck_assert_int_eq(washi_run(p), WASHI_MISUSE);
    washi_program_free(p);
}
END_TEST

START_TEST(several_programs_of_one_tape)
{
    double data = 2;
    washi_tensor *x = fed(SCALAR, &data), *y = washi_mul(x, x), *z = washi_mul(y, x);
    washi_program *p = compiled(1, &y), *q = compiled(2, (washi_tensor *[]){z, y});
    ok(washi_run(p));
    is(y, 0, 4);
    ck_assert_ptr_null(washi_data(z));
    data = 3;
    ok(washi_run(q));
    is(y, 0, 9), is(z, 0, 27);
    data = 4;
    ok(washi_run(p));
    is(y, 0, 16), is(z, 0, 27);
    washi_program_free(q);
    is(y, 0, 16); /* the last run was p's */
    ck_assert_ptr_null(washi_data(z));
    washi_program_free(p);
    ck_assert_ptr_null(washi_data(y));
    ck_assert_double_eq(washi_item(z), 64);
    ck_assert_double_eq(washi_item(z), 64);
    data = 5;
    ck_assert_double_eq(washi_item(washi_add(z, y)), 150);
    is(z, 0, 64); /* evaluated, it stays */
}
END_TEST

START_TEST(evaluating_again)
{
    double data[2] = {1, 2};
    washi_tensor *x = fed(SHAPE(2), data), *y = washi_neg(x), *z = washi_sum(y, 0, false),
                 *both[2] = {y, z};
    ok(washi_eval(2, both));
    const void *at = washi_data(y);
    data[1] = 7;
    is(y, 1, -2);
    ok(washi_eval(2, both));
    is(y, 1, -7), is(z, 0, -8);
    ck_assert_ptr_eq(washi_data(y), at);
    ck_assert_double_eq(washi_item(washi_cast(z, WASHI_I32)), -8);
    ck_assert_double_eq(washi_item(washi_cast(washi_neg(z), WASHI_U8)), 8);
    ck_assert_double_eq(washi_item(washi_cast(z, WASHI_F32)), -8);
}
END_TEST

START_TEST(outputs_twice_and_sources)
{
    double data = 3;
    washi_tensor *v = washi_variable(t, WASHI_F64, SCALAR, &data), *c = number(5), *y = washi_add(v, c);
    washi_tensor *same = washi_add(v, c), *out[5] = {y, y, same, v, c};
    washi_program *p = compiled(5, out), *none = compiled(0, NULL);
    ok(washi_run(p));
    is(y, 0, 8), is(same, 0, 8), is(v, 0, 3), is(c, 0, 5);
    ok(washi_run(none));
    ck_assert_int_eq(dumped(none, "add"), 0);
    washi_program_free(none);
    washi_program_free(p);
}
END_TEST

START_TEST(scatter_refuses_by_itself)
{
    int32_t index = 4;
    washi_tensor *i = washi_input(t, WASHI_I32, SHAPE(1)), *y;
    ok(washi_feed(i, &index));
    y = washi_scatter_add(vector(4, (double[4]){0}), i, vector(1, (double[]){1}), 0);
    fails(washi_eval(1, &y), WASHI_BAD_VALUE, "scatter: index 4 is outside 0 ... 3");
    ck_assert_ptr_null(washi_data(y));
    index = 3;
    ok(washi_eval(1, &y));
    is(y, 3, 1);
}
END_TEST

/* -- the caller's threads -- */

static void in_order(void *user, int tasks, void (*task)(void *arg, int index), void *arg)
{
    ++*(int *)user;
    for (int i = 0; i < tasks; i++) task(arg, i);
}

static void reversed(void *user, int tasks, void (*task)(void *arg, int index), void *arg)
{
    ++*(int *)user;
    for (int i = tasks; i-- > 0;) task(arg, i);
}

struct errand {
    void (*task)(void *arg, int index);
    void *arg;
    int index;
};

static void *run_errand(void *arg)
{
    const struct errand *e = arg;
    e->task(e->arg, e->index);
    return NULL;
}

static void by_threads(void *user, int tasks, void (*task)(void *arg, int index), void *arg)
{
    enum { MOST = 256 };
    struct errand errand[MOST];
    pthread_t thread[MOST];
    ++*(int *)user;
    ck_assert_int_le(tasks, MOST);
    for (int i = 0; i < tasks; i++) {
        errand[i] = (struct errand){task, arg, i};
        ck_assert_int_eq(pthread_create(&thread[i], NULL, run_errand, &errand[i]), 0);
    }
    for (int i = 0; i < tasks; i++) pthread_join(thread[i], NULL);
}

/* Gradients of something with work for several tasks, by this context. */
static double *large_gradient(washi *by, int64_t rows, int64_t columns)
{
    washi_tape *tape = washi_tape_new(by);
    float *data = malloc(sizeof *data * (size_t)(rows * columns));
    double *out = malloc(sizeof *out * (size_t)(rows * columns));
    ck_assert(data && out);
    uint64_t seed = 1;
    for (int64_t i = 0; i < rows * columns; i++) data[i] = (float)between(&seed, -1, 1);
    washi_tensor *x = washi_constant(tape, WASHI_F32, SHAPE(rows, columns), data), *dx;
    washi_tensor *product = washi_matmul(washi_transpose(x), washi_softmax(washi_tanh(x)));
    washi_tensor *y =
        washi_add(washi_logsumexp(product, 1, false), washi_sum(washi_mul(x, x), 0, false));
    ok(washi_grad(y, 1, &x, &dx));
    ok(washi_eval(1, &dx));
    for (int64_t i = 0; i < rows * columns; i++) out[i] = (double)washi_f32(dx)[i];
    washi_tape_free(tape);
    free(data);
    return out;
}

START_TEST(parallel_by_the_caller)
{
    void (*const ways[])(void *, int, void (*)(void *, int), void *) = {in_order, reversed, by_threads};
    enum { ROWS = 700, COLUMNS = 90 };
    double *first = large_gradient(w, ROWS, COLUMNS);
    for (int k = 0; k < 3; k++) {
        int calls = 0;
        washi *other;
        ok(washi_open(&other, &(washi_options){.parallel = ways[k], .user = &calls, .threads = 4}));
        ck_assert_int_eq(washi_threads(other), 4);
        double *again = large_gradient(other, ROWS, COLUMNS);
        ck_assert_int_ge(calls, 1);
        ck_assert_mem_eq(first, again, ROWS * COLUMNS * sizeof *first);
        washi_close(other);
        free(again);
    }
    free(first);
}
END_TEST

/* There is nothing to feed: the compiler's checks see that no op goes on from NULL. */
START_TEST(an_empty_input_is_fed_already)
{
    washi_tensor *x = washi_input(t, WASHI_F64, SHAPE(0, 3)),
                 *wide = washi_input(t, WASHI_F64, SHAPE(3, 0)),
                 *indices = washi_input(t, WASHI_I32, SHAPE(0)), *rows = vector(3, (double[]){1, 2, 3});
    washi_tensor *y[] = {washi_matmul(wide, x),
                         washi_matmul(x, wide),
                         washi_sum(x, 0, false),
                         washi_softmax(washi_tanh(x)),
                         washi_cumsum(x, 0),
                         washi_pad(x, 0, 1, 1),
                         washi_take(rows, indices, 0),
                         washi_take(x, indices, 0),
                         washi_prod(wide, 1, false),
                         washi_scatter_add(rows, indices, washi_take(rows, indices, 0), 0)};
    enum { OUTPUTS = sizeof y / sizeof *y };
    ok(washi_eval(OUTPUTS, y));
    for (int64_t i = 0; i < 9; i++) ck_assert_double_eq(element(y[0], i), 0);
    for (int64_t i = 0; i < 3; i++) ck_assert_double_eq(element(y[2], i), 0);
    for (int64_t i = 0; i < 6; i++) ck_assert_double_eq(element(y[5], i), 0);
    for (int64_t i = 0; i < 3; i++) ck_assert_double_eq(element(y[8], i), 1);
    for (int64_t i = 0; i < 3; i++) ck_assert_double_eq(element(y[9], i), (double)(i + 1));
}
END_TEST

/* Whatever is announced, also what no row has, or none: results do not change. */
START_TEST(rows_are_announced)
{
    enum { ROWS = 50, COLUMNS = 40, PICKED = 64 };
    static double table[ROWS * COLUMNS];
    int32_t picked[PICKED], next[PICKED];
    for (int i = 0; i < ROWS * COLUMNS; i++) table[i] = i;
    for (int i = 0; i < PICKED; i++) picked[i] = i * 7 % ROWS, next[i] = i % 2 ? INT32_MAX - i : -i;
    washi_tensor *x = fed(SHAPE(ROWS, COLUMNS), table);
    washi_tensor *some = washi_input(t, WASHI_I32, SHAPE(PICKED)),
                 *none = washi_input(t, WASHI_I32, SHAPE(0));
    washi_tensor *rows = washi_take(x, some, 0), *empty = washi_take(x, none, 0);
    washi_tensor *y[] = {washi_neg(rows), washi_matmul(rows, washi_transpose(x)), washi_neg(empty),
                         washi_exp(x)};
    washi_program *p = compiled(4, y);
    ok(washi_feed(some, picked));
    ok(washi_feed(none, picked));
    double sum[2] = {0, 0};
    for (int run = 0; run < 2; run++) {
        ok(washi_prefetch(some, run ? next : NULL));
        ok(washi_prefetch(none, run ? next : NULL));
        ok(washi_run(p));
        for (int i = 0; i < PICKED * COLUMNS; i++)
            ck_assert_double_eq(element(y[0], i), -table[picked[i / COLUMNS] * COLUMNS + i % COLUMNS]);
        for (int i = 0; i < PICKED * ROWS; i++) sum[run] += element(y[1], i);
    }
    ck_assert_double_eq(sum[0], sum[1]);
    ck_assert_int_eq(washi_prefetch(y[0], next), WASHI_MISUSE);
    washi_program_free(p);
}
END_TEST

TCase *programs_case(void)
{
    return CASE("programs", open_tape, close_tape, unused_and_equal_nodes_go, what_changes_no_bit_goes,
                negations_of_what_is_stretched, constants_are_folded, movement_that_costs_nothing,
                constants_are_shared_by_their_bytes, inputs_and_variables_are_read_anew,
                several_programs_of_one_tape, evaluating_again, outputs_twice_and_sources,
                scatter_refuses_by_itself, an_empty_input_is_fed_already, rows_are_announced,
                parallel_by_the_caller);
}
