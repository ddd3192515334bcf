/* test_nn_dropout.c: what dropout drops: how much, when, and that seed, layer and step decide it. */
#include "test_nn.h"

enum { ROWS = 100, COLUMNS = 40, SIZE = ROWS * COLUMNS };

static float x[SIZE], y[3][SIZE];

static void begin(void)
{
    setup();
    ok(washi_fill_normal(w, 5, 0, SIZE, x));
}

static washi_model *dropping(washi *c, double rate)
{
    washi_layer layer = washi_layer_dropout(rate);
    return washi_sequential(c, 1, &layer);
}

static void call(washi_model *m, washi *c, bool training, float *out)
{
    washi_tape *t = washi_tape_new(c);
    washi_tensor *r =
        washi_model_call(m, washi_constant(t, WASHI_F32, SHAPE(ROWS, COLUMNS), x), training);
    ck_assert_msg(r != NULL, "%s", washi_message());
    ok(washi_eval(1, &r));
    memcpy(out, washi_f32(r), sizeof x);
    washi_tape_free(t);
}

/* A quarter within five standard errors; the rest is x / 0.75, to the rounding of the factor. */
static void drops_a_quarter(const float *out)
{
    int zeros = 0;
    for (int i = 0; i < SIZE; i++) {
        zeros += out[i] == 0;
        if (out[i] != 0) ck_assert(out[i] == x[i] * (float)(1 / 0.75));
    }
    near(zeros / (double)SIZE, 0.25, 5 * sqrt(0.25 * 0.75 / SIZE));
}

START_TEST(in_training_only)
{
    washi_model *m = dropping(w, 0.25);
    call(m, w, false, y[0]);
    ck_assert_mem_eq(y[0], x, sizeof x);
    call(m, w, true, y[0]);
    drops_a_quarter(y[0]);
    ck_assert_int_eq(washi_model_weights(m), 0);
    washi_model_free(m);
    m = dropping(w, 0);
    call(m, w, true, y[0]);
    ck_assert_mem_eq(y[0], x, sizeof x);
    washi_model_free(m);
}
END_TEST

/* Every run drops others; the same seed drops the same. */
START_TEST(steps_and_seeds)
{
    washi *scalar = NULL, *seeded = context(2, 1);
    ok(washi_open(&scalar, &(washi_options){.seed = 1, .cpu = "scalar"}));
    washi_model *m = dropping(w, 0.25), *other = dropping(scalar, 0.25),
                *third = dropping(seeded, 0.25);
    for (int step = 0; step < 2; step++) {
        call(m, w, true, y[step]);
        call(other, scalar, true, y[2]);
        ck_assert_mem_eq(y[step], y[2], sizeof x); /* at every level */
        call(third, seeded, true, y[2]);
        ck_assert_mem_ne(y[step], y[2], sizeof x);
        call(m, w, false, y[2]); /* counts no step */
    }
    drops_a_quarter(y[1]);
    int both = 0;
    for (int i = 0; i < SIZE; i++) both += y[0][i] == 0 && y[1][i] == 0;
    near(both / (double)SIZE, 1 / 16.0, 5 * sqrt(1 / 16.0 / SIZE));
    washi_model_free(m);
    washi_model_free(other);
    washi_model_free(third);
    washi_close(scalar);
    washi_close(seeded);
}
END_TEST

/* One program, run twice, is two steps. */
START_TEST(runs_of_a_program)
{
    washi_model *m = dropping(w, 0.5);
    washi_tape *t = washi_tape_new(w);
    washi_tensor *r = washi_model_call(m, washi_constant(t, WASHI_F32, SHAPE(ROWS, COLUMNS), x), true);
    washi_program *p = washi_compile(t, 1, &r);
    for (int i = 0; i < 2; i++) {
        ok(washi_run(p));
        memcpy(y[i], washi_f32(r), sizeof x);
    }
    ck_assert_mem_ne(y[0], y[1], sizeof x);
    washi_program_free(p);
    washi_tape_free(t);
    washi_model_free(m);
    m = dropping(w, 0.5); /* the second step of another model of that seed */
    call(m, w, true, y[2]);
    call(m, w, true, y[2]);
    ck_assert_mem_eq(y[1], y[2], sizeof x);
    washi_model_free(m);
}
END_TEST

/* Two layers, and one layer called twice, drop different things in one call. */
static washi_tensor *several(washi_scope *s, washi_tensor *in, const void *config)
{
    (void)config;
    washi_layer one = washi_layer_dropout(0.5), two = washi_layer_dropout(0.5);
    two.name = "two";
    washi_tensor *out[3] = {washi_layer_call(s, &one, in), washi_layer_call(s, &two, in),
                            washi_layer_call(s, &two, in)};
    return washi_concat(3, out, 0);
}

