/* early_stopping.c: stops training that gets no better, and goes back to the best weights. */
#include "train.h"

#include <math.h>
#include <string.h>

/* The log that is watched, of those in logs. */
static int watched(const washi_early_stopping *s)
{
    static const unsigned char log[] = {[WASHI_MONITOR_VAL_LOSS] = 2,
                                        [WASHI_MONITOR_VAL_METRIC] = 3,
                                        [WASHI_MONITOR_LOSS] = 0,
                                        [WASHI_MONITOR_METRIC] = 1};
    return log[s->monitor];
}

static washi_mode mode(const washi_early_stopping *s, const washi_fit_options *o)
{
    if (s->mode != WASHI_MODE_AUTO) return s->mode;
    return watched(s) % 2 ? wa_nn_metric_mode(o->metric) : WASHI_MODE_MIN;
}

static washi_status check(const washi_early_stopping *s, const washi_fit_options *o)
{
    if ((unsigned)s->monitor > WASHI_MONITOR_METRIC || (unsigned)s->mode > WASHI_MODE_MAX)
        return washi_fail(NULL, WASHI_BAD_VALUE, "early_stopping: there is no monitor %d or no mode %d",
                          (int)s->monitor, (int)s->mode);
    int log = watched(s);
    const char *missing = NULL;
    if (log % 2 && !o->metric) missing = "metric";
    if (log >= 2 && !o->validation_x) missing = "validation";
    if (missing)
        return washi_fail(NULL, WASHI_MISUSE, "early_stopping: the options of fit have no %s to watch",
                          missing);
    if (mode(s, o) == WASHI_MODE_AUTO)
        return washi_fail(
            NULL, WASHI_MISUSE,
            "early_stopping: whether a larger or a smaller metric is better must be said");
    if (s->patience >= 0 && s->min_delta >= 0) return WASHI_OK;
    return washi_fail(NULL, WASHI_BAD_VALUE, "early_stopping: patience %d and min_delta %g",
                      s->patience, s->min_delta);
}

/* -- the weights: one behind the other ----------------------------------------------------------- */

static size_t bytes(washi_model *m, int i)
{
    const washi_weight_info v = washi_model_weight(m, i);
    return (size_t)washi_size(v.shape) * washi_dtype_size(v.type);
}

static void copy_weights(washi_model *m, unsigned char *kept, bool restore)
{
    for (int i = 0; i < washi_model_weights(m); i++) {
        void *data = washi_model_weight(m, i).data;
        memcpy(restore ? data : kept, restore ? kept : data, bytes(m, i));
        kept += bytes(m, i);
    }
}

/* -- the events ----------------------------------------------------------------------------------- */

static washi_status begin(washi_early_stopping *s, washi_fit_state *fit)
{
    washi_status status = check(s, fit->options);
    if (status) return status;
    s->best = mode(s, fit->options) == WASHI_MODE_MAX ? -INFINITY : INFINITY;
    s->best_epoch = s->wait = 0;
    s->stopped_epoch = -1;
    s->weights = NULL;
    s->size = 0;
    if (!s->restore_best_weights) return WASHI_OK;
    for (int i = 0; i < washi_model_weights(fit->model); i++) s->size += bytes(fit->model, i);
    s->weights = washi_resize(fit->w, NULL, 0, s->size);
    if (!s->weights) return WASHI_NO_MEMORY;
    copy_weights(fit->model, s->weights, false);
    return WASHI_OK;
}

/* As in Keras the first epoch is the best until a better one, even if its log is not a number. */
static void look(washi_early_stopping *s, washi_fit_state *fit)
{
    double log = fit->logs[watched(s)];
    bool better = mode(s, fit->options) == WASHI_MODE_MAX ? log - s->min_delta > s->best
                                                          : log + s->min_delta < s->best;
    if (better || fit->epoch == 0) {
        if (s->weights) copy_weights(fit->model, s->weights, false);
        s->best_epoch = fit->epoch;
    }
    s->wait = better ? 0 : s->wait + 1;
    if (better) s->best = log;
    if (better || s->wait < s->patience || fit->epoch == 0) return;
    s->stopped_epoch = fit->epoch;
    fit->stop = true;
}

static void end(washi_early_stopping *s, washi_fit_state *fit)
{
    if (!s->weights) return;
    copy_weights(fit->model, s->weights, true);
    washi_resize(fit->w, s->weights, s->size, 0);
    s->weights = NULL;
}

static washi_status early_stopping(washi_fit_state *fit, void *user)
{
    washi_early_stopping *s = user;
    if (!s) return washi_fail(NULL, WASHI_MISUSE, "early_stopping: its options are NULL");
    if (fit->event == WASHI_FIT_BEGIN) return begin(s, fit);
    if (fit->event == WASHI_EPOCH_END) look(s, fit);
    if (fit->event == WASHI_FIT_END) end(s, fit);
    return WASHI_OK;
}

washi_callback washi_callback_early_stopping(washi_early_stopping *s)
{
    return (washi_callback){early_stopping, s};
}
