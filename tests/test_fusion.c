/* test_fusion.c: what small programs are made of: which ops share a step. */
#include "test_fusion.h"

/* -- what a chain joins -- */

START_TEST(after_a_product)
{
    washi_tensor *product = washi_matmul(a, washi_transpose(b)), *bias = washi_slice(row, 0, 0, 1);
    is_one_step(washi_tanh(washi_add(product, washi_scalar(t, WASHI_F32, 2))), "matmul+add+tanh");
    is_made_of(1, (washi_tensor *[]){washi_softmax(washi_mul(washi_add(product, bias), product))},
               "slice; matmul+add+mul+softmax");
    /* turned over, reshaped, stretched: nothing of it is made */
    washi_tensor *turned = washi_matmul(washi_transpose(a), washi_reshape(b, SHAPE(ROWS, COLUMNS)));
    is_one_step(washi_mul(turned, washi_broadcast_to(row, SHAPE(COLUMNS, COLUMNS))), "matmul+mul");
}
END_TEST

START_TEST(before_and_after_a_sum_of_rows)
{
    washi_tensor *sum = washi_sum(washi_mul(a, b), 1, true);
    is_one_step(washi_mul(washi_exp(sum), a), "mul+sum+exp+mul");
    is_one_step(washi_argmax(washi_add(a, b), 1, false), "add+argmax");
}
END_TEST

/* Of other axes, of all, of rows that are long: in chunks, each computed where it is folded. */
START_TEST(before_a_fold_in_chunks)
{
    washi_tensor *d = washi_sub(a, b), *square = washi_square(d), *sum = washi_sum(square, 0, false);
    is_one_step(washi_sum(square, WASHI_ALL, false), "sub+mul+sum");
    is_one_step(sum, "sub+mul+sum");
    washi_tensor *bytes = washi_cast(washi_input(t, WASHI_U8, SHAPE(ROWS, COLUMNS)), WASHI_F32);
    is_one_step(washi_max(washi_mul(bytes, row), 0, false), "cast+mul+max");
    is_one_step(
        washi_prod(washi_tanh(washi_reshape(washi_add(a, row), SHAPE(4, 16, COLUMNS))), 1, true),
        "add+tanh+prod");
    washi_tensor *longer = washi_input(t, WASHI_F32, SHAPE(3, 5000));
    is_one_step(washi_min(washi_mul(longer, longer), 1, false), "mul+min");
    is_one_step(washi_sum(washi_take(a, indices, 0), 0, false), "take+sum");
    /* what others read as well is stored on the way; folds of one kind go along */
    is_made_of(3, (washi_tensor *[]){washi_sum(d, 0, false), sum, d}, "sub+mul+sum+sum");
    is_made_of(2, (washi_tensor *[]){sum, washi_exp(d)}, "sub+mul+exp+sum");
    is_made_of(2, (washi_tensor *[]){sum, washi_sum(square, WASHI_ALL, false)}, "sub+mul+sum; sum");
    /* rows that are needed whole, where chunks have whole ones */
    is_one_step(washi_sum(washi_mul(washi_softmax(a), b), 0, false), "softmax+mul+sum");
    is_made_of(1, (washi_tensor *[]){washi_sum(washi_softmax(longer), WASHI_ALL, false)},
               "softmax; sum");
    /* the fold's value is there when the step is done */
    is_made_of(1, (washi_tensor *[]){washi_mul(d, sum)}, "sub+mul+sum; mul");
    /* beside a matrix product's time, reading it is nothing */
    is_made_of(1,
               (washi_tensor *[]){washi_sum(washi_relu(washi_matmul(a, washi_transpose(b))), 0, false)},
               "matmul+relu; sum");
}
END_TEST

/* Its chain is in no memory but scratch, and is counted. */
START_TEST(a_fold_in_chunks)
{
    enum { N = 1 << 16 };
    washi_tensor *x = washi_input(t, WASHI_F32, SHAPE(N)), *y = washi_input(t, WASHI_F32, SHAPE(N));
    washi_tensor *loss = washi_sum(washi_square(washi_sub(x, y)), WASHI_ALL, false);
    washi_program *p = compiled(1, &loss);
    ck_assert_int_eq(p->step_count, 1);
    ck_assert_int_eq(p->steps[0].outputs, 1);
    ck_assert(p->steps[0].flops == 3.0 * N && p->steps[0].bytes == (2.0 * N + 1) * sizeof(float));
    ck_assert_uint_lt(washi_program_bytes(p), N);
    washi_program_free(p);
}
END_TEST

