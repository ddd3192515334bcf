/* ops_shape.c: ops that move elements and compute nothing, of any type, with their derivative rules. */
#include "autodiff/step.h"

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
    if (s->op == &wa_op_slice) m->offset_x = attr->begin * sx[attr->axis];
    if (s->op == &wa_op_pad) {
        m->offset_y = attr->begin * sy[attr->axis];
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
    .arity = 1,
    .infer = infer_broadcast_to,
    .rule = broadcast_to_rule,
    MOVEMENT,
    .sample = {.x = {SHAPE(3, 1)}, .low = -2, .high = 2, .attr.shape = SHAPE(2, 3, 4)},
};

static bool infer_slice(washi_tensor *y)
{
    char text[WA_SHAPE_TEXT];
    int64_t size = A->shape.dim[y->attr.axis];
    if (y->attr.begin < 0 || y->attr.begin > y->attr.end || y->attr.end > size)
        return wa_op_error(y, WASHI_BAD_VALUE, "%lld to %lld along axis %d of %s",
                           (long long)y->attr.begin, (long long)y->attr.end, y->attr.axis,
                           wa_shape_text(A->shape, text));
    y->type = A->type;
    y->shape = A->shape;
    y->shape.dim[y->attr.axis] = y->attr.end - y->attr.begin;
    return true;
}

RULE(slice)
{
    int axis = y->attr.axis;
    gx[0] = washi_pad(g, axis, y->attr.begin, A->shape.dim[axis] - y->attr.end);
}

const struct wa_op wa_op_slice = {
    .name = "slice",
    .doc = "a range of an axis",
    .arity = 1,
    .infer = infer_slice,
    .rule = slice_rule,
    MOVEMENT,
    .sample = {.x = {SHAPE(3, 5)}, .low = -2, .high = 2, .attr = {.axis = 1, .begin = 1, .end = 4}},
};

static bool infer_pad(washi_tensor *y)
{
    y->type = A->type;
    y->shape = A->shape;
    int64_t *size = &y->shape.dim[y->attr.axis];
    if (y->attr.begin < 0 || y->attr.end < 0 || y->attr.begin > INT64_MAX / 4 ||
        y->attr.end > INT64_MAX / 4)
        return wa_op_error(y, WASHI_BAD_VALUE, "%lld before and %lld after", (long long)y->attr.begin,
                           (long long)y->attr.end);
    *size += y->attr.begin + y->attr.end;
    return true;
}

RULE(pad)
{
    int axis = y->attr.axis;
    gx[0] = washi_slice(g, axis, y->attr.begin, y->attr.begin + A->shape.dim[axis]);
}

const struct wa_op wa_op_pad = {
    .name = "pad",
    .doc = "zeros before and after along an axis",
    .arity = 1,
    .infer = infer_pad,
    .rule = pad_rule,
    MOVEMENT,
    .sample = {.x = {SHAPE(3, 5)}, .low = -2, .high = 2, .attr = {.axis = 0, .begin = 2, .end = 1}},
};

/* -- concat -- */

static bool infer_concat(washi_tensor *y)
{
    char a[WA_SHAPE_TEXT], b[WA_SHAPE_TEXT];
    int axis = y->attr.axis;
    y->type = A->type;
    y->shape = A->shape;
    for (int i = 1; i < y->n; i++) {
        washi_shape s = y->x[i]->shape, first = A->shape;
        if (y->x[i]->type != y->type)
            return wa_op_error(y, WASHI_BAD_TYPE, "parts of types %s and %s", washi_dtype_name(y->type),
                               washi_dtype_name(y->x[i]->type));
        if (s.rank == first.rank) first.dim[axis] = s.dim[axis];
        if (!wa_shape_equal(s, first))
            return wa_op_error(y, WASHI_BAD_SHAPE, "%s and %s differ beside axis %d",
                               wa_shape_text(A->shape, a), wa_shape_text(s, b), axis);
        y->shape.dim[axis] += s.dim[axis];
    }
    return true;
}

RULE(concat)
{
    int64_t at = 0;
    for (int i = 0; i < y->n; i++) {
        int64_t size = y->x[i]->shape.dim[y->attr.axis];
        gx[i] = washi_slice(g, y->attr.axis, at, at + size);
        at += size;
    }
}

static bool plan_concat(struct wa_step *s)
{
    s->tasks = 1;
    return true;
}

static void run_concat(const struct wa_step *s, int task)
{
    (void)task;
    int axis = s->node->attr.axis;
    size_t outer = (size_t)wa_shape_span(s->y.shape, 0, axis), size = washi_dtype_size(s->y.type);
    size_t row = (size_t)wa_shape_span(s->y.shape, axis, s->y.shape.rank) * size, at = 0;
    for (int i = 0; i < s->n; i++) {
        washi_shape x = s->x[i].shape;
        size_t piece = (size_t)wa_shape_span(x, axis, x.rank) * size;
        for (size_t o = 0; piece && o < outer; o++)
            memcpy((char *)s->y.data + o * row + at, (const char *)s->x[i].data + o * piece, piece);
        at += piece;
    }
}

const struct wa_op wa_op_concat = {
    .name = "concat",
    .doc = "parts one behind the other along an axis",
    .arity = -1,
    .infer = infer_concat,
    .rule = concat_rule,
    .plan = plan_concat,
    .run = run_concat,
    .sample = {.x = {SHAPE(3, 2), SHAPE(3, 1), SHAPE(3, 3)}, .low = -2, .high = 2, .attr.axis = 1},
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
    if (a && !a->tape->status) {
        if (!wa_axis(a, "slice", &axis)) return NULL;
        if (begin < 0) begin += a->shape.dim[axis];
        if (end < 0) end += a->shape.dim[axis];
    }
    return record1(&wa_op_slice, a, (struct wa_attr){.axis = axis, .begin = begin, .end = end});
}

washi_tensor *washi_pad(washi_tensor *a, int axis, int64_t before, int64_t after)
{
    if (a && !a->tape->status && !wa_axis(a, "pad", &axis)) return NULL;
    return record1(&wa_op_pad, a, (struct wa_attr){.axis = axis, .begin = before, .end = after});
}

washi_tensor *washi_concat(int n, washi_tensor *const parts[], int axis)
{
    if (n < 1 || !parts) {
        wa_error(WASHI_MISUSE, "concat: %d parts", n);
        return NULL;
    }
    if (parts[0] && !parts[0]->tape->status && !wa_axis(parts[0], "concat", &axis)) return NULL;
    return wa_record(&wa_op_concat, n, parts, &(struct wa_attr){.axis = axis});
}
