/* test_nn_model.c: names, first values and persistence of weights, layers, models and their summaries.
 */
#include "test_nn.h"

static washi_weight_info weight(washi_model *m, const char *name)
{
    for (int i = 0; i < washi_model_weights(m); i++)
        if (strcmp(washi_model_weight(m, i).name, name) == 0) return washi_model_weight(m, i);
    ck_abort_msg("no weight %s", name);
    return (washi_weight_info){0};
}

START_TEST(names_types_shapes)
{
    static const struct {
        const char *name;
        washi_shape shape;
    } expected[] = {{"dense/kernel", {2, {784, 64}}},  {"dense/bias", {1, {64}}},
                    {"dense_1/kernel", {2, {64, 64}}}, {"dense_1/bias", {1, {64}}},
                    {"dense_2/kernel", {2, {64, 10}}}, {"dense_2/bias", {1, {10}}}};
    washi_model *m = mnist(w);
    ck_assert_int_eq(washi_model_weights(m), 0);
    ok(washi_model_build(m, WASHI_F32, SHAPE(28, 28)));
    ck_assert_int_eq(washi_model_weights(m), 6);
    for (int i = 0; i < 6; i++) {
        washi_weight_info v = washi_model_weight(m, i);
        ck_assert_str_eq(v.name, expected[i].name);
        ck_assert_int_eq(v.shape.rank, expected[i].shape.rank);
        for (int j = 0; j < v.shape.rank; j++)
            ck_assert_int_eq(v.shape.dim[j], expected[i].shape.dim[j]);
        ck_assert_int_eq(v.type, WASHI_F32);
        ck_assert(v.trainable);
        ck_assert_uint_eq((uintptr_t)v.data % 64, 0);
    }
    ck_assert_ptr_null(washi_model_weight(m, 6).name);
    ck_assert_ptr_null(washi_model_weight(m, -1).name);
    ok(washi_model_build(m, WASHI_F32, SHAPE(28, 28))); /* a second time is a check */
    ck_assert_int_eq(washi_model_weights(m), 6);
    washi_model_free(m);
}
END_TEST

START_TEST(first_values)
{
    washi_model *m = mnist(w);
    ok(washi_model_build(m, WASHI_F32, SHAPE(28, 28)));
    const float *kernel = weight(m, "dense/kernel").data, *bias = weight(m, "dense/bias").data;
    double limit = sqrt(6.0 / (784 + 64)), sum = 0, squares = 0, largest = 0;
    for (int i = 0; i < 784 * 64; i++) {
        ck_assert(fabs(kernel[i]) <= limit);
        largest = fmax(largest, fabs(kernel[i]));
        sum += kernel[i];
        squares += (double)kernel[i] * kernel[i];
    }
    /* uniform in +-limit: mean 0 within 5 standard errors, variance limit^2 / 3, the range used to its
     * ends */
    ck_assert(fabs(sum / 50176) < 5 * limit / sqrt(3.0 * 50176));
    near(squares / 50176 / (limit * limit / 3), 1, 0.02);
    ck_assert(largest > 0.999 * limit);
    for (int i = 0; i < 64; i++) ck_assert(bias[i] == 0);
    washi_model_free(m);
}
END_TEST

START_TEST(initialisers)
{
    float a[4096], b[4096];
    washi_shape cube = {3, {4, 2, 512}};
    ok(washi_glorot_uniform(w, cube, 7, a)); /* fans 4 * 2 and 4 * 512 */
    double limit = sqrt(6.0 / (8 + 2048)), largest = 0, squares = 0;
    for (int i = 0; i < 4096; i++) largest = fmax(largest, fabs(a[i]));
    ck_assert(largest <= limit && largest > 0.99 * limit);
    ok(washi_glorot_uniform(w, (washi_shape){1, {4096}}, 7, a)); /* fans 4096 and 4096 */
    largest = 0;
    for (int i = 0; i < 4096; i++) largest = fmax(largest, fabs(a[i]));
    ck_assert(largest <= sqrt(6.0 / 8192) && largest > 0.99 * sqrt(6.0 / 8192));
    ok(washi_glorot_uniform(w, (washi_shape){0}, 7, a)); /* fans 1 and 1 */
    ck_assert(fabs(a[0]) <= sqrt(3));
    ok(washi_random_normal(w, (washi_shape){1, {4096}}, 7, a));
    for (int i = 0; i < 4096; i++) squares += (double)a[i] * a[i];
    near(sqrt(squares / 4096), 0.05, 0.003);
    ok(washi_random_normal(w, (washi_shape){1, {4096}}, 8, b));
    ck_assert_mem_ne(a, b, sizeof a);
    ok(washi_ones(w, SHAPE(2, 2), 0, a));
    for (int i = 0; i < 4; i++) ck_assert(a[i] == 1);
    ok(washi_zeros(w, SHAPE(2, 2), 0, a));
    for (int i = 0; i < 4; i++) ck_assert(a[i] == 0);
    fails(washi_ones(w, (washi_shape){-1, {0}}, 0, a), WASHI_BAD_SHAPE, "ones");
    fails(washi_zeros(NULL, (washi_shape){0}, 0, a), WASHI_MISUSE, "context");
}
END_TEST

