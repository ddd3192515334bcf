/* test_nn_loss.c: losses and accuracy against numbers worked out with 40 digits, and their gradients.
 */
#include "test_nn.h"

#include <float.h>

static washi_tape *t;

static void begin(void)
{
    setup();
    t = washi_tape_new(w);
}

static void end(void)
{
    washi_tape_free(t);
    teardown();
}

static washi_tensor *doubles(int64_t rows, int64_t columns, const double *x)
{
    return washi_constant(t, WASHI_F64, SHAPE(rows, columns), x);
}

static washi_tensor *labels(int n, const int32_t *x)
{
    return washi_constant(t, WASHI_I32, (washi_shape){1, {n}}, x);
}

static washi_tensor *input(int64_t rows, int64_t columns, const double *data)
{
    washi_tensor *x = washi_input(t, WASHI_F64, SHAPE(rows, columns));
    ok(washi_feed(x, data));
    return x;
}

/* The loss and its gradient by x are these. */
static void is(washi_tensor *loss, double expected, washi_tensor *x, const double *gradient)
{
    washi_tensor *y[2] = {loss};
    ck_assert_msg(loss != NULL, "%s", washi_message());
    ck_assert_int_eq(washi_shape_of(loss).rank, 0);
    ok(washi_grad(loss, 1, &x, &y[1]));
    ok(washi_eval(2, y));
    near(*washi_f64(loss), expected, 1e-14);
    for (int i = 0; i < washi_size(washi_shape_of(x)); i++)
        near(washi_f64(y[1])[i], gradient[i], 1e-14);
}

static const double logits[12] = {1, 2, 3, 4, -1, 0.5, 0.25, 2, 0, 0, 0, 0};
static const int32_t classes[3] = {2, 0, 3};
static const double sparse_loss = 2.065254352709779793;
static const double sparse_gradient[12] = {
    0.0106862010933616628, 0.0290481062473441892, -0.254372393970029956, 0.214638086629324104,
    -0.321861852911293265, 0.0514116084280540673, 0.0400394009027289459, 0.230410843580510251,
    0.0833333333333333333, 0.0833333333333333333, 0.0833333333333333333, -0.25};

START_TEST(sparse_from_logits)
{
    washi_tensor *x = input(3, 4, logits);
    is(washi_sparse_categorical_crossentropy_from_logits(labels(3, classes), x), sparse_loss, x,
       sparse_gradient);
    uint8_t bytes[3] = {2, 0, 3};
    washi_tensor *column = washi_constant(t, WASHI_U8, SHAPE(3, 1), bytes);
    is(washi_sparse_categorical_crossentropy_from_logits(column, x), sparse_loss, x, sparse_gradient);
    /* more axes before the last hold samples as well */
    washi_tensor *deep = washi_reshape(x, (washi_shape){3, {3, 1, 4}});
    washi_tensor *both = washi_reshape(labels(3, classes), SHAPE(3, 1));
    is(washi_sparse_categorical_crossentropy_from_logits(both, deep), sparse_loss, x, sparse_gradient);
}
END_TEST

START_TEST(straight_from_softmax)
{
    washi_tensor *x = input(3, 4, logits);
    is(washi_sparse_categorical_crossentropy(labels(3, classes), washi_softmax(x)), sparse_loss, x,
       sparse_gradient);
}
END_TEST

/* Logits at which the probability of the label is 0 in any float: nothing is lost, clipping would
 * say 16. */
START_TEST(extreme_logits)
{
    const double far[8] = {1000, 0, -1000, 500, -INFINITY, 3, 3, -INFINITY},
                 zero[8] = {0.5, -0.5, 0, 0, 0, -0.25, 0.25, 0};
    const int32_t second[2] = {1, 1};
    washi_tensor *x = input(2, 4, far);
    is(washi_sparse_categorical_crossentropy(labels(2, second), washi_softmax(x)), (1000 + log(2)) / 2,
       x, zero);
}
END_TEST

/* A softmax along another axis is no distribution over the classes' axis: its logits must not be taken.
 */
START_TEST(softmax_of_another_axis)
{
    const double x[4] = {0, 1, 2, 3};
    const int32_t first[2] = {0, 0};
    washi_tensor *p = washi_softmax_along(doubles(2, 2, x), 0);
    double expected = -(log(1 / (1 + exp(2))) + log(exp(2) / (1 + exp(2)))) / 2;
    near(washi_item(washi_sparse_categorical_crossentropy(labels(2, first), p)), expected, 1e-14);
}
END_TEST

