/* ops_scan.c: the linear recurrence y[i] = a[i] * y[i-1] + b[i] along an axis, and sums and products of
 * all elements so far, which are cases of it. Its derivative is another, in the other direction:
 * nothing is ever divided, so zeros among the factors are like any number. */
#include "autodiff/step.h"

#include "autodiff/rules.h"

/* attr.step -1: from the last element to the first. a is one number or of b's shape. */
static bool infer_recurrence(washi_tensor *y)
{
    char a[WA_SHAPE_TEXT], b[WA_SHAPE_TEXT];
    y->type = B->type;
    y->shape = B->shape;
    if (!wa_is_real(B->type) || A->type != B->type)
        return wa_op_error(y, WASHI_BAD_TYPE, "%s of %s and %s of %s: both f32 or both f64 wanted",
                           wa_shape_text(A->shape, a), washi_dtype_name(A->type),
                           wa_shape_text(B->shape, b), washi_dtype_name(B->type));
    if (A->shape.rank && !wa_shape_equal(A->shape, B->shape))
        return wa_op_error(y, WASHI_BAD_SHAPE, "%s does not go with %s", wa_shape_text(A->shape, a),
                           wa_shape_text(B->shape, b));
    return true;
}

static washi_tensor *recurrence(washi_tensor *a, washi_tensor *b, int axis, int direction)
{
    return record2(&wa_op_recurrence, a, b, (struct wa_attr){.axis = axis, .step = direction});
}

/* a moved one place along the axis, by +1 or -1; a zero comes in. */
static washi_tensor *moved(washi_tensor *a, int axis, int by)
{
    int64_t n = a->shape.dim[axis];
    return by > 0 ? washi_pad(washi_slice(a, axis, 0, n - 1), axis, 1, 0)
                  : washi_pad(washi_slice(a, axis, 1, n), axis, 0, 1);
}

RULE(recurrence)
{
    int axis = y->attr.axis, direction = y->attr.step < 0 ? -1 : 1;
    if (washi_size(y->shape) == 0) return;
    gx[1] = recurrence(A->shape.rank ? moved(A, axis, -direction) : A, g, axis, -direction);
    gx[0] = mul(gx[1], moved(y, axis, direction));
}

/* [outer, n, inner], in chains over n; tasks share out indices of outer, or if there is but one, of
 * inner. */
struct chains {
    size_t outer, n, inner;
};

static bool plan_recurrence(struct wa_step *s)
{
    struct chains *p = wa_step_new(s, sizeof *p);
    int axis = s->node->attr.axis;
    if (!p) return false;
    *p = (struct chains){(size_t)wa_shape_span(s->y.shape, 0, axis), (size_t)s->y.shape.dim[axis],
                         (size_t)wa_shape_span(s->y.shape, axis + 1, s->y.shape.rank)};
    s->tasks = wa_tasks(s, wa_shape_bytes(s->y.shape, s->y.type), WA_GRAIN);
    s->geometry = p;
    return true;
}

#define CHAINS(T)                                                                                      \
    static void chains_##T(size_t n, size_t inner, size_t columns, bool back, bool one, T *y,          \
                           const T *a, const T *b)                                                     \
    {                                                                                                  \
        for (size_t i = 0; i < n; i++) {                                                               \
            size_t at = (back ? n - 1 - i : i) * inner, before = back ? at + inner : at - inner;       \
            for (size_t j = 0; j < columns; j++)                                                       \
                y[at + j] = i ? (one ? *a : a[at + j]) * y[before + j] + b[at + j] : b[at + j];        \
        }                                                                                              \
    }
CHAINS(float)
CHAINS(double)

static void run_recurrence(const struct wa_step *s, int task)
{
    const struct chains *p = s->geometry;
    bool rows = p->outer > 1, back = s->node->attr.step < 0, one = s->x[0].shape.rank == 0;
    size_t outer, last, j, end;
    wa_share(p->outer, rows ? s->tasks : 1, rows ? task : 0, &outer, &last);
    wa_share(p->inner, rows ? 1 : s->tasks, rows ? 0 : task, &j, &end);
    for (; outer < last && j < end; outer++) {
        size_t at = outer * p->n * p->inner + j, at_a = one ? 0 : at;
        if (s->y.type == WASHI_F32)
            chains_float(p->n, p->inner, end - j, back, one, (float *)s->y.data + at,
                         (const float *)s->x[0].data + at_a, (const float *)s->x[1].data + at);
        else
            chains_double(p->n, p->inner, end - j, back, one, (double *)s->y.data + at,
                          (const double *)s->x[0].data + at_a, (const double *)s->x[1].data + at);
    }
}

const struct wa_op wa_op_recurrence = {
    .name = "recurrence",
    .doc = "y[i] = a[i] * y[i-1] + b[i] along an axis, from either end",
    .derivative = "d * y[i-1]; d, with d[i] = g[i] + a[i+1] * d[i+1]",
    .arity = 2,
    .infer = infer_recurrence,
    .rule = recurrence_rule,
    .plan = plan_recurrence,
    .run = run_recurrence,
    .sample = {.x = {SHAPE(2, 5, 3), SHAPE(2, 5, 3)}, .low = -1, .high = 1, .attr.axis = 1},
};

/* 1 at the first place along the axis, or from behind at the last; else 0. */
static washi_tensor *starts(const washi_tensor *a, int axis, int direction)
{
    washi_shape s = a->shape;
    int64_t zeros = s.dim[axis] - 1;
    s.dim[axis] = 1;
    return washi_pad(washi_full(a->tape, a->type, s, 1), axis, direction > 0 ? 0 : zeros,
                     direction > 0 ? zeros : 0);
}

washi_tensor *wa_product_of_others(washi_tensor *a, int axis)
{
    if (!a || a->tape->status) return NULL;
    return mul(recurrence(moved(a, axis, 1), starts(a, axis, 1), axis, 1),
               recurrence(moved(a, axis, -1), starts(a, axis, -1), axis, -1));
}

static bool ready(const washi_tensor *a, const char *who, int *axis)
{
    char text[WA_SHAPE_TEXT];
    if (!wa_usable(a, who) || !wa_axis(a, who, axis)) return false;
    if (wa_is_real(a->type)) return true;
    washi_fail(a->tape, WASHI_BAD_TYPE, "%s: %s of type %s: f32 or f64 wanted, cast it first", who,
               wa_shape_text(a->shape, text), washi_dtype_name(a->type));
    return false;
}

washi_tensor *washi_cumsum(washi_tensor *a, int axis)
{
    return ready(a, "cumsum", &axis) ? recurrence(washi_scalar(a->tape, a->type, 1), a, axis, 1) : NULL;
}

washi_tensor *washi_cumprod(washi_tensor *a, int axis)
{
    if (!ready(a, "cumprod", &axis)) return NULL;
    int64_t n = a->shape.dim[axis];
    return n ? recurrence(a, washi_pad(washi_slice(a, axis, 0, 1), axis, 0, n - 1), axis, 1) : a;
}
