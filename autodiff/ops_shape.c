/* ops_shape.c: ops that move elements and compute nothing, of any type, with their derivative rules. */
#include "autodiff/step.h"

#include <stdio.h>
#include <string.h>

#include "autodiff/rules.h"

/* -- views: the same memory -- */

static bool infer_reshape(washi_tensor *y)
{
    char a[WA_SHAPE_TEXT], b[WA_SHAPE_TEXT];
    washi_shape s = y->attr.shape;
    int64_t size = washi_size(A->shape), known = 1;
    int open = -1;
    for (int i = 0; i < s.rank && i < WASHI_MAX_RANK; i++) {
        if (s.dim[i] == -1 && open < 0)
            open = i;
        else
            known = s.dim[i] < 0 || (s.dim[i] && known > INT64_MAX / s.dim[i]) ? -1 : known * s.dim[i];
        if (known < 0) break;
    }
    if (open >= 0 && known > 0) s.dim[open] = size / known;
    if (washi_size(s) != size)
        return wa_op_error(y, WASHI_BAD_SHAPE, "%s cannot become %s", wa_shape_text(A->shape, a),
                           wa_shape_text(y->attr.shape, b));
    y->type = A->type;
    y->shape = y->attr.shape = s;
    return true;
}

RULE(reshape)
{
    gx[0] = washi_reshape(g, A->shape);
    (void)y;
}

const struct wa_op wa_op_reshape = {
    .name = "reshape",
    .doc = "the same elements under another shape",
    .derivative = "g in the shape of a",
    .arity = 1,
    .infer = infer_reshape,
    .rule = reshape_rule,
    .view = true,
    .sample = {.x = {SHAPE(3, 4)}, .low = -2, .high = 2, .attr.shape = SHAPE(2, 3, 2)},
};

static bool infer_same(washi_tensor *y)
{
    y->type = A->type;
    y->shape = A->shape;
    return true;
}

const struct wa_op wa_op_stop_gradient = {
    .name = "stop_gradient",
    .doc = "a, with no gradient passing",
    .arity = 1,
    .infer = infer_same,
    .view = true,
    .alias = true,
    .sample = {.x = {SHAPE(3, 5)}, .low = -2, .high = 2},
};

/* -- strided copies -- */

/* Element i... of y is at offset + sum of i * stride of x. */
struct movement {
    struct wa_copy copy;
    int64_t offset_y, offset_x; /* in elements */
    bool fill;                  /* zeros go first */
};

static int64_t step_of(const struct wa_attr *attr) { return attr->step ? attr->step : 1; }

static bool plan_movement(struct wa_step *s)
{
    struct movement *m = wa_step_new(s, sizeof *m);
    if (!m) return false;
    const struct wa_attr *attr = &s->node->attr;
    washi_shape x = s->x[0].shape, y = s->y.shape;
    int64_t sx[WASHI_MAX_RANK], sy[WASHI_MAX_RANK];
    wa_strides(x, sx);
    wa_strides(y, sy);
    struct wa_copy *c = &m->copy;
    c->size = washi_dtype_size(s->y.type);
    c->rank = y.rank;
    for (int i = 0; i < y.rank; i++) {
        int from = i;
        if (s->op == &wa_op_permute) from = (int)attr->shape.dim[i];
        if (s->op == &wa_op_broadcast_to) from = i - (y.rank - x.rank);
        c->y[i] = sy[i];
        c->x[i] = from < 0 || (x.dim[from] == 1 && y.dim[i] != 1) ? 0 : sx[from];
        c->dim[i] = s->op == &wa_op_pad ? x.dim[i] : y.dim[i];
    }
    const bool something = washi_size(x) && washi_size(y); /* a flip of nothing begins at -1 */
    if (s->op == &wa_op_slice) {
        if (something) m->offset_x = attr->begin * sx[attr->axis];
        if (y.dim[attr->axis] > 1) c->x[attr->axis] *= step_of(attr);
    }
    if (s->op == &wa_op_pad) {
        if (something) m->offset_y = attr->begin * sy[attr->axis];
        if (x.dim[attr->axis] > 1) c->y[attr->axis] *= step_of(attr);
        m->fill = true;
    }
    wa_copy_plan(c);
    size_t work = wa_shape_bytes(y, s->y.type);
    s->tasks = wa_tasks(s, work, WA_GRAIN);
    if (s->tasks > c->dim[0]) s->tasks = c->dim[0] > 0 ? (int)c->dim[0] : 1;
    if (m->fill) s->tasks = 1;
    s->geometry = m;
    return true;
}

static void run_movement(const struct wa_step *s, int task)
{
    const struct movement *m = s->geometry;
    if (m->fill) memset(s->y.data, 0, wa_shape_bytes(s->y.shape, s->y.type));
    size_t begin, end;
    wa_share((size_t)m->copy.dim[0], s->tasks, task, &begin, &end);
    wa_copy_run(&m->copy, s->simd, (char *)s->y.data + (size_t)m->offset_y * m->copy.size,
                (const char *)s->x[0].data + (size_t)m->offset_x * m->copy.size, (int64_t)begin,
                (int64_t)end);
}

