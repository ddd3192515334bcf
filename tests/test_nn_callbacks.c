/* test_nn_callbacks.c: what callbacks are told and may do, and the one that stops at a loss that is not
 * finite. */
#include "test_nn_callbacks.h"

static bool same_logs(const double a[4], const double b[4])
{
    for (int i = 0; i < 4; i++)
        if (a[i] != b[i] && !(isnan(a[i]) && isnan(b[i]))) return false;
    return true;
}

/* -- events -------------------------------------------------------------------------------------- */

/* Writes down what it is told; fails or stops when it is to. */
struct witness {
    char events[200]; /* a letter each, as in "fE123eF" */
    double logs[4];   /* the last it saw */
    char fail_at, stop_at;
    struct witness *before; /* who must have been told already */
    washi_model *model;
};

static washi_status watch(washi_fit_state *fit, void *user)
{
    struct witness *v = user;
    size_t used = strlen(v->events);
    ck_assert_uint_lt(used, sizeof v->events - 1);
    ck_assert(fit->batch >= 0 && fit->batch <= fit->batches && fit->batches == 3);
    char now = "fEbeF"[fit->event];
    if (now == 'b') now = (char)('0' + fit->batch);
    v->events[used] = now;
    if (v->before) ck_assert_uint_eq(strlen(v->before->events), used + 1);
    ck_assert(fit->w == w && fit->model == v->model && fit->options->optimizer == sgd);
    memcpy(v->logs, fit->logs, sizeof v->logs);
    if (now == v->stop_at) fit->stop = true;
    return now == v->fail_at ? washi_fail(NULL, WASHI_UNSUPPORTED, "enough at %c", now) : WASHI_OK;
}

static bool stop_now(void *user, int epoch, const double logs[4])
{
    struct witness *v = user;
    size_t used = strlen(v->events);
    ck_assert(v->events[used - 1] == 'e' && same_logs(v->logs, logs));
    return epoch < 1;
}

START_TEST(events_in_order)
{
    struct witness a = {.model = classifier(w)}, b = {.before = &a, .model = a.model};
    const washi_callback both[] = {{watch, &a}, {watch, &b}};
    double history[3][4];
    options.epochs = 3;
    options.batch_size = 64;
    ok(fit_with(a.model, 2, both, history));
    ck_assert_str_eq(a.events, "fE123eE123eE123eF");
    ck_assert_str_eq(b.events, a.events);
    ck_assert(same_logs(a.logs, history[2]));
    *a.events = *b.events = 0;
    memset(a.events, 0, sizeof a.events);
    memset(b.events, 0, sizeof b.events);
    options.on_epoch = stop_now; /* comes last, and false stops */
    options.user = &b;
    ok(fit_with(a.model, 2, both, history));
    ck_assert_str_eq(a.events, "fE123eE123eF");
    washi_model_free(a.model);
}
END_TEST

/* The first callback that fails ends fit; who was told of the beginning is told of the end. */
START_TEST(failures)
{
    const struct {
        char at;
        const char *first, *second;
    } expected[] = {{'f', "fF", "f"},
                    {'E', "fEF", "fEF"},
                    {'2', "fE12F", "fE12F"},
                    {'e', "fE123eF", "fE123eF"},
                    {'F', "fE123eF", "fE123eF"}};
    options.epochs = 1;
    options.batch_size = 64;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct witness a = {.model = classifier(w)}, b = {.fail_at = expected[i].at, .model = a.model},
                       c = {.model = a.model};
        const washi_callback three[] = {{watch, &a}, {watch, &b}, {watch, &c}};
        char text[] = "enough at ?";
        text[10] = expected[i].at;
        fails(fit_with(a.model, 3, three, NULL), WASHI_UNSUPPORTED, text);
        ck_assert_str_eq(a.events, expected[i].first);
        ck_assert_str_eq(b.events, expected[i].second);
        if (expected[i].at == '2') ck_assert_str_eq(c.events, "fE1F");
        if (expected[i].at == 'f') ck_assert_str_eq(c.events, "");
        if (expected[i].at == 'F') ck_assert_str_eq(c.events, "fE123eF");
        washi_model_free(a.model);
    }
    struct witness a = {.model = classifier(w)}; /* a failure that is not a callback's */
    const washi_callback one = {watch, &a};
    kinds[149] = CLASSES;
    options.keep_order = true;
    fails(fit_with(a.model, 1, &one, NULL), WASHI_BAD_VALUE, "3");
    ck_assert_str_eq(a.events, "fE12F");
    washi_model_free(a.model);
}
END_TEST

