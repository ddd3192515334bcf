/* test_ops.c: every op of the table, on the sample its entry gives: value, first and second
 * derivatives, the same bits at every CPU level and number of threads. A new op is tested by being in
 * the table; it needs a plain reference in op_reference.c, lengths in op_shapes.c and an error in
 * op_errors.c. */
#include "ops.h"

#include "autodiff/program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static washi *w; /* one thread, the best level */

static void setup(void)
{
    ck_assert_int_eq(washi_open(&w, &(washi_options){.threads = 1, .seed = 1}), WASHI_OK);
}
static void teardown(void) { washi_close(w); }

/* -- value -- */

START_TEST(value)
{
    const enum draw draws[] = {DISTINCT, TIED};
    for (int i = 0; wa_ops[i]; i++) {
        if (wa_ops[i]->source) continue;
        for (int k = 0; k < 4; k++) {
            uint64_t seed = (uint64_t)i;
            struct sample s =
                table_sample(wa_ops[i], k < 2 ? WASHI_F32 : WASHI_F64, draws[k % 2], &seed);
            struct result r = run_sample(w, &s);
            near_plain(&s, &r);
            free_result(&s, &r);
            free_sample(&s);
        }
    }
}
END_TEST

/* Whether the value changes with every operand, other numbers being drawn for it alone. */
START_TEST(value_depends_on_every_operand)
{
    for (int i = 0; wa_ops[i]; i++) {
        const struct wa_op *op = wa_ops[i];
        for (int k = 0; !op->source && k < (op->arity < 0 ? MOST_OPERANDS : op->arity); k++) {
            uint64_t seed = (uint64_t)i;
            bool changes = false;
            struct sample s = table_sample(op, WASHI_F64, TIED, &seed);
            struct result before = run_sample(w, &s);
            for (int turn = 0; turn < 8 && !changes; turn++) {
                struct sample other = table_sample(op, WASHI_F64, TIED, &seed);
                memcpy(s.x[k].data, other.x[k].data, bytes_of(s.x[k].shape, s.x[k].type));
                struct result after = run_sample(w, &s);
                changes = first_difference(after.type, (size_t)washi_size(after.shape), before.y,
                                           after.y) >= 0;
                free_result(&s, &after);
                free_sample(&other);
            }
            ck_assert_msg(changes, "%s ignores operand %d", op->name, k);
            free_result(&s, &before);
            free_sample(&s);
        }
    }
}
END_TEST

/* -- derivatives -- */

/* A program of one op in double: of L = <u, y> it gives y, g = dL/dx, s = <g, d>, h = ds/dx, j = ds/du.
 * The d, one for each operand, are fixed directions. */
struct probe {
    struct sample s;
    washi_tape *t;
    washi_program *p;
    int reals, which[MOST_OPERANDS];
    double *u, *d[MOST_OPERANDS];
    washi_tensor *y, *g[MOST_OPERANDS], *slope, *h[MOST_OPERANDS], *j;
};

static double *random_row(washi_shape shape, uint64_t *seed)
{
    const size_t n = (size_t)washi_size(shape);
    double *row = malloc((n + 1) * sizeof *row);
    ck_assert_ptr_nonnull(row);
    for (size_t i = 0; i < n; i++) row[i] = between(seed, 0.2, 1) * (below(seed, 2) ? 1 : -1);
    return row;
}

static washi_tensor *fed(washi_tape *t, washi_dtype type, washi_shape shape, const void *data)
{
    washi_tensor *x = washi_input(t, type, shape);
    ck_assert_int_eq(washi_feed(x, data), WASHI_OK);
    return x;
}

