/* test_nn_fit.c: fit, evaluate and predict: what they compute, in which order. */
#include "test_nn_points.h"

#include <pthread.h>

START_TEST(loss_falls)
{
    double history[20][4];
    washi_model *m = classifier(w);
    options.epochs = 20;
    ok(washi_fit(m, &x, &y, &options, history));
    ck_assert(history[0][0] > 0.7 && history[0][0] < 2);
    ck_assert(history[19][0] < 0.15 && history[19][1] > 0.95);
    for (int i = 0; i < 20; i++) ck_assert(isnan(history[i][2]) && isnan(history[i][3]));
    washi_model_free(m);
}
END_TEST

/* Logs are exact means over the samples: independent of the batch, and equal to those worked out from
 * the predictions. */
START_TEST(evaluation_is_exact)
{
    washi_model *m = classifier(w);
    ok(washi_fit(m, &x, &y, &options, NULL));
    float p[SAMPLES][CLASSES];
    ok(washi_predict(m, &x, 0, p[0]));
    double loss = 0, hits = 0;
    for (int i = 0; i < SAMPLES; i++) {
        int best = 0;
        for (int c = 1; c < CLASSES; c++)
            if (p[i][c] > p[i][best]) best = c;
        hits += best == kinds[i];
        loss -= log((double)p[i][kinds[i]]);
    }
    const int64_t sizes[] = {1, 7, 64, SAMPLES - 1, SAMPLES, SAMPLES + 1, INT64_MAX, 0};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        double logs[2];
        options.batch_size = sizes[i];
        ok(washi_evaluate(m, &x, &y, &options, logs));
        near(logs[0], loss / SAMPLES, 1e-6);
        near(logs[1], hits / SAMPLES, 1e-7);
    }
    washi_model_free(m);
}
END_TEST

/* With next to no learning, the log of training is that of evaluation: the partial batch counts by its
 * size. */
START_TEST(training_logs_are_means)
{
    double history[1][4], logs[2];
    washi_model *m = classifier(w);
    washi_optimizer *idle = washi_sgd(w, &(washi_sgd_options){.learning_rate = 1e-12});
    options.optimizer = idle;
    options.epochs = 1;
    const int64_t sizes[] = {149, 7, 1, 1000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        options.batch_size = sizes[i];
        options.keep_order = i % 2;
        ok(washi_fit(m, &x, &y, &options, history));
        ok(washi_evaluate(m, &x, &y, &options, logs));
        near(history[0][0], logs[0], 1e-6);
        near(history[0][1], logs[1], 1e-7);
    }
    washi_optimizer_free(idle);
    washi_model_free(m);
}
END_TEST

/* Rows come out in order, and each is the same to the bit whatever batch it is in. */
START_TEST(predictions_in_order)
{
    washi_model *m = classifier(w);
    ok(washi_model_build(m, WASHI_F32, (washi_shape){1, {FEATURES}}));
    float p[SAMPLES][CLASSES];
    washi_tape *t = washi_tape_new(w);
    washi_tensor *whole = washi_model_call(m, washi_constant(t, WASHI_F32, x.shape, points), false);
    ok(washi_eval(1, &whole));
    const int64_t sizes[] = {1, 7, 64, 200, 0};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        memset(p, 0, sizeof p);
        ok(washi_predict(m, &x, sizes[i], p[0]));
        ck_assert_mem_eq(p, washi_f32(whole), sizeof p);
    }
    washi_tape_free(t);
    washi_model_free(m);
}
END_TEST

