/* test_packs.c: a right operand that several matrix products read is packed once, in a step of its own,
 * where that pays, and no bit is another for it. */
#define _POSIX_C_SOURCE 200809L
#include "suite.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 160, SIDE = 260, STEPS = 9, RUNS = 3 };

static washi *w;
static washi_tape *t;

static void open_tape(int threads, bool fuse)
{
    setenv("WASHI_FUSE", fuse ? "1" : "0", 1);
    ok(washi_open(&w, &(washi_options){.threads = threads}));
    unsetenv("WASHI_FUSE");
    t = washi_tape_new(w);
}

static void close_tape(void)
{
    washi_tape_free(t);
    washi_close(w);
}

/* An unrolled recurrent net. */
static washi_tensor *net(washi_tensor *h, washi_tensor *weight, int steps)
{
    for (int i = 0; i < steps; i++) h = washi_tanh(washi_matmul(h, weight));
    return h;
}

/* Trains one: how many packs its program has, its weights after some runs, and its last values. */
static int train(int threads, bool fuse, float *weights, float *last)
{
    static float data[ROWS * SIDE];
    open_tape(threads, fuse);
    ok(washi_fill_normal(w, 1, 0, ROWS * SIDE, data));
    ok(washi_fill_normal(w, 2, 0, SIDE * SIDE, weights));
    for (int i = 0; i < SIDE * SIDE; i++) weights[i] *= 0.1f;
    washi_tensor *x = washi_input(t, WASHI_F32, SHAPE(ROWS, SIDE)), *d;
    washi_tensor *weight = washi_variable(t, WASHI_F32, SHAPE(SIDE, SIDE), weights);
    washi_tensor *h = net(x, weight, STEPS), *loss = washi_mean(washi_mul(h, h), WASHI_ALL, false);
    ok(washi_feed(x, data));
    ok(washi_grad(loss, 1, &weight, &d));
    ok(washi_assign(weight, washi_sub(weight, washi_scale(d, 0.5))));
    washi_program *p = washi_compile(t, 2, (washi_tensor *[]){loss, h});
    ck_assert_msg(p, "%s", washi_message());
    for (int i = getenv("WASHI_LEAN") ? RUNS - 1 : 0; i < RUNS; i++) ok(washi_run(p));
    memcpy(last, washi_data(h), sizeof(float) * ROWS * SIDE);
    const int packs = dumped(p, "pack");
    washi_program_free(p);
    close_tape();
    return packs;
}

/* One for the forward pass and one, of the weight transposed, for the gradient; the weight, which the
 * program updates, is packed as it was before. */
START_TEST(an_unrolled_net_has_two)
{
    static float weights[2][SIDE * SIDE], last[2][ROWS * SIDE];
    ck_assert_int_eq(train(1, false, weights[0], last[0]), 0);
    for (int threads = 1; threads <= (getenv("WASHI_LEAN") ? 1 : 3); threads++) {
        ck_assert_int_eq(train(threads, true, weights[1], last[1]), 2);
        ck_assert_mem_eq(weights[1], weights[0], sizeof *weights);
        ck_assert_mem_eq(last[1], last[0], sizeof *last);
    }
}
END_TEST

static int packs_of(int n, washi_tensor *const y[])
{
    washi_program *p = washi_compile(t, n, y);
    ck_assert_msg(p, "%s", washi_message());
    const int packs = dumped(p, "pack");
    washi_program_free(p);
    return packs;
}

/* Not for one product, nor where products read it in different ways, or would not pack it. */
START_TEST(where_it_pays)
{
    open_tape(1, true);
    washi_tensor *weight = washi_input(t, WASHI_F32, SHAPE(512, 512)), *y[3];
    for (int i = 0; i < 3; i++) y[i] = washi_matmul(washi_input(t, WASHI_F32, SHAPE(64, 512)), weight);
    ck_assert_int_eq(packs_of(1, y), 0);
    ck_assert_int_eq(packs_of(2, y), 1);
    ck_assert_int_eq(packs_of(3, y), 1);
    y[1] = washi_matmul(washi_input(t, WASHI_F32, SHAPE(64, 512)), washi_transpose(weight));
    ck_assert_int_eq(packs_of(2, y), 0);
    for (int i = 0; i < 3; i++)
        y[i] = washi_matmul(washi_input(t, WASHI_F32, SHAPE(i ? 1 : 4, 512)), weight);
    ck_assert_int_eq(packs_of(3, y), 0);
    y[0] = washi_matmul(washi_input(t, WASHI_F32, SHAPE(3, 64, 512)), weight);
    ck_assert_int_eq(packs_of(1, y), 1);
    close_tape();
}
END_TEST

