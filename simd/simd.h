/* simd.h: one table of kernels per CPU level, on raw pointers: no tensors, no memory, no threads.
 *
 * Every level gives the same bits (docs/kernels.md has the rules). No kernel touches memory outside
 * its operands. Types are picked by index: table->map[WA_MAP_add][WA_F32]. */
#ifndef WA_SIMD_H
#define WA_SIMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Element types; the first two are real, and most kernels exist for those alone. */
enum { WA_F32, WA_F64, WA_REALS, WA_I32 = WA_REALS, WA_U8, WA_TYPES };

/* Elements of a row belong to lane i mod WA_LANES; lane j then takes lane j + h for h = WA_LANES/2,
 * ..., 2, 1. Lanes begin at +0 for a sum, at 1 for a product and at -infinity for a maximum. */
#define WA_LANES 64

/* -- elementwise: y[i] = f(x[0][i], x[1][i], ...). y may be one of the x, no other overlap. ------- */
// clang-format off
#define WA_MAPS(X) \
    X(copy, 1) /* x */ \
    X(neg, 1) /* -x */ \
    X(abs, 1) /* |x| */ \
    X(sign, 1) /* -1, 0 or 1; NaN for NaN */ \
    X(floor, 1) \
    X(ceil, 1) \
    X(round, 1) /* to the nearest whole number, halves to the even one */ \
    X(trunc, 1) /* towards 0 */ \
    X(sqrt, 1) \
    X(cbrt, 1) \
    X(exp, 1) \
    X(exp2, 1) \
    X(expm1, 1) /* exp(x) - 1 */ \
    X(log, 1) \
    X(log2, 1) \
    X(log10, 1) \
    X(log1p, 1) /* log(1 + x) */ \
    X(sin, 1) \
    X(cos, 1) \
    X(tan, 1) \
    X(asin, 1) \
    X(acos, 1) \
    X(atan, 1) \
    X(sinh, 1) \
    X(cosh, 1) \
    X(tanh, 1) \
    X(asinh, 1) \
    X(acosh, 1) \
    X(atanh, 1) \
    X(erf, 1) \
    X(erfc, 1) \
    X(lgamma, 1) /* log of |gamma(x)| */ \
    X(sigmoid, 1) /* 1 / (1 + exp(-x)) */ \
    X(softplus, 1) /* log(1 + exp(x)) */ \
    X(relu, 1) /* x < 0 ? 0 : x; NaN for NaN */ \
    X(add, 2) \
    X(sub, 2) \
    X(mul, 2) \
    X(div, 2) \
    X(pow, 2) /* x0 to the x1 */ \
    X(atan2, 2) /* the angle of the point (x1, x0) */ \
    X(hypot, 2) /* sqrt(x0^2 + x1^2) */ \
    X(fmod, 2) /* x0 - trunc(x0 / x1) * x1, exact */ \
    X(polygamma, 2) /* the derivative of order floor(x0) of digamma at x1 */ \
    X(minimum, 2) /* NaN if either is, x0 of equal ones; as NumPy */ \
    X(maximum, 2) /* the same */ \
    X(gate, 2) /* x1 > 0 ? x0 : 0 */ \
    X(equal, 2) /* x0 == x1 ? 1 : 0, and so on */ \
    X(not_equal, 2) \
    X(less, 2) \
    X(less_equal, 2) \
    X(greater, 2) \
    X(greater_equal, 2) \
    X(logical_and, 2) /* 1 or 0; what is not 0, NaN too, is true */ \
    X(logical_or, 2) \
    X(logical_xor, 2) \
    X(where, 3) /* x0 != 0 ? x1 : x2 */
// clang-format on

enum wa_map {
#define WA_MAP_ENUM(name, arity) WA_MAP_##name,
    WA_MAPS(WA_MAP_ENUM)
#undef WA_MAP_ENUM
        WA_MAP_COUNT
};
typedef void wa_map_fn(size_t n, void *y, const void *const x[]);

/* The maps of two operands with broadcasting: y[r*n + j] = f(x[0][...], x[1][...]), r < rows, x[k]'s
 * element being r*x_row[k] + j*x_column[k]. x_row is any stride, x_column 0 or 1: a row for all rows is
 * 0, 1; a column for all columns 1, 0; a number 0, 0. y may be an x that is of y's own shape. */
#define WA_STRETCHES(X) X(add) X(sub) X(mul) X(div) X(gate) X(greater_equal) X(equal)

