/* dispatch.c: which level this CPU can run. Nothing here needs more than the plain instruction set. */
#include <string.h>
#include "simd/simd.h"

extern const struct wa_simd wa_simd_scalar;

#if defined(__x86_64__)
#include <cpuid.h>

extern const struct wa_simd wa_simd_avx2, wa_simd_avx512;
static const struct wa_simd *const levels[] = {&wa_simd_scalar, &wa_simd_avx2, &wa_simd_avx512};

enum { FMA = 1, AVX2 = 2, AVX512 = 4 };

/* What the CPU has and the operating system keeps across a switch of threads: FMA and AVX2 use the
 * registers of XCR0 bits 1 and 2, AVX-512 those of bits 5 to 7 too. */
static unsigned features(void)
{
    unsigned a, b, c, d, low, high, found = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    (void)high;
    if ((low & 0x06) != 0x06) return 0;
    if (c & bit_FMA) found |= FMA;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return found;
    if ((found & FMA) && (b & bit_AVX2)) found |= AVX2;
    const unsigned wanted = bit_AVX512F | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL;
    if ((found & AVX2) && (b & wanted) == wanted && (low & 0xe0) == 0xe0) found |= AVX512;
    return found;
}

/* Why a level cannot run, or NULL. */
static const char *obstacle(const struct wa_simd *level)
{
    const unsigned found = features();
    if (!(found & FMA)) return "this CPU has no fused multiply-add (FMA), which every level needs";
    if (level == &wa_simd_avx2 && !(found & AVX2)) return "this CPU has no AVX2";
    if (level == &wa_simd_avx512 && !(found & AVX512))
        return "this CPU has no AVX-512 (F, DQ, BW and VL), or its operating system does not keep it";
    return NULL;
}

#elif defined(__aarch64__)
#include <sys/auxv.h>

extern const struct wa_simd wa_simd_neon;
static const struct wa_simd *const levels[] = {&wa_simd_scalar, &wa_simd_neon};

static const char *obstacle(const struct wa_simd *level)
{
    const unsigned long advanced_simd = 1ul << 1; /* HWCAP_ASIMD */
    const bool missing = level == &wa_simd_neon && !(getauxval(AT_HWCAP) & advanced_simd);
    return missing ? "this CPU has no Advanced SIMD (NEON)" : NULL;
}

#else
static const struct wa_simd *const levels[] = {&wa_simd_scalar};

static const char *obstacle(const struct wa_simd *level)
{
    (void)level;
    return NULL;
}
#endif

enum { LEVELS = sizeof levels / sizeof levels[0] };

const struct wa_simd *wa_simd_level(int index)
{
    return index >= 0 && index < LEVELS ? levels[index] : NULL;
}

bool wa_simd_usable(const struct wa_simd *level) { return !obstacle(level); }

const struct wa_simd *wa_simd_find(const char *name, const char **why)
{
    *why = "there is no CPU level of that name in this build";
    for (int i = LEVELS - 1; i >= 0; i--) {
        if (name && strcmp(name, levels[i]->name)) continue;
        *why = obstacle(levels[i]);
        if (!*why) return levels[i];
        if (name) break;
    }
    return NULL;
}

#define NAME(name, arity)  #name,
#define ARITY(name, arity) arity,
const char *wa_map_name(enum wa_map map)
{
    static const char *const names[] = {WA_MAPS(NAME)};
    return names[map];
}

int wa_map_arity(enum wa_map map)
{
    static const unsigned char arities[] = {WA_MAPS(ARITY)};
    return arities[map];
}
