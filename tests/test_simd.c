/* test_simd.c: every kernel of every level this CPU can run gives the scalar level's bits, and touches
 * nothing outside its operands. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <stdio.h>
#include <stdlib.h>
#include "test_simd.h"

/* 0 ... 67, and primes about the sizes of caches and pieces. */
static const size_t primes[] = {127, 257, 1021, 1031, 2053, 4099, 8191, 16381};
enum { SIZES = 68 + sizeof primes / sizeof *primes };
static size_t size_of(size_t i) { return i < 68 ? i : primes[i - 68]; }

/* -- the kernels --------------------------------------------------------------------------------- */

static void run_map(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    s->map[c->index][c->type](c->n, y, x);
}
START_TEST(maps)
{
    for (int type = 0; type < WA_REALS; type++)
        for (size_t i = 0; i < SIZES; i++)
            for (size_t trial = 0; trial < (i < 68 ? PLACES : 3); trial++) {
                struct call c = {run_map,        wa_map_name((enum wa_map)_i), _i, type, type,
                                 .n = size_of(i)};
                c.inputs = wa_map_arity((enum wa_map)_i);
                c.in = c.out = c.n;
                c.in_place = trial % 5 == 4;
                check_call(&c, trial);
            }
}
END_TEST

static void run_fold_last(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    s->fold_last[c->index][c->type](c->rows, c->n, y, x[0]);
}
static void run_fold_first(const struct wa_simd *s, const struct call *c, void *y,
                           const void *const x[])
{
    s->fold_first[c->index][c->type](c->rows, c->n, c->x_stride, y, x[0]);
}
START_TEST(folds)
{
#define LAST(name)  "fold_last " #name,
#define FIRST(name) "fold_first " #name,
    static const char *const last[] = {WA_FOLDS(LAST)}, *const first[] = {WA_FOLDS(FIRST)};
    for (int type = 0; type < WA_REALS; type++)
        for (size_t i = 0; i < SIZES; i++)
            for (size_t trial = 0; trial < 12; trial++) {
                const size_t n = size_of(i), rows = n > 999 ? 1 + trial % 3 : trial;
                struct call c = {run_fold_last, last[_i], _i, type, type, 1,    rows * n,
                                 rows,          rows,     n,  0,    0,    false};
                check_call(&c, trial);
                c.run = run_fold_first;
                c.kernel = first[_i];
                c.x_stride = n + trial % 4;
                c.in = rows ? (rows - 1) * c.x_stride + n : 0;
                c.out = n;
                check_call(&c, trial);
            }
}
END_TEST

static void run_arg(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    (c->index ? s->argmin : s->argmax)[c->type](c->rows, c->n, y, x[0]);
}
START_TEST(args)
{
    for (int type = 0; type < WA_REALS; type++)
        for (size_t i = 1; i < SIZES; i++)
            for (size_t trial = 0; trial < 12; trial++) {
                const size_t n = size_of(i), rows = n > 999 ? 1 + trial % 3 : trial;
                struct call c = {run_arg, _i ? "argmin" : "argmax", _i, type, WA_I32, 1, .rows = rows,
                                 .n = n};
                c.in = rows * n;
                c.out = rows;
                check_call(&c, trial);
            }
}
END_TEST

/* A row of n that ends where an operand of rows * n does. */
static const char *last_row(const struct call *c, const void *x)
{
    return (const char *)x + (c->in - c->n) * type_size[c->type];
}

static void run_dot(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    s->dot[c->type](c->rows, c->n, y, x[0], x[1]);
}
static void run_moments(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    s->moments[c->type](c->rows, c->n, y, (char *)y + c->rows * type_size[c->type], x[0]);
}
static void run_normalize(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    const void *gain = c->index & 1 ? last_row(c, x[1]) : NULL,
               *bias = c->index & 2 ? last_row(c, x[2]) : NULL;
    s->normalize[c->type](c->rows, c->n, y, x[0], gain, bias, 1e-3);
}
START_TEST(statistics)
{
    for (int type = 0; type < WA_REALS; type++)
        for (size_t i = 0; i < SIZES; i++)
            for (size_t trial = 0; trial < 12; trial++) {
                const size_t n = size_of(i), rows = n > 999 ? 1 + trial % 3 : trial;
                struct call c = {run_dot, "dot", 0, type, type, 2,    rows * n,
                                 rows,    rows,  n, 0,    0,    false};
                check_call(&c, trial);
                c = (struct call){run_moments, "moments", 0, type, type, 1,    rows * n,
                                  2 * rows,    rows,      n, 0,    0,    false};
                check_call(&c, trial);
                const bool in_place = trial % 5 == 4;
                c = (struct call){run_normalize, "normalize", (int)trial % 4, type, type, 3,
                                  rows * n,      rows * n,    rows,           n,    0,    0,
                                  in_place};
                if (rows) check_call(&c, trial);
            }
}
END_TEST