enum wa_stretch {
#define WA_STRETCH_ENUM(name) WA_STRETCH_##name,
    WA_STRETCHES(WA_STRETCH_ENUM)
#undef WA_STRETCH_ENUM
        WA_STRETCH_COUNT
};
typedef void wa_stretch_fn(size_t rows, size_t n, void *y, const void *const x[], const size_t x_row[],
                           const size_t x_column[]);

/* -- reductions ---------------------------------------------------------------------------------- */
#define WA_FOLDS(X)                                                                                    \
    X(sum)                                                                                             \
    X(max)         /* vmax(a, b) = a > b ? a : b, the accumulator being a */                           \
    X(min)         /* a < b ? a : b */                                                                 \
    X(sum_squares) /* fma(x, x, a) */                                                                  \
    X(prod)

enum wa_fold {
#define WA_FOLD_ENUM(name) WA_FOLD_##name,
    WA_FOLDS(WA_FOLD_ENUM)
#undef WA_FOLD_ENUM
        WA_FOLD_COUNT
};
/* y[r] = fold of x[r*n ... r*n+n-1], by the lanes' rule. */
typedef void wa_fold_last_fn(size_t rows, size_t n, void *y, const void *x);
/* y[j] = fold over i in order, from the identity, of x[i*stride + j]; j < n. on: from what y holds. */
typedef void wa_fold_first_fn(size_t count, size_t n, size_t stride, bool on, void *y, const void *x);
/* y[r] = index of the first largest, or smallest, of x[r*n ... r*n+n-1]; n in 1 ... 2^31-1. NaN is
 * never it; 0 for a row of nothing else. */
typedef void wa_arg_fn(size_t rows, size_t n, int32_t *y, const void *x);
/* y[r] = sum of a[r*n + i] * b[r*n + i], fused, by the lanes' rule. */
typedef void wa_dot_fn(size_t rows, size_t n, void *y, const void *a, const void *b);
/* mean[r] and variance[r] of rows of n: in pieces of 2048, sum / count and the sum of squares about
 * that, both by the lanes' rule, put together in order; variance is the last divided by n. NaN for n =
 * 0. */
typedef void wa_moments_fn(size_t rows, size_t n, void *mean, void *variance, const void *x);
/* y = (x - mean) * (1 / sqrt(variance + epsilon)), then * gain[j] and + bias[j], either of which may be
 * NULL. y may be x. */
typedef void wa_normalize_fn(size_t rows, size_t n, void *y, const void *x, const void *gain,
                             const void *bias, double epsilon);

/* -- chains of maps: a little machine with a value, which links change, and two saved ones, each some
 * vectors in registers. Link k does code[k] with at[k], all links for some elements i < n before any for
 * the next. load: the value is at[k][i] (number: at[k][0]; bytes: at[k] holds uint8_t); store: at[k][i]
 * becomes the value. save_0, restore_0, store_0: the value goes to register 0, that to the value, that
 * to at[k][i]; add_to_0: it takes its sum with the value, which stays; add_product_0, add_scaled_0: its
 * sum with the value times at[k][i], or at[k][0]. A unary map: f(value), and for
 * map that at[k] points to, a wa_map_fn *const; with that, and with those of WA_CHAIN_MATHS, which
 * math_chain alone knows, the registers are lost. A binary one: f(value,
 * at[k][i]) for _vector, at[k][0] for _number, register 0 for _saved_0, operands exchanged for
 * _by_vector and so on, f(value, value) for _itself. A fold takes the value into the WA_LANES elements
 * at at[k], its own; the link that begins it, with the same at[k], comes before all but others of its
 * kind, and in the end at[k][0] is the fold of all n by the lanes' rule. Where a code has
 * WA_CHAIN_LOCAL, at[k] is WA_CHAIN_BLOCK bytes, or n elements, used again and again. prefetch
 * asks memory for at[k][i], which need not be any, into the second-level cache, prefetch_near into the
 * first. The first link but those makes a value, and a
 * register is read when it was written. ---------------------------- */
// clang-format off
#define WA_CHAIN_MATHS(X)    X(exp) X(tanh) X(sigmoid)
#define WA_CHAIN_UNARIES(X)  X(neg) X(sqrt) X(relu)
#define WA_CHAIN_BINARIES(X) X(add) X(sub) X(mul) X(div) X(gate) X(greater_equal) X(equal)

#define WA_CHAIN_UNARY(name) WA_CHAIN_##name,
#define WA_CHAIN_BINARY(name) \
    WA_CHAIN_##name##_vector, WA_CHAIN_##name##_number, \
    WA_CHAIN_##name##_by_vector, WA_CHAIN_##name##_by_number, WA_CHAIN_##name##_itself, \
    WA_CHAIN_##name##_saved_0, WA_CHAIN_##name##_saved_1, \
    WA_CHAIN_##name##_by_saved_0, WA_CHAIN_##name##_by_saved_1,
