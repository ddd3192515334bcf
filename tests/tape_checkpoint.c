/* tape_checkpoint.c: pieces recomputed in the reverse pass, through the public header: the same bits,
 * in less memory; what they read besides their inputs; pieces in pieces. */
#define _POSIX_C_SOURCE 200809L
#include "tape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 32, LAYERS = 24, A_PIECE = 6 };

static double weights[LAYERS][SIDE * SIDE], start[SIDE * SIDE];

static void draw(void)
{
    uint64_t seed = 11;
    for (int i = 0; i < SIDE * SIDE; i++) {
        start[i] = between(&seed, -1, 1);
        for (int k = 0; k < LAYERS; k++) weights[k][i] = between(&seed, -0.3, 0.3);
    }
}

/* Some layers from the one that config tells; their weights are read besides x. */
struct layers {
    int from, count;
    int *calls;
};

static washi_tensor *run_layers(int n, washi_tensor *const x[], const void *config)
{
    const struct layers *l = config;
    washi_tensor *h = x[0];
    ck_assert_int_eq(n, 1);
    if (l->calls) ++*l->calls;
    for (int k = l->from; k < l->from + l->count; k++) {
        washi_tensor *w1 = washi_variable(washi_tape_of(h), WASHI_F64, SHAPE(SIDE, SIDE), weights[k]);
        h = washi_add(washi_tanh(washi_matmul(h, w1)), washi_scale(h, 0.5));
    }
    return h;
}

/* All layers in a piece, which is made of two pieces. */
static washi_tensor *nested(int n, washi_tensor *const x[], const void *config)
{
    const struct layers *l = config;
    const struct layers half[2] = {{l->from, l->count / 2, l->calls},
                                   {l->from + l->count / 2, l->count - l->count / 2, l->calls}};
    washi_tensor *h = washi_checkpoint(run_layers, &half[0], n, x);
    return washi_checkpoint(run_layers, &half[1], 1, &h);
}

enum way { PLAIN, PIECES, NESTED };

/* The loss by the layers, its gradients by x and the first and a middle weight, and a Hessian-vector
 * product. */
enum { OUTPUTS = 5 };
struct network {
    washi_tape *tape;
    washi_program *p;
    washi_tensor *out[OUTPUTS];
};

static struct network open_network(washi *by, enum way way, bool second)
{
    struct network m = {.tape = washi_tape_new(by)};
    washi_tensor *x = washi_input(m.tape, WASHI_F64, SHAPE(SIDE, SIDE)), *h = x;
    ok(washi_feed(x, start));
    int calls = 0;
    for (int k = 0; k < LAYERS; k += A_PIECE) {
        struct layers l = {k, A_PIECE, &calls};
        washi_tensor *y = way == PLAIN    ? run_layers(1, &h, &l)
                          : way == PIECES ? washi_checkpoint(run_layers, &l, 1, &h)
                                          : washi_checkpoint(nested, &l, 1, &h);
        h = washi_sub(y, washi_scale(h, 0.75)); /* h is read twice in the piece, and after it */
        memset(&l, 0xff, sizeof l); /* the piece is recorded: nothing of the call is read again */
    }
    washi_tensor *in[3] = {x, washi_variable(m.tape, WASHI_F64, SHAPE(SIDE, SIDE), weights[0]),
                           washi_variable(m.tape, WASHI_F64, SHAPE(SIDE, SIDE), weights[LAYERS / 2])};
    m.out[0] = washi_sum(washi_mul(h, h), WASHI_ALL, false);
    ok(washi_grad(m.out[0], 3, in, m.out + 1));
    washi_tensor *v = washi_constant(m.tape, WASHI_F64, SHAPE(SIDE, SIDE), weights[3]);
    m.out[4] = m.out[0];
    if (second) ok(washi_hvp(m.out[0], 1, &x, &v, &m.out[4]));
    ck_assert_int_eq(calls, LAYERS / A_PIECE * (way == NESTED ? 2 : 1)); /* none in the sweep */
    m.p = washi_compile(m.tape, OUTPUTS, m.out);
    ck_assert_msg(m.p, "%s", washi_message());
    ok(washi_run(m.p));
    return m;
}

static void close_network(struct network *m)
{
    washi_program_free(m->p);
    washi_tape_free(m->tape);
}

static void same_outputs(const struct network *a, const struct network *b)
{
    for (int i = 0; i < OUTPUTS; i++) {
        const size_t n = (size_t)washi_size(washi_shape_of(a->out[i]));
        ck_assert_int_eq(first_difference(WASHI_F64, n, washi_data(a->out[i]), washi_data(b->out[i])),
                         -1);
    }
    ck_assert_double_gt(fabs(element(b->out[1], 5)), 1e-9);
    ck_assert_double_gt(fabs(element(b->out[2], 5)), 1e-9);
    ck_assert_double_gt(fabs(element(b->out[3], 5)), 1e-9);
}

