/* custom_layer.c: layers of one's own: Affine with a counter, NewAffine whose weights come with the
 * first call, and Reflection, which learns its hyperplane. Nobody writes a gradient. */
#include "example.h"

#include <math.h>

/* -- Affine ------------------------------------------------------------------------------------- */

/* The lecture's Affine and NewAffine: both have these weights. */
static washi_tensor *affine_weights(washi_scope *s, washi_tensor *x, int64_t units)
{
    const int64_t inputs = washi_shape_of(x).dim[1];
    washi_tensor *kernel = washi_weight(
        s, "kernel",
        (washi_weight_options){.shape = {2, {inputs, units}}, .init = washi_random_normal});
    washi_tensor *bias =
        washi_weight(s, "bias", (washi_weight_options){.shape = {1, {units}}, .init = washi_zeros});
    return washi_add(washi_matmul(x, kernel), bias);
}

/* Counts its calls in a weight that is not trainable. */
static washi_tensor *affine(washi_scope *s, washi_tensor *x, const void *units)
{
    washi_tensor *y = affine_weights(s, x, *(const int64_t *)units);
    washi_tensor *counter = washi_weight(
        s, "counter", (washi_weight_options){.init = washi_zeros, .frozen = true, .type = WASHI_I32});
    washi_assign(counter, washi_shift(counter, 1));
    return y;
}

static washi_tensor *new_affine(washi_scope *s, washi_tensor *x, const void *units)
{
    return affine_weights(s, x, *(const int64_t *)units);
}

/* layer(ops.ones([1, 2])) */
static void call_with_ones(washi *w, washi_model *m)
{
    washi_tape *t = checked(washi_tape_new(w));
    washi_tensor *ones = washi_full(t, WASHI_F32, washi_shape_make(2, (int64_t[]){1, 2}), 1);
    print_tensor(checked(washi_model_call(m, ones, false)));
    washi_tape_free(t);
}

static void show_affine(washi *w)
{
    const int64_t units = 3, inputs = 2;
    const washi_layer layer = washi_layer_custom("affine", affine, &units);
    washi_model *m = checked(washi_sequential(w, 1, &layer));
    check(washi_model_build(m, WASHI_F32, washi_shape_make(1, &inputs))); /* Affine(3, 2) */
    puts("affine.weights");
    print_weights(m, -1);
    puts("affine(ones)");
    call_with_ones(w, m);
    puts("affine.trainable_variables");
    print_weights(m, true);
    puts("affine.non_trainable_variables");
    print_weights(m, false);
    puts("affine.trainable = False: trainable_variables, then True again");
    check(washi_model_freeze(m, "affine/", true));
    print_weights(m, true);
    check(washi_model_freeze(m, "affine/", false)); /* the counter stays as it was created */
    print_weights(m, true);
    washi_model_free(m);
}

static void show_new_affine(washi *w)
{
    const int64_t units = 3;
    const washi_layer layer = washi_layer_custom("affine", new_affine, &units);
    washi_model *m = checked(washi_sequential(w, 1, &layer));
    puts("\nnew_affine.weights, before and after its first call");
    print_weights(m, -1);
    call_with_ones(w, m);
    print_weights(m, -1);
    washi_model_free(m);
}

/* -- Reflection --------------------------------------------------------------------------------- */

/* x - 2 (n.x / n.n) n: each row of x in the mirror { v : n.v = 0 }. */
static washi_tensor *reflection(washi_scope *s, washi_tensor *x, const void *config)
{
    (void)config;
    const int64_t d = washi_shape_of(x).dim[1];
    washi_tensor *n = washi_weight(
        s, "normal", (washi_weight_options){.shape = {2, {d, 1}}, .init = washi_random_normal});
    washi_tensor *along = washi_div(washi_matmul(x, n), washi_sum(washi_mul(n, n), WASHI_ALL, false));
    return washi_sub(x, washi_scale(washi_matmul(along, washi_transpose(n)), 2));
}

enum { POINTS = 256, AXES = 3 };

