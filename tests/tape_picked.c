/* tape_picked.c: layers and their gradients of rows picked by index, which matrix products pack
 * themselves: the same bits at every CPU level and number of threads, fused or not. */
#include "tape.h"

#include <stdlib.h>
#include <string.h>

enum { TABLE = 50, WIDTH = 10, OUTPUTS = 4 };

struct picking {
    int64_t rows, columns;
    washi_dtype table, type;
    double scale;   /* 0: none */
    bool backwards; /* the product of the transposed rows comes first */
};

/* A layer's output, its sum of squares, the weight after a step against the gradient, the bias's
 * gradient. */
static void evaluate(washi *by, const struct picking *c, const void *table, const void *weight,
                     const int32_t *index, void *out[], size_t size[])
{
    washi_tape *tape = washi_tape_new(by);
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
    washi_tensor *y[OUTPUTS];
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
    for (int i = 0; i < OUTPUTS; i++) {
        size[i] = (size_t)washi_size(washi_shape_of(y[i]));
        out[i] = malloc(size[i] * washi_dtype_size(c->type) + 1);
        ck_assert_ptr_nonnull(out[i]);
        memcpy(out[i], washi_data(y[i]), size[i] * washi_dtype_size(c->type));
    }
    washi_tape_free(tape);
}

static void check(const struct settings *set, const struct picking *c)
{
    const size_t columns = (size_t)c->columns;
    void *table = malloc(TABLE * columns * sizeof(double)),
         *weight = malloc(WIDTH * columns * sizeof(double)), *first[OUTPUTS], *out[OUTPUTS];
    int32_t *index = malloc((size_t)c->rows * sizeof *index);
    size_t size[OUTPUTS];
    uint64_t seed = (uint64_t)(c->rows + c->columns);
    ck_assert(table && weight && index);
    for (size_t i = 0; i < TABLE * columns; i++)
        if (c->table == WASHI_U8)
            ((uint8_t *)table)[i] = (uint8_t)between(&seed, 0, 256);
        else
            put(c->table, table, i, between(&seed, -1, 1));
    for (size_t i = 0; i < WIDTH * columns; i++) put(c->type, weight, i, between(&seed, -0.1, 0.1));
    for (int64_t i = 0; i < c->rows; i++) index[i] = (int32_t)between(&seed, 0, TABLE);
    for (int s = 0; s < set->count; s++) {
        evaluate(set->w[s], c, table, weight, index, s ? out : first, size);
        for (int i = 0; i < OUTPUTS && s; i++) {
            const long at = first_difference(c->type, size[i], first[i], out[i]);
            ck_assert_msg(at < 0, "%d rows of %d from %s in %s%s: output %d differs at %ld by %s",
                          (int)c->rows, (int)c->columns, washi_dtype_name(c->table),
                          washi_dtype_name(c->type), c->backwards ? ", backwards" : "", i, at,
                          set->name[s]);
            free(out[i]);
        }
    }
    for (int i = 0; i < OUTPUTS; i++) free(first[i]);
    free(table), free(weight), free(index);
}

START_TEST(same_bits_in_every_setting)
{
    static const int64_t rows[] = {1, 16, 64, 113, 300}, columns[] = {1, 33, 784, 1024};
    struct settings set = open_settings();
    for (int i = 0; i < 5 * 4 * 8; i++) {
        const washi_dtype type = i / 20 & 1 ? WASHI_F64 : WASHI_F32;
        const struct picking c = {.rows = rows[i % 5],
                                  .columns = columns[i / 5 % 4],
                                  .table = i / 40 & 1 ? type : WASHI_U8,
                                  .type = type,
                                  .scale = i % 3 ? 0.25 : 0,
                                  .backwards = i / 80};
        check(&set, &c);
    }
    close_settings(&set);
}
END_TEST

TCase *picked_case(void) { return CASE("picked", NULL, NULL, same_bits_in_every_setting); }