START_TEST(sparse_from_probabilities)
{
    const double p[12] = {0.1, 0.2, 0.6, 0.1, 0.7, 0.1, 0.1, 0.1, 0.25, 0.25, 0.25, 0.25};
    const double gradient[12] = {
        [2] = -0.555555555555555556, [4] = -0.47619047619047619, [11] = -1.33333333333333333};
    washi_tensor *x = input(3, 4, p);
    is(washi_sparse_categorical_crossentropy(labels(3, classes), x), 0.75126497627487122698, x,
       gradient);
    /* outside [1e-7, 1 - 1e-7] the loss is that of the bound, and flat */
    const double hard[4] = {0, 1, 1, 0}, flat[4] = {0};
    const int32_t wrong_and_right[2] = {0, 0};
    x = input(2, 2, hard);
    is(washi_sparse_categorical_crossentropy(labels(2, wrong_and_right), x),
       -(log(1e-7) + log(1 - 1e-7)) / 2, x, flat);
    const double broken[2] = {NAN, 0.5};
    ck_assert(isnan(washi_item(
        washi_sparse_categorical_crossentropy(labels(1, wrong_and_right), input(1, 2, broken)))));
}
END_TEST

START_TEST(categorical)
{
    const double target[12] = {0.4, 0.3, 0.2, 0.1, 1, 0, 0, 0, 0, 0.5, 0.5, 0};
    const double gradient[12] = {-0.122647132239971671,  -0.0709518937526558108, 0.0122942726966367108,
                                 0.181304753295990771,   -0.321861852911293265,  0.0514116084280540673,
                                 0.0400394009027289459,  0.230410843580510251,   0.0833333333333333333,
                                 -0.0833333333333333333, -0.0833333333333333333, 0.0833333333333333333};
    washi_tensor *x = input(3, 4, logits), *y = doubles(3, 4, target);
    is(washi_categorical_crossentropy_from_logits(y, x), 2.3985876860431131263, x, gradient);
    is(washi_categorical_crossentropy(y, washi_softmax(x)), 2.3985876860431131263, x, gradient);
    const double p[12] = {0.1, 0.2, 0.6, 0.1, 0.7, 0.1, 0.1, 0.1, 0.25, 0.25, 0.25, 0.25};
    double by_p[12];
    for (int i = 0; i < 12; i++) by_p[i] = -target[i] / p[i] / 3;
    x = input(3, 4, p);
    is(washi_categorical_crossentropy(y, x), 1.1597527833463580296, x, by_p);
}
END_TEST

static const double binary_logits[6] = {0, 1.5, -3, 40, -40, 2},
                    binary_target[6] = {1, 0, 1, 0, 1, 0.25};
static const double binary_gradient[6] = {-0.0833333333333333333, 0.13626241269894061,
                                          -0.158762354470405537,  0.166666666666666666,
                                          -0.166666666666666666,  0.105132846329647074};

START_TEST(binary)
{
    washi_tensor *x = input(6, 1, binary_logits), *y = doubles(6, 1, binary_target);
    washi_tensor *row = washi_reshape(y, (washi_shape){1, {6}});
    is(washi_binary_crossentropy_from_logits(y, x), 14.511679303526568714, x, binary_gradient);
    is(washi_binary_crossentropy(row, washi_sigmoid(x)), 14.511679303526568714, x, binary_gradient);
    const double p[6] = {0.5, 0.9, 0.2, 1e-12, 1, 0.75};
    const double gradient[6] = {-0.333333333333333333, 1.66666666666666667, -0.833333333333333333, 0, 0,
                                0.444444444444444444};
    x = input(6, 1, p);
    is(washi_binary_crossentropy(y, x), 0.952801945823494094, x, gradient);
}
END_TEST

/* At 0, where its pieces meet, the loss from logits has the derivatives of softplus: 1/2, 1/4, 0, -1/8.
 */