/* On two threads, where it is worth all of both; else its group may be split beside others. */
START_TEST(a_fold_in_chunks_on_threads)
{
    close_inputs();
    ok(washi_open(&w, &(washi_options){.threads = 2}));
    t = washi_tape_new(w);
    washi_tensor *x = washi_input(t, WASHI_F32, SHAPE(1024, 64)), *y = washi_mul(x, x);
    is_one_step(washi_sum(y, 0, false), "mul+sum");
    washi_tensor *sum = washi_sum(y, WASHI_ALL, false);
    is_one_step(sum, "mul+sum");
    washi_program *p = compiled(1, &sum);
    ck_assert_int_ge(p->steps[0].tasks, 2);
    washi_program_free(p);
    x = washi_input(t, WASHI_F32, SHAPE(256, 200)); /* one chunk */
    is_made_of(1, (washi_tensor *[]){washi_sum(washi_exp(x), 0, false)}, "exp; sum");
    x = washi_input(t, WASHI_F32, SHAPE(64, 10)); /* little */
    is_made_of(1, (washi_tensor *[]){washi_sum(washi_exp(x), 0, false)}, "exp; sum");
}
END_TEST

START_TEST(before_and_after_a_row_is_normalized)
{
    is_one_step(washi_relu(washi_mul(washi_softmax(washi_add(a, b)), a)), "add+softmax+mul+relu");
    washi_tensor *centered = washi_sub(a, washi_mean(a, -1, true));
    washi_tensor *variance = washi_mean(washi_square(centered), -1, true);
    washi_tensor *normal = washi_div(centered, washi_sqrt(washi_shift(variance, 1e-5)));
    is_one_step(washi_relu(washi_mul(normal, row)), "sum+div+sub+mul+sum+div+add+sqrt+div+mul+relu");
    is_one_step(washi_sqrt(washi_var(a, -1, false)), "sum+div+sub+sum_squares+div+sqrt");
    washi_tensor *d;
    ok(washi_grad(washi_sum(normal, WASHI_ALL, false), 1, &a, &d));
    washi_program *p = compiled(1, &d);
    ck_assert_int_eq(p->step_count, 1);
    washi_program_free(p);
    /* rows without elements are not one such row */
    washi_tensor *empty = washi_tanh(washi_input(t, WASHI_F32, SHAPE(ROWS, 0)));
    is_one_step(washi_logsumexp(empty, 1, false), "tanh+logsumexp");
    is_made_of(1, (washi_tensor *[]){washi_logsumexp(washi_reshape(empty, SHAPE(0)), 0, false)},
               "tanh; logsumexp");
}
END_TEST

/* Whichever comes first, and whether they are outputs. */
START_TEST(softmax_with_logsumexp)
{
    washi_tensor *x = washi_add(a, b), *l = washi_logsumexp(x, -1, true), *p = washi_softmax(x),
                 *q = washi_softmax(a), *m = washi_logsumexp(a, -1, true);
    washi_tensor *all[] = {washi_mul(washi_sub(x, l), p), washi_add(m, washi_sum(q, -1, true)), p, m};
    for (int n = 2; n <= 4; n++) {
        washi_program *program = compiled(n, all);
        int pairs = 0;
        for (int i = 0; i < program->step_count; i++) {
            const struct wa_fused *f = program->steps[i].geometry;
            for (int k = 0; k < f->count; k++) {
                pairs += f->code[k].run == wa_do_row_pair;
                ck_assert(f->code[k].run != wa_do_row);
            }
        }
        ck_assert_int_eq(pairs, 2);
        washi_program_free(program);
    }
    washi_tensor *apart[] = {p, washi_logsumexp(b, -1, true)};
    is_made_of(2, apart, "add+softmax; logsumexp");
}
END_TEST

START_TEST(after_rows_are_picked)
{
    washi_tensor *rows = washi_take(a, indices, 0);
    is_one_step(washi_relu(washi_add(washi_scale(rows, 2), row)), "take+mul+add+relu");
    is_one_step(washi_softmax(rows), "take+softmax");
    /* where something else reads them they are stored, in the same step */
    washi_tensor *all[2] = {rows, washi_scale(rows, 2)};
    is_made_of(2, all, "take+mul");
    washi_tensor *bytes = washi_take(washi_input(t, WASHI_U8, SHAPE(9, COLUMNS)), indices, 0);
    is_one_step(washi_sum(washi_scale(washi_cast(bytes, WASHI_F32), 0.5), 1, false),
                "take+cast+mul+sum");
}
END_TEST

