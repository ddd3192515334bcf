/* random_graph.c: values made of one another by ops drawn at random. */
#include "random_graph.h"

#include <string.h>

static washi_tensor *any(struct graph *g) { return g->value[below(&g->seed, g->count)]; }

/* Keeps what comes of unbounded ops near 0. */
static washi_tensor *tamed(washi_tensor *x) { return washi_scale(washi_tanh(washi_scale(x, 0.4)), 2); }

static washi_tensor *flat(washi_tensor *x)
{
    return washi_reshape(x, SHAPE(washi_size(washi_shape_of(x))));
}

/* The first n elements of x and as many zeros as are missing, under this shape. */
static washi_tensor *fitted(washi_tensor *x, washi_shape shape)
{
    const int64_t n = washi_size(shape), have = washi_size(washi_shape_of(x));
    if (have > n) return washi_reshape(washi_slice(flat(x), 0, 0, n), shape);
    return washi_reshape(washi_pad(flat(x), 0, 0, n - have), shape);
}

/* x with one of its axes, if it has one, cut to size 1: stretches to x's shape. */
static washi_tensor *thin(struct graph *g, washi_tensor *x)
{
    const washi_shape s = washi_shape_of(x);
    if (!s.rank) return x;
    const int axis = below(&g->seed, s.rank);
    return s.dim[axis] ? washi_slice(x, axis, 0, 1) : x;
}

static washi_tensor *elementwise(struct graph *g)
{
    static washi_unary_fn *const bounded[] = {washi_tanh,     washi_sigmoid,     washi_sin,  washi_cos,
                                              washi_atan,     washi_asinh,       washi_erf,  washi_erfc,
                                              washi_softplus, washi_log_sigmoid, washi_silu, washi_mish,
                                              washi_gelu,     washi_softsign,    washi_neg};
    static washi_unary_fn *const growing[] = {washi_square, washi_sinh,  washi_cosh,
                                              washi_exp,    washi_expm1, washi_exp2};
    static washi_unary_fn *const of_positive[] = {washi_log,   washi_sqrt,       washi_rsqrt,
                                                  washi_log2,  washi_reciprocal, washi_cbrt,
                                                  washi_log1p, washi_acosh,      washi_lgamma};
    washi_tensor *x = any(g);
    switch (below(&g->seed, 8)) {
    case 0: return washi_softmax(washi_shape_of(x).rank ? x : flat(x));
    case 1: return washi_log_softmax(washi_shape_of(x).rank ? x : flat(x));
    case 2: return washi_shift(washi_relu(washi_shift(x, 20)), -20);
    case 3: return tamed(growing[below(&g->seed, 6)](washi_scale(x, 0.3)));
    case 4: return of_positive[below(&g->seed, 9)](washi_shift(washi_mul(x, x), 1.5));
    default: return bounded[below(&g->seed, 15)](x);
    }
}

static washi_tensor *of_two(struct graph *g)
{
    washi_tensor *x = any(g), *y = fitted(any(g), washi_shape_of(x));
    if (below(&g->seed, 2)) y = thin(g, y);
    if (below(&g->seed, 2)) {
        washi_tensor *swap = x;
        x = y, y = swap;
    }
    switch (below(&g->seed, 9)) {
    case 0: return washi_add(x, y);
    case 1: return washi_sub(x, y);
    case 2: return tamed(washi_mul(x, y));
    case 3: return washi_div(x, washi_shift(washi_mul(y, y), 1));
    case 4: return washi_mul(x, washi_sigmoid(y));
    case 5: return washi_pow(washi_shift(washi_sigmoid(x), 0.5), y);
    case 6: return washi_atan2(x, washi_shift(washi_mul(y, y), 0.5));
    case 7: return washi_lerp(x, y, washi_sigmoid(washi_sub(y, x)));
    default:
        return washi_where(
            washi_greater_equal(washi_stop_gradient(x), washi_full(g->tape, g->type, SCALAR, 9)), y, x);
    }
}

/* Multiples of 20 in random order: added to values within a few units they leave no ties. */
static washi_tensor *apart(struct graph *g, washi_shape shape)
{
    const int64_t n = washi_size(shape);
    const uint64_t stream = next_bits(&g->seed);
    washi_tensor *order = washi_cast(washi_permutation(g->tape, n, stream, NULL), g->type);
    return washi_reshape(washi_scale(order, 20), shape);
}

