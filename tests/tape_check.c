/* tape_check.c: names, and runs that look for values that are not finite, through the public header. */
#define _POSIX_C_SOURCE 200809L
#include "tape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static washi *checking;

static void open_checking(void)
{
    open_tape();
    ok(washi_open(&checking, &(washi_options){.threads = 3, .check = true}));
    washi_tape_free(t);
    t = washi_tape_new(checking);
}

static void close_checking(void)
{
    washi_tape_free(t);
    t = washi_tape_new(w);
    washi_close(checking);
    close_tape();
}

/* -- names -- */

static char *dump_of(const washi_program *p)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(file);
    ok(washi_dump(p, file));
    fclose(file);
    return text;
}

START_TEST(names_are_copied_and_shown)
{
    char name[] = "hidden layer";
    double data[2] = {1, 2};
    washi_tensor *x = washi_name(fed(SHAPE(2), data), "pixels"), *h = washi_tanh(x);
    ck_assert(washi_name(h, name) == h);
    memset(name, 'z', sizeof name - 1);
    ck_assert_str_eq(washi_name_of(h), "hidden layer");
    washi_tensor *again = washi_name(washi_exp(x), "second"), *first = washi_exp(x);
    washi_tensor *y[2] = {washi_sum(h, 0, false), washi_mul(first, again)};
    washi_program *p = washi_compile(t, 2, y);
    char *text = dump_of(p);
    ck_assert_ptr_nonnull(strstr(text, "tanh \"hidden layer\""));
    ck_assert_ptr_nonnull(strstr(text, "exp \"second\"")); /* which stands for both */
    ck_assert_ptr_nonnull(strstr(text, "input 0 \"pixels\""));
    free(text);
    washi_program_free(p);
    washi_name(h, NULL);
    ck_assert_str_eq(washi_name_of(h), "");
    ck_assert(!washi_name(NULL, "x") && !*washi_name_of(NULL));
    washi_tensor *in = washi_name(washi_input(t, WASHI_F32, SHAPE(2, 3)), "batch");
    fails(washi_eval(1, &in), WASHI_MISUSE, "run: input f32 [2,3] \"batch\" has not been fed");
}
END_TEST

START_TEST(the_same_name_after_sharing)
{
    washi_tensor *x = fed(SHAPE(2), (double[]){1, 2}), *plain = washi_exp(x),
                 *named = washi_name(washi_exp(x), "late");
    washi_program *p = washi_compile(t, 2, (washi_tensor *[]){plain, named});
    char *text = dump_of(p);
    ck_assert_ptr_nonnull(strstr(text, "exp \"late\""));
    ck_assert_int_eq(dumped(p, "exp"), 1);
    free(text);
    washi_program_free(p);
}
END_TEST

/* -- values that are not finite -- */

START_TEST(the_first_one_is_named)
{
    double data[6] = {1, 2, 3, 4, 0, 6};
    washi_tensor *x = washi_name(fed(SHAPE(2, 3), data), "x"), *l = washi_log(x), *y, *dx;
    washi_name(l, "logarithm");
    y = washi_sum(washi_exp(washi_mul(l, l)), WASHI_ALL, false);
    ok(washi_grad(y, 1, &x, &dx));
    washi_program *p = washi_compile(t, 2, (washi_tensor *[]){y, dx});
    fails(washi_run(p), WASHI_BAD_VALUE, "run: log f64 [2,3] \"logarithm\" is -inf at [1,1]");
    data[4] = 1e200;
    fails(washi_run(p), WASHI_BAD_VALUE, "run: exp f64 [2,3] is inf at [1,1]");
    data[2] = -1;
    fails(washi_run(p), WASHI_BAD_VALUE, "run: log f64 [2,3] \"logarithm\" is nan at [0,2]");
    data[4] = 2, data[2] = (double)NAN;
    fails(
        washi_run(p), WASHI_BAD_VALUE,
        "run: log f64 [2,3] \"logarithm\" is nan at [0,2]; its operand, input f64 [2,3] \"x\", is nan "
        "at [0,2]");
    data[2] = 3;
    ok(washi_run(p));
    ck_assert(isfinite(element(y, 0)));
    washi_program_free(p);
}
END_TEST