static struct probe open_probe(const struct wa_op *op, uint64_t seed)
{
    struct probe p = {.s = table_sample(op, WASHI_F64, DISTINCT, &seed), .t = washi_tape_new(w)};
    washi_tensor *x[MOST_OPERANDS], *real[MOST_OPERANDS], *u, *out[3 + 2 * MOST_OPERANDS];
    for (int k = 0; k < p.s.n; k++) {
        x[k] = fed(p.t, p.s.x[k].type, p.s.x[k].shape, p.s.x[k].data);
        if (p.s.x[k].type != WASHI_F64) continue;
        p.d[p.reals] = random_row(p.s.x[k].shape, &seed);
        p.which[p.reals] = k;
        real[p.reals++] = x[k];
    }
    p.y = wa_record(op, p.s.n, x, &p.s.attr);
    ck_assert(p.y && p.y->type == WASHI_F64);
    p.u = random_row(p.y->shape, &seed);
    u = fed(p.t, WASHI_F64, p.y->shape, p.u);
    ck_assert_msg(!washi_vjp(1, &p.y, &u, p.reals, real, p.g), "%s", washi_message());
    for (int i = 0; i < p.reals; i++) {
        washi_tensor *d = washi_constant(p.t, WASHI_F64, real[i]->shape, p.d[i]);
        washi_tensor *part = washi_sum(washi_mul(p.g[i], d), WASHI_ALL, false);
        p.slope = i ? washi_add(p.slope, part) : part;
    }
    ok(washi_grad(p.slope, p.reals, real, p.h));
    ck_assert_msg(!washi_grad(p.slope, 1, &u, &p.j), "%s", washi_message());
    int n = 0;
    out[n++] = p.y;
    out[n++] = p.slope;
    out[n++] = p.j;
    for (int i = 0; i < p.reals; i++) {
        out[n++] = p.g[i];
        out[n++] = p.h[i];
    }
    p.p = washi_compile(p.t, n, out);
    ck_assert_msg(p.p, "%s", washi_message());
    return p;
}

static void close_probe(struct probe *p)
{
    washi_program_free(p->p);
    washi_tape_free(p->t);
    for (int i = 0; i < p->reals; i++) free(p->d[i]);
    free(p->u);
    free_sample(&p->s);
}

static double *run_probe(const struct probe *p, double *loss, double *slope)
{
    ok(washi_run(p->p));
    const double *y = washi_f64(p->y);
    *loss = 0;
    for (int64_t i = 0; i < washi_size(p->y->shape); i++) *loss += p->u[i] * y[i];
    *slope = *washi_f64(p->slope);
    return (double *)(uintptr_t)y;
}

static double *copied(const double *x, washi_shape shape)
{
    double *copy = malloc(bytes_of(shape, WASHI_F64) + 1);
    ck_assert_ptr_nonnull(copy);
    return memcpy(copy, x, bytes_of(shape, WASHI_F64));
}

static void near(const struct probe *p, const char *what, int64_t i, double v, double e)
{
    const bool good = isfinite(v) && isfinite(e) && fabs(v - e) <= 2e-7 * (1 + fabs(e));
    if (!good)
        ck_abort_msg("%s of %s, element %lld: %.12g, by differences %.12g", what, p->s.op->name,
                     (long long)i, v, e);
}

/* g and h against central differences of L and s, element by element. */
static double check_gradients(struct probe *p)
{
    const double step = 1e-5;
    double largest = 0, loss[2], slope[2];
    for (int i = 0; i < p->reals; i++) {
        const struct operand *x = &p->s.x[p->which[i]];
        run_probe(p, loss, slope);
        double *g = copied(washi_f64(p->g[i]), x->shape), *h = copied(washi_f64(p->h[i]), x->shape);
        for (int64_t e = 0; e < washi_size(x->shape); e++) {
            double *at = (double *)x->data + e, old = *at;
            for (int side = 0; side < 2; side++) {
                *at = side ? old - step : old + step;
                run_probe(p, &loss[side], &slope[side]);
            }
            *at = old;
            near(p, "gradient", e, g[e], (loss[0] - loss[1]) / (2 * step));
            near(p, "second derivative", e, h[e], (slope[0] - slope[1]) / (2 * step));
            largest = fmax(largest, fabs(g[e]));
        }
        free(g);
        free(h);
    }
    return largest;
}

