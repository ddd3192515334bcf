/* washi.h: tensors, a tape that records what is done to them, derivatives of any order from that
 * record, and layers, losses, optimisers and training built on it.
 *
 * Record a computation once, differentiate it on the same tape, compile it, run it many times:
 *
 *     record  ->  washi_grad  ->  washi_compile  ->  washi_run, washi_run, washi_run ...
 *
 * The same program gives the same bits at every CPU level and for any number of threads.
 *
 * Errors. Nothing aborts, exits or prints. A call that fails says so (a status, or NULL) and leaves
 * a sentence for washi_message() on the same thread. Errors stick to a tape: after the first, every
 * op on that tape returns NULL, and an op given NULL returns NULL, so one question at the end
 * (washi_tape_status, or the status of compile, run or eval) is enough.
 *
 * Threads. A context, and a model once it is built, may be used by several threads at a time as
 * long as nobody writes to them. A tape with its tensors and programs belongs to one thread at a
 * time. Functions without a tape or a context may be called from anywhere.
 */
#ifndef WASHI_H
#define WASHI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifndef WASHI_API
#if defined(__GNUC__)
#define WASHI_API __attribute__((visibility("default")))
#else
#define WASHI_API
#endif
#endif

#if defined(__GNUC__)
#define WASHI_PRINTF(text, rest) __attribute__((format(printf, text, rest)))
#else
#define WASHI_PRINTF(text, rest)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** A context: memory, threads, CPU level, seed. */
typedef struct washi washi;
/** A recording, in one arena. One thread at a time. */
typedef struct washi_tape washi_tape;
/** A value on a tape; lives as long as its tape. */
typedef struct washi_tensor washi_tensor;
/** A tape pruned, planned and compiled; replays without allocating. One thread at a time. */
typedef struct washi_program washi_program;
/** Named weights and the function that uses them. */
typedef struct washi_model washi_model;
/** One call of a model on a tape: hands layers their weights. */
typedef struct washi_scope washi_scope;

/* -- status ------------------------------------------------------------------------------------ */

/** How a call ended. */
typedef enum {
    WASHI_OK,
    WASHI_NO_MEMORY,   /**< the context's resize returned NULL */
    WASHI_BAD_SHAPE,   /**< shapes do not fit each other or the op */
    WASHI_BAD_TYPE,    /**< an element type the op does not take */
    WASHI_BAD_VALUE,   /**< an argument or an index out of its range */
    WASHI_MISUSE,      /**< a call at the wrong time, NULL where an object is needed, mixed tapes */
    WASHI_UNSUPPORTED, /**< this machine or this build cannot do it */
    WASHI_IO,          /**< the operating system could not open, read or write */
    WASHI_BAD_FILE     /**< a file whose content is not what its format says */
} washi_status;

/** "ok", "no memory", "bad shape" ... A constant string, for any value. */
WASHI_API const char *washi_status_name(washi_status status);

/** The sentence of the last failure on this thread, such as
 * "matmul: [64,784] x [80,10]: inner sizes 784 and 80 differ"; "" before any.
 * Valid until the thread's next failure. */
WASHI_API const char *washi_message(void);

/** The first error recorded on the tape; WASHI_MISUSE for NULL. */
WASHI_API washi_status washi_tape_status(const washi_tape *t);

/** Reports a failure as the library's own functions do, for layers and ops of your own: sets this
 * thread's washi_message from the format, makes the error stick to the tape (NULL: to none; a tape
 * that has one keeps its first), and returns the status. */
WASHI_API washi_status washi_fail(washi_tape *t, washi_status status, const char *format, ...)
    WASHI_PRINTF(3, 4);

/** "0.1.0" */
WASHI_API const char *washi_version(void);

/** The version with what the bits depend on: "washi 0.1.0, SLEEF 3.5.1, lanes 64". */
WASHI_API const char *washi_version_long(void);

/* -- context ----------------------------------------------------------------------------------- */

/** How to open a context. All zero: malloc, one thread a core, the best CPU level, seed 0. */
typedef struct {
    /** Allocates (block NULL), grows, shrinks or frees (new_size 0, returns NULL) memory; called from
     * one thread at a time per tape, program, model or reader. NULL: realloc and free, with large pages
     * asked for from 8 MiB on. */
    void *(*resize)(void *user, void *block, size_t old_size, size_t new_size);
    /** Calls task(arg, 0) ... task(arg, tasks-1), in any order on any threads, and returns when all
     * have returned. NULL: a pool of the context's own. */
    void (*parallel)(void *user, int tasks, void (*task)(void *arg, int index), void *arg);
    void *user;      /**< handed to resize and parallel */
    int threads;     /**< 0: one a core. Changes the speed, never a bit of any result */
    const char *cpu; /**< "scalar", "neon", "avx2", "avx512"; NULL: $WASHI_CPU, then the best */
    uint64_t seed;   /**< of every random number that comes from this context */
    /** A run looks at the result of each step and fails with WASHI_BAD_VALUE at the first that is not
     * finite; the message tells op, shape, washi_name and place. Slow: for finding mistakes. Also with
     * WASHI_CHECK=1 in the environment. */
    bool check;
    /** Programs keep less for derivatives: elementwise values that are cheap are made again when the reverse
     * sweep wants them, from as few bytes of values kept as suffice. Less memory for some more arithmetic, and
     * the same bits. See washi_checkpoint for longer pieces. */
    bool recompute;
} washi_options;

/** Opens a context; options NULL means all zero. On failure *out is NULL.
 * WASHI_UNSUPPORTED: a CPU level unknown, not built in, or beyond this CPU, or a CPU without fused
 * multiply-add; WASHI_NO_MEMORY; WASHI_BAD_VALUE: negative threads. */
WASHI_API washi_status washi_open(washi **out, const washi_options *options);

/** Closes a context, after all that came from it; NULL is fine. */
WASHI_API void washi_close(washi *w);

/** The CPU level in use, such as "avx2"; "" for NULL. */
WASHI_API const char *washi_cpu(const washi *w);

/** How many threads a run may use; 0 for NULL. */
WASHI_API int washi_threads(const washi *w);

/** The context's allocator: block NULL allocates, new_size 0 frees and returns NULL. NULL when memory
 * is out (the old block is untouched, washi_message is set). */
WASHI_API void *washi_resize(washi *w, void *block, size_t old_size, size_t new_size);

/* -- random numbers ---------------------------------------------------------------------------- */

/* Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) with the
 * context's seed as key: a value depends on seed, stream and index only, on every machine. Each
 * function writes the elements first ... first+n-1 of its stream. first must be a multiple of 4
 * (WASHI_BAD_VALUE). */

/** n words of 32 random bits. */
WASHI_API washi_status washi_fill_bits(washi *w, uint64_t stream, uint64_t first, size_t n,
                                       uint32_t *out);
/** n floats, uniform in [0, 1), multiples of 2^-24. */
WASHI_API washi_status washi_fill_uniform(washi *w, uint64_t stream, uint64_t first, size_t n,
                                          float *out);
/** n floats of the standard normal distribution (Box and Muller 1958). */
WASHI_API washi_status washi_fill_normal(washi *w, uint64_t stream, uint64_t first, size_t n,
                                         float *out);

/* -- shapes and types -------------------------------------------------------------------------- */

/** Element types: float, double, int32_t, uint8_t. */
typedef enum { WASHI_F32, WASHI_F64, WASHI_I32, WASHI_U8 } washi_dtype;

/** The most axes a tensor can have. */
enum { WASHI_MAX_RANK = 8 };

/** Sizes of the axes, row-major: the last axis is contiguous. Rank 0 is a scalar. */
typedef struct {
    int rank;
    int64_t dim[WASHI_MAX_RANK];
} washi_shape;

/** A shape from rank sizes; a rank outside 0..WASHI_MAX_RANK gives rank -1, which every op refuses. */
WASHI_API washi_shape washi_shape_make(int rank, const int64_t dim[]);
/** The shape of x; rank 0 for NULL. */
WASHI_API washi_shape washi_shape_of(const washi_tensor *x);
/** The element type of x; WASHI_F32 for NULL. */
WASHI_API washi_dtype washi_dtype_of(const washi_tensor *x);
/** The tape x is on; NULL for NULL. */
WASHI_API washi_tape *washi_tape_of(const washi_tensor *x);
/** The context a tape was made from; NULL for NULL. */
WASHI_API washi *washi_context_of(const washi_tape *t);
/** How many elements: the product of the sizes, 1 for a scalar; -1 for a shape no tensor can have
 * (a negative size, a rank out of range, more bytes than a pointer can address). */
WASHI_API int64_t washi_size(washi_shape s);
/** Bytes of one element: 4, 8, 4, 1; 0 for a type there is not. */
WASHI_API size_t washi_dtype_size(washi_dtype type);
/** "f32", "f64", "i32", "u8"; "?" for a type there is not. */
WASHI_API const char *washi_dtype_name(washi_dtype type);

/* -- recording --------------------------------------------------------------------------------- */

/* The tape of the first input records the op. All inputs must be on one tape (WASHI_MISUSE) and, but
 * where said, of one type, F32 or F64 (WASHI_BAD_TYPE). Binary ops broadcast as NumPy does: shapes
 * are aligned at the last axis, and a size of 1 stretches (else WASHI_BAD_SHAPE). An axis counts from
 * the end if negative. Every op returns NULL after an error. Nothing is computed until a program
 * runs. */

/** A new, empty tape; NULL when memory is out. */
WASHI_API washi_tape *washi_tape_new(washi *w);
/** Frees a tape with all its tensors, after the programs compiled from it; NULL is fine. */
WASHI_API void washi_tape_free(washi_tape *t);