START_TEST(of_every_kind_of_step)
{
    float big = 1e30f, data[2] = {1e30f, 1};
    washi_tensor *x = washi_input(t, WASHI_F32, SHAPE(1, 2)),
                 *v = washi_variable(t, WASHI_F32, SCALAR, &big);
    ok(washi_feed(x, data));
    washi_tensor *y[4] = {washi_matmul(x, washi_transpose(x)), washi_mul(v, v),
                          washi_sum(washi_full(t, WASHI_F32, SHAPE(1, 2), 2e38), 1, false),
                          washi_cast(x, WASHI_I32)};
    fails(washi_eval(1, &y[0]), WASHI_BAD_VALUE, "run: matmul f32 [1,1] is inf at [0,0]");
    fails(washi_eval(1, &y[1]), WASHI_BAD_VALUE, "run: mul f32 [] is inf at []");
    fails(washi_eval(1, &y[2]), WASHI_BAD_VALUE, "run: sum f32 [1,1] is inf at [0,0]");
    ok(washi_eval(1, &y[3]));
}
END_TEST

START_TEST(no_weight_is_assigned)
{
    double a = 3, b = 1, x = 0;
    washi_tensor *va = washi_variable(t, WASHI_F64, SCALAR, &a),
                 *vb = washi_variable(t, WASHI_F64, SCALAR, &b);
    ok(washi_assign(vb, washi_shift(vb, 1)));
    ok(washi_assign(va, washi_div(va, fed(SCALAR, &x))));
    washi_program *p = washi_compile(t, 0, NULL);
    fails(washi_run(p), WASHI_BAD_VALUE, "run: div f64 [] is inf at []");
    ck_assert(a == 3 && b == 1);
    x = 2;
    ok(washi_run(p));
    ck_assert(a == 1.5 && b == 2);
    washi_program_free(p);
}
END_TEST

/* The same bits as without; and by the environment. */
START_TEST(of_no_effect_on_what_is_finite)
{
    for (int turn = 0; turn < 3; turn++) {
        const char *const values[3] = {"1", "0", ""};
        ck_assert_int_eq(setenv("WASHI_CHECK", values[turn], 1), 0);
        washi *by;
        ok(washi_open(&by, NULL));
        washi_tape *tape = washi_tape_new(by);
        washi_tensor *x = washi_full(tape, WASHI_F32, SHAPE(3), turn ? 0 : 0.3);
        washi_tensor *y = washi_softmax(washi_log(x));
        const washi_status status = washi_eval(1, &y);
        ck_assert_msg(!status, "WASHI_CHECK=%s: %s", values[turn], washi_message());
        if (!turn) {
            washi_tensor *z = washi_log(washi_scale(x, -1));
            ck_assert_int_eq(washi_eval(1, &z), WASHI_BAD_VALUE);
        }
        washi_tape_free(tape);
        washi_close(by);
    }
    ck_assert_int_eq(unsetenv("WASHI_CHECK"), 0);
    float bits[2];
    for (int turn = 0; turn < 2; turn++) {
        washi_tape *tape = washi_tape_new(turn ? checking : w);
        washi_tensor *x = washi_full(tape, WASHI_F32, SHAPE(50), 0.3);
        bits[turn] = (float)washi_item(washi_logsumexp(washi_tanh(washi_mul(x, x)), 0, false));
        washi_tape_free(tape);
    }
    ck_assert_mem_eq(&bits[0], &bits[1], sizeof(float));
}
END_TEST

TCase *check_case(void)
{
    return CASE("check", open_checking, close_checking, names_are_copied_and_shown,
                the_same_name_after_sharing, the_first_one_is_named, of_every_kind_of_step,
                no_weight_is_assigned, of_no_effect_on_what_is_finite);
}
