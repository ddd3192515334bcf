/* tape_memory.c: where memory comes from and goes to: none taken by a run, every allocation failing in
 * turn. */
#include "tape.h"

#include <math.h>
#include <string.h>

static int32_t label[5] = {0, 2, 1, 2, 0};
static float weight[12];

static washi_tensor *hidden(int n, washi_tensor *const x[], const void *config)
{
    (void)n;
    washi_tensor *v = *(washi_tensor *const *)config;
    return washi_name(washi_relu(washi_matmul(x[0], v)), "hidden");
}

/* A small training step with much of the table in it: the loss, its gradient, an assignment. */
static washi_tensor *record_step(washi_tape *tape)
{
    washi_tensor *x = washi_full(tape, WASHI_F32, SHAPE(5, 4), 0.25), *dw = NULL;
    washi_tensor *v = washi_variable(tape, WASHI_F32, SHAPE(4, 3), weight);
    washi_tensor *l = washi_constant(tape, WASHI_I32, SHAPE(5), label);
    washi_tensor *in = washi_mul(x, washi_take(x, l, 0)), *h = washi_checkpoint(hidden, &v, 1, &in);
    h = washi_concat(2, (washi_tensor *[]){h, washi_pad(washi_slice(h, 1, 1, 3), 1, 0, 1)}, 0);
    washi_tensor *hot = washi_one_hot(washi_concat(2, (washi_tensor *[]){l, l}, 0), 3, WASHI_F32);
    washi_tensor *loss = washi_neg(washi_mean(washi_mul(hot, washi_log_softmax(h)), WASHI_ALL, false));
    loss = washi_add(loss, washi_max(washi_permute(h, (int[]){1, 0}), WASHI_ALL, false));
    washi_grad(loss, 1, &v, &dw);
    washi_assign(v, washi_sub(v, washi_scale(dw, 0.1)));
    return loss;
}

static void reset(void)
{
    for (int i = 0; i < 12; i++) weight[i] = 0.5f - 0.25f * (float)(i % 4);
}

/* -- each allocation fails -- */

/* Records, differentiates, compiles, runs and evaluates on a context made for it; the first status that
 * is not OK. */
static washi_status everything(double *loss)
{
    washi *by = NULL;
    washi_status status = washi_open(&by, &(washi_options){.resize = counted, .threads = 1});
    if (status) return status;
    washi_tape *tape = washi_tape_new(by);
    washi_tensor *y = tape ? record_step(tape) : NULL;
    status = tape ? washi_tape_status(tape) : WASHI_NO_MEMORY;
    if (!status) ck_assert_ptr_nonnull(y);
    washi_program *p = status ? NULL : washi_compile(tape, 1, &y);
    if (!status && !p) status = WASHI_NO_MEMORY;
    if (!status) status = washi_run(p);
    if (!status) *loss = (double)*washi_f32(y);
    if (!status) status = washi_eval(1, &y);
    washi_program_free(p);
    if (!status) ck_assert_ptr_nonnull(washi_f32(y));
    washi_tape_free(tape);
    washi_close(by);
    return status;
}

START_TEST(every_allocation_fails_in_turn)
{
    heap = (struct heap){.fail_at = -1};
    double wanted = 0, loss = 0;
    reset();
    ok(everything(&wanted));
    const long calls = heap.calls;
    ck_assert_int_gt((int)calls, 8);
    for (int after = 0; after < 2; after++)
        for (long at = 0; at < calls; at++) {
            char before[40];
            snprintf(before, sizeof before, "before allocation %ld", at);
            washi_fail(NULL, WASHI_IO, "%s", before);
            heap = (struct heap){.fail_at = at, .all_after = after};
            reset();
            const washi_status status = everything(&loss);
            ck_assert_msg(status == WASHI_NO_MEMORY, "allocation %ld: %s", at,
                          washi_status_name(status));
            ck_assert_msg(strstr(washi_message(), "memory"), "allocation %ld: \"%s\"", at,
                          washi_message());
            ck_assert_msg(!heap.blocks && !heap.bytes, "allocation %ld: %zu blocks stay", at,
                          heap.blocks);
        }
    heap = (struct heap){.fail_at = -1};
    reset();
    ok(everything(&loss));
    ck_assert(fpclassify(loss - wanted) == FP_ZERO);
}
END_TEST

