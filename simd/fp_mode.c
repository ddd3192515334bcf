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

/* Of each row the first line, all at once: it is on a page not used of late, and a core looks up
 * several pages side by side, but stops at one that comes alone. */
void wa_ask(struct wa_lines *l, size_t n)
{
    if (n && l->line == 0 && n < l->rows - l->row) n = l->rows - l->row;
    if (n > l->left) n = l->left;
    l->left -= n;
    for (; n; n--) {
#if defined(__GNUC__)
        const size_t row = l->index ? (size_t)l->index[l->row] : l->row;
        __builtin_prefetch((const char *)(l->from + row * l->stride + l->line * 64), 0, 2);
#endif
        if (++l->row == l->rows) l->row = 0, l->line++;
    }
}
