/* test_readme.c: the README's custom layer, in a model: its weights, what it computes, and that its
 * gain is trained; and its optimiser, against Keras' formula. */
#include "readme_layer.h"
#include "readme_optimizer.h"
#include "suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static washi_unary_fn *activation = washi_tanh;

static const float *weight(washi_model *m, const char *name)
{
    for (int i = 0; i < washi_model_weights(m); i++) {
        const washi_weight_info info = washi_model_weight(m, i);
        if (strcmp(info.name, name) == 0) return info.data;
    }
    ck_abort_msg("no weight is called %s", name);
    return NULL;
}

START_TEST(residual_layer)
{
    washi *w;
    ck_assert_int_eq(washi_open(&w, &(washi_options){.seed = 3}), WASHI_OK);
    const washi_layer layer = washi_layer_custom("residual", residual, &activation);
    washi_model *m = washi_sequential(w, 1, &layer);
    ck_assert_msg(washi_model_build(m, WASHI_F32, (washi_shape){1, {2}}) == WASHI_OK, "%s",
                  washi_message());
    ck_assert_int_eq(washi_model_weights(m), 3);
    const float *gain = weight(m, "residual/gain"), *kernel = weight(m, "residual/dense/kernel");

    const float x[] = {0.5f, -1.5f};
    const washi_array input = {WASHI_F32, {2, {1, 2}}, x};
    float y[2];
    ck_assert_int_eq(washi_predict(m, &input, 0, y), WASHI_OK);
    for (int j = 0; j < 2; j++) {
        const double z = (double)x[0] * (double)kernel[j] + (double)x[1] * (double)kernel[2 + j];
        ck_assert_double_eq_tol((double)y[j], (double)x[j] + tanh(z), 1e-6);
    }

    const float target[] = {2, 3};
    const washi_array wanted = {WASHI_F32, {2, {1, 2}}, target};
    washi_optimizer *sgd = washi_sgd(w, &(washi_sgd_options){.learning_rate = 0.1});
    const washi_fit_options options = {
        .optimizer = sgd, .loss = washi_mean_squared_error, .epochs = 200};
    double history[200][4];
    ck_assert_int_eq(washi_fit(m, &input, &wanted, &options, history), WASHI_OK);
    ck_assert_double_gt(history[0][0], 1);
    ck_assert_double_lt(history[199][0], 1e-3);
    ck_assert_float_ne(gain[0], 1);
    washi_optimizer_free(sgd);
    washi_model_free(m);
    washi_close(w);
}
END_TEST

/* One weight p, the loss p^2 / 2, whose gradient is p. */
static washi_tensor *only(washi_scope *s, washi_tensor *x, const void *config)
{
    (void)x, (void)config;
    return washi_weight(s, "p", (washi_weight_options){.init = washi_ones, .type = WASHI_F64});
}

START_TEST(rmsprop_optimizer)
{
    washi *w;
    ck_assert_int_eq(washi_open(&w, NULL), WASHI_OK);
    const double rho = 0.9;
    washi_optimizer *o = washi_optimizer_new(w, rmsprop, &rho, sizeof rho,
                                             &(washi_optimizer_options){.learning_rate = 0.05});
    washi_model *m = washi_model_new(w, NULL, only, NULL);
    washi_tape *t = washi_tape_new(w);
    washi_tensor *p = washi_model_call(m, washi_scalar(t, WASHI_F64, 0), true);
    washi_tensor *loss = washi_scale(washi_mul(p, p), 0.5);
    ck_assert_msg(washi_minimize(o, m, loss) == WASHI_OK, "%s", washi_message());
    washi_program *program = washi_compile(t, 1, &loss);
    double velocity = 0, expected = 1;
    for (int step = 0; step < 5; step++) {
        ck_assert_int_eq(washi_run(program), WASHI_OK);
        velocity = rho * velocity + (1 - rho) * expected * expected;
        expected -= 0.05 * expected / sqrt(velocity + 1e-7);
    }
    ck_assert_double_eq_tol(*(const double *)washi_model_weight(m, 0).data, expected, 1e-14);
    washi_program_free(program);
    washi_tape_free(t);
    washi_optimizer_free(o);
    washi_model_free(m);
    washi_close(w);
}
END_TEST

int main(void)
{
    TCase *all = CASE("readme", NULL, NULL, residual_layer, rmsprop_optimizer);
    return RUN_SUITE("readme", all);
}