/** A value to be given by washi_feed before a run. */
WASHI_API washi_tensor *washi_input(washi_tape *t, washi_dtype type, washi_shape shape);
/** A constant; data is copied. */
WASHI_API washi_tensor *washi_constant(washi_tape *t, washi_dtype type, washi_shape shape,
                                       const void *data);
/** A constant of rank 0. An integer type takes whole values in its range (WASHI_BAD_VALUE). */
WASHI_API washi_tensor *washi_scalar(washi_tape *t, washi_dtype type, double value);
/** A constant with every element the same. */
WASHI_API washi_tensor *washi_full(washi_tape *t, washi_dtype type, washi_shape shape, double value);
/** begin, begin + step, ... before end; in an integer type whole ones in its range (WASHI_BAD_VALUE).
 */
WASHI_API washi_tensor *washi_arange(washi_tape *t, washi_dtype type, double begin, double end,
                                     double step);
/** n numbers at equal distances, the first begin, the last end. */
WASHI_API washi_tensor *washi_linspace(washi_tape *t, washi_dtype type, double begin, double end,
                                       int64_t n);
/** Ones on the diagonal, else zeros. */
WASHI_API washi_tensor *washi_eye(washi_tape *t, washi_dtype type, int64_t rows, int64_t columns);
/** A value in the caller's memory, aligned to its element: read anew by every run, written by
 * washi_assign. It must live as long as the tape. The same memory gives the same tensor on one tape,
 * so a weight asked for twice is one weight (with another type or shape: WASHI_MISUSE). */
WASHI_API washi_tensor *washi_variable(washi_tape *t, washi_dtype type, washi_shape shape, void *data);

/* Sums, differences and products are also of two I32: exact, and clamped to I32's range. */
/** a + b */
WASHI_API washi_tensor *washi_add(washi_tensor *a, washi_tensor *b);
/** a - b */
WASHI_API washi_tensor *washi_sub(washi_tensor *a, washi_tensor *b);
/** a * b */
WASHI_API washi_tensor *washi_mul(washi_tensor *a, washi_tensor *b);
/** a / b */
WASHI_API washi_tensor *washi_div(washi_tensor *a, washi_tensor *b);
WASHI_API washi_tensor *washi_scale(washi_tensor *a, double by); /**< a * by */
WASHI_API washi_tensor *washi_shift(washi_tensor *a, double by); /**< a + by */
/** -a */
WASHI_API washi_tensor *washi_neg(washi_tensor *a);
/** |a|. Its derivative at 0 is 0. */
WASHI_API washi_tensor *washi_abs(washi_tensor *a);
/** -1, 0 or 1; NaN for NaN. No gradient passes. */
WASHI_API washi_tensor *washi_sign(washi_tensor *a);
/** a * a */
WASHI_API washi_tensor *washi_square(washi_tensor *a);
/** 1 / a */
WASHI_API washi_tensor *washi_reciprocal(washi_tensor *a);
/** The square root of a. */
WASHI_API washi_tensor *washi_sqrt(washi_tensor *a);
/** 1 / sqrt(a) */
WASHI_API washi_tensor *washi_rsqrt(washi_tensor *a);
/** The cube root of a. */
WASHI_API washi_tensor *washi_cbrt(washi_tensor *a);
/** The largest whole number <= a; no gradient passes, here and for the next three. */
WASHI_API washi_tensor *washi_floor(washi_tensor *a);
/** The smallest whole number >= a. */
WASHI_API washi_tensor *washi_ceil(washi_tensor *a);
/** The nearest whole number, the even one of two equally near. */
WASHI_API washi_tensor *washi_round(washi_tensor *a);
/** a without its fraction. */
WASHI_API washi_tensor *washi_trunc(washi_tensor *a);
/** e to the power a */
WASHI_API washi_tensor *washi_exp(washi_tensor *a);
/** 2 to the power a */
WASHI_API washi_tensor *washi_exp2(washi_tensor *a);
/** exp(a) - 1, exact near 0 too. */
WASHI_API washi_tensor *washi_expm1(washi_tensor *a);
/** The natural logarithm of a. Of a softmax it is washi_log_softmax of the softmax's operand, finite with its
 * derivatives where the softmax itself is 0 already. */
WASHI_API washi_tensor *washi_log(washi_tensor *a);
/** The logarithm of a to base 2. */
WASHI_API washi_tensor *washi_log2(washi_tensor *a);
/** The logarithm of a to base 10. */
WASHI_API washi_tensor *washi_log10(washi_tensor *a);
/** log(1 + a), exact near 0 too. */
WASHI_API washi_tensor *washi_log1p(washi_tensor *a);
/** The sine of a. */
WASHI_API washi_tensor *washi_sin(washi_tensor *a);
/** The cosine of a. */
WASHI_API washi_tensor *washi_cos(washi_tensor *a);
/** The tangent of a. */
WASHI_API washi_tensor *washi_tan(washi_tensor *a);
/** The angle in [-pi/2, pi/2] whose sine is a. */
WASHI_API washi_tensor *washi_asin(washi_tensor *a);
/** The angle in [0, pi] whose cosine is a. */
WASHI_API washi_tensor *washi_acos(washi_tensor *a);
/** The angle in [-pi/2, pi/2] whose tangent is a. */
WASHI_API washi_tensor *washi_atan(washi_tensor *a);
/** The hyperbolic sine of a. */
WASHI_API washi_tensor *washi_sinh(washi_tensor *a);
/** The hyperbolic cosine of a. */
WASHI_API washi_tensor *washi_cosh(washi_tensor *a);
/** The hyperbolic tangent of a. */
WASHI_API washi_tensor *washi_tanh(washi_tensor *a);
/** The inverse of washi_sinh. */
WASHI_API washi_tensor *washi_asinh(washi_tensor *a);
/** The inverse of washi_cosh, >= 0. */
WASHI_API washi_tensor *washi_acosh(washi_tensor *a);
/** The inverse of washi_tanh. */
WASHI_API washi_tensor *washi_atanh(washi_tensor *a);
/** The error function: 2 / sqrt(pi) times the integral of exp(-t * t) from 0 to a. */
WASHI_API washi_tensor *washi_erf(washi_tensor *a);
/** 1 - erf(a), exact for large a too. */
WASHI_API washi_tensor *washi_erfc(washi_tensor *a);
/** log(|gamma(a)|) */
WASHI_API washi_tensor *washi_lgamma(washi_tensor *a);
/** The derivative of washi_lgamma; NaN at 0 and the negative whole numbers. */
WASHI_API washi_tensor *washi_digamma(washi_tensor *a);
/** The derivative of order floor(a) >= 0 of washi_digamma at b; NaN where b is 0 or a negative whole
 * number, and for orders above 170. No gradient passes to a. */
WASHI_API washi_tensor *washi_polygamma(washi_tensor *a, washi_tensor *b);
/** 1 / (1 + exp(-a)) */
WASHI_API washi_tensor *washi_sigmoid(washi_tensor *a);
/** log(sigmoid(a)), without overflow. */
WASHI_API washi_tensor *washi_log_sigmoid(washi_tensor *a);
/** log(1 + exp(a)), without overflow. */
WASHI_API washi_tensor *washi_softplus(washi_tensor *a);
/** 0 where a < 0, else a: NaN for NaN. Its derivative at 0 is 0. */
WASHI_API washi_tensor *washi_relu(washi_tensor *a);
/** a to the power b; NaN where a < 0 and b is not whole. At a = 0 the derivative to a is 0 where b is
 * 0, and that to b is 0 where b >= 0. */
WASHI_API washi_tensor *washi_pow(washi_tensor *a, washi_tensor *b);
/** The angle in [-pi, pi] of the point with abscissa b and ordinate a; its derivative at the origin is
 * 0. */
WASHI_API washi_tensor *washi_atan2(washi_tensor *a, washi_tensor *b);
/** sqrt(a * a + b * b), without overflow on the way; its derivative at the origin is 0. */
WASHI_API washi_tensor *washi_hypot(washi_tensor *a, washi_tensor *b);
/** The remainder a - trunc(a / b) * b, which has the sign of a; exact. */
WASHI_API washi_tensor *washi_fmod(washi_tensor *a, washi_tensor *b);
/** The smaller of a and b, NaN if either is; where they are equal the gradient goes to a. */
WASHI_API washi_tensor *washi_minimum(washi_tensor *a, washi_tensor *b);
/** The larger of a and b, NaN if either is; where they are equal the gradient goes to a. */
WASHI_API washi_tensor *washi_maximum(washi_tensor *a, washi_tensor *b);
/** a within low ... high, which must be in order (WASHI_BAD_VALUE); its derivative is 1 at both ends. */
WASHI_API washi_tensor *washi_clip(washi_tensor *a, double low, double high);
/** a + t * (b - a) */
WASHI_API washi_tensor *washi_lerp(washi_tensor *a, washi_tensor *b, washi_tensor *t);

/* Comparison and logic: 1 or 0, in the operands' type. What is not 0 is true. No gradient passes. */

/** 1 where a = b. */
WASHI_API washi_tensor *washi_equal(washi_tensor *a, washi_tensor *b);
/** 1 where a and b differ, and where either is NaN. */
WASHI_API washi_tensor *washi_not_equal(washi_tensor *a, washi_tensor *b);
/** 1 where a < b. */
WASHI_API washi_tensor *washi_less(washi_tensor *a, washi_tensor *b);
/** 1 where a <= b. */
WASHI_API washi_tensor *washi_less_equal(washi_tensor *a, washi_tensor *b);
/** 1 where a > b. */
WASHI_API washi_tensor *washi_greater(washi_tensor *a, washi_tensor *b);
/** 1 where a >= b. */
WASHI_API washi_tensor *washi_greater_equal(washi_tensor *a, washi_tensor *b);
/** 1 where both are true. */
WASHI_API washi_tensor *washi_logical_and(washi_tensor *a, washi_tensor *b);
/** 1 where either is true. */
WASHI_API washi_tensor *washi_logical_or(washi_tensor *a, washi_tensor *b);
/** 1 where one is true and the other is not. */
WASHI_API washi_tensor *washi_logical_xor(washi_tensor *a, washi_tensor *b);
/** 1 where a is 0. */
WASHI_API washi_tensor *washi_logical_not(washi_tensor *a);
/** 1 where a is NaN. */
WASHI_API washi_tensor *washi_isnan(washi_tensor *a);
/** 1 where a is infinity or -infinity. */
WASHI_API washi_tensor *washi_isinf(washi_tensor *a);
/** 1 where a is neither infinite nor NaN. */
WASHI_API washi_tensor *washi_isfinite(washi_tensor *a);