/* In order, fit is this loop, to the bit. */
START_TEST(fit_is_this_loop)
{
    unsigned char a[4096], b[4096];
    washi_model *m = classifier(w);
    options.keep_order = true;
    options.batch_size = 50;
    ok(washi_fit(m, &x, &y, &options, NULL));
    size_t size = weights(m, a);
    ck_assert_uint_gt(size, 0);
    washi_model_free(m);

    m = classifier(w);
    washi_optimizer *o = washi_sgd(w, &(washi_sgd_options){.learning_rate = 0.3, .momentum = 0.5});
    washi_tape *t = washi_tape_new(w);
    washi_tensor *in = washi_input(t, WASHI_F32, SHAPE(50, FEATURES));
    washi_tensor *out = washi_input(t, WASHI_U8, (washi_shape){1, {50}});
    washi_tensor *loss = washi_sparse_categorical_crossentropy(out, washi_model_call(m, in, true));
    ok(washi_minimize(o, m, loss));
    washi_program *p = washi_compile(t, 1, &loss);
    for (int step = 0; step < 6 * 3; step++) {
        ok(washi_feed(in, points[step % 3 * 50]));
        ok(washi_feed(out, &kinds[step % 3 * 50]));
        ok(washi_run(p));
    }
    ck_assert_uint_eq(weights(m, b), size);
    ck_assert_mem_eq(a, b, size);
    washi_program_free(p);
    washi_tape_free(t);
    washi_optimizer_free(o);
    washi_model_free(m);
}
END_TEST

/* -- order ------------------------------------------------------------------------------------ */

/* Counts how often each sample is seen, and keeps a number that depends on the order of the batches. */
static washi_tensor *witness(washi_scope *s, washi_tensor *index, const void *config)
{
    (void)config;
    washi_weight_options o = {{1, {SAMPLES}}, washi_zeros, true, WASHI_F64},
                         scalar = {{0}, washi_zeros, true, WASHI_F64};
    washi_tensor *seen = washi_weight(s, "seen", o), *trace = washi_weight(s, "trace", scalar);
    washi_tensor *ones = washi_full(washi_tape_of(index), WASHI_F64, washi_shape_of(index), 1);
    washi_tensor *number = washi_cast(index, WASHI_F64);
    if (washi_training(s)) {
        washi_assign(seen, washi_scatter_add(seen, index, ones, 0));
        washi_assign(trace, washi_add(washi_scale(trace, 0.9), washi_mean(number, WASHI_ALL, false)));
    }
    washi_tensor *p = washi_weight(s, "p", (washi_weight_options){{0}, washi_ones, false, WASHI_F64});
    return washi_mul(p, number);
}

static int32_t numbers[SAMPLES];
static const washi_array indices = {WASHI_I32, {1, {SAMPLES}}, numbers};

/* Each sample comes once in each epoch, every epoch has an order of its own, and y goes with x: the
 * prediction is the sample's number, and so is y. */
START_TEST(shuffling)
{
    for (int i = 0; i < SAMPLES; i++) numbers[i] = i;
    washi_model *m = washi_model_new(w, NULL, witness, NULL);
    ok(washi_model_build(m, WASHI_I32, (washi_shape){0}));
    const double *seen = washi_model_weight(m, 0).data, *trace = washi_model_weight(m, 1).data;
    double traces[8], history[1][4], logs[2];
    options.loss = options.metric = washi_mean_squared_error;
    options.batch_size = 11;
    options.epochs = 1;
    for (int epoch = 0; epoch < 8; epoch++) {
        options.keep_order = epoch >= 6;
        *(double *)washi_model_weight(m, 1).data = 0;
        ok(washi_fit(m, &indices, &indices, &options, history));
        ck_assert(history[0][0] == 0 && history[0][1] == 0);
        for (int i = 0; i < SAMPLES; i++) ck_assert(seen[i] == epoch + 1);
        traces[epoch] = *trace;
        for (int k = 0; k < epoch && !options.keep_order; k++) ck_assert(traces[k] != traces[epoch]);
    }
    ck_assert(traces[6] == traces[7]);
    ok(washi_evaluate(m, &indices, &indices, &options, logs)); /* no training: nothing is counted */
    for (int i = 0; i < SAMPLES; i++) ck_assert(seen[i] == 8);
    washi_model_free(m);
}
END_TEST

