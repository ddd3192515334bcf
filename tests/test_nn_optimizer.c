/* test_nn_optimizer.c: clipping, Adam and optimisers of a user's own against plain loops written from
 * Keras' formulas. */
#include "test_nn_bowl.h"

enum { STEPS = 7 };

/* -- the loops: p descends the bowl; state is zero at first ------------------------------------- */

struct state {
    double p[PARAMETERS], m[PARAMETERS], v[PARAMETERS];
    int iterations;
};

typedef void step_fn(struct state *s, int i, double gradient, double rate);

static void sgd_step(struct state *s, int i, double gradient, double rate)
{
    s->m[i] = 0.9 * s->m[i] - rate * gradient;
    s->p[i] += s->m[i];
}

static void adam_step(struct state *s, int i, double gradient, double rate)
{
    const int t = s->iterations + 1;
    const double alpha = rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t));
    s->m[i] += (gradient - s->m[i]) * (1 - 0.9);
    s->v[i] += (gradient * gradient - s->v[i]) * (1 - 0.999);
    s->p[i] -= s->m[i] * alpha / (sqrt(s->v[i]) + 1e-7);
}

static void adagrad_step(struct state *s, int i, double gradient, double rate)
{
    if (s->iterations == 0) s->v[i] = 0.1;
    s->v[i] += gradient * gradient;
    s->p[i] -= rate * gradient / sqrt(s->v[i] + 1e-7);
}

static double norm(int n, const double *x)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i] * x[i];
    return sqrt(sum);
}

static void clip(const washi_optimizer_options *o, double g[PARAMETERS])
{
    const double norms[2] = {norm(FIRST, g), norm(SECOND, g + FIRST)}, all = norm(PARAMETERS, g);
    for (int i = 0; i < PARAMETERS; i++) {
        if (o->clipvalue > 0) g[i] = fmax(-o->clipvalue, fmin(o->clipvalue, g[i]));
        if (o->clipnorm > 0) g[i] *= o->clipnorm / fmax(norms[i >= FIRST], o->clipnorm);
        if (o->global_clipnorm > 0) g[i] *= o->global_clipnorm * fmin(1 / all, 1 / o->global_clipnorm);
    }
}

static void loop(step_fn *step, const washi_optimizer_options *o, int steps, struct state *s)
{
    *s = (struct state){0};
    memcpy(s->p, start, sizeof start);
    for (; s->iterations < steps; s->iterations++) {
        double g[PARAMETERS];
        const double rate = o->schedule ? 0.2 / (s->iterations + 1) : o->learning_rate;
        for (int i = 0; i < PARAMETERS; i++) g[i] = steepness[i] * s->p[i];
        clip(o, g);
        for (int i = 0; i < PARAMETERS; i++) s->p[i] -= s->p[i] * o->weight_decay * rate;
        for (int i = 0; i < PARAMETERS; i++) step(s, i, g[i], rate);
    }
}

/* -- the library's ------------------------------------------------------------------------------ */

/* *config / (step + 1) */
static washi_tensor *harmonic(washi_tensor *step, const void *config)
{
    const double *first = config;
    return washi_div(washi_scalar(washi_tape_of(step), WASHI_F64, *first), washi_shift(step, 1));
}
static const double first_rate = 0.2;

static washi_optimizer *new_sgd(const washi_optimizer_options *o)
{
    return washi_sgd(w, &(washi_sgd_options){.learning_rate = o->learning_rate,
                                             .momentum = 0.9,
                                             .weight_decay = o->weight_decay,
                                             .clipnorm = o->clipnorm,
                                             .clipvalue = o->clipvalue,
                                             .global_clipnorm = o->global_clipnorm,
                                             .schedule = o->schedule,
                                             .schedule_config = o->schedule_config});
}

static washi_optimizer *new_adam(const washi_optimizer_options *o)
{
    return washi_adam(w, &(washi_adam_options){.learning_rate = o->learning_rate,
                                               .weight_decay = o->weight_decay,
                                               .clipnorm = o->clipnorm,
                                               .clipvalue = o->clipvalue,
                                               .global_clipnorm = o->global_clipnorm,
                                               .schedule = o->schedule,
                                               .schedule_config = o->schedule_config});
}

/* One of a user's own (Duchi, Hazan and Singer 2011), with a slot that does not begin at 0. */
static washi_tensor *adagrad(washi_update *u, washi_tensor *weight, washi_tensor *gradient,
                             const void *config)
{
    const double *epsilon = config;
    washi_tensor *sum = washi_slot(u, "accumulator", 0.1);
    washi_tensor *next = washi_add(sum, washi_mul(gradient, gradient));
    washi_assign(sum, next);
    washi_tensor *step = washi_mul(gradient, washi_learning_rate(u));
    return washi_sub(weight, washi_div(step, washi_sqrt(washi_shift(next, *epsilon))));
}