/** a where condition is not 0, else b. The condition may be of any type; all three broadcast. No
 * gradient passes to the condition. */
WASHI_API washi_tensor *washi_where(washi_tensor *condition, washi_tensor *a, washi_tensor *b);

/** The matrix product over the last two axes, both of rank >= 2; leading axes broadcast. Each
 * element is one chain of fused multiply-adds in order of the inner index. */
WASHI_API washi_tensor *washi_matmul(washi_tensor *a, washi_tensor *b);
/** Of two vectors the sum of the products; else over a's last axis and b's last but one (a vector's only), as
 * NumPy's dot. A scalar multiplies. */
WASHI_API washi_tensor *washi_dot(washi_tensor *a, washi_tensor *b);
/** Every element of a times every element of b: a's axes, then b's. */
WASHI_API washi_tensor *washi_outer(washi_tensor *a, washi_tensor *b);
/** The sum of products over a's last n axes and b's first n; a's other axes, then b's. */
WASHI_API washi_tensor *washi_tensordot(washi_tensor *a, washi_tensor *b, int n);
/** The same over axis a_axes[i] of a and b_axes[i] of b. */
WASHI_API washi_tensor *washi_tensordot_axes(washi_tensor *a, washi_tensor *b, int n, const int a_axes[],
                                             const int b_axes[]);
/** Sums of products by letters, one for each axis (Einstein's convention), of one or two operands:
 * "bij,bjk->bik". A letter twice in one operand takes its diagonal; one that the result lacks is summed. Without
 * an arrow the result has the letters that there are once, in alphabetical order. */
WASHI_API washi_tensor *washi_einsum(const char *formula, int n, washi_tensor *const x[]);

/** Every axis at once, where a reduction asks for an axis. */
enum { WASHI_ALL = 1 << 30 };
/** The sum over an axis, or over WASHI_ALL; keep leaves the axis with size 1. Empty: 0. */
WASHI_API washi_tensor *washi_sum(washi_tensor *a, int axis, bool keep);
/** The sum divided by the number of elements; of an empty axis NaN. */
WASHI_API washi_tensor *washi_mean(washi_tensor *a, int axis, bool keep);
/** The product; empty: 1. Its derivatives are right with zeros among the elements. */
WASHI_API washi_tensor *washi_prod(washi_tensor *a, int axis, bool keep);
/** The largest element, NaN if one is; of an empty axis -infinity. Its gradient goes to the first of
 * several largest. */
WASHI_API washi_tensor *washi_max(washi_tensor *a, int axis, bool keep);
/** The smallest element, NaN if one is; of an empty axis infinity. Its gradient goes to the first of
 * several smallest. */
WASHI_API washi_tensor *washi_min(washi_tensor *a, int axis, bool keep);
/** The mean of (a - mean(a))^2, divided by the number of elements as NumPy does; of an empty axis NaN.
 */
WASHI_API washi_tensor *washi_var(washi_tensor *a, int axis, bool keep);
/** The square root of washi_var. Where that is 0 the derivative is 0. */
WASHI_API washi_tensor *washi_std(washi_tensor *a, int axis, bool keep);
/** The square root of the sum of the squares. Where that is 0 the derivative is 0. */
WASHI_API washi_tensor *washi_norm(washi_tensor *a, int axis, bool keep);
/** 1 if an element is not 0 (NaN counts), else 0, in a's type, of an integer F32; empty: 0. No gradient
 * passes. */
WASHI_API washi_tensor *washi_any(washi_tensor *a, int axis, bool keep);
/** 1 if no element is 0, else 0, in a's type, of an integer F32; empty: 1. No gradient passes. */
WASHI_API washi_tensor *washi_all(washi_tensor *a, int axis, bool keep);
/** The index (I32) of the first largest element along an axis, which must not be empty, or in all of a
 * seen as one row. NaN is never the largest. No gradient passes. */
WASHI_API washi_tensor *washi_argmax(washi_tensor *a, int axis, bool keep);
/** The index (I32) of the first smallest element, as washi_argmax. */
WASHI_API washi_tensor *washi_argmin(washi_tensor *a, int axis, bool keep);
/** log(sum(exp(a))), computed from a - max(a). Where it is infinite its derivative is NaN. */
WASHI_API washi_tensor *washi_logsumexp(washi_tensor *a, int axis, bool keep);
/** Any of these reductions, or one of your own. */
typedef washi_tensor *washi_reduction(washi_tensor *a, int axis, bool keep);
/** Reduces a set of n axes, or of all (one, WASHI_ALL), as if they were one, their elements in
 * row-major order: washi_over(washi_var, a, 2, (int[]){0, 2}, true). */
WASHI_API washi_tensor *washi_over(washi_reduction *f, washi_tensor *a, int n, const int axes[],
                                   bool keep);
/** The sums of the elements up to each along an axis. */
WASHI_API washi_tensor *washi_cumsum(washi_tensor *a, int axis);
/** The products of the elements up to each along an axis; derivatives as for washi_prod. */
WASHI_API washi_tensor *washi_cumprod(washi_tensor *a, int axis);
/** exp(a) / sum(exp(a)) over the last axis, so that it serves as an activation. */
WASHI_API washi_tensor *washi_softmax(washi_tensor *a);
/** washi_softmax over an axis. */
WASHI_API washi_tensor *washi_softmax_along(washi_tensor *a, int axis);
/** a - logsumexp(a) over the last axis. */
WASHI_API washi_tensor *washi_log_softmax(washi_tensor *a);
/** washi_log_softmax over an axis. */
WASHI_API washi_tensor *washi_log_softmax_along(washi_tensor *a, int axis);

/* Of any type: */

/** The same elements in the same order under another shape; one size may be -1. */
WASHI_API washi_tensor *washi_reshape(washi_tensor *a, washi_shape shape);
/** Axis i of the result is axis axes[i] of a; axes holds each axis of a once. */
WASHI_API washi_tensor *washi_permute(washi_tensor *a, const int axes[]);
/** The last two axes exchanged. */
WASHI_API washi_tensor *washi_transpose(washi_tensor *a);
/** a stretched to the shape as NumPy's broadcast_to does. */
WASHI_API washi_tensor *washi_broadcast_to(washi_tensor *a, washi_shape shape);
/** Elements begin ... end-1 of an axis; negative ones count from the end. */
WASHI_API washi_tensor *washi_slice(washi_tensor *a, int axis, int64_t begin, int64_t end);
/** Every step-th element from begin on, before end; a negative step goes back, to end of -size-1 as far
 * as the first element. */
WASHI_API washi_tensor *washi_slice_step(washi_tensor *a, int axis, int64_t begin, int64_t end,
                                         int64_t step);
/** An axis the other way round. */
WASHI_API washi_tensor *washi_flip(washi_tensor *a, int axis);
/** a with before and after zeros put around it along an axis. */
WASHI_API washi_tensor *washi_pad(washi_tensor *a, int axis, int64_t before, int64_t after);
/** The parts, alike but for this axis, one behind the other along it. */
WASHI_API washi_tensor *washi_concat(int n, washi_tensor *const parts[], int axis);
/** The parts, of one shape, as the slices of a new axis. */
WASHI_API washi_tensor *washi_stack(int n, washi_tensor *const parts[], int axis);
/** Fills parts with n ranges of an axis, of these sizes (NULL: equal ones). WASHI_BAD_VALUE: the axis
 * is not that long. */
WASHI_API washi_status washi_split(washi_tensor *a, int n, const int64_t sizes[], int axis,
                                   washi_tensor *parts[]);
/** A new axis of size 1; negative ones count from the end of the result. */
WASHI_API washi_tensor *washi_expand_dims(washi_tensor *a, int axis);
/** Without an axis of size 1, or without all such axes (WASHI_ALL). */
WASHI_API washi_tensor *washi_squeeze(washi_tensor *a, int axis);
/** Copies of a one behind the other, times[i] along axis i. */
WASHI_API washi_tensor *washi_tile(washi_tensor *a, const int64_t times[]);
/** Each slice of an axis so many times. */
WASHI_API washi_tensor *washi_repeat(washi_tensor *a, int64_t times, int axis);
/** The square matrix with vector a on its diagonal; the diagonal over the last two axes if a has more.
 */
WASHI_API washi_tensor *washi_diag(washi_tensor *a);
/** Zeros above the diagonal over the last two axes, 0 being the main one, 1 the one above it. F32, F64.
 */
WASHI_API washi_tensor *washi_tril(washi_tensor *a, int64_t diagonal);
/** Zeros below the diagonal. F32, F64. */
WASHI_API washi_tensor *washi_triu(washi_tensor *a, int64_t diagonal);
/** a's slices at the indices, along an axis: the indices' axes stand in its place. An index outside
 * 0 ... size-1 makes the run fail with WASHI_BAD_VALUE. */
WASHI_API washi_tensor *washi_take(washi_tensor *a, washi_tensor *i32_indices, int axis);
/** a's element at its own index along an axis: the indices are of a's shape but for that axis, and give
 * the shape of the result. Indices are checked as washi_take's. */
