/* test_simd_chain.c: chains give the scalar level's bits at every level this CPU can run, and what the
 * maps and folds give whose names their links have. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "test_simd.h"

/* Link number index between a load of x[0] and a store, once and then three times, with registers that
 * were written. A fold is begun, and its result is the first element of y. */
static void run_links(const struct wa_simd *s, wa_chain_fn *chain, const struct call *c, void *y,
                      const void *const x[])
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
    wa_map_fn *map = s->map[WA_MAP_tanh][c->type];
    void *const other = is_fold ? lanes : puts ? y : link == WA_CHAIN_map ? (void *)&map : second;
    void *const at[] = {lanes, first, NULL, second, NULL, other, second, other, other, NULL, NULL, y};
    chain(c->n, sizeof code - !is_fold, code + !is_fold, at + !is_fold);
    if (is_fold) memcpy(y, lanes, type_size[c->type]);
}
static void run_chain(const struct wa_simd *s, const struct call *c, void *y, const void *const x[])
{
    run_links(s, s->chain[c->type], c, y, x);
}
static void run_math_chain(const struct wa_simd *s, const struct call *c, void *y,
                           const void *const x[])
{
    run_links(s, s->math_chain[c->type], c, y, x);
}
START_TEST(chains)
{
    const bool math = _i > WA_CHAIN_map && _i < WA_CHAIN_neg;
    for (int type = 0; type < WA_REALS; type++)
        for (size_t i = 1; i < SIZES; i++)
            for (size_t trial = 0; trial < (i < 68 ? PLACES : 3); trial++) {
                struct call c = {run_chain, "chain", _i, type, type, 2, .n = size_of(i)};
                c.in = c.out = c.n;
                if (!math) check_call(&c, trial);
                c.run = run_math_chain, c.kernel = "math_chain";
                if (wa_simd_level(0)->math_chain[type]) check_call(&c, trial);
            }
}
END_TEST

/* A link does what the map of its name does: at each level, the unary ones on all kinds of numbers. */
START_TEST(unary_links_are_maps)
{
    enum { N = 5000 };
    static float x[N], by_map[N], by_chain[N];
    static const struct {
        int map, code;
    } link[] = {
#define LINKS(name) {WA_MAP_##name, WA_CHAIN_##name},
        WA_CHAIN_MATHS(LINKS) WA_CHAIN_UNARIES(LINKS)
#undef LINKS
    };
    for (int level = 0; wa_simd_level(level); level++) {
        const struct wa_simd *s = wa_simd_level(level);
        if (!wa_simd_usable(s)) continue;
        for (size_t i = 0; i < sizeof link / sizeof *link; i++)
            for (int how = 0; how < FILLS; how++) {
                const unsigned char code[] = {WA_CHAIN_load, (unsigned char)link[i].code,
                                              WA_CHAIN_store};
                fill_f32(x, N, (enum fill)how);
                s->map[link[i].map][WA_F32](N, by_map, (const void *[]){x});
                s->math_chain[WA_F32](N, 3, code, (void *const[]){x, NULL, by_chain});
                unify(WA_F32, by_map, N), unify(WA_F32, by_chain, N);
                ck_assert_mem_eq(by_map, by_chain, sizeof by_map);
            }
    }
}
END_TEST

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
    float a[N], lanes[WA_LANES], others[WA_LANES], y[2];
    const struct wa_simd *s = wa_simd_find(NULL, &(const char *){NULL});
    for (int i = 0; i < N; i++) a[i] = (float)plain();
    for (int fold = 0; fold < WA_FOLD_COUNT; fold++)
        for (size_t n = 1; n <= N; n++) {
            const int next = (fold + 1) % WA_FOLD_COUNT;
            const unsigned char code[] = {(unsigned char)(WA_CHAIN_begin_sum + next),
                                          (unsigned char)(WA_CHAIN_begin_sum + fold), WA_CHAIN_load,
                                          (unsigned char)(WA_CHAIN_fold_sum + fold),
                                          (unsigned char)(WA_CHAIN_fold_sum + next)};
            void *const at[] = {others, lanes, a, lanes, others};
            s->fold_last[fold][WA_F32](1, n, &y[0], a);
            s->fold_last[next][WA_F32](1, n, &y[1], a);
            s->chain[WA_F32](n, 3, code + 1, at + 1); /* alone */
            ck_assert_mem_eq(lanes, &y[0], sizeof *y);
            s->chain[WA_F32](n, 5, code, at);
            ck_assert_mem_eq(lanes, &y[0], sizeof *y);
            ck_assert_mem_eq(others, &y[1], sizeof *y);
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

int main(void)
{
    TCase *calls = tcase_create("calls");
    tcase_add_loop_test(calls, chains, 0, WA_CHAIN_begin_sum);
    tcase_add_test(calls, unary_links_are_maps);
    tcase_add_test(calls, links_are_maps);
    tcase_add_test(calls, links_are_folds);
    tcase_add_test(calls, registers);
    return run_calls("simd_chain", calls);
}
