/* reduce.c: reductions over an axis, all axes or any set of them, and those that are made of others. */
#include "autodiff/elementwise.h"

#include "autodiff/rules.h"

/* y without its axes begin ... end-1, which have size 1. */
static washi_tensor *drop_axes(washi_tensor *y, int begin, int end)
{
    if (!y) return NULL;
    washi_shape s = {.rank = y->shape.rank - (end - begin)};
    for (int i = 0; i < s.rank; i++) s.dim[i] = y->shape.dim[i < begin ? i : i + end - begin];
    return washi_reshape(y, s);
}

/* Reduces an axis, or all, by an op that leaves size 1 there. */
static washi_tensor *fold(const struct wa_op *op, washi_tensor *a, int axis, bool keep)
{
    if (!a || a->tape->status) return record1(op, a, (struct wa_attr){0});
    struct wa_attr attr = {.end = a->shape.rank};
    if (axis != WASHI_ALL) {
        if (!wa_axis(a, op->name, &axis)) return NULL;
        attr.begin = axis;
        attr.end = axis + 1;
    }
    washi_tensor *y = record1(op, a, attr);
    return keep ? y : drop_axes(y, (int)attr.begin, (int)attr.end);
}

washi_tensor *washi_sum(washi_tensor *a, int axis, bool keep)
{
    return fold(&wa_op_sum, a, axis, keep);
}

washi_tensor *washi_prod(washi_tensor *a, int axis, bool keep)
{
    return fold(&wa_op_prod, a, axis, keep);
}

washi_tensor *washi_max(washi_tensor *a, int axis, bool keep)
{
    return fold(&wa_op_max, a, axis, keep);
}

washi_tensor *washi_min(washi_tensor *a, int axis, bool keep)
{
    return fold(&wa_op_min, a, axis, keep);
}

/* -- made of these -- */

/* y divided by how many elements of a were folded into each of its own. */
static washi_tensor *per_element(washi_tensor *y, const washi_tensor *a, int axis)
{
    if (!y) return NULL;
    int64_t count =
        axis == WASHI_ALL ? washi_size(a->shape) : a->shape.dim[axis < 0 ? axis + a->shape.rank : axis];
    return div(y, washi_scalar(y->tape, y->type, (double)count));
}

/* Whether a has the axis; if not, or a is not real, an error in the name of who, which is made of
 * others. */
static bool has(const char *who, washi_tensor *a, int axis)
{
    if (!wa_fit(who, 1, &a)) return false;
    return !a || a->tape->status || axis == WASHI_ALL || wa_axis(a, who, &axis);
}

washi_tensor *washi_mean(washi_tensor *a, int axis, bool keep)
{
    return has("mean", a, axis) ? per_element(washi_sum(a, axis, keep), a, axis) : NULL;
}

static washi_tensor *variance(const char *who, washi_tensor *a, int axis, bool keep)
{
    washi_tensor *center = has(who, a, axis) ? washi_mean(a, axis, true) : NULL;
    return center ? per_element(fold(&wa_op_sum_squares, sub(a, center), axis, keep), a, axis) : NULL;
}

/* The square root, with derivative 0 at 0: what is not taken is the root of 1. */
static washi_tensor *root(washi_tensor *a)
{
    if (!a) return NULL;
    washi_tensor *zero = washi_scalar(a->tape, a->type, 0), *none = washi_equal(a, zero);
    return washi_where(none, zero, washi_sqrt(washi_where(none, washi_scalar(a->tape, a->type, 1), a)));
}

washi_tensor *washi_var(washi_tensor *a, int axis, bool keep) { return variance("var", a, axis, keep); }

washi_tensor *washi_std(washi_tensor *a, int axis, bool keep)
{
    return root(variance("std", a, axis, keep));
}

washi_tensor *washi_norm(washi_tensor *a, int axis, bool keep)
{
    return has("norm", a, axis) ? root(fold(&wa_op_sum_squares, a, axis, keep)) : NULL;
}

/* The product along the axis of how a, integers in F32, compares with 0. */
static washi_tensor *every(const char *who, washi_tensor *a, int axis, bool keep,
                           washi_tensor *compare(washi_tensor *a, washi_tensor *zero))
{
    if (!wa_usable(a, who)) return NULL;
    if (!wa_is_real(a->type)) a = washi_cast(a, WASHI_F32);
    if (!a || !has(who, a, axis)) return NULL;
    return washi_prod(compare(a, washi_scalar(a->tape, a->type, 0)), axis, keep);
}

washi_tensor *washi_any(washi_tensor *a, int axis, bool keep)
{
    washi_tensor *none = every("any", a, axis, keep, washi_equal);
    return none ? washi_logical_not(none) : NULL;
}

washi_tensor *washi_all(washi_tensor *a, int axis, bool keep)
{
    return every("all", a, axis, keep, washi_not_equal);
}

/* -- of the last axis, along any -- */

/* Applies an op of the last axis along any: moved there and back. */
static washi_tensor *along(const struct wa_op *op, washi_tensor *a, int axis)
{
    if (!a || a->tape->status) return record1(op, a, (struct wa_attr){0});
    if (!wa_axis(a, op->name, &axis) || !wa_fit(op->name, 1, &a)) return NULL;
    int rank = a->shape.rank, there[WASHI_MAX_RANK], back[WASHI_MAX_RANK];
    if (axis == rank - 1) return record1(op, a, (struct wa_attr){0});
    for (int i = 0; i < rank; i++) {
        there[i] = i == rank - 1 ? axis : i < axis ? i : i + 1;
        back[there[i]] = i;
    }
    return washi_permute(record1(op, washi_permute(a, there), (struct wa_attr){0}), back);
}

