/* test_nn_refused.c: what fit, evaluate and predict refuse, and the sentences they say. */
#include "test_nn_points.h"

START_TEST(wrong_label_stops_before_its_step)
{
    unsigned char before[4096], after[4096];
    washi_model *m = classifier(w);
    ok(washi_model_build(m, WASHI_F32, (washi_shape){1, {FEATURES}}));
    size_t size = weights(m, before);
    kinds[149] = CLASSES;
    options.batch_size = SAMPLES;
    double history[6][4];
    fails(washi_fit(m, &x, &y, &options, history), WASHI_BAD_VALUE, "3");
    weights(m, after);
    ck_assert_mem_eq(before, after, size);
    ck_assert(isnan(history[0][0]));
    washi_model_free(m);
}
END_TEST

static washi_tensor *vector_loss(washi_tensor *target, washi_tensor *prediction)
{
    (void)target;
    return prediction;
}

static washi_tensor *no_loss(washi_tensor *target, washi_tensor *prediction)
{
    (void)target, (void)prediction;
    return NULL;
}

static void fit_fails(washi_model *m, const washi_array *a, const washi_array *b, washi_status status,
                      const char *text)
{
    fails(washi_fit(m, a, b, &options, NULL), status, text);
}

static const washi_array fewer = {WASHI_U8, {1, {SAMPLES - 1}}, kinds};

START_TEST(mistakes_in_data)
{
    washi_model *m = classifier(w);
    const washi_array empty = {WASHI_F32, {2, {0, FEATURES}}, points};
    const washi_array none = {WASHI_U8, {1, {0}}, kinds}, scalar = {WASHI_F32, {0}, points};
    const washi_array no_data = {WASHI_F32, {2, {SAMPLES, FEATURES}}, NULL};
    const washi_array askew = {WASHI_F32, {2, {SAMPLES - 1, FEATURES}}, (const char *)points + 1};
    const washi_array no_type = {(washi_dtype)7, {2, {SAMPLES, FEATURES}}, points};
    fit_fails(NULL, &x, &y, WASHI_MISUSE, "fit: the model is NULL");
    fit_fails(m, NULL, &y, WASHI_MISUSE, "fit: x is NULL");
    fit_fails(m, &x, NULL, WASHI_MISUSE, "fit: y is NULL");
    fit_fails(m, &x, &fewer, WASHI_BAD_SHAPE, "fit: x has 150 samples and y 149");
    fit_fails(m, &empty, &none, WASHI_BAD_SHAPE, "fit: x [0,5] and y [0] are empty");
    fit_fails(m, &scalar, &y, WASHI_BAD_SHAPE, "fit: x has shape []");
    fit_fails(m, &no_data, &y, WASHI_MISUSE, "fit: x has no data");
    fit_fails(m, &askew, &fewer, WASHI_BAD_VALUE, "fit: x is not aligned to an element of f32");
    fit_fails(m, &no_type, &y, WASHI_BAD_TYPE, "fit: x has type 7");
    fit_fails(m, &x, &x, WASHI_BAD_TYPE, "sparse_categorical_crossentropy: target [16,5] f32");
    ok(washi_fit(m, &x, &y, &options, NULL));
    washi_model_free(m);
}
END_TEST

START_TEST(mistakes_in_options)
{
    washi_model *m = classifier(w);
    const washi_fit_options good = options;
    fails(washi_fit(m, &x, &y, NULL, NULL), WASHI_MISUSE, "fit: the options are NULL");
    options.loss = NULL;
    fit_fails(m, &x, &y, WASHI_MISUSE, "no loss");
    options.loss = vector_loss;
    fit_fails(m, &x, &y, WASHI_BAD_SHAPE, "the loss function returned [16,3] of f32");
    options.loss = no_loss;
    fit_fails(m, &x, &y, WASHI_MISUSE, "the loss function returned NULL");
    options = good;
    options.metric = vector_loss;
    fit_fails(m, &x, &y, WASHI_BAD_SHAPE, "the metric function returned");
    options = good;
    options.optimizer = NULL;
    fit_fails(m, &x, &y, WASHI_MISUSE, "no optimizer");
    options = good;
    options.epochs = -1;
    fit_fails(m, &x, &y, WASHI_BAD_VALUE, "-1 epochs");
    options = good;
    options.batch_size = -5;
    fit_fails(m, &x, &y, WASHI_BAD_VALUE, "batches of -5 samples");
    options = good;
    options.validation_x = &x;
    fit_fails(m, &x, &y, WASHI_MISUSE, "validation_y is NULL");
    options.validation_y = &fewer;
    fit_fails(m, &x, &y, WASHI_BAD_SHAPE, "validation_x has 150 samples and validation_y 149");
    const washi_array narrow = {WASHI_F32, {2, {SAMPLES, FEATURES - 1}}, points};
    options.validation_x = &narrow;
    options.validation_y = &y;
    fit_fails(m, &x, &y, WASHI_BAD_SHAPE, "layer dense: weight dense/kernel: asked for as [4,8]");
    options = good;
    ok(washi_fit(m, &x, &y, &options, NULL));
    washi_model_free(m);
}
END_TEST

static washi_tensor *total(washi_scope *s, washi_tensor *in, const void *config)
{
    (void)s, (void)config;
    return washi_sum(in, WASHI_ALL, false);
}

static washi_tensor *argmax(washi_scope *s, washi_tensor *in, const void *config)
{
    (void)s, (void)config;
    return washi_argmax(in, -1, false);
}

START_TEST(predict_and_evaluate_mistakes)
{
    float out[SAMPLES * CLASSES];
    double logs[2];
    washi_model *m = classifier(w);
    fails(washi_predict(NULL, &x, 0, out), WASHI_MISUSE, "predict: the model is NULL");
    fails(washi_predict(m, NULL, 0, out), WASHI_MISUSE, "predict: x is NULL");
    fails(washi_predict(m, &x, 0, NULL), WASHI_MISUSE, "result is NULL");
    fails(washi_predict(m, &x, -1, out), WASHI_BAD_VALUE, "batches of -1");
    const washi_array none = {WASHI_F32, {2, {0, FEATURES}}, NULL};
    ok(washi_predict(m, &none, 0, NULL)); /* no samples, no results */
    fails(washi_evaluate(m, &x, &y, NULL, logs), WASHI_MISUSE, "options are NULL");
    fails(washi_evaluate(m, &x, &y, &options, NULL), WASHI_MISUSE, "logs are NULL");
    fails(washi_evaluate(NULL, &x, &y, &options, logs), WASHI_MISUSE, "model is NULL");
    washi_model_free(m);

    m = washi_model_new(w, NULL, total, NULL);
    fails(washi_predict(m, &x, 0, out), WASHI_BAD_SHAPE, "makes [] of 32 samples");
    washi_model_free(m);
    m = washi_model_new(w, NULL, argmax, NULL);
    ok(washi_predict(m, &x, 0, out)); /* numbers of any type come as floats */
    for (int i = 0; i < SAMPLES; i++)
        ck_assert(points[i][(int)out[i]] ==
                  fmaxf(fmaxf(fmaxf(points[i][0], points[i][1]), fmaxf(points[i][2], points[i][3])),
                        points[i][4]));
    washi_model_free(m);
}
END_TEST

int main(void)
{
    return RUN_SUITE("nn_refused",
                     CASE("nn_refused", begin, end, wrong_label_stops_before_its_step, mistakes_in_data,
                          mistakes_in_options, predict_and_evaluate_mistakes));
}
