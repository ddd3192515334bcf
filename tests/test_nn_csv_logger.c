/* test_nn_csv_logger.c: the log in a file: its lines, its digits, and files that cannot be written. */
#define _POSIX_C_SOURCE 200809L
#include "test_nn_callbacks.h"

#include <locale.h>
#include <unistd.h>

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
    ok(fit_with(m, 1, &one, history));
    read_log(text, sizeof text);
    expect(&at, "epoch,accuracy,loss\n");
    for (int i = 0; i < 3; i++) expect_line(&at, i, 2, (double[]){history[i][1], history[i][0]});
    ck_assert_str_eq(at, "");

    options.validation_x = &some_x; /* anew, not at the end */
    options.validation_y = &some_y;
    ok(fit_with(m, 1, &one, history));
    log.append = true; /* at the end, without names */
    options.epochs = 2;
    ok(fit_with(m, 1, &one, history + 3));
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
    ok(fit_with(m, 1, &one, history));
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
        fails(fit_with(m, 1, &one, NULL), i ? WASHI_IO : WASHI_MISUSE, text[i]);
        ck_assert_ptr_null(log.file);
    }
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
    return RUN_SUITE("nn_csv_logger",
                     CASE("nn_csv_logger", begin_here, end_here, csv_log, csv_numbers, csv_refused));
}
