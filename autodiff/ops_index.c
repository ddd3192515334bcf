/* ops_index.c: ops between types: take and scatter by indices, one_hot, cast. */
#include "autodiff/step.h"

#include <string.h>

#include "autodiff/rules.h"

/* Slices of `inner` elements: `outer` times `count` indices into an axis of `size`. */
struct slices {
    size_t outer, size, count, inner, bytes;
};

static struct slices slices_of(washi_shape whole, washi_shape indices, int axis, washi_dtype type)
{
    return (struct slices){
        .outer = (size_t)wa_shape_span(whole, 0, axis),
        .size = (size_t)whole.dim[axis],
        .count = (size_t)washi_size(indices),
        .inner = (size_t)wa_shape_span(whole, axis + 1, whole.rank),
        .bytes = (size_t)wa_shape_span(whole, axis + 1, whole.rank) * washi_dtype_size(type),
    };
}

/* The shape of whole with the indices' axes in the place of axis; false when there are too many. */
static bool taken_shape(washi_shape whole, washi_shape indices, int axis, washi_shape *out)
{
    washi_shape s = {.rank = whole.rank - 1 + indices.rank};
    if (s.rank > WASHI_MAX_RANK) return false;
    for (int i = 0; i < s.rank; i++)
        s.dim[i] = i < axis                  ? whole.dim[i]
                   : i < axis + indices.rank ? indices.dim[i - axis]
                                             : whole.dim[i - indices.rank + 1];
    *out = s;
    return true;
}

static bool indices_are_i32(const washi_tensor *y, const washi_tensor *indices)
{
    if (indices->type == WASHI_I32) return true;
    return wa_op_error(y, WASHI_BAD_TYPE, "indices of type %s: i32 wanted",
                       washi_dtype_name(indices->type));
}

/* As a rule all is well: told without a jump for each, so that the compiler takes several at once. */
static bool all_below(const struct wa_place *x, size_t n, uint32_t end)
{
    bool out = false;
    if (x->type == WASHI_U8)
        for (size_t i = 0; i < n; i++) out |= ((const uint8_t *)x->data)[i] >= end;
    else
        for (size_t i = 0; i < n; i++) out |= (uint32_t)((const int32_t *)x->data)[i] >= end;
    return !out;
}

washi_status wa_check_range(const struct wa_place *x, int64_t end, const char *who, const char *what)
{
    const int64_t most = (int64_t)INT32_MAX + 1;
    size_t n = (size_t)washi_size(x->shape);
    if (all_below(x, n, (uint32_t)(end < most ? end : most))) return WASHI_OK;
    for (size_t i = 0; i < n; i++) {
        int64_t v = x->type == WASHI_U8 ? ((const uint8_t *)x->data)[i] : ((const int32_t *)x->data)[i];
        if (v < 0 || v >= end)
            return wa_error(WASHI_BAD_VALUE, "%s: %s %lld is outside 0 ... %lld", who, what,
                            (long long)v, (long long)end - 1);
    }
    return WASHI_OK;
}

/* -- take -- */

static bool infer_take(washi_tensor *y)
{
    char a[WA_SHAPE_TEXT], b[WA_SHAPE_TEXT];
    if (!indices_are_i32(y, B)) return false;
    y->type = A->type;
    if (taken_shape(A->shape, B->shape, y->attr.axis, &y->shape)) return true;
    return wa_op_error(y, WASHI_BAD_SHAPE, "%s by indices %s has more than %d axes",
                       wa_shape_text(A->shape, a), wa_shape_text(B->shape, b), WASHI_MAX_RANK);
}

static washi_tensor *scatter(washi_tensor *updates, washi_tensor *indices, int axis, int64_t size)
{
    return record2(&wa_op_scatter, updates, indices, (struct wa_attr){.axis = axis, .end = size});
}

RULE(take) { gx[0] = scatter(g, B, y->attr.axis, A->shape.dim[y->attr.axis]); }

static bool plan_take(struct wa_step *s)
{
    struct slices *p = wa_step_new(s, sizeof *p);
    if (!p) return false;
    *p = slices_of(s->x[0].shape, s->x[1].shape, s->node->attr.axis, s->y.type);
    if (!s->lead) s->tasks = wa_tasks(s, p->outer * p->count * p->bytes, WA_GRAIN);
    s->geometry = p;
    return true;
}

static washi_status check_take(const struct wa_step *s)
{
    return wa_check_range(&s->x[1], s->x[0].shape.dim[s->node->attr.axis], "take", "index");
}

static void run_take(const struct wa_step *s, int task)
{
    const struct slices *p = s->geometry;
    const int32_t *index = s->x[1].data;
    size_t begin, end, n;
    wa_share(p->outer * p->count, s->tasks, task, &begin, &end);
    for (size_t i = begin; i < end; i += n) {
        size_t first = i % p->count;
        n = p->count - first < end - i ? p->count - first : end - i;
        s->simd->gather[s->y.type](n, p->inner, (char *)s->y.data + i * p->bytes,
                                   (const char *)s->x[0].data + i / p->count * p->size * p->bytes,
                                   p->inner, index + first);
    }
}