WASHI_API washi_tensor *washi_take_along(washi_tensor *a, washi_tensor *i32_indices, int axis);
/** a's slices at indices of its first axes, as many as the indices' last axis is long: for indices [n,
 * 2] and a [5, 6, 7] the result is [n, 7]. Indices are checked as washi_take's. */
WASHI_API washi_tensor *washi_gather(washi_tensor *a, washi_tensor *i32_indices);
/** a with updates added to its slices at the indices along an axis; the shape of updates is that of
 * washi_take(a, indices, axis). Indices may repeat; additions happen in their order. F32, F64. */
WASHI_API washi_tensor *washi_scatter_add(washi_tensor *a, washi_tensor *i32_indices,
                                          washi_tensor *updates, int axis);
/** A last axis of length classes that is 1 at the label and else 0, in F32 or F64. A label (I32 or
 * U8) outside 0 ... classes-1 makes the run fail with WASHI_BAD_VALUE. */
WASHI_API washi_tensor *washi_one_hot(washi_tensor *labels, int64_t classes, washi_dtype type);
/** a in another type. To an integer: truncated towards 0, and clamped to the type's range (NaN: 0). */
WASHI_API washi_tensor *washi_cast(washi_tensor *a, washi_dtype type);
/** a, with no gradient passing. */
WASHI_API washi_tensor *washi_stop_gradient(washi_tensor *a);

/** Names x, for messages and washi_dump; the name is copied, NULL takes it away. Returns x. */
WASHI_API washi_tensor *washi_name(washi_tensor *x, const char *name);
/** The name given to x; "" for none. */
WASHI_API const char *washi_name_of(const washi_tensor *x);
/** The name of the op that made x, such as "softmax", "input" or "variable"; "" for NULL. */
WASHI_API const char *washi_op_name(const washi_tensor *x);
/** How many tensors x was made from; 0 for NULL. */
WASHI_API int washi_operands(const washi_tensor *x);
/** The i-th tensor x was made from; NULL when there is none. */
WASHI_API washi_tensor *washi_operand(const washi_tensor *x, int i);

/* Random numbers on the tape, F32 or F64, without derivative: a value depends on the context's seed, the
 * stream, the draw and its index alone. draw is one I32 on the tape, NULL for 0: a variable that the tape
 * increments, washi_assign(draw, washi_shift(draw, 1)), gives other numbers in every run. At most 2^32
 * elements. */

/** Uniform in [0, 1): in F32 the elements draw * 2^32 ... of washi_fill_uniform, in F64 multiples of 2^-53. */
WASHI_API washi_tensor *washi_uniform(washi_tape *t, washi_dtype type, washi_shape shape, uint64_t stream,
                                      washi_tensor *draw);
/** Of the standard normal distribution (Box and Muller 1958): in F32 as washi_fill_normal. */
WASHI_API washi_tensor *washi_normal(washi_tape *t, washi_dtype type, washi_shape shape, uint64_t stream,
                                     washi_tensor *draw);
/** 1 with that probability, 0 ... 1, else 0. */
WASHI_API washi_tensor *washi_bernoulli(washi_tape *t, washi_dtype type, washi_shape shape,
                                        double probability, uint64_t stream, washi_tensor *draw);
/** 0 ... n-1 in random order, each order as likely. I32. */
WASHI_API washi_tensor *washi_permutation(washi_tape *t, int64_t n, uint64_t stream, washi_tensor *draw);

/* -- activations ------------------------------------------------------------------------------- */

/* Activations, after Keras: one tensor in, one out, as washi_unary_fn (washi_relu, washi_sigmoid,
 * washi_tanh, washi_softplus, washi_log_sigmoid, washi_softmax and washi_log_softmax are others). All are
 * finite, with their derivatives, for every finite x, but for washi_exponential. */

/** x itself. */
WASHI_API washi_tensor *washi_linear(washi_tensor *x);
/** x where x > 0, else 0.2 * x. Its derivative at 0 is that of the lower half. */
WASHI_API washi_tensor *washi_leaky_relu(washi_tensor *x);
/** washi_leaky_relu with another slope than 0.2. */
WASHI_API washi_tensor *washi_leaky_relu_with(washi_tensor *x, double slope);
/** min(relu(x), 6). Its derivative is 0 at 0 and 1 at 6. */
WASHI_API washi_tensor *washi_relu6(washi_tensor *x);
/** x where x > 0, else exp(x) - 1. */
WASHI_API washi_tensor *washi_elu(washi_tensor *x);
/** x where x > 0, else alpha * (exp(x) - 1). Its derivative at 0 is that of the lower half. */
WASHI_API washi_tensor *washi_elu_with(washi_tensor *x, double alpha);
/** 1.0507 * elu_with(x, 1.67326), the constants to full precision. Its derivative at 0 is that of the
 * lower half. */
WASHI_API washi_tensor *washi_selu(washi_tensor *x);
/** x where x > 0, else exp(x) - 1. */
WASHI_API washi_tensor *washi_celu(washi_tensor *x);
/** x where x > 0, else alpha * (exp(x / alpha) - 1); alpha must not be 0 (WASHI_BAD_VALUE). */
WASHI_API washi_tensor *washi_celu_with(washi_tensor *x, double alpha);
/** x * (1 + erf(x / sqrt(2))) / 2 */
WASHI_API washi_tensor *washi_gelu(washi_tensor *x);
/** x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2, close to washi_gelu and faster. */
WASHI_API washi_tensor *washi_gelu_tanh(washi_tensor *x);
/** x * sigmoid(x) */
WASHI_API washi_tensor *washi_silu(washi_tensor *x);
/** x * sigmoid(x): another name of washi_silu. */
WASHI_API washi_tensor *washi_swish(washi_tensor *x);
/** x * tanh(softplus(x)) */
WASHI_API washi_tensor *washi_mish(washi_tensor *x);
/** x / (1 + |x|) */
WASHI_API washi_tensor *washi_softsign(washi_tensor *x);
/** x / 6 + 1 / 2 within 0 ... 1. Its derivative is 1/6 at both ends. */
WASHI_API washi_tensor *washi_hard_sigmoid(washi_tensor *x);
/** x * hard_sigmoid(x) */
WASHI_API washi_tensor *washi_hard_swish(washi_tensor *x);
/** x within -1 ... 1. Its derivative is 1 at both ends. */
WASHI_API washi_tensor *washi_hard_tanh(washi_tensor *x);
/** exp(x) */
WASHI_API washi_tensor *washi_exponential(washi_tensor *x);

/* -- derivatives ------------------------------------------------------------------------------- */

/* Recorded like everything else, so they can be differentiated again, to any order. An x that y does
 * not depend on gets zeros of its shape. x and y must be F32 or F64 (WASHI_BAD_TYPE). */

/** dx[i] = d sum(y) / d x[i], of x[i]'s shape. */
WASHI_API washi_status washi_grad(washi_tensor *y, int n, washi_tensor *const x[], washi_tensor *dx[]);
/** washi_grad, but an x[i] that no gradient of y reaches is WASHI_BAD_VALUE. */
WASHI_API washi_status washi_grad_strict(washi_tensor *y, int n, washi_tensor *const x[],
                                         washi_tensor *dx[]);
/** dx[i] = sum over j of v[j] times d y[j] / d x[i]; v[j] has y[j]'s type and shape. */
WASHI_API washi_status washi_vjp(int ny, washi_tensor *const y[], washi_tensor *const v[], int nx,
                                 washi_tensor *const x[], washi_tensor *dx[]);
/** dy[j] = sum over i of d y[j] / d x[i] times v[i]; v[i] has x[i]'s type and shape. */
WASHI_API washi_status washi_jvp(int ny, washi_tensor *const y[], int nx, washi_tensor *const x[],
                                 washi_tensor *const v[], washi_tensor *dy[]);

/** The Hessian of sum(y) times v: hv[i] = sum over j of d2 sum(y) / d x[i] d x[j] times v[j]; v[j] has
 * x[j]'s type and shape. It costs two sweeps, whatever the size. */
WASHI_API washi_status washi_hvp(washi_tensor *y, int n, washi_tensor *const x[],
                                 washi_tensor *const v[], washi_tensor *hv[]);
/** All derivatives of y by x, in y's type; the shape is y's axes and then x's, together no more than
 * WASHI_MAX_RANK. For small cases: it records a sweep for each element of y or of x, whichever has fewer,
 * which must be no more than 4096 (WASHI_BAD_SHAPE). */
WASHI_API washi_tensor *washi_jacobian(washi_tensor *y, washi_tensor *x);
/** The second derivatives of sum(y) by x: the Jacobian of its gradient. */
WASHI_API washi_tensor *washi_hessian(washi_tensor *y, washi_tensor *x);

/** A piece of a recording: one tensor from n, with config as given. NULL after an error. */
typedef washi_tensor *washi_graph_fn(int n, washi_tensor *const x[], const void *config);
/** fn(n, x, config), called once and now, whose values the reverse sweep computes again from x instead of
 * keeping them: less memory for more time, with the same bits (derivatives of derivatives are equal to
 * rounding). What fn reads besides x, such as weights, gets its gradient too; what it makes of that alone
 * is kept. No gradient comes to a tensor made within the piece. */
WASHI_API washi_tensor *washi_checkpoint(washi_graph_fn *fn, const void *config, int n,
                                         washi_tensor *const x[]);

/** Records that weight, a washi_variable, takes value (of its type and shape) at the end of each run
 * of every program compiled from this tape later. All values are computed before any weight changes.
 * A weight can be assigned once on a tape (WASHI_MISUSE). */
WASHI_API washi_status washi_assign(washi_tensor *weight, washi_tensor *value);

/* -- running ----------------------------------------------------------------------------------- */

