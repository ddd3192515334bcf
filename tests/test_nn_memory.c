/* test_nn_memory.c: memory that runs out at each point in turn: an error, no leak, and everything still
 * usable: the next try gives what it would have given. */
#include "test_nn.h"

enum { SAMPLES = 23, KEPT = 10, WEIGHTS = (3 * 4 + 4 + 4 * 4 + 2 * 4 + 4 * 2 + 2) * 4 };

static float points[SAMPLES][3];
static uint8_t kinds[SAMPLES];
static const washi_array x = {WASHI_F32, {2, {SAMPLES, 3}}, points},
                         y = {WASHI_U8, {1, {SAMPLES}}, kinds};

static washi_model *classifier(void)
{
    washi_layer layers[] = {
        washi_layer_dense_with((washi_dense_options){
            .units = 4, .activation = washi_tanh, .kernel_init = washi_orthogonal, .kernel_l2 = 0.1}),
        washi_layer_batch_normalization(), washi_layer_dropout(0.25), washi_layer_layer_normalization(),
        washi_layer_dense(2, washi_softmax)};
    return washi_sequential(w, sizeof layers / sizeof *layers, layers);
}

static void copy_weights(washi_model *m, unsigned char *out)
{
    ck_assert_int_eq(washi_model_weights(m), KEPT);
    for (int i = 0; i < KEPT; i++) {
        washi_weight_info v = washi_model_weight(m, i);
        size_t size = (size_t)washi_size(v.shape) * 4;
        memcpy(out, v.data, size);
        out += size;
    }
}

/* A piece of work, on a model and an optimiser; true when it succeeded. */
typedef bool work(washi_model *m, washi_optimizer *o);

static bool build(washi_model *m, washi_optimizer *o)
{
    (void)o;
    return washi_model_build(m, WASHI_F32, (washi_shape){1, {3}}) == WASHI_OK;
}

static bool fit(washi_model *m, washi_optimizer *o)
{
    washi_early_stopping stopping = {.patience = 9, .restore_best_weights = true};
    washi_callback callback = washi_callback_early_stopping(&stopping);
    washi_fit_options options = {.optimizer = o,
                                 .loss = washi_sparse_categorical_crossentropy,
                                 .metric = washi_accuracy,
                                 .epochs = 2,
                                 .batch_size = 8,
                                 .validation_x = &x,
                                 .validation_y = &y,
                                 .callback = &callback,
                                 .callbacks = 1};
    return washi_fit(m, &x, &y, &options, NULL) == WASHI_OK;
}

static bool evaluate(washi_model *m, washi_optimizer *o)
{
    (void)o;
    double logs[2];
    washi_fit_options options = {.loss = washi_sparse_categorical_crossentropy, .batch_size = 8};
    return washi_evaluate(m, &x, &y, &options, logs) == WASHI_OK;
}

static bool predict(washi_model *m, washi_optimizer *o)
{
    (void)o;
    float out[SAMPLES][2];
    return washi_predict(m, &x, 8, out[0]) == WASHI_OK;
}

static bool summary(washi_model *m, washi_optimizer *o)
{
    FILE *file = tmpfile();
    bool done = build(m, o) && washi_model_summary(m, file) == WASHI_OK;
    fclose(file);
    return done;
}

static washi_optimizer *new_sgd(void)
{
    return washi_sgd(w, &(washi_sgd_options){.learning_rate = 0.1, .momentum = 0.9});
}

/* Two slots for each weight, and steps counted. */
static washi_optimizer *new_adam(void)
{
    static const washi_exponential_decay_options decay = {0.1, 10, 0.5, false};
    return washi_adam(w, &(washi_adam_options){.schedule = washi_exponential_decay,
                                               .schedule_config = &decay,
                                               .global_clipnorm = 1});
}

/* Returns how many allocations the work makes; each of them fails once. */
static long each_fails(washi_optimizer *(*new_optimizer)(void), work *task)
{
    unsigned char expected[WEIGHTS], found[WEIGHTS];
    long total = 0;
    for (long fail = -1; fail < total; fail++) {
        washi_model *m = classifier();
        washi_optimizer *o = new_optimizer();
        size_t before = heap.bytes;
        heap.calls = 0;
        heap.fail_at = fail;
        bool done = task(m, o);
        heap.fail_at = -1;
        if (fail < 0) {
            ck_assert_msg(done, "%s", washi_message());
            total = heap.calls;
            copy_weights(m, expected);
        } else {
            ck_assert_msg(!done, "allocation %ld failed and nobody said so", fail);
            ck_assert_msg(strstr(washi_message(), "no memory") != NULL, "%s", washi_message());
            if (washi_model_weights(m) == 0) ck_assert_uint_eq(heap.bytes, before);
            ck_assert_msg(task(m, o), "%s", washi_message());
            copy_weights(m, found);
            ck_assert_mem_eq(found, expected, WEIGHTS);
        }
        washi_optimizer_free(o);
        washi_model_free(m);
    }
    ck_assert_int_gt(total, 5);
    return total;
}

START_TEST(building) { each_fails(new_sgd, build); }
END_TEST

START_TEST(fitting)
{
    ok(washi_fill_normal(w, 3, 0, SAMPLES * 3, points[0]));
    for (int i = 0; i < SAMPLES; i++) kinds[i] = points[i][0] > points[i][1];
    each_fails(new_sgd, fit);
    each_fails(new_adam, fit);
}
END_TEST

START_TEST(evaluating) { each_fails(new_sgd, evaluate); }
END_TEST

START_TEST(predicting) { each_fails(new_sgd, predict); }
END_TEST

START_TEST(summing_up) { each_fails(new_sgd, summary); }
END_TEST

/* The makers themselves. */
START_TEST(making)
{
    size_t before = heap.bytes;
    for (long fail = 0; fail < 4; fail++) {
        heap.calls = 0;
        heap.fail_at = fail;
        washi_model *m = classifier();
        heap.fail_at = -1;
        ck_assert_msg((m == NULL) == (fail < 3), "allocation %ld", fail);
        washi_model_free(m);
        ck_assert_uint_eq(heap.bytes, before);
    }
    heap.calls = 0;
    heap.fail_at = 0;
    ck_assert_ptr_null(washi_sgd(w, &(washi_sgd_options){.learning_rate = 1}));
    heap.fail_at = -1;
}
END_TEST

int main(void)
{
    return RUN("nn_memory", building, fitting, evaluating, predicting, summing_up, making);
}
