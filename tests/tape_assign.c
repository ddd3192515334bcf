/* tape_assign.c: variables assigned by programs, through the public header: exchanged, in place, and
 * not at all by a run that fails. */
#include "tape.h"

#include <math.h>

START_TEST(a_swap)
{
    double a[3] = {1, 2, 3}, b[3] = {4, 5, 6};
    washi_tensor *va = washi_variable(t, WASHI_F64, SHAPE(3), a),
                 *vb = washi_variable(t, WASHI_F64, SHAPE(3), b);
    ok(washi_assign(va, vb));
    ok(washi_assign(vb, va));
    washi_tensor *sum = washi_add(va, washi_scale(vb, 10)), *view = washi_reshape(va, SHAPE(3, 1));
    washi_program *p = compiled(3, (washi_tensor *[]){sum, view, va});
    ok(washi_run(p));
    ck_assert_mem_eq(a, ((double[]){4, 5, 6}), sizeof a);
    ck_assert_mem_eq(b, ((double[]){1, 2, 3}), sizeof b);
    for (int i = 0; i < 3; i++) is(sum, i, i + 1 + 10 * (i + 4)), is(view, i, i + 1), is(va, i, i + 4);
    ok(washi_run(p));
    ck_assert_mem_eq(a, ((double[]){1, 2, 3}), sizeof a);
    for (int i = 0; i < 3; i++) is(view, i, i + 4);
    washi_program_free(p);
}
END_TEST

/* The same by computed values: each new one needs the other's old one. */
START_TEST(a_computed_exchange)
{
    double a[2] = {1, 2}, b[2] = {10, 20};
    washi_tensor *va = washi_variable(t, WASHI_F64, SHAPE(2), a),
                 *vb = washi_variable(t, WASHI_F64, SHAPE(2), b);
    ok(washi_assign(va, washi_add(va, vb)));
    ok(washi_assign(vb, washi_sub(va, vb)));
    washi_program *p = compiled(0, NULL);
    for (int run = 0; run < 3; run++) {
        const double a0 = a[0], b0 = b[0], a1 = a[1], b1 = b[1];
        ok(washi_run(p));
        ck_assert(fpclassify(a[0] - (a0 + b0)) == FP_ZERO && fpclassify(b[0] - (a0 - b0)) == FP_ZERO);
        ck_assert(fpclassify(a[1] - (a1 + b1)) == FP_ZERO && fpclassify(b[1] - (a1 - b1)) == FP_ZERO);
    }
    washi_program_free(p);
}
END_TEST

START_TEST(one_value_for_two_variables)
{
    double a[2] = {1, 2}, b[2] = {5, 6}, c[2] = {0, 0};
    washi_tensor *va = washi_variable(t, WASHI_F64, SHAPE(2), a),
                 *vb = washi_variable(t, WASHI_F64, SHAPE(2), b);
    washi_tensor *vc = washi_variable(t, WASHI_F64, SHAPE(2), c), *y = washi_mul(va, vb);
    ok(washi_assign(va, y));
    ok(washi_assign(vb, y));
    ok(washi_assign(vc, vc));
    washi_program *p = compiled(1, (washi_tensor *[]){washi_neg(y)}), *q = compiled(1, &y);
    ok(washi_run(p));
    ck_assert_mem_eq(a, ((double[]){5, 12}), sizeof a);
    ck_assert_mem_eq(b, a, sizeof a);
    ok(washi_run(q));
    ck_assert_mem_eq(a, ((double[]){25, 144}), sizeof a);
    is(y, 1, 144);
    washi_program_free(p);
    washi_program_free(q);
}
END_TEST