/* The product packs the rows itself. */
START_TEST(before_a_product)
{
    washi_tensor *bytes = washi_take(washi_input(t, WASHI_U8, SHAPE(9, COLUMNS)), indices, 0);
    washi_tensor *x = washi_scale(washi_cast(bytes, WASHI_F32), 0.5);
    is_one_step(washi_matmul(x, washi_transpose(a)), "take+cast+mul+matmul");
    is_one_step(washi_relu(washi_matmul(x, washi_transpose(a))), "take+cast+mul+matmul+relu");
    is_one_step(washi_matmul(washi_take(b, indices, 0), washi_transpose(a)), "take+matmul");
}
END_TEST

/* Whether the program's only step makes its product where the first output will be. */
static bool made_in_output(int n, washi_tensor *const y[])
{
    washi_program *p = compiled(n, y);
    ck_assert_int_eq(p->step_count, 1);
    const struct wa_fused *f = p->steps[0].geometry;
    const bool in_output = f->gemm_c.start == WA_AT_ELEMENT;
    ck_assert(in_output ? f->gemm_c.base == p->steps[0].n : f->gemm_c.start == WA_AT_BLOCK);
    washi_program_free(p);
    return in_output;
}

START_TEST(a_product_in_its_output)
{
    washi_tensor *product = washi_matmul(a, washi_transpose(b));
    washi_tensor *y[2] = {washi_tanh(washi_scale(product, 2)), NULL};
    y[1] = washi_add(y[0], product);
    ck_assert(made_in_output(1, y));
    ck_assert(!made_in_output(1, (washi_tensor *[]){washi_sum(y[0], 1, false)}));
    ck_assert(!made_in_output(1, (washi_tensor *[]){washi_softmax(product)}));
    /* read again when the first output is there, but not when the second is */
    washi_program *p = compiled(2, y);
    const struct wa_fused *f = p->steps[0].geometry;
    ck_assert_int_eq(f->gemm_c.base, p->steps[0].n + 1);
    washi_program_free(p);
}
END_TEST

/* A layer's output and its weight's gradient, of rows of so many bytes that are picked. */
static void two_products(int64_t columns, const char *wanted)
{
    washi_tensor *bytes = washi_take(washi_input(t, WASHI_U8, SHAPE(9, columns)), indices, 0);
    washi_tensor *x = washi_scale(washi_cast(bytes, WASHI_F32), 0.5);
    washi_tensor *w1 = washi_input(t, WASHI_F32, SHAPE(columns, COLUMNS));
    washi_tensor *slope = washi_input(t, WASHI_F32, SHAPE(2 * ROWS, COLUMNS));
    washi_tensor *y[2] = {washi_tanh(washi_matmul(x, w1)),
                          washi_sub(w1, washi_matmul(washi_transpose(x), slope))};
    is_made_of(2, y, wanted);
}

/* Of two products that share the rows the first leaves what it packs, unless that is large, its rows
 * are in one cache set, or several threads would need it. */
START_TEST(packed_once_for_two_products)
{
    two_products(784, "take+cast+mul+matmul+tanh; matmul+sub");
    two_products(1024, "take+cast+mul+matmul+tanh; take+cast+mul+matmul+sub");
    two_products(16400, "take+cast+mul+matmul+tanh; take+cast+mul+matmul+sub");
    close_inputs();
    ok(washi_open(&w, &(washi_options){.threads = 2}));
    t = washi_tape_new(w);
    indices = washi_input(t, WASHI_I32, SHAPE(2 * ROWS));
    two_products(784, "take+cast+mul+matmul+tanh; take+cast+mul+matmul+sub");
}
END_TEST

/* -- what is stored -- */

START_TEST(several_values_of_a_chain)
{
    washi_tensor *y[3] = {washi_exp(a), NULL, NULL};
    y[1] = washi_tanh(y[0]);
    y[2] = washi_add(y[0], b);
    is_made_of(3, y, "exp+tanh+add");
    washi_program *p = compiled(3, y);
    ck_assert_int_eq(p->steps[0].outputs, 3);
    ck_assert_int_eq(p->steps[0].n, 2);
    washi_program_free(p);
    p = compiled(1, &y[2]);
    ck_assert_int_eq(p->steps[0].outputs, 1);
    washi_program_free(p);
}
END_TEST

