/* fit.c: the training loop. */
#include "train.h"

#include <inttypes.h>
#include <math.h>

struct training {
    washi_model *model;
    washi_fit_options options;
    struct wa_pass train, validation;
    struct wa_callbacks callbacks;
    struct wa_watch watch; /* tells the callbacks of each batch */
    int32_t *order;        /* NULL: the samples' own */
};

static washi_status check_callbacks(const washi_fit_options *options)
{
    if (options->callbacks < 0)
        return washi_fail(NULL, WASHI_BAD_VALUE, "fit: %d callbacks", options->callbacks);
    if (options->callbacks && !options->callback)
        return washi_fail(NULL, WASHI_MISUSE, "fit: the callbacks are NULL");
    for (int i = 0; i < options->callbacks; i++)
        if (!options->callback[i].call)
            return washi_fail(NULL, WASHI_MISUSE, "fit: callback %d has no function", i);
    return WASHI_OK;
}

static washi_status check(washi_model *m, const washi_array *x, const washi_array *y,
                          const washi_fit_options *options, washi_fit_options *out)
{
    washi_status status = wa_nn_options("fit", m, options, out);
    if (status) return status;
    if (!options->optimizer)
        return washi_fail(NULL, WASHI_MISUSE, "fit: the options name no optimizer");
    status = check_callbacks(options);
    if (!status) status = wa_nn_check_pair("fit", "x", x, "y", y);
    if (!status && (options->validation_x || options->validation_y))
        status = wa_nn_check_pair("fit", "validation_x", options->validation_x, "validation_y",
                                  options->validation_y);
    if (status || options->keep_order || x->shape.dim[0] <= INT32_MAX) return status;
    return washi_fail(NULL, WASHI_BAD_SHAPE,
                      "fit: x has %" PRId64 " samples, of which at most %d can be shuffled",
                      x->shape.dim[0], INT32_MAX);
}

/* Everything that can be wrong with model, loss and data shows here, before the first step. */
static washi_status prepare(struct training *t, const washi_array *x, const washi_array *y)
{
    const washi_fit_options *o = &t->options;
    washi_status status = wa_nn_build_for(t->model, x);
    if (status) return status;
    if (!o->keep_order) {
        t->order = washi_resize(t->model->w, NULL, 0, (size_t)x->shape.dim[0] * sizeof *t->order);
        if (!t->order) return WASHI_NO_MEMORY;
    }
    struct wa_task task = {.model = t->model,
                           .x = x,
                           .y = y,
                           .loss = o->loss,
                           .metric = o->metric,
                           .optimizer = o->optimizer,
                           .batch = o->batch_size,
                           .by_index = !o->keep_order};
    status = wa_nn_pass_open(&t->train, &task);
    if (status || !o->validation_x) return status;
    task.x = o->validation_x;
    task.y = o->validation_y;
    task.optimizer = NULL;
    task.by_index = false;
    return wa_nn_pass_open(&t->validation, &task);
}

static washi_status batch_end(void *arg, int64_t steps, const double logs[2])
{
    struct training *t = arg;
    washi_fit_state *now = &t->callbacks.state;
    now->batch = steps;
    now->logs[0] = logs[0];
    now->logs[1] = logs[1];
    washi_status status = wa_nn_callbacks_tell(&t->callbacks, WASHI_BATCH_END);
    t->watch.stop = now->stop;
    return status;
}

/* history may be NULL. */
static washi_status epoch(struct training *t, double history[4])
{
    washi_model *m = t->model;
    washi_fit_state *now = &t->callbacks.state;
    now->batch = 0;
    for (int i = 0; i < 4; i++) now->logs[i] = NAN;
    washi_status status =
        t->order ? wa_nn_shuffle(m->w, m->epochs, t->train.samples, t->order) : WASHI_OK;
    if (!status) status = wa_nn_callbacks_tell(&t->callbacks, WASHI_EPOCH_BEGIN);
    t->watch.stop = now->stop;
    if (!status) status = wa_nn_pass_run(&t->train, t->order, &t->watch, now->logs);
    if (!status && t->validation.samples && !now->stop)
        status = wa_nn_pass_run(&t->validation, NULL, NULL, now->logs + 2);
    if (status) return status;
    m->epochs++;
    for (int i = 0; i < 4 && history; i++) history[i] = now->logs[i];
    return wa_nn_callbacks_tell(&t->callbacks, WASHI_EPOCH_END);
}

static washi_status run(struct training *t, double (*history)[4])
{
    washi_fit_state *now = &t->callbacks.state;
    *now = (washi_fit_state){
        .w = t->model->w, .model = t->model, .options = &t->options, .batches = t->train.steps};
    t->watch = (struct wa_watch){batch_end, t, false};
    washi_status status = wa_nn_callbacks_tell(&t->callbacks, WASHI_FIT_BEGIN);
    for (; !status && !now->stop && now->epoch < t->options.epochs; now->epoch++)
        status = epoch(t, history ? history[now->epoch] : NULL);
    washi_status end = wa_nn_callbacks_tell(&t->callbacks, WASHI_FIT_END);
    return status ? status : end;
}

washi_status washi_fit(washi_model *m, const washi_array *x, const washi_array *y,
                       const washi_fit_options *options, double (*history)[4])
{
    struct training t = {.model = m};
    washi_status status = check(m, x, y, options, &t.options);
    if (status) return status;
    for (int i = 0; history && i < t.options.epochs; i++)
        for (int j = 0; j < 4; j++) history[i][j] = NAN;
    status = prepare(&t, x, y);
    if (!status) status = run(&t, history);
    if (!status && t.options.progress && t.train.full.program)
        status = washi_profile_print(t.train.full.program, t.options.progress);
    wa_nn_pass_close(&t.train);
    wa_nn_pass_close(&t.validation);
    if (t.order) washi_resize(m->w, t.order, (size_t)x->shape.dim[0] * sizeof *t.order, 0);
    return status;
}