/* Each operand whole, one row, one column or one number. */
static void run_stretch(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    const void *operands[2];
    size_t row[2], column[2];
    for (int i = 0; i < 2; i++) {
        const size_t form = (c->x_stride >> (2 * i)) & 3, size = type_size[c->type];
        const size_t used = form == 0 ? c->in : form == 1 ? c->n : form == 2 ? c->rows : 1;
        operands[i] = (const char *)x[i] + (c->in - used) * size;
        row[i] = form == 0 ? c->n : form == 2;
        column[i] = form < 2;
    }
    s->stretch[c->index][c->type](c->rows, c->n, y, operands, row, column);
}
START_TEST(stretches)
{
#define STRETCH(name) "stretch " #name,
    static const char *const name[] = {WA_STRETCHES(STRETCH)};
    for (int type = 0; type < WA_REALS; type++)
        for (size_t i = 1; i < 68; i++)
            for (size_t trial = 0; trial < 2 * PLACES; trial++) {
                const size_t rows = 1 + trial % 7;
                check_call(&(struct call){run_stretch, name[_i], _i, type, type, 2, rows * i, rows * i,
                                          rows, i, trial % 16, 0,
                                          trial % 16 % 4 == 0 && trial % 3 == 0},
                           trial);
            }
}
END_TEST

static void run_row(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    s->row[c->index][c->type](c->rows, c->n, y, x[0]);
}
START_TEST(row_kernels)
{
    static const char *const name[] = {"softmax", "log_softmax", "logsumexp"};
    for (int type = 0; type < WA_REALS; type++)
        for (size_t i = 0; i < SIZES; i++)
            for (size_t trial = 0; trial < 12; trial++) {
                const size_t n = size_of(i), rows = n > 999 ? 1 + trial % 3 : trial * trial;
                const size_t out = _i == WA_ROW_logsumexp ? rows : rows * n;
                const bool in_place = _i != WA_ROW_logsumexp && trial % 5 == 4;
                check_call(&(struct call){run_row, name[_i], _i, type, type, 1, rows * n, out, rows, n,
                                          0, 0, in_place},
                           trial);
            }
}
END_TEST

static void run_cast(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    s->cast[c->out_type][c->type](c->n, y, x[0]);
}
START_TEST(casts)
{
    static const char *const name[] = {"cast to f32", "cast to f64", "cast to i32", "cast to u8"};
    for (int type = 0; type < WA_TYPES; type++)
        for (size_t i = 0; i < SIZES; i++)
            for (size_t trial = 0; trial < (i < 68 ? PLACES : 3); trial++) {
                const size_t n = size_of(i);
                check_call(&(struct call){run_cast, name[_i], 0, type, _i, 1, n, n, 1, n, 0, 0, false},
                           trial);
            }
}
END_TEST

static void run_transpose(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    s->transpose[c->type](c->rows, c->n, y, c->y_stride, x[0], c->x_stride);
}
START_TEST(transposes)
{
    for (size_t rows = 0; rows < 68; rows++)
        for (size_t n = 0; n < 68; n++) {
            const size_t trial = rows * 31 + n;
            const size_t xs = n + trial % 3, ys = rows + trial % 4;
            check_call(&(struct call){run_transpose, "transpose", 0, _i, _i, 1,
                                      rows && n ? (rows - 1) * xs + n : 0,
                                      rows && n ? (n - 1) * ys + rows : 0, rows, n, xs, ys, false},
                       trial);
        }
    check_call(&(struct call){run_transpose, "transpose", 0, _i, _i, 1, 401 * 199, 401 * 199, 401, 199,
                              199, 401, false},
               1);
}
END_TEST