START_TEST(same_bits_in_less_memory)
{
    draw();
    struct network plain = open_network(w, PLAIN, false);
    const size_t bytes = washi_program_bytes(plain.p), value = SIDE * SIDE * sizeof(double);
    ck_assert_uint_gt(bytes, LAYERS * value); /* a value of each layer is kept */
    for (enum way way = PIECES; way <= NESTED; way++) {
        struct network m = open_network(w, way, false);
        same_outputs(&plain, &m);
        const size_t kept = LAYERS / A_PIECE + 2 * A_PIECE + 6;
        ck_assert_msg(washi_program_bytes(m.p) < kept * value + 65536, "%zu bytes, %zu without pieces",
                      washi_program_bytes(m.p), bytes);
        /* Every layer of a piece is multiplied twice forward, in pieces within pieces three times. */
        const int plainly = dumped(plain.p, "matmul"), extra = dumped(m.p, "matmul") - plainly;
        ck_assert_int_ge(extra, (int)way * (LAYERS - LAYERS / A_PIECE * (int)way * 2));
        close_network(&m);
    }
    close_network(&plain);
}
END_TEST

/* Beyond the first order the sums are made in another order. */
START_TEST(same_second_order)
{
    draw();
    struct network plain = open_network(w, PLAIN, true);
    for (enum way way = PIECES; way <= NESTED; way++) {
        struct network m = open_network(w, way, true);
        for (int i = 0; i < SIDE * SIDE; i++)
            ck_assert_double_eq_tol(element(m.out[4], i), element(plain.out[4], i), 1e-10);
        ck_assert_double_gt(fabs(element(m.out[4], 5)), 1e-3);
        close_network(&m);
    }
    close_network(&plain);
}
END_TEST

START_TEST(same_bits_in_every_setting)
{
    draw();
    struct settings set = open_settings();
    struct network plain = open_network(w, PLAIN, false);
    for (int i = 0; i < set.count; i++) {
        struct network m = open_network(set.w[i], PIECES, false);
        same_outputs(&plain, &m);
        close_network(&m);
    }
    close_network(&plain);
    close_settings(&set);
}
END_TEST

/* -- what a piece reads besides its inputs -- */

struct outside {
    washi_tensor *a, *b, *indices;
};

/* x[0] * a + b * taken x[1]; b was made from a. */
static washi_tensor *read_outside(int n, washi_tensor *const x[], const void *config)
{
    const struct outside *o = config;
    (void)n;
    washi_tensor *taken = washi_take(x[1], o->indices ? o->indices : x[2], 0);
    return washi_add(washi_mul(x[0], o->a), washi_mul(o->b, washi_mul(taken, washi_tanh(taken))));
}

START_TEST(everything_read_gets_its_gradient)
{
    const double first[3] = {1, 2, 3}, second[4] = {0.1, 0.2, 0.3, 0.4};
    const int32_t at[3] = {2, 0, 2};
    double value[2][4][4];
    for (int turn = 0; turn < 4; turn++) {
        washi_tensor *x[3] = {vector(3, first), vector(4, second),
                              washi_constant(t, WASHI_I32, SHAPE(3), at)};
        washi_tensor *a = number(1.5), *d[4], *in[4] = {x[0], x[1], a, NULL};
        struct outside o = {a, washi_exp(a), turn > 1 ? x[2] : NULL};
        in[3] = o.b;
        const int n = turn > 1 ? 2 : 3;
        washi_tensor *y = turn % 2 ? washi_checkpoint(read_outside, &o, n, x) : read_outside(n, x, &o);
        ok(washi_grad(washi_mul(y, y), 4, in, d));
        ok(washi_eval(4, d));
        for (int i = 0; i < 4; i++)
            for (int64_t k = 0; k < washi_size(washi_shape_of(d[i])); k++)
                value[turn % 2][i][k] = element(d[i], k);
        if (turn % 2) {
            for (int k = 0; k < 3; k++) ck_assert_double_eq(value[0][0][k], value[1][0][k]);
            for (int k = 0; k < 4; k++) ck_assert_double_eq(value[0][1][k], value[1][1][k]);
            ck_assert_double_eq(value[0][2][0], value[1][2][0]);
            ck_assert_double_eq(value[0][3][0], value[1][3][0]);
            ck_assert_double_gt(fabs(value[1][2][0]), 1);
        }
        new_tape();
    }
}
END_TEST

/* Random numbers are the same, and are drawn again too. */
struct dropping {
    washi_tensor *draw;
    uint64_t stream;
};

static washi_tensor *drop_some(int n, washi_tensor *const x[], const void *config)
{
    const struct dropping *d = config;
    washi_tensor *h = x[0];
    (void)n;
    for (uint64_t k = 0; k < A_PIECE; k++)
        h = washi_tanh(
            washi_mul(h, washi_uniform(t, WASHI_F64, SHAPE(SIDE, SIDE), d->stream + k, d->draw)));
    return h;
}

