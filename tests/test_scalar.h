/* test_scalar.h: what the tests of the scalar level's values share: its table, and numbers. */
#ifndef TEST_SCALAR_H
#define TEST_SCALAR_H

#include <stdio.h>
#include "simd/simd.h"
#include "suite.h"

static const struct wa_simd *simd; /* the scalar level */
static uint64_t state = 1;

static inline double plain(void) /* -8 ... 8 */
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(int64_t)(state ^ state >> 31) * 0x1p-60;
}

/* The exit status; 77 on a CPU that has not even that level. */
static inline int run_scalar(const char *name, TCase *c)
{
    const char *why;
    simd = wa_simd_find("scalar", &why);
    if (!simd) {
        printf("skipped: %s\n", why);
        return 77;
    }
    tcase_set_timeout(c, 0);
    return RUN_SUITE(name, c);
}

#endif