const struct wa_op wa_op_take = {
    .name = "take",
    .doc = "slices at indices along an axis",
    .derivative = "g, its slices added up at the indices; 0",
    .arity = 2,
    .fusion = WA_FUSE_TAKE,
    .infer = infer_take,
    .rule = take_rule,
    .plan = plan_take,
    .check = check_take,
    .checked = 1,
    .run = run_take,
    .sample = {.x = {SHAPE(2, 4, 3), SHAPE(5)}, .low = -2, .high = 2, .attr.axis = 1, .index_end = 4},
};

/* -- scatter: zeros, to whose slices the operand's are added -- */

static bool infer_scatter(washi_tensor *y)
{
    char a[WA_SHAPE_TEXT], b[WA_SHAPE_TEXT];
    int axis = y->attr.axis, more = B->shape.rank;
    if (!indices_are_i32(y, B)) return false;
    if (!wa_is_real(A->type))
        return wa_op_error(y, WASHI_BAD_TYPE, "updates of type %s: f32 or f64 wanted",
                           washi_dtype_name(A->type));
    washi_shape whole = {.rank = A->shape.rank - more + 1}, back;
    for (int i = 0; i < whole.rank; i++)
        whole.dim[i] = i < axis    ? A->shape.dim[i]
                       : i == axis ? y->attr.end
                                   : A->shape.dim[i + more - 1];
    if (whole.rank <= axis || y->attr.end < 0 || !taken_shape(whole, B->shape, axis, &back) ||
        !wa_shape_equal(back, A->shape))
        return wa_op_error(y, WASHI_BAD_SHAPE, "updates %s for indices %s along axis %d",
                           wa_shape_text(A->shape, a), wa_shape_text(B->shape, b), axis);
    y->type = A->type;
    y->shape = whole;
    return true;
}

RULE(scatter) { gx[0] = washi_take(g, B, y->attr.axis); }

/* Tasks share out the indices of outer, or if there are few the elements of a slice: each of these sees
 * the additions in order. */
static bool plan_scatter(struct wa_step *s)
{
    struct slices *p = wa_step_new(s, sizeof *p);
    if (!p) return false;
    *p = slices_of(s->y.shape, s->x[1].shape, s->node->attr.axis, s->y.type);
    s->tasks = wa_tasks(s, p->outer * p->count * p->bytes, WA_GRAIN);
    size_t most = p->outer > p->inner ? p->outer : p->inner;
    if ((size_t)s->tasks > most) s->tasks = most ? (int)most : 1;
    s->geometry = p;
    return true;
}

static washi_status check_scatter(const struct wa_step *s)
{
    return wa_check_range(&s->x[1], s->y.shape.dim[s->node->attr.axis], "scatter", "index");
}

/* Elements begin ... end-1 of every slice of one index of outer. */
static void scatter_part(const struct wa_step *s, const struct slices *p, char *y, const char *x,
                         size_t begin, size_t end)
{
    const int32_t *index = s->x[1].data;
    wa_map_fn *plus = s->simd->map[WA_MAP_add][s->y.type];
    size_t size = washi_dtype_size(s->y.type), from = begin * size;
    for (size_t i = 0; i < p->size; i++) memset(y + i * p->bytes + from, 0, (end - begin) * size);
    for (size_t i = 0; i < p->count; i++) {
        char *to = y + (size_t)index[i] * p->bytes + from;
        plus(end - begin, to, (const void *[]){to, x + i * p->bytes + from});
    }
}

static void run_scatter(const struct wa_step *s, int task)
{
    const struct slices *p = s->geometry;
    size_t outer, last, begin, end;
    bool whole = p->outer > p->inner || s->tasks == 1;
    wa_share(p->outer, whole ? s->tasks : 1, whole ? task : 0, &outer, &last);
    wa_share(p->inner, whole ? 1 : s->tasks, whole ? 0 : task, &begin, &end);
    for (; outer < last && begin < end; outer++) {
        char *y = (char *)s->y.data + outer * p->size * p->bytes;
        const char *x = (const char *)s->x[0].data + outer * p->count * p->bytes;
        if (!whole) {
            scatter_part(s, p, y, x, begin, end);
            continue;
        }
        memset(y, 0, p->size * p->bytes);
        s->simd->scatter_add[s->y.type](p->count, p->inner, y, p->inner, x, s->x[1].data);
    }
}

const struct wa_op wa_op_scatter = {
    .name = "scatter",
    .doc = "zeros with slices added at indices along an axis",
    .derivative = "take(g, b); 0",
    .arity = 2,
    .infer = infer_scatter,
    .rule = scatter_rule,
    .plan = plan_scatter,
    .check = check_scatter,
    .checked = 1,
    .run = run_scatter,
    .sample = {.x = {SHAPE(2, 5, 3), SHAPE(5)},
               .low = -2,
               .high = 2,
               .attr = {.axis = 1, .end = 4},
               .index_end = 4},
};

