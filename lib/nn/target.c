/* target.c: what losses and metrics ask of their targets. */
#include "nn.h"

/* The shape without a last axis of 1; rank -1 when it has none. */
static washi_shape without_last(washi_shape s)
{
    if (s.rank < 1 || s.dim[s.rank - 1] != 1) return (washi_shape){.rank = -1};
    s.rank--;
    return s;
}

static bool fits(washi_shape a, washi_shape b)
{
    return wa_nn_same_shape(a, b) || wa_nn_same_shape(without_last(a), b) ||
           wa_nn_same_shape(a, without_last(b));
}

static bool is_real(washi_dtype type) { return type == WASHI_F32 || type == WASHI_F64; }

static washi_tensor *refuse(const char *who, washi_status status, washi_tensor *target,
                            washi_tensor *prediction, const char *wanted)
{
    washi_fail(washi_tape_of(prediction), status, "%s: target %s %s, prediction %s %s: %s", who,
               wa_nn_shape(washi_shape_of(target)).at, washi_dtype_name(washi_dtype_of(target)),
               wa_nn_shape(washi_shape_of(prediction)).at, washi_dtype_name(washi_dtype_of(prediction)),
               wanted);
    return NULL;
}

/* A NULL that is no consequence of an earlier error on the tape is the caller's. */
static bool present(const char *who, const washi_tensor *target, const washi_tensor *prediction)
{
    if (target && prediction) return true;
    washi_tape *t = washi_tape_of(target ? target : prediction);
    if (t && !washi_tape_status(t))
        washi_fail(t, WASHI_MISUSE, "%s: the %s is NULL", who, target ? "prediction" : "target");
    return false;
}

washi_tensor *wa_nn_target(const char *who, washi_tensor *target, washi_tensor *prediction)
{
    if (!present(who, target, prediction)) return NULL;
    washi_shape shape = washi_shape_of(prediction);
    washi_dtype type = washi_dtype_of(prediction);
    if (!is_real(type))
        return refuse(who, WASHI_BAD_TYPE, target, prediction, "predictions of f32 or f64 wanted");
    if (!fits(washi_shape_of(target), shape))
        return refuse(who, WASHI_BAD_SHAPE, target, prediction, "equal shapes wanted");
    if (washi_dtype_of(target) != type) target = washi_cast(target, type);
    return washi_reshape(target, shape);
}

washi_tensor *wa_nn_labels(const char *who, washi_tensor *target, washi_tensor *prediction)
{
    if (!present(who, target, prediction)) return NULL;
    washi_shape shape = washi_shape_of(prediction), found = washi_shape_of(target);
    if (!is_real(washi_dtype_of(prediction)) || is_real(washi_dtype_of(target)))
        return refuse(who, WASHI_BAD_TYPE, target, prediction,
                      "labels of i32 or u8 and predictions of f32 or f64 wanted");
    if (--shape.rank < 1 ||
        (!wa_nn_same_shape(found, shape) && !wa_nn_same_shape(without_last(found), shape)))
        return refuse(who, WASHI_BAD_SHAPE, target, prediction,
                      "a label for each row of the prediction wanted");
    return washi_reshape(target, shape);
}