/** A program that computes the outputs and the tape's assignments, and nothing else. Equal nodes are made once,
 * and chains of elementwise and row ops with the matrix product before them in one step; with WASHI_FUSE=0 in
 * the environment when the context is opened every node is a step, which gives the same bits. NULL on error.
 * It must be freed before its tape. */
WASHI_API washi_program *washi_compile(washi_tape *t, int n, washi_tensor *const outputs[]);
/** Frees a program; the data of its outputs goes with it. NULL is fine. */
WASHI_API void washi_program_free(washi_program *p);
/** Gives an input its value: data is borrowed and must live through the runs that read it; it must not be
 * memory of a variable that these assign. NULL takes it away, and an input without elements needs none.
 * WASHI_MISUSE: not an input; WASHI_BAD_VALUE: not aligned to an element. */
WASHI_API washi_status washi_feed(washi_tensor *input, const void *data);
/** Announces what an input of indices will be fed with after the next run, NULL for nothing: that run
 * asks memory for the rows they pick while it computes. Changes the speed alone; the indices must be
 * readable during the run. WASHI_MISUSE: not an input. */
WASHI_API washi_status washi_prefetch(washi_tensor *input, const void *next);
/** Runs a program. No allocation. WASHI_MISUSE: an input has not been fed; WASHI_BAD_VALUE: an index
 * or a label out of range, or with washi_options.check a value that is not finite; and whatever a washi_op
 * of your own fails with. After a failure no weight is assigned. */
WASHI_API washi_status washi_run(washi_program *p);
/** Prints the program, a line a step: its ops, what it makes and reads (@: bytes into the slab), its
 * tasks, its arithmetic and its bytes; then the size of the program's memory. WASHI_IO. */
WASHI_API washi_status washi_dump(const washi_program *p, FILE *out);
/** Prints a tape's nodes as a graph for Graphviz (`dot -Tsvg`). WASHI_IO. */
WASHI_API washi_status washi_tape_dot(const washi_tape *t, FILE *out);
/** The same of a program's steps. */
WASHI_API washi_status washi_program_dot(const washi_program *p, FILE *out);
/** Counts from now on, or no longer, where the time of the program's runs goes; with WASHI_PROFILE=1 in
 * the environment when the context is opened every program does. */
WASHI_API washi_status washi_profile(washi_program *p, bool on);
/** Prints what was counted, a line a step: time summed over threads, its share, the rate of arithmetic
 * beside that of the library's best matrix product, the rate of bytes. Nothing without a profile or a
 * run. washi_fit with a progress does it at its end. WASHI_IO, WASHI_NO_MEMORY. */
WASHI_API washi_status washi_profile_print(const washi_program *p, FILE *out);
/** Bytes of the one slab that holds all the program's values. */
WASHI_API size_t washi_program_bytes(const washi_program *p);
/** Compiles and runs once, with the tape's assignments; the values stay on the tape. */
WASHI_API washi_status washi_eval(int n, washi_tensor *const y[]);
/** The value of an output after a run or an eval, row-major, aligned to 64 bytes unless it is a fed
 * input or a variable itself; else NULL, and washi_message says why. Valid until the next run, and no longer
 * than its program. */
WASHI_API const void *washi_data(const washi_tensor *y);
WASHI_API const float *washi_f32(const washi_tensor *y);  /**< washi_data; NULL if y is not F32 */
WASHI_API const double *washi_f64(const washi_tensor *y); /**< washi_data; NULL if y is not F64 */
/** Evaluates a tensor of one element, of any type; NaN on error. */
WASHI_API double washi_item(washi_tensor *y);

/* -- arrays ------------------------------------------------------------------------------------ */

/** Host memory, row-major, borrowed; the first axis is the sample. */
typedef struct {
    washi_dtype type;
    washi_shape shape;
    const void *data;
} washi_array;

/** Memory for an array, zeroed and aligned to 64 bytes, the caller's to washi_release. */
WASHI_API washi_status washi_array_new(washi *w, washi_dtype type, washi_shape shape, washi_array *out);
/** Frees what washi_array_new or a reader gave and clears *a; NULL and a cleared array are fine. */
WASHI_API void washi_release(washi *w, washi_array *a);

/* -- checking derivatives ---------------------------------------------------------------------- */

/** The most inputs of a function that washi_check_grad takes. */
enum { WASHI_GRAD_INPUTS = 16 };
/** What was found of one input: the largest of some random directions. */
typedef struct {
    washi_dtype type;
    washi_shape shape;
    bool checked;      /**< false: an integer, left as it is */
    double derivative; /**< by the rules */
    double difference; /**< by central differences */
    double error;      /**< of the first to the second, relative */
} washi_grad_line;
/** What washi_check_grad found. */
typedef struct {
    int inputs, orders;                         /**< how many inputs there are, and orders were looked at */
    washi_grad_line line[2][WASHI_GRAD_INPUTS]; /**< of order 1, then of order 2 */
    double product_error[2]; /**< of <u, Jv> to <J'u, v>, relative to the size of their terms */
    char verdict[256];       /**< what is wrong, a sentence; "" when all is well */
} washi_grad_report;

/** Checks the derivatives of fn at a point, x: by differences along random directions, each input by
 * itself (largest error 1e-6), and forward against reverse mode, <u, Jv> = <J'u, v> (1e-9); with order 2
 * those of its gradient too. F32 inputs are taken as F64, integers as they are; fn must give F64. Stay away
 * from kinks by a hundredth. A check that shows nothing does not pass: a result or an order 2 whose
 * derivatives are all zero, an input that the result ignores, values that are not finite. WASHI_OK, or
 * WASHI_BAD_VALUE with a sentence, which is the report's verdict too, or what recording fn failed with.
 * report may be NULL. */
WASHI_API washi_status washi_check_grad(washi *w, washi_graph_fn *fn, const void *config, int n,
                                        const washi_array x[], int order, washi_grad_report *report);
/** Prints a report as text, a line an input. WASHI_IO. */
WASHI_API washi_status washi_grad_report_print(const washi_grad_report *r, FILE *out);

/* -- ops of your own --------------------------------------------------------------------------- */

/** One step of a run, as a washi_op's run function sees it; all memory is row-major and aligned to its
 * elements. */
typedef struct {
    int n;                /**< how many operands */
    const washi_array *x; /**< their types, shapes and elements, not to be written */
    washi_dtype type;     /**< of the result */
    washi_shape shape;
    void *y;            /**< the result, not cleared: every element is to be written */
    void *scratch;      /**< as many bytes as the op asked for, aligned to 64, not cleared; or NULL */
    const void *params; /**< as given to washi_apply; NULL without any */
} washi_step;

/** An op of your own, used like the library's by washi_apply. It is copied when first applied; the
 * strings must live as long as the tape. Fields that are NULL have the meaning said there, so that only
 * what is needed need be written: {.struct_size = sizeof(washi_op), .name = ..., .arity = ..., .run = ...}.
 * None of the functions may keep state: equal nodes are computed once, and which run when is the
 * library's choice. What infer and run report by washi_fail(NULL, ...) gets the op's name before it. */
typedef struct {
    size_t struct_size; /**< sizeof(washi_op), by which later versions know what is there */
    const char *name;   /**< for messages, washi_op_name and washi_dump */
    const char *doc;    /**< one line, or NULL */
    int arity;          /**< how many operands; -1: any number from 1 */
    /** The shape rule: checks the operands, which are never NULL, and sets the result's type and shape,
     * both at first those of operand 0. Returns WASHI_OK, or what washi_fail returned. NULL: they stay. */
    washi_status (*infer)(int n, washi_tensor *const x[], const void *params, washi_dtype *type,
                          washi_shape *shape);
    /** Computes the result, on any thread, perhaps for several programs at a time. It must not record, nor
     * allocate from the tape. Returns WASHI_OK, or what washi_fail returned: then the run fails with that,
     * and no weight is assigned. */
    washi_status (*run)(const washi_step *s);
    /** The derivative, in washi ops: from g, the gradient of y, gx[i], that of washi_operand(y, i), linear
     * in g; all are NULL at first, which stands for zero. One of a shape that the operand stretches to is
     * summed back. It may use y, the operands and washi_params(y). NULL: differentiating the op is
     * WASHI_UNSUPPORTED. */
    void (*rule)(washi_tensor *y, washi_tensor *g, washi_tensor *gx[]);
    /** How many bytes of scratch a run needs, from types, shapes and params: elements are not there yet.
     * NULL: none. */
    size_t (*scratch)(const washi_step *s);
} washi_op;

/** Records an op of your own on n operands. params, params_size bytes, are copied; NULL and 0: none.
 * WASHI_MISUSE: an incomplete op, another number of operands than its arity. */
WASHI_API washi_tensor *washi_apply(const washi_op *op, int n, washi_tensor *const x[],
                                    const void *params, size_t params_size);
/** The parameters that y was recorded with by washi_apply; NULL: none. */
WASHI_API const void *washi_params(const washi_tensor *y);

/* -- layers ------------------------------------------------------------------------------------ */

/* A layer is a plain function on tensors. It asks its scope for weights; they are created the first
 * time, when the input's shape is known, and found by name ("dense_1/kernel") ever after. No gradient
 * is written anywhere. */

/** An activation: any function of one tensor. */
typedef washi_tensor *washi_unary_fn(washi_tensor *x);
/** A layer: records what it does to x, with weights from its scope. NULL after an error. */
typedef washi_tensor *washi_layer_fn(washi_scope *s, washi_tensor *x, const void *config);
/** A loss or a metric: a scalar from a target and a prediction. */
typedef washi_tensor *washi_loss_fn(washi_tensor *target, washi_tensor *prediction);
/** Fills out with a weight's first values; stream makes them this weight's own. A failure is reported by
 * washi_fail, to no tape. */
typedef washi_status washi_init_fn(washi *w, washi_shape shape, uint64_t stream, float *out);

