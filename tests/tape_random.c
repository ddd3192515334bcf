/* tape_random.c: random programs, by fixed seeds: gradients against central differences in double, and
 * in both real types the same bits at every CPU level and number of threads, whatever else the program
 * computes, and in pieces. */
#include "random_graph.h"
#include "tape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAVES = 3 };

/* WASHI_LONG: ten times as many. */
static int graphs(void) { return getenv("WASHI_LONG") ? 3000 : 300; }

/* One graph: inputs, a scalar loss with its gradients by them, and a second derivative along ones. */
struct program {
    washi_tape *tape;
    washi_tensor *x[LEAVES];
    washi_tensor *out[2 + LEAVES]; /* the loss, the gradients, d sum(gradients) / dx[0] */
    washi_program *p;
};

static washi_shape leaf_shape(int i, int64_t scale)
{
    return i == 0 ? SHAPE(3, 4 * scale) : i == 1 ? SHAPE(4 * scale) : SHAPE(2, 3, scale);
}

/* An input in y's place: what is made of it is compiled without what y is made of. */
static washi_tensor *cut_off(washi_tensor *y)
{
    washi_tensor *x = washi_input(washi_tape_of(y), washi_dtype_of(y), washi_shape_of(y));
    ok(washi_eval(1, &y));
    ok(washi_feed(x, washi_data(y)));
    return x;
}

/* The leaves and the loss. In pieces: each value is made by a program of its own, the loss out of
 * inputs. */
static struct program grow(washi *by, washi_dtype type, int seed, int64_t scale,
                           void *const data[LEAVES], bool in_pieces)
{
    struct program r = {.tape = washi_tape_new(by)};
    struct graph g = {.seed = (uint64_t)seed, .tape = r.tape, .type = type};
    for (int i = 0; i < LEAVES; i++) {
        g.value[g.count++] = r.x[i] = washi_input(r.tape, type, leaf_shape(i, scale));
        ok(washi_feed(r.x[i], data[i]));
    }
    const int ops = 5 + (scale > 1 ? 0 : below(&g.seed, 56));
    while (g.count < LEAVES + ops) {
        washi_tensor *y = grown(&g);
        ck_assert_msg(y, "graph %d: %s", seed, washi_message());
        if (washi_size(washi_shape_of(y)) > 400 * scale) y = washi_mean(y, 0, false);
        g.value[g.count++] = in_pieces ? cut_off(y) : y;
    }
    washi_tensor *loss = NULL;
    for (int i = 0; i < 4; i++) { /* the last few values, and each leaf a little */
        washi_tensor *part = washi_mean(g.value[g.count - 1 - i], WASHI_ALL, false);
        loss = loss ? washi_add(loss, part) : part;
    }
    for (int i = 0; i < LEAVES; i++)
        loss = washi_add(loss, washi_scale(washi_sum(r.x[i], WASHI_ALL, false), 0.1));
    r.out[0] = loss;
    return r;
}

static struct program build(washi *by, washi_dtype type, int seed, int64_t scale,
                            void *const data[LEAVES])
{
    struct program r = grow(by, type, seed, scale, data, false);
    washi_tensor *slope = NULL;
    ok(washi_grad(r.out[0], LEAVES, r.x, r.out + 1));
    for (int i = 0; i < LEAVES; i++) {
        washi_tensor *part = washi_sum(r.out[1 + i], WASHI_ALL, false);
        slope = slope ? washi_add(slope, part) : part;
    }
    ok(washi_grad(slope, 1, r.x, r.out + 1 + LEAVES));
    return r;
}

static void compile(struct program *r, int n)
{
    r->p = washi_compile(r->tape, n, r->out);
    ck_assert_msg(r->p, "%s", washi_message());
}

static void free_program(struct program *r)
{
    washi_program_free(r->p);
    washi_tape_free(r->tape);
}

static void fill(washi_dtype type, int seed, int64_t scale, void *data[LEAVES])
{
    uint64_t state = (uint64_t)seed + 1000;
    for (int i = 0; i < LEAVES; i++) {
        const size_t n = (size_t)washi_size(leaf_shape(i, scale));
        data[i] = malloc(n * sizeof(double));
        ck_assert_ptr_nonnull(data[i]);
        for (size_t k = 0; k < n; k++) put(type, data[i], k, between(&state, -1, 1));
    }
}

/* The slope of output 0, or of the sum of the gradients, along d, from the program's own values. */
static double by_gradient(const struct program *r, double *const d[LEAVES])
{
    double slope = 0;
    for (int i = 0; i < LEAVES; i++)
        for (int64_t k = 0; k < washi_size(leaf_shape(i, 1)); k++)
            slope += d[i][k] * element(r->out[1 + i], k);
    return slope;
}