START_TEST(binary_derivatives_at_zero)
{
    const double zero[2] = {0, 0}, expected[4] = {0.5, 0.25, 0, -0.125};
    washi_tensor *x = input(2, 1, zero), *y = doubles(2, 1, zero);
    washi_tensor *f = washi_scale(washi_binary_crossentropy_from_logits(y, x), 2);
    for (int order = 0; order < 4; order++) {
        washi_tensor *next;
        ok(washi_grad(f, 1, &x, &next));
        f = next;
        ok(washi_eval(1, &f));
        near(washi_f64(f)[0], expected[order], 1e-15);
        near(washi_f64(f)[1], expected[order], 1e-15);
    }
}
END_TEST

START_TEST(mean_squared_error)
{
    const double p[4] = {1, 2, 3, 4}, target[4] = {0, 2, 5, 1}, gradient[4] = {0.5, 0, -1, 1.5};
    washi_tensor *x = input(4, 1, p);
    is(washi_mean_squared_error(doubles(4, 1, target), x), 3.5, x, gradient);
    const int32_t whole[4] = {0, 2, 5, 1};
    is(washi_mean_squared_error(labels(4, whole), x), 3.5, x, gradient);
    washi_tensor *row = washi_reshape(x, (washi_shape){1, {4}});
    is(washi_mean_squared_error(doubles(4, 1, target), row), 3.5, x, gradient);
}
END_TEST

/* Errors of 0, inside, at the bound, outside and on both sides. */
START_TEST(mean_absolute_error_and_huber)
{
    const double p[6] = {1, 2.5, -3, 4, 0.75, -2}, target[6] = {1, 2, -2, 6.5, 1, -5};
    const double by_absolute[6] = {0, 1 / 6.0, -1 / 6.0, -1 / 6.0, -1 / 6.0, 1 / 6.0};
    const double by_huber[6] = {0, 0.5 / 6, -1 / 6.0, -1 / 6.0, -0.25 / 6, 1 / 6.0};
    washi_tensor *x = input(6, 1, p), *y = doubles(6, 1, target);
    is(washi_mean_absolute_error(y, x), 7.25 / 6, x, by_absolute);
    is(washi_huber(y, x), (0.125 + 0.5 + 2 + 0.03125 + 2.5) / 6, x, by_huber);
    const int32_t whole[6] = {1, 2, -2, 6, 1, -5};
    is(washi_mean_absolute_error(labels(6, whole), x), 6.75 / 6, x, by_absolute);
    const double broken[2] = {NAN, 1}, one[2] = {1, 1};
    ck_assert(isnan(washi_item(washi_mean_absolute_error(doubles(2, 1, one), input(2, 1, broken)))));
    ck_assert(isnan(washi_item(washi_huber(doubles(2, 1, one), input(2, 1, broken)))));
}
END_TEST

START_TEST(in_floats)
{
    float x[12];
    for (int i = 0; i < 12; i++) x[i] = (float)logits[i];
    washi_tensor *z = washi_constant(t, WASHI_F32, SHAPE(3, 4), x);
    washi_tensor *loss = washi_sparse_categorical_crossentropy(labels(3, classes), washi_softmax(z));
    ck_assert_int_eq(washi_dtype_of(loss), WASHI_F32);
    near(washi_item(loss), sparse_loss, 4 * (double)FLT_EPSILON);
    near(washi_item(washi_accuracy(labels(3, classes), z)), 0, 0);
}
END_TEST

START_TEST(accuracy)
{
    const double p[12] = {0, 1, 0, 0, 5, 5, 0, 0, -3, -2, -1, -1};
    const int32_t all[3] = {1, 0, 2}, some[3] = {1, 1, 3}, outside[3] = {1, 0, 77};
    const uint8_t bytes[3] = {1, 0, 2};
    washi_tensor *x = doubles(3, 4, p);
    near(washi_item(washi_accuracy(labels(3, all), x)), 1, 0);
    near(washi_item(washi_accuracy(labels(3, some), x)), 1 / 3.0, 1e-16);
    near(washi_item(washi_accuracy(labels(3, outside), x)), 2 / 3.0, 1e-16);
    near(washi_item(washi_accuracy(washi_constant(t, WASHI_U8, SHAPE(3, 1), bytes), x)), 1, 0);
}
END_TEST