/* Index lists have an operand's place of their own. */
static const int32_t *indices(const struct call *c, size_t limit)
{
    int32_t *index = (int32_t *)(void *)place(2, c->rows * 4, 4, c->n + c->rows);
    for (size_t i = 0; i < c->rows; i++) index[i] = (int32_t)((bits64() >> 33) % limit);
    return index;
}
static void run_copy(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    const size_t column = c->index < 3 ? (size_t)c->index : 1, row = c->index == 3 ? 0 : c->x_stride;
    if (c->index == 4)
        s->copy[c->type](c->rows, c->n, y, c->y_stride, x[0], 1, c->rows);
    else
        s->copy[c->type](c->rows, c->n, y, c->y_stride, x[0], row, column);
}
static void run_gather(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    s->gather[c->type](c->rows, c->n, y, x[0], c->x_stride, indices(c, 9));
}
static void run_scatter_add(const struct wa_simd *s, const struct call *c, void *y,
                            const void *const x[])
{
    s->scatter_add[c->type](c->rows, c->n, y, c->y_stride, x[0], indices(c, 5));
}
START_TEST(movements)
{
    for (size_t n = 1; n < 68; n++)
        for (size_t trial = 0; trial < PLACES; trial++) {
            const size_t rows = 1 + trial % 11, xs = 2 * n + trial % 3, ys = n + trial % 4;
            struct call c = {run_copy,
                             "copy strided",
                             (int)trial % 5,
                             _i,
                             _i,
                             1,
                             (rows - 1) * xs + 2 * n - 1,
                             (rows - 1) * ys + n,
                             rows,
                             n,
                             xs,
                             ys,
                             false};
            check_call(&c, trial);
            c = (struct call){run_gather, "gather", 0, _i, _i, 1,    8 * xs + n,
                              rows * n,   rows,     n, xs, 0,  false};
            check_call(&c, trial);
            c = (struct call){run_scatter_add, "scatter_add", 0, _i, _i, 1,    rows * n,
                              4 * ys + n,      rows,          n, 0,  ys, false};
            if (_i < WA_REALS) check_call(&c, trial);
        }
}
END_TEST

static void run_random(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    (void)x;
    s->random[c->index](0x0123456789abcdef * (c->rows + 1), 77 + ((uint64_t)c->rows << 40), c->x_stride,
                        c->n, y);
}
START_TEST(randoms)
{
    static const char *const name[] = {"random bits", "random uniform", "random normal",
                                       "random uniform in double", "random normal in double"};
    const int type = _i < WA_RANDOM_uniform_f64 ? WA_F32 : WA_F64;
    const size_t first[] = {0, 4,
                            ((size_t)1 << 34) - 64}; /* the last one crosses the counter's low word */
    for (size_t i = 0; i < SIZES; i++)
        for (size_t trial = 0; trial < PLACES; trial++)
            check_call(&(struct call){run_random, name[_i], _i, type, type, 0, 0, size_of(i), trial,
                                      size_of(i), first[trial % 3], 0, false},
                       trial);
}
END_TEST

/* What all calls above gave, on every architecture and with every compiler. It changes with the bits of
 * a kernel, and with the calls. */
START_TEST(golden)
{
    ck_assert_msg(digest == 0x5727eb5cd33f6dea, "the scalar level's results have digest 0x%016llx",
                  (unsigned long long)digest);
}
END_TEST

/* -- chains -------------------------------------------------------------------------------------- */

/* Link number index between a load of x[0] and a store, once and then three times, with registers that
 * were written. A fold is begun, and its result is the first element of y. */
