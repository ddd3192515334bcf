/* sgd.c: stochastic gradient descent, with momentum and Nesterov's. */
#include "washi.h"

struct config {
    double momentum;
    bool nesterov;
};

/* The order of operations is Keras'. The velocity a Nesterov step looks ahead with is the new one. */
static washi_tensor *sgd(washi_update *u, washi_tensor *w, washi_tensor *gradient, const void *config)
{
    const struct config *c = config;
    washi_tensor *step = washi_mul(gradient, washi_learning_rate(u));
    if (!(c->momentum > 0)) return washi_sub(w, step);
    washi_tensor *velocity = washi_slot(u, "velocity", 0);
    washi_tensor *next = washi_sub(washi_scale(velocity, c->momentum), step);
    washi_assign(velocity, next);
    if (c->nesterov) return washi_add(w, washi_sub(washi_scale(next, c->momentum), step));
    return washi_add(w, next);
}

washi_optimizer *washi_sgd(washi *w, const washi_sgd_options *o)
{
    if (!w || !o)
        washi_fail(NULL, WASHI_MISUSE, "sgd: the %s NULL", w ? "options are" : "context is");
    else if (!(o->momentum >= 0 && o->momentum < 1))
        washi_fail(NULL, WASHI_BAD_VALUE, "sgd: momentum %g, at least 0 and below 1 wanted",
                   o->momentum);
    else
        return washi_optimizer_new(
            w, sgd, &(struct config){o->momentum, o->nesterov}, sizeof(struct config),
            &(washi_optimizer_options){o->learning_rate, o->weight_decay, o->clipnorm, o->clipvalue,
                                       o->global_clipnorm, o->schedule, o->schedule_config});
    return NULL;
}
