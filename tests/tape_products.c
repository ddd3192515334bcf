/* tape_products.c: matrix products that pack rows picked by index themselves, and such with much behind
 * them: the same bits at every CPU level and number of threads, fused or not. */
#include "tape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE = 50, WIDTH = 10, OUTPUTS = 4 };

/* Takes what a setting has made and compares it with what the first one made. */
struct made {
    void *first[OUTPUTS];
    size_t size[OUTPUTS];
};

static void compare(struct made *m, washi_tensor *y[], bool first, const char *what, const char *by)
{
    for (int i = 0; i < OUTPUTS; i++) {
        const washi_dtype type = washi_dtype_of(y[i]);
        if (first) {
            m->size[i] = (size_t)washi_size(washi_shape_of(y[i]));
            m->first[i] = malloc(m->size[i] * washi_dtype_size(type) + 1);
            ck_assert_ptr_nonnull(m->first[i]);
            memcpy(m->first[i], washi_data(y[i]), m->size[i] * washi_dtype_size(type));
        } else {
            const long at = first_difference(type, m->size[i], m->first[i], washi_data(y[i]));
            ck_assert_msg(at < 0, "%s: output %d differs at %ld by %s", what, i, at, by);
        }
    }
}

static void forget(struct made *m)
{
    for (int i = 0; i < OUTPUTS; i++) free(m->first[i]);
}

/* One of so many shapes, under an emulator. */
static bool left_out(int i) { return getenv("WASHI_LEAN") && i % 9; }

/* -- rows picked by index ------------------------------------------------------------------------ */

struct picking {
    int64_t rows, columns;
    washi_dtype table, type;
    double scale;   /* 0: none */
    bool backwards; /* the product of the transposed rows comes first */
};

/* A layer's output, its sum of squares, the weight after a step against the gradient, the bias's
 * gradient. */
static void pick(washi_tape *tape, const struct picking *c, const void *table, const void *weight,
                 const int32_t *index, washi_tensor *y[])
{
    washi_tensor *in[] = {washi_input(tape, c->table, SHAPE(TABLE, 1, c->columns)),
                          washi_input(tape, WASHI_I32, SHAPE(c->rows)),
                          washi_input(tape, c->type, SHAPE(c->columns, WIDTH)),
                          washi_input(tape, c->type, SHAPE(WIDTH))};
    ok(washi_feed(in[0], table));
    ok(washi_feed(in[1], index));
    ok(washi_feed(in[2], weight));
    ok(washi_feed(in[3], weight));
    washi_tensor *x = washi_take(in[0], in[1], 0);
    if (c->table != c->type) x = washi_cast(x, c->type);
    if (c->scale != 0) x = washi_scale(x, c->scale);
    x = washi_reshape(x, SHAPE(c->rows, c->columns));
    if (c->backwards) {
        washi_tensor *slope = washi_broadcast_to(in[3], SHAPE(c->rows, WIDTH));
        y[0] = washi_matmul(washi_transpose(x), washi_exp(slope));
        y[1] = washi_matmul(x, washi_tanh(y[0]));
        y[2] = washi_sum(y[1], 0, false), y[3] = washi_neg(y[1]);
    } else {
        y[0] = washi_tanh(washi_add(washi_matmul(x, in[2]), in[3]));
        y[1] = washi_sum(washi_mul(y[0], y[0]), WASHI_ALL, false);
        ok(washi_grad(y[1], 2, in + 2, y + 2));
        y[2] = washi_sub(in[2], washi_scale(y[2], 0.5));
    }
    ok(washi_eval(OUTPUTS, y));
}

static void check_picking(const struct settings *set, const struct picking *c)
{
    const size_t columns = (size_t)c->columns;
    void *table = malloc(TABLE * columns * sizeof(double)),
         *weight = malloc(WIDTH * columns * sizeof(double));
    int32_t *index = malloc((size_t)c->rows * sizeof *index);
    struct made made;
    char what[80];
    uint64_t seed = (uint64_t)(c->rows + c->columns);
    ck_assert(table && weight && index);
    for (size_t i = 0; i < TABLE * columns; i++)
        if (c->table == WASHI_U8)
            ((uint8_t *)table)[i] = (uint8_t)between(&seed, 0, 256);
        else
            put(c->table, table, i, between(&seed, -1, 1));
    for (size_t i = 0; i < WIDTH * columns; i++) put(c->type, weight, i, between(&seed, -0.1, 0.1));
    for (int64_t i = 0; i < c->rows; i++) index[i] = (int32_t)between(&seed, 0, TABLE);
    snprintf(what, sizeof what, "%d rows of %d from %s in %s%s", (int)c->rows, (int)c->columns,
             washi_dtype_name(c->table), washi_dtype_name(c->type), c->backwards ? ", backwards" : "");
    for (int s = 0; s < set->count; s++) {
        washi_tape *tape = washi_tape_new(set->w[s]);
        washi_tensor *y[OUTPUTS];
        pick(tape, c, table, weight, index, y);
        compare(&made, y, s == 0, what, set->name[s]);
        washi_tape_free(tape);
    }
    forget(&made);
    free(table), free(weight), free(index);
}