static void run_chain(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    const unsigned char link = (unsigned char)c->index;
    const bool is_fold = link >= WA_CHAIN_fold_sum;
    const unsigned char begin = (unsigned char)(link - WA_CHAIN_fold_sum + WA_CHAIN_begin_sum),
                        again = is_fold ? WA_CHAIN_neg : link; /* lanes are of one fold */
    const unsigned char code[] = {begin,
                                  WA_CHAIN_load,
                                  WA_CHAIN_save_0,
                                  WA_CHAIN_mul_vector,
                                  WA_CHAIN_save_1,
                                  link,
                                  WA_CHAIN_add_vector,
                                  again,
                                  again,
                                  WA_CHAIN_add_saved_0,
                                  WA_CHAIN_sub_saved_1,
                                  WA_CHAIN_store};
    double lanes[WA_LANES];
    const bool puts = link == WA_CHAIN_store || link == WA_CHAIN_stream || link == WA_CHAIN_store_0 ||
                      link == WA_CHAIN_store_1;
    void *const first = (void *)(uintptr_t)x[0], *const second = (void *)(uintptr_t)x[1];
    void *const other = is_fold ? lanes : puts ? y : second;
    void *const at[] = {lanes, first, NULL, second, NULL, other, second, other, other, NULL, NULL, y};
    s->chain[c->type](c->n, sizeof code - !is_fold, code + !is_fold, at + !is_fold);
    if (is_fold) memcpy(y, lanes, type_size[c->type]);
}
START_TEST(chains)
{
    for (int type = 0; type < WA_REALS; type++)
        for (size_t i = 1; i < SIZES; i++)
            for (size_t trial = 0; trial < (i < 68 ? PLACES : 3); trial++) {
                struct call c = {run_chain, "chain", _i, type, type, 2, .n = size_of(i)};
                c.in = c.out = c.n;
                check_call(&c, trial);
            }
}
END_TEST

/* A link does what the map of its name does. */
START_TEST(links_are_maps)
{
    enum { N = 300 };
    float a[N], b[N], by_map[N], by_chain[N];
    const struct wa_simd *s = wa_simd_find(NULL, &(const char *){NULL});
    for (int i = 0; i < N; i++) a[i] = (float)plain(), b[i] = (float)plain();
#define LINKS(name) {WA_MAP_##name, WA_CHAIN_##name##_vector},
    static const struct {
        int map, code;
    } link[] = {WA_CHAIN_BINARIES(LINKS)};
    for (size_t i = 0; i < sizeof link / sizeof *link; i++)
        for (int form = 0; form < WA_CHAIN_SAVED + 2 * WA_CHAIN_REGISTERS; form++) {
            const bool saved = form >= WA_CHAIN_SAVED, itself = form == WA_CHAIN_ITSELF;
            const int of = saved ? form - WA_CHAIN_SAVED : form;
            const bool by = of & WA_CHAIN_BY;
            float number[N], *other = itself ? a : b;
            for (int k = 0; k < N; k++) number[k] = b[0];
            if (!saved && !itself && (of & WA_CHAIN_NUMBER)) other = number;
            s->map[link[i].map][WA_F32](N, by_map, (const void *[]){by ? other : a, by ? a : other});
            const unsigned char r = of & 1,
                                code[] = {WA_CHAIN_load, (unsigned char)(WA_CHAIN_save_0 + r),
                                          WA_CHAIN_load, (unsigned char)(link[i].code + form),
                                          WA_CHAIN_store};
            s->chain[WA_F32](N, 5, code, (void *const[]){b, NULL, a, b, by_chain});
            ck_assert_mem_eq(by_map, by_chain, sizeof by_map);
        }
    uint8_t bytes[N];
    for (int i = 0; i < N; i++) bytes[i] = (uint8_t)(7 * i);
    const unsigned char code[] = {WA_CHAIN_bytes, WA_CHAIN_store};
    s->chain[WA_F32](N, 2, code, (void *const[]){bytes, by_chain});
    s->cast[WA_F32][WA_U8](N, by_map, bytes);
    ck_assert_mem_eq(by_map, by_chain, sizeof by_map);
}
END_TEST

START_TEST(links_are_folds)
{
    enum { N = 300 };
    float a[N], lanes[WA_LANES], y;
    const struct wa_simd *s = wa_simd_find(NULL, &(const char *){NULL});
    for (int i = 0; i < N; i++) a[i] = (float)plain();
    for (int fold = 0; fold < WA_FOLD_COUNT; fold++)
        for (size_t n = 1; n <= N; n++) {
            const unsigned char code[] = {(unsigned char)(WA_CHAIN_begin_sum + fold), WA_CHAIN_load,
                                          (unsigned char)(WA_CHAIN_fold_sum + fold)};
            s->chain[WA_F32](n, 3, code, (void *const[]){lanes, a, lanes});
            s->fold_last[fold][WA_F32](1, n, &y, a);
            ck_assert_mem_eq(lanes, &y, sizeof y);
        }
}
END_TEST