static washi_optimizer *new_adagrad(const washi_optimizer_options *o)
{
    const double epsilon = 1e-7; /* copied */
    return washi_optimizer_new(w, adagrad, &epsilon, sizeof epsilon, o);
}

static const struct {
    washi_optimizer *(*make)(const washi_optimizer_options *o);
    step_fn *step;
} kinds[] = {{new_sgd, sgd_step}, {new_adam, adam_step}, {new_adagrad, adagrad_step}};

/* The clippings act on some of the gradients; those of the last rows on none. */
static const washi_optimizer_options variants[] = {
    {.learning_rate = 0.1},
    {.learning_rate = 0.1, .weight_decay = 0.05},
    {.learning_rate = 0.1, .clipvalue = 0.6},
    {.learning_rate = 0.1, .clipnorm = 1.5},
    {.learning_rate = 0.1, .global_clipnorm = 1.2, .weight_decay = 0.05},
    {.schedule = harmonic, .schedule_config = &first_rate},
    {.schedule = harmonic, .schedule_config = &first_rate, .weight_decay = 0.05, .clipnorm = 0.5},
    {.learning_rate = 0.1, .clipvalue = 100},
    {.learning_rate = 0.1, .clipnorm = 100},
    {.learning_rate = 0.1, .global_clipnorm = 100}};
enum { KINDS = sizeof kinds / sizeof *kinds, VARIANTS = sizeof variants / sizeof *variants };

static void agree(washi_model *m, const struct state *s, double tolerance)
{
    for (int i = 0; i < PARAMETERS; i++) near(parameter(m, i), s->p[i], tolerance);
}

/* On one tape, and on a tape for each step. */
START_TEST(keras_formulas)
{
    static const washi_dtype types[2] = {WASHI_F64, WASHI_F32};
    for (int k = 0; k < KINDS; k++)
        for (int v = 0; v < VARIANTS; v++)
            for (int how = 0; how < 3; how++) {
                struct state expected;
                loop(kinds[k].step, &variants[v], STEPS, &expected);
                washi_model *m = new_point(&types[how == 2]);
                washi_optimizer *o = kinds[k].make(&variants[v]);
                ck_assert_msg(o != NULL, "%s", washi_message());
                for (int i = 0; i < (how == 1 ? STEPS : 1); i++) descend(o, m, how == 1 ? 1 : STEPS);
                agree(m, &expected, how == 2 ? 3e-6 : 1e-13);
                washi_optimizer_free(o);
                washi_model_free(m);
            }
}
END_TEST

/* Each variant matters: without what it sets, other weights come out. */
START_TEST(variants_differ)
{
    for (int k = 0; k < KINDS; k++)
        for (int v = 1; v < VARIANTS - 3; v++) {
            struct state plain, other;
            loop(kinds[k].step, &variants[0], STEPS, &plain);
            loop(kinds[k].step, &variants[v], STEPS, &other);
            double most = 0;
            for (int i = 0; i < PARAMETERS; i++) most = fmax(most, fabs(plain.p[i] - other.p[i]));
            ck_assert_msg(most > 1e-6, "kind %d, variant %d: %g", k, v, most);
        }
}
END_TEST

/* The new weight is the gradient as it was clipped. */
static washi_tensor *the_gradient(washi_update *u, washi_tensor *weight, washi_tensor *gradient,
                                  const void *config)
{
    (void)u, (void)weight, (void)config;
    return gradient;
}

/* The gradient of p[at] = x and of the rest as at the start, clipped. */
static void clipped(washi_optimizer_options options, int at, double x, double out[PARAMETERS])
{
    const washi_dtype type = WASHI_F64;
    options.learning_rate = 1;
    washi_optimizer *o = washi_optimizer_new(w, the_gradient, NULL, 0, &options);
    washi_model *m = new_point(&type);
    set_parameter(m, at, x);
    descend(o, m, 1);
    for (int i = 0; i < PARAMETERS; i++) out[i] = parameter(m, i);
    washi_optimizer_free(o);
    washi_model_free(m);
}

/* As in Keras: a value that is infinite is clipped; a norm that is not finite spoils the weight, the
 * global one all of them, so that no step is made of some of the gradients. */