/* j, the derivative of <J'u, d> by u, is J d: central differences of y along d. */
static double check_direction(struct probe *p)
{
    const double step = 1e-5;
    const int64_t n = washi_size(p->y->shape);
    double largest = 0, loss, slope, *y[2], *j;
    run_probe(p, &loss, &slope);
    j = copied(washi_f64(p->j), p->y->shape);
    for (int side = 0; side < 2; side++) {
        for (int turn = 0; turn < 2; turn++) /* there, and back */
            for (int i = 0; i < p->reals; i++) {
                const struct operand *x = &p->s.x[p->which[i]];
                for (int64_t e = 0; e < washi_size(x->shape); e++)
                    ((double *)x->data)[e] += (side == turn ? step : -step) * p->d[i][e];
                if (i == p->reals - 1 && !turn)
                    y[side] = copied(run_probe(p, &loss, &slope), p->y->shape);
            }
    }
    for (int64_t i = 0; i < n; i++) {
        near(p, "directional derivative", i, j[i], (y[0][i] - y[1][i]) / (2 * step));
        largest = fmax(largest, fabs(j[i]));
    }
    free(y[0]);
    free(y[1]);
    free(j);
    return largest;
}

START_TEST(derivatives_match_differences)
{
    for (int i = 0; wa_ops[i]; i++) {
        if (!wa_ops[i]->rule) continue;
        for (uint64_t seed = 1; seed <= 3; seed++) {
            struct probe p = open_probe(wa_ops[i], seed);
            ck_assert_int_gt(p.reals, 0);
            ck_assert_msg(check_gradients(&p) > 1e-3, "%s: every gradient is zero", wa_ops[i]->name);
            ck_assert_msg(check_direction(&p) > 1e-3, "%s: every directional derivative is zero",
                          wa_ops[i]->name);
            close_probe(&p);
        }
    }
}
END_TEST

/* Operands become a function of a real z, so that integers too are asked about; z gets zeros. */
static void check_no_gradient(const struct wa_op *op, bool indices_alone)
{
    uint64_t seed = 5;
    struct sample s = table_sample(op, WASHI_F64, TIED, &seed);
    washi_tape *t = washi_tape_new(w);
    washi_tensor *x[MOST_OPERANDS], *z[MOST_OPERANDS], *dz[MOST_OPERANDS];
    int n = 0;
    for (int k = 0; k < s.n; k++) {
        const struct operand *from = &s.x[k];
        x[k] = fed(t, from->type, from->shape, from->data);
        if (indices_alone && from->type == WASHI_F64) continue;
        z[n] = washi_full(t, WASHI_F64, from->shape, 1.25);
        x[k] = washi_add(washi_cast(x[k], WASHI_F64), z[n++]);
        x[k] = washi_cast(washi_sub(x[k], washi_full(t, WASHI_F64, from->shape, 1)), from->type);
    }
    washi_tensor *y = wa_record(op, s.n, x, &s.attr);
    if (y && y->type != WASHI_F64) y = washi_cast(y, WASHI_F64);
    ck_assert_msg(y && !washi_grad(y, n, z, dz) && !washi_eval(n, dz), "%s: %s", op->name,
                  washi_message());
    for (int k = 0; k < n; k++) {
        ck_assert(same_shape(washi_shape_of(dz[k]), washi_shape_of(z[k])));
        for (int64_t e = 0; e < washi_size(z[k]->shape); e++)
            if (fpclassify(washi_f64(dz[k])[e]) != FP_ZERO)
                ck_abort_msg("%s passes a gradient", op->name);
    }
    washi_tape_free(t);
    free_sample(&s);
}

START_TEST(no_rule_no_gradient)
{
    int without = 0, indexed = 0;
    for (int i = 0; wa_ops[i]; i++) {
        const struct wa_op *op = wa_ops[i];
        if (!op->source && !op->rule) without++, check_no_gradient(op, false);
        if (!op->source && op->rule && op->sample.index_end) indexed++, check_no_gradient(op, true);
    }
    ck_assert_int_ge(without, 5);
    ck_assert_int_ge(indexed, 2);
}
END_TEST

/* -- the same bits -- */

static void check_settings(const struct settings *set, const struct sample *s)
{
    struct result first = run_sample(set->w[0], s);
    for (int i = 1; i < set->count; i++) {
        struct result r = run_sample(set->w[i], s);
        same_bits(s, &r, &first, set->name[i]);
        free_result(s, &r);
    }
    free_result(s, &first);
}