/* Labels that are no classes are found by the run. */
START_TEST(labels_out_of_range)
{
    const int32_t low[3] = {0, -1, 2}, high[3] = {0, 4, 2};
    washi_tensor *x = washi_softmax(doubles(3, 4, logits));
    washi_tensor *loss = washi_sparse_categorical_crossentropy(labels(3, low), x);
    fails(washi_eval(1, &loss), WASHI_BAD_VALUE, "-1");
    loss = washi_sparse_categorical_crossentropy(labels(3, high), x);
    fails(washi_eval(1, &loss), WASHI_BAD_VALUE, "4");
}
END_TEST

static void refused(washi_loss_fn *loss, washi_tensor *target, washi_tensor *prediction,
                    washi_status status, const char *text)
{
    ck_assert_ptr_null(loss(target, prediction));
    fails(washi_tape_status(t), status, text);
    washi_tape_free(t);
    t = washi_tape_new(w);
}

#define INPUT(type, ...) washi_input(t, WASHI_##type, (washi_shape){__VA_ARGS__})

START_TEST(mistakes)
{
    refused(washi_mean_squared_error, INPUT(F32, 2, {4, 2}), INPUT(F32, 2, {4, 1}), WASHI_BAD_SHAPE,
            "mean_squared_error: target [4,2] f32, prediction [4,1] f32: equal shapes wanted");
    refused(washi_mean_squared_error, INPUT(F32, 1, {4}), INPUT(F32, 2, {4, 4}), WASHI_BAD_SHAPE,
            "equal shapes");
    refused(washi_mean_squared_error, INPUT(F32, 1, {4}), INPUT(I32, 1, {4}), WASHI_BAD_TYPE, "i32");
    refused(washi_mean_absolute_error, INPUT(F32, 1, {3}), INPUT(F32, 1, {4}), WASHI_BAD_SHAPE,
            "mean_absolute_error: ");
    refused(washi_huber, INPUT(F32, 1, {3}), INPUT(F32, 1, {4}), WASHI_BAD_SHAPE, "huber: ");
    refused(washi_binary_crossentropy, INPUT(F32, 1, {4}), washi_sigmoid(INPUT(F32, 1, {5})),
            WASHI_BAD_SHAPE, "binary_crossentropy: ");
    refused(washi_categorical_crossentropy, INPUT(F32, 2, {4, 2}), INPUT(F32, 2, {4, 3}),
            WASHI_BAD_SHAPE, "categorical_crossentropy: ");
    refused(washi_sparse_categorical_crossentropy, INPUT(F32, 1, {4}), INPUT(F32, 2, {4, 3}),
            WASHI_BAD_TYPE, "labels of i32 or u8");
    refused(washi_sparse_categorical_crossentropy, INPUT(I32, 1, {5}),
            washi_softmax(INPUT(F32, 2, {4, 3})), WASHI_BAD_SHAPE,
            "target [5] i32, prediction [4,3] f32: a label for each row");
    refused(washi_sparse_categorical_crossentropy, INPUT(I32, 2, {4, 2}), INPUT(F32, 2, {4, 2}),
            WASHI_BAD_SHAPE, "a label for each row");
    refused(washi_accuracy, INPUT(I32, 0, {0}), INPUT(F32, 1, {4}), WASHI_BAD_SHAPE, "accuracy");
    refused(washi_accuracy, NULL, INPUT(F32, 2, {4, 4}), WASHI_MISUSE, "accuracy: the target is NULL");
    refused(washi_mean_squared_error, INPUT(F32, 2, {4, 4}), NULL, WASHI_MISUSE,
            "the prediction is NULL");
    /* after an error the cause stays */
    washi_matmul(INPUT(F32, 2, {4, 3}), INPUT(F32, 2, {4, 3}));
    refused(washi_mean_squared_error, NULL, INPUT(F32, 2, {4, 4}), WASHI_BAD_SHAPE, "matmul");
    ck_assert_ptr_null(washi_accuracy(NULL, NULL));
}
END_TEST

int main(void)
{
    return RUN_SUITE("nn_loss", CASE("nn_loss", begin, end, sparse_from_logits, straight_from_softmax,
                                     extreme_logits, softmax_of_another_axis, sparse_from_probabilities,
                                     categorical, binary, binary_derivatives_at_zero,
                                     mean_squared_error, mean_absolute_error_and_huber, in_floats,
                                     accuracy, labels_out_of_range, mistakes));
}
