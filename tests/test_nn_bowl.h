/* test_nn_bowl.h: a model of two weights and nothing else, and a loss whose gradient is known. */
#ifndef TEST_NN_BOWL_H
#define TEST_NN_BOWL_H

#include "test_nn.h"

enum { FIRST = 3, SECOND = 2, PARAMETERS = FIRST + SECOND }; /* of weights "w" and "b" */

static const double start[PARAMETERS] = {1, -2, 0.25, 3, -0.5};
static const double steepness[PARAMETERS] = {2, 0.5, -1, 0.75, 1};

/* Both weights as one vector. */
static washi_tensor *point(washi_scope *s, washi_tensor *x, const void *config)
{
    const washi_dtype *type = config;
    (void)x;
    washi_tensor *parts[] = {
        washi_weight(s, "w", (washi_weight_options){{1, {FIRST}}, washi_zeros, false, *type}),
        washi_weight(s, "b", (washi_weight_options){{1, {SECOND}}, washi_zeros, false, *type})};
    return washi_concat(2, parts, 0);
}

/* sum(a p^2) / 2, whose gradient is a p. */
static inline washi_tensor *bowl(washi_tensor *p)
{
    washi_tensor *a =
        washi_constant(washi_tape_of(p), WASHI_F64, (washi_shape){1, {PARAMETERS}}, steepness);
    a = washi_cast(a, washi_dtype_of(p));
    return washi_scale(washi_sum(washi_mul(a, washi_mul(p, p)), 0, false), 0.5);
}

static inline double parameter(washi_model *m, int i)
{
    washi_weight_info v = washi_model_weight(m, i >= FIRST);
    int at = i < FIRST ? i : i - FIRST;
    return v.type == WASHI_F64 ? ((const double *)v.data)[at] : (double)((const float *)v.data)[at];
}

static inline void set_parameter(washi_model *m, int i, double value)
{
    washi_weight_info v = washi_model_weight(m, i >= FIRST);
    int at = i < FIRST ? i : i - FIRST;
    if (v.type == WASHI_F64)
        ((double *)v.data)[at] = value;
    else
        ((float *)v.data)[at] = (float)value;
}

static inline washi_model *new_point(const washi_dtype *type)
{
    washi_model *m = washi_model_new(w, "point", point, type);
    ok(washi_model_build(m, *type, (washi_shape){0}));
    for (int i = 0; i < PARAMETERS; i++) set_parameter(m, i, start[i]);
    return m;
}

/* Steps on one tape, run so many times. */
static inline void descend(washi_optimizer *o, washi_model *m, int steps)
{
    washi_tape *t = washi_tape_new(w);
    washi_tensor *loss = bowl(washi_model_call(m, washi_scalar(t, WASHI_F32, 0), true));
    ok(washi_minimize(o, m, loss));
    washi_program *p = washi_compile(t, 1, &loss);
    ck_assert_msg(p != NULL, "%s", washi_message());
    for (int i = 0; i < steps; i++) ok(washi_run(p));
    washi_program_free(p);
    washi_tape_free(t);
}

#endif
