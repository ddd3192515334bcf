/* ops_concat.c: parts put together along an axis, and taken apart again. */
#include "autodiff/step.h"

#include "autodiff/rules.h"

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

/* Tasks share out the rows, one for each index of the axes before; or the one row of each part. */
static bool plan_concat(struct wa_step *s)
{
    s->tasks = wa_tasks(s, wa_shape_bytes(s->y.shape, s->y.type), WA_GRAIN);
    return true;
}

static void run_concat(const struct wa_step *s, int task)
{
    int axis = s->node->attr.axis;
    size_t rows = (size_t)wa_shape_span(s->y.shape, 0, axis), size = washi_dtype_size(s->y.type);
    size_t row = (size_t)wa_shape_span(s->y.shape, axis, s->y.shape.rank), at = 0;
    for (int i = 0; i < s->n; i++) {
        size_t n = (size_t)wa_shape_span(s->x[i].shape, axis, s->x[i].shape.rank), first, last, j, end;
        wa_share(rows > 1 ? rows : 1, rows > 1 ? s->tasks : 1, rows > 1 ? task : 0, &first, &last);
        wa_share(n, rows > 1 ? 1 : s->tasks, rows > 1 ? 0 : task, &j, &end);
        if (rows && first < last && j < end)
            s->simd->copy[s->y.type](last - first, end - j,
                                     (char *)s->y.data + (first * row + at + j) * size, row,
                                     (const char *)s->x[i].data + (first * n + j) * size, n, 1);
        at += n;
    }
}

const struct wa_op wa_op_concat = {
    .name = "concat",
    .doc = "parts one behind the other along an axis",
    .derivative = "the slices of g that the parts went to",
    .arity = -1,
    .infer = infer_concat,
    .rule = concat_rule,
    .plan = plan_concat,
    .run = run_concat,
    .sample = {.x = {SHAPE(3, 2), SHAPE(3, 1), SHAPE(3, 3)}, .low = -2, .high = 2, .attr.axis = 1},
};

static bool has_parts(const char *who, int n, washi_tensor *const parts[])
{
    if (n > 0 && parts) return true;
    wa_error(WASHI_MISUSE, n > 0 ? "%s: the parts are NULL" : "%s: %d parts", who, n);
    return false;
}

washi_tensor *washi_concat(int n, washi_tensor *const parts[], int axis)
{
    if (!has_parts("concat", n, parts)) return NULL;
    if (parts[0] && !parts[0]->tape->status && !wa_axis(parts[0], "concat", &axis)) return NULL;
    return wa_record(&wa_op_concat, n, parts, &(struct wa_attr){.axis = axis});
}

washi_tensor *washi_stack(int n, washi_tensor *const parts[], int axis)
{
    char a[WA_SHAPE_TEXT], b[WA_SHAPE_TEXT];
    if (!has_parts("stack", n, parts) || !wa_usable(parts[0], "stack")) return NULL;
    washi_tape *t = parts[0]->tape;
    washi_shape shape = parts[0]->shape;
    washi_tensor **thick = wa_arena_new(&t->arena, (size_t)n * sizeof *thick, _Alignof(washi_tensor *));
    if (!thick) {
        washi_fail(t, WASHI_NO_MEMORY, "%s", washi_message());
        return NULL;
    }
    const int at = axis < 0 ? axis + shape.rank + 1 : axis;
    if (at < 0 || at > shape.rank) {
        washi_fail(t, WASHI_BAD_VALUE, "stack: no axis %d can be put into %s", axis,
                   wa_shape_text(shape, a));
        return NULL;
    }
    for (int i = 0; i < n; i++) {
        if (!parts[i]) {
            washi_fail(t, WASHI_MISUSE, "stack: part %d is NULL", i);
            return NULL;
        }
        if (!wa_shape_equal(parts[i]->shape, shape)) {
            washi_fail(t, WASHI_BAD_SHAPE, "stack: %s and %s differ", wa_shape_text(shape, a),
                       wa_shape_text(parts[i]->shape, b));
            return NULL;
        }
        thick[i] = washi_expand_dims(parts[i], at);
        if (!thick[i]) return NULL;
    }
    return wa_record(&wa_op_concat, n, thick, &(struct wa_attr){.axis = at});
}

washi_status washi_split(washi_tensor *a, int n, const int64_t sizes[], int axis, washi_tensor *parts[])
{
    char text[WA_SHAPE_TEXT];
    for (int i = 0; parts && i < n; i++) parts[i] = NULL;
    if (!wa_usable(a, "split")) return a ? a->tape->status : WASHI_MISUSE;
    if (!parts) return washi_fail(a->tape, WASHI_MISUSE, "split: the place for the parts is NULL");
    if (n < 1) return washi_fail(a->tape, WASHI_MISUSE, "split: %d parts", n);
    if (!wa_axis(a, "split", &axis)) return a->tape->status;
    int64_t size = a->shape.dim[axis], sum = 0;
    bool fits = sizes || size % n == 0;
    for (int i = 0; sizes && i < n && fits; i++) {
        fits = sizes[i] >= 0 && sizes[i] <= size - sum;
        sum += fits ? sizes[i] : 0;
    }
    if (!fits || (sizes && sum != size))
        return washi_fail(a->tape, WASHI_BAD_VALUE,
                          sizes ? "split: the sizes of %d parts are not those of axis %d of %s"
                                : "split: %d equal parts of axis %d of %s",
                          n, axis, wa_shape_text(a->shape, text));
    int64_t at = 0;
    for (int i = 0; i < n; i++) {
        int64_t next = at + (sizes ? sizes[i] : size / n);
        parts[i] = washi_slice(a, axis, at, next);
        at = next;
    }
    return a->tape->status;
}