#define WA_CHAIN_FOLD(name) WA_CHAIN_fold_##name,
#define WA_CHAIN_BEGIN(name) WA_CHAIN_begin_##name,
enum wa_chain_code {
    WA_CHAIN_load, WA_CHAIN_number, WA_CHAIN_bytes,
    WA_CHAIN_store,
    WA_CHAIN_stream, /* past the caches, for a large result; before another thread reads it: fence */
    WA_CHAIN_save_0, WA_CHAIN_save_1, WA_CHAIN_restore_0, WA_CHAIN_restore_1,
    WA_CHAIN_store_0, WA_CHAIN_store_1, WA_CHAIN_add_to_0, WA_CHAIN_add_to_1,
    WA_CHAIN_add_product_0, WA_CHAIN_add_product_1, /* at[k][i] */
    WA_CHAIN_add_scaled_0, WA_CHAIN_add_scaled_1, /* at[k][0] */
    WA_CHAIN_prefetch, WA_CHAIN_prefetch_near,
    WA_CHAIN_map, WA_CHAIN_MATHS(WA_CHAIN_UNARY)
    WA_CHAIN_UNARIES(WA_CHAIN_UNARY)
    WA_CHAIN_BINARIES(WA_CHAIN_BINARY)
    WA_FOLDS(WA_CHAIN_FOLD)
    WA_FOLDS(WA_CHAIN_BEGIN)
    WA_CHAIN_CODES
};
// clang-format on
#undef WA_CHAIN_UNARY
#undef WA_CHAIN_BINARY
#undef WA_CHAIN_FOLD
#undef WA_CHAIN_BEGIN
enum {
    WA_CHAIN_REGISTERS = 2, /* saved ones; the code of register 1 follows that of register 0 */
    /* From the code of _vector to the others. */
    WA_CHAIN_NUMBER = 1,
    WA_CHAIN_BY = 2,
    WA_CHAIN_ITSELF = 4,
    WA_CHAIN_SAVED = 5,
    WA_CHAIN_LOCAL = 128,
    WA_CHAIN_BLOCK = 512
};
typedef void wa_chain_fn(size_t n, size_t links, const unsigned char *code, void *const at[]);

/* -- rows: softmax and its kin over contiguous rows of n, the maximum and the sum by the lanes' rule.
 * softmax: e = exp(x - max), y = e * (1 / sum e). log_softmax: y = (x - max) - log(sum e).
 * logsumexp: one number a row, max + log(sum e), and -infinity for n = 0. y may be x. ------------- */
#define WA_ROWS(X)                                                                                     \
    X(softmax)                                                                                         \
    X(log_softmax)                                                                                     \
    X(logsumexp)

enum wa_row {
#define WA_ROW_ENUM(name) WA_ROW_##name,
    WA_ROWS(WA_ROW_ENUM)
#undef WA_ROW_ENUM
        WA_ROW_COUNT
};
typedef void wa_row_fn(size_t rows, size_t n, void *y, const void *x);
/* softmax in y and logsumexp in total; neither overlaps anything. */
typedef void wa_row_pair_fn(size_t rows, size_t n, void *y, void *total, const void *x);

/* -- movement ------------------------------------------------------------------------------------ */
/* y[i] = (to) x[i]. To an integer: truncated, clamped to its range, NaN to 0. */
typedef void wa_cast_fn(size_t n, void *y, const void *x);
/* y[j*y_row + i] = x[i*x_row + j], i < rows, j < columns; strides in elements. */
typedef void wa_transpose_fn(size_t rows, size_t columns, void *y, size_t y_row, const void *x,
                             size_t x_row);
/* y[i*y_row + j] = x[i*x_row + j*x_column], i < rows, j < n; strides in elements, x's may be 0. */
typedef void wa_copy_fn(size_t rows, size_t n, void *y, size_t y_row, const void *x, size_t x_row,
                        size_t x_column);
/* y[i*n + j] = x[index[i]*x_row + j], i < count, j < n. Indices are not checked, here and below. */
typedef void wa_gather_fn(size_t count, size_t n, void *y, const void *x, size_t x_row,
                          const int32_t *index);
/* y[index[i]*y_row + j] += x[i*n + j], i in order. */
typedef void wa_scatter_add_fn(size_t count, size_t n, void *y, size_t y_row, const void *x,
                               const int32_t *index);

