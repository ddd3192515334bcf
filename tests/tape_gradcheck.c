/* tape_gradcheck.c: the gradient checker through the public header: what is right passes, wrong rules
 * of several kinds are caught, and nothing passes that shows nothing. */
#define _POSIX_C_SOURCE 200809L
#include "tape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static washi_grad_report report;

static const double point[6] = {0.4, -0.9, 1.3, -0.2, 0.8, 0.6},
                    matrix_at[6] = {0.1, 0.2, -1, 0.5, -0.3, 0.7};

static const washi_array vector_of_3 = {WASHI_F64, {1, {3}}, point};

static washi_status check(washi_graph_fn *fn, const void *config, int order)
{
    return washi_check_grad(w, fn, config, 1, &vector_of_3, order, &report);
}

/* -- what is right -- */

static washi_tensor *mixing(int n, washi_tensor *const x[], const void *config)
{
    (void)config;
    ck_assert_int_eq(n, 3);
    washi_tensor *row = washi_reshape(washi_take(x[0], x[2], 0), SHAPE(1, 3));
    return washi_softmax(washi_matmul(washi_tanh(row), washi_exp(washi_mul(x[1], x[1]))));
}

START_TEST(right_derivatives_pass)
{
    const int32_t indices[3] = {2, 0, 1};
    const float single[6] = {0.1f, 0.2f, 0.3f, -0.4f, 0.5f, -0.6f};
    const washi_array x[3] = {
        vector_of_3, {WASHI_F32, {2, {3, 2}}, single}, {WASHI_I32, {1, {3}}, indices}};
    ok(washi_check_grad(w, mixing, NULL, 3, x, 2, &report));
    ck_assert(report.inputs == 3 && report.orders == 2);
    ck_assert_str_eq(report.verdict, "");
    for (int order = 0; order < 2; order++) {
        for (int i = 0; i < 2; i++) {
            const washi_grad_line *line = &report.line[order][i];
            ck_assert(line->checked && line->type == x[i].type && same_shape(line->shape, x[i].shape));
            ck_assert(line->derivative > 1e-3 && line->error < 1e-7);
            ck_assert_double_eq_tol(line->derivative, line->difference, 1e-7);
        }
        ck_assert(!report.line[order][2].checked);
        ck_assert_double_lt(report.product_error[order], 1e-13);
    }
    ok(washi_check_grad(w, mixing, NULL, 3, x, 1, NULL));
}
END_TEST

START_TEST(the_report_as_text)
{
    const int32_t indices[3] = {2, 0, 1};
    const washi_array x[3] = {
        vector_of_3, {WASHI_F64, {2, {3, 2}}, matrix_at}, {WASHI_I32, {1, {3}}, indices}};
    ok(washi_check_grad(w, mixing, NULL, 3, x, 2, &report));
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(file);
    ok(washi_grad_report_print(&report, file));
    fclose(file);
    int lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')); at++) lines++;
    ck_assert_int_eq(lines, 2 * (1 + 3 + 1) + 1);
    ck_assert(strstr(text, "order 2") && strstr(text, "f64 [3,2]") && strstr(text, "not real"));
    ck_assert(strstr(text, "<u, Jv>") && strstr(text, "\npassed\n"));
    free(text);
    fails(washi_grad_report_print(NULL, stdout), WASHI_MISUSE,
          "grad_report_print: the report or the file is NULL");
}
END_TEST

/* Points far from 1 and near to 0, large values beside small slopes: differences are made with care. */
static washi_tensor *hill(int n, washi_tensor *const x[], const void *config)
{
    const double *s = config;
    (void)n;
    return washi_shift(washi_div(x[0], washi_shift(washi_mul(x[0], x[0]), s[0])), s[1]);
}

START_TEST(at_all_sizes)
{
    const double widths[] = {1e-4, 1, 1e6}, factors[] = {1e-6, 1e-3, 1, 1e3};
    for (int s = 0; s < 3; s++)
        for (int f = 0; f < 4; f++)
            for (int turn = 0; turn < 2; turn++) {
                double at[3], height = 0;
                for (int i = 0; i < 3; i++) {
                    at[i] = point[i] * factors[f];
                    height = fmax(height, fabs(at[i]) / (at[i] * at[i] + widths[s]));
                }
                const double config[2] = {widths[s], turn ? 1e4 * height : 0};
                const washi_array x = {WASHI_F64, {1, {3}}, at};
                const washi_status status = washi_check_grad(w, hill, config, 1, &x, 1, &report);
                ck_assert_msg(!status, "%g, %g, %d: %s", widths[s], factors[f], turn, report.verdict);
            }
}
END_TEST