START_TEST(not_finite)
{
    const washi_dtype type = WASHI_F64;
    double g[PARAMETERS];
    clipped((washi_optimizer_options){.clipvalue = 1}, 0, -INFINITY, g);
    ck_assert(g[0] == -1 && g[1] == -1 && g[2] == -0.25 && g[3] == 1 && g[4] == -0.5);
    clipped((washi_optimizer_options){.clipvalue = 1}, 0, NAN, g);
    ck_assert(isnan(g[0]) && g[1] == -1);
    clipped((washi_optimizer_options){.clipnorm = 100}, 0, NAN, g);
    ck_assert(isnan(g[0]) && isnan(g[1]) && isnan(g[2]) && g[3] == 2.25 && g[4] == -0.5);
    clipped((washi_optimizer_options){.clipnorm = 100}, 0, INFINITY, g);
    ck_assert(isnan(g[0]) && g[1] == 0 && g[3] == 2.25);
    for (int nan = 0; nan < 2; nan++) {
        clipped((washi_optimizer_options){.global_clipnorm = 100}, 0, nan ? NAN : INFINITY, g);
        for (int i = 0; i < PARAMETERS; i++) ck_assert(isnan(g[i]));
    }
    washi_model *m = new_point(&type); /* at the bottom all gradients are 0, and so is their norm */
    for (int i = 0; i < PARAMETERS; i++) set_parameter(m, i, 0);
    washi_optimizer *o = washi_sgd(w, &(washi_sgd_options){.learning_rate = 1, .global_clipnorm = 1});
    descend(o, m, 1);
    for (int i = 0; i < PARAMETERS; i++) ck_assert(parameter(m, i) == 0);
    washi_optimizer_free(o);
    washi_model_free(m);
}
END_TEST

/* -- rates that change --------------------------------------------------------------------------- */

static washi_tensor *by_hand(washi_tensor *step, const void *config)
{
    return washi_variable(washi_tape_of(step), WASHI_F64, (washi_shape){0}, *(double *const *)config);
}

/* A rate in the program's memory is read anew by every run. */
START_TEST(rate_by_hand)
{
    const washi_dtype type = WASHI_F64;
    double rate = 0.5;
    double *const there = &rate;
    washi_model *m = new_point(&type);
    washi_optimizer *o =
        washi_sgd(w, &(washi_sgd_options){.schedule = by_hand, .schedule_config = &there});
    washi_tape *t = washi_tape_new(w);
    washi_tensor *loss = bowl(washi_model_call(m, washi_scalar(t, type, 0), true));
    ok(washi_minimize(o, m, loss));
    washi_program *p = washi_compile(t, 1, &loss);
    ok(washi_run(p));
    near(parameter(m, 1), -2 * (1 - 0.5 * 0.5), 1e-15);
    rate = 0;
    ok(washi_run(p));
    near(parameter(m, 1), -2 * (1 - 0.5 * 0.5), 1e-15);
    rate = 2;
    ok(washi_run(p));
    near(parameter(m, 1), 0, 1e-15);
    washi_program_free(p);
    washi_tape_free(t);
    washi_optimizer_free(o);
    washi_model_free(m);
}
END_TEST

/* One optimiser, two models, one tape: each has its own steps and its own slots. */
START_TEST(two_models)
{
    const washi_dtype type = WASHI_F64;
    washi_optimizer *o = new_adam(&variants[5]);
    washi_model *m[2] = {new_point(&type), new_point(&type)};
    descend(o, m[0], 2);
    washi_tape *t = washi_tape_new(w);
    washi_tensor *loss[2];
    for (int i = 0; i < 2; i++) {
        loss[i] = bowl(washi_model_call(m[i], washi_scalar(t, type, 0), true));
        ok(washi_minimize(o, m[i], loss[i]));
    }
    washi_program *p = washi_compile(t, 2, loss);
    for (int i = 0; i < 3; i++) ok(washi_run(p));
    struct state expected[2];
    for (int i = 0; i < 2; i++) {
        loop(adam_step, &variants[5], 5 - 2 * i, &expected[i]);
        agree(m[i], &expected[i], 1e-13);
    }
    washi_program_free(p);
    washi_tape_free(t);
    for (int i = 0; i < 2; i++) washi_model_free(m[i]);
    washi_optimizer_free(o);
}
END_TEST

/* -- mistakes ------------------------------------------------------------------------------------ */

static void refused(washi_optimizer_options options, const char *text)
{
    ck_assert_ptr_null(washi_optimizer_new(w, adagrad, NULL, 0, &options));
    ck_assert_msg(strstr(washi_message(), text) != NULL, "%s", washi_message());
}

static washi_tensor *nothing(washi_update *u, washi_tensor *weight, washi_tensor *gradient,
                             const void *config)
{
    (void)u, (void)weight, (void)gradient, (void)config;
    return NULL;
}

