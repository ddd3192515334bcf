/* ops_source.c: values that are there before a run: inputs, constants and variables. */
#include "autodiff/ops.h"

#include <string.h>

const struct wa_op wa_op_input = {
    .name = "input", .doc = "a value given by washi_feed", .source = true};
const struct wa_op wa_op_constant = {
    .name = "constant", .doc = "a value copied when recorded", .source = true};
const struct wa_op wa_op_variable = {
    .name = "variable", .doc = "a value in the caller's memory", .source = true};

washi_tensor *washi_input(washi_tape *t, washi_dtype type, washi_shape shape)
{
    return wa_record_source(t, &wa_op_input, type, shape);
}

washi_status washi_feed(washi_tensor *input, const void *data)
{
    if (!wa_usable(input, "feed")) return input ? input->tape->status : WASHI_MISUSE;
    char text[WA_TENSOR_TEXT];
    if (input->op != &wa_op_input)
        return wa_error(WASHI_MISUSE, "feed: %s is made by %s, not by washi_input",
                        wa_tensor_text(input, text), input->op->name);
    if ((uintptr_t)data % washi_dtype_size(input->type))
        return wa_error(WASHI_BAD_VALUE, "feed: the data is not aligned to an element of %s",
                        washi_dtype_name(input->type));
    input->data = data;
    return WASHI_OK;
}

/* A constant whose memory is still to be written. */
static washi_tensor *new_constant(washi_tape *t, washi_dtype type, washi_shape shape, void **data)
{
    washi_tensor *y = wa_record_source(t, &wa_op_constant, type, shape);
    if (!y) return NULL;
    y->data = *data = wa_arena_new(&t->arena, wa_shape_bytes(shape, type), WA_ALIGN);
    if (*data) return y;
    washi_fail(t, WASHI_NO_MEMORY, "%s", washi_message());
    return NULL;
}

washi_tensor *washi_constant(washi_tape *t, washi_dtype type, washi_shape shape, const void *data)
{
    void *copy = NULL;
    washi_tensor *y = new_constant(t, type, shape, &copy);
    if (!y) return NULL;
    size_t size = wa_shape_bytes(shape, type);
    if (size && !data) {
        wa_op_error(y, WASHI_MISUSE, "the data is NULL");
        return NULL;
    }
    if (size) memcpy(copy, data, size);
    return y;
}

static washi_tensor *one_number(const char *who, washi_tape *t, washi_dtype type, double value)
{
    union {
        float f;
        double d;
        int32_t i;
        uint8_t u;
    } x;
    memset(&x, 0, sizeof x);
    bool fits = true;
    switch (type) {
    case WASHI_F32: x.f = (float)value; break;
    case WASHI_F64: x.d = value; break;
    case WASHI_I32:
        fits = value >= INT32_MIN && value <= INT32_MAX && value == (double)(int32_t)value;
        if (fits) x.i = (int32_t)value;
        break;
    case WASHI_U8:
        fits = value >= 0 && value <= UINT8_MAX && value == (double)(uint8_t)value;
        if (fits) x.u = (uint8_t)value;
        break;
    }
    if (!fits) {
        washi_fail(t, WASHI_BAD_VALUE, "%s: %g is no value of %s", who, value, washi_dtype_name(type));
        return NULL;
    }
    return washi_constant(t, type, (washi_shape){0}, &x);
}

washi_tensor *washi_scalar(washi_tape *t, washi_dtype type, double value)
{
    return one_number("scalar", t, type, value);
}

/* n numbers from begin on by equal steps, which must fit an integer type exactly. */
static washi_tensor *numbers(const char *who, washi_tape *t, washi_dtype type, double begin,
                             double step, int64_t n)
{
    void *data = NULL;
    double last = begin + (double)(n - 1) * step, most = type == WASHI_I32 ? INT32_MAX : UINT8_MAX;
    double least = type == WASHI_I32 ? INT32_MIN : 0;
    bool whole = begin >= least && begin <= most && (n < 2 || (last >= least && last <= most)) &&
                 begin == (double)(int64_t)begin && (n < 2 || step == (double)(int64_t)step);
    if (!wa_is_real(type) && !whole) {
        washi_fail(t, WASHI_BAD_VALUE, "%s: %g by %g gives no values of %s", who, begin, step,
                   washi_dtype_name(type));
        return NULL;
    }
    washi_tensor *y = new_constant(t, type, washi_shape_make(1, &n), &data);
    for (int64_t i = 0; y && i < n; i++) {
        double value = begin + (double)i * step;
        switch (type) {
        case WASHI_F32: ((float *)data)[i] = (float)value; break;
        case WASHI_F64: ((double *)data)[i] = value; break;
        case WASHI_I32: ((int32_t *)data)[i] = (int32_t)value; break;
        case WASHI_U8: ((uint8_t *)data)[i] = (uint8_t)value; break;
        }
    }
    return y;
}