static size_t trained(uint64_t seed, int threads, int rounds, unsigned char *out)
{
    washi *c = context(seed, threads);
    washi_model *m = classifier(c);
    washi_optimizer *o = washi_sgd(c, &(washi_sgd_options){.learning_rate = 0.3, .momentum = 0.5});
    washi_fit_options f = options;
    f.optimizer = o;
    f.epochs = 6 / rounds;
    for (int i = 0; i < rounds; i++) ok(washi_fit(m, &x, &y, &f, NULL));
    size_t size = weights(m, out);
    washi_optimizer_free(o);
    washi_model_free(m);
    washi_close(c);
    return size;
}

START_TEST(same_seed_same_bits)
{
    unsigned char a[4096], b[4096];
    size_t size = trained(5, 1, 1, a);
    ck_assert_uint_eq(size, 4 * (5 * 8 + 8 + 8 * 3 + 3));
    for (int threads = 1; threads <= 7; threads += 2) {
        trained(5, threads, 1, b);
        ck_assert_mem_eq(a, b, size);
    }
    trained(6, 1, 1, b);
    ck_assert_mem_ne(a, b, size);
    for (int rounds = 2; rounds <= 6; rounds++) { /* twice three epochs are six, and so on */
        if (6 % rounds) continue;
        trained(5, 1, rounds, b);
        ck_assert_mem_eq(a, b, size);
    }
}
END_TEST

/* -- validation, callback, history ------------------------------------------------------------- */

struct diary {
    int epochs, stop_after;
    double logs[8][4];
    long allocations[8];
    washi_model *model;
};

static bool write_down(void *user, int epoch, const double logs[4])
{
    struct diary *d = user;
    double found[2];
    ck_assert_int_eq(epoch, d->epochs);
    memcpy(d->logs[epoch], logs, sizeof d->logs[epoch]);
    d->allocations[epoch] = heap.calls;
    if (d->model) { /* the validation's logs are those of evaluate, now */
        ok(washi_evaluate(d->model, options.validation_x, options.validation_y, &options, found));
        ck_assert(found[0] == logs[2] && found[1] == logs[3]);
    }
    return ++d->epochs < d->stop_after;
}

START_TEST(validation_and_callback)
{
    washi_array some_x = {WASHI_F32, {2, {37, FEATURES}}, points[100]},
                some_y = {WASHI_U8, {2, {37, 1}}, &kinds[100]};
    struct diary d = {.stop_after = 4};
    double history[6][4];
    d.model = classifier(w);
    options.validation_x = &some_x;
    options.validation_y = &some_y;
    options.on_epoch = write_down;
    options.user = &d;
    ok(washi_fit(d.model, &x, &y, &options, history));
    ck_assert_int_eq(d.epochs, 4);
    ck_assert_mem_eq(history, d.logs, 4 * sizeof *history);
    for (int i = 0; i < 4; i++) {
        ck_assert(isfinite(history[i][2]) && isfinite(history[i][3]));
        ck_assert(isnan(history[4][i]) && isnan(history[5][i]));
    }
    washi_model_free(d.model);
}
END_TEST

/* All memory is taken before the first step. */
START_TEST(epochs_do_not_allocate)
{
    struct diary d = {.stop_after = 100};
    washi_model *m = classifier(w);
    options.validation_x = &x;
    options.validation_y = &y;
    options.on_epoch = write_down;
    options.user = &d;
    ok(washi_fit(m, &x, &y, &options, NULL));
    for (int i = 1; i < 6; i++) ck_assert_int_eq(d.allocations[i], d.allocations[0]);
    washi_model_free(m);
}
END_TEST

/* -- threads ----------------------------------------------------------------------------------- */

struct reader {
    washi_model *model;
    float out[SAMPLES][CLASSES];
};

static void *predict_often(void *arg)
{
    struct reader *r = arg;
    for (int i = 0; i < 20; i++) ok(washi_predict(r->model, &x, 7 + i, r->out[0]));
    return NULL;
}

