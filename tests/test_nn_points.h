/* test_nn_points.h: points in three classes, and a classifier to fit to them. */
#ifndef TEST_NN_POINTS_H
#define TEST_NN_POINTS_H

#include "test_nn.h"

enum { SAMPLES = 150, FEATURES = 5, CLASSES = 3 };

static float points[SAMPLES][FEATURES];
static uint8_t kinds[SAMPLES];
static const washi_array x = {WASHI_F32, {2, {SAMPLES, FEATURES}}, points};
static const washi_array y = {WASHI_U8, {1, {SAMPLES}}, kinds};
static washi_optimizer *sgd;
static washi_fit_options options;

/* Normal points; the class is the largest of the first coordinates, the third one pushed. */
static void begin(void)
{
    setup();
    ok(washi_fill_normal(w, 99, 0, SAMPLES * FEATURES, points[0]));
    for (int i = 0; i < SAMPLES; i++) {
        const float *p = points[i];
        kinds[i] = p[2] + 0.5f * p[3] > fmaxf(p[0], p[1]) ? 2 : p[1] > p[0];
    }
    sgd = washi_sgd(w, &(washi_sgd_options){.learning_rate = 0.3, .momentum = 0.5});
    options = (washi_fit_options){.optimizer = sgd,
                                  .loss = washi_sparse_categorical_crossentropy,
                                  .metric = washi_accuracy,
                                  .epochs = 6,
                                  .batch_size = 16};
}

static void end(void)
{
    washi_optimizer_free(sgd);
    teardown();
}

static inline washi_model *classifier(washi *c)
{
    washi_layer layers[] = {washi_layer_dense(8, washi_tanh),
                            washi_layer_dense(CLASSES, washi_softmax)};
    return washi_sequential(c, 2, layers);
}

/* Every weight, one behind the other. */
static inline size_t weights(washi_model *m, unsigned char *out)
{
    size_t used = 0;
    for (int i = 0; i < washi_model_weights(m); i++) {
        washi_weight_info v = washi_model_weight(m, i);
        size_t size = (size_t)washi_size(v.shape) * washi_dtype_size(v.type);
        memcpy(out + used, v.data, size);
        used += size;
    }
    return used;
}

#endif
