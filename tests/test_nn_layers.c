/* test_nn_layers.c: what each layer computes, in training and after, its weights, and its derivatives
 * against differences. */
#include "test_nn.h"

static washi_model *one(washi_layer layer)
{
    washi_model *m = washi_sequential(w, 1, &layer);
    ck_assert_msg(m != NULL, "%s", washi_message());
    return m;
}

static double *weight(washi_model *m, const char *name)
{
    for (int i = 0; i < washi_model_weights(m); i++)
        if (strcmp(washi_model_weight(m, i).name, name) == 0) return washi_model_weight(m, i).data;
    ck_abort_msg("no weight %s", name);
    return NULL;
}

/* The model's result of x, in doubles, of n elements. */
static void call(washi_model *m, washi_shape shape, const double *x, bool training, int n, double *out)
{
    washi_tape *t = washi_tape_new(w);
    washi_tensor *y = washi_model_call(m, washi_constant(t, WASHI_F64, shape, x), training);
    ck_assert_msg(y != NULL, "%s", washi_message());
    ok(washi_eval(1, &y));
    ck_assert_int_eq(washi_size(washi_shape_of(y)), n);
    memcpy(out, washi_f64(y), (size_t)n * sizeof *out);
    washi_tape_free(t);
}

static void is(const double *got, int n, const double *expected, double tolerance)
{
    for (int i = 0; i < n; i++) near(got[i], expected[i], tolerance);
}

/* -- dense -------------------------------------------------------------------------------------- */

static washi_status half(washi *c, washi_shape shape, uint64_t stream, float *out)
{
    (void)stream;
    return washi_init_constant(c, shape, 0.5, out);
}

START_TEST(dense_options)
{
    const double x[2] = {1, 3};
    double y[2];
    washi_model *m = one(washi_layer_dense_with((washi_dense_options){
        .units = 2, .activation = washi_neg, .kernel_init = half, .bias_init = washi_ones}));
    call(m, SHAPE(1, 2), x, false, 2, y);
    is(y, 2, (double[]){-3, -3}, 0);
    washi_model_free(m);
    m = one(washi_layer_dense_with(
        (washi_dense_options){.units = 2, .no_bias = true, .kernel_init = washi_orthogonal}));
    call(m, SHAPE(1, 2), x, false, 2, y);
    near(y[0] * y[0] + y[1] * y[1], 10, 1e-6); /* orthogonal matrices keep lengths */
    ck_assert_int_eq(washi_model_weights(m), 1);
    ck_assert_str_eq(washi_model_weight(m, 0).name, "dense/kernel");
    washi_model_free(m);
}
END_TEST

/* -- layers without weights --------------------------------------------------------------------- */

START_TEST(activation)
{
    const double x[3] = {-1, 0, 2};
    double y[3];
    washi_model *m = one(washi_layer_activation(washi_relu));
    call(m, SHAPE(1, 3), x, true, 3, y);
    is(y, 3, (double[]){0, 0, 2}, 0);
    ck_assert_int_eq(washi_model_weights(m), 0);
    washi_model_free(m);
    m = one(washi_layer_activation(NULL));
    call(m, SHAPE(1, 3), x, true, 3, y);
    is(y, 3, x, 0);
    washi_model_free(m);
}
END_TEST