/* A tape outlives a compile or an eval without memory, and works when there is some again. */
START_TEST(memory_comes_back)
{
    reset();
    open_tape();
    washi_tensor *y = record_step(t);
    ok(washi_tape_status(t));
    for (int i = 0; i < 3; i++) {
        heap.fail_at = heap.calls + i;
        ck_assert_ptr_null(washi_compile(t, 1, &y));
        heap.fail_at = heap.calls + i;
        ck_assert_int_eq(washi_eval(1, &y), WASHI_NO_MEMORY);
    }
    heap.fail_at = -1;
    ck_assert_int_eq(washi_tape_status(t), WASHI_OK);
    ck_assert(isfinite(washi_item(y)));
    washi_program *p = compiled(1, &y);
    const long calls = heap.calls;
    for (int i = 0; i < 100; i++) ok(washi_run(p));
    ck_assert_int_eq((int)(heap.calls - calls), 0); /* a run takes none */
    ck_assert_uint_gt(washi_program_bytes(p), 0);
    washi_program_free(p);
    close_tape();
}
END_TEST

START_TEST(a_program_takes_its_values_along)
{
    open_tape();
    double data[2] = {1, 2};
    washi_tensor *x = fed(SHAPE(2), data), *y = washi_exp(x), *view = washi_reshape(y, SHAPE(2, 1));
    washi_program *p = compiled(2, (washi_tensor *[]){y, view});
    ck_assert(!washi_data(y) && !washi_data(view));
    ok(washi_run(p));
    ck_assert(washi_data(y) && washi_data(view) && washi_f64(y) && !washi_f32(y));
    washi_program_free(p);
    ck_assert(!washi_data(y) && !washi_data(view) && washi_data(x) == data);
    close_tape();
}
END_TEST

/* A chain of steps needs room for two values, whatever its length. */
START_TEST(memory_is_used_again)
{
    size_t bytes[2];
    for (int k = 0; k < 2; k++) {
        open_tape();
        washi_tensor *x = washi_full(t, WASHI_F64, SHAPE(64, 64), 0.01);
        for (int i = 0; i < (k ? 50 : 5); i++) x = washi_tanh(washi_matmul(x, x));
        washi_program *p = compiled(1, &x);
        bytes[k] = washi_program_bytes(p);
        washi_program_free(p);
        close_tape();
    }
    ck_assert_uint_eq(bytes[0], bytes[1]);
    ck_assert_uint_lt(bytes[0], 5 * 64 * 64 * sizeof(double));
}
END_TEST

START_TEST(arrays)
{
    open_tape();
    washi_array a = {.data = &a};
    ok(washi_array_new(w, WASHI_I32, SHAPE(3, 5), &a));
    ck_assert(a.type == WASHI_I32 && same_shape(a.shape, SHAPE(3, 5)) && (uintptr_t)a.data % 64 == 0);
    for (size_t i = 0; i < 15; i++) ck_assert(fpclassify(get(a.type, a.data, i)) == FP_ZERO);
    washi_release(w, &a);
    ck_assert_ptr_null(a.data);
    washi_release(w, &a);
    washi_release(w, NULL);
    ok(washi_array_new(w, WASHI_U8, SHAPE(0), &a));
    ck_assert_ptr_nonnull(a.data);
    washi_release(w, &a);
    fails(washi_array_new(w, (washi_dtype)9, SCALAR, &a), WASHI_BAD_TYPE,
          "array_new: there is no type 9");
    fails(washi_array_new(w, WASHI_F32, SHAPE(-2), &a), WASHI_BAD_SHAPE, "array_new: [-2] is no shape");
    ck_assert_int_eq(washi_array_new(NULL, WASHI_F32, SCALAR, &a), WASHI_MISUSE);
    ck_assert_int_eq(washi_array_new(w, WASHI_F32, SCALAR, NULL), WASHI_MISUSE);
    close_tape();
}
END_TEST

TCase *memory_case(void)
{
    return CASE("memory", NULL, NULL, every_allocation_fails_in_turn, memory_comes_back,
                a_program_takes_its_values_along, memory_is_used_again, arrays);
}
