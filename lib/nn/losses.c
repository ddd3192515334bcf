/* losses.c: losses that compare number by number. */
#include "nn.h"

/* target - prediction, in the prediction's type and shape. */
static washi_tensor *error_of(const char *who, washi_tensor *target, washi_tensor *prediction)
{
    return washi_sub(wa_nn_target(who, target, prediction), prediction);
}

static washi_tensor *mean(washi_tensor *x) { return washi_mean(x, WASHI_ALL, false); }

washi_tensor *washi_mean_squared_error(washi_tensor *target, washi_tensor *prediction)
{
    washi_tensor *error = error_of("mean_squared_error", target, prediction);
    return mean(washi_mul(error, error));
}

washi_tensor *washi_mean_absolute_error(washi_tensor *target, washi_tensor *prediction)
{
    return mean(washi_abs(error_of("mean_absolute_error", target, prediction)));
}

washi_tensor *washi_huber(washi_tensor *target, washi_tensor *prediction)
{
    washi_tensor *error = error_of("huber", target, prediction), *size = washi_abs(error);
    washi_tensor *one = error ? washi_scalar(washi_tape_of(error), washi_dtype_of(error), 1) : NULL;
    washi_tensor *parabola = washi_scale(washi_mul(error, error), 0.5), *line = washi_shift(size, -0.5);
    return mean(washi_where(washi_greater_equal(one, size), parabola, line));
}