START_TEST(assigned_in_place_when_possible)
{
    double a[2] = {1, 2}, g[2] = {10, 20};
    washi_tensor *va = washi_variable(t, WASHI_F64, SHAPE(2), a), *x = fed(SHAPE(2), g);
    washi_tensor *before = washi_mul(va, va);
    ok(washi_assign(va, washi_sub(va, washi_scale(x, 0.5))));
    washi_program *p = compiled(1, &before), *q;
    ck_assert_int_eq(dumped(p, "assign"), 0); /* no copy at the end */
    ok(washi_run(p));
    is(before, 0, 1), is(before, 1, 4);
    ck_assert_mem_eq(a, ((double[]){-4, -8}), sizeof a);
    ck_assert_int_eq(washi_tape_status(t), WASHI_OK);
    q = compiled(2, (washi_tensor *[]){washi_transpose(washi_reshape(va, SHAPE(1, 2))),
                                       washi_reshape(va, SHAPE(2, 1))});
    ok(washi_run(q));
    ck_assert_mem_eq(a, ((double[]){-9, -18}), sizeof a);
    washi_program_free(p);
    washi_program_free(q);
}
END_TEST

START_TEST(programs_of_before_do_not_assign)
{
    double a = 1;
    washi_tensor *v = washi_variable(t, WASHI_F64, SCALAR, &a), *y = washi_neg(v);
    washi_program *early = compiled(1, &y);
    ok(washi_assign(v, washi_shift(v, 1)));
    washi_program *late = compiled(1, &y);
    ok(washi_run(early));
    ck_assert_double_eq(a, 1);
    ok(washi_run(late));
    ck_assert_double_eq(a, 2);
    is(y, 0, -1);
    ck_assert_double_eq(washi_item(y), -2); /* with the tape's assignments */
    ck_assert_double_eq(a, 3);
    washi_program_free(early);
    washi_program_free(late);
}
END_TEST

START_TEST(failing_runs_assign_nothing)
{
    double a[3] = {1, 2, 3}, b[3] = {1, 1, 1};
    int32_t index[2] = {0, 2};
    uint8_t label[2] = {1, 2};
    washi_tensor *va = washi_variable(t, WASHI_F64, SHAPE(3), a),
                 *vb = washi_variable(t, WASHI_F64, SHAPE(3), b);
    washi_tensor *i = washi_input(t, WASHI_I32, SHAPE(2)), *l = washi_input(t, WASHI_U8, SHAPE(2));
    ok(washi_feed(i, index));
    ok(washi_feed(l, label));
    ok(washi_assign(vb, washi_neg(vb))); /* ready before anything is looked up */
    washi_tensor *taken = washi_take(va, i, 0), *sum = washi_sum(taken, 0, true);
    ok(washi_assign(va, washi_add(washi_scatter_add(va, i, taken, 0), sum)));
    washi_tensor *hot = washi_one_hot(l, 3, WASHI_F64);
    washi_program *p = compiled(2, (washi_tensor *[]){hot, sum});
    ok(washi_run(p));
    ck_assert_mem_eq(a, ((double[]){6, 6, 10}), sizeof a);
    ck_assert_double_eq(b[0], -1);
    index[1] = 3;
    fails(washi_run(p), WASHI_BAD_VALUE, "take: index 3 is outside 0 ... 2");
    index[1] = -1;
    fails(washi_run(p), WASHI_BAD_VALUE, "take: index -1 is outside 0 ... 2");
    index[1] = 1, label[0] = 3;
    fails(washi_run(p), WASHI_BAD_VALUE, "one_hot: label 3 is outside 0 ... 2");
    ck_assert_mem_eq(a, ((double[]){6, 6, 10}), sizeof a);
    ck_assert_mem_eq(b, ((double[]){-1, -1, -1}), sizeof b);
    label[0] = 0;
    ok(washi_run(p));
    ck_assert_mem_eq(a, ((double[]){24, 24, 22}), sizeof a);
    ck_assert_int_eq(washi_tape_status(t), WASHI_OK);
    washi_program_free(p);
}
END_TEST

TCase *assign_case(void)
{
    return CASE("assign", open_tape, close_tape, a_swap, a_computed_exchange,
                one_value_for_two_variables, assigned_in_place_when_possible,
                programs_of_before_do_not_assign, failing_runs_assign_nothing);
}
