/* test_recompute.c: programs that make cheap values again for derivatives (washi_options.recompute)
 * have the same bits as others, and keep one value a layer, whatever the activation is made of. */
#include "suite.h"
#include "support.h"

#include <string.h>

enum { ROWS = 64, SIDE = 128, LAYERS = 10, STEPS = 3 };

static const size_t value_bytes = ROWS * SIDE * sizeof(float);

/* Of primitive ops, most of which have derivatives that read their operands. */
static washi_tensor *own(washi_tensor *x)
{
    washi_tensor *y = washi_div(x, washi_shift(washi_sqrt(washi_shift(washi_mul(x, x), 1)), 0.5));
    return washi_add(washi_mul(y, washi_sigmoid(x)), washi_scale(washi_mul(y, washi_exp(y)), 0.1));
}

static const struct kind {
    const char *name;
    washi_unary_fn *activation;
    int values; /* that a layer keeps without the option, at least */
} kinds[] = {{"relu", washi_relu, 1}, {"tanh", washi_tanh, 1}, {"softplus", washi_softplus, 2},
             {"silu", washi_silu, 3}, {"gelu", washi_gelu, 4}, {"own", own, 5}};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* Trains a network a little: its weights, and the bytes of its program. */
static size_t train(washi_unary_fn *activation, int threads, bool again,
                    float weights[LAYERS][SIDE * SIDE])
{
    washi *w;
    ok(washi_open(&w, &(washi_options){.threads = threads, .recompute = again}));
    washi_tape *t = washi_tape_new(w);
    washi_tensor *x = washi_input(t, WASHI_F32, SHAPE(ROWS, SIDE)), *h = x, *in[LAYERS], *d[LAYERS];
    static float data[ROWS * SIDE];
    ok(washi_fill_normal(w, 1, 0, ROWS * SIDE, data));
    ok(washi_feed(x, data));
    for (int k = 0; k < LAYERS; k++) {
        ok(washi_fill_normal(w, 2, (uint64_t)k * SIDE * SIDE, SIDE * SIDE, weights[k]));
        for (int i = 0; i < SIDE * SIDE; i++) weights[k][i] *= 0.1f;
        in[k] = washi_variable(t, WASHI_F32, SHAPE(SIDE, SIDE), weights[k]);
        h = activation(washi_matmul(h, in[k]));
    }
    washi_tensor *loss = washi_mean(washi_mul(h, h), WASHI_ALL, false);
    ok(washi_grad(loss, LAYERS, in, d));
    for (int k = 0; k < LAYERS; k++) ok(washi_assign(in[k], washi_sub(in[k], washi_scale(d[k], 0.1))));
    washi_program *p = washi_compile(t, 1, &loss);
    ck_assert_msg(p, "%s", washi_message());
    for (int i = 0; i < STEPS; i++) ok(washi_run(p));
    const size_t bytes = washi_program_bytes(p);
    washi_program_free(p);
    washi_tape_free(t);
    washi_close(w);
    return bytes;
}

START_TEST(one_value_a_layer_is_kept)
{
    static float plain[LAYERS][SIDE * SIDE], again[LAYERS][SIDE * SIDE], first[LAYERS][SIDE * SIDE];
    for (int i = 0; i < KINDS; i++)
        for (int threads = 1; threads <= 3; threads++) {
            const struct kind *k = &kinds[i];
            const size_t most = train(k->activation, threads, false, plain),
                         least = train(k->activation, threads, true, again),
                         more = (size_t)threads * 256 * 1024; /* scratch memory */
            if (threads == 1) memcpy(first, plain, sizeof first);
            ck_assert_mem_eq(plain, first, sizeof plain);
            ck_assert_mem_eq(again, first, sizeof again);
            ck_assert_msg(most > (size_t)k->values * (LAYERS - 1) * value_bytes, "%s: %zu bytes",
                          k->name, most);
            ck_assert_msg(least < (LAYERS + 6) * value_bytes + more,
                          "%s, %d threads: %zu bytes, %zu when all is kept", k->name, threads, least,
                          most);
        }
}
END_TEST

/* What the caller sees is in memory anyway: nothing is made again in its place. */
START_TEST(outputs_are_read_where_they_are)
{
    washi *w;
    ok(washi_open(&w, &(washi_options){.threads = 1, .recompute = true}));
    washi_tape *t = washi_tape_new(w);
    washi_tensor *x = washi_input(t, WASHI_F32, SHAPE(ROWS, SIDE)), *d;
    washi_tensor *m = washi_matmul(x, washi_full(t, WASHI_F32, SHAPE(SIDE, SIDE), 0.01));
    washi_tensor *y = washi_softplus(m), *z = washi_matmul(y, washi_transpose(y));
    ok(washi_grad(washi_sum(washi_mul(z, z), WASHI_ALL, false), 1, &x, &d));
    for (int shown = 0; shown < 2; shown++) {
        washi_program *p = washi_compile(t, 1 + shown, (washi_tensor *[]){d, y});
        ck_assert_ptr_nonnull(p);
        ck_assert_int_eq(dumped(p, "softplus"), shown ? 1 : 2);
        washi_program_free(p);
    }
    washi_tape_free(t);
    washi_close(w);
}
END_TEST

START_TEST(memory_may_run_out)
{
    washi *w;
    heap = (struct heap){.fail_at = -1};
    ok(washi_open(&w, &(washi_options){.resize = counted, .threads = 1, .recompute = true}));
    washi_tape *t = washi_tape_new(w);
    washi_tensor *x = washi_input(t, WASHI_F32, SHAPE(ROWS, SIDE)), *h = x, *d;
    for (int k = 0; k < 3; k++)
        h = washi_matmul(own(h), washi_full(t, WASHI_F32, SHAPE(SIDE, SIDE), k));
    ok(washi_grad(washi_sum(washi_mul(h, h), WASHI_ALL, false), 1, &x, &d));
    const long blocks = (long)heap.blocks;
    washi_program *p = NULL;
    int failures = 0;
    for (; !p; failures++) {
        heap.fail_at = heap.calls + failures;
        p = washi_compile(t, 1, &d);
        heap.fail_at = -1;
        ck_assert_int_eq(washi_tape_status(t), WASHI_OK);
        if (!p) ck_assert_int_eq((long)heap.blocks, blocks);
    }
    ck_assert_int_gt(failures, 3);
    washi_program_free(p);
    washi_tape_free(t);
    washi_close(w);
}
END_TEST

int main(void)
{
    return RUN_SUITE("recompute", CASE("recompute", NULL, NULL, one_value_a_layer_is_kept,
                                       outputs_are_read_where_they_are, memory_may_run_out));
}
