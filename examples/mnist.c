/* mnist.c: the classifier of handwritten digits that introductions to deep learning train, from the
 * files to the pictures. Everything here is washi.h; no gradient is written anywhere. With --fashion,
 * the same of clothes. */
#include "data.h"
#include "example.h"
#include "options.h"
#include "pictures.h"

#include <stdlib.h>

/* -- training ----------------------------------------------------------------------------------- */

struct clock {
    double last, *seconds; /* of each epoch */
};

static bool count_seconds(void *user, int epoch, const double logs[4])
{
    (void)logs;
    struct clock *c = user;
    const double t = now();
    c->seconds[epoch] = t - c->last;
    c->last = t;
    return true;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Beside what the lecture's notebook prints: the last line of fit, and the two of evaluate. */
static void print_results(const double train[2], const double test[2])
{
    printf("\n%-20s %-9s %s\n", "", "Washi",
           "Keras in the lecture: MNIST, 10 epochs, batch 64, rate 0.01");
    printf("%-20s %-9.4f %s\n", "training accuracy", train[1], "0.9381");
    printf("%-20s %-9.4f %s\n", "training loss", train[0], "0.2172");
    printf("%-20s %-9.4f %s\n", "test accuracy", test[1], "0.9297 to 0.9413");
    printf("%-20s %-9.4f %s\n", "test loss", test[0], "0.2062 to 0.2370");
}

static void print_seconds(double *seconds, int epochs)
{
    qsort(seconds, (size_t)epochs, sizeof *seconds, ascending);
    printf("%-20s %-9.3f median of %d, fastest %.3f\n", "seconds an epoch", seconds[epochs / 2], epochs,
           seconds[0]);
}

/* -- predictions -------------------------------------------------------------------------------- */

/* n images of a set, chosen by the seed and this number, with what the model makes of them. */
static void choose(washi *w, const struct set *from, const float *predictions, uint64_t number, int n,
                   struct sample *out)
{
    const uint64_t stream = (UINT64_C(1) << 63) + number; /* far from those of the weights */
    uint32_t bits[64];
    check(washi_fill_bits(w, stream, 0, (size_t)n, bits));
    for (int i = 0; i < n; i++) {
        const size_t k = bits[i] % (size_t)from->x.shape.dim[0];
        out[i] = (struct sample){(const uint8_t *)from->x.data + k * SIDE * SIDE,
                                 ((const uint8_t *)from->y.data)[k],
                                 predictions ? predictions + k * CLASSES : NULL};
    }
}

/* history NULL: nothing was trained, so there is no loss to draw. */
static void show(const struct options *o, washi *w, const struct set *test, const float *predictions,
                 double (*history)[4], double test_loss)
{
    const struct subject *about = o->fashion ? &fashion : &digits;
    struct sample samples[4];
    double *losses = memory((size_t)o->epochs, sizeof *losses);
    for (int i = 0; i < o->epochs && history; i++) losses[i] = history[i][0];
    choose(w, test, predictions, 1, 4, samples);
    for (int i = 0; i < 4; i++) print_sample(about, &samples[i]);
    putchar('\n');
    if (history) draw_loss(o->out, about, o->epochs, losses, test_loss);
    draw_predictions(o->out, about, 4, samples);
    free(losses);
}

static washi_model *classifier(washi *w)
{
    const washi_layer layers[] = {
        washi_layer_rescaling(1 / 255.0),          washi_layer_flatten(),
        washi_layer_dense(64, washi_tanh),         washi_layer_dense(64, washi_tanh),
        washi_layer_dense(CLASSES, washi_softmax),
    };
    washi_model *model = checked(washi_sequential(w, sizeof layers / sizeof *layers, layers));
    check(washi_model_build(model, WASHI_U8, washi_shape_make(2, (int64_t[]){SIDE, SIDE})));
    check(washi_model_summary(model, stdout));
    return model;
}

/* Trains the model, or loads it when the options name a file; tests it and shows what it makes of the
 * test images. */
static void use(const struct options *o, washi *w, washi_model *model, const struct set *train,
                const struct set *test)
{
    washi_optimizer *sgd = checked(washi_sgd(w, &(washi_sgd_options){.learning_rate = o->rate}));
    struct clock clock = {now(), memory((size_t)o->epochs, sizeof(double))};
    const washi_fit_options options = {
        .optimizer = sgd,
        .loss = washi_sparse_categorical_crossentropy,
        .metric = washi_accuracy,
        .epochs = o->epochs,
        .batch_size = o->batch,
        .progress = stdout,
        .on_epoch = count_seconds,
        .user = &clock,
    };
    double(*history)[4] = memory((size_t)o->epochs, sizeof *history), logs[2];
    if (o->load) {
        check(washi_model_load(model, o->load));
        check(washi_evaluate(model, &train->x, &train->y, &options, history[o->epochs - 1]));
    } else {
        check(washi_fit(model, &train->x, &train->y, &options, history));
    }
    if (o->save) check(washi_model_save(model, o->save));
    check(washi_evaluate(model, &test->x, &test->y, &options, logs));
    float *predictions = memory((size_t)test->x.shape.dim[0] * CLASSES, sizeof *predictions);
    check(washi_predict(model, &test->x, o->batch, predictions));

    print_results(history[o->epochs - 1], logs);
    if (!o->load) print_seconds(clock.seconds, o->epochs);
    show(o, w, test, predictions, o->load ? NULL : history, logs[0]);
    free(predictions);
    free(history);
    free(clock.seconds);
    washi_optimizer_free(sgd);
}

int main(int argc, char **argv)
{
    const struct options o = read_options(argc, argv);
    washi *w;
    check(washi_open(&w, &(washi_options){.threads = o.threads, .seed = o.seed}));
    printf("%s; %s, threads: %d, seed: %llu\n", washi_version_long(), washi_cpu(w), washi_threads(w),
           (unsigned long long)o.seed);
    struct set train = load_set(w, o.data, "train");
    struct set test = load_set(w, o.data, "t10k");
    struct sample first[15];
    choose(w, &train, NULL, 0, 15, first);
    draw_images(o.out, o.fashion ? &fashion : &digits, 15, 5, first);

    washi_model *model = classifier(w);
    use(&o, w, model, &train, &test);
    washi_model_free(model);
    free_set(w, &train);
    free_set(w, &test);
    washi_close(w);
    return EXIT_SUCCESS;
}