START_TEST(reshape)
{
    washi_model *m = one(washi_layer_reshape(SHAPE(-1, 2)));
    washi_tape *t = washi_tape_new(w);
    washi_tensor *y =
        washi_model_call(m, washi_input(t, WASHI_F32, (washi_shape){3, {5, 3, 4}}), false);
    ck_assert_int_eq(washi_shape_of(y).rank, 3);
    for (int i = 0; i < 3; i++) ck_assert_int_eq(washi_shape_of(y).dim[i], ((int[]){5, 6, 2})[i]);
    ck_assert_ptr_null(washi_model_call(m, washi_input(t, WASHI_F32, SHAPE(5, 3)), false));
    fails(washi_tape_status(t), WASHI_BAD_SHAPE, "layer reshape: ");
    washi_tape_free(t);
    t = washi_tape_new(w);
    ck_assert_ptr_null(washi_model_call(m, washi_input(t, WASHI_F32, (washi_shape){0}), false));
    fails(washi_tape_status(t), WASHI_BAD_SHAPE, "no axis of samples");
    washi_tape_free(t);
    washi_model_free(m);
    m = one(washi_layer_reshape((washi_shape){0})); /* a number a sample */
    const double x[2] = {3, 4};
    double out[2];
    call(m, SHAPE(2, 1), x, false, 2, out);
    is(out, 2, x, 0);
    washi_model_free(m);
    m = one(washi_layer_reshape((washi_shape){WASHI_MAX_RANK, {1}}));
    fails(washi_model_build(m, WASHI_F32, (washi_shape){1, {1}}), WASHI_BAD_SHAPE, "samples of 8 axes");
    washi_model_free(m);
}
END_TEST

START_TEST(rescaling_with_an_offset)
{
    washi_model *m = one(washi_layer_rescaling_offset(1 / 127.5, -1));
    const uint8_t pixels[3] = {0, 51, 255};
    washi_tape *t = washi_tape_new(w);
    washi_tensor *y = washi_model_call(m, washi_constant(t, WASHI_U8, SHAPE(1, 3), pixels), false);
    ok(washi_eval(1, &y));
    for (int i = 0; i < 3; i++) near(washi_f32(y)[i], (double[]){-1, -0.6, 1}[i], 1e-7);
    washi_tape_free(t);
    washi_model_free(m);
}
END_TEST

/* -- normalization ------------------------------------------------------------------------------ */

/* Two features over four samples: means 2 and 4, variances 1 and 4. */
static const double samples[8] = {1, 2, 3, 6, 1, 6, 3, 2};

START_TEST(batch_normalization_in_training)
{
    double y[8];
    const double a = 1 / sqrt(1.001), b = 2 / sqrt(4.001);
    washi_model *m = one(washi_layer_batch_normalization());
    call(m, SHAPE(4, 2), samples, true, 8, y);
    is(y, 8, (double[]){-a, -b, a, b, -a, b, a, -b}, 1e-15);
    is(weight(m, "batch_normalization/moving_mean"), 2, (double[]){0.02, 0.04}, 1e-15);
    is(weight(m, "batch_normalization/moving_variance"), 2, (double[]){1, 1.03}, 1e-15);
    call(m, (washi_shape){3, {2, 2, 2}}, samples, true, 8,
         y); /* every axis but the last is of samples */
    is(y, 8, (double[]){-a, -b, a, b, -a, b, a, -b}, 1e-15);
    is(weight(m, "batch_normalization/moving_mean"), 2, (double[]){0.0398, 0.0796}, 1e-15);
    washi_model_free(m);
}
END_TEST

START_TEST(batch_normalization_after_training)
{
    double y[4];
    washi_model *m = one(washi_layer_batch_normalization_with(0.5, 0.25));
    const double x[4] = {1, 2, 3, 6};
    for (int i = 0; i < 2; i++) { /* without training nothing moves */
        call(m, SHAPE(2, 2), x, false, 4, y);
        for (int j = 0; j < 4; j++) near(y[j], x[j] / sqrt(1.25), 1e-15);
    }
    weight(m, "batch_normalization/gamma")[1] = 3;
    weight(m, "batch_normalization/beta")[0] = -1;
    call(m, SHAPE(2, 2), x, true, 4, y); /* means 2 and 4, variances 1 and 4 */
    is(y, 4, (double[]){-1 / sqrt(1.25) - 1, -6 / sqrt(4.25), 1 / sqrt(1.25) - 1, 6 / sqrt(4.25)},
       1e-15);
    call(m, SHAPE(1, 2), x, false, 2, y); /* averages: means 1 and 2, variances 1 and 2.5 */
    is(y, 2, (double[]){-1, 0}, 1e-15);
    washi_model_free(m);
}
END_TEST

