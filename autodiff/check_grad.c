/* check_grad.c: derivatives against central differences and against each other, in double precision. */
#include "autodiff/tape.h"

#include <math.h>
#include <string.h>

enum { MOST = WASHI_GRAD_INPUTS, TURNS = 3 };
static const double largest_error = 1e-6, largest_product_error = 1e-9;

struct checker {
    struct wa_arena arena;
    washi_tape *tape;
    washi_grad_report *report;
    uint64_t drawn;            /* random numbers so far */
    int n, reals, which[MOST]; /* the inputs; those of them that are real */
    washi_tensor *x[MOST], *real[MOST];
    double *at[MOST], *saved[MOST],
        *direction[MOST]; /* of the real ones: where they are, where they move */
};

/* One order: the tensors y, weighted by u, as a function of the real inputs. */
struct probe {
    int ny;
    washi_tensor *y[MOST], *u[MOST], *v[MOST], *g[MOST], *dy[MOST];
    double *weight[MOST];
    washi_program *p;
    washi_grad_line *line;
    double *product_error;
    bool seen[MOST]; /* by real input: some derivative is more than rounding */
};

static washi_status refuse(struct checker *c, const char *format, ...) WASHI_PRINTF(2, 3);
static washi_status refuse(struct checker *c, const char *format, ...)
{
    char *text = c->report->verdict;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof c->report->verdict, format, args);
    va_end(args);
    return wa_error(WASHI_BAD_VALUE, "check_grad: %s", text);
}

/* -- numbers -- */

static double *new_row(struct checker *c, const washi_tensor *x)
{
    return wa_arena_new(&c->arena, wa_shape_bytes(x->shape, WASHI_F64), WA_ALIGN);
}

/* From -1 ... -0.2 and 0.2 ... 1. */
static void draw(struct checker *c, const washi_tensor *x, double *row)
{
    enum { STREAM = 0x67726164, A_TIME = 64 };
    float some[A_TIME];
    for (int64_t i = 0, n = washi_size(x->shape); i < n; i++) {
        if (i % A_TIME == 0) {
            washi_fill_uniform(c->arena.w, STREAM, c->drawn, A_TIME, some);
            c->drawn += A_TIME;
        }
        double r = 1.6 * (double)some[i % A_TIME];
        row[i] = r < 0.8 ? r - 1 : r - 0.6;
    }
}

/* Its length becomes 1, or the largest number at the point if that is less: steps are a part of it. */
static void scale_direction(const washi_tensor *x, const double *at, double *row)
{
    int64_t n = washi_size(x->shape);
    double square = 0, largest = 0;
    for (int64_t i = 0; i < n; i++) {
        square += row[i] * row[i];
        largest = fmax(largest, fabs(at[i]));
    }
    double length = largest > 0 && largest < 1 ? largest : 1;
    for (int64_t i = 0; i < n; i++) row[i] *= length / sqrt(square);
}

/* <a, b>; adds to *size the absolute values of its terms. */
static double dot(const washi_tensor *a, const double *b, double *size)
{
    const double *v = a->data;
    double sum = 0;
    for (int64_t i = 0, n = washi_size(a->shape); i < n; i++) {
        sum += v[i] * b[i];
        *size += fabs(v[i] * b[i]);
    }
    return sum;
}

static bool all_finite(const washi_tensor *x)
{
    const double *v = x->data;
    for (int64_t i = 0, n = washi_size(x->shape); i < n; i++)
        if (!isfinite(v[i])) return false;
    return true;
}

/* -- one order -- */

static washi_tensor *fed_like(struct checker *c, const washi_tensor *x, double **row)
{
    washi_tensor *like = washi_input(c->tape, WASHI_F64, x->shape);
    *row = new_row(c, x);
    if (!like || !*row) return NULL;
    draw(c, x, *row);
    washi_feed(like, *row);
    return like;
}