/* -- one_hot -- */

static bool infer_one_hot(washi_tensor *y)
{
    char text[WA_SHAPE_TEXT];
    if (A->type != WASHI_I32 && A->type != WASHI_U8)
        return wa_op_error(y, WASHI_BAD_TYPE, "labels of type %s: i32 or u8 wanted",
                           washi_dtype_name(A->type));
    if (!wa_is_real(y->attr.type))
        return wa_op_error(y, WASHI_BAD_TYPE, "result of type %s: f32 or f64 wanted",
                           washi_dtype_name(y->attr.type));
    if (y->attr.end < 0) return wa_op_error(y, WASHI_BAD_VALUE, "%lld classes", (long long)y->attr.end);
    if (A->shape.rank == WASHI_MAX_RANK)
        return wa_op_error(y, WASHI_BAD_SHAPE, "%s has no room for an axis",
                           wa_shape_text(A->shape, text));
    y->type = y->attr.type;
    y->shape = A->shape;
    y->shape.dim[y->shape.rank++] = y->attr.end;
    return true;
}

static bool plan_one_hot(struct wa_step *s)
{
    if (!s->lead) s->tasks = wa_tasks(s, wa_shape_bytes(s->y.shape, s->y.type), WA_GRAIN);
    return true;
}

static washi_status check_one_hot(const struct wa_step *s)
{
    return wa_check_range(&s->x[0], s->node->attr.end, "one_hot", "label");
}

static void run_one_hot(const struct wa_step *s, int task)
{
    const struct wa_place *x = &s->x[0];
    size_t begin, end, classes = (size_t)s->node->attr.end, size = washi_dtype_size(s->y.type);
    wa_share((size_t)washi_size(x->shape), s->tasks, task, &begin, &end);
    memset((char *)s->y.data + begin * classes * size, 0, (end - begin) * classes * size);
    for (size_t i = begin; i < end; i++) {
        size_t hot =
            x->type == WASHI_U8 ? ((const uint8_t *)x->data)[i] : (size_t)((const int32_t *)x->data)[i];
        if (s->y.type == WASHI_F32)
            ((float *)s->y.data)[i * classes + hot] = 1;
        else
            ((double *)s->y.data)[i * classes + hot] = 1;
    }
}

const struct wa_op wa_op_one_hot = {
    .name = "one_hot",
    .doc = "1 at the label along a new last axis, else 0",
    .arity = 1,
    .infer = infer_one_hot,
    .plan = plan_one_hot,
    .check = check_one_hot,
    .run = run_one_hot,
    .sample = {.x = {SHAPE(5)}, .attr = {.end = 4, .type = WASHI_F64}, .index_end = 4},
};

/* -- cast -- */

static bool infer_cast(washi_tensor *y)
{
    if (!washi_dtype_size(y->attr.type))
        return wa_op_error(y, WASHI_BAD_TYPE, "there is no type %d", (int)y->attr.type);
    y->type = y->attr.type;
    y->shape = A->shape;
    return true;
}

RULE(cast)
{
    if (wa_is_real(A->type) && wa_is_real(y->type)) gx[0] = washi_cast(g, A->type);
}

const struct wa_op wa_op_cast = {
    .name = "cast",
    .doc = "a in another type",
    .derivative = "g in the type of a; 0 if either is an integer",
    .arity = 1,
    .infer = infer_cast,
    .rule = cast_rule,
    .fusion = WA_FUSE_CAST,
    .sample = {.x = {SHAPE(3, 5)}, .low = -2, .high = 2, .attr.type = WASHI_F64},
};

/* -- the public forms -- */

washi_tensor *washi_take(washi_tensor *a, washi_tensor *i32_indices, int axis)
{
    if (a && !a->tape->status && !wa_axis(a, "take", &axis)) return NULL;
    return record2(&wa_op_take, a, i32_indices, (struct wa_attr){.axis = axis});
}

washi_tensor *washi_scatter_add(washi_tensor *a, washi_tensor *i32_indices, washi_tensor *updates,
                                int axis)
{
    if (!a) return record2(&wa_op_scatter, a, i32_indices, (struct wa_attr){0});
    if (!a->tape->status && !wa_axis(a, "scatter_add", &axis)) return NULL;
    if (updates && !a->tape->status && updates->type != a->type) {
        washi_fail(a->tape, WASHI_BAD_TYPE, "scatter_add: updates of type %s to %s",
                   washi_dtype_name(updates->type), washi_dtype_name(a->type));
        return NULL;
    }
    return add(a, scatter(updates, i32_indices, axis, a->tape->status ? 0 : a->shape.dim[axis]));
}

washi_tensor *washi_one_hot(washi_tensor *labels, int64_t classes, washi_dtype type)
{
    return record1(&wa_op_one_hot, labels, (struct wa_attr){.end = classes, .type = type});
}

washi_tensor *washi_cast(washi_tensor *a, washi_dtype type)
{
    if (a && a->type == type) return a;
    return record1(&wa_op_cast, a, (struct wa_attr){.type = type});
}
