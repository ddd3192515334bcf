/* adam.c: Adam, and AdamW when weights decay. */
#include "washi.h"

#include <math.h>

struct config {
    double beta_1, beta_2, epsilon;
};

/* 1 - base^t, in F64 */
static washi_tensor *one_minus_power(double base, washi_tensor *t)
{
    washi_tensor *power = t ? washi_pow(washi_scalar(washi_tape_of(t), WASHI_F64, base), t) : NULL;
    return washi_shift(washi_neg(power), 1);
}

static washi_tensor *adam(washi_update *u, washi_tensor *w, washi_tensor *gradient, const void *config)
{
    const struct config *c = config;
    washi_tensor *m = washi_slot(u, "momentum", 0), *v = washi_slot(u, "velocity", 0);
    washi_tensor *t = washi_shift(washi_iterations(u), 1), *square = washi_square(gradient);
    washi_tensor *next_m = washi_add(m, washi_scale(washi_sub(gradient, m), 1 - c->beta_1));
    washi_tensor *next_v = washi_add(v, washi_scale(washi_sub(square, v), 1 - c->beta_2));
    washi_assign(m, next_m);
    washi_assign(v, next_v);
    washi_tensor *unbias =
        washi_div(washi_sqrt(one_minus_power(c->beta_2, t)), one_minus_power(c->beta_1, t));
    washi_tensor *rate = washi_mul(washi_learning_rate(u), washi_cast(unbias, washi_dtype_of(w)));
    return washi_sub(w,
                     washi_div(washi_mul(next_m, rate), washi_shift(washi_sqrt(next_v), c->epsilon)));
}

static double or_default(double x, double value) { return x == 0 ? value : x; }

washi_optimizer *washi_adam(washi *w, const washi_adam_options *options)
{
    washi_adam_options o = options ? *options : (washi_adam_options){0};
    struct config c = {or_default(o.beta_1, 0.9), or_default(o.beta_2, 0.999),
                       or_default(o.epsilon, 1e-7)};
    if (!w)
        washi_fail(NULL, WASHI_MISUSE, "adam: the context is NULL");
    else if (!(c.beta_1 >= 0 && c.beta_1 < 1 && c.beta_2 >= 0 && c.beta_2 < 1))
        washi_fail(NULL, WASHI_BAD_VALUE, "adam: betas %g and %g, at least 0 and below 1 wanted",
                   c.beta_1, c.beta_2);
    else if (!(c.epsilon >= 0 && isfinite(c.epsilon)))
        washi_fail(NULL, WASHI_BAD_VALUE, "adam: epsilon %g, a positive number wanted", c.epsilon);
    else
        return washi_optimizer_new(
            w, adam, &c, sizeof c,
            &(washi_optimizer_options){
                o.schedule ? o.learning_rate : or_default(o.learning_rate, 0.001), o.weight_decay,
                o.clipnorm, o.clipvalue, o.global_clipnorm, o.schedule, o.schedule_config});
    return NULL;
}
