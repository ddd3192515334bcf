/* fp_mode.c: the floating-point mode that the kernels assume, set and restored; a pause for loops that
 * wait, and a hint to memory. */
#include "simd/simd.h"

#if defined(__x86_64__)
#include <xmmintrin.h>

enum { DEFAULT_MXCSR = 0x1f80 }; /* round to nearest, denormals kept, all exceptions masked */

uint64_t wa_fp_enter(void)
{
    const unsigned mode = _mm_getcsr();
    _mm_setcsr(DEFAULT_MXCSR);
    return mode;
}

void wa_fp_leave(uint64_t mode) { _mm_setcsr((unsigned)mode); }

void wa_pause(void) { _mm_pause(); }

void wa_fence(void) { _mm_sfence(); }

#elif defined(__aarch64__)

uint64_t wa_fp_enter(void)
{
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0) : "memory");
    return mode;
}

void wa_fp_leave(uint64_t mode) { __asm__ volatile("msr fpcr, %0" : : "r"(mode) : "memory"); }

void wa_pause(void) { __asm__ volatile("yield"); }

void wa_fence(void) {}

#else
#include <fenv.h>

uint64_t wa_fp_enter(void)
{
    const int mode = fegetround();
    fesetround(FE_TONEAREST);
    return (uint64_t)mode;
}

void wa_fp_leave(uint64_t mode) { fesetround((int)mode); }

void wa_pause(void) {}

void wa_fence(void) {}
#endif

void wa_prefetch(uintptr_t at, size_t bytes)
{
#if defined(__GNUC__)
    for (size_t i = 0; i < bytes; i += 64) __builtin_prefetch((const char *)at + i, 0, 2);
#else
    (void)at, (void)bytes;
#endif
}
