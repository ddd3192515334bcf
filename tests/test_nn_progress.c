/* test_nn_progress.c: the line that shows how far training is, in a file and on a terminal. */
#define _XOPEN_SOURCE 700
#include "test_nn.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <time.h>
#include <unistd.h>

static const char bar[] = "━━━━━━━━━━━━━━━━━━━━";

static float in[20000], out[20000];
static washi_array x = {WASHI_F32, {2, {0, 1}}, in}, y = {WASHI_F32, {2, {0, 1}}, out};

static void make_samples(int64_t n)
{
    for (int i = 0; i < 20000; i++) out[i] = 2 * (in[i] = (float)(i % 100) / 100) + 1;
    x.shape.dim[0] = y.shape.dim[0] = n;
}

static washi_model *line_model(void)
{
    washi_layer layers[] = {washi_layer_dense(1, NULL)};
    return washi_sequential(w, 1, layers);
}

/* Takes a line "7/7 bar 0s 12us/step" off *text and leaves what follows the time. */
static void expect_line(const char **text, const char *steps)
{
    char begin[200];
    int seconds, per_step, length = -1;
    snprintf(begin, sizeof begin, "%s %s ", steps, bar);
    ck_assert_msg(strncmp(*text, begin, strlen(begin)) == 0, "%s", *text);
    *text += strlen(begin);
    char unit[3];
    ck_assert_int_eq(sscanf(*text, "%ds %d%2[mus]/step%n", &seconds, &per_step, unit, &length), 3);
    ck_assert_int_gt(length, 0);
    ck_assert_int_lt(seconds, 60);
    ck_assert_int_lt(per_step, 1000);
    *text += length;
}

static void expect(const char **text, const char *format, ...)
{
    char words[200];
    va_list values;
    va_start(values, format);
    vsnprintf(words, sizeof words, format, values);
    va_end(values);
    ck_assert_msg(strncmp(*text, words, strlen(words)) == 0, "%s", *text);
    *text += strlen(words);
}

static washi_tensor *thrice(washi_tensor *target, washi_tensor *prediction)
{
    return washi_scale(washi_mean_squared_error(target, prediction), 3);
}

START_TEST(in_a_file)
{
    washi_model *m = line_model();
    washi_optimizer *o = washi_sgd(w, &(washi_sgd_options){.learning_rate = 0.05});
    FILE *file = tmpfile();
    washi_fit_options options = {.optimizer = o,
                                 .loss = washi_mean_squared_error,
                                 .epochs = 2,
                                 .batch_size = 16,
                                 .progress = file};
    double history[2][4], logs[2];
    make_samples(100);
    ok(washi_fit(m, &x, &y, &options, history));
    options.validation_x = &x;
    options.validation_y = &y;
    options.metric = thrice; /* a name of its own has only a metric of the library */
    options.epochs = 1;
    double last[1][4];
    ok(washi_fit(m, &x, &y, &options, last));
    options.metric = washi_mean_squared_error;
    ok(washi_evaluate(m, &x, &y, &options, logs));

    char text[4000] = "";
    const char *at = text;
    rewind(file);
    ck_assert_uint_lt(fread(text, 1, sizeof text - 1, file), sizeof text - 1);
    for (int i = 0; i < 2; i++) {
        expect(&at, "Epoch %d/2\n", i + 1);
        expect_line(&at, "7/7");
        expect(&at, " - loss: %.4f\n", history[i][0]);
    }
    ck_assert(last[0][0] > 1e-3 && logs[0] > 1e-3); /* or the numbers would be shown another way */
    expect(&at, "Epoch 1/1\n");
    expect_line(&at, "7/7");
    expect(&at, " - metric: %.4f - loss: %.4f - val_metric: %.4f - val_loss: %.4f\n", last[0][1],
           last[0][0], last[0][3], last[0][2]);
    expect_line(&at, "7/7");
    expect(&at, " - mean_squared_error: %.4f - loss: %.4f\n", logs[1], logs[0]);
    ck_assert_str_eq(at, "");
    fclose(file);
    washi_optimizer_free(o);
    washi_model_free(m);
}
END_TEST

static washi_status stop_at_three(washi_fit_state *fit, void *user)
{
    (void)user;
    if (fit->event == WASHI_BATCH_END && fit->batch == 3) fit->stop = true;
    return WASHI_OK;
}

/* A fit that is stopped in the middle of an epoch says how far it came. */
START_TEST(stopped)
{
    washi_model *m = line_model();
    washi_optimizer *o = washi_sgd(w, &(washi_sgd_options){.learning_rate = 0.05});
    FILE *file = tmpfile();
    const washi_callback callback = {stop_at_three, NULL};
    make_samples(100);
    ok(washi_fit(m, &x, &y,
                 &(washi_fit_options){.optimizer = o,
                                      .loss = washi_mean_squared_error,
                                      .epochs = 2,
                                      .batch_size = 16,
                                      .progress = file,
                                      .callback = &callback,
                                      .callbacks = 1},
                 NULL));
    char text[1000] = "";
    rewind(file);
    ck_assert_uint_gt(fread(text, 1, sizeof text - 1, file), 0);
    const char *at = text, part[] = "3/7 ━━━━━━━━";
    expect(&at, "Epoch 1/2\n");
    expect(&at, part);
    ck_assert_msg(strstr(at, " 0us/step") == NULL, "%s", at);
    ck_assert_ptr_eq(strchr(at, '\n'), at + strlen(at) - 1);
    fclose(file);
    washi_optimizer_free(o);
    washi_model_free(m);
}
END_TEST