/* -- wrong rules -- */

static washi_status run_sine(const washi_step *s)
{
    for (int64_t i = 0; i < washi_size(s->shape); i++)
        ((double *)s->y)[i] = sin(((const double *)s->x[0].data)[i]);
    return WASHI_OK;
}

static washi_status run_cosine(const washi_step *s)
{
    for (int64_t i = 0; i < washi_size(s->shape); i++)
        ((double *)s->y)[i] = cos(((const double *)s->x[0].data)[i]);
    return WASHI_OK;
}

static void cosine_rule(washi_tensor *y, washi_tensor *g, washi_tensor *gx[]);
static void wrong_cosine_rule(washi_tensor *y, washi_tensor *g, washi_tensor *gx[]);

static const washi_op right_cosine = {.struct_size = sizeof(washi_op),
                                      .name = "cosine",
                                      .arity = 1,
                                      .run = run_cosine,
                                      .rule = cosine_rule};
static const washi_op wrong_cosine = {.struct_size = sizeof(washi_op),
                                      .name = "cosine",
                                      .arity = 1,
                                      .run = run_cosine,
                                      .rule = wrong_cosine_rule};

/* config is the rule under test. */
struct rule {
    void (*rule)(washi_tensor *y, washi_tensor *g, washi_tensor *gx[]);
};

static washi_tensor *sine_by(washi_tensor *x,
                             void (*rule)(washi_tensor *, washi_tensor *, washi_tensor *[]))
{
    const washi_op op = {
        .struct_size = sizeof(washi_op), .name = "sine", .arity = 1, .run = run_sine, .rule = rule};
    return washi_apply(&op, 1, &x, NULL, 0);
}

static washi_tensor *sine(int n, washi_tensor *const x[], const void *config)
{
    (void)n;
    return sine_by(x[0], ((const struct rule *)config)->rule);
}

static washi_tensor *cosine(washi_tensor *y, const washi_op *op)
{
    washi_tensor *x = washi_operand(y, 0);
    return washi_apply(op, 1, &x, NULL, 0);
}

static void right_rule(washi_tensor *y, washi_tensor *g, washi_tensor *gx[])
{
    gx[0] = washi_mul(g, cosine(y, &right_cosine));
}

static void cosine_rule(washi_tensor *y, washi_tensor *g, washi_tensor *gx[])
{
    gx[0] = washi_neg(washi_mul(g, sine_by(washi_operand(y, 0), right_rule)));
}

static void wrong_cosine_rule(washi_tensor *y, washi_tensor *g, washi_tensor *gx[])
{
    gx[0] = washi_mul(g, sine_by(washi_operand(y, 0), right_rule)); /* the sign */
}

static void wrong_sign(washi_tensor *y, washi_tensor *g, washi_tensor *gx[])
{
    gx[0] = washi_neg(washi_mul(g, cosine(y, &right_cosine)));
}

static void wrong_a_little(washi_tensor *y, washi_tensor *g, washi_tensor *gx[])
{
    gx[0] = washi_scale(washi_mul(g, cosine(y, &right_cosine)), 1 + 1e-5);
}

static void wrong_in_one_place(washi_tensor *y, washi_tensor *g, washi_tensor *gx[])
{
    washi_tensor *factors =
        washi_constant(washi_tape_of(y), WASHI_F64, SHAPE(3), (double[]){1, 1, 1.01});
    gx[0] = washi_mul(washi_mul(g, cosine(y, &right_cosine)), factors);
}

static void forgotten_g(washi_tensor *y, washi_tensor *g, washi_tensor *gx[])
{
    (void)g;
    gx[0] = cosine(y, &right_cosine);
}

static void nothing(washi_tensor *y, washi_tensor *g, washi_tensor *gx[])
{
    (void)y, (void)g, (void)gx;
}

static void not_linear(washi_tensor *y, washi_tensor *g, washi_tensor *gx[])
{
    /* g where it is positive, as all g of one sign would not show */
    gx[0] = washi_mul(washi_relu(g), cosine(y, &right_cosine));
}

