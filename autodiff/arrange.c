/* arrange.c: movement made of few primitives: axes of size 1, repetition, diagonals and triangles. */
#include "autodiff/tape.h"

static washi_tensor *refuse(const washi_tensor *a, washi_status status, const char *what)
{
    char text[WA_SHAPE_TEXT];
    washi_fail(a->tape, status, what, wa_shape_text(a->shape, text));
    return NULL;
}

washi_tensor *washi_expand_dims(washi_tensor *a, int axis)
{
    char text[WA_SHAPE_TEXT];
    if (!wa_usable(a, "expand_dims")) return NULL;
    washi_shape s = a->shape;
    int at = axis < 0 ? axis + s.rank + 1 : axis;
    if (s.rank == WASHI_MAX_RANK)
        return refuse(a, WASHI_BAD_SHAPE, "expand_dims: %s has no room for an axis");
    if (at < 0 || at > s.rank) {
        washi_fail(a->tape, WASHI_BAD_VALUE, "expand_dims: no axis %d can be put into %s", axis,
                   wa_shape_text(s, text));
        return NULL;
    }
    for (int i = s.rank++; i > at; i--) s.dim[i] = s.dim[i - 1];
    s.dim[at] = 1;
    return washi_reshape(a, s);
}

washi_tensor *washi_squeeze(washi_tensor *a, int axis)
{
    char text[WA_SHAPE_TEXT];
    if (!wa_usable(a, "squeeze") || (axis != WASHI_ALL && !wa_axis(a, "squeeze", &axis))) return NULL;
    if (axis != WASHI_ALL && a->shape.dim[axis] != 1) {
        washi_fail(a->tape, WASHI_BAD_SHAPE, "squeeze: axis %d of %s is not of size 1", axis,
                   wa_shape_text(a->shape, text));
        return NULL;
    }
    washi_shape s = {.rank = 0};
    for (int i = 0; i < a->shape.rank; i++)
        if (axis == WASHI_ALL ? a->shape.dim[i] != 1 : i != axis) s.dim[s.rank++] = a->shape.dim[i];
    return washi_reshape(a, s);
}

/* Each run of `run` elements `times` times, one behind the other; axis is then `times` as long. */
static washi_tensor *repeated(washi_tensor *a, int axis, int64_t run, int64_t times)
{
    washi_shape s = a->shape;
    if (times == 1) return a;
    int64_t runs = run ? washi_size(s) / run : 0;
    s.dim[axis] = times && s.dim[axis] > INT64_MAX / times ? INT64_MAX : s.dim[axis] * times;
    if (washi_size(s) < 1) return washi_full(a->tape, a->type, s, 0);
    washi_tensor *y = washi_reshape(a, washi_shape_make(3, (int64_t[]){runs, 1, run}));
    return washi_reshape(washi_broadcast_to(y, washi_shape_make(3, (int64_t[]){runs, times, run})), s);
}

washi_tensor *washi_repeat(washi_tensor *a, int64_t times, int axis)
{
    char text[WA_SHAPE_TEXT];
    if (!wa_usable(a, "repeat") || !wa_axis(a, "repeat", &axis)) return NULL;
    if (times < 0) {
        washi_fail(a->tape, WASHI_BAD_VALUE, "repeat: %s, %lld times", wa_shape_text(a->shape, text),
                   (long long)times);
        return NULL;
    }
    return repeated(a, axis, wa_shape_span(a->shape, axis + 1, a->shape.rank), times);
}

washi_tensor *washi_tile(washi_tensor *a, const int64_t times[])
{
    char text[WA_SHAPE_TEXT];
    if (!wa_usable(a, "tile")) return NULL;
    if (a->shape.rank && !times) return refuse(a, WASHI_MISUSE, "tile: the times for %s are NULL");
    for (int i = a->shape.rank; i-- > 0;)
        if (times[i] < 0) {
            washi_fail(a->tape, WASHI_BAD_VALUE, "tile: axis %d of %s, %lld times", i,
                       wa_shape_text(a->shape, text), (long long)times[i]);
            return NULL;
        }
    for (int i = a->shape.rank; i-- > 0 && a;)
        a = repeated(a, i, wa_shape_span(a->shape, i, a->shape.rank), times[i]);
    return a;
}

/* A matrix's diagonal is every (columns + 1)-th of its elements, read as one row. */
washi_tensor *washi_diag(washi_tensor *a)
{
    if (!wa_usable(a, "diag")) return NULL;
    washi_shape s = a->shape;
    if (s.rank == 0) return refuse(a, WASHI_BAD_SHAPE, "diag: %s is no vector and no matrix");
    if (s.rank == 1) {
        int64_t n = s.dim[0];
        return washi_reshape(wa_pad_between(a, 0, 0, 0, n + 1), washi_shape_make(2, (int64_t[]){n, n}));
    }
    int64_t rows = s.dim[s.rank - 2], columns = s.dim[s.rank - 1], n = rows < columns ? rows : columns;
    s.dim[--s.rank - 1] = rows * columns;
    return washi_slice_step(washi_reshape(a, s), s.rank - 1, 0, n ? (n - 1) * (columns + 1) + 1 : 0,
                            columns + 1);
}

/* The numbers first ... first + n - 1, as many more axes behind them. */
static washi_tensor *counted(washi_tape *t, washi_dtype type, int64_t first, int64_t n, int more)
{
    washi_shape s = {.rank = 1 + more, .dim = {n, 1}};
    return washi_reshape(washi_arange(t, type, (double)first, (double)(first + n), 1), s);
}

/* column >= row + by, or column <= row + by. */
static washi_tensor *triangle(washi_tensor *a, const char *who, int64_t by, bool upper)
{
    char text[WA_SHAPE_TEXT];
    if (!wa_usable(a, who)) return NULL;
    washi_shape s = a->shape;
    if (s.rank < 2 || !wa_is_real(a->type)) {
        washi_fail(a->tape, s.rank < 2 ? WASHI_BAD_SHAPE : WASHI_BAD_TYPE,
                   s.rank < 2 ? "%s: %s has no two axes" : "%s: %s of type %s: f32 or f64 wanted", who,
                   wa_shape_text(s, text), washi_dtype_name(a->type));
        return NULL;
    }
    int64_t rows = s.dim[s.rank - 2], columns = s.dim[s.rank - 1];
    if (by > columns) by = columns;
    if (by < -rows) by = -rows;
    washi_tensor *row = counted(a->tape, a->type, by, rows, 1),
                 *column = counted(a->tape, a->type, 0, columns, 0);
    return washi_where(upper ? washi_greater_equal(column, row) : washi_greater_equal(row, column), a,
                       washi_scalar(a->tape, a->type, 0));
}

washi_tensor *washi_tril(washi_tensor *a, int64_t diagonal)
{
    return triangle(a, "tril", diagonal, false);
}

washi_tensor *washi_triu(washi_tensor *a, int64_t diagonal)
{
    return triangle(a, "triu", diagonal, true);
}

washi_tensor *washi_eye(washi_tape *t, washi_dtype type, int64_t rows, int64_t columns)
{
    if (rows < 0 || columns < 0 || !wa_is_real(type)) {
        washi_fail(t, wa_is_real(type) ? WASHI_BAD_SHAPE : WASHI_BAD_TYPE,
                   "eye: [%lld,%lld] of type %s: f32 or f64 of sizes from 0 wanted", (long long)rows,
                   (long long)columns, washi_dtype_name(type));
        return NULL;
    }
    return washi_equal(counted(t, type, 0, rows, 1), counted(t, type, 0, columns, 0));
}