/* Values depend on the seed and on the weight's full name, not on what else a model holds. */
START_TEST(values_by_seed_and_name)
{
    washi *other = context(2, 1);
    washi_layer one[] = {washi_layer_dense(8, NULL)};
    washi_layer two[] = {washi_layer_dense(8, NULL), washi_layer_dense(8, NULL)};
    washi_layer named[] = {washi_layer_dense(8, NULL)};
    named[0].name = "elsewhere";
    washi_model *a = washi_sequential(w, 1, one), *b = washi_sequential(w, 2, two);
    washi_model *c = washi_sequential(other, 1, one), *d = washi_sequential(w, 1, named);
    washi_shape input = {1, {8}};
    ok(washi_model_build(a, WASHI_F32, input));
    ok(washi_model_build(b, WASHI_F32, input));
    ok(washi_model_build(c, WASHI_F32, input));
    ok(washi_model_build(d, WASHI_F32, input));
    const void *k = weight(a, "dense/kernel").data;
    ck_assert_mem_eq(k, weight(b, "dense/kernel").data, 256);
    ck_assert_mem_ne(k, weight(b, "dense_1/kernel").data, 256);
    ck_assert_mem_ne(k, weight(c, "dense/kernel").data, 256);
    ck_assert_mem_ne(k, weight(d, "elsewhere/kernel").data, 256);
    washi_model_free(a);
    washi_model_free(b);
    washi_model_free(c);
    washi_model_free(d);
    washi_close(other);
}
END_TEST

/* A call on a new tape sees the same memory: as the first call made it, and as it was written since. */
START_TEST(weights_persist)
{
    washi_layer layers[] = {washi_layer_dense(2, NULL)};
    washi_model *m = washi_sequential(w, 1, layers);
    float x[2] = {1, 2}, first[2];
    for (int round = 0; round < 3; round++) {
        washi_tape *t = washi_tape_new(w);
        washi_tensor *y = washi_model_call(m, washi_constant(t, WASHI_F32, SHAPE(1, 2), x), false);
        washi_tensor *again = washi_model_call(m, washi_constant(t, WASHI_F32, SHAPE(1, 2), x), false);
        ck_assert_ptr_nonnull(y);
        ck_assert_ptr_eq(washi_operand(y, 1), washi_operand(again, 1)); /* one tensor for one weight */
        ok(washi_eval(1, &y));
        if (round == 0) memcpy(first, washi_f32(y), sizeof first);
        if (round == 1) {
            ck_assert_mem_eq(first, washi_f32(y), sizeof first);
            float *k = weight(m, "dense/kernel").data, *b = weight(m, "dense/bias").data;
            for (int i = 0; i < 4; i++) k[i] = (float)i;
            b[0] = 10;
        }
        if (round == 2) {
            ck_assert(washi_f32(y)[0] == 1 * 0 + 2 * 2 + 10);
            ck_assert(washi_f32(y)[1] == 1 * 1 + 2 * 3);
        }
        washi_tape_free(t);
    }
    ck_assert_int_eq(washi_model_weights(m), 2);
    washi_model_free(m);
}
END_TEST

START_TEST(freezing)
{
    washi_model *m = mnist(w);
    fails(washi_model_freeze(m, NULL, true), WASHI_MISUSE, "not built");
    ok(washi_model_build(m, WASHI_F32, SHAPE(28, 28)));
    ok(washi_model_freeze(m, "dense_1/", true));
    for (int i = 0; i < 6; i++) ck_assert(washi_model_weight(m, i).trainable == (i != 2 && i != 3));
    ok(washi_model_freeze(m, "", true));
    for (int i = 0; i < 6; i++) ck_assert(!washi_model_weight(m, i).trainable);
    ok(washi_model_freeze(m, NULL, false));
    for (int i = 0; i < 6; i++) ck_assert(washi_model_weight(m, i).trainable);
    fails(washi_model_freeze(m, "conv", true), WASHI_BAD_VALUE, "\"conv\"");
    fails(washi_model_freeze(NULL, "", true), WASHI_MISUSE, "NULL");
    washi_model_free(m);
}
END_TEST

/* -- layers ----------------------------------------------------------------------------------- */

/* The lecture's Affine: a kernel, a bias, and a counter of its training calls that no optimiser
 * changes. */
static washi_tensor *affine(washi_scope *s, washi_tensor *x, const void *config)
{
    int64_t units = *(const int64_t *)config;
    washi_shape kernel = SHAPE(washi_shape_of(x).dim[1], units);
    washi_tensor *k =
        washi_weight(s, "kernel", (washi_weight_options){kernel, washi_random_normal, false, 0});
    washi_tensor *b =
        washi_weight(s, "bias", (washi_weight_options){{1, {units}}, washi_zeros, false, 0});
    washi_tensor *counter =
        washi_weight(s, "counter", (washi_weight_options){.init = washi_zeros, .frozen = true});
    if (washi_training(s)) washi_assign(counter, washi_shift(counter, 1));
    return washi_add(washi_matmul(x, k), b);
}