/* What a rule makes of a value alone waits for the gradient: y * y is not stored beside y = tanh(x). */
START_TEST(for_a_gradient)
{
    washi_tensor *y = washi_tanh(washi_matmul(a, washi_transpose(b))), *d;
    washi_tensor *z = washi_matmul(y, b), *w1 = washi_operand(washi_operand(y, 0), 0);
    ok(washi_vjp(1, &z, &b, 1, &w1, &d));
    is_made_of(2, (washi_tensor *[]){z, d}, "matmul+tanh; matmul; matmul+mul+mul+sub; matmul");
}
END_TEST

/* -- updates -- */

static const washi_tensor *source_of(const struct wa_place *x, int64_t rows)
{
    return x->source && x->source->op == &wa_op_variable && x->shape.rank == 2 &&
                   x->shape.dim[0] == rows
               ? x->source
               : NULL;
}

/* Every matrix that the optimiser keeps is read in one step, and written where it is in the same; the
 * weight too is written in that step, which begins with the product that makes the gradient. */
static void check_update(washi_optimizer *o, int kept)
{
    enum { INPUTS = 24, UNITS = 17 };
    washi_layer layers[] = {washi_layer_dense(UNITS, washi_tanh), washi_layer_dense(3, NULL)};
    washi_model *m = washi_sequential(w, 2, layers);
    ok(washi_model_build(m, WASHI_F32, SHAPE(INPUTS)));
    washi_tensor *x = washi_input(t, WASHI_F32, SHAPE(ROWS, INPUTS)),
                 *y = washi_input(t, WASHI_F32, SHAPE(ROWS, 3));
    washi_tensor *loss = washi_mean_squared_error(y, washi_model_call(m, x, true));
    ok(washi_minimize(o, m, loss));
    washi_program *p = compiled(1, &loss);
    int writers = 0;
    for (int i = 0; i < p->step_count; i++) {
        const struct wa_step *s = &p->steps[i];
        int read = 0, written = 0;
        for (int k = 0; k < s->n; k++) read += source_of(&s->x[k], INPUTS) != NULL;
        for (int k = 0; k < s->outputs; k++) written += source_of(&s->out[k], INPUTS) != NULL;
        if (!written) {
            /* the weight alone, by the layer */
            ck_assert_int_le(read, 1);
            continue;
        }
        const struct wa_fused *f = s->geometry;
        ck_assert_int_eq(read, kept + 1);
        ck_assert_int_eq(written, kept + 1);
        ck_assert_ptr_eq(f->nodes[0]->op, &wa_op_matmul);
        ck_assert(f->multiplies && (f->update_old >= 0) == (kept == 0));
        writers++;
    }
    ck_assert_int_eq(writers, 1);
    washi_program_free(p);
    washi_optimizer_free(o);
    washi_model_free(m);
}

START_TEST(updates_are_one_pass)
{
    const washi_sgd_options plain = {.learning_rate = 0.1},
                            momentum = {.learning_rate = 0.1, .momentum = 0.9},
                            nesterov = {.learning_rate = 0.1, .momentum = 0.9, .nesterov = true};
    check_update(washi_sgd(w, &plain), 0);
    close_inputs(), open_inputs();
    check_update(washi_sgd(w, &momentum), 1);
    close_inputs(), open_inputs();
    check_update(washi_sgd(w, &nesterov), 1);
    close_inputs(), open_inputs();
    check_update(washi_adam(w, NULL), 2);
    close_inputs(), open_inputs();
    check_update(washi_adam(w, &(washi_adam_options){.weight_decay = 0.01}), 2);
}
END_TEST

int main(void)
{
    return RUN_SUITE("fusion",
                     CASE("steps", open_inputs, close_inputs, after_a_product,
                          before_and_after_a_sum_of_rows, before_a_fold_in_chunks, a_fold_in_chunks,
                          a_fold_in_chunks_on_threads, before_and_after_a_row_is_normalized,
                          softmax_with_logsumexp, after_rows_are_picked, before_a_product,
                          a_product_in_its_output, packed_once_for_two_products,
                          several_values_of_a_chain, for_a_gradient, updates_are_one_pass));
}
