/* einsum.c: Einstein's sums of one or two operands: "bij,bjk->bik".
 *
 * Each operand is first brought down to one axis a letter, the letters that nobody else wants being
 * summed; two are then a matrix product over the letters of both that the result lacks, batched over
 * those it has. */
#include "autodiff/step.h"

#include <string.h>

#include "autodiff/rules.h"

enum { LETTERS = 52 };

/* A tensor with a letter for each axis. */
struct term {
    washi_tensor *x;
    int n;
    char letter[2 * WASHI_MAX_RANK + 2];
};

struct formula {
    washi_tape *tape;
    const char *text;
    struct term in[2], out;
    int terms;
    int64_t size[LETTERS];
};

static int number_of(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : -1;
}

static int count_of(const struct term *t, char c)
{
    int count = 0;
    for (int i = 0; i < t->n; i++) count += t->letter[i] == c;
    return count;
}

static bool refuse(const struct formula *f, washi_status status, const char *why)
{
    char a[WA_SHAPE_TEXT], b[WA_SHAPE_TEXT] = "";
    wa_shape_text(f->in[0].x->shape, a);
    if (f->in[1].x) wa_shape_text(f->in[1].x->shape, b);
    washi_fail(f->tape, status, "einsum: \"%.80s\" of %s%s%s: %s", f->text, a, *b ? " and " : "", b,
               why);
    return false;
}

/* -- reading -- */

/* Letters, as far as a comma, an arrow or the end; NULL after an error. */
static const char *read_term(const struct formula *f, const char *at, struct term *t)
{
    for (; *at && *at != ',' && *at != '-'; at++) {
        if (*at == ' ') continue;
        if (number_of(*at) < 0)
            return refuse(f, WASHI_BAD_VALUE, "letters, a comma and -> make a formula"), NULL;
        if (t->n == WASHI_MAX_RANK) return refuse(f, WASHI_BAD_VALUE, "too many letters"), NULL;
        t->letter[t->n++] = *at;
    }
    return at;
}

/* Without an arrow: the letters that there are once, in the alphabet's order, capitals first. */
static bool implied(struct formula *f)
{
    for (int i = 0; i < LETTERS; i++) {
        char c = (char)(i < 26 ? 'A' + i : 'a' + i - 26);
        if (count_of(&f->in[0], c) + count_of(&f->in[1], c) != 1) continue;
        if (f->out.n == WASHI_MAX_RANK)
            return refuse(f, WASHI_BAD_SHAPE, "too many axes in the result");
        f->out.letter[f->out.n++] = c;
    }
    return true;
}

static bool read_formula(struct formula *f)
{
    const char *at = read_term(f, f->text, &f->in[0]);
    int terms = 1;
    if (at && *at == ',') {
        at = read_term(f, at + 1, &f->in[1]);
        terms = 2;
    }
    if (!at) return false;
    if (terms != f->terms || *at == ',')
        return refuse(f, WASHI_BAD_VALUE, "the operands are not as many as the formula's");
    if (!*at) return implied(f);
    if (at[1] != '>') return refuse(f, WASHI_BAD_VALUE, "letters, a comma and -> make a formula");
    at = read_term(f, at + 2, &f->out);
    return at && (!*at || refuse(f, WASHI_BAD_VALUE, "letters, a comma and -> make a formula"));
}

static bool measure(struct formula *f)
{
    for (int i = 0; i < LETTERS; i++) f->size[i] = -1;
    for (int k = 0; k < f->terms; k++) {
        if (f->in[k].n != f->in[k].x->shape.rank)
            return refuse(f, WASHI_BAD_SHAPE, "a letter is wanted for each axis");
        for (int i = 0; i < f->in[k].n; i++) {
            int64_t *size = &f->size[number_of(f->in[k].letter[i])], is = f->in[k].x->shape.dim[i];
            if (*size >= 0 && *size != is)
                return refuse(f, WASHI_BAD_SHAPE, "a letter stands for axes of two sizes");
            *size = is;
        }
    }
    for (int i = 0; i < f->out.n; i++)
        if (f->size[number_of(f->out.letter[i])] < 0 || count_of(&f->out, f->out.letter[i]) > 1)
            return refuse(f, WASHI_BAD_VALUE,
                          "a letter of the result must be in an operand, and once in the result");
    return true;
}

