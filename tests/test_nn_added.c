/* test_nn_added.c: the losses that layers add: what fit trains on and reports, penalties on weights,
 * and what is no penalty. */
#include "test_nn.h"

enum { SAMPLES = 5, FEATURES = 2 };

static float points[SAMPLES][FEATURES] = {{1, 2}, {0, -1}, {3, 1}, {-2, 2}, {1, 1}},
             goals[SAMPLES] = {1, 0, 2, -1, 3};
static const washi_array x = {WASHI_F32, {2, {SAMPLES, FEATURES}}, points},
                         y = {WASHI_F32, {2, {SAMPLES, 1}}, goals};

static float *data(washi_model *m, int index) { return washi_model_weight(m, index).data; }

/* sum |v| and sum v^2 of the kernel, and the mean squared error of x @ kernel + bias with its
 * derivatives by the three numbers; in doubles, from the weights as they are. */
struct sums {
    double l1, l2, error, by[3];
};

static struct sums sums(washi_model *m)
{
    const float *k = data(m, 0), b = *data(m, 1);
    struct sums s = {fabs(k[0]) + fabs(k[1]), (double)k[0] * k[0] + (double)k[1] * k[1], 0, {0}};
    for (int i = 0; i < SAMPLES; i++) {
        const double e = (double)points[i][0] * k[0] + (double)points[i][1] * k[1] + b - goals[i];
        s.error += e * e / SAMPLES;
        for (int j = 0; j < 3; j++) s.by[j] += 2 * e * (j < 2 ? points[i][j] : 1) / SAMPLES;
    }
    return s;
}

static washi_model *penalised(void)
{
    washi_layer layer = washi_layer_dense_with(
        (washi_dense_options){.units = 1, .kernel_l1 = 0.5, .kernel_l2 = 0.25, .bias_l2 = 2});
    washi_model *m = washi_sequential(w, 1, &layer);
    ok(washi_model_build(m, WASHI_F32, (washi_shape){1, {FEATURES}}));
    data(m, 0)[0] = -0.75f;
    data(m, 0)[1] = 1.25f;
    data(m, 1)[0] = 0.5f;
    return m;
}

START_TEST(fit_trains_on_the_sum)
{
    washi_model *m = penalised();
    const struct sums before = sums(m);
    washi_optimizer *sgd = washi_sgd(w, &(washi_sgd_options){.learning_rate = 0.1});
    washi_fit_options o = {.optimizer = sgd, .loss = washi_mean_squared_error, .batch_size = SAMPLES};
    double logs[2], history[1][4];
    ok(washi_evaluate(m, &x, &y, &o, logs));
    near(logs[0], before.error + 0.5 * 2 + 0.25 * before.l2 + 2 * 0.25, 1e-6);
    ok(washi_fit(m, &x, &y, &o, history));
    near(history[0][0], logs[0], 1e-6);
    near(data(m, 0)[0], -0.75 - 0.1 * (before.by[0] - 0.5 + 2 * 0.25 * -0.75), 1e-6);
    near(data(m, 0)[1], 1.25 - 0.1 * (before.by[1] + 0.5 + 2 * 0.25 * 1.25), 1e-6);
    near(data(m, 1)[0], 0.5 - 0.1 * (before.by[2] + 2 * 2 * 0.5), 1e-6);
    /* batches of 2, 2 and 1: each batch's loss has the whole penalty, and the mean over samples has it
     * once */
    o.batch_size = 2;
    const struct sums after = sums(m);
    ok(washi_evaluate(m, &x, &y, &o, logs));
    near(logs[0], after.error + 0.5 * after.l1 + 0.25 * after.l2 + 2.0 * data(m, 1)[0] * data(m, 1)[0],
         1e-6);
    washi_optimizer_free(sgd);
    washi_model_free(m);
}
END_TEST

/* The sum a call adds. */
static double added(washi_model *m)
{
    washi_tape *t = washi_tape_new(w);
    washi_tensor *losses;
    ck_assert_ptr_nonnull(
        washi_model_call_losses(m, washi_constant(t, WASHI_F32, x.shape, points), false, &losses));
    const double sum = losses ? washi_item(losses) : 0;
    washi_tape_free(t);
    return sum;
}

