/* tape.c: recording: a tape, its nodes, and the values that are there before a run. */
#include "autodiff/ops.h"

#include <string.h>

washi_tape *washi_tape_new(washi *w)
{
    if (!w) {
        wa_error(WASHI_MISUSE, "tape_new: the context is NULL");
        return NULL;
    }
    washi_tape *t = wa_new(w, sizeof *t);
    if (t) t->arena.w = w;
    return t;
}

void washi_tape_free(washi_tape *t)
{
    if (!t) return;
    washi *w = t->arena.w;
    wa_free(w, t->nodes, t->capacity * sizeof *t->nodes);
    wa_arena_free(&t->arena);
    wa_free(w, t, sizeof *t);
}

washi_status washi_tape_status(const washi_tape *t)
{
    return t ? t->status : wa_error(WASHI_MISUSE, "tape_status: the tape is NULL");
}

washi *washi_context_of(const washi_tape *t) { return t ? t->arena.w : NULL; }

/* -- errors -- */

static void stick(washi_tape *t, washi_status status)
{
    if (t && !t->status) t->status = status;
}

washi_status washi_fail(washi_tape *t, washi_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    wa_error_va(status, format, args);
    va_end(args);
    stick(t, status);
    return status;
}

bool wa_op_error(const washi_tensor *y, washi_status status, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    stick(y->tape, wa_error(status, "%s: %s", y->op->name, text));
    return false;
}