/* -- one operand -- */

static void arrange(struct term *t, const int order[])
{
    struct term to = {.x = washi_permute(t->x, order), .n = t->n};
    for (int i = 0; i < t->n; i++) to.letter[i] = t->letter[order[i]];
    *t = to;
}

/* Axes i < j of one letter become their diagonal. */
static void take_diagonal(struct term *t, int i, int j)
{
    int order[WASHI_MAX_RANK], n = 0;
    char letter = t->letter[i];
    for (int k = 0; k < t->n; k++)
        if (k != i && k != j) order[n++] = k;
    order[n++] = i;
    order[n++] = j;
    arrange(t, order);
    t->x = washi_diag(t->x);
    t->n--;
    t->letter[t->n - 1] = letter;
}

/* One axis a letter; those of which neither the other operand nor the result has one are summed. */
static void reduce_term(const struct formula *f, struct term *t, const struct term *other)
{
    for (int i = 0; i < t->n; i++)
        for (int j = i + 1; j < t->n; j++)
            if (t->letter[i] == t->letter[j]) {
                take_diagonal(t, i, j);
                i = -1;
                break;
            }
    int axes[WASHI_MAX_RANK], n = 0, kept = 0;
    for (int i = 0; i < t->n; i++) {
        bool wanted = count_of(&f->out, t->letter[i]) || (other && count_of(other, t->letter[i]));
        if (wanted)
            t->letter[kept++] = t->letter[i];
        else
            axes[n++] = i;
    }
    if (n) t->x = washi_over(washi_sum, t->x, n, axes, false);
    t->n = kept;
}

/* t's axes in the order of the result's letters. */
static washi_tensor *in_order(const struct formula *f, struct term *t)
{
    int order[WASHI_MAX_RANK];
    for (int i = 0; i < f->out.n; i++)
        for (int k = 0; k < t->n; k++)
            if (t->letter[k] == f->out.letter[i]) order[i] = k;
    bool same = true;
    for (int i = 0; i < t->n; i++) same = same && order[i] == i;
    return same ? t->x : washi_permute(t->x, order);
}

/* -- two operands -- */

enum kind { BATCH, SUMMED, FREE };

static enum kind kind_of(const struct formula *f, const struct term *other, char c)
{
    if (!count_of(other, c)) return FREE;
    return count_of(&f->out, c) ? BATCH : SUMMED;
}

/* t as [batch, first, second]; the letters of a kind are in the order they have in the left operand. */
static washi_tensor *as_batch(const struct formula *f, struct term *t, const struct term *other,
                              enum kind first, enum kind second)
{
    const enum kind kinds[] = {BATCH, first, second};
    const struct term *by = &f->in[0];
    int order[WASHI_MAX_RANK], n = 0;
    int64_t size[3] = {1, 1, 1};
    for (int k = 0; k < 3; k++) {
        const struct term *from = kinds[k] == FREE ? t : by;
        for (int i = 0; i < from->n; i++)
            for (int j = 0; j < t->n; j++)
                if (t->letter[j] == from->letter[i] && kind_of(f, other, t->letter[j]) == kinds[k]) {
                    size[k] *= f->size[number_of(t->letter[j])];
                    order[n++] = j;
                }
    }
    bool same = true;
    for (int i = 0; i < n; i++) same = same && order[i] == i;
    washi_tensor *x = same ? t->x : washi_permute(t->x, order);
    return washi_reshape(x, size[0] == 1 ? (washi_shape)SHAPE(size[1], size[2])
                                         : (washi_shape)SHAPE(size[0], size[1], size[2]));
}

static int count_kind(const struct formula *f, const struct term *t, const struct term *other,
                      enum kind k)
{
    int n = 0;
    for (int i = 0; i < t->n; i++) n += kind_of(f, other, t->letter[i]) == k;
    return n;
}

