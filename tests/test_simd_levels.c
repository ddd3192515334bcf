/* test_simd_levels.c: how a level is found, the mode its arithmetic runs in, and results so big that it
 * streams them past the caches: the scalar level's too. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <fenv.h>
#include <stdio.h>
#include "test_simd.h"

START_TEST(dispatch)
{
    const char *why = "";
    ck_assert_str_eq(wa_simd_level(0)->name, "scalar");
    ck_assert_ptr_null(wa_simd_level(-1));
    ck_assert_ptr_null(wa_simd_level(MAX_LEVELS));
    const struct wa_simd *best = NULL;
    for (int i = 0; wa_simd_level(i); i++) {
        const struct wa_simd *s = wa_simd_level(i);
        const struct wa_simd *found = wa_simd_find(s->name, &why);
        if (wa_simd_usable(s)) {
            ck_assert_ptr_eq(found, s);
            best = s;
        } else {
            ck_assert_ptr_null(found);
            ck_assert_ptr_nonnull(strstr(why, "this CPU has no"));
        }
    }
    ck_assert_ptr_eq(wa_simd_find(NULL, &why), best);
    ck_assert_ptr_null(wa_simd_find("sse9", &why));
    ck_assert_str_eq(why, "there is no CPU level of that name in this build");
}
END_TEST

/* Rounding and, where the caller's mode flushes them, denormals. */
START_TEST(fp_mode)
{
    const volatile float tiny = 0x1p-126f, one = 1.0f, three = 3.0f;
    const volatile float nearest = one / three;
    fesetround(FE_DOWNWARD);
    const volatile float rounded_down = one / three;
    if (rounded_down == nearest) { /* as under valgrind */
        printf("fp_mode skipped: this machine does not round as it is told\n");
        fesetenv(FE_DFL_ENV);
        return;
    }
    uint64_t mode = wa_fp_enter();
#if defined(__x86_64__)
    wa_fp_leave(mode | 0x8040); /* flush to zero, denormals are zero */
#elif defined(__aarch64__)
    wa_fp_leave(mode | 1u << 24);
#endif
    const volatile float down = one / three, flushed = tiny * 0.5f;
    mode = wa_fp_enter();
    const volatile float inside = one / three, denormal = tiny * 0.5f;
    wa_fp_leave(mode);
    const volatile float after = one / three, flushed_after = tiny * 0.5f;
    fesetenv(FE_DFL_ENV);
    ck_assert_float_ne(down, nearest);
    ck_assert_float_eq(inside, nearest);
    ck_assert_float_eq(denormal, 0x1p-127f);
    ck_assert_float_eq(after, down);
    ck_assert_float_eq(flushed_after, flushed);
#if defined(__x86_64__) || defined(__aarch64__)
    ck_assert_float_eq(flushed, 0);
#endif
}
END_TEST

/* -- big results -- */

START_TEST(big_maps)
{
    const size_t n = ((size_t)1 << 23) + 77, size = type_size[_i];
    char *memory = malloc((3 * n + 16) * size);
    ck_assert_ptr_nonnull(memory);
    char *a = memory + size, *b = memory + (n + 3) * size, *y = memory + (2 * n + 8) * size;
    fill(_i, a, n, PLAIN);
    fill(_i, b, n, PLAIN);
    static const enum wa_map maps_of[] = {WA_MAP_copy, WA_MAP_relu, WA_MAP_add};
    for (size_t k = 0; k < 3; k++) {
        uint64_t wanted = 0;
        for (int level = 0; wa_simd_level(level); level++) {
            if (!wa_simd_usable(wa_simd_level(level))) continue;
            memset(y - size, 0xa5, (n + 2) * size);
            wa_simd_level(level)->map[maps_of[k]][_i](n, y, (const void *const[]){a, b});
            uint64_t sum = 1;
            for (const char *p = y - size; p < y + (n + 1) * size; p += 4) {
                uint32_t word;
                memcpy(&word, p, 4);
                sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
            }
            if (level == 0) wanted = sum;
            ck_assert_msg(sum == wanted, "%s %s", wa_simd_level(level)->name, wa_map_name(maps_of[k]));
        }
    }
    free(memory);
}
END_TEST

START_TEST(big_transposes)
{
    const size_t rows = 2912, n = 2890, size = type_size[_i], count = rows * n;
    char *x = malloc(count * size), *y = aligned_alloc(64, (count * size + 127) / 64 * 64);
    ck_assert(x && y);
    fill(_i, x, count, PLAIN);
    for (int level = 0; wa_simd_level(level); level++) {
        if (!wa_simd_usable(wa_simd_level(level))) continue;
        memset(y, 0xa5, count * size + 64);
        wa_simd_level(level)->transpose[_i](rows, n, y, rows, x, n);
        size_t wrong = 0;
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < n; j++)
                wrong += memcmp(y + (j * rows + i) * size, x + (i * n + j) * size, size) != 0;
        for (size_t i = 0; i < 64; i++) wrong += y[count * size + i] != (char)0xa5;
        ck_assert_msg(wrong == 0, "%s: %zu elements", wa_simd_level(level)->name, wrong);
    }
    free(x);
    free(y);
}
END_TEST

int main(void)
{
    const char *why;
    if (!wa_simd_find(NULL, &why)) {
        printf("skipped: %s\n", why);
        return 77;
    }
    TCase *levels = tcase_create("levels");
    tcase_set_timeout(levels, 0);
    tcase_add_test(levels, dispatch);
    tcase_add_test(levels, fp_mode);
    tcase_add_loop_test(levels, big_maps, 0, WA_REALS);
    tcase_add_loop_test(levels, big_transposes, 0, WA_TYPES - 1);
    return RUN_SUITE("simd_levels", levels);
}
