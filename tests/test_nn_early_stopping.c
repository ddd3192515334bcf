/* test_nn_early_stopping.c: when early stopping stops, by logs that are given; which weights come back;
 * and what it refuses. */
#include "test_nn_callbacks.h"

/* A model that counts its steps in a weight. */
static washi_tensor *counter(washi_scope *s, washi_tensor *in, const void *config)
{
    (void)config;
    washi_weight_options f32 = {.init = washi_zeros}, f64 = {.init = washi_zeros, .type = WASHI_F64};
    f64.frozen = true;
    washi_tensor *p = washi_weight(s, "p", f32), *steps = washi_weight(s, "steps", f64);
    if (washi_training(s)) washi_assign(steps, washi_shift(steps, 1));
    return washi_mul(p, in);
}

enum { LINES = 9 };

static const struct {
    double script[LINES];
    washi_mode mode;
    double min_delta;
    int patience, last, best_epoch;
} stories[] = {
    {{5, 4, 4.5, 4.2, 3.9, 3.95, 3.96, 3.97, 1}, WASHI_MODE_MIN, 0, 3, 7, 4},
    {{5, 4, 4.5, 4.2, 3.9, 3.95, 3.96, 3.97, 1}, WASHI_MODE_MIN, 0, 4, 8, 8},
    {{5, 4, 4.5, 4.2, 3.9, 3.95, 3.96, 3.97, 1}, WASHI_MODE_MIN, 0.5, 3, 4, 1},
    {{5, 4, 4.5, 4.2, 3.9, 3.95, 3.96, 3.97, 1}, WASHI_MODE_MIN, 0, 0, 2, 1},
    {{5, 4, 4.5, 4.2, 3.9, 3.95, 3.96, 3.97, 1}, WASHI_MODE_MIN, 0, 1, 2, 1},
    {{1, 2, 2, 3, 2.9, 2.8, 4, 3, 5}, WASHI_MODE_MAX, 0, 2, 5, 3},
    {{1, 2, 2, 3, 2.9, 2.8, 4, 3, 5}, WASHI_MODE_MAX, 0, 3, 8, 8},
    {{1, 2, 2, 3, 2.9, 2.8, 4, 3, 5}, WASHI_MODE_MAX, 1.5, 2, 2, 0},
    {{2, 2, 2, 2, 2, 2, 2, 2, 2}, WASHI_MODE_MAX, 0, 4, 4, 0},
    {{NAN, NAN, 3, NAN, 2, NAN, NAN, NAN, NAN}, WASHI_MODE_MIN, 0, 3, 7, 4},
    {{NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN}, WASHI_MODE_MIN, 0, 2, 1, 0},
    {{NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN}, WASHI_MODE_MIN, 0, 1, 1, 0},
    {{9, 8, 7, 6, 5, 4, 3, 2, 1}, WASHI_MODE_MIN, 0, 0, -1, 8},
};

START_TEST(early_stopping)
{
    float number[4] = {0.25f, 0.5f, 0.75f, 1};
    const washi_array data = {WASHI_F32, {1, {4}}, number};
    options.loss = washi_mean_squared_error;
    options.metric = scripted;
    options.epochs = LINES;
    options.batch_size = 4;
    for (size_t i = 0; i < 2 * sizeof stories / sizeof *stories; i++) {
        const bool restore = i % 2;
        washi_early_stopping s = {.monitor = WASHI_MONITOR_METRIC,
                                  .mode = stories[i / 2].mode,
                                  .min_delta = stories[i / 2].min_delta,
                                  .patience = stories[i / 2].patience,
                                  .restore_best_weights = restore};
        const washi_callback both[] = {{next_line, (void *)stories[i / 2].script},
                                       washi_callback_early_stopping(&s)};
        options.callback = both;
        options.callbacks = 2;
        washi_model *m = washi_model_new(w, NULL, counter, NULL);
        double history[LINES][4];
        for (int round = 0; round < 2; round++) { /* the second fit begins anew */
            ok(washi_model_build(m, WASHI_F32, (washi_shape){0}));
            *(double *)washi_model_weight(m, 1).data = 0;
            ok(washi_fit(m, &data, &data, &options, history));
            const int last = stories[i / 2].last < 0 ? LINES - 1 : stories[i / 2].last;
            ck_assert(isfinite(history[last][0]) && (last + 1 == LINES || isnan(history[last + 1][0])));
            ck_assert_int_eq(s.best_epoch, stories[i / 2].best_epoch);
            ck_assert_int_eq(s.stopped_epoch, last < LINES - 1 ? last : -1);
            const double best = stories[i / 2].script[s.best_epoch];
            ck_assert(s.best == (isnan(best) ? INFINITY : best));
            const double steps = *(double *)washi_model_weight(m, 1).data;
            ck_assert_msg(steps == (restore ? s.best_epoch : last) + 1, "story %zu: %g", i, steps);
        }
        washi_model_free(m);
    }
}
END_TEST

