/* summary.c: a model's layers and weights as a table, laid out as Keras prints it. */
#include "nn.h"

#include <inttypes.h>
#include <string.h>

/* The width of each column's text on a terminal of 80 characters, which is how Keras' table is known.
 */
static const int width[3] = {31, 22, 13};

static void rule(FILE *out, const char *left, const char *dash, const char *cross, const char *right)
{
    for (int c = 0; c < 3; c++) {
        fputs(c ? cross : left, out);
        for (int i = 0; i < width[c] + 2; i++) fputs(dash, out);
    }
    fprintf(out, "%s\n", right);
}

/* Bytes of the UTF-8 character at text, and 0 at its end. */
static size_t character(const char *text)
{
    size_t n = *text != 0;
    while (n && ((unsigned char)text[n] & 0xc0) == 0x80) n++;
    return n;
}

static int columns(const char *text, size_t bytes)
{
    int n = 0;
    for (size_t at = 0; at < bytes; at += character(text + at)) n++;
    return n;
}

/* Bytes of the piece of text that goes on a line: whole words, or as much as there is room for of a
 * word that is longer than a line. */
static size_t piece(const char *text, int room)
{
    size_t fit = 0, words = 0;
    for (int n = 0; text[fit] && n < room; n++) {
        if (text[fit] == ' ') words = fit;
        fit += character(text + fit);
    }
    return !text[fit] || text[fit] == ' ' || !words ? fit : words;
}

/* A row, on as many lines as its longest cell needs. */
static void row(FILE *out, const char *bar, const char *const cell[3])
{
    const char *rest[3] = {cell[0], cell[1], cell[2]};
    do {
        for (int c = 0; c < 3; c++) {
            size_t n = piece(rest[c], width[c]);
            int blank = width[c] - columns(rest[c], n), before = c == 2 ? blank : 0;
            fprintf(out, "%s %*s%.*s%*s ", bar, before, "", (int)n, rest[c], blank - before, "");
            rest[c] += n;
            while (*rest[c] == ' ') rest[c]++;
        }
        fprintf(out, "%s\n", bar);
    } while (*rest[0] || *rest[1] || *rest[2]);
}

struct cell {
    char at[256];
};

/* 55050 as "55,050". */
static struct cell grouped(int64_t n)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRId64, n), used = 0;
    struct cell c = {""};
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0) c.at[used++] = ',';
        c.at[used++] = digits[i];
    }
    return c;
}

/* (None, 784), where None stands for the axis of samples. */
static struct cell tuple(washi_shape s, int64_t none)
{
    struct cell c = {"("};
    size_t used = 1;
    for (int i = 0; i < s.rank; i++) {
        const char *comma = i ? ", " : "";
        size_t room = sizeof c.at - used;
        used += (size_t)(i == 0 && s.dim[0] == none
                             ? snprintf(c.at + used, room, "%sNone", comma)
                             : snprintf(c.at + used, room, "%s%" PRId64, comma, s.dim[i]));
    }
    c.at[used] = ')';
    return c;
}

struct count {
    int64_t elements;
    double bytes;
};

static void add(struct count *c, const struct wa_weight *v)
{
    int64_t n = washi_size(v->array.shape);
    c->elements += n;
    c->bytes += (double)n * (double)washi_dtype_size(v->array.type);
}

/* Of the weights below a layer. */
static struct count count_below(const washi_model *m, const char *layer)
{
    struct count c = {0};
    size_t n = strlen(layer);
    for (int i = 0; i < m->weights; i++)
        if (strncmp(m->weight[i].name, layer, n) == 0 && m->weight[i].name[n] == '/')
            add(&c, &m->weight[i]);
    return c;
}

static void total(FILE *out, const char *what, struct count c)
{
    static const char *const unit[] = {"B", "KB", "MB", "GB", "TB", "PB"};
    int u = 0;
    while (c.bytes >= 1024 && u < 5) c.bytes /= 1024, u++;
    fprintf(out, " %s params: %s (%.2f %s)\n", what, grouped(c.elements).at, c.bytes, unit[u]);
}

static void totals(const washi_model *m, FILE *out)
{
    struct count all = {0}, part[2] = {{0}};
    for (int i = 0; i < m->weights; i++) {
        add(&all, &m->weight[i]);
        add(&part[m->weight[i].trainable], &m->weight[i]);
    }
    total(out, "Total", all);
    total(out, "Trainable", part[true]);
    total(out, "Non-trainable", part[false]);
}

static washi_status line(const washi_model *m, const struct wa_line *l, FILE *out)
{
    char *label = wa_nn_format(m->w, "%s (%s)", l->name, l->kind);
    if (!label) return WASHI_NO_MEMORY;
    struct cell shape = tuple(l->shape, m->batch), params = grouped(count_below(m, l->name).elements);
    row(out, "│", (const char *[]){label, shape.at, params.at});
    wa_nn_free_text(m->w, label);
    return WASHI_OK;
}

washi_status washi_model_summary(const washi_model *m, FILE *out)
{
    if (!m || !out)
        return washi_fail(NULL, WASHI_MISUSE, "summary: the %s is NULL", m ? "file" : "model");
    if (!m->built) return washi_fail(NULL, WASHI_MISUSE, "summary: model %s is not built yet", m->name);
    fprintf(out, "Model: \"%s\"\n", m->name);
    rule(out, "┏", "━", "┳", "┓");
    row(out, "┃", (const char *[]){"Layer (type)", "Output Shape", "Param #"});
    rule(out, "┡", "━", "╇", "┩");
    for (int i = 0; i < m->lines; i++) {
        if (i) rule(out, "├", "─", "┼", "┤");
        if (line(m, &m->line[i], out)) return WASHI_NO_MEMORY;
    }
    rule(out, "└", "─", "┴", "┘");
    totals(m, out);
    if (fflush(out) == 0 && !ferror(out)) return WASHI_OK;
    return washi_fail(NULL, WASHI_IO, "summary: the file cannot be written");
}
