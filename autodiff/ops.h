/* ops.h: the list of all primitives, in the order of the reference: one list per family and file. */
#ifndef WA_OPS_H
#define WA_OPS_H

#include "autodiff/tape.h"

// clang-format off

/* ops_source.c */
#define WA_OPS_SOURCE(X) \
    X(input) \
    X(constant) \
    X(variable)

/* ops_map.c */
#define WA_OPS_MAP(X) \
    X(neg) \
    X(abs) \
    X(sqrt) \
    X(sign) \
    X(floor) \
    X(ceil) \
    X(round) \
    X(trunc) \
    X(relu) \
    X(add) \
    X(sub) \
    X(mul) \
    X(div) \
    X(fmod) \
    X(minimum) \
    X(maximum) \
    X(gate) \
    X(equal) \
    X(not_equal) \
    X(less) \
    X(less_equal) \
    X(greater) \
    X(greater_equal) \
    X(logical_and) \
    X(logical_or) \
    X(logical_xor) \
    X(where)

/* ops_math.c */
#define WA_OPS_MATH(X) \
    X(exp) \
    X(exp2) \
    X(expm1) \
    X(log) \
    X(log2) \
    X(log10) \
    X(log1p) \
    X(cbrt) \
    X(pow) \
    X(sin) \
    X(cos) \
    X(tan) \
    X(asin) \
    X(acos) \
    X(atan) \
    X(atan2) \
    X(hypot) \
    X(sinh) \
    X(cosh) \
    X(tanh) \
    X(asinh) \
    X(acosh) \
    X(atanh) \
    X(sigmoid) \
    X(softplus) \
    X(erf) \
    X(erfc) \
    X(lgamma) \
    X(polygamma)

/* ops_reduce.c */
#define WA_OPS_REDUCE(X) \
    X(sum) \
    X(sum_squares) \
    X(prod) \
    X(max) \
    X(min) \
    X(argmax) \
    X(argmin) \
    X(softmax) \
    X(log_softmax) \
    X(logsumexp)

/* ops_matmul.c */
#define WA_OPS_MATMUL(X) \
    X(matmul)

/* ops_shape.c */
#define WA_OPS_SHAPE(X) \
    X(reshape) \
    X(stop_gradient) \
    X(permute) \
    X(broadcast_to) \
    X(slice) \
    X(pad)

/* ops_concat.c */
#define WA_OPS_CONCAT(X) \
    X(concat)

/* ops_index.c */
#define WA_OPS_INDEX(X) \
    X(take) \
    X(scatter) \
    X(one_hot) \
    X(cast)

/* ops_along.c */
#define WA_OPS_ALONG(X) \
    X(take_along) \
    X(put_along) \
    X(ravel_index)

/* ops_scan.c */
#define WA_OPS_SCAN(X) \
    X(recurrence)

/* ops_random.c */
#define WA_OPS_RANDOM(X) \
    X(uniform) \
    X(normal) \
    X(permutation)

#define WA_OPS(X) \
    WA_OPS_SOURCE(X) \
    WA_OPS_MAP(X) \
    WA_OPS_MATH(X) \
    WA_OPS_REDUCE(X) \
    WA_OPS_MATMUL(X) \
    WA_OPS_SHAPE(X) \
    WA_OPS_CONCAT(X) \
    WA_OPS_INDEX(X) \
    WA_OPS_ALONG(X) \
    WA_OPS_SCAN(X) \
    WA_OPS_RANDOM(X)

// clang-format on

#define WA_OP_DECLARE(name) extern const struct wa_op wa_op_##name;
WA_OPS(WA_OP_DECLARE)
#undef WA_OP_DECLARE

/* Zeros, size along a plain axis, to whose elements at the indices g's are added (ops_along.c). */
washi_tensor *wa_put_along(washi_tensor *g, washi_tensor *indices, int axis, int64_t size);
/* At each place the product of all other elements along a plain axis (ops_scan.c). */
washi_tensor *wa_product_of_others(washi_tensor *a, int axis);

/* Every op; ends with NULL. */
extern const struct wa_op *const wa_ops[];

#endif