START_TEST(random_numbers_are_drawn_again)
{
    draw();
    int32_t count = 3;
    for (int turn = 0; turn < 2; turn++) { /* a draw on the tape, and none */
        double *value[2];
        size_t bytes[2];
        for (int way = 0; way < 2; way++) {
            washi_tensor *x = fed(SHAPE(SIDE, SIDE), start), *h = x, *dx;
            struct dropping d = {turn ? NULL : washi_variable(t, WASHI_I32, SCALAR, &count), 0};
            for (; d.stream < 4 * A_PIECE; d.stream += A_PIECE)
                h = way ? washi_checkpoint(drop_some, &d, 1, &h) : drop_some(1, &h, &d);
            ok(washi_grad(h, 1, &x, &dx));
            washi_program *p = compiled(1, &dx);
            ok(washi_run(p));
            bytes[way] = washi_program_bytes(p);
            value[way] = malloc(sizeof start);
            memcpy(value[way], washi_data(dx), sizeof start);
            washi_program_free(p);
            new_tape();
        }
        ck_assert_mem_eq(value[0], value[1], sizeof start);
        /* The numbers alone, kept, would be 24 values. */
        ck_assert_uint_lt(bytes[1], 24 * sizeof start);
        ck_assert_uint_gt(bytes[0], 24 * sizeof start);
        free(value[0]);
        free(value[1]);
    }
}
END_TEST

/* One input depends on the other, and is given twice. */
static washi_tensor *three(int n, washi_tensor *const x[], const void *config)
{
    (void)config;
    ck_assert_int_eq(n, 3);
    return washi_mul(washi_exp(x[0]), washi_mul(x[1], x[2]));
}

START_TEST(inputs_may_depend_on_each_other)
{
    washi_tensor *x = number(0.5), *square = washi_mul(x, x), *in[3] = {x, square, square}, *dx[2];
    washi_tensor *y = washi_checkpoint(three, NULL, 3, in), *v = number(2), *dy;
    ok(washi_grad(y, 2, in, dx)); /* exp(x) x^4 */
    ok(washi_jvp(1, &y, 1, &x, &v, &dy));
    washi_tensor *second;
    ok(washi_grad(dx[0], 1, &x, &second));
    ok(washi_eval(4, (washi_tensor *[]){dx[0], dx[1], dy, second}));
    const double e = exp(0.5);
    ck_assert_double_eq_tol(element(dx[0], 0), e * (0.0625 + 4 * 0.125), 1e-14);
    ck_assert_double_eq_tol(element(dx[1], 0), e * 2 * 0.25, 1e-14);
    ck_assert_double_eq_tol(element(dy, 0), 2 * e * (0.0625 + 4 * 0.125), 1e-14);
    ck_assert_double_eq_tol(element(second, 0), e * (0.0625 + 8 * 0.125 + 12 * 0.25), 1e-13);
}
END_TEST

/* -- little pieces and mistakes -- */

static washi_tensor *same(int n, washi_tensor *const x[], const void *config)
{
    (void)config;
    return x[n - 1];
}

static washi_tensor *nothing(int n, washi_tensor *const x[], const void *config)
{
    (void)n, (void)x, (void)config;
    return NULL;
}

static washi_tensor *elsewhere(int n, washi_tensor *const x[], const void *config)
{
    (void)n, (void)x;
    return washi_scalar((washi_tape *)(uintptr_t)config, WASHI_F64, 1);
}

static washi_tensor *mistaken(int n, washi_tensor *const x[], const void *config)
{
    (void)n, (void)config;
    return washi_matmul(x[0], x[0]);
}

START_TEST(misused_pieces)
{
    washi_tensor *x = number(2);
    ck_assert(washi_checkpoint(same, NULL, 1, &x) == x);
    ck_assert_ptr_null(washi_checkpoint(nothing, NULL, 1, &x));
    fails(washi_tape_status(t), WASHI_MISUSE, "checkpoint: the function's result is NULL");
    new_tape();
    washi_tape *other = washi_tape_new(w);
    x = number(2);
    ck_assert_ptr_null(washi_checkpoint(elsewhere, other, 1, &x));
    fails(washi_tape_status(t), WASHI_MISUSE, "checkpoint: the function's result is on another tape");
    new_tape();
    washi_tensor *both[2] = {number(1), washi_scalar(other, WASHI_F64, 1)};
    ck_assert_ptr_null(washi_checkpoint(same, NULL, 2, both));
    fails(washi_tape_status(t), WASHI_MISUSE, "checkpoint: x[1] is on another tape");
    washi_tape_free(other);
    new_tape();
    x = number(2);
    ck_assert_ptr_null(washi_checkpoint(mistaken, NULL, 1, &x));
    fails(washi_tape_status(t), WASHI_BAD_SHAPE, "matmul: [] x []: two axes wanted on both sides");
    new_tape();
    x = number(2);
    ck_assert_ptr_null(washi_checkpoint(NULL, NULL, 1, &x));
    fails(washi_tape_status(t), WASHI_MISUSE, "checkpoint: the function is NULL");
    ck_assert(!washi_checkpoint(same, NULL, 0, NULL));
}
END_TEST

TCase *checkpoint_case(void)
{
    return CASE("checkpoint", open_tape, close_tape, same_bits_in_less_memory, same_second_order,
                same_bits_in_every_setting, everything_read_gets_its_gradient,
                random_numbers_are_drawn_again, inputs_may_depend_on_each_other, misused_pieces);
}
