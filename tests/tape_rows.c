/* tape_rows.c: formulas of primitive ops and their gradients over rows of many lengths: the same bits
 * at every CPU level and number of threads, fused or not. */
#include "tape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 3, OUTPUTS = 4 };

struct formula {
    const char *name;
    washi_tensor *(*of)(washi_tensor *x, washi_tensor *gain);
};

static washi_tensor *layer_norm(washi_tensor *x, washi_tensor *gain)
{
    washi_tensor *d = washi_sub(x, washi_mean(x, -1, true));
    washi_tensor *variance = washi_mean(washi_mul(d, d), -1, true);
    return washi_mul(washi_div(d, washi_sqrt(washi_shift(variance, 1e-5))), gain);
}

static washi_tensor *variance(washi_tensor *x, washi_tensor *gain)
{
    return washi_mul(washi_sub(x, gain), washi_rsqrt(washi_shift(washi_var(x, -1, true), 1e-5)));
}

static washi_tensor *softmax(washi_tensor *x, washi_tensor *gain)
{
    washi_tensor *top = washi_stop_gradient(washi_max(washi_mul(x, gain), -1, true));
    washi_tensor *e = washi_exp(washi_sub(washi_mul(x, gain), top));
    return washi_div(e, washi_sum(e, -1, true));
}

static washi_tensor *gelu(washi_tensor *x, washi_tensor *gain)
{
    washi_tensor *inner = washi_add(x, washi_scale(washi_mul(washi_mul(x, x), x), 0.044715));
    washi_tensor *tanh = washi_tanh(washi_scale(inner, 0.79788456));
    return washi_mul(washi_mul(washi_scale(x, 0.5), washi_shift(tanh, 1)), gain);
}

/* Many values alive at once: each step's is read again on the way back. */
static washi_tensor *steps(washi_tensor *x, washi_tensor *gain)
{
    washi_tensor *y = x;
    for (int k = 0; k < 9; k++)
        y = washi_div(washi_mul(washi_add(washi_scale(y, 0.9), x), washi_relu(washi_sub(x, y))),
                      washi_shift(washi_mul(y, y), 1.5));
    return washi_sub(washi_neg(y), gain);
}

/* Sums of rows that others of the same row go on with. */
static washi_tensor *sums(washi_tensor *x, washi_tensor *gain)
{
    washi_tensor *y = washi_mul(x, gain), *a = washi_sum(washi_mul(y, x), -1, true);
    washi_tensor *b = washi_sum(washi_square(washi_sub(y, a)), -1, true);
    washi_tensor *c = washi_prod(washi_shift(washi_scale(y, 1e-3), 1), -1, true);
    return washi_add(washi_mul(y, a), washi_div(washi_mul(b, c), washi_shift(washi_square(x), 1)));
}

/* Softmax and logsumexp of the same rows are made together, whichever comes first. */
static washi_tensor *softmax_first(washi_tensor *x, washi_tensor *gain)
{
    washi_tensor *z = washi_mul(x, gain), *p = washi_softmax(z), *l = washi_logsumexp(z, -1, true);
    return washi_add(washi_mul(p, l), washi_sub(z, l));
}

static washi_tensor *logsumexp_first(washi_tensor *x, washi_tensor *gain)
{
    washi_tensor *z = washi_mul(x, gain), *log_p = washi_sub(z, washi_logsumexp(z, -1, true));
    return washi_mul(z, washi_add(washi_exp(log_p), washi_softmax(z)));
}

static const struct formula formulas[] = {{"layer norm", layer_norm},
                                          {"variance", variance},
                                          {"softmax", softmax},
                                          {"gelu", gelu},
                                          {"steps", steps},
                                          {"sums", sums},
                                          {"softmax and logsumexp", softmax_first},
                                          {"logsumexp and softmax", logsumexp_first}};