START_TEST(a_layer_with_a_counter)
{
    int64_t units = 3;
    washi_layer layers[] = {washi_layer_custom("affine", affine, &units)};
    washi_model *m = washi_sequential(w, 1, layers);
    float x[2] = {1, 1};
    for (int i = 0; i < 3; i++) {
        washi_tape *t = washi_tape_new(w);
        washi_tensor *y = washi_model_call(m, washi_constant(t, WASHI_F32, SHAPE(1, 2), x), i > 0);
        ok(washi_eval(1, &y));
        const float *k = weight(m, "affine/kernel").data;
        ck_assert(washi_f32(y)[2] == k[2] + k[5]);
        ck_assert(k[2] != 0 && fabsf(k[2]) < 0.5f);
        ck_assert(*(float *)weight(m, "affine/counter").data == (float)i);
        washi_tape_free(t);
    }
    ck_assert(!weight(m, "affine/counter").trainable);
    ck_assert(!washi_training(NULL));
    washi_model_free(m);
}
END_TEST

/* A counter of whole numbers: first values are truncated, calls count, no one trains it. */
static washi_tensor *counting(washi_scope *s, washi_tensor *x, const void *config)
{
    (void)config;
    washi_tensor *n = washi_weight(
        s, "n", (washi_weight_options){.init = washi_ones, .frozen = true, .type = WASHI_I32});
    washi_assign(n, washi_shift(n, 1));
    return x;
}

static washi_tensor *whole_numbers_to_train(washi_scope *s, washi_tensor *x, const void *config)
{
    (void)config;
    return washi_mul(x, washi_weight(s, "n", (washi_weight_options){.type = WASHI_I32}));
}

START_TEST(a_counter_of_whole_numbers)
{
    washi_layer layers[] = {washi_layer_custom("a", counting, NULL)};
    washi_model *m = washi_sequential(w, 1, layers);
    float x[1] = {1}, y[1];
    for (int i = 0; i < 3; i++) ok(washi_predict(m, &(washi_array){WASHI_F32, SHAPE(1, 1), x}, 0, y));
    ck_assert_int_eq(*(int32_t *)weight(m, "a/n").data, 4);
    ok(washi_model_freeze(m, NULL, false));
    ck_assert(!weight(m, "a/n").trainable);
    washi_model_free(m);
    m = washi_model_new(w, NULL, whole_numbers_to_train, NULL);
    fails(washi_model_build(m, WASHI_F32, (washi_shape){1, {1}}), WASHI_BAD_TYPE, "i32, frozen");
    washi_model_free(m);
}
END_TEST

START_TEST(layers_of_a_model)
{
    washi_model *m = mnist(w);
    ck_assert_int_eq(washi_model_layers(m), 0);
    ok(washi_model_build(m, WASHI_F32, SHAPE(28, 28)));
    ck_assert_int_eq(washi_model_layers(m), 4);
    ck_assert_str_eq(washi_model_layer(m, 0).name, "flatten");
    ck_assert_str_eq(washi_model_layer(m, 2).name, "dense_1");
    ck_assert_str_eq(washi_model_layer(m, 2).kind, "Dense");
    ck_assert_int_eq(washi_model_layer(m, 2).shape.dim[1], 64);
    ck_assert_ptr_null(washi_model_layer(m, 4).name);
    ck_assert_ptr_null(washi_model_layer(m, -1).name);
    ck_assert_int_eq(washi_model_layers(NULL), 0);
    ck_assert_ptr_null(washi_model_layer(NULL, 0).name);
    washi_model_free(m);
}
END_TEST

START_TEST(flatten_and_rescaling)
{
    washi_layer layers[] = {washi_layer_rescaling(1 / 255.0), washi_layer_flatten()};
    washi_model *m = washi_sequential(w, 2, layers);
    uint8_t pixels[12];
    for (int i = 0; i < 12; i++) pixels[i] = (uint8_t)(i * 23);
    washi_tape *t = washi_tape_new(w);
    washi_tensor *y =
        washi_model_call(m, washi_constant(t, WASHI_U8, (washi_shape){3, {2, 2, 3}}, pixels), false);
    ok(washi_eval(1, &y));
    ck_assert_int_eq(washi_shape_of(y).rank, 2);
    ck_assert_int_eq(washi_shape_of(y).dim[1], 6);
    for (int i = 0; i < 12; i++) near(washi_f32(y)[i], i * 23 / 255.0, 1e-7);
    ck_assert_int_eq(
        washi_shape_of(washi_flatten(washi_input(t, WASHI_F32, (washi_shape){1, {5}}))).dim[1], 1);
    ck_assert_ptr_null(washi_flatten(washi_input(t, WASHI_F32, (washi_shape){0})));
    fails(washi_tape_status(t), WASHI_BAD_SHAPE, "flatten");
    washi_tape_free(t);
    washi_model_free(m);
}
END_TEST

int main(void)
{
    return RUN("nn_model", names_types_shapes, first_values, initialisers, values_by_seed_and_name,
               weights_persist, freezing, a_layer_with_a_counter, flatten_and_rescaling,
               a_counter_of_whole_numbers, layers_of_a_model);
}