washi_status wa_missing(washi_tape *t, const char *format, ...)
{
    char text[200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    static const char link[] = "; before that: ";
    const char *cause = t ? "" : washi_message(), *more;
    while ((more = strstr(cause, link))) cause = more + strlen(link); /* what came first */
    return washi_fail(t, WASHI_MISUSE, "%s%s%s", text, *cause ? link : "", cause);
}

bool wa_usable(const washi_tensor *x, const char *who)
{
    if (x) return !x->tape->status;
    wa_missing(NULL, "%s: a tensor is NULL", who);
    return false;
}

bool wa_axis(const washi_tensor *x, const char *who, int *axis)
{
    int rank = x->shape.rank, a = *axis < 0 ? *axis + rank : *axis;
    if (a < 0 || a >= rank) {
        char text[WA_SHAPE_TEXT];
        washi_fail(x->tape, WASHI_BAD_VALUE, "%s: %s has no axis %d", who,
                   wa_shape_text(x->shape, text), *axis);
        return false;
    }
    *axis = a;
    return true;
}

/* -- nodes -- */

static washi_tensor *new_node(washi_tape *t, const struct wa_op *op, int n)
{
    size_t size = sizeof(washi_tensor) + (size_t)n * sizeof(washi_tensor *);
    washi_tensor *y = wa_arena_new(&t->arena, size, _Alignof(washi_tensor));
    void *nodes = t->nodes;
    bool room = y && t->count < INT32_MAX &&
                wa_grow(t->arena.w, &nodes, &t->capacity, t->count + 1, sizeof *t->nodes);
    t->nodes = nodes;
    if (!room) {
        stick(t, WASHI_NO_MEMORY);
        return NULL;
    }
    memset(y, 0, size);
    y->op = op;
    y->tape = t;
    y->n = n;
    y->id = (int)t->count;
    y->sweep = t->sweep;
    y->gradient = t->gradient;
    return y;
}

static washi_tensor *append(washi_tensor *y)
{
    if (washi_size(y->shape) < 0) {
        char text[WA_SHAPE_TEXT];
        wa_op_error(y, WASHI_BAD_SHAPE, "%s is no shape", wa_shape_text(y->shape, text));
        return NULL;
    }
    y->tape->nodes[y->tape->count++] = y;
    return y;
}

/* The tape of the operands, when they are all there, on one tape, and that tape has no error yet. */
static washi_tape *tape_of_operands(const struct wa_op *op, int n, washi_tensor *const x[])
{
    washi_tape *t = NULL;
    int missing = -1;
    for (int i = 0; i < n; i++) {
        char text[WA_TENSOR_TEXT];
        if (!x[i]) {
            if (missing < 0) missing = i;
        } else if (!t) {
            t = x[i]->tape;
        } else if (t != x[i]->tape) {
            stick(t, wa_error(WASHI_MISUSE, "%s: operand %d, %s, is on another tape", op->name, i,
                              wa_tensor_text(x[i], text)));
            stick(x[i]->tape, WASHI_MISUSE);
            return NULL;
        }
    }
    if (t && t->status) return NULL;
    if (missing >= 0 || !t) {
        /* Without a tape the message is the cause of the NULL, if there is one: let it stand. */
        if (t || !*washi_message())
            stick(t, wa_error(WASHI_MISUSE, "%s: operand %d is NULL", op->name,
                              missing < 0 ? 0 : missing));
        return NULL;
    }
    return t;
}

washi_tensor *wa_record(const struct wa_op *op, int n, washi_tensor *const x[],
                        const struct wa_attr *attr)
{
    washi_tape *t = tape_of_operands(op, n, x);
    washi_tensor *y = t ? new_node(t, op, n) : NULL;
    if (!y) return NULL;
    y->attr = *attr;
    for (int i = 0; i < n; i++) y->x[i] = x[i];
    return op->infer(y) ? append(y) : NULL;
}

washi_tensor *wa_record_source(washi_tape *t, const struct wa_op *op, washi_dtype type,
                               washi_shape shape)
{
    if (!t) {
        wa_error(WASHI_MISUSE, "%s: the tape is NULL", op->name);
        return NULL;
    }
    washi_tensor *y = t->status ? NULL : new_node(t, op, 0);
    if (!y) return NULL;
    y->type = type;
    y->shape = shape;
    if (!washi_dtype_size(type)) {
        wa_op_error(y, WASHI_BAD_TYPE, "there is no type %d", (int)type);
        return NULL;
    }
    return append(y);
}

/* -- names -- */

washi_tensor *washi_name(washi_tensor *x, const char *name)
{
    if (!wa_usable(x, "name")) return NULL;
    size_t size = name ? strlen(name) + 1 : 0;
    char *copy = name ? wa_arena_new(&x->tape->arena, size, 1) : NULL;
    if (name && !copy) {
        washi_fail(x->tape, WASHI_NO_MEMORY, "%s", washi_message());
        return NULL;
    }
    if (name) memcpy(copy, name, size);
    x->name = copy;
    return x;
}

const char *washi_name_of(const washi_tensor *x) { return x && x->name ? x->name : ""; }

const char *wa_tensor_text(const washi_tensor *x, char *text)
{
    char shape[WA_SHAPE_TEXT], name[WA_NAME_TEXT] = "";
    if (x->name) snprintf(name, sizeof name, " \"%.*s\"", WA_NAME_TEXT - 4, x->name);
    snprintf(text, WA_TENSOR_TEXT, "%s %s%s", washi_dtype_name(x->type), wa_shape_text(x->shape, shape),
             name);
    return text;
}

/* -- looking at a tensor -- */

washi_shape washi_shape_of(const washi_tensor *x) { return x ? x->shape : (washi_shape){0}; }

washi_dtype washi_dtype_of(const washi_tensor *x) { return x ? x->type : WASHI_F32; }

washi_tape *washi_tape_of(const washi_tensor *x) { return x ? x->tape : NULL; }

const char *washi_op_name(const washi_tensor *x) { return x ? x->op->name : ""; }

int washi_operands(const washi_tensor *x) { return x ? x->n : 0; }

washi_tensor *washi_operand(const washi_tensor *x, int i)
{
    return x && i >= 0 && i < x->n ? x->x[i] : NULL;
}

const void *washi_data(const washi_tensor *y)
{
    char text[WA_TENSOR_TEXT];
    if (!y) {
        wa_missing(NULL, "data: a tensor is NULL");
        return NULL;
    }
    if (!y->data)
        wa_error(WASHI_MISUSE, "data: %s %s is no output of a program that has run", y->op->name,
                 wa_tensor_text(y, text));
    return y->data;
}

static const void *data_of(const washi_tensor *y, washi_dtype type)
{
    char text[WA_TENSOR_TEXT];
    if (!y || y->type == type) return washi_data(y);
    wa_error(WASHI_BAD_TYPE, "data: %s %s is not %s", y->op->name, wa_tensor_text(y, text),
             washi_dtype_name(type));
    return NULL;
}

const float *washi_f32(const washi_tensor *y) { return data_of(y, WASHI_F32); }

const double *washi_f64(const washi_tensor *y) { return data_of(y, WASHI_F64); }