START_TEST(same_bits_on_small_and_special_values)
{
    struct settings set = open_settings();
    const enum draw draws[] = {DISTINCT, TIED, SPECIAL};
    for (int i = 0; wa_ops[i]; i++)
        for (int k = 0; k < 6 && !wa_ops[i]->source; k++) {
            uint64_t seed = (uint64_t)i;
            struct sample s =
                table_sample(wa_ops[i], k < 3 ? WASHI_F32 : WASHI_F64, draws[k % 3], &seed);
            check_settings(&set, &s);
            free_sample(&s);
        }
    close_settings(&set);
}
END_TEST

/* The entry's sample with every axis but those of size 1 `by` times as long; a reshape's last two sizes
 * and numbers of elements to move stay. */
static struct sample grown_sample(const struct wa_op *op, washi_dtype real, int64_t by)
{
    uint64_t seed = 3;
    struct sample s = table_sample(op, real, DISTINCT, &seed);
    const bool view_of_all = op->view && op->sample.attr.shape.rank > 0;
    for (int k = 0; k < s.n; k++) {
        free(s.x[k].data);
        s.x[k].data = NULL;
        for (int a = 0; a < s.x[k].shape.rank; a++)
            if (s.x[k].shape.dim[a] != 1 && (!view_of_all || a == 0)) s.x[k].shape.dim[a] *= by;
    }
    const bool sizes = s.attr.shape.rank && strcmp(op->name, "permute") != 0;
    for (int a = 0; sizes && a < s.attr.shape.rank; a++)
        if (!view_of_all || a == 0) s.attr.shape.dim[a] *= by;
    draw_operands(&s, op->sample.low, op->sample.high, op->sample.index_end, SPREAD, &seed);
    return s;
}

/* As many tasks as threads are a step that is split. */
enum { ENOUGH_TASKS = 3, MOST_ELEMENTS = 600000 };

static int64_t elements_of(const struct sample *s, const struct result *r)
{
    int64_t n = washi_size(r->shape);
    for (int k = 0; k < s->n; k++) n += washi_size(s->x[k].shape);
    return n;
}

START_TEST(same_bits_when_split)
{
    struct settings set = open_settings();
    const washi_dtype type = _i ? WASHI_F64 : WASHI_F32;
    const bool lean = getenv("WASHI_LEAN"); /* a tenth of the elements, whether or not that splits */
    int split = 0, all = 0;
    washi *several; /* a context of one thread splits nothing */
    ck_assert_msg(!washi_open(&several, &(washi_options){.threads = 3, .seed = 1}), "%s",
                  washi_message());
    for (int i = 0; wa_ops[i]; i++) {
        if (wa_ops[i]->source) continue;
        for (int64_t by = 9;; by = by * 3 / 2) {
            struct sample s = grown_sample(wa_ops[i], type, by);
            struct result r = run_sample(several, &s);
            const bool enough = r.tasks >= ENOUGH_TASKS,
                       large = elements_of(&s, &r) > (lean ? MOST_ELEMENTS / 10 : MOST_ELEMENTS),
                       last = enough || large || by > MOST_ELEMENTS; /* what does not grow */
            if (last) near_plain(&s, &r);
            if (last) check_settings(&set, &s);
            if (last && !enough)
                printf("%s %s: never more than %d tasks\n", wa_ops[i]->name, washi_dtype_name(type),
                       r.tasks);
            free_result(&s, &r);
            free_sample(&s);
            split += enough;
            if (last) break;
        }
        all++;
    }
    printf("%d of %d ops in %s split into %d tasks or more\n", split, all, washi_dtype_name(type),
           ENOUGH_TASKS);
    if (!lean) ck_assert_int_ge(split, all - 5);
    washi_close(several);
    close_settings(&set);
}
END_TEST

int main(void)
{
    TCase *table =
        CASE("table", setup, teardown, value, value_depends_on_every_operand,
             derivatives_match_differences, no_rule_no_gradient, same_bits_on_small_and_special_values);
    tcase_set_timeout(table, 600);
    tcase_add_loop_test(table, same_bits_when_split, 0, 2);
    return RUN_SUITE("ops", table, shapes_case(), errors_case());
}
