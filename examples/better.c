/* better.c: the lecture's last exercise, to do better: two wide layers of rectified neurons with
 * dropout after each, Adam, and a learning rate that rises for a little while and then falls along a
 * cosine. Digits and clothes have the same settings, which were chosen by the last 10,000 training
 * images, held out then; here all are trained on. */
#include "data.h"
#include "example.h"
#include "pictures.h"

#include <stdlib.h>

enum { UNITS = 512, EPOCHS = 15, BATCH = 128 };

/* A whole number from the command line. */
static int whole(const char *text, int least)
{
    char *end;
    const long n = strtol(text, &end, 10);
    if (end == text || *end || n < least || n > 100000)
        fail("'%s' is not a whole number from %d to 100000", text, least);
    return (int)n;
}

static void train_and_test(washi *w, struct set *train, struct set *test, int epochs)
{
    const washi_layer layers[] = {washi_layer_rescaling(1 / 255.0),         washi_layer_flatten(),
                                  washi_layer_dense(UNITS, washi_relu),     washi_layer_dropout(0.2),
                                  washi_layer_dense(UNITS, washi_relu),     washi_layer_dropout(0.2),
                                  washi_layer_dense(CLASSES, washi_softmax)};
    washi_model *model = checked(washi_sequential(w, sizeof layers / sizeof *layers, layers));
    const double steps = (double)epochs * (double)((train->x.shape.dim[0] + BATCH - 1) / BATCH);
    const washi_cosine_decay_options cosine = {
        .warmup_target = 0.001, .warmup_steps = steps / 20, .decay_steps = steps - steps / 20};
    washi_optimizer *adam = checked(washi_adam(
        w, &(washi_adam_options){.schedule = washi_cosine_decay, .schedule_config = &cosine}));
    const washi_callback stop = washi_callback_terminate_on_nan();
    const washi_fit_options options = {.optimizer = adam,
                                       .loss = washi_sparse_categorical_crossentropy,
                                       .metric = washi_accuracy,
                                       .epochs = epochs,
                                       .batch_size = BATCH,
                                       .progress = stdout,
                                       .callback = &stop,
                                       .callbacks = 1};
    check(washi_model_build(model, train->x.type, washi_shape_make(2, train->x.shape.dim + 1)));
    check(washi_model_summary(model, stdout));
    const double begin = now();
    check(washi_fit(model, &train->x, &train->y, &options, NULL));
    const double seconds = now() - begin;
    double logs[2];
    check(washi_evaluate(model, &test->x, &test->y, &options, logs));
    printf("\n%-15s %.4f\n%-15s %.4f\n%-15s %.1f, of training\n", "test accuracy", logs[1], "test loss",
           logs[0], "seconds", seconds);
    washi_optimizer_free(adam);
    washi_model_free(model);
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 4) fail("usage: better FOLDER [EPOCHS [SEED]]");
    const int epochs = argc > 2 ? whole(argv[2], 1) : EPOCHS;
    washi *w;
    check(washi_open(&w, &(washi_options){.seed = (uint64_t)(argc > 3 ? whole(argv[3], 0) : 1)}));
    printf("%s; %s, threads: %d\n", washi_version_long(), washi_cpu(w), washi_threads(w));
    struct set train = load_set(w, argv[1], "train"), test = load_set(w, argv[1], "t10k");
    train_and_test(w, &train, &test, epochs);
    free_set(w, &train);
    free_set(w, &test);
    washi_close(w);
    return EXIT_SUCCESS;
}