/* -- random numbers: Philox4x32-10, key = seed, counter = { index / 4, stream } ------------------- */
/* The words, uniforms or normals first ... first+n-1 of a stream; first a multiple of 4.
 * uniform: (word >> 8) * 2^-24. normal: words 4c ... 4c+3 make elements 4c ... 4c+3, each pair of words
 * (a, b) giving r cos t and r sin t with r = sqrt(-2 log(((a >> 8) + 1) * 2^-24)) and
 * t = 2 pi (b >> 8) * 2^-24. In double two words (a, b) give 53 bits, k = (a >> 5) * 2^26 + (b >> 6),
 * where one gives 24 in float: words 2i and 2i+1 make uniform i = k * 2^-53, and each pair of numbers
 * (k, l) the normals of r = sqrt(-2 log((k + 1) * 2^-53)) and t = 2 pi l * 2^-53. */
typedef void wa_random_fn(uint64_t seed, uint64_t stream, uint64_t first, size_t n, void *y);
enum wa_random {
    WA_RANDOM_bits,
    WA_RANDOM_uniform,
    WA_RANDOM_normal,
    WA_RANDOM_uniform_f64,
    WA_RANDOM_normal_f64,
    WA_RANDOM_COUNT
};

/* -- asking memory ------------------------------------------------------------------------------- */
/* Cache lines of rows that will be read soon: the first of each row, then the second of each, ...; left
 * of them, from line number `line` of row number `row` on. A row begins stride bytes after the one
 * before, or where its index says. They need not be any that can be read. */
struct wa_lines {
    uintptr_t from;
    const int32_t *index; /* NULL: the identity */
    size_t stride, rows, row, line, left;
};
/* Asks memory for the next n of them, or as many as are left, but for the first line of all rows at
 * once. */
void wa_ask(struct wa_lines *l, size_t n);

/* -- matrix product ------------------------------------------------------------------------------ */
/* Called by gemm for each finished part of the result while it is in the first-level cache: elements
 * [row, row + rows) x [column, column + columns), element (row + r, column + j) being
 * tile[r*tile_row + j]. The parts of a call cover its result once, in any order. Every row of a part is
 * contiguous, and the whole part is when tile_row == columns. */
typedef void wa_gemm_epilogue_fn(void *context, size_t row, size_t column, size_t rows, size_t columns,
                                 void *tile, size_t tile_row);

/* c = alpha * (a @ b) + beta * c: each element one chain of fused multiply-adds over k in order, from
 * 0; then, with roundings between, times alpha (unless 1) and plus beta * c (unless 0; c is then not
 * read). Strides in elements: a and b have one of their two strides equal to 1, c's columns touch.
 * c overlaps neither a nor b. Sizes may be 0. W -= lr * (a @ b) is alpha = -lr, beta = 1.
 * All from a_u8 on is off when zero. */
struct wa_gemm {
    size_t m, n, k;
    const void *a;
    size_t a_row, a_column; /* a[i][p] = a[i*a_row + p*a_column] */
    const void *b;
    size_t b_row, b_column; /* b[p][j] = b[p*b_row + j*b_column] */
    void *c;
    size_t c_row;
    double alpha, beta; /* exact in the elements' type */
    /* Other cores may have c's lines in their caches. They are then taken away from these by a write
     * before the sums, in whose time it is done; a prefetch does not do it. */
    bool c_shared;

    /* The left operand made on the way: a[i][p] = a_scale * (T)a[a_rows[i]*a_row +
     * a_columns[p]*a_column] where an index that is NULL counts as the identity and a_scale 0 as 1.
     * Indices are not checked; one given goes with the stride that is not 1. The bits are those of
     * gather, cast, multiply. */
    bool a_u8; /* a holds uint8_t */
    const int32_t *a_rows, *a_columns;
    double a_scale; /* exact in the elements' type */
    /* With a_rows, and m above 1: where a is left as it was made, m by k, for others. NULL: nowhere. */
    void *a_kept;

    /* With an epilogue c may be NULL (and beta 0): the tiles are then in the scratch memory, and the
     * epilogue alone sees the result. Else they are in c. It may change a tile, and read and write all
     * else that a and b do not share memory with. row and column count from these. */
    wa_gemm_epilogue_fn *epilogue;
    void *context;
    size_t row, column;

    /* b is one of the panels that gemm_pack has made, with all behind it; b_row is gemm_panel and
     * b_column k. */
    bool b_packed;

    /* Asked for a share at a time, before each tile, and left empty; one call's. NULL: none. */
    struct wa_lines *ahead;