START_TEST(layers_of_one_call)
{
    washi_model *m = washi_model_new(w, NULL, several, NULL);
    washi_tape *t = washi_tape_new(w);
    washi_tensor *r = washi_model_call(m, washi_constant(t, WASHI_F32, SHAPE(ROWS, COLUMNS), x), true);
    ok(washi_eval(1, &r));
    const float *part = washi_f32(r);
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < a; b++) {
            int both = 0;
            for (int i = 0; i < SIZE; i++) both += part[a * SIZE + i] == 0 && part[b * SIZE + i] == 0;
            near(both / (double)SIZE, 0.25, 5 * sqrt(0.25 * 0.75 / SIZE));
        }
    washi_tape_free(t);
    washi_model_free(m);
}
END_TEST

/* The derivative is what x was multiplied by, 0 also where x is infinite. */
START_TEST(derivative)
{
    double in[64];
    for (int i = 0; i < 64; i++) in[i] = i % 4 ? i - 20.5 : i % 8 ? INFINITY : -INFINITY;
    washi_model *m = dropping(w, 0.5);
    washi_tape *t = washi_tape_new(w);
    washi_tensor *v = washi_constant(t, WASHI_F64, SHAPE(16, 4), in), *out[2];
    out[0] = washi_model_call(m, v, true);
    ok(washi_grad(out[0], 1, &v, &out[1]));
    ok(washi_eval(2, out));
    int dropped = 0;
    for (int i = 0; i < 64; i++) {
        const double got = washi_f64(out[0])[i], slope = washi_f64(out[1])[i];
        ck_assert(slope == (got == 0 ? 0 : 2));
        ck_assert(got == 0 || got == 2 * in[i]);
        dropped += got == 0;
    }
    ck_assert_int_gt(dropped, 16);
    ck_assert_int_lt(dropped, 48);
    washi_tape_free(t);
    washi_model_free(m);
}
END_TEST

/* Two fits of one seed, with a partial batch, end in the same bits. */
START_TEST(fits_alike)
{
    static float target[ROWS];
    float kernel[2][COLUMNS];
    const washi_array in = {WASHI_F32, {2, {ROWS, COLUMNS}}, x},
                      to = {WASHI_F32, {2, {ROWS, 1}}, target};
    for (int i = 0; i < 2; i++) {
        washi_layer layers[] = {washi_layer_dropout(0.25), washi_layer_dense(1, NULL)};
        washi_model *m = washi_sequential(w, 2, layers);
        washi_optimizer *sgd = washi_sgd(w, &(washi_sgd_options){.learning_rate = 0.1});
        const washi_fit_options o = {
            .optimizer = sgd, .loss = washi_mean_squared_error, .epochs = 2, .batch_size = 32};
        ok(washi_fit(m, &in, &to, &o, NULL));
        memcpy(kernel[i], washi_model_weight(m, 0).data, sizeof kernel[i]);
        washi_optimizer_free(sgd);
        washi_model_free(m);
    }
    ck_assert_mem_eq(kernel[0], kernel[1], sizeof kernel[0]);
}
END_TEST

/* -- mistakes ----------------------------------------------------------------------------------- */

static washi_tensor *drawing(washi_scope *s, washi_tensor *in, const void *config)
{
    (void)config;
    washi_draw(s, NULL);
    return in;
}

START_TEST(mistakes)
{
    static const double rates[] = {-0.1, 1, NAN};
    for (int i = 0; i < 3; i++) {
        washi_model *m = dropping(w, rates[i]);
        fails(washi_model_build(m, WASHI_F32, (washi_shape){1, {3}}), WASHI_BAD_VALUE,
              "dropout: rate ");
        washi_model_free(m);
    }
    washi_model *m = dropping(w, 0.5);
    fails(washi_model_build(m, WASHI_U8, (washi_shape){1, {3}}), WASHI_BAD_TYPE,
          "dropout: [60,3] of u8");
    washi_model_free(m);
    m = washi_model_new(w, NULL, drawing, NULL);
    fails(washi_model_build(m, WASHI_F32, (washi_shape){1, {3}}), WASHI_MISUSE,
          "draw: the stream is NULL");
    washi_model_free(m);
    ck_assert_ptr_null(washi_draw(NULL, &(uint64_t){0}));
    /* a tape takes one call that draws */
    m = dropping(w, 0.5);
    washi_tape *t = washi_tape_new(w);
    washi_tensor *in = washi_constant(t, WASHI_F32, SHAPE(ROWS, COLUMNS), x);
    ck_assert_ptr_nonnull(washi_model_call(m, in, true));
    ck_assert_ptr_null(washi_model_call(m, in, true));
    fails(washi_tape_status(t), WASHI_MISUSE, "assign");
    washi_tape_free(t);
    washi_model_free(m);
}
END_TEST

int main(void)
{
    return RUN_SUITE("nn_dropout",
                     CASE("nn_dropout", begin, teardown, in_training_only, steps_and_seeds,
                          runs_of_a_program, layers_of_one_call, derivative, fits_alike, mistakes));
}