/* The program of y, u'J and Jv; y and ny are there. */
static washi_status record(struct checker *c, struct probe *p)
{
    washi_tensor *out[3 * MOST];
    washi_status status;
    int n = 0;
    for (int j = 0; j < p->ny; j++)
        if (!(p->u[j] = fed_like(c, p->y[j], &p->weight[j]))) return WASHI_NO_MEMORY;
    for (int i = 0; i < c->reals; i++)
        if (!(p->v[i] = fed_like(c, c->real[i], &c->direction[i]))) return WASHI_NO_MEMORY;
    if ((status = washi_vjp(p->ny, p->y, p->u, c->reals, c->real, p->g)) ||
        (status = washi_jvp(p->ny, p->y, c->reals, c->real, p->v, p->dy)))
        return status;
    for (int j = 0; j < p->ny; j++) out[n++] = p->y[j];
    for (int j = 0; j < p->ny; j++) out[n++] = p->dy[j];
    for (int i = 0; i < c->reals; i++) out[n++] = p->g[i];
    p->p = washi_compile(c->tape, n, out);
    return p->p ? WASHI_OK : WASHI_NO_MEMORY;
}

/* <u, y>, and the sum of its terms' absolute values. */
static washi_status weighted(const struct probe *p, double *sum, double *size)
{
    *sum = *size = 0;
    washi_status status = washi_run(p->p);
    for (int j = 0; j < p->ny && !status; j++) *sum += dot(p->y[j], p->weight[j], size);
    return status;
}

/* The derivative of <u, y> as input i moves in its direction, by differences of the fourth order. */
static washi_status difference(const struct checker *c, const struct probe *p, int i, double step,
                               double *out)
{
    static const double places[4] = {-2, -1, 1, 2};
    const int64_t n = washi_size(c->real[i]->shape);
    washi_status status = WASHI_OK;
    double value[4] = {0}, size;
    memcpy(c->saved[i], c->at[i], (size_t)n * sizeof(double));
    for (int k = 0; k < 4 && !status; k++) {
        for (int64_t e = 0; e < n; e++)
            c->at[i][e] = c->saved[i][e] + places[k] * step * c->direction[i][e];
        status = weighted(p, &value[k], &size);
    }
    *out = (8 * (value[2] - value[1]) - (value[3] - value[0])) / (12 * step);
    memcpy(c->at[i], c->saved[i], (size_t)n * sizeof(double));
    return status;
}

/* Of some steps the one whose difference is the nearest: a wrong derivative is near to none. Values are
 * of this size, and their rounding is no error. */
static washi_status compare(const struct checker *c, struct probe *p, int i, double slope, double size)
{
    static const double steps[] = {1e-2, 1e-3, 1e-4};
    washi_grad_line *line = &p->line[c->which[i]];
    double least = (double)INFINITY, nearest = 0;
    for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
        double by_steps;
        washi_status status = difference(c, p, i, steps[k], &by_steps);
        if (status) return status;
        if (!isfinite(by_steps)) continue;
        double most = fmax(fabs(slope), fabs(by_steps));
        double error = most > 0 ? fabs(by_steps - slope) / (most + 1e-7 * size) : 0;
        if (least > error) least = error, nearest = by_steps;
    }
    line->derivative = fmax(line->derivative, fabs(slope));
    line->difference = fmax(line->difference, fabs(nearest));
    p->seen[i] = p->seen[i] || fmax(fabs(slope), fabs(nearest)) > 1e-11 * size;
    line->error = fmax(line->error, least);
    return WASHI_OK;
}

static washi_status check_finite(struct checker *c, const struct probe *p, int order)
{
    for (int j = 0; j < p->ny; j++)
        if (!all_finite(p->y[j]) || !all_finite(p->dy[j]))
            return refuse(c, "order %d: %s is not finite", order,
                          all_finite(p->y[j]) ? "the directional derivative" : "the value");
    for (int i = 0; i < c->reals; i++)
        if (!all_finite(p->g[i]))
            return refuse(c, "order %d: the derivative by input %d is not finite", order, c->which[i]);
    return WASHI_OK;
}

