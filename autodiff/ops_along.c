/* ops_along.c: elements taken, or added, at an index of their own along an axis; and indices of several
 * axes made one. */
#include "autodiff/step.h"

#include <string.h>

#include "autodiff/rules.h"

/* Whole [outer, size, inner], indices and the other operand or result [outer, count, inner]. */
struct lines {
    size_t outer, size, count, inner;
};

static bool plan_lines(struct wa_step *s, const washi_shape *whole, const washi_shape *indices)
{
    struct lines *p = wa_step_new(s, sizeof *p);
    int axis = s->node->attr.axis;
    if (!p) return false;
    *p = (struct lines){.outer = (size_t)wa_shape_span(*whole, 0, axis),
                        .size = (size_t)whole->dim[axis],
                        .count = (size_t)indices->dim[axis],
                        .inner = (size_t)wa_shape_span(*whole, axis + 1, whole->rank)};
    s->tasks =
        wa_tasks(s, p->outer * (p->count + p->size) * p->inner * washi_dtype_size(s->y.type), WA_GRAIN);
    s->geometry = p;
    return true;
}

/* What a task does: indices of outer, or if there is but one, of inner. */
static void share_lines(const struct wa_step *s, int task, size_t outer[2], size_t inner[2])
{
    const struct lines *p = s->geometry;
    bool rows = p->outer > 1;
    wa_share(p->outer, rows ? s->tasks : 1, rows ? task : 0, &outer[0], &outer[1]);
    wa_share(p->inner, rows ? 1 : s->tasks, rows ? 0 : task, &inner[0], &inner[1]);
}

/* Whether both are alike beside the axis, and the indices I32. */
static bool lines_fit(washi_tensor *y, const char *what)
{
    char a[WA_SHAPE_TEXT], b[WA_SHAPE_TEXT];
    washi_shape like = A->shape;
    int axis = y->attr.axis;
    if (B->type != WASHI_I32)
        return wa_op_error(y, WASHI_BAD_TYPE, "indices of type %s: i32 wanted",
                           washi_dtype_name(B->type));
    if (B->shape.rank == like.rank) like.dim[axis] = B->shape.dim[axis];
    if (!wa_shape_equal(B->shape, like) ||
        (y->op == &wa_op_put_along && !wa_shape_equal(A->shape, B->shape)))
        return wa_op_error(y, WASHI_BAD_SHAPE, "%s %s by indices %s along axis %d", what,
                           wa_shape_text(A->shape, a), wa_shape_text(B->shape, b), axis);
    return true;
}

/* -- take_along -- */

static bool infer_take_along(washi_tensor *y)
{
    if (!lines_fit(y, "elements of")) return false;
    y->type = A->type;
    y->shape = B->shape;
    return true;
}

washi_tensor *wa_put_along(washi_tensor *g, washi_tensor *indices, int axis, int64_t size)
{
    return record2(&wa_op_put_along, g, indices, (struct wa_attr){.axis = axis, .end = size});
}

RULE(take_along) { gx[0] = wa_put_along(g, B, y->attr.axis, A->shape.dim[y->attr.axis]); }

static bool plan_take_along(struct wa_step *s) { return plan_lines(s, &s->x[0].shape, &s->x[1].shape); }

static washi_status check_take_along(const struct wa_step *s)
{
    return wa_check_range(&s->x[1], s->x[0].shape.dim[s->node->attr.axis], "take_along", "index");
}

#define TAKE(type)                                                                                     \
    for (size_t j = inner[0]; j < inner[1]; j++)                                                       \
        ((type *)s->y.data)[to + j] =                                                                  \
            ((const type *)s->x[0].data)[from + (size_t)index[to + j] * p->inner + j];

static void run_take_along(const struct wa_step *s, int task)
{
    const struct lines *p = s->geometry;
    const int32_t *index = s->x[1].data;
    size_t outer[2], inner[2], size = washi_dtype_size(s->y.type);
    share_lines(s, task, outer, inner);
    for (size_t i = outer[0] * p->count; i < outer[1] * p->count; i++) {
        size_t to = i * p->inner, from = i / p->count * p->size * p->inner;
        if (size == 4) {
            TAKE(uint32_t)
        } else if (size == 8) {
            TAKE(uint64_t)
        } else {
            TAKE(uint8_t)
        }
    }
}