/* Near 1, so that products of many stay there. */
static washi_tensor *factors(washi_tensor *x)
{
    return washi_shift(washi_scale(washi_tanh(x), 0.2), 1);
}

/* Over one axis, all, or some. */
static washi_tensor *reduced(struct graph *g)
{
    washi_tensor *x = any(g);
    const washi_shape s = washi_shape_of(x);
    const bool keep = below(&g->seed, 2);
    int axes[WASHI_MAX_RANK], n = 0;
    for (int i = 0; i < s.rank; i++)
        if (below(&g->seed, 2)) axes[n++] = i;
    if (!n || !below(&g->seed, 4)) axes[0] = WASHI_ALL, n = 1;
    switch (below(&g->seed, 8)) {
    case 0: return tamed(washi_over(washi_sum, x, n, axes, keep));
    case 1: return washi_over(washi_mean, x, n, axes, keep);
    case 2: return washi_over(washi_logsumexp, x, n, axes, keep);
    case 3: return tamed(washi_over(washi_prod, factors(x), n, axes, keep));
    case 4: return tamed(washi_over(washi_var, x, n, axes, keep));
    case 5: return tamed(washi_shift(washi_over(washi_norm, washi_shift(x, 9), n, axes, keep), -9));
    default: {
        washi_reduction *f = below(&g->seed, 2) ? washi_max : washi_min;
        washi_tensor *ramp = apart(g, s);
        return washi_sub(washi_over(f, washi_add(x, ramp), n, axes, keep),
                         washi_over(f, ramp, n, axes, keep));
    }
    }
}

static washi_tensor *running(struct graph *g)
{
    washi_tensor *x = any(g);
    if (!washi_shape_of(x).rank) x = flat(x);
    const int axis = below(&g->seed, washi_shape_of(x).rank);
    return tamed(below(&g->seed, 2) ? washi_cumsum(x, axis) : washi_cumprod(factors(x), axis));
}

static washi_tensor *product(struct graph *g)
{
    const int64_t m = 1 + below(&g->seed, 4), k = 1 + below(&g->seed, 5), n = 1 + below(&g->seed, 4);
    washi_tensor *a = fitted(any(g), below(&g->seed, 2) ? SHAPE(2, m, k) : SHAPE(m, k));
    washi_tensor *b =
        below(&g->seed, 2) ? fitted(any(g), SHAPE(k, n)) : washi_transpose(fitted(any(g), SHAPE(n, k)));
    return tamed(washi_matmul(a, b));
}

/* The formula's letters stand for sizes drawn anew. */
static washi_tensor *einsum(struct graph *g)
{
    static const char *const formulas[][3] = {
        {"ij,jk->ik", "ij", "jk"},    {"bij,bkj->bik", "bij", "bkj"}, {"iij,kj->ki", "iij", "kj"},
        {"ij,ij->j", "ij", "ij"},     {"ij,kl->lj", "ij", "kl"},      {"bi,bj->bij", "bi", "bj"},
        {"ijk,lkj->il", "ijk", "lkj"}};
    const char *const *f = formulas[below(&g->seed, 7)];
    int64_t size[26];
    washi_tensor *x[2];
    for (int i = 0; i < 26; i++) size[i] = 1 + below(&g->seed, 4);
    for (int k = 0; k < 2; k++) {
        washi_shape s = {.rank = (int)strlen(f[1 + k])};
        for (int i = 0; i < s.rank; i++) s.dim[i] = size[f[1 + k][i] - 'a'];
        x[k] = fitted(any(g), s);
    }
    return tamed(washi_einsum(f[0], 2, x));
}

