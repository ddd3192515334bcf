/* test_nn_callbacks.c: what callbacks are told and may do, and those that come with the library. */
#define _POSIX_C_SOURCE 200809L
#include "test_nn_points.h"

#include <locale.h>
#include <unistd.h>

static const washi_array some_x = {WASHI_F32, {2, {37, FEATURES}}, points[100]},
                         some_y = {WASHI_U8, {1, {37}}, &kinds[100]};

static void fit_with(washi_model *m, int n, const washi_callback *callback, double (*history)[4])
{
    options.callback = callback;
    options.callbacks = n;
    ok(washi_fit(m, &x, &y, &options, history));
}

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
    fit_with(a.model, 2, both, history);
    ck_assert_str_eq(a.events, "fE123eE123eE123eF");
    ck_assert_str_eq(b.events, a.events);
    ck_assert(same_logs(a.logs, history[2]));
    *a.events = *b.events = 0;
    memset(a.events, 0, sizeof a.events);
    memset(b.events, 0, sizeof b.events);
    options.on_epoch = stop_now; /* comes last, and false stops */
    options.user = &b;
    fit_with(a.model, 2, both, history);
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
        options.callback = three;
        options.callbacks = 3;
        char text[] = "enough at ?";
        text[10] = expected[i].at;
        fails(washi_fit(a.model, &x, &y, &options, NULL), WASHI_UNSUPPORTED, text);
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
    options.callback = &one;
    options.callbacks = 1;
    fails(washi_fit(a.model, &x, &y, &options, NULL), WASHI_BAD_VALUE, "3");
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
        fit_with(a.model, 1, &one, history);
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

/* -- early stopping ------------------------------------------------------------------------------ */

/* A metric that goes by a script, and a model that counts its steps in a weight. */
static double script_now;

static washi_tensor *scripted(washi_tensor *target, washi_tensor *prediction)
{
    (void)target;
    return washi_variable(washi_tape_of(prediction), WASHI_F64, (washi_shape){0}, &script_now);
}

static washi_status next_line(washi_fit_state *fit, void *user)
{
    if (fit->event == WASHI_EPOCH_BEGIN) script_now = ((const double *)user)[fit->epoch];
    return WASHI_OK;
}

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
        fit_with(m, 2, both, history);
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
    options.callback = &one;
    options.callbacks = 1;
    fails(washi_fit(m, &x, &y, &options, NULL), status, text);
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

    washi_model *m = classifier(w);
    const washi_callback nothing[] = {
        washi_callback_early_stopping(NULL), washi_callback_csv_logger(NULL), {NULL, NULL}};
    const char *const text[] = {"early_stopping: its options are NULL",
                                "csv_logger: its options are NULL", "fit: callback 0 has no function"};
    options.callbacks = 1;
    for (int i = 0; i < 3; i++) {
        options.callback = &nothing[i];
        fails(washi_fit(m, &x, &y, &options, NULL), WASHI_MISUSE, text[i]);
    }
    options.callback = NULL;
    fails(washi_fit(m, &x, &y, &options, NULL), WASHI_MISUSE, "fit: the callbacks are NULL");
    options.callbacks = -1;
    fails(washi_fit(m, &x, &y, &options, NULL), WASHI_BAD_VALUE, "fit: -1 callbacks");
    washi_model_free(m);
}
END_TEST

/* -- the log in a file --------------------------------------------------------------------------- */

static char path[200];

static void read_log(char *out, size_t size)
{
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    out[fread(out, 1, size - 1, file)] = 0;
    fclose(file);
}

/* Takes the line of an epoch off *text: its numbers are those of the logs, to the bit. */
static void expect_line(const char **text, int epoch, int n, const double values[])
{
    char *end;
    ck_assert_int_eq(strtol(*text, &end, 10), epoch);
    for (int i = 0; i < n; i++) {
        ck_assert_int_eq(*end, ',');
        const double found = strtod(end + 1, &end);
        ck_assert_msg(found == values[i], "%.17g instead of %.17g", found, values[i]);
    }
    ck_assert_int_eq(*end, '\n');
    *text = end + 1;
}

static void expect(const char **text, const char *words)
{
    ck_assert_msg(strncmp(*text, words, strlen(words)) == 0, "%s", *text);
    *text += strlen(words);
}