static double gradient_sum(const struct program *r)
{
    double sum = 0;
    for (int i = 0; i < LEAVES; i++)
        for (int64_t k = 0; k < washi_size(leaf_shape(i, 1)); k++) sum += element(r->out[1 + i], k);
    return sum;
}

static void shift(void *const data[LEAVES], double step, double *const d[LEAVES], int leaves)
{
    for (int i = 0; i < leaves; i++)
        for (int64_t k = 0; k < washi_size(leaf_shape(i, 1)); k++)
            ((double *)data[i])[k] += step * d[i][k];
}

/* The slopes of the loss and of the gradients' sum at 0 along d, by differences of the fourth order. */
static void measure(struct program *r, void *const data[LEAVES], double *const d[LEAVES], int leaves,
                    double slope[2])
{
    static const double at[] = {1, -1, 2, -2}, weight[] = {8, -8, -1, 1};
    const double step = 1e-4;
    slope[0] = slope[1] = 0;
    for (int i = 0; i < 4; i++) {
        shift(data, at[i] * step, d, leaves);
        ok(washi_run(r->p));
        slope[0] += weight[i] * element(r->out[0], 0) / (12 * step);
        slope[1] += weight[i] * gradient_sum(r) / (12 * step);
        shift(data, -at[i] * step, d, leaves);
    }
}

static void check_slopes(struct program *r, void *const data[LEAVES], double *const d[LEAVES], int seed)
{
    double slope[2], wanted[2] = {0, 0};
    ok(washi_run(r->p));
    ck_assert_msg(isfinite(element(r->out[0], 0)), "graph %d is not finite", seed);
    wanted[0] = by_gradient(r, d);
    for (int64_t k = 0; k < washi_size(leaf_shape(0, 1)); k++)
        wanted[1] += d[0][k] * element(r->out[1 + LEAVES], k);
    ck_assert_msg(fabs(wanted[0]) > 1e-9, "graph %d has no gradient", seed);
    for (int order = 0; order < 2;
         order++) { /* along all for the loss, along the first for the gradients */
        measure(r, data, d, order ? 1 : LEAVES, slope);
        ck_assert_msg(fabs(slope[order] - wanted[order]) <= 2e-6 * (1 + fabs(wanted[order])),
                      "graph %d, order %d: %.12g, by differences %.12g", seed, order + 1, wanted[order],
                      slope[order]);
    }
}

START_TEST(gradients_of_random_programs)
{
    double curved = 0;
    ok(washi_open(&w, &(washi_options){.threads = 1}));
    for (int seed = 0; seed < graphs(); seed++) {
        void *data[LEAVES];
        double *d[LEAVES];
        uint64_t state = (uint64_t)seed;
        fill(WASHI_F64, seed, 1, data);
        fill(WASHI_F64, seed + 7777, 1, (void **)d);
        struct program r = build(w, WASHI_F64, seed, 1, data);
        compile(&r, 2 + LEAVES);
        check_slopes(&r, data, d, seed);
        curved += fabs(element(r.out[1 + LEAVES], below(&state, 12)));
        free_program(&r);
        for (int i = 0; i < LEAVES; i++) free(data[i]), free(d[i]);
    }
    ck_assert_double_gt(curved, 1);
    washi_close(w);
}
END_TEST

/* The bits of a program's outputs, gathered. */
static uint64_t *bits_of(struct program *r, int n, size_t *count)
{
    *count = 0;
    for (int i = 0; i < n; i++) *count += (size_t)washi_size(washi_shape_of(r->out[i]));
    uint64_t *bits = malloc(*count * sizeof *bits);
    ck_assert_ptr_nonnull(bits);
    size_t at = 0;
    for (int i = 0; i < n; i++)
        for (int64_t k = 0; k < washi_size(washi_shape_of(r->out[i])); k++, at++) {
            const double v = element(r->out[i], k);
            ck_assert(!isnan(v));
            memcpy(&bits[at], &v, sizeof v);
        }
    return bits;
}

/* One graph in every setting; `all` is how many outputs are compiled: fewer leave the others' bits
 * alone. */
static void check_bits(const struct settings *set, washi_dtype type, int seed, int64_t scale)
{
    void *data[LEAVES];
    size_t count, first_count = 0;
    uint64_t *first = NULL;
    fill(type, seed, scale, data);
    for (int i = 0; i < set->count; i++) {
        struct program r = build(set->w[i], type, seed, scale, data);
        const int n = i % 3 == 2 ? 1 + LEAVES : 2 + LEAVES;
        compile(&r, n);
        for (int run = 0; run < (scale > 1 ? 1 : 2); run++) {
            ok(washi_run(r.p));
            uint64_t *bits = bits_of(&r, n, &count);
            if (!first)
                first = bits, first_count = count;
            else {
                ck_assert_uint_le(count, first_count);
                ck_assert_msg(!memcmp(bits, first, count * sizeof *bits),
                              "graph %d of %s, run %d: other bits by %s", seed, washi_dtype_name(type),
                              run, set->name[i]);
                free(bits);
            }
        }
        free_program(&r);
    }
    free(first);
    for (int i = 0; i < LEAVES; i++) free(data[i]);
}