/* The weights of each epoch. */
struct album {
    unsigned char weights[12][4096];
};

static washi_status photograph(washi_fit_state *fit, void *user)
{
    struct album *a = user;
    if (fit->event == WASHI_EPOCH_END) weights(fit->model, a->weights[fit->epoch]);
    return WASHI_OK;
}

/* On real logs, every monitor and the mode it has by itself; the best weights come back to the bit,
 * even if training goes on to the end. */
START_TEST(best_weights_come_back)
{
    static struct album album;
    unsigned char after[4096];
    washi_optimizer *wild = washi_sgd(w, &(washi_sgd_options){.learning_rate = 3, .momentum = 0.9});
    const struct {
        washi_monitor monitor;
        int log, sign;
    } monitors[] = {{WASHI_MONITOR_LOSS, 0, 1},
                    {WASHI_MONITOR_METRIC, 1, -1},
                    {WASHI_MONITOR_VAL_LOSS, 2, 1},
                    {WASHI_MONITOR_VAL_METRIC, 3, -1}};
    options.validation_x = &some_x;
    options.validation_y = &some_y;
    options.optimizer = wild;
    options.epochs = 12;
    for (int i = 0; i < 4; i++) {
        washi_early_stopping s = {
            .monitor = monitors[i].monitor, .patience = 100, .restore_best_weights = true};
        const washi_callback both[] = {{photograph, &album}, washi_callback_early_stopping(&s)};
        washi_model *m = classifier(w);
        double history[12][4];
        ok(fit_with(m, 2, both, history));
        int best = 0;
        for (int e = 1; e < 12; e++)
            if (monitors[i].sign * history[e][monitors[i].log] <
                monitors[i].sign * history[best][monitors[i].log])
                best = e;
        ck_assert_int_lt(best, 11); /* or nothing had to come back */
        ck_assert_int_eq(s.best_epoch, best);
        ck_assert(s.best == history[best][monitors[i].log] && s.stopped_epoch == -1);
        size_t size = weights(m, after);
        ck_assert_mem_eq(after, album.weights[best], size);
        ck_assert_mem_ne(after, album.weights[11], size);
        washi_model_free(m);
    }
    washi_optimizer_free(wild);
}
END_TEST

static void stopping_fails(washi_early_stopping s, washi_status status, const char *text)
{
    washi_model *m = classifier(w);
    const washi_callback one = washi_callback_early_stopping(&s);
    fails(fit_with(m, 1, &one, NULL), status, text);
    washi_model_free(m);
}

START_TEST(mistakes)
{
    stopping_fails((washi_early_stopping){0}, WASHI_MISUSE, "no validation to watch");
    stopping_fails((washi_early_stopping){.monitor = WASHI_MONITOR_VAL_METRIC}, WASHI_MISUSE,
                   "no validation to watch");
    stopping_fails((washi_early_stopping){.monitor = (washi_monitor)4}, WASHI_BAD_VALUE, "monitor 4");
    stopping_fails((washi_early_stopping){.mode = (washi_mode)3}, WASHI_BAD_VALUE, "mode 3");
    washi_early_stopping s = {.monitor = WASHI_MONITOR_LOSS, .patience = -1};
    stopping_fails(s, WASHI_BAD_VALUE, "patience -1");
    s = (washi_early_stopping){.monitor = WASHI_MONITOR_LOSS, .min_delta = NAN};
    stopping_fails(s, WASHI_BAD_VALUE, "min_delta nan");
    s = (washi_early_stopping){.monitor = WASHI_MONITOR_METRIC};
    options.metric = scripted;
    stopping_fails(s, WASHI_MISUSE, "must be said");
    options.metric = NULL;
    stopping_fails(s, WASHI_MISUSE, "no metric to watch");
}
END_TEST

int main(void)
{
    return RUN_SUITE("nn_early_stopping", CASE("nn_early_stopping", begin, end, early_stopping,
                                               best_weights_come_back, mistakes));
}