START_TEST(batch_normalization_frozen)
{
    double y[8];
    washi_model *m = one(washi_layer_batch_normalization());
    call(m, SHAPE(4, 2), samples, false, 8, y);
    static const struct {
        const char *name;
        bool trainable;
    } expected[4] = {
        {"gamma", true}, {"beta", true}, {"moving_mean", false}, {"moving_variance", false}};
    for (int i = 0; i < 4; i++) {
        washi_weight_info v = washi_model_weight(m, i);
        ck_assert_str_eq(strchr(v.name, '/') + 1, expected[i].name);
        ck_assert(v.trainable == expected[i].trainable);
    }
    ok(washi_model_freeze(m, "batch_normalization/", true));
    call(m, SHAPE(4, 2), samples, true, 8, y);
    for (int i = 0; i < 8; i++) near(y[i], samples[i] / sqrt(1.001), 1e-15);
    is(weight(m, "batch_normalization/moving_mean"), 2, (double[]){0, 0}, 0);
    ok(washi_model_freeze(m, NULL, false)); /* averages are not to train at any time */
    for (int i = 0; i < 4; i++) ck_assert(washi_model_weight(m, i).trainable == expected[i].trainable);
    call(m, SHAPE(4, 2), samples, true, 8, y);
    near(y[0], -1 / sqrt(1.001), 1e-15);
    washi_model_free(m);
}
END_TEST

START_TEST(layer_normalization)
{
    const double x[6] = {1, 2, 6, -5, -5, -5};
    double y[6], s = sqrt(14 / 3.0 + 1e-3);
    for (int training = 0; training < 2; training++) {
        washi_model *m = one(washi_layer_layer_normalization());
        call(m, SHAPE(2, 3), x, training, 6, y);
        is(y, 6, (double[]){-2 / s, -1 / s, 3 / s, 0, 0, 0}, 1e-15);
        weight(m, "layer_normalization/gamma")[2] = 2;
        weight(m, "layer_normalization/beta")[0] = 7;
        call(m, (washi_shape){3, {1, 2, 3}}, x, training, 6, y);
        is(y, 6, (double[]){7 - 2 / s, -1 / s, 6 / s, 7, 0, 0}, 1e-15);
        ck_assert_int_eq(washi_model_weights(m), 2);
        washi_model_free(m);
    }
    washi_model *m = one(washi_layer_layer_normalization_with(1 / 3.0));
    call(m, SHAPE(1, 3), x, false, 3, y);
    near(y[2], 3 / sqrt(5), 1e-15);
    washi_model_free(m);
}
END_TEST

START_TEST(normalization_mistakes)
{
    washi_layer layers[2] = {washi_layer_batch_normalization(), washi_layer_layer_normalization()};
    static const char *const name[2] = {"layer batch_normalization: batch_normalization: ",
                                        "layer layer_normalization: layer_normalization: "};
    for (int i = 0; i < 2; i++) {
        washi_model *m = one(layers[i]);
        fails(washi_model_build(m, WASHI_F32, (washi_shape){0}), WASHI_BAD_SHAPE, name[i]);
        fails(washi_model_build(m, WASHI_U8, (washi_shape){1, {3}}), WASHI_BAD_TYPE, name[i]);
        ok(washi_model_build(m, WASHI_F32, (washi_shape){1, {3}}));
        washi_model_free(m);
    }
}
END_TEST

/* -- derivatives -------------------------------------------------------------------------------- */

enum { ROWS = 6, COLUMNS = 4, MOST = 64, THINGS = 8 };

/* What is differentiated by: the input, then the trainable weights. */
struct probe {
    washi_program *program;
    washi_tensor *out[1 + THINGS]; /* the sum, its derivatives */
    double *at[THINGS];
    int size[THINGS], things;
};

/* A sum of the layer's results, each times a number of its own, so that no derivative is 0 by symmetry,
 * and of the losses it added. */
