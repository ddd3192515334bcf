/* clip.c: gradients clipped by value, by norm, or by the norm of all of them, with Keras' formulas. */
#include "optimizer.h"

#include <math.h>

static washi_tensor *sum_of_squares(washi_tensor *x)
{
    return washi_sum(washi_square(x), WASHI_ALL, false);
}

static washi_tensor *by_norm(washi_tensor *g, double most)
{
    washi_tensor *norm = washi_sqrt(sum_of_squares(g));
    return washi_div(washi_scale(g, most), washi_clip(norm, most, INFINITY));
}

/* What all gradients are multiplied with, in F64: most * min(1 / norm, 1 / most), and NaN when the norm
 * is not finite, so that no step is made of some of the gradients. */
static washi_tensor *global_scale(int n, washi_tensor *gradient[], double most)
{
    washi_tensor *sum = NULL;
    for (int i = 0; i < n; i++) {
        washi_tensor *one = washi_cast(sum_of_squares(gradient[i]), WASHI_F64);
        sum = sum ? washi_add(sum, one) : one;
    }
    washi_tensor *norm = washi_sqrt(sum);
    washi_tensor *scale = washi_scale(washi_clip(washi_reciprocal(norm), 0, 1 / most), most);
    return washi_add(scale, washi_sub(norm, norm));
}

void wa_nn_clip(const washi_optimizer_options *o, int n, washi_tensor *gradient[])
{
    washi_tensor *scale = o->global_clipnorm > 0 ? global_scale(n, gradient, o->global_clipnorm) : NULL;
    for (int i = 0; i < n; i++) {
        washi_tensor **g = &gradient[i];
        if (o->clipvalue > 0) *g = washi_clip(*g, -o->clipvalue, o->clipvalue);
        if (o->clipnorm > 0) *g = by_norm(*g, o->clipnorm);
        if (o->global_clipnorm > 0) *g = washi_mul(*g, washi_cast(scale, washi_dtype_of(*g)));
    }
}