/* One direction, and one u. */
static washi_status turn(struct checker *c, struct probe *p, int order)
{
    double slope[MOST], sum, size, terms = 0, product = 0;
    for (int j = 0; j < p->ny; j++) draw(c, p->y[j], p->weight[j]);
    for (int i = 0; i < c->reals; i++) {
        draw(c, c->real[i], c->direction[i]);
        scale_direction(c->real[i], c->at[i], c->direction[i]);
    }
    washi_status status = weighted(p, &sum, &size);
    if (!status) status = check_finite(c, p, order);
    if (status) return status;
    for (int j = 0; j < p->ny; j++) product += dot(p->dy[j], p->weight[j], &terms);
    for (int i = 0; i < c->reals; i++) product -= slope[i] = dot(p->g[i], c->direction[i], &terms);
    if (terms > 0) *p->product_error = fmax(*p->product_error, fabs(product) / (terms + 1e-6 * size));
    for (int i = 0; i < c->reals && !status; i++) status = compare(c, p, i, slope[i], size);
    return status;
}

static washi_status judge(struct checker *c, const struct probe *p, int order)
{
    bool seen = false;
    for (int i = 0; i < c->reals; i++) {
        const washi_grad_line *line = &p->line[c->which[i]];
        seen = seen || p->seen[i];
        if (order == 1 && !p->seen[i])
            return refuse(c, "order 1: the result %s input %d",
                          line->derivative > 0 || line->difference > 0 ? "hardly changes with"
                                                                       : "ignores",
                          c->which[i]);
        if (isinf(line->error))
            return refuse(c, "order %d: beside the point, along input %d, the value is not finite",
                          order, c->which[i]);
        if (!(line->error <= largest_error))
            return refuse(c,
                          "order %d: the derivative by input %d is wrong by %.2g: %.6g where "
                          "differences give %.6g",
                          order, c->which[i], line->error, line->derivative, line->difference);
    }
    if (!seen) return refuse(c, "order %d: every derivative is zero", order);
    if (!(*p->product_error <= largest_product_error))
        return refuse(c, "order %d: <u, Jv> and <J'u, v> differ by %.2g: some rule is not linear in g",
                      order, *p->product_error);
    return WASHI_OK;
}

static washi_status check_order(struct checker *c, struct probe *p, int order)
{
    p->line = c->report->line[order - 1];
    p->product_error = &c->report->product_error[order - 1];
    washi_status status = record(c, p);
    for (int k = 0; k < TURNS && !status; k++) status = turn(c, p, order);
    if (!status) {
        c->report->orders = order;
        status = judge(c, p, order);
    }
    washi_program_free(p->p);
    return status;
}

/* -- the call -- */

/* The inputs, real ones in double and at a place of their own. */
static washi_status make_inputs(struct checker *c, int n, const washi_array x[])
{
    for (c->n = 0; c->n < n; c->n++) {
        const washi_array *a = &x[c->n];
        const bool real = wa_is_real(a->type);
        washi_tensor *in = c->x[c->n] = washi_input(c->tape, real ? WASHI_F64 : a->type, a->shape);
        if (!in) return c->tape->status;
        for (int k = 0; k < 2; k++)
            c->report->line[k][c->n] =
                (washi_grad_line){.type = a->type, .shape = a->shape, .checked = real};
        int64_t size = washi_size(a->shape);
        if (size && !a->data) return wa_error(WASHI_MISUSE, "check_grad: input %d has no data", c->n);
        if (!real) {
            washi_feed(in, a->data);
            continue;
        }
        if (!size) return refuse(c, "input %d has no elements", c->n);
        int r = c->reals++;
        c->which[r] = c->n;
        c->real[r] = in;
        c->at[r] = new_row(c, in);
        c->saved[r] = new_row(c, in);
        if (!c->at[r] || !c->saved[r]) return WASHI_NO_MEMORY;
        for (int64_t i = 0; i < size; i++)
            c->at[r][i] = a->type == WASHI_F32 ? (double)((const float *)a->data)[i]
                                               : ((const double *)a->data)[i];
        washi_feed(in, c->at[r]);
    }
    return c->reals ? WASHI_OK : refuse(c, "no input is real");
}