START_TEST(frozen_weights_have_no_penalty)
{
    washi_model *m = penalised();
    near(added(m), 0.5 * 2 + 0.25 * sums(m).l2 + 2 * 0.25, 1e-6);
    ok(washi_model_freeze(m, "dense/kernel", true));
    near(added(m), 2 * 0.25, 1e-6);
    ok(washi_model_freeze(m, NULL, true));
    near(added(m), 0, 0);
    washi_model_free(m);
    m = mnist(w);
    washi_tape *t = washi_tape_new(w);
    washi_tensor *losses = (washi_tensor *)t;
    washi_model_call_losses(m, washi_input(t, WASHI_F32, (washi_shape){3, {1, 2, 2}}), true, &losses);
    ck_assert_ptr_null(losses);
    washi_tape_free(t);
    washi_model_free(m);
}
END_TEST

/* Two calls of one layer, which is one weight, and a loss on what passes. */
static washi_tensor *shared(washi_scope *s, washi_tensor *in, const void *config)
{
    (void)config;
    washi_layer layer = washi_layer_dense_with(
        (washi_dense_options){.units = 2, .kernel_init = washi_ones, .kernel_l2 = 1});
    layer.name = "both";
    washi_tensor *out =
        washi_add(washi_layer_call(s, &layer, in), washi_layer_call(s, &layer, washi_neg(in)));
    washi_add_loss(s, washi_reshape(washi_mean(washi_mul(in, in), WASHI_ALL, false), SHAPE(1, 1)));
    washi_add_loss(s, washi_cast(washi_scalar(washi_tape_of(in), WASHI_F64, 100), WASHI_F64));
    return out;
}

START_TEST(a_shared_layer_and_a_loss_on_activity)
{
    washi_model *m = washi_model_new(w, NULL, shared, NULL);
    near(added(m), 4 + 26 / 10.0 + 100, 1e-6);
    washi_model_free(m);
}
END_TEST

/* -- mistakes ----------------------------------------------------------------------------------- */

static washi_tensor *other; /* of another tape */

static washi_tensor *wrong(washi_scope *s, washi_tensor *in, const void *config)
{
    washi_tensor *scalar = washi_scalar(washi_tape_of(in), WASHI_F32, 1);
    switch (*(const int *)config) {
    case 0: washi_add_loss(s, in); break;
    case 1: washi_add_loss(s, NULL); break;
    case 2: washi_add_loss(s, other); break;
    case 3: washi_add_penalty(s, "kernel", 1, 0); break;
    case 4: washi_weight(s, "v", (washi_weight_options){0}), washi_add_penalty(s, "v", -1, 0); break;
    case 5: washi_weight(s, "v", (washi_weight_options){0}), washi_add_penalty(s, "v", 0, NAN); break;
    case 6: washi_add_penalty(s, NULL, 1, 0); break;
    case 7: washi_add_loss(NULL, scalar); break;
    case 8: washi_add_loss(s, washi_cast(scalar, WASHI_I32)); break;
    }
    return in;
}

START_TEST(mistakes)
{
    static const struct {
        washi_status status;
        const char *text;
    } expected[] = {{WASHI_BAD_SHAPE, "add_loss: [60,2] of f32, a scalar"},
                    {WASHI_MISUSE, "add_loss: the loss is NULL"},
                    {WASHI_MISUSE, "add_loss: the loss is on another tape"},
                    {WASHI_MISUSE, "add_penalty: there is no weight kernel yet"},
                    {WASHI_BAD_VALUE, "weight v: penalties -1 and 0"},
                    {WASHI_BAD_VALUE, "weight v: penalties 0 and nan"},
                    {WASHI_MISUSE, "add_penalty: the weight's name is NULL"},
                    {WASHI_MISUSE, "add_loss: the scope is NULL"},
                    {WASHI_BAD_SHAPE, "add_loss: [] of i32"}};
    washi_tape *t = washi_tape_new(w);
    other = washi_scalar(t, WASHI_F32, 1);
    for (int i = 0; i < 9; i++) {
        washi_model *m = washi_model_new(w, NULL, wrong, &i);
        fails(washi_model_build(m, WASHI_F32, (washi_shape){1, {2}}), expected[i].status,
              expected[i].text);
        washi_model_free(m);
    }
    washi_tape_free(t);
    fails(washi_add_penalty(NULL, "kernel", 1, 1), WASHI_MISUSE, "add_penalty: the scope is NULL");
    ck_assert(!washi_trainable(NULL, "kernel"));
}
END_TEST

int main(void)
{
    return RUN("nn_added", fit_trains_on_the_sum, frozen_weights_have_no_penalty,
               a_shared_layer_and_a_loss_on_activity, mistakes);
}