static void wrong_second(washi_tensor *y, washi_tensor *g, washi_tensor *gx[])
{
    gx[0] = washi_mul(g, cosine(y, &wrong_cosine));
}

/* Right by itself, but constant to whoever differentiates again. */
static void stopped_second(washi_tensor *y, washi_tensor *g, washi_tensor *gx[])
{
    gx[0] = washi_mul(g, washi_stop_gradient(cosine(y, &right_cosine)));
}

START_TEST(wrong_rules_are_caught)
{
    const struct {
        struct rule rule;
        int order; /* at which it is caught; 0: right */
    } rules[] = {{{right_rule}, 0},         {{wrong_sign}, 1},   {{wrong_a_little}, 1},
                 {{wrong_in_one_place}, 1}, {{forgotten_g}, 1},  {{nothing}, 1},
                 {{not_linear}, 1},         {{wrong_second}, 2}, {{stopped_second}, 2}};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        for (int order = 1; order <= 2; order++) {
            const bool caught = rules[i].order && rules[i].order <= order;
            const washi_status status = check(sine, &rules[i].rule, order);
            ck_assert_msg(status == (caught ? WASHI_BAD_VALUE : WASHI_OK), "rule %zu, order %d: %s", i,
                          order, status ? washi_message() : "passed");
            ck_assert_msg(!caught == !*report.verdict, "%s", report.verdict);
            if (caught) ck_assert_ptr_nonnull(strstr(washi_message(), report.verdict));
        }
    check(sine, &rules[1].rule, 1);
    ck_assert_double_gt(report.line[0][0].error, 1);
}
END_TEST

/* -- what shows nothing -- */

static washi_tensor *ignoring(int n, washi_tensor *const x[], const void *config)
{
    (void)config;
    return n > 1 ? washi_exp(x[0]) : washi_constant(washi_tape_of(x[0]), WASHI_F64, SHAPE(3), point);
}

static washi_tensor *saturated(int n, washi_tensor *const x[], const void *config)
{
    (void)n, (void)config;
    return washi_softmax(washi_mul(
        x[0], washi_constant(washi_tape_of(x[0]), WASHI_F64, SHAPE(3), (double[]){1, 1, 60})));
}

static washi_tensor *stopping(int n, washi_tensor *const x[], const void *config)
{
    (void)n, (void)config;
    return washi_exp(washi_stop_gradient(x[0]));
}

static washi_tensor *steps(int n, washi_tensor *const x[], const void *config)
{
    (void)n, (void)config;
    return washi_greater_equal(x[0], washi_scale(x[0], 0));
}

static washi_tensor *linear(int n, washi_tensor *const x[], const void *config)
{
    (void)n, (void)config;
    return washi_scale(x[0], 3);
}

static washi_tensor *logarithm(int n, washi_tensor *const x[], const void *config)
{
    (void)n, (void)config;
    return washi_log(x[0]); /* of numbers below 0 too */
}

static washi_tensor *root_at_0(int n, washi_tensor *const x[], const void *config)
{
    (void)n, (void)config;
    return washi_sqrt(washi_sub(x[0], x[0]));
}

static washi_tensor *on_an_edge(int n, washi_tensor *const x[], const void *config)
{
    (void)n, (void)config; /* finite where x is what it is, to the last bit */
    washi_tensor *at = washi_constant(washi_tape_of(x[0]), WASHI_F64, SHAPE(3), point);
    washi_tensor *off = washi_sub(x[0], at), *edge = washi_log(washi_shift(washi_mul(off, off), 1));
    return washi_add(
        x[0], washi_sqrt(washi_neg(washi_where(washi_greater_equal(edge, washi_scale(at, 0)),
                                               washi_shift(washi_scale(edge, 1e30), -1), edge))));
}

static washi_tensor *to_single(int n, washi_tensor *const x[], const void *config)
{
    (void)n, (void)config;
    return washi_cast(x[0], WASHI_F32);
}

static washi_tensor *to_none(int n, washi_tensor *const x[], const void *config)
{
    (void)n, (void)config;
    return washi_slice(x[0], 0, 1, 1);
}

static washi_tensor *mistaken(int n, washi_tensor *const x[], const void *config)
{
    (void)n, (void)config;
    return washi_add(x[0], washi_slice(x[0], 0, 0, 2));
}

static washi_tensor *null(int n, washi_tensor *const x[], const void *config)
{
    (void)n, (void)x, (void)config;
    return NULL;
}