/** What a weight is created with. */
typedef struct {
    washi_shape shape;
    washi_init_fn *init; /**< NULL: washi_glorot_uniform */
    bool frozen;         /**< not trainable, ever: no optimiser changes it */
    washi_dtype type;    /**< WASHI_F32 or WASHI_F64; WASHI_I32 for a frozen one, such as a counter */
} washi_weight_options;

/** The weight of this name (no "/" in it) in this scope, as a tensor on the tape of the call. The first
 * call of the model creates it; later ones must ask for the same type and shape (WASHI_BAD_SHAPE,
 * WASHI_BAD_TYPE) and for no other weights (WASHI_MISUSE). NULL on error, which sticks to the tape. */
WASHI_API washi_tensor *washi_weight(washi_scope *s, const char *name, washi_weight_options options);
/** Whether this call of the model is a training step. */
WASHI_API bool washi_training(const washi_scope *s);
/** Whether the weight of this name in this scope is there and may be trained. */
WASHI_API bool washi_trainable(const washi_scope *s, const char *name);

/** For random numbers in a layer: the draw to give to washi_uniform and its like, and a stream of this
 * layer's own, another one each time. The model counts the draw up after each run of the tape, so every step
 * has other numbers, the same ones for the same seed. One call of the model that draws on a tape. NULL after
 * an error. */
WASHI_API washi_tensor *washi_draw(washi_scope *s, uint64_t *stream);

/** Adds a scalar (F32 or F64) on the tape of the call to the model's loss, as Keras' add_loss: washi_fit
 * trains on the sum, and the loss it reports, and washi_evaluate's, includes it. For loops of your own:
 * washi_model_call_losses. */
WASHI_API washi_status washi_add_loss(washi_scope *s, washi_tensor *loss);
/** Adds l1 * sum(|v|) + l2 * sum(v^2) of the weight v of this name in this scope, as Keras' regularizers:
 * once however often the layer is called, and nothing while the weight is frozen. WASHI_MISUSE: no such
 * weight yet; WASHI_BAD_VALUE: a number that is negative or not finite. */
WASHI_API washi_status washi_add_penalty(washi_scope *s, const char *name, double l1, double l2);

/** Initialisers, as Keras defines them: random_normal has mean 0 and standard deviation 0.05,
 * random_uniform lies in +-0.05, truncated_normal is random_normal without what is beyond two deviations.
 * The others have a variance by the fans of the weight, where a shape [..., a, b] has fans in and out of
 * a and b times the sizes before them, [n] of n and n, and a scalar of 1 and 1: glorot 2 / (in + out)
 * (Glorot and Bengio 2010), he 2 / in (He et al. 2015), lecun 1 / in (LeCun et al. 1998); *_uniform in
 * +-sqrt(3 * variance), *_normal cut off at two deviations and stretched to have the variance. */
WASHI_API washi_init_fn washi_zeros, washi_ones, washi_random_normal, washi_random_uniform,
    washi_truncated_normal, washi_glorot_uniform, washi_glorot_normal, washi_he_uniform, washi_he_normal,
    washi_lecun_uniform, washi_lecun_normal;
/** [..., b] taken as a matrix with b columns: its columns, or if it has more columns than rows its rows,
 * are orthonormal, and each such matrix is as likely (Saxe et al. 2014). WASHI_BAD_SHAPE: fewer than two
 * axes. */
WASHI_API washi_init_fn washi_orthogonal;
/** Every element value: Keras' Constant, as what an initialiser of your own calls. Others with numbers of
 * your own are made in the same way, on washi_fill_normal and its like, or on those above:
 *
 *     washi_status tenth(washi *w, washi_shape shape, uint64_t stream, float *out)
 *     {
 *         return washi_init_constant(w, shape, 0.1, out);
 *     }
 */
WASHI_API washi_status washi_init_constant(washi *w, washi_shape shape, double value, float *out);

/** activation(x @ kernel + bias) with kernel [last axis of x, units] (glorot_uniform) and bias [units]
 * (zeros). As a layer of a scope it is named "dense", "dense_1" ... in the order of the calls.
 * activation NULL: linear. */
WASHI_API washi_tensor *washi_dense(washi_scope *s, washi_tensor *x, int64_t units,
                                    washi_unary_fn *activation);
/** [n, ...] as [n, product of the rest]. */
WASHI_API washi_tensor *washi_flatten(washi_tensor *x);

/** What a dense layer can be given beside its units; zero is Keras' default for each. */
typedef struct {
    int64_t units;
    washi_unary_fn *activation; /**< NULL: linear */
    bool no_bias;
    washi_init_fn *kernel_init, *bias_init; /**< NULL: washi_glorot_uniform, washi_zeros */
    double kernel_l1, kernel_l2, bias_l1, bias_l2; /**< washi_add_penalty of kernel and bias */
} washi_dense_options;

/** A layer as a value: a function, what it is configured with, and the activation put on its result. */
typedef struct {
    const char *name; /**< NULL: the kind's name, numbered: dense, dense_1, ... */
    washi_layer_fn *call;
    union {
        const void *user;
        int64_t units;
        double number, pair[2];
        washi_shape shape;
        washi_dense_options dense;
    } config;
    washi_unary_fn *activation; /**< NULL: linear */
    const char *kind;           /**< the type in a summary, such as "Dense"; NULL: "Custom" */
    bool by_value;              /**< call is handed &config (to read one of its others) instead of config.user */
} washi_layer;

/** washi_dense as a value. */
WASHI_API washi_layer washi_layer_dense(int64_t units, washi_unary_fn *activation);
/** washi_dense with options, as a value. */
WASHI_API washi_layer washi_layer_dense_with(washi_dense_options options);
/** The activation alone; NULL: the input as it is. */
WASHI_API washi_layer washi_layer_activation(washi_unary_fn *activation);
/** Each sample under another shape, of which one size may be -1. */
WASHI_API washi_layer washi_layer_reshape(washi_shape sample);
/** washi_flatten as a value. */
WASHI_API washi_layer washi_layer_flatten(void);
/** x * scale; pixels (U8) and other integers become F32 first. */
WASHI_API washi_layer washi_layer_rescaling(double scale);
/** x * scale + offset, in the same way. */
WASHI_API washi_layer washi_layer_rescaling_offset(double scale, double offset);
/** In training 0 with this probability and else x / (1 - rate), anew in every step (Srivastava et al. 2014);
 * after training x. WASHI_BAD_VALUE: a rate outside [0, 1). */
WASHI_API washi_layer washi_layer_dropout(double rate);
/** gamma * (x - mean) / sqrt(variance + epsilon) + beta for each feature (the last axis), with mean and
 * variance in training over the batch and else the averages of training: moving_mean and moving_variance,
 * each average * momentum + batch * (1 - momentum) after a step (Ioffe and Szegedy 2015). momentum is 0.99
 * and epsilon 1e-3, as in Keras. While gamma is frozen the averages serve in training, too, and rest. One
 * training call of the layer on a tape. */
WASHI_API washi_layer washi_layer_batch_normalization(void);
/** The same with numbers of your own. WASHI_BAD_VALUE: a momentum outside [0, 1], a negative epsilon. */
WASHI_API washi_layer washi_layer_batch_normalization_with(double momentum, double epsilon);
/** gamma * (x - mean) / sqrt(variance + epsilon) + beta with mean and variance over the last axis, and gamma
 * and beta a number for each place on it (Ba et al. 2016); epsilon is 1e-3, as in Keras. */
WASHI_API washi_layer washi_layer_layer_normalization(void);
/** The same with an epsilon of your own. WASHI_BAD_VALUE: a negative one. */
WASHI_API washi_layer washi_layer_layer_normalization_with(double epsilon);
/** A layer of your own; name and config are borrowed and must outlive the model. */
WASHI_API washi_layer washi_layer_custom(const char *name, washi_layer_fn *call, const void *config);
/** Applies a layer inside a scope: what sequential does with each of its layers. The layer gets a
 * scope of its own, below s, named as the layer is, and, when s is the model's own, a line in its summary.
 * A layer called twice by one name shares its weights; layers without a name never do. */
WASHI_API washi_tensor *washi_layer_call(washi_scope *s, const washi_layer *layer, washi_tensor *x);

/* -- models ------------------------------------------------------------------------------------ */

/** A chain of layers, which are copied (what they point to is borrowed). NULL on error, such as two
 * layers of one name. */
WASHI_API washi_model *washi_sequential(washi *w, int n, const washi_layer layers[]);
/** A model from one function: any graph. name may be NULL ("model"); it is copied, config is borrowed. */
WASHI_API washi_model *washi_model_new(washi *w, const char *name, washi_layer_fn *call,
                                       const void *config);
/** Frees a model with its weights, after the tapes and programs that use them; NULL is fine. */
WASHI_API void washi_model_free(washi_model *m);
/** Creates the weights for inputs of this type and shape, without the batch axis, as Keras' Input. */
WASHI_API washi_status washi_model_build(washi_model *m, washi_dtype type, washi_shape input);
/** Records the model's function of x on x's tape; builds on the first call. NULL on error. */
WASHI_API washi_tensor *washi_model_call(washi_model *m, washi_tensor *x, bool training);
/** washi_model_call which gives the sum of what the layers added to the loss, too: NULL for nothing. */
WASHI_API washi_tensor *washi_model_call_losses(washi_model *m, washi_tensor *x, bool training,
                                                washi_tensor **losses);
/** Prints the layers as Keras does: layer (type), output shape, param #; and the totals with bytes.
 * The axis of samples shows as None, or as the size of the call that built the model. WASHI_MISUSE before
 * the model is built, WASHI_IO. */