static washi_tensor *sum_of(washi_update *u, washi_tensor *weight, washi_tensor *gradient,
                            const void *config)
{
    (void)u, (void)gradient, (void)config;
    return washi_sum(weight, 0, false);
}

static washi_tensor *no_name(washi_update *u, washi_tensor *weight, washi_tensor *gradient,
                             const void *config)
{
    (void)weight, (void)gradient, (void)config;
    return washi_slot(u, NULL, 0);
}

static washi_tensor *no_rate(washi_tensor *step, const void *config)
{
    (void)step, (void)config;
    return NULL;
}

static washi_tensor *single(washi_tensor *step, const void *config)
{
    (void)config;
    return washi_cast(step, WASHI_F32);
}

static void minimize_fails(washi_optimizer *o, washi_status status, const char *text)
{
    const washi_dtype type = WASHI_F64;
    ck_assert_msg(o != NULL, "%s", washi_message());
    washi_model *m = new_point(&type);
    washi_tape *t = washi_tape_new(w);
    washi_tensor *loss = bowl(washi_model_call(m, washi_scalar(t, type, 0), true));
    fails(washi_minimize(o, m, loss), status, text);
    washi_tape_free(t);
    washi_model_free(m);
    washi_optimizer_free(o);
}

START_TEST(mistakes)
{
    const washi_optimizer_options good = {.learning_rate = 1};
    refused((washi_optimizer_options){0}, "learning rate 0");
    refused((washi_optimizer_options){.learning_rate = NAN}, "learning rate nan");
    refused((washi_optimizer_options){.learning_rate = 1, .clipnorm = -1}, "clipnorm -1");
    refused((washi_optimizer_options){.learning_rate = 1, .clipvalue = NAN}, "clipvalue nan");
    refused((washi_optimizer_options){.learning_rate = 1, .global_clipnorm = INFINITY},
            "global_clipnorm inf");
    refused((washi_optimizer_options){.learning_rate = 1, .weight_decay = -1}, "weight decay -1");
    refused((washi_optimizer_options){.learning_rate = 1, .clipnorm = 1, .clipvalue = 1}, "only one");
    refused((washi_optimizer_options){.learning_rate = 1, .schedule = harmonic}, "beside a schedule");
    ck_assert_ptr_null(washi_optimizer_new(NULL, adagrad, NULL, 0, &good));
    ck_assert_ptr_null(washi_optimizer_new(w, NULL, NULL, 0, &good));
    ck_assert_ptr_null(washi_optimizer_new(w, adagrad, NULL, 8, &good));
    ck_assert_ptr_null(washi_optimizer_new(w, adagrad, NULL, 0, NULL));
    ck_assert_ptr_null(washi_optimizer_new(w, adagrad, &good, SIZE_MAX, &good));
    ck_assert_ptr_null(washi_adam(NULL, NULL));
    ck_assert_ptr_null(washi_adam(w, &(washi_adam_options){.beta_1 = 1}));
    ck_assert_msg(strstr(washi_message(), "betas 1 and 0.999") != NULL, "%s", washi_message());
    ck_assert_ptr_null(washi_adam(w, &(washi_adam_options){.beta_2 = NAN}));
    ck_assert_ptr_null(washi_adam(w, &(washi_adam_options){.epsilon = -1}));
    ck_assert_msg(strstr(washi_message(), "epsilon -1") != NULL, "%s", washi_message());
    minimize_fails(washi_optimizer_new(w, nothing, NULL, 0, &good), WASHI_MISUSE,
                   "its function returned NULL for weight w");
    minimize_fails(washi_optimizer_new(w, sum_of, NULL, 0, &good), WASHI_BAD_SHAPE, "assign");
    minimize_fails(washi_optimizer_new(w, no_name, NULL, 0, &good), WASHI_MISUSE, "the name is NULL");
    minimize_fails(washi_sgd(w, &(washi_sgd_options){.schedule = no_rate}), WASHI_MISUSE,
                   "the schedule returned NULL");
    minimize_fails(washi_sgd(w, &(washi_sgd_options){.schedule = single}), WASHI_BAD_SHAPE,
                   "the schedule returned [] of f32");
    ck_assert_ptr_null(washi_slot(NULL, "x", 0));
    ck_assert_ptr_null(washi_iterations(NULL));
    ck_assert_ptr_null(washi_learning_rate(NULL));
}
END_TEST

int main(void)
{
    return RUN("nn_optimizer", keras_formulas, variants_differ, not_finite, rate_by_hand, two_models,
               mistakes);
}