START_TEST(nothing_shown_does_not_pass)
{
    const struct {
        washi_graph_fn *fn;
        int order;
        washi_status status;
        const char *message;
    } cases[] = {
        {ignoring, 1, WASHI_BAD_VALUE, "check_grad: order 1: the result ignores input 0"},
        {steps, 1, WASHI_BAD_VALUE, "check_grad: order 1: the result ignores input 0"},
        {saturated, 1, WASHI_BAD_VALUE, "check_grad: order 1: the result hardly changes with input 0"},
        {linear, 2, WASHI_BAD_VALUE, "check_grad: order 2: every derivative is zero"},
        {logarithm, 1, WASHI_BAD_VALUE, "check_grad: order 1: the value is not finite"},
        {root_at_0, 1, WASHI_BAD_VALUE,
         "check_grad: order 1: the directional derivative is not finite"},
        {on_an_edge, 1, WASHI_BAD_VALUE,
         "check_grad: order 1: beside the point, along input 0, the value is not finite"},
        {to_single, 1, WASHI_BAD_TYPE,
         "check_grad: the result is f32 [3]; f64 is wanted, as the inputs are"},
        {to_none, 1, WASHI_BAD_VALUE, "check_grad: the result has no elements"},
        {mistaken, 1, WASHI_BAD_SHAPE, "add: [3] and [2] do not broadcast"},
        {null, 1, WASHI_MISUSE, "check_grad: the function's result is NULL"},
        {null, 3, WASHI_BAD_VALUE,
         "check_grad: order 3 of 1 inputs; order 1 or 2 and 1 to 16 inputs are wanted"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fails(check(cases[i].fn, NULL, cases[i].order), cases[i].status, cases[i].message);
        ck_assert(cases[i].order == 3 || *report.verdict);
    }
    ok(check(linear, NULL, 1));
    ck_assert_int_eq(check(stopping, NULL, 1), WASHI_BAD_VALUE);
    ck_assert_ptr_nonnull(
        strstr(report.verdict, "order 1: the derivative by input 0 is wrong by 1: 0 where"));
    const washi_array two[2] = {vector_of_3, {WASHI_F64, {1, {2}}, point}},
                      integers = {WASHI_U8, {1, {3}}, "123"}, none = {WASHI_F64, {1, {0}}, NULL};
    fails(washi_check_grad(w, ignoring, NULL, 2, two, 1, &report), WASHI_BAD_VALUE,
          "check_grad: order 1: the result ignores input 1");
    fails(washi_check_grad(w, ignoring, NULL, 1, &integers, 1, &report), WASHI_BAD_VALUE,
          "check_grad: no input is real");
    fails(washi_check_grad(w, ignoring, NULL, 1, &none, 1, &report), WASHI_BAD_VALUE,
          "check_grad: input 0 has no elements");
    fails(washi_check_grad(NULL, ignoring, NULL, 1, two, 1, NULL), WASHI_MISUSE,
          "check_grad: the context is NULL");
}
END_TEST

/* -- memory -- */

START_TEST(every_allocation_fails_in_turn)
{
    const int32_t indices[3] = {2, 0, 1};
    const washi_array x[3] = {
        vector_of_3, {WASHI_F64, {2, {3, 2}}, matrix_at}, {WASHI_I32, {1, {3}}, indices}};
    const size_t blocks = heap.blocks;
    washi_status status = WASHI_NO_MEMORY;
    int at = 0;
    for (; status && at < 1000; at++) {
        heap.fail_at = heap.calls + at;
        washi_fail(NULL, WASHI_IO, "before");
        status = washi_check_grad(w, mixing, NULL, 3, x, 2, &report);
        ck_assert_uint_eq(heap.blocks, blocks);
        if (!status) break;
        ck_assert_msg(status == WASHI_NO_MEMORY, "allocation %d: %s", at, washi_message());
        ck_assert_ptr_nonnull(strstr(washi_message(), "memory"));
    }
    heap.fail_at = -1;
    ck_assert_msg(!status && at > 10, "%s after %d", washi_message(), at);
}
END_TEST

TCase *gradcheck_case(void)
{
    return CASE("gradcheck", open_tape, close_tape, right_derivatives_pass, the_report_as_text,
                at_all_sizes, wrong_rules_are_caught, nothing_shown_does_not_pass,
                every_allocation_fails_in_turn);
}
