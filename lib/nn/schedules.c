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

washi_tensor *washi_exponential_decay(washi_tensor *step, const void *config)
{
    const washi_exponential_decay_options *o = config;
    if (!o || !(o->decay_steps > 0 && o->decay_rate > 0))
        return refuse(step, "exponential_decay: decay_steps and decay_rate must be positive");
    washi_tensor *decays = washi_div(step, number(step, o->decay_steps));
    if (o->staircase) decays = washi_floor(decays);
    return washi_scale(washi_pow(number(step, o->decay_rate), decays), o->initial_learning_rate);
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
        rate = washi_where(washi_less_equal(step, number(step, o->boundary[i])),
                           number(step, o->value[i]), rate);
    return rate;
}

static const double pi = 3.14159265358979323846;

/* From 1 to alpha along half a cosine while done goes from 0 to 1. */
static washi_tensor *fall(washi_tensor *done, double alpha)
{
    washi_tensor *cosine = washi_cos(washi_scale(washi_clip(done, 0, 1), pi));
    return washi_shift(washi_scale(washi_shift(cosine, 1), 0.5 * (1 - alpha)), alpha);
}

washi_tensor *washi_cosine_decay(washi_tensor *step, const void *config)
{
    const washi_cosine_decay_options *o = config;
    if (!o || !(o->decay_steps > 0 && o->warmup_steps >= 0))
        return refuse(step, "cosine_decay: decay_steps must be positive, warmup_steps not negative");
    washi_tensor *falls =
        fall(washi_div(washi_shift(step, -o->warmup_steps), number(step, o->decay_steps)), o->alpha);
    if (!(o->warmup_steps > 0)) return washi_scale(falls, o->initial_learning_rate);
    washi_tensor *rise = washi_scale(washi_div(step, number(step, o->warmup_steps)),
                                     o->warmup_target - o->initial_learning_rate);
    return washi_where(washi_less(step, number(step, o->warmup_steps)),
                       washi_shift(rise, o->initial_learning_rate),
                       washi_scale(falls, o->warmup_target));
}