WASHI_API washi_status washi_model_summary(const washi_model *m, FILE *out);
/** How many layers, those inside others not counted; 0 until built. */
WASHI_API int washi_model_layers(const washi_model *m);
/** A layer; shape is that of its result in the call that built the model. */
typedef struct {
    const char *name, *kind;
    washi_shape shape;
} washi_layer_info;
/** The index-th layer, in order of the calls; all zero for an index out of range. */
WASHI_API washi_layer_info washi_model_layer(const washi_model *m, int index);
/** How many weights; 0 until built. */
WASHI_API int washi_model_weights(const washi_model *m);
/** A weight; data is the model's own memory, to read and to write. */
typedef struct {
    const char *name;
    washi_dtype type;
    washi_shape shape;
    bool trainable;
    void *data;
} washi_weight_info;
/** The index-th weight, in order of creation; all zero for an index out of range. */
WASHI_API washi_weight_info washi_model_weight(washi_model *m, int index);
/** Freezes, or unfreezes, every weight whose name starts with prefix (NULL or "": all), but for those
 * created frozen, which stay so. WASHI_BAD_VALUE when there is none. */
WASHI_API washi_status washi_model_freeze(washi_model *m, const char *prefix, bool frozen);
/** Writes every weight, frozen ones too, to a safetensors file under its name ("dense/kernel") and with its type
 * and shape. The state of an optimiser is not in it. WASHI_MISUSE before the model is built; files and failures
 * as for washi_write_safetensors. */
WASHI_API washi_status washi_model_save(const washi_model *m, const char *path);
/** Gives every weight the value it has in a safetensors file, to the last bit; also F32, F16 and BF16 to an F64
 * weight, F16 and BF16 to an F32 one. The file must have each weight and no other tensor (WASHI_BAD_VALUE), in
 * the weight's shape (WASHI_BAD_SHAPE) and such a type (WASHI_BAD_TYPE), and be one that washi_read_safetensors
 * takes. All or nothing: after a failure the model is as it was. WASHI_MISUSE before the model is built, as
 * only a build makes the function's weights. Not while another thread uses the model. */
WASHI_API washi_status washi_model_load(washi_model *m, const char *path);

/* -- losses and metrics ------------------------------------------------------------------------ */

/* Plain functions from a target and a prediction to a scalar, the mean over the samples. Predictions
 * are probabilities, as in Keras; one that comes straight from washi_softmax or washi_sigmoid is computed
 * from its logits, so nothing is lost; other ones are clipped to [1e-7, 1 - 1e-7]. */

/** mean((target - prediction)^2); the shapes must be equal ([n] and [n, 1] count as equal), an integer
 * target is cast. */
WASHI_API washi_loss_fn washi_mean_squared_error;
/** mean(|target - prediction|); shapes as for washi_mean_squared_error. Its derivative at 0 is 0. */
WASHI_API washi_loss_fn washi_mean_absolute_error;
/** The mean of error^2 / 2 where the error is at most 1, and of |error| - 1/2 where it is more (Huber 1964,
 * with delta 1); shapes as for washi_mean_squared_error. */
WASHI_API washi_loss_fn washi_huber;
/** -mean(target log(p) + (1 - target) log(1 - p)); shapes as for washi_mean_squared_error. Straight from
 * washi_sigmoid: computed from the logits. */
WASHI_API washi_loss_fn washi_binary_crossentropy;
/** The same from logits. */
WASHI_API washi_loss_fn washi_binary_crossentropy_from_logits;
/** The mean over the rows of -sum(target log(p)); target (one-hot, or any distribution) and prediction
 * [n, classes]. Straight from washi_softmax: computed from the logits. */
WASHI_API washi_loss_fn washi_categorical_crossentropy;
/** The same from logits. */
WASHI_API washi_loss_fn washi_categorical_crossentropy_from_logits;
/** The mean of -log(p at the label). Target [n] or [n, 1] of I32 or U8 labels, prediction [n, classes]; axes
 * between the two hold samples as well. A label outside 0 ... classes-1 makes the run fail with
 * WASHI_BAD_VALUE. Straight from washi_softmax: computed from the logits. */
WASHI_API washi_loss_fn washi_sparse_categorical_crossentropy;
/** The same from logits. */
WASHI_API washi_loss_fn washi_sparse_categorical_crossentropy_from_logits;
/** The share of samples whose largest prediction is at the label; target and prediction as for
 * washi_sparse_categorical_crossentropy. */
WASHI_API washi_loss_fn washi_accuracy;
/** The share of numbers on the target's side of 1/2: prediction > 1/2 where the target is 1, else where it
 * is 0; shapes as for washi_mean_squared_error. */
WASHI_API washi_loss_fn washi_binary_accuracy;
/** The share of rows whose largest prediction is where the target (one-hot, say) has its largest; shapes as
 * for washi_categorical_crossentropy. */
WASHI_API washi_loss_fn washi_categorical_accuracy;

/* -- optimisers -------------------------------------------------------------------------------- */

/* An optimiser is a function that records a weight's new value from its gradient. Around it every
 * optimiser does the same, in Keras' order: gradients are clipped, weights decay, then they are updated. */

/** Turns gradients into new weights. Its state belongs to one model and one thread at a time. */
typedef struct washi_optimizer washi_optimizer;
/** A weight's part of a step: hands the optimiser's function what it needs. */
typedef struct washi_update washi_update;

/** A learning rate that changes: a scalar of F64, recorded from the number of steps done before this one
 * (a scalar of F64, 0 at first). A washi_variable on the same tape is a rate that the program sets. */
typedef washi_tensor *washi_schedule_fn(washi_tensor *step, const void *config);
/** The config of washi_exponential_decay. */
typedef struct {
    double initial_learning_rate, decay_steps, decay_rate;
    bool staircase; /**< step / decay_steps is rounded down */
} washi_exponential_decay_options;
/** initial_learning_rate * decay_rate^(step / decay_steps), with these options as config. */
WASHI_API washi_schedule_fn washi_exponential_decay;
/** The config of washi_piecewise_constant_decay; the arrays are borrowed. */
typedef struct {
    int boundaries;
    const double *boundary; /**< ascending */
    const double *value;    /**< one more than boundaries */
} washi_piecewise_constant_decay_options;
/** value[0] while step <= boundary[0], then value[1] while step <= boundary[1] ..., with these options as
 * config. */
WASHI_API washi_schedule_fn washi_piecewise_constant_decay;
/** The config of washi_cosine_decay. */
typedef struct {
    double initial_learning_rate, decay_steps;
    double alpha;                       /**< what is left in the end, as a share of the highest rate */
    double warmup_target, warmup_steps; /**< warmup_steps 0: no warm-up */
} washi_cosine_decay_options;
/** Linear from initial_learning_rate to warmup_target in warmup_steps steps; then from there (without a
 * warm-up from initial_learning_rate) along half a cosine in decay_steps steps: rate * ((1 - alpha) * (1 +
 * cos(pi * step / decay_steps)) / 2 + alpha), which stays at rate * alpha (Loshchilov and Hutter 2016). With
 * these options as config. */
WASHI_API washi_schedule_fn washi_cosine_decay;

/** What every optimiser has. 0 switches each part off; at most one of the three kinds of clipping. */
typedef struct {
    double learning_rate;        /**< or a schedule */
    double weight_decay;         /**< learning_rate * weight_decay * weight is taken off first */
    double clipnorm;             /**< each gradient is scaled to at most this L2 norm */
    double clipvalue;            /**< each element is clipped to +-clipvalue */
    double global_clipnorm;      /**< all gradients are scaled to at most this L2 norm together */
    washi_schedule_fn *schedule; /**< in place of learning_rate */
    const void *schedule_config; /**< borrowed: must outlive the optimiser */
} washi_optimizer_options;

/** Records a weight's new value from the weight (decayed already) and its gradient (clipped already).
 * NULL after an error. */
typedef washi_tensor *washi_update_fn(washi_update *u, washi_tensor *weight, washi_tensor *gradient,
                                      const void *config);
/** An optimiser of your own. The size bytes at config are copied. WASHI_BAD_VALUE: a learning rate that is
 * not positive and finite, a negative decay or clipping; WASHI_MISUSE: a learning rate and a schedule, two
 * kinds of clipping. */
WASHI_API washi_optimizer *washi_optimizer_new(washi *w, washi_update_fn *update, const void *config,
                                               size_t size, const washi_optimizer_options *options);
/** What the optimiser remembers of this weight under this name: a variable of the weight's type and shape,
 * full of first when it is new. washi_assign changes it. NULL after an error. */
WASHI_API washi_tensor *washi_slot(washi_update *u, const char *name, double first);
/** The learning rate of this step, a scalar of the weight's type. NULL after an error. */
WASHI_API washi_tensor *washi_learning_rate(washi_update *u);
/** How many steps came before this one, a scalar of F64. NULL after an error. */
WASHI_API washi_tensor *washi_iterations(washi_update *u);

/** momentum and nesterov as in Keras, the rest as in washi_optimizer_options. */
typedef struct {
    double learning_rate, momentum, weight_decay;
    bool nesterov;
    double clipnorm, clipvalue, global_clipnorm;
    washi_schedule_fn *schedule;
    const void *schedule_config;
} washi_sgd_options;
/** Stochastic gradient descent: w = w - learning_rate * gradient; with momentum v = momentum * v -
 * learning_rate * gradient and w = w + v, or with nesterov w = w + momentum * v - learning_rate *
 * gradient. Errors as washi_optimizer_new; WASHI_BAD_VALUE: momentum outside [0, 1). */
WASHI_API washi_optimizer *washi_sgd(washi *w, const washi_sgd_options *options);
/** 0 is Keras' default: learning_rate (without a schedule) 0.001, beta_1 0.9, beta_2 0.999, epsilon 1e-7.
 * The rest as in washi_optimizer_options; with weight_decay it is AdamW. */