START_TEST(stops)
{
    const struct {
        char at;
        const char *events;
        bool validated;
        int64_t seen;
    } expected[] = {{'f', "fF", false, 0},
                    {'E', "fEeF", false, 0},
                    {'2', "fE12eF", false, 128},
                    {'3', "fE123eF", false, 150},
                    {'e', "fE123eF", true, 150}};
    options.validation_x = &some_x;
    options.validation_y = &some_y;
    options.batch_size = 64;
    options.keep_order = true;
    washi_optimizer *idle = washi_sgd(w, &(washi_sgd_options){.learning_rate = 1e-12});
    washi_optimizer *old = sgd;
    sgd = options.optimizer = idle;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct witness a = {.stop_at = expected[i].at, .model = classifier(w)};
        const washi_callback one = {watch, &a};
        double history[6][4], logs[2];
        ok(fit_with(a.model, 1, &one, history));
        ck_assert_str_eq(a.events, expected[i].events);
        ck_assert(isnan(history[0][2]) == !expected[i].validated && isnan(history[1][0]));
        ck_assert(isnan(history[0][0]) == (expected[i].seen == 0));
        if (expected[i].seen) { /* the log is the mean over the samples seen */
            const washi_array seen_x = {WASHI_F32, {2, {expected[i].seen, FEATURES}}, points},
                              seen_y = {WASHI_U8, {1, {expected[i].seen}}, kinds};
            ok(washi_evaluate(a.model, &seen_x, &seen_y, &options, logs));
            near(history[0][0], logs[0], 1e-6);
            near(history[0][1], logs[1], 1e-6);
        }
        washi_model_free(a.model);
    }
    sgd = old;
    washi_optimizer_free(idle);
}
END_TEST

/* -- mistakes -- */

START_TEST(mistakes)
{
    washi_model *m = classifier(w);
    const washi_callback nothing[] = {
        washi_callback_early_stopping(NULL), washi_callback_csv_logger(NULL), {NULL, NULL}};
    const char *const text[] = {"early_stopping: its options are NULL",
                                "csv_logger: its options are NULL", "fit: callback 0 has no function"};
    for (int i = 0; i < 3; i++) fails(fit_with(m, 1, &nothing[i], NULL), WASHI_MISUSE, text[i]);
    fails(fit_with(m, 1, NULL, NULL), WASHI_MISUSE, "fit: the callbacks are NULL");
    fails(fit_with(m, -1, NULL, NULL), WASHI_BAD_VALUE, "fit: -1 callbacks");
    washi_model_free(m);
}
END_TEST

/* -- a loss that is not finite -------------------------------------------------------------------- */

START_TEST(terminate_on_nan)
{
    float far[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) far[i] = 1e6f;
    const washi_array target = {WASHI_F32, {1, {SAMPLES}}, far};
    washi_layer layers[] = {washi_layer_dense(1, NULL)};
    washi_model *m = washi_sequential(w, 1, layers);
    washi_optimizer *wild = washi_sgd(w, &(washi_sgd_options){.learning_rate = 1e3});
    options.optimizer = wild;
    options.loss = washi_mean_squared_error;
    options.metric = NULL;
    options.batch_size = 1;
    options.epochs = 6;
    const washi_callback one = washi_callback_terminate_on_nan();
    double history[6][4];
    options.callback = &one;
    options.callbacks = 1;
    ok(washi_fit(m, &x, &target, &options, history));
    ck_assert(!isfinite(history[0][0]) && !isnan(history[0][0])); /* the first infinity stopped it */
    ck_assert(isnan(history[1][0]));
    washi_optimizer_free(wild);
    washi_model_free(m);
    m = classifier(w); /* what is finite goes on */
    options = (washi_fit_options){
        .optimizer = sgd, .loss = washi_sparse_categorical_crossentropy, .epochs = 6};
    ok(fit_with(m, 1, &one, history));
    ck_assert(isfinite(history[5][0]));
    washi_model_free(m);
}
END_TEST

int main(void)
{
    return RUN_SUITE("nn_callbacks", CASE("nn_callbacks", begin, end, events_in_order, failures, stops,
                                          mistakes, terminate_on_nan));
}