/* Small numbers with an exponent, as Keras has it, and no sign before nan. */
START_TEST(numbers)
{
    washi_model *m = line_model();
    FILE *file = tmpfile();
    washi_fit_options options = {.loss = washi_mean_squared_error, .progress = file};
    char text[1000] = "";
    double logs[2];
    make_samples(1);
    ok(washi_model_build(m, WASHI_F32, (washi_shape){1, {1}}));
    float *kernel = washi_model_weight(m, 0).data, *bias = washi_model_weight(m, 1).data;
    *bias = 1.01f;
    ok(washi_evaluate(m, &x, &y, &options, logs)); /* in[0] is 0, out[0] 1 */
    *kernel = *bias = -NAN;
    ok(washi_evaluate(m, &x, &y, &options, logs));
    rewind(file);
    ck_assert_uint_gt(fread(text, 1, sizeof text - 1, file), 0);
    ck_assert_ptr_nonnull(strstr(text, "1/1 "));
    ck_assert_msg(strstr(text, " - loss: 1.0000e-04\n") != NULL, "%s", text);
    ck_assert_msg(strstr(text, " - loss: nan\n") != NULL, "%s", text);
    fclose(file);
    washi_model_free(m);
}
END_TEST

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* What a terminal is sent. */
struct screen {
    int master;
    size_t used;
    char text[1 << 20];
};

static void *watch(void *arg)
{
    struct screen *s = arg;
    ssize_t n;
    while ((n = read(s->master, s->text + s->used, sizeof s->text - 1 - s->used)) > 0)
        s->used += (size_t)n;
    return NULL;
}

/* Lines over lines with \r, not more than some twenty a second, the last one whole. */
static void check_lines(const struct screen *s, double took)
{
    int lines = 0, partial = 0;
    for (const char *at = s->text; (at = strchr(at, '\r')) != NULL; at++) {
        if (at[1] == '\n') continue; /* the terminal's own */
        long done = strtol(at + 1, NULL, 10);
        lines++;
        partial += done < 5000;
        ck_assert(done >= 1 && done <= 5000);
        if (done < 5000) ck_assert_msg(strstr(at, "\033[37m") != NULL, "no part of the bar is grey");
    }
    /* An epoch ends with a whole line; when its last batch was due for a line too, with two. */
    const int whole = lines - partial;
    ck_assert_msg(partial > 0 && whole >= 2 && whole <= 4, "%d lines, %d partial", lines, partial);
    ck_assert_msg(partial <= 20 * took + 1, "%d lines in %g s", partial, took);
    ck_assert_msg(strstr(s->text, "\r5000/5000 \033[32m━") != NULL, "no whole bar");
    ck_assert_str_eq(s->text + s->used - 4, "\r\n\r\n");
    ck_assert_ptr_eq(strstr(s->text, "\r\n\r\n"), s->text + s->used - 4); /* and only a failure does */
    ck_assert_msg(strstr(s->text, "\033[K") != NULL, "the rest of a longer line stays");
}

START_TEST(on_a_terminal)
{
    static struct screen s;
    pthread_t reader;
    s.master = posix_openpt(O_RDWR | O_NOCTTY);
    if (s.master < 0 || grantpt(s.master) || unlockpt(s.master)) return; /* no terminals here */
    int slave = open(ptsname(s.master), O_RDWR | O_NOCTTY);
    ck_assert_int_ge(slave, 0);
    FILE *terminal = fdopen(slave, "w");
    ck_assert_int_eq(pthread_create(&reader, NULL, watch, &s), 0);

    washi_layer layers[] = {washi_layer_dense(1024, NULL), washi_layer_dense(64, NULL),
                            washi_layer_dense(1, NULL)};
    washi_model *m = washi_sequential(w, 3, layers);
    washi_optimizer *o = washi_sgd(w, &(washi_sgd_options){.learning_rate = 1e-6});
    washi_fit_options options = {.optimizer = o,
                                 .loss = washi_mean_squared_error,
                                 .epochs = 2,
                                 .batch_size = 1,
                                 .progress = terminal};
    make_samples(5000);
    double begin = seconds();
    ok(washi_fit(m, &x, &y, &options, NULL));
    double took = seconds() - begin;
    /* A failure ends its line: what is printed next begins on one of its own. */
    washi_array one = {WASHI_F32, {2, {1, 1}}, in}, label = {WASHI_U8, {1, {1}}, "\7"};
    options.loss = washi_sparse_categorical_crossentropy;
    fails(washi_evaluate(m, &one, &label, &options, (double[2]){0}), WASHI_BAD_VALUE, "7");
    fclose(terminal);
    pthread_join(reader, NULL);
    close(s.master);

    check_lines(&s, took);
    washi_optimizer_free(o);
    washi_model_free(m);
}
END_TEST

int main(void) { return RUN("nn_progress", in_a_file, stopped, numbers, on_a_terminal); }
