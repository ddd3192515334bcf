/* test_nn_schedule.c: learning rates that change, against Keras' formulas written with the C library's
 * functions, and how an optimiser follows them. */
#include "test_nn_bowl.h"

/* The rate at a step. */
static double rate_at(washi_schedule_fn *schedule, const void *config, double step)
{
    washi_tape *t = washi_tape_new(w);
    washi_tensor *rate = schedule(washi_scalar(t, WASHI_F64, step), config);
    ck_assert_msg(rate != NULL && washi_dtype_of(rate) == WASHI_F64, "%s", washi_message());
    double found = washi_item(rate);
    washi_tape_free(t);
    return found;
}

START_TEST(exponential)
{
    washi_exponential_decay_options o = {0.1, 100, 0.96, false};
    for (int step = 0; step < 100000; step += step < 300 ? 1 : 997) {
        o.staircase = false;
        near(rate_at(washi_exponential_decay, &o, step) / (0.1 * pow(0.96, step / 100.0)), 1, 1e-13);
        o.staircase = true;
        near(rate_at(washi_exponential_decay, &o, step) / (0.1 * pow(0.96, floor(step / 100.0))), 1,
             1e-13);
    }
}
END_TEST

START_TEST(piecewise_constant)
{
    const double boundary[] = {10, 20.5, 1000}, value[] = {1, 0.5, 0.25, 0.125};
    washi_piecewise_constant_decay_options o = {3, boundary, value};
    const struct {
        double step, rate;
    } expected[] = {{0, 1},     {10, 1},      {11, 0.5},     {20, 0.5},   {21, 0.25},
                    {22, 0.25}, {1000, 0.25}, {1001, 0.125}, {1e9, 0.125}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        ck_assert(rate_at(washi_piecewise_constant_decay, &o, expected[i].step) == expected[i].rate);
    o.boundaries = 0;
    ck_assert(rate_at(washi_piecewise_constant_decay, &o, 5) == 1);
}
END_TEST

START_TEST(cosine)
{
    for (int warm = 0; warm < 2; warm++) {
        const washi_cosine_decay_options o = {0.01, 300, 0.05, warm ? 0.2 : 0, warm ? 40 : 0};
        const double top = warm ? 0.2 : 0.01, pi = acos(-1.0);
        for (int step = 0; step < 400; step++) {
            const double after = fmin(step - o.warmup_steps, 300);
            const double falls = top * (0.95 * 0.5 * (1 + cos(pi * after / 300)) + 0.05);
            const double rises = 0.01 + step * (0.2 - 0.01) / 40;
            near(rate_at(washi_cosine_decay, &o, step), step < o.warmup_steps ? rises : falls, 1e-15);
        }
        near(rate_at(washi_cosine_decay, &o, 1e6), 0.05 * top, 1e-17);
    }
}
END_TEST

/* -- an optimiser on a schedule ------------------------------------------------------------------ */

/* What plain descent makes of a parameter in steps first ... first + n - 1. */
static double descended(double p, double a, const washi_exponential_decay_options *o, int first, int n)
{
    for (int i = first; i < first + n; i++)
        p -= o->initial_learning_rate * pow(o->decay_rate, i / o->decay_steps) * a * p;
    return p;
}

/* The rate changes from run to run of one program, and goes on on the next tape. */
START_TEST(followed)
{
    const washi_dtype type = WASHI_F64;
    const washi_exponential_decay_options decay = {0.2, 3, 0.5, false};
    washi_optimizer *o = washi_sgd(
        w, &(washi_sgd_options){.schedule = washi_exponential_decay, .schedule_config = &decay});
    washi_model *m = new_point(&type);
    descend(o, m, 4);
    for (int i = 0; i < PARAMETERS; i++)
        near(parameter(m, i), descended(start[i], steepness[i], &decay, 0, 4), 1e-14);
    descend(o, m, 1);
    descend(o, m, 2);
    for (int i = 0; i < PARAMETERS; i++)
        near(parameter(m, i), descended(start[i], steepness[i], &decay, 0, 7), 1e-14);
    ck_assert(fabs(descended(1, 2, &decay, 0, 3) -
                   descended(descended(1, 2, &decay, 0, 2), 2, &decay, 0, 1)) > 0.01);
    washi_optimizer_free(o);
    washi_model_free(m);
}
END_TEST

/* fit counts its steps, the partial batch's too, and the next fit goes on from there. */
START_TEST(across_fits)
{
    enum { SAMPLES = 20 };
    const washi_exponential_decay_options decay = {0.1, 5, 0.5, false};
    float in[SAMPLES], out[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) out[i] = (in[i] = 1) + (float)i / 10;
    const washi_array x = {WASHI_F32, {2, {SAMPLES, 1}}, in}, y = {WASHI_F32, {1, {SAMPLES}}, out};
    washi_layer layers[] = {washi_layer_dense(1, NULL)};
    float found[2][2];
    for (int k = 0; k < 2; k++) { /* 2 + 1 epochs, 3 epochs */
        washi_optimizer *o = washi_sgd(
            w, &(washi_sgd_options){.schedule = washi_exponential_decay, .schedule_config = &decay});
        washi_model *m = washi_sequential(w, 1, layers);
        ok(washi_model_build(m, WASHI_F32, (washi_shape){1, {1}}));
        float *kernel = washi_model_weight(m, 0).data, *bias = washi_model_weight(m, 1).data;
        *kernel = *bias = 0;
        for (int round = k; round < 2; round++)
            ok(washi_fit(m, &x, &y,
                         &(washi_fit_options){.optimizer = o,
                                              .loss = washi_mean_squared_error,
                                              .batch_size = 8,
                                              .epochs = k ? 3 : 2 - round,
                                              .keep_order = true},
                         NULL));
        found[k][0] = *kernel;
        found[k][1] = *bias;
        washi_optimizer_free(o);
        washi_model_free(m);
    }
    double sum = 0; /* kernel + bias, whose derivatives are the same, the input being 1 */
    for (int step = 0; step < 9; step++) {
        double gradient = 0;
        int first = step % 3 * 8, n = first + 8 > SAMPLES ? SAMPLES - first : 8;
        for (int i = 0; i < n; i++) gradient += 2 * (sum - (double)out[first + i]) / n;
        sum -= 2 * 0.1 * pow(0.5, step / 5.0) * gradient;
    }
    ck_assert_mem_eq(found[0], found[1], sizeof found[0]);
    near((double)(found[0][0] + found[0][1]), sum, 1e-6);
}
END_TEST

/* -- mistakes ------------------------------------------------------------------------------------ */

static void refused(washi_schedule_fn *schedule, const void *config, const char *text)
{
    washi_tape *t = washi_tape_new(w);
    ck_assert_ptr_null(schedule(washi_scalar(t, WASHI_F64, 0), config));
    fails(washi_tape_status(t), WASHI_BAD_VALUE, text);
    washi_tape_free(t);
}

START_TEST(mistakes)
{
    const double up[] = {1, 2}, down[] = {2, 1}, values[] = {1, 2, 3};
    washi_exponential_decay_options e = {0.1, 0, 0.5, false};
    refused(washi_exponential_decay, NULL, "exponential_decay: ");
    refused(washi_exponential_decay, &e, "exponential_decay: ");
    e = (washi_exponential_decay_options){0.1, 1, -1, false};
    refused(washi_exponential_decay, &e, "exponential_decay: ");
    washi_cosine_decay_options c = {.decay_steps = 0};
    refused(washi_cosine_decay, NULL, "cosine_decay: ");
    refused(washi_cosine_decay, &c, "cosine_decay: ");
    c = (washi_cosine_decay_options){.decay_steps = 1, .warmup_steps = -1};
    refused(washi_cosine_decay, &c, "cosine_decay: ");
    washi_piecewise_constant_decay_options p = {2, down, values};
    refused(washi_piecewise_constant_decay, NULL, "piecewise_constant_decay: ");
    refused(washi_piecewise_constant_decay, &p, "do not ascend");
    p = (washi_piecewise_constant_decay_options){2, up, NULL};
    refused(washi_piecewise_constant_decay, &p, "piecewise_constant_decay: ");
    p = (washi_piecewise_constant_decay_options){2, NULL, values};
    refused(washi_piecewise_constant_decay, &p, "piecewise_constant_decay: ");
    p = (washi_piecewise_constant_decay_options){-1, up, values};
    refused(washi_piecewise_constant_decay, &p, "piecewise_constant_decay: ");
}
END_TEST

int main(void)
{
    return RUN("nn_schedule", exponential, piecewise_constant, cosine, followed, across_fits, mistakes);
}