#define MOVEMENT .plan = plan_movement, .run = run_movement

static bool infer_permute(washi_tensor *y)
{
    char text[WA_SHAPE_TEXT];
    int rank = A->shape.rank;
    unsigned seen = 0;
    y->type = A->type;
    y->shape.rank = rank;
    for (int i = 0; i < rank; i++) {
        int64_t from = y->attr.shape.dim[i];
        if (from < 0 || from >= rank || seen >> from & 1)
            return wa_op_error(y, WASHI_BAD_VALUE, "the axes of %s are not each named once",
                               wa_shape_text(A->shape, text));
        seen |= 1u << from;
        y->shape.dim[i] = A->shape.dim[from];
    }
    return true;
}

RULE(permute)
{
    int back[WASHI_MAX_RANK];
    for (int i = 0; i < y->shape.rank; i++) back[y->attr.shape.dim[i]] = i;
    gx[0] = washi_permute(g, back);
}

const struct wa_op wa_op_permute = {
    .name = "permute",
    .doc = "axes in another order",
    .derivative = "g with its axes put back",
    .arity = 1,
    .infer = infer_permute,
    .rule = permute_rule,
    MOVEMENT,
    .sample = {.x = {SHAPE(3, 5, 2)}, .low = -2, .high = 2, .attr.shape = SHAPE(2, 0, 1)},
};

static bool infer_broadcast_to(washi_tensor *y)
{
    char a[WA_SHAPE_TEXT], b[WA_SHAPE_TEXT];
    washi_shape s;
    y->type = A->type;
    y->shape = y->attr.shape;
    if (washi_size(y->shape) < 0 || !wa_shape_broadcast(A->shape, y->shape, &s) ||
        !wa_shape_equal(s, y->shape))
        return wa_op_error(y, WASHI_BAD_SHAPE, "%s does not stretch to %s", wa_shape_text(A->shape, a),
                           wa_shape_text(y->shape, b));
    return true;
}

/* The reverse sweep sums what was stretched. */
RULE(broadcast_to)
{
    gx[0] = g;
    (void)y;
}

const struct wa_op wa_op_broadcast_to = {
    .name = "broadcast_to",
    .doc = "stretched as NumPy does",
    .derivative = "g",
    .arity = 1,
    .infer = infer_broadcast_to,
    .rule = broadcast_to_rule,
    MOVEMENT,
    .sample = {.x = {SHAPE(3, 1)}, .low = -2, .high = 2, .attr.shape = SHAPE(2, 3, 4)},
};

/* From element begin, by steps, as far as end, which is not in it: -1 is before the first. */
static bool infer_slice(washi_tensor *y)
{
    char text[WA_SHAPE_TEXT], by[32] = "";
    const struct wa_attr *attr = &y->attr;
    int64_t size = A->shape.dim[attr->axis], step = step_of(attr), low = step > 0 ? 0 : -1;
    int64_t from = step > 0 ? attr->begin : attr->end, to = step > 0 ? attr->end : attr->begin;
    if (step != 1) snprintf(by, sizeof by, " by %lld", (long long)step);
    if (from < low || from > to || to > size + low || step < -INT64_MAX / 2 || step > INT64_MAX / 2)
        return wa_op_error(y, WASHI_BAD_VALUE, "there is no %lld to %lld%s along axis %d of %s",
                           (long long)attr->begin, (long long)attr->end, by, attr->axis,
                           wa_shape_text(A->shape, text));
    int64_t distance = step < 0 ? -step : step;
    y->type = A->type;
    y->shape = A->shape;
    y->shape.dim[attr->axis] = (to - from) / distance + ((to - from) % distance != 0);
    return true;
}

static washi_tensor *slice_by(washi_tensor *a, int axis, int64_t begin, int64_t end, int64_t step)
{
    return record1(&wa_op_slice, a,
                   (struct wa_attr){.axis = axis, .begin = begin, .end = end, .step = step});
}

RULE(slice)
{
    int axis = y->attr.axis;
    int64_t n = y->shape.dim[axis], size = A->shape.dim[axis], step = step_of(&y->attr);
    int64_t distance = step < 0 ? -step : step, first = n ? y->attr.begin : 0;
    if (!n) {
        gx[0] = washi_pad(g, axis, 0, size);
        return;
    }
    if (step < 0) {
        first += (n - 1) * step;
        g = slice_by(g, axis, n - 1, -1, -1);
    }
    gx[0] = wa_pad_between(g, axis, first, size - 1 - first - (n - 1) * distance, distance);
}

