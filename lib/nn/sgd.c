/* sgd.c: stochastic gradient descent, with momentum, Nesterov's and weight decay. */
#include "optimizer.h"

#include <math.h>

/* The order of operations is Keras'. The velocity a Nesterov step looks ahead with is the new one. */
static washi_tensor *sgd(washi_optimizer *o, const struct wa_update *s)
{
    const washi_sgd_options *sgd = &o->sgd;
    washi_tensor *w = s->weight, *step = washi_scale(s->gradient, sgd->learning_rate);
    if (sgd->weight_decay > 0) w = washi_sub(w, washi_scale(w, sgd->learning_rate * sgd->weight_decay));
    if (!(sgd->momentum > 0)) return washi_sub(w, step);
    washi_tensor *velocity = wa_nn_slot(o, s);
    washi_tensor *next = washi_sub(washi_scale(velocity, sgd->momentum), step);
    if (!next || washi_assign(velocity, next)) return NULL;
    if (sgd->nesterov) return washi_add(w, washi_sub(washi_scale(next, sgd->momentum), step));
    return washi_add(w, next);
}

washi_optimizer *washi_sgd(washi *w, const washi_sgd_options *options)
{
    washi_status bad = WASHI_OK;
    if (!w || !options)
        bad = washi_fail(NULL, WASHI_MISUSE, "sgd: the %s is NULL", w ? "options" : "context");
    else if (!(options->learning_rate > 0) || !isfinite(options->learning_rate))
        bad = washi_fail(NULL, WASHI_BAD_VALUE, "sgd: learning rate %g, a positive number wanted",
                         options->learning_rate);
    else if (!(options->momentum >= 0 && options->momentum < 1))
        bad = washi_fail(NULL, WASHI_BAD_VALUE, "sgd: momentum %g, at least 0 and below 1 wanted",
                         options->momentum);
    else if (!(options->weight_decay >= 0) || !isfinite(options->weight_decay))
        bad = washi_fail(NULL, WASHI_BAD_VALUE, "sgd: weight decay %g, 0 or a positive number wanted",
                         options->weight_decay);
    washi_optimizer *o = bad ? NULL : washi_resize(w, NULL, 0, sizeof *o);
    if (o) *o = (washi_optimizer){.w = w, .update = sgd, .sgd = *options};
    return o;
}