const struct wa_op wa_op_take_along = {
    .name = "take_along",
    .doc = "elements at indices of their own along an axis",
    .derivative = "g, its elements added up at the indices; 0",
    .arity = 2,
    .infer = infer_take_along,
    .rule = take_along_rule,
    .plan = plan_take_along,
    .check = check_take_along,
    .checked = 1,
    .run = run_take_along,
    .sample =
        {.x = {SHAPE(2, 4, 3), SHAPE(2, 5, 3)}, .low = -2, .high = 2, .attr.axis = 1, .index_end = 4},
};

/* -- put_along: zeros, to whose elements the operand's are added -- */

static bool infer_put_along(washi_tensor *y)
{
    if (!lines_fit(y, "updates")) return false;
    if (!wa_is_real(A->type))
        return wa_op_error(y, WASHI_BAD_TYPE, "updates of type %s: f32 or f64 wanted",
                           washi_dtype_name(A->type));
    y->type = A->type;
    y->shape = A->shape;
    y->shape.dim[y->attr.axis] = y->attr.end;
    return true;
}

RULE(put_along) { gx[0] = washi_take_along(g, B, y->attr.axis); }

static bool plan_put_along(struct wa_step *s) { return plan_lines(s, &s->y.shape, &s->x[1].shape); }

static washi_status check_put_along(const struct wa_step *s)
{
    return wa_check_range(&s->x[1], s->y.shape.dim[s->node->attr.axis], "put_along", "index");
}

#define PUT(type)                                                                                      \
    for (size_t j = inner[0]; j < inner[1]; j++)                                                       \
        ((type *)s->y.data)[to + (size_t)index[from + j] * p->inner + j] +=                            \
            ((const type *)s->x[0].data)[from + j];

static void run_put_along(const struct wa_step *s, int task)
{
    const struct lines *p = s->geometry;
    const int32_t *index = s->x[1].data;
    size_t outer[2], inner[2], size = washi_dtype_size(s->y.type);
    share_lines(s, task, outer, inner);
    for (size_t i = outer[0] * p->size; i < outer[1] * p->size && inner[0] < inner[1]; i++)
        memset((char *)s->y.data + (i * p->inner + inner[0]) * size, 0, (inner[1] - inner[0]) * size);
    for (size_t i = outer[0] * p->count; i < outer[1] * p->count; i++) {
        size_t from = i * p->inner, to = i / p->count * p->size * p->inner;
        if (s->y.type == WASHI_F32) {
            PUT(float)
        } else {
            PUT(double)
        }
    }
}

const struct wa_op wa_op_put_along = {
    .name = "put_along",
    .doc = "zeros with elements added at indices of their own along an axis",
    .derivative = "take_along(g, b); 0",
    .arity = 2,
    .infer = infer_put_along,
    .rule = put_along_rule,
    .plan = plan_put_along,
    .check = check_put_along,
    .checked = 1,
    .run = run_put_along,
    .sample = {.x = {SHAPE(2, 5, 3), SHAPE(2, 5, 3)},
               .low = -2,
               .high = 2,
               .attr = {.axis = 1, .end = 4},
               .index_end = 4},
};

/* -- ravel_index -- */

static bool infer_ravel_index(washi_tensor *y)
{
    char a[WA_SHAPE_TEXT], b[WA_SHAPE_TEXT];
    int last = A->shape.rank - 1;
    washi_shape sizes = y->attr.shape;
    if (A->type != WASHI_I32)
        return wa_op_error(y, WASHI_BAD_TYPE, "indices of type %s: i32 wanted",
                           washi_dtype_name(A->type));
    if (last < 0 || A->shape.dim[last] != sizes.rank || washi_size(sizes) > INT32_MAX)
        return wa_op_error(y, WASHI_BAD_SHAPE, "indices %s into axes %s", wa_shape_text(A->shape, a),
                           wa_shape_text(sizes, b));
    y->type = WASHI_I32;
    y->shape = A->shape;
    y->shape.rank = last;
    return true;
}