    /* Products in all, 0 as 1, and the distances in elements from one's operands to the next's, of any
     * value. To the epilogue the results are below one another: those of product q begin at row + q
     * times batch_rows, 0 as m. */
    size_t batch, a_batch, b_batch, c_batch, batch_rows;
};
/* Bytes of scratch memory that gemm needs for this shape, 0 for small ones; a shape whose m, n or k are
 * smaller, all else equal, needs no more. */
typedef size_t wa_gemm_scratch_fn(const struct wa_gemm *g);
/* scratch: aligned to 64 bytes, one for each call under way. */
typedef void wa_gemm_fn(const struct wa_gemm *g, void *scratch);

/* The right operand copied once for several calls, into panels: gemm_panel columns and k rows each, one
 * behind the other, the last one's rest unspecified. packs: whether gemm would copy it for itself.
 * pack: panels first ... end-1 of g's b to their places among all, which begin at y. Of g it reads b, its
 * strides, n and k. */
typedef bool wa_gemm_packs_fn(const struct wa_gemm *g);
typedef void wa_gemm_pack_fn(const struct wa_gemm *g, size_t first, size_t end, void *y);

/* Sharing the work between threads. parts: how many are worth while, at most threads and at least 1.
 * part: the one of that index, maybe empty, to be run with scratch memory of its own, for which what g
 * needs is enough; the epilogue still counts from g's corner. The cuts depend on g's sizes and parts
 * alone: a batch's range is cut if it is long, else rows and columns of c, columns at multiples of
 * WA_GEMM_CUT, where panels end at every level. */
enum { WA_GEMM_CUT = 32 };
size_t wa_gemm_parts(const struct wa_gemm *g, size_t threads);
void wa_gemm_part(const struct wa_gemm *g, int type, size_t parts, size_t index, struct wa_gemm *part);

/* -- the table ----------------------------------------------------------------------------------- */
struct wa_simd {
    const char *name; /* "scalar", "avx2", ... */
    wa_map_fn *map[WA_MAP_COUNT][WA_REALS];
    wa_stretch_fn *stretch[WA_STRETCH_COUNT][WA_REALS];
    wa_chain_fn *chain[WA_REALS], *math_chain[WA_REALS]; /* NULL: maps do as well */
    wa_fold_last_fn *fold_last[WA_FOLD_COUNT][WA_REALS];
    wa_fold_first_fn *fold_first[WA_FOLD_COUNT][WA_REALS];
    wa_arg_fn *argmax[WA_REALS], *argmin[WA_REALS];
    wa_dot_fn *dot[WA_REALS];
    wa_moments_fn *moments[WA_REALS];
    wa_normalize_fn *normalize[WA_REALS];
    wa_row_fn *row[WA_ROW_COUNT][WA_REALS];
    wa_row_pair_fn *softmax_logsumexp[WA_REALS];
    wa_cast_fn *cast[WA_TYPES][WA_TYPES]; /* [to][from] */
    wa_transpose_fn *transpose[WA_TYPES];
    wa_copy_fn *copy[WA_TYPES];
    wa_gather_fn *gather[WA_TYPES];
    wa_scatter_add_fn *scatter_add[WA_REALS];
    wa_random_fn *random[WA_RANDOM_COUNT];
    wa_gemm_scratch_fn *gemm_scratch[WA_REALS];
    wa_gemm_fn *gemm[WA_REALS];
    size_t gemm_panel[WA_REALS]; /* a divisor of WA_GEMM_CUT */
    wa_gemm_packs_fn *gemm_packs[WA_REALS];
    wa_gemm_pack_fn *gemm_pack[WA_REALS];
};

/* The levels of this build, scalar first and the best last; NULL past the end. */
const struct wa_simd *wa_simd_level(int index);
/* Whether this CPU, and its operating system, can run a level. */
bool wa_simd_usable(const struct wa_simd *level);
/* The level of that name, or for NULL the best usable one. NULL when there is none: *why then says so
 * in a sentence that can be shown ("this CPU has no ..."), a constant string. */
const struct wa_simd *wa_simd_find(const char *name, const char **why);
/* Names and arities of the maps, for messages and tests. */
const char *wa_map_name(enum wa_map map);
int wa_map_arity(enum wa_map map);

/* Sets this thread's floating-point mode to what the kernels assume (round to nearest, denormals kept,
 * no traps); leave restores what enter returned. */
uint64_t wa_fp_enter(void);
void wa_fp_leave(uint64_t mode);
/* Orders what WA_CHAIN_stream wrote before all that follows. */
void wa_fence(void);
/* Tells the core that this thread is waiting in a loop. */
void wa_pause(void);

#endif
