/* callbacks.c: who is told how fit goes on, and the shortest of those that come with the library. */
#include "train.h"

#include <math.h>

static washi_status tell(struct wa_callbacks *c, int i)
{
    const washi_fit_options *o = c->state.options;
    if (i == 0) return o->progress ? wa_nn_progress_callback(&c->state, &c->bar) : WASHI_OK;
    if (i <= o->callbacks) return o->callback[i - 1].call(&c->state, o->callback[i - 1].user);
    if (c->state.event == WASHI_EPOCH_END && o->on_epoch &&
        !o->on_epoch(o->user, c->state.epoch, c->state.logs))
        c->state.stop = true;
    return WASHI_OK;
}

washi_status wa_nn_callbacks_tell(struct wa_callbacks *c, washi_event event)
{
    washi_status first = WASHI_OK;
    int all = c->state.options->callbacks + 2; /* with the progress and on_epoch */
    int n = event == WASHI_FIT_BEGIN ? all : c->begun;
    c->state.event = event;
    for (int i = 0; i < n && (!first || event == WASHI_FIT_END); i++) {
        washi_status status = tell(c, i);
        if (!first) first = status;
        if (event == WASHI_FIT_BEGIN && !status) c->begun = i + 1;
    }
    return first;
}

static washi_status terminate_on_nan(washi_fit_state *fit, void *user)
{
    (void)user;
    if (fit->event == WASHI_BATCH_END && !isfinite(fit->logs[0])) fit->stop = true;
    return WASHI_OK;
}

washi_callback washi_callback_terminate_on_nan(void)
{
    return (washi_callback){terminate_on_nan, NULL};
}