/* A built model may be used by several threads at a time. */
START_TEST(readers_share_a_model)
{
    enum { READERS = 4 };
    static struct reader reader[READERS];
    pthread_t thread[READERS];
    washi *shared;
    ok(washi_open(&shared, &(washi_options){.threads = 2}));
    washi_model *m = classifier(shared);
    ok(washi_model_build(m, WASHI_F32, (washi_shape){1, {FEATURES}}));
    for (int i = 0; i < READERS; i++) {
        reader[i].model = m;
        ck_assert_int_eq(pthread_create(&thread[i], NULL, predict_often, &reader[i]), 0);
    }
    for (int i = 0; i < READERS; i++) pthread_join(thread[i], NULL);
    for (int i = 1; i < READERS; i++)
        ck_assert_mem_eq(reader[i].out, reader[0].out, sizeof reader[0].out);
    ck_assert(reader[0].out[149][0] > 0);
    washi_model_free(m);
    washi_close(shared);
}
END_TEST

/* -- kinds of data ------------------------------------------------------------------------------ */

START_TEST(pixels_and_labels)
{
    uint8_t pixels[SAMPLES][2][3];
    int32_t labels[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
        labels[i] = i % 2;
        for (int j = 0; j < 6; j++)
            pixels[i][j / 3][j % 3] = (uint8_t)(i * 7 % 100 + (j < 3) * labels[i] * 150);
    }
    washi_array images = {WASHI_U8, {3, {SAMPLES, 2, 3}}, pixels},
                column = {WASHI_I32, {2, {SAMPLES, 1}}, labels};
    washi_layer layers[] = {washi_layer_rescaling(1 / 255.0), washi_layer_flatten(),
                            washi_layer_dense(2, washi_softmax)};
    washi_model *m = washi_sequential(w, 3, layers);
    double history[10][4];
    options.epochs = 10;
    ok(washi_fit(m, &images, &column, &options, history));
    ck_assert(history[9][1] == 1 && history[9][0] < 0.1);
    washi_model_free(m);
}
END_TEST

/* Doubles, a target [n] for a prediction [n, 1], and a line found: y = 2 x - 1. */
START_TEST(regression_in_doubles)
{
    double in[64], out[64], logs[2];
    float found[64];
    for (int i = 0; i < 64; i++) out[i] = 2 * (in[i] = i / 32.0 - 1) - 1;
    washi_array a = {WASHI_F64, {2, {64, 1}}, in}, b = {WASHI_F64, {1, {64}}, out};
    washi_layer layers[] = {washi_layer_dense(1, NULL)};
    washi_model *m = washi_sequential(w, 1, layers);
    options.loss = washi_mean_squared_error;
    options.metric = NULL;
    options.epochs = 100;
    ok(washi_fit(m, &a, &b, &options, NULL));
    ok(washi_evaluate(m, &a, &b, &options, logs));
    ck_assert(logs[0] < 1e-20 && isnan(logs[1]));
    ok(washi_predict(m, &a, 10, found));
    for (int i = 0; i < 64; i++) ck_assert(found[i] == (float)out[i] || fabs(found[i] - out[i]) < 1e-7);
    washi_model_free(m);
}
END_TEST

START_TEST(divergence_shows)
{
    double history[6][4];
    float far[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) far[i] = 1e6f;
    washi_array target = {WASHI_F32, {1, {SAMPLES}}, far};
    washi_layer layers[] = {washi_layer_dense(1, NULL)};
    washi_model *m = washi_sequential(w, 1, layers);
    washi_optimizer *wild = washi_sgd(w, &(washi_sgd_options){.learning_rate = 1e6});
    options.optimizer = wild;
    options.loss = washi_mean_squared_error;
    options.metric = NULL;
    ok(washi_fit(m, &x, &target, &options, history));
    ck_assert(!isfinite(history[5][0]));
    washi_optimizer_free(wild);
    washi_model_free(m);
}
END_TEST

int main(void)
{
    return RUN_SUITE("nn_fit", CASE("nn_fit", begin, end, loss_falls, evaluation_is_exact,
                                    training_logs_are_means, predictions_in_order, fit_is_this_loop,
                                    shuffling, same_seed_same_bits, validation_and_callback,
                                    epochs_do_not_allocate, readers_share_a_model, pixels_and_labels,
                                    regression_in_doubles, divergence_shows));
}
