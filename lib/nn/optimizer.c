/* optimizer.c: records the updates of a model's weights. */
#include "optimizer.h"

#include <math.h>
#include <string.h>

static bool is_amount(double x) { return x >= 0 && isfinite(x); }

static washi_status check(const washi_optimizer_options *o)
{
    const struct {
        const char *name;
        double value;
    } amounts[] = {{"weight decay", o->weight_decay},
                   {"clipnorm", o->clipnorm},
                   {"clipvalue", o->clipvalue},
                   {"global_clipnorm", o->global_clipnorm}};
    for (size_t i = 0; i < sizeof amounts / sizeof *amounts; i++)
        if (!is_amount(amounts[i].value))
            return washi_fail(NULL, WASHI_BAD_VALUE, "optimizer: %s %g, 0 or a positive number wanted",
                              amounts[i].name, amounts[i].value);
    if ((o->clipnorm > 0) + (o->clipvalue > 0) + (o->global_clipnorm > 0) > 1)
        return washi_fail(NULL, WASHI_MISUSE,
                          "optimizer: only one of clipnorm, clipvalue and global_clipnorm can be set");
    if (o->schedule && o->learning_rate != 0)
        return washi_fail(NULL, WASHI_MISUSE, "optimizer: learning rate %g beside a schedule",
                          o->learning_rate);
    if (o->schedule || (o->learning_rate > 0 && isfinite(o->learning_rate))) return WASHI_OK;
    return washi_fail(NULL, WASHI_BAD_VALUE, "optimizer: learning rate %g, a positive number wanted",
                      o->learning_rate);
}

washi_optimizer *washi_optimizer_new(washi *w, washi_update_fn *update, const void *config, size_t size,
                                     const washi_optimizer_options *options)
{
    washi_optimizer *o = NULL;
    if (!w || !update || !options || (size && !config))
        washi_fail(NULL, WASHI_MISUSE, "optimizer: the %s is NULL",
                   !w         ? "context"
                   : !update  ? "function"
                   : !options ? "options"
                              : "config");
    else if (size > SIZE_MAX - sizeof *o)
        washi_fail(NULL, WASHI_NO_MEMORY, "optimizer: no memory for a config of %zu bytes", size);
    else if (!check(options))
        o = washi_resize(w, NULL, 0, sizeof *o + size);
    if (!o) return NULL;
    *o = (washi_optimizer){.w = w, .update = update, .options = *options, .size = size};
    if (size) memcpy(o->config, config, size);
    return o;
}

void washi_optimizer_free(washi_optimizer *o)
{
    if (!o) return;
    wa_nn_slots_free(o);
    washi_resize(o->w, o, sizeof *o + o->size, 0);
}

/* Fills weight[0 ... n-1] with the trainable weights on the tape; returns how many. */
static int trainable(washi_model *m, washi_tape *t, washi_tensor *weight[])
{
    int n = 0;
    for (int i = 0; i < washi_model_weights(m); i++) {
        washi_weight_info v = washi_model_weight(m, i);
        if (v.trainable) weight[n++] = washi_variable(t, v.type, v.shape, v.data);
    }
    return n;
}

/* One weight's step; false after an error. */
static bool update(washi_update *u, washi_tensor *weight, washi_tensor *gradient)
{
    washi_optimizer *o = u->optimizer;
    washi_tensor *w = weight;
    if (o->options.weight_decay > 0)
        w = washi_sub(w, washi_mul(washi_scale(w, o->options.weight_decay), washi_learning_rate(u)));
    washi_tensor *value = w ? o->update(u, w, gradient, o->config) : NULL;
    if (!value && !washi_tape_status(u->tape))
        washi_fail(u->tape, WASHI_MISUSE, "optimizer: its function returned NULL for weight %s",
                   u->info.name);
    return value && !washi_assign(weight, value);
}

/* weight has room for twice the model's weights: they, and their gradients. */
static void record(washi_optimizer *o, washi_model *m, washi_tensor *loss, washi_tensor *weight[])
{
    washi_update u = {.optimizer = o, .model = m, .tape = washi_tape_of(loss)};
    int n = trainable(m, u.tape, weight);
    washi_tensor **gradient = weight + washi_model_weights(m);
    if (n == 0 || washi_grad(loss, n, weight, gradient)) return;
    wa_nn_clip(&o->options, n, gradient);
    if (washi_tape_status(u.tape)) return;
    for (int i = 0, k = 0; k < n; i++) {
        u.info = washi_model_weight(m, i);
        if (!u.info.trainable) continue;
        if (!update(&u, weight[k], gradient[k])) return;
        k++;
    }
}

washi_status washi_minimize(washi_optimizer *o, washi_model *m, washi_tensor *loss)
{
    washi_tape *t = washi_tape_of(loss);
    if (!loss)
        return washi_fail(NULL, WASHI_MISUSE, "minimize: the loss is NULL%s%s",
                          *washi_message() ? "; before that: " : "", washi_message());
    if (washi_tape_status(t)) return washi_tape_status(t);
    if (!o || !m)
        return washi_fail(t, WASHI_MISUSE, "minimize: the %s is NULL", o ? "model" : "optimizer");
    int n = washi_model_weights(m);
    if (washi_size(washi_shape_of(loss)) != 1)
        return washi_fail(t, WASHI_BAD_SHAPE, "minimize: the loss has shape %s, a scalar wanted",
                          wa_nn_shape(washi_shape_of(loss)).at);
    if (n == 0) return washi_fail(t, WASHI_MISUSE, "minimize: the model has no weights (is it built?)");
    size_t bytes = (size_t)n * 2 * sizeof(washi_tensor *);
    washi_tensor **weight = washi_resize(o->w, NULL, 0, bytes);
    if (!weight) return washi_fail(t, WASHI_NO_MEMORY, "minimize: %s", washi_message());
    record(o, m, loss, weight);
    washi_resize(o->w, weight, bytes, 0);
    return washi_tape_status(t);
}