/* What goes by registers and local memory comes back. */
START_TEST(registers)
{
    enum { N = 300 };
    double a[N], b[N], c[N], y[N], local[2][WA_CHAIN_BLOCK / sizeof(double)];
    const struct wa_simd *s = wa_simd_find(NULL, &(const char *){NULL});
    for (int i = 0; i < N; i++) a[i] = plain(), b[i] = plain(), c[i] = plain();
    static const unsigned char code[] = {
        WA_CHAIN_load,
        WA_CHAIN_save_0,
        WA_CHAIN_store_0 | WA_CHAIN_LOCAL,
        WA_CHAIN_load,
        WA_CHAIN_save_1,
        WA_CHAIN_store_1 | WA_CHAIN_LOCAL,
        WA_CHAIN_load,
        WA_CHAIN_add_to_0,
        WA_CHAIN_add_to_1,
        WA_CHAIN_restore_0,
        WA_CHAIN_mul_saved_1,
        WA_CHAIN_sub_vector | WA_CHAIN_LOCAL,
        WA_CHAIN_div_by_vector | WA_CHAIN_LOCAL,
        WA_CHAIN_store,
    };
    s->chain[WA_F64](N, sizeof code, code,
                     (void *const[]){a, NULL, local[0], b, NULL, local[1], c, NULL, NULL, NULL, NULL,
                                     local[0], local[1], y});
    for (int i = 0; i < N; i++) {
        const double product = (a[i] + c[i]) * (b[i] + c[i]), wanted = b[i] / (product - a[i]);
        ck_assert_mem_eq(&y[i], &wanted, sizeof wanted);
    }
}
END_TEST

/* -- all of it ----------------------------------------------------------------------------------- */

/* The calls compared, by kernel and type, at each level. */
static void print_counts(void)
{
    long total = 0;
    for (int level = 0; wa_simd_level(level); level++) {
        printf("%-8s", wa_simd_level(level)->name);
        puts(wa_simd_usable(wa_simd_level(level)) ? "    f32    f64    i32     u8  calls"
                                                  : " skipped: not on this CPU");
        for (int i = 0; i < MAX_KERNELS && table[i].kernel; i++) {
            const long *count = table[i].count[level];
            if (!(count[0] + count[1] + count[2] + count[3])) continue;
            printf("  %-16s %6ld %6ld %6ld %6ld\n", table[i].kernel, count[0], count[1], count[2],
                   count[3]);
            for (int type = 0; type < WA_TYPES; type++) total += count[type];
        }
    }
    printf("%ld calls in all\n", total);
}

int main(void)
{
    const char *why;
    if (!wa_simd_find(NULL, &why)) {
        printf("skipped: %s\n", why);
        return 77;
    }
    if (!map_regions()) return EXIT_FAILURE;
    TCase *kernels = tcase_create("kernels");
    tcase_set_timeout(kernels, 0);
    tcase_add_loop_test(kernels, maps, 0, WA_MAP_COUNT);
    tcase_add_loop_test(kernels, folds, 0, WA_FOLD_COUNT);
    tcase_add_loop_test(kernels, args, 0, 2);
    tcase_add_test(kernels, statistics);
    tcase_add_loop_test(kernels, stretches, 0, WA_STRETCH_COUNT);
    tcase_add_loop_test(kernels, row_kernels, 0, WA_ROW_COUNT);
    tcase_add_loop_test(kernels, casts, 0, WA_TYPES);
    tcase_add_loop_test(kernels, transposes, 0, WA_TYPES);
    tcase_add_loop_test(kernels, movements, 0, WA_TYPES);
    tcase_add_loop_test(kernels, randoms, 0, WA_RANDOM_COUNT);
    tcase_add_test(kernels, golden);
    tcase_add_loop_test(kernels, chains, 0, WA_CHAIN_begin_sum);
    tcase_add_test(kernels, links_are_maps);
    tcase_add_test(kernels, links_are_folds);
    tcase_add_test(kernels, registers);
    setenv("CK_FORK", "no", 1); /* the counts live in this process */
    const int status = RUN_SUITE("simd", kernels);
    print_counts();
    return status;
}