/* t's axes under the letters of all, those it lacks being of size 1. */
static washi_tensor *spread(const struct formula *f, const struct term *t, const struct term *all)
{
    int order[WASHI_MAX_RANK], n = 0;
    washi_shape s = {.rank = all->n};
    for (int i = 0; i < all->n; i++) {
        s.dim[i] = 1;
        for (int k = 0; k < t->n; k++)
            if (t->letter[k] == all->letter[i]) {
                order[n++] = k;
                s.dim[i] = f->size[number_of(all->letter[i])];
            }
    }
    return washi_reshape(washi_permute(t->x, order), s);
}

/* The letters of the product before anything is summed: the result's, then the summed. */
static washi_tensor *multiply(struct formula *f)
{
    struct term *a = &f->in[0], *b = &f->in[1], all = f->out;
    int axes[WASHI_MAX_RANK], summed = 0;
    for (int i = 0; i < a->n; i++)
        if (kind_of(f, b, a->letter[i]) == SUMMED) {
            axes[summed++] = all.n;
            all.letter[all.n++] = a->letter[i];
        }
    if (all.n > WASHI_MAX_RANK) return refuse(f, WASHI_BAD_SHAPE, "too many axes"), NULL;
    washi_tensor *y = mul(spread(f, a, &all), spread(f, b, &all));
    return summed ? washi_over(washi_sum, y, summed, axes, false) : y;
}

/* A product of numbers, or of rows with rows, is no matrix product. */
static washi_tensor *contract(struct formula *f)
{
    struct term *a = &f->in[0], *b = &f->in[1], y = {.n = 0};
    bool rows = !count_kind(f, a, b, FREE) && !count_kind(f, b, a, FREE);
    if (rows || !count_kind(f, a, b, SUMMED)) return multiply(f);
    for (int i = 0; i < a->n; i++)
        if (kind_of(f, b, a->letter[i]) == BATCH) y.letter[y.n++] = a->letter[i];
    for (int i = 0; i < a->n; i++)
        if (kind_of(f, b, a->letter[i]) == FREE) y.letter[y.n++] = a->letter[i];
    for (int i = 0; i < b->n; i++)
        if (kind_of(f, a, b->letter[i]) == FREE) y.letter[y.n++] = b->letter[i];
    washi_shape s = {.rank = y.n};
    for (int i = 0; i < y.n; i++) s.dim[i] = f->size[number_of(y.letter[i])];
    y.x = matmul(as_batch(f, a, b, FREE, SUMMED), as_batch(f, b, a, SUMMED, FREE));
    y.x = washi_reshape(y.x, s);
    return in_order(f, &y);
}

washi_tensor *washi_einsum(const char *formula, int n, washi_tensor *const x[])
{
    struct formula f = {.text = formula, .terms = n};
    if (!x || !formula) {
        wa_error(WASHI_MISUSE, "einsum: %s NULL", formula ? "the operands are" : "the formula is");
        return NULL;
    }
    if (n < 1 || n > 2) {
        wa_error(WASHI_MISUSE, "einsum: \"%.80s\" of %d operands: one or two wanted", formula, n);
        return NULL;
    }
    for (int k = 0; k < n; k++) {
        if (!wa_usable(x[k], "einsum")) return NULL;
        f.in[k].x = x[k];
    }
    f.tape = x[0]->tape;
    if (x[n - 1]->tape != f.tape)
        return refuse(&f, WASHI_MISUSE, "operands are on different tapes"), NULL;
    for (int k = 0; k < n; k++)
        if (!wa_is_real(x[k]->type) || x[k]->type != x[0]->type)
            return refuse(&f, WASHI_BAD_TYPE, "operands of one type, f32 or f64, wanted"), NULL;
    if (!read_formula(&f) || !measure(&f)) return NULL;
    reduce_term(&f, &f.in[0], n > 1 ? &f.in[1] : NULL);
    if (n > 1) reduce_term(&f, &f.in[1], &f.in[0]);
    if (f.tape->status) return NULL;
    return n > 1 ? contract(&f) : in_order(&f, &f.in[0]);
}