START_TEST(rows_picked)
{
    static const int64_t rows[] = {1, 16, 64, 113, 300}, columns[] = {1, 33, 784, 1024};
    struct settings set = open_settings();
    for (int i = 0; i < 5 * 4 * 8; i++) {
        if (left_out(i)) continue;
        const washi_dtype type = i / 20 & 1 ? WASHI_F64 : WASHI_F32;
        const struct picking c = {.rows = rows[i % 5],
                                  .columns = columns[i / 5 % 4],
                                  .table = i / 40 & 1 ? type : WASHI_U8,
                                  .type = type,
                                  .scale = i % 3 ? 0.25 : 0,
                                  .backwards = i / 80};
        check_picking(&set, &c);
    }
    close_settings(&set);
}
END_TEST

/* Rows of bytes with no product behind them: they wait near the core, where what is made of them must
 * not go over them. */
START_TEST(bytes_picked)
{
    static const int64_t columns[] = {1, 7, 64, 300, 1000, 4000};
    static unsigned char table[TABLE * 4000];
    int32_t index[40];
    struct settings set = open_settings();
    for (size_t i = 0; i < sizeof table; i++) table[i] = (unsigned char)(i * 2654435761u >> 24);
    for (int i = 0; i < 40; i++) index[i] = i * 7 % TABLE;
    for (int i = 0; i < 6; i++) {
        struct made made;
        for (int s = 0; s < set.count; s++) {
            washi_tape *tape = washi_tape_new(set.w[s]);
            washi_tensor *bytes = washi_constant(tape, WASHI_U8, SHAPE(TABLE, columns[i]), table),
                         *at = washi_constant(tape, WASHI_I32, SHAPE(40), index);
            washi_tensor *x = washi_scale(washi_cast(washi_take(bytes, at, 0), WASHI_F32), 0.01);
            washi_tensor *soft = washi_softmax(x), *sine = washi_sin(washi_add(x, x));
            washi_tensor *y[OUTPUTS] = {washi_sum(soft, 0, false),
                                        washi_sum(washi_atan(washi_mul(x, x)), 1, false), soft,
                                        washi_sub(sine, soft)};
            for (int k = 0; k < OUTPUTS; k++) ok(washi_eval(1, &y[k]));
            compare(&made, y, s == 0, "bytes", set.name[s]);
            washi_tape_free(tape);
        }
        forget(&made);
    }
    close_settings(&set);
}
END_TEST

/* -- what is behind a product -------------------------------------------------------------------- */

/* Outputs that could be written over the product while others still read it, or over what they read. */
static void follow(int form, washi_tensor *a, washi_tensor *b, washi_tensor *y[])
{
    washi_tensor *p = washi_matmul(a, b), *q = washi_matmul(washi_scale(a, 0.5), b);
    washi_tensor *mean = washi_mean(p, -1, true);
    switch (form) {
    case 0: /* the first is there before the last has read the product */
        y[0] = washi_exp(p), y[1] = washi_add(y[0], p), y[2] = washi_tanh(y[1]),
        y[3] = washi_mul(y[2], p);
        break;
    case 1: /* over the other product */
        y[0] = washi_mul(washi_tanh(washi_add(p, q)), q);
        y[1] = washi_sum(y[0], 0, false), y[2] = washi_neg(y[0]), y[3] = washi_max(y[0], -1, false);
        break;
    case 2: /* rows, and one number a row */
        y[0] = washi_softmax(p), y[1] = washi_sub(p, mean), y[2] = washi_mul(y[1], washi_add(p, mean));
        y[3] = washi_cast(washi_argmax(p, -1, false), WASHI_F32);
        break;
    default: /* a gradient */
        y[0] = washi_sigmoid(washi_sub(p, mean));
        y[1] = washi_sum(washi_mul(washi_mul(y[0], p), q), WASHI_ALL, false);
        ok(washi_grad(y[1], 2, (washi_tensor *[]){a, b}, y + 2));
    }
    ok(washi_eval(OUTPUTS, y));
}

static washi_tensor *fed_to(washi_tape *tape, washi_shape shape, const float *data)
{
    washi_tensor *x = washi_input(tape, WASHI_F32, shape);
    ok(washi_feed(x, data));
    return x;
}

static void check_behind(const struct settings *set, int form, int64_t rows, int64_t columns)
{
    enum { DEPTH = 40 };
    const size_t size = DEPTH * (size_t)(rows > columns ? rows : columns);
    float *in = malloc(size * sizeof *in);
    uint64_t seed = (uint64_t)size;
    struct made made;
    char what[80];
    ck_assert_ptr_nonnull(in);
    for (size_t i = 0; i < size; i++) in[i] = (float)between(&seed, -0.3, 0.3);
    snprintf(what, sizeof what, "form %d, %d x %d", form, (int)rows, (int)columns);
    for (int s = 0; s < set->count; s++) {
        washi_tape *tape = washi_tape_new(set->w[s]);
        washi_tensor *y[OUTPUTS];
        follow(form, fed_to(tape, SHAPE(rows, DEPTH), in), fed_to(tape, SHAPE(DEPTH, columns), in), y);
        compare(&made, y, s == 0, what, set->name[s]);
        washi_tape_free(tape);
    }
    forget(&made);
    free(in);
}

START_TEST(much_behind)
{
    static const int64_t rows[] = {15, 16, 100, 700}, columns[] = {1, 10, 64, 130};
    struct settings set = open_settings();
    for (int form = 0; form < 4; form++)
        for (int i = 0; i < 16; i++)
            if (!left_out(i)) check_behind(&set, form, rows[i % 4], columns[i / 4]);
    close_settings(&set);
}
END_TEST

TCase *products_case(void)
{
    return CASE("products", NULL, NULL, rows_picked, bytes_picked, much_behind);
}