static washi_tensor *indexed(struct graph *g)
{
    washi_tensor *x = any(g);
    if (!washi_shape_of(x).rank) x = flat(x);
    washi_shape s = washi_shape_of(x);
    const int axis = below(&g->seed, s.rank), end = (int)s.dim[axis];
    int32_t index[4];
    for (int i = 0; i < 4; i++) index[i] = below(&g->seed, end);
    washi_tensor *indices = washi_constant(g->tape, WASHI_I32, SHAPE(4), index);
    switch (below(&g->seed, 4)) {
    case 0: return washi_take(x, indices, axis);
    case 1: return tamed(washi_scatter_add(x, indices, washi_take(x, indices, axis), axis));
    case 2: return washi_gather(flat(x), washi_reshape(indices, SHAPE(2, 2, 1)));
    default:
        s.dim[axis] = 2; /* each element one of the first few, drawn on the tape */
        washi_tensor *u = washi_uniform(g->tape, WASHI_F32, s, next_bits(&g->seed), NULL);
        return washi_take_along(x, washi_cast(washi_scale(u, end), WASHI_I32), axis);
    }
}

static washi_tensor *moved(struct graph *g)
{
    washi_tensor *x = any(g);
    const washi_shape s = washi_shape_of(x);
    if (!s.rank) return washi_broadcast_to(x, SHAPE(2, 3));
    const int axis = below(&g->seed, s.rank);
    int axes[WASHI_MAX_RANK];
    for (int i = 0; i < s.rank; i++) axes[i] = (i + axis) % s.rank;
    switch (below(&g->seed, 6)) {
    case 0: return washi_permute(x, axes);
    case 1: return flat(x);
    case 2: return washi_slice(x, axis, s.dim[axis] / 2, s.dim[axis]);
    case 3: return washi_pad(x, axis, 1, below(&g->seed, 2));
    case 4: return washi_concat(2, (washi_tensor *[]){x, washi_slice(x, axis, 0, 1)}, axis);
    default:
        return s.rank < 4 ? washi_broadcast_to(washi_reshape(x, SHAPE(1, washi_size(s))),
                                               SHAPE(2, washi_size(s)))
                          : x;
    }
}

static washi_tensor *arranged(struct graph *g)
{
    washi_tensor *x = any(g), *parts[2];
    if (!washi_shape_of(x).rank || washi_shape_of(x).rank > 4) x = flat(x);
    const washi_shape s = washi_shape_of(x);
    const int axis = below(&g->seed, s.rank);
    int64_t times[] = {1, 2, 1, 1};
    switch (below(&g->seed, 9)) {
    case 0: return washi_flip(x, axis);
    case 1: return washi_slice_step(x, axis, s.dim[axis] - 1, -s.dim[axis] - 1, -2);
    case 2: return washi_slice_step(x, axis, 0, s.dim[axis], 3);
    case 3: return washi_tile(x, times);
    case 4: return washi_repeat(x, 2, axis);
    case 5: return washi_stack(2, (washi_tensor *[]){x, washi_tanh(x)}, axis);
    case 6:
        if (washi_split(x, 2, (int64_t[]){1, s.dim[axis] - 1}, axis, parts)) return NULL;
        return s.dim[axis] > 1 ? parts[1] : parts[0];
    case 7: return washi_diag(s.rank > 1 ? x : washi_slice(x, 0, 0, s.dim[0] < 12 ? s.dim[0] : 12));
    default:
        return s.rank > 1 ? washi_tril(x, below(&g->seed, 3) - 1)
                          : washi_squeeze(washi_expand_dims(x, 1), 1);
    }
}

static washi_tensor *noisy(struct graph *g)
{
    washi_tensor *x = any(g);
    const washi_shape s = washi_shape_of(x);
    const uint64_t stream = next_bits(&g->seed);
    switch (below(&g->seed, 3)) {
    case 0: return washi_mul(x, washi_uniform(g->tape, g->type, s, stream, NULL));
    case 1: return washi_mul(x, washi_bernoulli(g->tape, g->type, s, 0.7, stream, NULL));
    default: return washi_add(x, washi_tanh(washi_normal(g->tape, g->type, s, stream, NULL)));
    }
}

washi_tensor *grown(struct graph *g)
{
    switch (below(&g->seed, 13)) {
    case 0:
    case 1: return elementwise(g);
    case 2:
    case 3: return of_two(g);
    case 4:
    case 5: return reduced(g);
    case 6: return product(g);
    case 7: return einsum(g);
    case 8: return indexed(g);
    case 9: return moved(g);
    case 10: return arranged(g);
    case 11: return running(g);
    default: return noisy(g);
    }
}
