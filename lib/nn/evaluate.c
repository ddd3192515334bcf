/* evaluate.c: a model's loss over samples, and its results for them. */
#include "train.h"

#include <inttypes.h>
#include <math.h>

static washi_status show_step(void *arg, int64_t steps, const double logs[2])
{
    wa_nn_progress_step(arg, steps, logs);
    return WASHI_OK;
}

washi_status washi_evaluate(washi_model *m, const washi_array *x, const washi_array *y,
                            const washi_fit_options *options, double logs[2])
{
    washi_fit_options o;
    washi_status status = wa_nn_options("evaluate", m, options, &o);
    if (!status && !logs) status = washi_fail(NULL, WASHI_MISUSE, "evaluate: the logs are NULL");
    if (!status) status = wa_nn_check_pair("evaluate", "x", x, "y", y);
    if (!status) status = wa_nn_build_for(m, x);
    if (status) return status;
    struct wa_pass pass;
    struct wa_task task = {
        .model = m, .x = x, .y = y, .loss = o.loss, .metric = o.metric, .batch = o.batch_size};
    double found[4] = {NAN, NAN, NAN, NAN};
    status = wa_nn_pass_open(&pass, &task);
    if (!status) {
        struct wa_progress bar = {
            .out = o.progress, .metric = wa_nn_metric_name(o.metric), .steps = pass.steps};
        struct wa_watch watch = {show_step, &bar, false};
        wa_nn_progress_start(&bar);
        status = wa_nn_pass_run(&pass, NULL, &watch, found);
        wa_nn_progress_end(&bar, status ? NULL : found);
    }
    wa_nn_pass_close(&pass);
    for (int i = 0; i < 2; i++) logs[i] = status ? NAN : found[i];
    return status;
}

washi_status washi_predict(washi_model *m, const washi_array *x, int64_t batch_size, float *out)
{
    if (!m) return washi_fail(NULL, WASHI_MISUSE, "predict: the model is NULL");
    if (batch_size < 0)
        return washi_fail(NULL, WASHI_BAD_VALUE, "predict: batches of %" PRId64 " samples", batch_size);
    washi_status status = wa_nn_check_samples("predict", "x", x);
    if (status || x->shape.dim[0] == 0) return status;
    if (!out) return washi_fail(NULL, WASHI_MISUSE, "predict: the result is NULL");
    status = wa_nn_build_for(m, x);
    if (status) return status;
    struct wa_pass pass;
    status = wa_nn_pass_open(
        &pass, &(struct wa_task){.model = m, .x = x, .batch = batch_size ? batch_size : WA_BATCH_SIZE});
    if (!status) status = wa_nn_pass_predict(&pass, out);
    wa_nn_pass_close(&pass);
    return status;
}