static void record(struct probe *p, washi_model *m, washi_tape *t, double *x, bool training)
{
    washi_tensor *in = washi_input(t, WASHI_F64, SHAPE(ROWS, COLUMNS)), *losses;
    ok(washi_feed(in, x));
    washi_tensor *by[THINGS] = {in}, *y = washi_model_call_losses(m, in, training, &losses);
    ck_assert_msg(y != NULL, "%s", washi_message());
    *p = (struct probe){.at = {x}, .size = {ROWS * COLUMNS}, .things = 1};
    for (int i = 0; i < washi_model_weights(m); i++) {
        washi_weight_info v = washi_model_weight(m, i);
        if (!v.trainable) continue;
        p->at[p->things] = v.data;
        p->size[p->things] = (int)washi_size(v.shape);
        by[p->things++] = washi_variable(t, v.type, v.shape, v.data);
    }
    double number[MOST];
    for (int i = 0; i < MOST; i++) number[i] = sin(i + 1);
    ck_assert_int_le(washi_size(washi_shape_of(y)), MOST);
    y = washi_mul(y, washi_constant(t, WASHI_F64, washi_shape_of(y), number));
    p->out[0] = washi_sum(y, WASHI_ALL, false);
    if (losses) p->out[0] = washi_add(p->out[0], losses);
    ok(washi_grad(p->out[0], p->things, by, p->out + 1));
    p->program = washi_compile(t, 1 + p->things, p->out);
    ck_assert_msg(p->program != NULL, "%s", washi_message());
}

static double sum_at(const struct probe *p)
{
    ok(washi_run(p->program));
    return *washi_f64(p->out[0]);
}

/* Every derivative against the central difference. */
static void derivatives(washi_layer layer, bool training)
{
    double x[ROWS * COLUMNS], gradient[MOST];
    washi_model *m = one(layer);
    for (int i = 0; i < ROWS * COLUMNS; i++) x[i] = cos(3 * i) + 0.1 * i;
    ok(washi_model_build(m, WASHI_F64, (washi_shape){1, {COLUMNS}}));
    for (int i = 0; i < washi_model_weights(m); i++) {
        washi_weight_info v = washi_model_weight(m, i);
        for (int64_t k = 0; k < washi_size(v.shape); k++)
            ((double *)v.data)[k] += 0.3 + 0.05 * (double)(k + i);
    }
    washi_tape *t = washi_tape_new(w);
    struct probe p;
    record(&p, m, t, x, training);
    for (int i = 0; i < p.things; i++) {
        sum_at(&p);
        memcpy(gradient, washi_f64(p.out[1 + i]), (size_t)p.size[i] * sizeof *gradient);
        for (int k = 0; k < p.size[i]; k++) {
            const double here = p.at[i][k], h = 1e-5;
            p.at[i][k] = here + h;
            const double above = sum_at(&p);
            p.at[i][k] = here - h;
            const double below = sum_at(&p);
            p.at[i][k] = here;
            near(gradient[k], (above - below) / (2 * h), 1e-8);
        }
    }
    washi_program_free(p.program);
    washi_tape_free(t);
    washi_model_free(m);
}

START_TEST(derivatives_of_layers)
{
    const washi_layer layers[] = {
        washi_layer_dense(3, washi_tanh),
        washi_layer_dense_with((washi_dense_options){.units = 2, .no_bias = true}),
        washi_layer_dense_with((washi_dense_options){
            .units = 3, .kernel_l1 = 0.7, .kernel_l2 = 0.2, .bias_l1 = 0.1, .bias_l2 = 0.4}),
        washi_layer_activation(washi_sigmoid),
        washi_layer_flatten(),
        washi_layer_reshape(SHAPE(2, 2)),
        washi_layer_rescaling_offset(0.7, -2),
        washi_layer_batch_normalization(),
        washi_layer_layer_normalization(),
    };
    derivatives(layers[_i / 2], _i % 2);
}
END_TEST

int main(void)
{
    TCase *all =
        CASE("nn_layers", setup, teardown, dense_options, activation, reshape, rescaling_with_an_offset,
             batch_normalization_in_training, batch_normalization_after_training,
             batch_normalization_frozen, layer_normalization, normalization_mistakes);
    tcase_add_loop_test(all, derivatives_of_layers, 0, 18);
    return RUN_SUITE("nn_layers", all);
}