washi_tensor *washi_arange(washi_tape *t, washi_dtype type, double begin, double end, double step)
{
    double count = (end - begin) / step;
    if (!(count <= 0x1p53) || !(step > 0 || step < 0)) {
        washi_fail(t, WASHI_BAD_VALUE, "arange: from %g to %g by %g", begin, end, step);
        return NULL;
    }
    int64_t n = count > 0 ? (int64_t)count : 0;
    return numbers("arange", t, type, begin, step, n + ((double)n < count));
}

washi_tensor *washi_linspace(washi_tape *t, washi_dtype type, double begin, double end, int64_t n)
{
    if (n < 0 || !wa_is_real(type)) {
        washi_fail(t, n < 0 ? WASHI_BAD_VALUE : WASHI_BAD_TYPE, "linspace: %lld numbers of type %s",
                   (long long)n, washi_dtype_name(type));
        return NULL;
    }
    washi_tensor *y =
        numbers("linspace", t, type, begin, n > 1 ? (end - begin) / (double)(n - 1) : 0, n);
    if (!y || n < 2) return y;
    if (type == WASHI_F32)
        ((float *)(uintptr_t)y->data)[n - 1] = (float)end;
    else
        ((double *)(uintptr_t)y->data)[n - 1] = end;
    return y;
}

washi_tensor *washi_full(washi_tape *t, washi_dtype type, washi_shape shape, double value)
{
    char text[WA_SHAPE_TEXT];
    if (t && washi_size(shape) < 0) {
        washi_fail(t, WASHI_BAD_SHAPE, "full: %s is no shape", wa_shape_text(shape, text));
        return NULL;
    }
    return washi_broadcast_to(one_number("full", t, type, value), shape);
}

/* Where the variable in this memory is found, or is to be put. */
static washi_tensor **place_of(const washi_tape *t, const void *data)
{
    const size_t mask = t->places - 1;
    size_t at = (size_t)((uint64_t)(uintptr_t)data * 0x9E3779B97F4A7C15u >> 32) & mask;
    while (t->place[at] && t->place[at]->data != data) at = (at + 1) & mask;
    return &t->place[at];
}

/* For one more variable; half of the places stay empty. */
static bool make_room(washi_tape *t)
{
    enum { FEWEST = 16 };
    if (2 * t->variable_count < t->places) return true;
    const size_t places = t->places ? 2 * t->places : FEWEST;
    washi_tensor **place = wa_arena_new(&t->arena, places * sizeof *place, _Alignof(washi_tensor *));
    if (!place) {
        washi_fail(t, WASHI_NO_MEMORY, "%s", washi_message());
        return false;
    }
    for (size_t i = 0; i < places; i++) place[i] = NULL;
    t->place = place;
    t->places = places;
    for (washi_tensor *v = t->variables; v; v = v->next_variable) *place_of(t, v->data) = v;
    return true;
}

washi_tensor *washi_variable(washi_tape *t, washi_dtype type, washi_shape shape, void *data)
{
    if (!t || !data) {
        washi_fail(t, WASHI_MISUSE, "variable: the tape or the data is NULL");
        return NULL;
    }
    if (!make_room(t)) return NULL;
    washi_tensor *v = *place_of(t, data);
    if (v) {
        if (v->type == type && wa_shape_equal(v->shape, shape)) return t->status ? NULL : v;
        char a[WA_SHAPE_TEXT], b[WA_TENSOR_TEXT];
        washi_fail(t, WASHI_MISUSE, "variable: %s %s is in the memory of %s", washi_dtype_name(type),
                   wa_shape_text(shape, a), wa_tensor_text(v, b));
        return NULL;
    }
    const size_t element = washi_dtype_size(type);
    if (element && (uintptr_t)data % element) {
        washi_fail(t, WASHI_BAD_VALUE, "variable: the data is not aligned to an element of %s",
                   washi_dtype_name(type));
        return NULL;
    }
    washi_tensor *y = wa_record_source(t, &wa_op_variable, type, shape);
    if (!y) return NULL;
    y->data = data;
    y->next_variable = t->variables;
    t->variables = y;
    t->variable_count++;
    return *place_of(t, data) = y;
}

washi_status washi_assign(washi_tensor *weight, washi_tensor *value)
{
    washi_tape *t = weight ? weight->tape : value ? value->tape : NULL;
    if (t && t->status) return t->status;
    if (!weight || !value) return wa_missing(t, "assign: the variable or the value is NULL");
    char a[WA_TENSOR_TEXT], b[WA_TENSOR_TEXT];
    wa_tensor_text(weight, a);
    wa_tensor_text(value, b);
    if (value->tape != t)
        return washi_fail(t, WASHI_MISUSE, "assign: %s and %s are on different tapes", a, b);
    if (weight->op != &wa_op_variable)
        return washi_fail(t, WASHI_MISUSE, "assign: %s is made by %s, not by washi_variable", a,
                          weight->op->name);
    if (weight->assigned) return washi_fail(t, WASHI_MISUSE, "assign: %s is assigned already", a);
    if (weight->type != value->type || !wa_shape_equal(weight->shape, value->shape))
        return washi_fail(t, weight->type != value->type ? WASHI_BAD_TYPE : WASHI_BAD_SHAPE,
                          "assign: %s cannot take %s", a, b);
    weight->assigned = value;
    return WASHI_OK;
}