const struct wa_op wa_op_slice = {
    .name = "slice",
    .doc = "a range of an axis, by steps",
    .derivative = "g, with zeros around and between",
    .arity = 1,
    .infer = infer_slice,
    .rule = slice_rule,
    MOVEMENT,
    .sample = {.x = {SHAPE(3, 7)},
               .low = -2,
               .high = 2,
               .attr = {.axis = 1, .begin = 5, .end = 0, .step = -2}},
};

static bool infer_pad(washi_tensor *y)
{
    const struct wa_attr *attr = &y->attr;
    y->type = A->type;
    y->shape = A->shape;
    int64_t *size = &y->shape.dim[attr->axis], most = INT64_MAX / 4;
    if (attr->begin < 0 || attr->end < 0 || attr->begin > most || attr->end > most)
        return wa_op_error(y, WASHI_BAD_VALUE, "%lld before and %lld after", (long long)attr->begin,
                           (long long)attr->end);
    if (*size > 1) *size = step_of(attr) <= most / *size ? (*size - 1) * step_of(attr) + 1 : most;
    *size += attr->begin + attr->end;
    return true;
}

RULE(pad)
{
    int axis = y->attr.axis;
    int64_t begin = y->attr.begin, n = A->shape.dim[axis], step = step_of(&y->attr);
    gx[0] = slice_by(g, axis, begin, n ? begin + (n - 1) * step + 1 : begin, step);
}

const struct wa_op wa_op_pad = {
    .name = "pad",
    .doc = "zeros before, after and between along an axis",
    .derivative = "the slice of g that a went to",
    .arity = 1,
    .infer = infer_pad,
    .rule = pad_rule,
    MOVEMENT,
    .sample = {.x = {SHAPE(3, 5)},
               .low = -2,
               .high = 2,
               .attr = {.axis = 0, .begin = 2, .end = 1, .step = 3}},
};

/* -- the public forms -- */

washi_tensor *washi_reshape(washi_tensor *a, washi_shape shape)
{
    return record1(&wa_op_reshape, a, (struct wa_attr){.shape = shape});
}

washi_tensor *washi_stop_gradient(washi_tensor *a)
{
    return record1(&wa_op_stop_gradient, a, (struct wa_attr){0});
}

washi_tensor *washi_permute(washi_tensor *a, const int axes[])
{
    struct wa_attr attr = {.shape.rank = a ? a->shape.rank : 0};
    if (a && attr.shape.rank && !axes) {
        washi_fail(a->tape, WASHI_MISUSE, "permute: the axes are NULL");
        return NULL;
    }
    for (int i = 0; i < attr.shape.rank; i++) attr.shape.dim[i] = axes[i];
    return record1(&wa_op_permute, a, attr);
}

washi_tensor *washi_transpose(washi_tensor *a)
{
    char text[WA_SHAPE_TEXT];
    int axes[WASHI_MAX_RANK], rank = a ? a->shape.rank : 0;
    if (a && rank < 2) {
        washi_fail(a->tape, WASHI_BAD_SHAPE, "transpose: %s has no two axes",
                   wa_shape_text(a->shape, text));
        return NULL;
    }
    for (int i = 0; i < rank; i++) axes[i] = i < rank - 2 ? i : 2 * rank - 3 - i;
    return washi_permute(a, axes);
}

washi_tensor *washi_broadcast_to(washi_tensor *a, washi_shape shape)
{
    if (a && wa_shape_equal(a->shape, shape)) return a;
    return record1(&wa_op_broadcast_to, a, (struct wa_attr){.shape = shape});
}

washi_tensor *washi_slice(washi_tensor *a, int axis, int64_t begin, int64_t end)
{
    return washi_slice_step(a, axis, begin, end, 1);
}

washi_tensor *washi_slice_step(washi_tensor *a, int axis, int64_t begin, int64_t end, int64_t step)
{
    if (!wa_usable(a, "slice") || !wa_axis(a, "slice", &axis)) return NULL;
    if (!step) {
        washi_fail(a->tape, WASHI_BAD_VALUE, "slice: the step is 0");
        return NULL;
    }
    if (begin < 0) begin += a->shape.dim[axis];
    if (end < 0) end += a->shape.dim[axis];
    return slice_by(a, axis, begin, end, step);
}

washi_tensor *washi_flip(washi_tensor *a, int axis)
{
    if (!wa_usable(a, "flip") || !wa_axis(a, "flip", &axis)) return NULL;
    return slice_by(a, axis, a->shape.dim[axis] - 1, -1, -1);
}

washi_tensor *wa_pad_between(washi_tensor *a, int axis, int64_t before, int64_t after, int64_t step)
{
    return record1(&wa_op_pad, a,
                   (struct wa_attr){.axis = axis, .begin = before, .end = after, .step = step});
}

washi_tensor *washi_pad(washi_tensor *a, int axis, int64_t before, int64_t after)
{
    if (!wa_usable(a, "pad") || !wa_axis(a, "pad", &axis)) return NULL;
    return wa_pad_between(a, axis, before, after, 1);
}
