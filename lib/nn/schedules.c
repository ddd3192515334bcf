/* schedules.c: learning rates that change from step to step, with Keras' formulas. */
#include "washi.h"

static washi_tensor *refuse(washi_tensor *step, const char *sentence)
{
    washi_fail(washi_tape_of(step), WASHI_BAD_VALUE, "%s", sentence);
    return NULL;
}

static washi_tensor *number(washi_tensor *step, double value)
{
    return washi_scalar(washi_tape_of(step), WASHI_F64, value);
}

/* Whole numbers up to 2^31 - 1, far more decays than there are. */
static washi_tensor *rounded_down(washi_tensor *x)
{
    return washi_cast(washi_cast(x, WASHI_I32), WASHI_F64);
}

washi_tensor *washi_exponential_decay(washi_tensor *step, const void *config)
{
    const washi_exponential_decay_options *o = config;
    if (!o || !(o->decay_steps > 0 && o->decay_rate > 0))
        return refuse(step, "exponential_decay: decay_steps and decay_rate must be positive");
    washi_tensor *decays = washi_div(step, number(step, o->decay_steps));
    if (o->staircase) decays = rounded_down(decays);
    washi_tensor *power = washi_exp(washi_mul(decays, washi_log(number(step, o->decay_rate))));
    return washi_scale(power, o->initial_learning_rate);
}

washi_tensor *washi_piecewise_constant_decay(washi_tensor *step, const void *config)
{
    const washi_piecewise_constant_decay_options *o = config;
    if (!o || o->boundaries < 0 || !o->value || (o->boundaries && !o->boundary))
        return refuse(step, "piecewise_constant_decay: boundaries, and one more value, wanted");
    for (int i = 1; i < o->boundaries; i++)
        if (!(o->boundary[i - 1] < o->boundary[i]))
            return refuse(step, "piecewise_constant_decay: the boundaries do not ascend");
    washi_tensor *rate = number(step, o->value[o->boundaries]);
    for (int i = o->boundaries; i-- > 0;)
        rate = washi_where(washi_greater_equal(number(step, o->boundary[i]), step),
                           number(step, o->value[i]), rate);
    return rate;
}
