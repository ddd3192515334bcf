/* csv_logger.c: the logs of each epoch as a line of a file. */
#include "train.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static washi_status failed(const washi_csv_logger *s, const char *what)
{
    return washi_fail(NULL, WASHI_IO, "csv_logger: cannot %s %s: %s", what, s->path, strerror(errno));
}

/* As few digits as give x again. */
static void print_number(FILE *out, double x)
{
    char text[40];
    if (isnan(x)) {
        fputs("nan", out); /* without a sign */
        return;
    }
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x) break;
    }
    /* Between the columns stands a comma, which some locales have for a point. */
    char *comma = strchr(text, ',');
    if (comma) *comma = '.';
    fputs(text, out);
}

/* Which of the logs there are, in the order of their columns. */
static const int columns[4] = {1, 0, 3, 2};

static bool has(const washi_fit_options *o, int log)
{
    return (log % 2 == 0 || o->metric) && (log < 2 || o->validation_x);
}

static void print_names(FILE *out, const washi_fit_options *o)
{
    fputs("epoch", out);
    for (int i = 0; i < 4; i++)
        if (has(o, columns[i]))
            fprintf(out, ",%s%s", columns[i] < 2 ? "" : "val_",
                    columns[i] % 2 ? wa_nn_metric_name(o->metric) : "loss");
    fputc('\n', out);
}

static washi_status flush(const washi_csv_logger *s)
{
    return fflush(s->file) || ferror(s->file) ? failed(s, "write") : WASHI_OK;
}

static washi_status begin(washi_csv_logger *s, const washi_fit_options *o)
{
    if (!s->path) return washi_fail(NULL, WASHI_MISUSE, "csv_logger: the path is NULL");
    s->file = fopen(s->path, s->append ? "a" : "w");
    if (!s->file) return failed(s, "open");
    /* Where a file opened for appending stands is only known after a seek. */
    bool empty = fseek(s->file, 0, SEEK_END) || ftell(s->file) <= 0;
    if (empty) print_names(s->file, o);
    washi_status status = flush(s);
    if (!status) return WASHI_OK;
    fclose(s->file);
    s->file = NULL;
    return status;
}

static washi_status csv_logger(washi_fit_state *fit, void *user)
{
    washi_csv_logger *s = user;
    if (!s) return washi_fail(NULL, WASHI_MISUSE, "csv_logger: its options are NULL");
    if (fit->event == WASHI_FIT_BEGIN) return begin(s, fit->options);
    if (fit->event == WASHI_EPOCH_END) {
        fprintf(s->file, "%d", fit->epoch);
        for (int i = 0; i < 4; i++)
            if (has(fit->options, columns[i])) {
                fputc(',', s->file);
                print_number(s->file, fit->logs[columns[i]]);
            }
        fputc('\n', s->file);
        return flush(s);
    }
    if (fit->event == WASHI_FIT_END) {
        int closed = fclose(s->file);
        s->file = NULL;
        if (closed) return failed(s, "close");
    }
    return WASHI_OK;
}

washi_callback washi_callback_csv_logger(washi_csv_logger *s)
{
    return (washi_callback){csv_logger, s};
}
