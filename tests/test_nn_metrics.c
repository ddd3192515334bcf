/* test_nn_metrics.c: metrics against plain loops, and that over an epoch they are exact over its
 * samples, whatever the batches: the last, partial one counts by its samples. */
#include "test_nn.h"

enum { SAMPLES = 103, CLASSES = 4 };

static float points[SAMPLES][CLASSES]; /* inputs, which are the predictions */
static float hot[SAMPLES][CLASSES];    /* a distribution over the classes, mostly one-hot */
static uint8_t labels[SAMPLES], flags[SAMPLES][CLASSES];

static const washi_array x = {WASHI_F32, {2, {SAMPLES, CLASSES}}, points};

/* Late samples are hits more often, so that a mean of the batches' means would be another number. */
static void begin(void)
{
    setup();
    uint32_t bits[SAMPLES];
    ok(washi_fill_uniform(w, 5, 0, SAMPLES * CLASSES, points[0]));
    ok(washi_fill_bits(w, 6, 0, SAMPLES, bits));
    memset(hot, 0, sizeof hot);
    for (int i = 0; i < SAMPLES; i++) {
        labels[i] = (uint8_t)(bits[i] % CLASSES);
        if (i > 90) points[i][labels[i]] = 2;
        hot[i][labels[i]] = 0.75f;
        hot[i][(labels[i] + 1) % CLASSES] = 0.25f;
        for (int c = 0; c < CLASSES; c++)
            flags[i][c] = (uint8_t)(i > 90 ? points[i][c] > 0.5f : bits[i] >> c & 1);
    }
    points[7][0] = 0.5f; /* not above a half */
    flags[7][0] = 0;
    points[8][1] = NAN; /* neither */
    flags[8][1] = 1;
    points[9][1] = points[9][2] = 3; /* the first of two largest */
    labels[9] = 1;
    memset(hot[9], 0, sizeof hot[9]);
    hot[9][1] = hot[9][3] = 0.5f;
}

static int largest(const float row[CLASSES])
{
    int best = 0;
    for (int c = 1; c < CLASSES; c++)
        if (row[c] > row[best]) best = c;
    return best;
}

static double accuracy(int i) { return largest(points[i]) == labels[i]; }

static double categorical_accuracy(int i) { return largest(points[i]) == largest(hot[i]); }

static double binary_accuracy(int i)
{
    double hits = 0;
    for (int c = 0; c < CLASSES; c++) hits += (points[i][c] > 0.5f) == flags[i][c];
    return hits / CLASSES;
}

static double absolute_error(int i)
{
    double sum = 0;
    for (int c = 0; c < CLASSES; c++) sum += fabs((double)points[i][c] - (double)hot[i][c]);
    return sum / CLASSES;
}

/* A metric of its own that is no mean of anything per number: the largest distance in each row. */
static washi_tensor *far_off(washi_tensor *target, washi_tensor *prediction)
{
    washi_tensor *d = washi_sub(target, prediction);
    return washi_mean(washi_max(washi_mul(d, d), 1, false), 0, false);
}

static double largest_square(int i)
{
    double most = 0;
    for (int c = 0; c < CLASSES; c++)
        most = fmax(most, pow((double)hot[i][c] - (double)points[i][c], 2));
    return most;
}

static const struct {
    const char *name;
    washi_loss_fn *metric;
    double (*sample)(int i);
    washi_array y;
} metrics[] = {
    {"accuracy", washi_accuracy, accuracy, {WASHI_U8, {1, {SAMPLES}}, labels}},
    {"binary_accuracy",
     washi_binary_accuracy,
     binary_accuracy,
     {WASHI_U8, {2, {SAMPLES, CLASSES}}, flags}},
    {"categorical_accuracy",
     washi_categorical_accuracy,
     categorical_accuracy,
     {WASHI_F32, {2, {SAMPLES, CLASSES}}, hot}},
    {"mean_absolute_error",
     washi_mean_absolute_error,
     absolute_error,
     {WASHI_F32, {2, {SAMPLES, CLASSES}}, hot}},
    {"metric", far_off, largest_square, {WASHI_F32, {2, {SAMPLES, CLASSES}}, hot}},
};