/* The value, the gradients of a sum, and the row's own gradient again. */
static void evaluate(washi *by, const struct formula *f, washi_dtype type, int64_t n, const void *x,
                     const void *gain, washi_shape shape[], void *out[])
{
    washi_tape *tape = washi_tape_new(by);
    washi_tensor *in[2] = {washi_input(tape, type, SHAPE(ROWS, n)), washi_input(tape, type, SHAPE(n))};
    ok(washi_feed(in[0], x));
    ok(washi_feed(in[1], gain));
    washi_tensor *y[OUTPUTS] = {f->of(in[0], in[1])};
    washi_tensor *loss = washi_sum(washi_mul(y[0], washi_mul(y[0], in[0])), WASHI_ALL, false);
    ok(washi_grad(loss, 2, in, y + 1));
    y[3] = washi_mean(washi_square(y[1]), -1, true);
    ok(washi_eval(OUTPUTS, y));
    for (int i = 0; i < OUTPUTS; i++) {
        shape[i] = washi_shape_of(y[i]);
        out[i] = malloc(bytes_of(shape[i], type));
        ck_assert_ptr_nonnull(out[i]);
        memcpy(out[i], washi_data(y[i]), bytes_of(shape[i], type));
    }
    washi_tape_free(tape);
}

static void check_row(const struct settings *set, const struct formula *f, washi_dtype type, int64_t n)
{
    const size_t count = (size_t)n;
    void *x = malloc(ROWS * count * sizeof(double)), *gain = malloc(count * sizeof(double));
    void *first[OUTPUTS], *out[OUTPUTS];
    washi_shape shape[OUTPUTS];
    uint64_t seed = (uint64_t)n;
    ck_assert(x && gain);
    for (size_t i = 0; i < ROWS * count; i++) put(type, x, i, between(&seed, -1, 1));
    for (size_t i = 0; i < count; i++) put(type, gain, i, between(&seed, 0.5, 1));
    for (int s = 0; s < set->count; s++) {
        evaluate(set->w[s], f, type, n, x, gain, shape, s ? out : first);
        for (int i = 0; i < OUTPUTS && s; i++) {
            const long at = first_difference(type, (size_t)washi_size(shape[i]), first[i], out[i]);
            ck_assert_msg(at < 0, "%s of rows of %d, %s: output %d differs at %ld by %s", f->name,
                          (int)n, washi_dtype_name(type), i, at, set->name[s]);
            free(out[i]);
        }
    }
    for (int i = 0; i < OUTPUTS; i++) free(first[i]);
    free(x);
    free(gain);
}

START_TEST(same_bits_in_every_setting)
{
    static const int64_t lengths[] = {1,   2,   7,   16,   60,   64,   65,  127,
                                      128, 130, 300, 1024, 1100, 4096, 5000};
    struct settings set = open_settings();
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (int type = WASHI_F32; type <= WASHI_F64; type++)
            check_row(&set, &formulas[_i], (washi_dtype)type, lengths[i]);
    close_settings(&set);
}
END_TEST

/* Rows without elements are rows: each gives a number, and what follows goes on with it. */
START_TEST(rows_without_elements)
{
    enum { A = 16, B = 4, ALL = A * B };
    struct settings set = open_settings();
    for (int s = 0; s < set.count; s++) {
        washi_tape *tape = washi_tape_new(set.w[s]);
        washi_tensor *x = washi_input(tape, WASHI_F32, SHAPE(A, B, 0));
        washi_tensor *fold = washi_logsumexp(washi_tanh(x), -1, false),
                     *clipped = washi_clip(fold, -0.5, 0.75),
                     *y[] = {fold, washi_add(washi_square(clipped), clipped),
                             washi_clip(washi_max(x, -1, false), -3, 3)};
        ok(washi_eval(3, y));
        for (int i = 0; i < ALL; i++) {
            const double found[] = {(double)washi_f32(y[0])[i], (double)washi_f32(y[1])[i],
                                    (double)washi_f32(y[2])[i]};
            ck_assert_msg(isinf(found[0]) && found[0] < 0, "%s: row %d: %g", set.name[s], i, found[0]);
            ck_assert_msg(found[1] < -0.24 && found[1] > -0.26, "%s: row %d: %g", set.name[s], i,
                          found[1]);
            ck_assert_msg(found[2] < -2.9 && found[2] > -3.1, "%s: row %d: %g", set.name[s], i,
                          found[2]);
        }
        washi_tape_free(tape);
    }
    close_settings(&set);
}
END_TEST

TCase *rows_case(void)
{
    TCase *c = tcase_create("rows");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, rows_without_elements);
    tcase_add_loop_test(c, same_bits_in_every_setting, 0, (int)(sizeof formulas / sizeof *formulas));
    return c;
}