static bool plan_ravel_index(struct wa_step *s)
{
    s->tasks = wa_tasks(s, wa_shape_bytes(s->x[0].shape, WASHI_I32), WA_GRAIN);
    return true;
}

static washi_status check_ravel_index(const struct wa_step *s)
{
    washi_shape sizes = s->node->attr.shape;
    size_t n = (size_t)washi_size(s->x[0].shape), rank = (size_t)sizes.rank;
    for (size_t i = 0; i < n; i++) {
        int32_t v = ((const int32_t *)s->x[0].data)[i];
        if (v < 0 || v >= sizes.dim[i % rank])
            return wa_error(WASHI_BAD_VALUE, "gather: index %ld of axis %zu is outside 0 ... %lld",
                            (long)v, i % rank, (long long)sizes.dim[i % rank] - 1);
    }
    return WASHI_OK;
}

static void run_ravel_index(const struct wa_step *s, int task)
{
    washi_shape sizes = s->node->attr.shape;
    size_t begin, end;
    wa_share((size_t)washi_size(s->y.shape), s->tasks, task, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        const int32_t *index = (const int32_t *)s->x[0].data + i * (size_t)sizes.rank;
        int64_t at = 0;
        for (int k = 0; k < sizes.rank; k++) at = at * sizes.dim[k] + index[k];
        ((int32_t *)s->y.data)[i] = (int32_t)at;
    }
}

const struct wa_op wa_op_ravel_index = {
    .name = "ravel_index",
    .doc = "indices of several axes, along the last axis of a, as indices of these axes seen as one",
    .arity = 1,
    .infer = infer_ravel_index,
    .plan = plan_ravel_index,
    .check = check_ravel_index,
    .run = run_ravel_index,
    .sample = {.x = {SHAPE(5, 1)}, .attr.shape = SHAPE(4), .index_end = 4},
};

/* -- the public forms -- */

washi_tensor *washi_take_along(washi_tensor *a, washi_tensor *i32_indices, int axis)
{
    if (a && !a->tape->status && !wa_axis(a, "take_along", &axis)) return NULL;
    return record2(&wa_op_take_along, a, i32_indices, (struct wa_attr){.axis = axis});
}

washi_tensor *washi_gather(washi_tensor *a, washi_tensor *i32_indices)
{
    char text[WA_SHAPE_TEXT], of[WA_SHAPE_TEXT];
    if (!wa_usable(a, "gather") || !wa_usable(i32_indices, "gather")) return NULL;
    if (i32_indices->type != WASHI_I32) {
        washi_fail(a->tape, WASHI_BAD_TYPE, "gather: indices of type %s: i32 wanted",
                   washi_dtype_name(i32_indices->type));
        return NULL;
    }
    washi_shape by = i32_indices->shape;
    int rank = a->shape.rank,
        axes = by.rank && by.dim[by.rank - 1] <= rank ? (int)by.dim[by.rank - 1] : 0;
    if (axes < 1) {
        washi_fail(a->tape, WASHI_BAD_SHAPE,
                   "gather: %s by indices %s: the last axis of the indices is to be of size 1 ... %d",
                   wa_shape_text(a->shape, of), wa_shape_text(by, text), rank);
        return NULL;
    }
    washi_shape sizes = {.rank = axes}, whole = {.rank = rank - axes + 1, .dim = {1}};
    for (int i = 0; i < rank; i++) {
        if (i < axes) sizes.dim[i] = a->shape.dim[i];
        if (i >= axes) whole.dim[i - axes + 1] = a->shape.dim[i];
    }
    whole.dim[0] = wa_shape_span(a->shape, 0, axes);
    washi_tensor *flat = record1(&wa_op_ravel_index, i32_indices, (struct wa_attr){.shape = sizes});
    return flat ? washi_take(washi_reshape(a, whole), flat, 0) : NULL;
}