/* x as it is, plus a weight that never moves, for fit has to have one. */
static washi_tensor *identity(washi_scope *s, washi_tensor *in, const void *config)
{
    (void)config;
    return washi_add(in, washi_weight(s, "zero", (washi_weight_options){.init = washi_zeros}));
}

static washi_tensor *no_loss(washi_tensor *target, washi_tensor *prediction)
{
    (void)target;
    return washi_scale(washi_mean(washi_stop_gradient(prediction), WASHI_ALL, false), 0);
}

/* The mean over the samples, and over the means of the batches. */
static void by_hand(double (*sample)(int i), int batch, double *exact, double *by_batches)
{
    double sum = 0, means = 0;
    int batches = 0;
    for (int first = 0; first < SAMPLES; first += batch, batches++) {
        double part = 0;
        int n = SAMPLES - first < batch ? SAMPLES - first : batch;
        for (int i = first; i < first + n; i++) part += sample(i);
        sum += part;
        means += part / n;
    }
    *exact = sum / SAMPLES;
    *by_batches = means / batches;
}

START_TEST(exact_over_samples)
{
    const int sizes[] = {1, 10, 32, 100, 102, 103, 500};
    washi_model *m = washi_model_new(w, NULL, identity, NULL);
    washi_optimizer *sgd = washi_sgd(w, &(washi_sgd_options){.learning_rate = 1});
    for (size_t k = 0; k < sizeof metrics / sizeof *metrics; k++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            double logs[2], history[1][4], exact, by_batches;
            const bool errors = k >= 3; /* which the NaN spoils */
            points[8][1] = errors ? 0 : NAN;
            by_hand(metrics[k].sample, sizes[i], &exact, &by_batches);
            const washi_fit_options options = {.optimizer = sgd,
                                               .loss = no_loss,
                                               .metric = metrics[k].metric,
                                               .batch_size = sizes[i],
                                               .validation_x = &x,
                                               .validation_y = &metrics[k].y,
                                               .keep_order = i % 2};
            ok(washi_evaluate(m, &x, &metrics[k].y, &options, logs));
            near(logs[1], exact, 1e-7);
            if (sizes[i] == 100) ck_assert_msg(fabs(by_batches - exact) > 0.01, "%s", metrics[k].name);
            ok(washi_fit(m, &x, &metrics[k].y, &options, history));
            near(history[0][1], exact, 1e-7);
            near(history[0][3], exact, 1e-7);
        }
    washi_optimizer_free(sgd);
    washi_model_free(m);
}
END_TEST

START_TEST(names)
{
    washi_model *m = washi_model_new(w, NULL, identity, NULL);
    points[8][1] = 0;
    for (size_t k = 0; k < sizeof metrics / sizeof *metrics; k++) {
        char text[500] = "", wanted[60];
        double logs[2];
        FILE *file = tmpfile();
        const washi_fit_options options = {
            .loss = no_loss, .metric = metrics[k].metric, .progress = file};
        ok(washi_evaluate(m, &x, &metrics[k].y, &options, logs));
        rewind(file);
        ck_assert_uint_gt(fread(text, 1, sizeof text - 1, file), 0);
        fclose(file);
        snprintf(wanted, sizeof wanted, " - %s: %.4f", metrics[k].name, logs[1]);
        ck_assert_msg(strstr(text, wanted) != NULL, "no \"%s\" in \"%s\"", wanted, text);
    }
    washi_model_free(m);
}
END_TEST

START_TEST(refused)
{
    washi_loss_fn *const functions[] = {washi_binary_accuracy, washi_categorical_accuracy};
    const char *const text[] = {
        "binary_accuracy: target [3] f32, prediction [3,4] f32: equal shapes",
        "categorical_accuracy: target [3] f32, prediction [3,4] f32: equal shapes"};
    for (int i = 0; i < 2; i++) {
        washi_tape *t = washi_tape_new(w);
        washi_tensor *target = washi_full(t, WASHI_F32, (washi_shape){1, {3}}, 0);
        ck_assert_ptr_null(functions[i](target, washi_full(t, WASHI_F32, SHAPE(3, 4), 0)));
        fails(washi_tape_status(t), WASHI_BAD_SHAPE, text[i]);
        washi_tape_free(t);
    }
}
END_TEST

int main(void)
{
    return RUN_SUITE("nn_metrics",
                     CASE("nn_metrics", begin, teardown, exact_over_samples, names, refused));
}