static washi_status check_result(struct checker *c, const washi_tensor *y)
{
    char text[WA_TENSOR_TEXT];
    if (c->tape->status) return c->tape->status;
    if (!y || y->tape != c->tape)
        return wa_missing(c->tape, "check_grad: the function's result is %s",
                          y ? "on another tape" : "NULL");
    if (y->type != WASHI_F64)
        return wa_error(WASHI_BAD_TYPE,
                        "check_grad: the result is %s; f64 is wanted, as the inputs are",
                        wa_tensor_text(y, text));
    return washi_size(y->shape) ? WASHI_OK : refuse(c, "the result has no elements");
}

/* Order 2 is order 1 of the gradient: u'J, for a u that stays. */
static washi_status check_all(struct checker *c, washi_graph_fn *fn, const void *config, int n,
                              const washi_array x[], int order)
{
    struct probe first = {.ny = 1}, second = {.ny = 0};
    double *weight;
    washi_status status = make_inputs(c, n, x);
    if (status) return status;
    washi_tensor *y = first.y[0] = fn(n, c->x, config);
    if ((status = check_result(c, y)) || (status = check_order(c, &first, 1)) || order == 1)
        return status;
    washi_tensor *u = fed_like(c, y, &weight);
    if (!u) return WASHI_NO_MEMORY;
    second.ny = c->reals;
    status = washi_vjp(1, &y, &u, c->reals, c->real, second.y);
    return status ? status : check_order(c, &second, 2);
}

washi_status washi_check_grad(washi *w, washi_graph_fn *fn, const void *config, int n,
                              const washi_array x[], int order, washi_grad_report *report)
{
    washi_grad_report unread;
    struct checker c = {.report = report ? report : &unread};
    memset(c.report, 0, sizeof *c.report);
    if (!w || !fn || (n && !x))
        return wa_error(WASHI_MISUSE, "check_grad: the %s NULL",
                        !w    ? "context is"
                        : !fn ? "function is"
                              : "inputs are");
    if (n < 1 || n > MOST || order < 1 || order > 2)
        return wa_error(WASHI_BAD_VALUE,
                        "check_grad: order %d of %d inputs; order 1 or 2 and 1 to %d inputs are wanted",
                        order, n, MOST);
    c.report->inputs = n;
    c.arena.w = w;
    if (!(c.tape = washi_tape_new(w))) return WASHI_NO_MEMORY;
    washi_status status = check_all(&c, fn, config, n, x, order);
    if (status && !*c.report->verdict)
        snprintf(c.report->verdict, sizeof c.report->verdict, "%s", washi_message());
    washi_tape_free(c.tape);
    wa_arena_free(&c.arena);
    return status;
}

washi_status washi_grad_report_print(const washi_grad_report *r, FILE *out)
{
    if (!r || !out) return wa_error(WASHI_MISUSE, "grad_report_print: the report or the file is NULL");
    for (int order = 1; order <= r->orders; order++) {
        fprintf(out, "order %d  %-20s %16s %16s %10s\n", order, "input", "derivative", "difference",
                "error");
        for (int i = 0; i < r->inputs; i++) {
            const washi_grad_line *line = &r->line[order - 1][i];
            char shape[WA_SHAPE_TEXT];
            wa_shape_text(line->shape, shape);
            fprintf(out, "%5d    %-3s %-16s", i, washi_dtype_name(line->type), shape);
            if (line->checked)
                fprintf(out, " %16.9g %16.9g %10.2g\n", line->derivative, line->difference,
                        line->error);
            else
                fprintf(out, " %16s\n", "not real");
        }
        fprintf(out, "         <u, Jv> = <J'u, v> to %.2g\n", r->product_error[order - 1]);
    }
    fprintf(out, "%s\n", *r->verdict ? r->verdict : "passed");
    return ferror(out) ? wa_error(WASHI_IO, "grad_report_print: cannot write") : WASHI_OK;
}