START_TEST(csv_log)
{
    char text[4000];
    const char *at = text;
    double history[6][4];
    washi_model *m = classifier(w);
    washi_csv_logger log = {.path = path};
    const washi_callback one = washi_callback_csv_logger(&log);
    options.epochs = 3;
    fit_with(m, 1, &one, history);
    read_log(text, sizeof text);
    expect(&at, "epoch,accuracy,loss\n");
    for (int i = 0; i < 3; i++) expect_line(&at, i, 2, (double[]){history[i][1], history[i][0]});
    ck_assert_str_eq(at, "");

    options.validation_x = &some_x; /* anew, not at the end */
    options.validation_y = &some_y;
    fit_with(m, 1, &one, history);
    log.append = true; /* at the end, without names */
    options.epochs = 2;
    fit_with(m, 1, &one, history + 3);
    read_log(text, sizeof text);
    at = text;
    expect(&at, "epoch,accuracy,loss,val_accuracy,val_loss\n");
    for (int i = 0; i < 5; i++) {
        const double *l = history[i];
        expect_line(&at, i % 3, 4, (double[]){l[1], l[0], l[3], l[2]});
    }
    ck_assert_str_eq(at, "");

    remove(path); /* to a file that is not there, with names; without a metric */
    options.metric = NULL;
    options.validation_x = options.validation_y = NULL;
    fit_with(m, 1, &one, history);
    read_log(text, sizeof text);
    at = text;
    expect(&at, "epoch,loss\n");
    for (int i = 0; i < 2; i++) expect_line(&at, i, 1, history[i]);
    ck_assert_str_eq(at, "");
    washi_model_free(m);
}
END_TEST

/* The shortest digits, names without a sign, and a point in every locale. */
START_TEST(csv_numbers)
{
    enum { FEW = 128 }; /* a power of 2 in one batch: the mean is the metric to the bit */
    const washi_array few_x = {WASHI_F32, {2, {FEW, FEATURES}}, points},
                      few_y = {WASHI_U8, {1, {FEW}}, kinds};
    static const double script[] = {0.1, -1e-300, 2.0 / 3, -NAN, INFINITY, 1234567};
    const char *const locales[] = {"C", "de_DE.UTF-8", "de_DE.utf8"};
    for (int i = 0; i < 3; i++) {
        if (!setlocale(LC_NUMERIC, locales[i])) continue;
        char text[4000];
        const char *at = text;
        washi_model *m = classifier(w);
        washi_csv_logger log = {.path = path};
        const washi_callback both[] = {{next_line, (void *)script}, washi_callback_csv_logger(&log)};
        options.metric = scripted;
        options.batch_size = FEW;
        options.callback = both;
        options.callbacks = 2;
        ok(washi_fit(m, &few_x, &few_y, &options, NULL));
        setlocale(LC_NUMERIC, "C");
        read_log(text, sizeof text);
        const char *const lines[] = {
            "epoch,metric,loss", "0,0.1,", "1,-1e-300,", "2,0.6666666666666666,", "3,nan,", "4,inf,",
            "5,1234567,"};
        for (int line = 0; line < 7; line++) {
            expect(&at, lines[line]);
            at = strchr(at, '\n') + 1;
        }
        ck_assert_str_eq(at, "");
        washi_model_free(m);
    }
}
END_TEST

START_TEST(csv_refused)
{
    const char *const paths[] = {NULL, "/nowhere/at/all.csv", "/dev/full"};
    const char *const text[] = {"path is NULL", "cannot open /nowhere/at/all.csv: No such file",
                                "cannot write /dev/full: No space"};
    washi_model *m = classifier(w);
    for (int i = 0; i < 3; i++) {
        washi_csv_logger log = {.path = paths[i]};
        const washi_callback one = washi_callback_csv_logger(&log);
        options.callback = &one;
        options.callbacks = 1;
        fails(washi_fit(m, &x, &y, &options, NULL), i ? WASHI_IO : WASHI_MISUSE, text[i]);
        ck_assert_ptr_null(log.file);
    }
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
    fit_with(m, 1, &one, history);
    ck_assert(isfinite(history[5][0]));
    washi_model_free(m);
}
END_TEST

static void begin_here(void)
{
    const char *folder = getenv("TMPDIR");
    begin();
    snprintf(path, sizeof path, "%s/washi_callbacks_%ld.csv", folder ? folder : "/tmp", (long)getpid());
}

static void end_here(void)
{
    remove(path);
    end();
}

int main(void)
{
    const TTest *const cases[] = {
        events_in_order, failures, stops,       early_stopping, best_weights_come_back,
        mistakes,        csv_log,  csv_numbers, csv_refused,    terminate_on_nan};
    return RUN_SUITE("nn_callbacks", CASE("nn_callbacks", begin_here, end_here, cases));
}