START_TEST(same_bits_everywhere)
{
    struct settings set = open_settings();
    for (int seed = 0; seed < graphs(); seed++)
        check_bits(&set, seed % 2 ? WASHI_F32 : WASHI_F64, seed, 1);
    for (int seed = 0; seed < 2; seed++) check_bits(&set, seed % 2 ? WASHI_F32 : WASHI_F64, seed, 6000);
    close_settings(&set);
}
END_TEST

/* What compile makes of the whole against what it makes of a value at a time. */
START_TEST(same_bits_in_pieces)
{
    ok(washi_open(&w, &(washi_options){.threads = 1}));
    for (int seed = 0; seed < graphs(); seed++) {
        const washi_dtype type = seed % 2 ? WASHI_F32 : WASHI_F64;
        void *data[LEAVES];
        double loss[2];
        fill(type, seed, 1, data);
        for (int in_pieces = 0; in_pieces < 2; in_pieces++) {
            struct program r = grow(w, type, seed, 1, data, in_pieces);
            ok(washi_eval(1, r.out));
            loss[in_pieces] = element(r.out[0], 0);
            free_program(&r);
        }
        ck_assert_msg(!memcmp(&loss[0], &loss[1], sizeof *loss), "graph %d: %.17g, in pieces %.17g",
                      seed, loss[0], loss[1]);
        for (int i = 0; i < LEAVES; i++) free(data[i]);
    }
    washi_close(w);
}
END_TEST

/* -- pieces that are recomputed -- */

/* Some values grown from x: the last. config is the graph to go on with. */
static washi_tensor *grow_piece(int n, washi_tensor *const x[], const void *config)
{
    struct graph g = *(const struct graph *)config;
    g.count = n;
    memmove(g.value, x, (size_t)n * sizeof *x);
    for (int ops = 3 + below(&g.seed, 9); ops > 0; ops--) {
        washi_tensor *y = grown(&g);
        if (washi_size(washi_shape_of(y)) > 400) y = washi_mean(y, 0, false);
        g.value[g.count++] = y;
    }
    return g.value[g.count - 1];
}

static struct program build_pieces(int seed, void *const data[LEAVES], bool again)
{
    struct program r = {.tape = washi_tape_new(w)};
    struct graph g = {.seed = (uint64_t)seed, .tape = r.tape, .type = WASHI_F64};
    for (int i = 0; i < LEAVES; i++) {
        g.value[g.count++] = r.x[i] = washi_input(r.tape, WASHI_F64, leaf_shape(i, 1));
        ok(washi_feed(r.x[i], data[i]));
    }
    for (int k = 0; k < 5; k++) {
        g.seed = (uint64_t)seed * 31 + (uint64_t)k;
        washi_tensor *y = again ? washi_checkpoint(grow_piece, &g, g.count, g.value)
                                : grow_piece(g.count, g.value, &g);
        ck_assert_msg(y, "graph %d: %s", seed, washi_message());
        g.value[g.count++] = y;
    }
    r.out[0] = washi_scalar(r.tape, WASHI_F64, 0);
    for (int i = 0; i < g.count; i++)
        r.out[0] = washi_add(r.out[0], washi_mean(washi_tanh(g.value[i]), WASHI_ALL, false));
    ok(washi_grad(r.out[0], LEAVES, r.x, r.out + 1));
    compile(&r, 1 + LEAVES);
    ok(washi_run(r.p));
    return r;
}

START_TEST(same_bits_recomputed)
{
    ok(washi_open(&w, &(washi_options){.threads = 1}));
    for (int seed = 0; seed < graphs(); seed++) {
        void *data[LEAVES];
        size_t count;
        uint64_t *bits[2];
        fill(WASHI_F64, seed, 1, data);
        for (int again = 0; again < 2; again++) {
            struct program r = build_pieces(seed, data, again);
            bits[again] = bits_of(&r, 1 + LEAVES, &count);
            free_program(&r);
        }
        ck_assert_msg(!memcmp(bits[0], bits[1], count * sizeof *bits[0]), "graph %d: other bits", seed);
        for (int again = 0; again < 2; again++) free(bits[again]);
        for (int i = 0; i < LEAVES; i++) free(data[i]);
    }
    washi_close(w);
}
END_TEST

TCase *random_case(void)
{
    TCase *c = CASE("random", NULL, NULL, gradients_of_random_programs, same_bits_everywhere,
                    same_bits_in_pieces, same_bits_recomputed);
    tcase_set_timeout(c, getenv("WASHI_LONG") ? 3600 : 300);
    return c;
}