/* The largest element of |a - b|. */
static double distance(int n, const float *a, const float *b)
{
    float most = 0;
    for (int i = 0; i < n; i++)
        if (fabsf(a[i] - b[i]) > most) most = fabsf(a[i] - b[i]);
    return (double)most;
}

/* The mirror's sides change, lengths do not, and twice reflected is not at all. */
static void test_reflection(washi_model *m, const washi_array *x, float *y)
{
    static float twice[POINTS * AXES];
    const float *in = x->data, *n = weight_named(m, "reflection/normal").data;
    check(washi_predict(m, x, 0, y));
    check(washi_predict(m, &(washi_array){WASHI_F32, x->shape, y}, 0, twice));
    double signs = 0, lengths = 0;
    for (int i = 0; i < POINTS; i++) {
        double before = 0, after = 0, shorter = 0;
        for (int k = 0; k < AXES; k++) {
            const double a = (double)in[i * AXES + k], b = (double)y[i * AXES + k];
            before += a * (double)n[k];
            after += b * (double)n[k];
            shorter += a * a - b * b;
        }
        signs = fmax(signs, fabs(before + after));
        lengths = fmax(lengths, fabs(shorter));
    }
    printf("n.y = -n.x: %s, lengths kept: %s, reflected twice is the input: %s\n",
           signs < 1e-6 ? "yes" : "no", lengths < 1e-5 ? "yes" : "no",
           distance(POINTS * AXES, in, twice) < 1e-5 ? "yes" : "no");
}

/* The normal is trainable: from points and their reflections in a hidden mirror, fit finds the mirror.
 */
static void learn_reflection(washi *w, washi_model *m, const washi_array *x, float *y)
{
    static const double hidden[AXES] = {2 / 3.0, -1 / 3.0, 2 / 3.0};
    const float *in = x->data, *n = weight_named(m, "reflection/normal").data;
    for (int i = 0; i < POINTS; i++) {
        double along = 0;
        for (int k = 0; k < AXES; k++) along += (double)in[i * AXES + k] * hidden[k];
        for (int k = 0; k < AXES; k++)
            y[i * AXES + k] = (float)((double)in[i * AXES + k] - 2 * along * hidden[k]);
    }
    washi_optimizer *sgd = checked(washi_sgd(w, &(washi_sgd_options){.learning_rate = 0.002}));
    const washi_fit_options options = {
        .optimizer = sgd, .loss = washi_mean_squared_error, .epochs = 30, .batch_size = 32};
    double history[30][4];
    check(washi_fit(m, x, &(washi_array){WASHI_F32, x->shape, y}, &options, history));
    double length = 0, along = 0;
    for (int k = 0; k < AXES; k++) {
        length += (double)n[k] * (double)n[k];
        along += (double)n[k] * hidden[k];
    }
    printf("fit: loss %.4f after one epoch, %.4f after 30; the normals' cosine: %.4f\n", history[0][0],
           history[29][0], fabs(along) / sqrt(length));
    washi_optimizer_free(sgd);
}

static void show_reflection(washi *w)
{
    static float points[POINTS * AXES], y[POINTS * AXES];
    const washi_array x = {WASHI_F32, {2, {POINTS, AXES}}, points};
    const washi_layer layer = washi_layer_custom("reflection", reflection, NULL);
    washi_model *m = checked(washi_sequential(w, 1, &layer));
    check(washi_fill_normal(w, 1, 0, POINTS * AXES, points));
    puts("\nreflection.weights, before and after its first call");
    print_weights(m, -1);
    check(washi_predict(m, &x, 0, y));
    print_weights(m, -1);
    const washi_shape shape = washi_model_layer(m, 0).shape;
    printf("y has %d axes, the last of size %lld, as x has\n", shape.rank, (long long)shape.dim[1]);
    test_reflection(m, &x, y);
    learn_reflection(w, m, &x, y);
    test_reflection(m, &x, y);
    washi_model_free(m);
}

int main(void)
{
    washi *w;
    check(washi_open(&w, &(washi_options){.seed = 1}));
    show_affine(w);
    show_new_affine(w);
    show_reflection(w);
    washi_close(w);
    return 0;
}
