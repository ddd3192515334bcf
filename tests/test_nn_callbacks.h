/* test_nn_callbacks.h: what the tests of callbacks share: a fit with them, data to validate on, and a
 * metric whose values are given. */
#ifndef TEST_NN_CALLBACKS_H
#define TEST_NN_CALLBACKS_H

#include "test_nn_points.h"

static const washi_array some_x = {WASHI_F32, {2, {37, FEATURES}}, points[100]},
                         some_y = {WASHI_U8, {1, {37}}, &kinds[100]};

static inline washi_status fit_with(washi_model *m, int n, const washi_callback *callback,
                                    double (*history)[4])
{
    options.callback = callback;
    options.callbacks = n;
    return washi_fit(m, &x, &y, &options, history);
}

/* A metric that goes by a script, and the callback that reads it a line an epoch. */
static double script_now;

static inline washi_tensor *scripted(washi_tensor *target, washi_tensor *prediction)
{
    (void)target;
    return washi_variable(washi_tape_of(prediction), WASHI_F64, (washi_shape){0}, &script_now);
}

static inline washi_status next_line(washi_fit_state *fit, void *user)
{
    if (fit->event == WASHI_EPOCH_BEGIN) script_now = ((const double *)user)[fit->epoch];
    return WASHI_OK;
}

#endif