/* Products of a batch, and one of a single row among others, have the same bits with it. */
START_TEST(products_of_all_kinds)
{
    static float a[5 * 64 * 140], b[140 * 600], want[5 * 64 * 600 + 600];
    for (int threads = 1; threads <= 3; threads++)
        for (int fuse = 0; fuse < 2; fuse++) {
            open_tape(threads, fuse);
            ok(washi_fill_normal(w, 1, 0, sizeof a / sizeof *a, a));
            ok(washi_fill_normal(w, 2, 0, sizeof b / sizeof *b, b));
            washi_tensor *x = washi_input(t, WASHI_F32, SHAPE(5, 64, 140)),
                         *row = washi_input(t, WASHI_F32, SHAPE(1, 140)),
                         *m = washi_input(t, WASHI_F32, SHAPE(600, 140));
            ok(washi_feed(x, a));
            ok(washi_feed(row, a));
            ok(washi_feed(m, b));
            washi_tensor *y[2] = {washi_tanh(washi_matmul(x, washi_transpose(m))),
                                  washi_matmul(row, washi_transpose(m))};
            washi_program *p = washi_compile(t, 2, y);
            ck_assert_ptr_nonnull(p);
            ok(washi_run(p));
            if (threads == 1) ck_assert_int_eq(dumped(p, "pack"), fuse);
            if (threads == 1 && !fuse) {
                memcpy(want, washi_data(y[0]), sizeof(float) * 5 * 64 * 600);
                memcpy(want + 5 * 64 * 600, washi_data(y[1]), sizeof(float) * 600);
            }
            ck_assert_mem_eq(washi_data(y[0]), want, sizeof(float) * 5 * 64 * 600);
            ck_assert_mem_eq(washi_data(y[1]), want + 5 * 64 * 600, sizeof(float) * 600);
            washi_program_free(p);
            close_tape();
        }
}
END_TEST

/* Rows picked by index, which one product leaves packed for another, beside a pack. */
START_TEST(with_rows_picked)
{
    enum { TABLE = 200, PIXELS = 140, UNITS = 600 };
    static unsigned char bytes[TABLE * PIXELS];
    static float b[PIXELS * UNITS], want[2][ROWS * UNITS];
    int32_t index[ROWS];
    for (int i = 0; i < TABLE * PIXELS; i++)
        bytes[i] = (unsigned char)((unsigned)i * 2654435761u >> 24);
    for (int i = 0; i < ROWS; i++) index[i] = i * 7 % TABLE;
    for (int fuse = 0; fuse < 2; fuse++) {
        open_tape(1, fuse);
        ok(washi_fill_normal(w, 2, 0, sizeof b / sizeof *b, b));
        washi_tensor *m = washi_input(t, WASHI_F32, SHAPE(PIXELS, UNITS)),
                     *in = washi_input(t, WASHI_F32, SHAPE(ROWS, PIXELS)),
                     *earlier = washi_matmul(in, m); /* so that the pack is, too */
        washi_tensor *table = washi_constant(t, WASHI_U8, SHAPE(TABLE, PIXELS), bytes),
                     *at = washi_input(t, WASHI_I32, SHAPE(ROWS));
        ok(washi_feed(at, index));
        ok(washi_feed(m, b));
        ok(washi_feed(in, b));
        washi_tensor *x = washi_scale(washi_cast(washi_take(table, at, 0), WASHI_F32), 1 / 255.0);
        washi_tensor *one = washi_tanh(washi_matmul(x, m));
        washi_tensor *y[2] = {washi_matmul(washi_transpose(x), one), washi_add(one, earlier)};
        washi_program *p = washi_compile(t, 2, y);
        ck_assert_msg(p, "%s", washi_message());
        ck_assert_int_eq(dumped(p, "pack"), fuse);
        ck_assert_int_eq(dumped(p, "take"), 1);
        ok(washi_run(p));
        for (int i = 0; i < 2; i++) {
            const size_t size = (size_t)washi_size(washi_shape_of(y[i])) * sizeof(float);
            ck_assert_uint_le(size, sizeof want[i]);
            if (!fuse) memcpy(want[i], washi_data(y[i]), size);
            ck_assert_mem_eq(washi_data(y[i]), want[i], size);
        }
        washi_program_free(p);
        close_tape();
    }
}
END_TEST

int main(void)
{
    return RUN_SUITE("packs", CASE("packs", NULL, NULL, an_unrolled_net_has_two, where_it_pays,
                                   products_of_all_kinds, with_rows_picked));
}