/* The same where the op leaves one element of the axis, or of all axes as one. */
static washi_tensor *reduce(const struct wa_op *op, washi_tensor *a, int axis, bool keep)
{
    if (axis != WASHI_ALL || !a) {
        washi_tensor *y = along(op, a, axis);
        if (axis < 0 && y) axis += y->shape.rank;
        return keep ? y : drop_axes(y, axis, axis + 1);
    }
    washi_shape ones = a->shape;
    for (int i = 0; i < ones.rank; i++) ones.dim[i] = 1;
    washi_tensor *flat = washi_reshape(a, (washi_shape)SHAPE(washi_size(a->shape)));
    return washi_reshape(record1(op, flat, (struct wa_attr){0}), keep ? ones : (washi_shape){0});
}

washi_tensor *washi_softmax_along(washi_tensor *a, int axis) { return along(&wa_op_softmax, a, axis); }

washi_tensor *washi_log_softmax_along(washi_tensor *a, int axis)
{
    return along(&wa_op_log_softmax, a, axis);
}

washi_tensor *washi_softmax(washi_tensor *a) { return record1(&wa_op_softmax, a, (struct wa_attr){0}); }

washi_tensor *washi_log_softmax(washi_tensor *a)
{
    return record1(&wa_op_log_softmax, a, (struct wa_attr){0});
}

washi_tensor *washi_logsumexp(washi_tensor *a, int axis, bool keep)
{
    return reduce(&wa_op_logsumexp, a, axis, keep);
}

washi_tensor *washi_argmax(washi_tensor *a, int axis, bool keep)
{
    return reduce(&wa_op_argmax, a, axis, keep);
}

washi_tensor *washi_argmin(washi_tensor *a, int axis, bool keep)
{
    return reduce(&wa_op_argmin, a, axis, keep);
}

/* -- over any set of axes -- */

/* Which axes; false after an error. */
static bool named_axes(const washi_tensor *a, int n, const int axes[], bool named[])
{
    char text[WA_SHAPE_TEXT];
    if (n < 0 || (n && !axes)) {
        washi_fail(a->tape, WASHI_MISUSE,
                   n < 0 ? "over: %d axes of %s" : "over: the %d axes of %s are NULL", n,
                   wa_shape_text(a->shape, text));
        return false;
    }
    for (int i = 0; i < WASHI_MAX_RANK; i++) named[i] = n == 1 && axes[0] == WASHI_ALL;
    for (int i = 0; i < n && !(n == 1 && axes[0] == WASHI_ALL); i++) {
        int axis = axes[i];
        if (!wa_axis(a, "over", &axis)) return false;
        if (named[axis]) {
            washi_fail(a->tape, WASHI_BAD_VALUE, "over: axis %d of %s is named twice", axis,
                       wa_shape_text(a->shape, text));
            return false;
        }
        named[axis] = true;
    }
    return true;
}

/* The axes of a that are named as one axis, *at; where others of more than one element lie between
 * them, after all others. */
static washi_tensor *merged(washi_tensor *a, const bool named[], int *at)
{
    int rank = a->shape.rank, order[WASHI_MAX_RANK], count = 0, first = -1, last = -1;
    bool apart = false;
    for (int i = 0; i < rank; i++)
        if (named[i] && a->shape.dim[i] != 1) {
            if (first < 0) first = i;
            last = i;
        }
    for (int i = first; first >= 0 && i < last; i++)
        apart = apart || (!named[i] && a->shape.dim[i] != 1);
    washi_shape s = {.rank = 0};
    int64_t size = 1;
    for (int i = 0; i < rank; i++) {
        if (named[i]) size *= a->shape.dim[i];
        if (!named[i]) order[count++] = i;
    }
    *at = apart || first < 0 ? count : 0;
    for (int i = 0; i < count; i++) {
        if (!apart && order[i] < first) *at = i + 1;
        s.dim[s.rank++] = a->shape.dim[order[i]];
    }
    for (int i = 0; i < rank; i++)
        if (named[i]) order[count++] = i;
    for (int i = s.rank++; i > *at; i--) s.dim[i] = s.dim[i - 1];
    s.dim[*at] = size;
    return washi_reshape(apart ? washi_permute(a, order) : a, s);
}

washi_tensor *washi_over(washi_reduction *f, washi_tensor *a, int n, const int axes[], bool keep)
{
    bool named[WASHI_MAX_RANK];
    int at;
    if (!wa_usable(a, "over")) return NULL;
    if (!f) {
        washi_fail(a->tape, WASHI_MISUSE, "over: the reduction is NULL");
        return NULL;
    }
    if (!named_axes(a, n, axes, named)) return NULL;
    washi_shape kept = {.rank = 0};
    for (int i = 0; i < a->shape.rank; i++)
        if (keep || !named[i]) kept.dim[kept.rank++] = named[i] ? 1 : a->shape.dim[i];
    washi_tensor *x = merged(a, named, &at);
    return x ? washi_reshape(f(x, at, false), kept) : NULL;
}