typedef struct {
    double learning_rate, beta_1, beta_2, epsilon, weight_decay;
    double clipnorm, clipvalue, global_clipnorm;
    washi_schedule_fn *schedule;
    const void *schedule_config;
} washi_adam_options;
/** Adam (Kingma and Ba 2014): m = m + (1 - beta_1) * (gradient - m), v = v + (1 - beta_2) * (gradient^2 - v)
 * and, in step t = 1, 2 ..., w = w - learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) +
 * epsilon). Errors as washi_optimizer_new; WASHI_BAD_VALUE: a beta outside [0, 1), a negative epsilon.
 * options NULL means all zero. */
WASHI_API washi_optimizer *washi_adam(washi *w, const washi_adam_options *options);
/** After the tapes and programs that use it; NULL is fine. */
WASHI_API void washi_optimizer_free(washi_optimizer *o);
/** Records, on the loss's tape, the update of every trainable weight of m. loss is a scalar. What the
 * optimiser remembers of each weight it has served, and the number of steps of each model, it keeps from
 * one tape to the next. */
WASHI_API washi_status washi_minimize(washi_optimizer *o, washi_model *m, washi_tensor *loss);

/* -- training ---------------------------------------------------------------------------------- */

/** What fit and evaluate need; below. */
typedef struct washi_fit_options washi_fit_options;

/** When a callback is called. */
typedef enum {
    WASHI_FIT_BEGIN, /**< once, when model, loss and data have passed all checks */
    WASHI_EPOCH_BEGIN,
    WASHI_BATCH_END,
    WASHI_EPOCH_END, /**< after the validation */
    WASHI_FIT_END    /**< once, also after a failure, if this callback's WASHI_FIT_BEGIN succeeded */
} washi_event;
/** Where fit stands. */
typedef struct {
    washi_event event;
    washi *w; /**< the model's context */
    washi_model *model;
    const washi_fit_options *options; /**< with the defaults for zeros */
    int epoch;                        /**< the first is 0 */
    int64_t batch, batches;           /**< done in this epoch; in a whole epoch */
    double logs[4];                   /**< as for on_epoch; after a batch the means so far */
    bool stop;                        /**< true ends training: an epoch at this batch, without validation */
} washi_fit_state;
/** Called by fit at every event. A failure ends fit with that status. */
typedef washi_status washi_callback_fn(washi_fit_state *fit, void *user);
/** A callback and what it is handed. */
typedef struct {
    washi_callback_fn *call;
    void *user;
} washi_callback;

/** What fit and evaluate need. Zero is a default: epochs 1, batch_size 32, no metric, no validation. */
struct washi_fit_options {
    washi_optimizer *optimizer; /**< fit needs one */
    washi_loss_fn *loss;        /**< both need one */
    washi_loss_fn *metric;
    int epochs;
    int64_t batch_size;
    bool keep_order; /**< false: shuffled every epoch, by the context's seed */
    const washi_array *validation_x, *validation_y;
    FILE *progress; /**< NULL: silent; a terminal gets a live bar, a file a line an epoch */
    /** After each epoch (the first is 0): loss, metric, validation loss, validation metric (NaN where
     * there is none); false stops. */
    bool (*on_epoch)(void *user, int epoch, const double logs[4]);
    void *user;
    const washi_callback *callback; /**< called in this order, before on_epoch */
    int callbacks;
};

/** Which of the logs early stopping watches. */
typedef enum {
    WASHI_MONITOR_VAL_LOSS,
    WASHI_MONITOR_VAL_METRIC,
    WASHI_MONITOR_LOSS,
    WASHI_MONITOR_METRIC
} washi_monitor;
/** Which of two logs is better. Auto: the larger of the library's accuracies, the smaller of its losses. */
typedef enum { WASHI_MODE_AUTO, WASHI_MODE_MIN, WASHI_MODE_MAX } washi_mode;
/** Keras' EarlyStopping: training stops after patience epochs (at least one) in which the log got no better
 * than before by more than min_delta. */
typedef struct {
    washi_monitor monitor;
    washi_mode mode;
    double min_delta;
    int patience;
    bool restore_best_weights; /**< in the end the weights are those of the best epoch, stopped or not */
    double best;               /**< found: the best log, its epoch, */
    int best_epoch;
    int stopped_epoch; /**< and the epoch that was the last; -1: training was not stopped */
    int wait;          /**< the callback's own, like all that follows */
    void *weights;
    size_t size;
} washi_early_stopping;
/** *s is borrowed for the fit. WASHI_MISUSE: what it is to watch is not there; a metric of your own has no
 * auto mode. */
WASHI_API washi_callback washi_callback_early_stopping(washi_early_stopping *s);
/** Keras' CSVLogger: a line of names, epoch,accuracy,loss,val_accuracy,val_loss, as far as they are there;
 * then a line an epoch, its numbers with as many digits as they need to be read back. */
typedef struct {
    const char *path;
    bool append; /**< to what the file has; then the names only if it is empty */
    FILE *file;  /**< the callback's own */
} washi_csv_logger;
/** *s is borrowed for the fit. WASHI_IO. */
WASHI_API washi_callback washi_callback_csv_logger(washi_csv_logger *s);
/** Keras' TerminateOnNaN: training stops when the loss is no longer finite. */
WASHI_API washi_callback washi_callback_terminate_on_nan(void);

/** Trains m on the samples of x and y (first axes equal) for options->epochs epochs; the last, partial
 * batch counts, and the logs are means over samples, those of training while the weights change. history
 * gets a row of logs per epoch, NaN for epochs not run; or NULL. A model goes on where its last fit ended:
 * twice 3 epochs are 6. A loss that is no longer finite is logged, and stops only by a callback.
 * What is missing or does not fit (WASHI_MISUSE, WASHI_BAD_SHAPE, WASHI_BAD_TYPE, WASHI_BAD_VALUE) is found
 * before training begins; the failure of a step or of a callback ends it, the weights being as the last whole
 * step left them. */
WASHI_API washi_status washi_fit(washi_model *m, const washi_array *x, const washi_array *y,
                                 const washi_fit_options *options, double (*history)[4]);
/** Loss and metric (NaN without one) of m over x and y, in order. Uses options' loss, metric,
 * batch_size and progress. Errors as washi_fit. */
WASHI_API washi_status washi_evaluate(washi_model *m, const washi_array *x, const washi_array *y,
                                      const washi_fit_options *options, double logs[2]);
/** m's result for every sample of x, in order, into out (F32). batch_size 0: 32. WASHI_BAD_SHAPE: a result
 * that is not one for each sample; and errors as washi_fit. */
WASHI_API washi_status washi_predict(washi_model *m, const washi_array *x, int64_t batch_size,
                                     float *out);

/* -- files ------------------------------------------------------------------------------------- */

/** Reads an IDX file, plain or gzip (LeCun's format of the MNIST database): U8, I32, F32 and F64 elements
 * (signed bytes and shorts become I32). Every field is checked before it is believed. out->data is the
 * caller's to washi_release. WASHI_IO: cannot open or read; WASHI_BAD_FILE: not what the format says,
 * too short or too long. */
WASHI_API washi_status washi_read_idx(washi *w, const char *path, washi_array *out);

/* A writer puts the whole file beside the target under another name, on the disk, and then in its place: a
 * failure (WASHI_IO) leaves the target as it was. A symbolic link is followed; what is no regular file is
 * refused. Every element is read and written to the last bit. */

/** Reads a NumPy file of one array: versions 1.0 to 3.0, either byte order, C and Fortran order (which
 * becomes row-major). f4 f8 i4 u1 are read as they are; f2 becomes F32, b1 U8, and i1 i2 u2 I32; so do u4 i8
 * u8 if every value fits (else WASHI_BAD_VALUE). Any other element type is WASHI_BAD_TYPE, more than
 * WASHI_MAX_RANK axes WASHI_BAD_SHAPE; WASHI_IO and WASHI_BAD_FILE as above. out->data is the caller's to
 * washi_release. */
WASHI_API washi_status washi_read_npy(washi *w, const char *path, washi_array *out);
/** Writes an array as numpy.load reads it: version 1.0, C order, this machine's byte order. */
WASHI_API washi_status washi_write_npy(const char *path, const washi_array *a);

/** An array with its name. */
typedef struct {
    const char *name; /**< UTF-8 */
    washi_array array;
} washi_named_array;
/** A line of a file's metadata; UTF-8. */
typedef struct {
    const char *key, *value;
} washi_metadata;
/** What a safetensors file holds. To write one, fill in the first four; all memory is yours. */
typedef struct {
    int arrays, lines; /**< how many of each */
    washi_named_array *array;
    washi_metadata *metadata;
    char *text; /**< the reader's: what names and metadata stand in */
    size_t text_bytes;
} washi_safetensors;

/** Reads a safetensors file, its arrays in the order of its header. F32 F64 I32 U8 are read as they are; F16 and
 * BF16 become F32, BOOL U8, and I8 I16 U16 I32; so do U32 I64 U64 if every value fits (else WASHI_BAD_VALUE).
 * Refused, with a sentence that names the tensor, is all that the format's reference implementation refuses, and
 * keys that are there twice, members of a tensor that the format does not know, names with a U+0000
 * (WASHI_BAD_FILE); other types and ranks as by washi_read_npy. The caller's to washi_safetensors_free. */
WASHI_API washi_status washi_read_safetensors(washi *w, const char *path, washi_safetensors *out);
/** Writes a safetensors file. Names must be there, UTF-8, not "__metadata__", and each once (WASHI_BAD_VALUE).
 * The same arrays in the same order give the same bytes. */
WASHI_API washi_status washi_write_safetensors(washi *w, const char *path, const washi_safetensors *s);
/** Frees what washi_read_safetensors gave and clears *s; NULL and a cleared one are fine. */
WASHI_API void washi_safetensors_free(washi *w, washi_safetensors *s);

#ifdef __cplusplus
}
#endif
#endif
