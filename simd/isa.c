/* isa.c: every kernel at one CPU level. Compiled once per level with -DWA_ISA=<level> and that level's
 * flags; all is static but the level's table. The kernels are templates, included for float and for
 * double with these names: T the element, VT its vectors, LEN their lanes, V(op) the functions
 * of vec_<level>.h and vec_math.h, NAME(x) a name of this type's own, INLINES_MATHS whether
 * WA_CHAIN_MATHS are inlined in vec_math.h. */
#include <math.h>
#include <string.h>
#include "simd/simd.h"

#define PASTE_(a, b)  a##b
#define PASTE(a, b)   PASTE_(a, b)
#define STRING_(a)    #a
#define STRING(a)     STRING_(a)
#define VECTOR_HEADER STRING(PASTE(vec_, WA_ISA).h)
#include VECTOR_HEADER
#include "vec_math.h"

#define INLINE static inline __attribute__((always_inline))
/* Vectors in arrays live in registers once the loops over them are unrolled. Under a sanitizer that
 * would only make a checked copy of everything, and minutes of compilation. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define CHECKED 1
#endif
#endif
#if WA_IS_scalar || CHECKED || defined(__SANITIZE_ADDRESS__)
#define UNROLL
#elif defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 64")
#endif

/* Results of at least so many bytes go past the caches: they would not be found there, and would have
 * to be read before they are written. */
enum { STREAM_BYTES = 1 << 25 };
INLINE size_t to_alignment(const void *p, size_t bytes) { return (size_t)(-(uintptr_t)p % bytes); }

#include "cast.h"
#include "bytes.h"
#include "random.h"

#define T             float
#define VT            vf
#define LEN           VF_LEN
#define V(op)         vf_##op
#define NAME(x)       x##_f32
#define INLINES_MATHS 1
#include "kernels.h"
#undef T
#undef VT
#undef LEN
#undef V
#undef NAME
#undef INLINES_MATHS

#define T             double
#define VT            vd
#define LEN           VD_LEN
#define V(op)         vd_##op
#define NAME(x)       x##_f64
#define INLINES_MATHS 0
#include "kernels.h"

#define REALS(kernel)                                                                                  \
    {                                                                                                  \
        kernel##_f32, kernel##_f64                                                                     \
    }
#define MAP(name, arity) REALS(map_##name),
#define STRETCH(name)    REALS(stretch_##name),
#define FOLD_LAST(name)  REALS(fold_last_##name),
#define FOLD_FIRST(name) REALS(fold_first_##name),
#define ROW(name)        REALS(row_##name),
#define CASTS(to)                                                                                      \
    {                                                                                                  \
        cast_##to##_f32, cast_##to##_f64, cast_##to##_i32, cast_##to##_u8                              \
    }

extern const struct wa_simd PASTE(wa_simd_, WA_ISA);
const struct wa_simd PASTE(wa_simd_, WA_ISA) = {
    .name = STRING(WA_ISA),
    .map = {WA_MAPS(MAP)},
    .stretch = {WA_STRETCHES(STRETCH)},
    .chain = REALS(chain),
    .math_chain = {math_chain_f32},
    .fold_last = {WA_FOLDS(FOLD_LAST)},
    .fold_first = {WA_FOLDS(FOLD_FIRST)},
    .argmax = REALS(argmax),
    .argmin = REALS(argmin),
    .dot = REALS(dot),
    .moments = REALS(moments),
    .normalize = REALS(normalize),
    .row = {WA_ROWS(ROW)},
    .softmax_logsumexp = REALS(softmax_logsumexp),
    .cast = {CASTS(f32), CASTS(f64), CASTS(i32), CASTS(u8)},
    .transpose = {transpose_f32, transpose_f64, transpose_f32, transpose_u8},
    .copy = {strided_copy_f32, strided_copy_f64, strided_copy_f32, strided_copy_u8},
    .gather = {gather_f32, gather_f64, gather_f32, gather_u8},
    .scatter_add = REALS(scatter_add),
    .random = {random_bits, random_uniform, random_normal, random_uniform_f64, random_normal_f64},
    .gemm_scratch = REALS(gemm_scratch),
    .gemm = REALS(gemm),
    .gemm_panel = {GEMM_VECTORS * VF_LEN, GEMM_VECTORS * VD_LEN},
    .gemm_packs = REALS(gemm_packs),
    .gemm_pack = REALS(gemm_pack),
};
