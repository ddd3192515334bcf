/* losses.c: losses that compare number by number. */
#include "nn.h"

washi_tensor *washi_mean_squared_error(washi_tensor *target, washi_tensor *prediction)
{
    washi_tensor *error = washi_sub(wa_nn_target("mean_squared_error", target, prediction), prediction);
    return washi_mean(washi_mul(error, error), WASHI_ALL, false);
}
