/* sequential.c: a multilayer perceptron as a list of layers, and output layers for what a model is to
 * say: any number, a probability, something positive, something in an interval, several things at once.
 */
#include "example.h"

static const int64_t features = 6, samples = 2;

/* keras.random.normal((2, 6)) */
static washi_tensor *inputs(washi *w, washi_tape *t)
{
    float numbers[12];
    check(washi_fill_normal(w, 1, 0, 12, numbers));
    return washi_constant(t, WASHI_F32, washi_shape_make(2, (int64_t[]){samples, features}), numbers);
}

/* The model's result for those inputs, which builds it. */
static void call(washi *w, washi_model *m)
{
    washi_tape *t = checked(washi_tape_new(w));
    print_tensor(checked(washi_model_call(m, inputs(w, t), false)));
    washi_tape_free(t);
}

static void show_mlp(washi *w)
{
    const washi_layer layers[] = {washi_layer_dense(4, washi_relu), washi_layer_dense(4, washi_relu),
                                  washi_layer_dense(3, NULL)};
    washi_model *mlp = checked(washi_sequential(w, 3, layers));
    puts("mlp(x)");
    call(w, mlp);
    puts("mlp.weights");
    print_weights(mlp, -1);
    puts("mlp.layers");
    for (int i = 0; i < washi_model_layers(mlp); i++) {
        const washi_layer_info layer = washi_model_layer(mlp, i);
        printf("<%s name=%s>\n", layer.kind, layer.name);
    }
    puts("mlp.layers[1].kernel");
    char kernel[80];
    snprintf(kernel, sizeof kernel, "%s/kernel", washi_model_layer(mlp, 1).name);
    print_weight(mlp, kernel);
    check(washi_model_summary(mlp, stdout));
    washi_model_free(mlp);
}

/* -- output layers ------------------------------------------------------------------------------ */

/* A hidden layer, then this output layer and what is behind it. */
static void show_output(washi *w, const char *what, washi_layer output, const washi_layer *behind)
{
    const washi_layer layers[] = {washi_layer_dense(4, washi_tanh), output,
                                  behind ? *behind : washi_layer_activation(NULL)};
    washi_model *m = checked(washi_sequential(w, behind ? 3 : 2, layers));
    puts(what);
    call(w, m);
    washi_model_free(m);
}

/* Three targets from one layer of pre-activations: a mean, a standard deviation and a probability. */
static washi_tensor *mean_deviation_probability(washi_tensor *a)
{
    washi_tensor *const parts[] = {
        washi_slice(a, -1, 0, 1),
        washi_softplus(washi_slice(a, -1, 1, 2)),
        washi_sigmoid(washi_slice(a, -1, 2, 3)),
    };
    return washi_concat(3, parts, -1);
}

int main(void)
{
    washi *w;
    check(washi_open(&w, &(washi_options){.seed = 4}));
    show_mlp(w);
    /* tanh is in [-1, 1], so tanh * 2.5 + 7.5 is in [5, 10] */
    const washi_layer to_interval = washi_layer_rescaling_offset(2.5, 7.5);
    puts("\nOutput layers");
    show_output(w, "a number, such as a mean: linear", washi_layer_dense(1, NULL), NULL);
    show_output(w, "a probability: sigmoid", washi_layer_dense(1, washi_sigmoid), NULL);
    show_output(w, "something positive, such as a standard deviation: softplus",
                washi_layer_dense(1, washi_softplus), NULL);
    show_output(w, "the same: exponential", washi_layer_dense(1, washi_exp), NULL);
    show_output(w, "a number in [5, 10]: tanh, rescaled", washi_layer_dense(1, washi_tanh),
                &to_interval);
    show_output(w, "a distribution over three classes: softmax", washi_layer_dense(3, washi_softmax),
                NULL);
    show_output(w, "several targets: mean, standard deviation, probability",
                washi_layer_dense(3, mean_deviation_probability), NULL);
    washi_close(w);
    return 0;
}
