/* test_golden.c: two short trainings on synthetic data give the same weights, bit for bit, at every CPU
 * level this machine has and for 1 to 7 threads, fused or not: those whose hashes stand in
 * golden/weights.txt.
 */
#define _POSIX_C_SOURCE 200809L /* setenv */
#include "suite.h"
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- hashes: FNV-1a of 64 bits (Fowler, Noll and Vo), over little-endian floats, all NaN being one --
 */

static uint64_t hash_floats(uint64_t h, size_t n, const float *x)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t word = 0x7fc00000u;
        if (!isnan(x[i])) memcpy(&word, &x[i], sizeof word);
        for (int byte = 0; byte < 4; byte++) h = (h ^ (word >> 8 * byte & 255u)) * 0x100000001b3u;
    }
    return h;
}

static const uint64_t EMPTY = 0xcbf29ce484222325u;

/* The hash that the file has for a training: a line is its name, the hash, and what it is. */
static uint64_t golden(const char *name)
{
    char line[300], word[40];
    unsigned long long hash;
    FILE *file = fopen(TEST_FOLDER "/golden/weights.txt", "r");
    ck_assert_msg(file, "no " TEST_FOLDER "/golden/weights.txt");
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "%39s %llx", word, &hash) == 2 && !strcmp(word, name)) {
            fclose(file);
            return hash;
        }
    fclose(file);
    ck_abort_msg("golden/weights.txt has no line of \"%s\"", name);
}

/* -- data: classes around random centers -- */

enum { SAMPLES = 1200, FEATURES = 96, CLASSES = 10, HIDDEN = 160, BATCH = 512, EPOCHS = 3 };

static void make_data(washi *w, float *x, int32_t *label)
{
    static float center[CLASSES][FEATURES];
    static uint32_t word[SAMPLES];
    ok(washi_fill_normal(w, 1, 0, CLASSES * FEATURES, center[0]));
    ok(washi_fill_normal(w, 2, 0, SAMPLES * FEATURES, x));
    ok(washi_fill_bits(w, 3, 0, SAMPLES, word));
    for (int i = 0; i < SAMPLES; i++) {
        label[i] = (int32_t)(word[i] % CLASSES);
        for (int j = 0; j < FEATURES; j++) x[i * FEATURES + j] += 0.5f * center[label[i]][j];
    }
}

/* -- on the tape alone: two layers, cross-entropy, gradient descent -- */

struct net {
    float w1[FEATURES * HIDDEN], b1[HIDDEN], w2[HIDDEN * CLASSES], b2[CLASSES];
};

struct step {
    washi_tape *t;
    washi_tensor *x, *label, *loss;
    washi_program *p;
};

static struct step record_step(washi *w, struct net *net, int64_t batch)
{
    struct step s = {.t = washi_tape_new(w)};
    s.x = washi_input(s.t, WASHI_F32, SHAPE(batch, FEATURES));
    s.label = washi_input(s.t, WASHI_I32, SHAPE(batch));
    washi_tensor *weight[] = {
        washi_variable(s.t, WASHI_F32, SHAPE(FEATURES, HIDDEN), net->w1),
        washi_variable(s.t, WASHI_F32, SHAPE(HIDDEN), net->b1),
        washi_variable(s.t, WASHI_F32, SHAPE(HIDDEN, CLASSES), net->w2),
        washi_variable(s.t, WASHI_F32, SHAPE(CLASSES), net->b2),
    };
    enum { WEIGHTS = sizeof weight / sizeof *weight };
    washi_tensor *gradient[WEIGHTS];
    washi_tensor *hidden = washi_tanh(washi_add(washi_matmul(s.x, weight[0]), weight[1]));
    washi_tensor *logits = washi_add(washi_matmul(hidden, weight[2]), weight[3]);
    washi_tensor *hot = washi_one_hot(s.label, CLASSES, WASHI_F32);
    s.loss = washi_neg(
        washi_mean(washi_sum(washi_mul(hot, washi_log_softmax(logits)), 1, false), WASHI_ALL, false));
    ok(washi_grad(s.loss, WEIGHTS, weight, gradient));
    for (int i = 0; i < WEIGHTS; i++)
        ok(washi_assign(weight[i], washi_sub(weight[i], washi_scale(gradient[i], 0.5))));
    s.p = washi_compile(s.t, 1, &s.loss);
    ck_assert_msg(s.p, "%s", washi_message());
    return s;
}

static float run_step(const struct step *s, const float *x, const int32_t *label)
{
    ok(washi_feed(s->x, x));
    ok(washi_feed(s->label, label));
    ok(washi_run(s->p));
    return *washi_f32(s->loss);
}

static void init_net(washi *w, struct net *net)
{
    memset(net, 0, sizeof *net);
    ok(washi_fill_uniform(w, 4, 0, FEATURES * HIDDEN, net->w1));
    ok(washi_fill_uniform(w, 5, 0, HIDDEN * CLASSES, net->w2));
    for (int i = 0; i < FEATURES * HIDDEN; i++) net->w1[i] = (net->w1[i] - 0.5f) * 0.25f;
    for (int i = 0; i < HIDDEN * CLASSES; i++) net->w2[i] = (net->w2[i] - 0.5f) * 0.25f;
}

static uint64_t train_on_tape(washi *w)
{
    static struct net net;
    static float x[SAMPLES * FEATURES];
    static int32_t label[SAMPLES];
    make_data(w, x, label);
    init_net(w, &net);
    struct step whole = record_step(w, &net, BATCH), rest = record_step(w, &net, SAMPLES % BATCH);
    float first = 0, last = 0;
    for (int epoch = 0; epoch < EPOCHS; epoch++)
        for (int at = 0; at < SAMPLES; at += BATCH) {
            const struct step *s = SAMPLES - at < BATCH ? &rest : &whole;
            last = run_step(s, x + at * FEATURES, label + at);
            if (!epoch && !at) first = last;
        }
    ck_assert_msg(isfinite(last) && last < 0.5f * first, "the loss went from %g to %g", (double)first,
                  (double)last);
    washi_program_free(whole.p);
    washi_program_free(rest.p);
    washi_tape_free(whole.t);
    washi_tape_free(rest.t);
    return hash_floats(EMPTY, sizeof net / sizeof(float), net.w1);
}

/* -- by layers and fit: 2 epochs over pixels, the last batch a partial one -- */

enum { PICTURES = 600, SIDE = 12 };

static uint64_t hash_model(washi_model *m)
{
    uint64_t h = EMPTY;
    for (int i = 0; i < washi_model_weights(m); i++) {
        const washi_weight_info info = washi_model_weight(m, i);
        ck_assert(info.type == WASHI_F32);
        h = hash_floats(h, (size_t)washi_size(info.shape), info.data);
    }
    return h;
}

static void make_pictures(washi *w, uint8_t *pixel, uint8_t *label)
{
    static uint32_t word[PICTURES * SIDE * SIDE], label_word[PICTURES];
    ok(washi_fill_bits(w, 6, 0, PICTURES * SIDE * SIDE, word));
    ok(washi_fill_bits(w, 7, 0, PICTURES, label_word));
    for (int i = 0; i < PICTURES; i++) {
        label[i] = (uint8_t)(label_word[i] % CLASSES);
        for (int j = 0; j < SIDE * SIDE; j++) { /* a bright row for the class */
            const uint32_t noise = word[i * SIDE * SIDE + j] & 127u;
            pixel[i * SIDE * SIDE + j] = (uint8_t)(noise + (j / SIDE == label[i] ? 128u : 0u));
        }
    }
}

static uint64_t train_by_fit(washi *w)
{
    static uint8_t pixel[PICTURES * SIDE * SIDE], label[PICTURES];
    make_pictures(w, pixel, label);
    const washi_array x = {WASHI_U8, SHAPE(PICTURES, SIDE, SIDE), pixel},
                      y = {WASHI_U8, SHAPE(PICTURES), label};
    const washi_layer layers[] = {washi_layer_rescaling(1.0 / 255), washi_layer_flatten(),
                                  washi_layer_dense(128, washi_relu),
                                  washi_layer_dense(CLASSES, washi_softmax)};
    washi_model *m = washi_sequential(w, 4, layers);
    washi_optimizer *sgd = washi_sgd(w, &(washi_sgd_options){.learning_rate = 0.1, .momentum = 0.9});
    double history[2][4];
    const washi_fit_options options = {.optimizer = sgd,
                                       .loss = washi_sparse_categorical_crossentropy,
                                       .metric = washi_accuracy,
                                       .epochs = 2,
                                       .batch_size = 256};
    ok(washi_fit(m, &x, &y, &options, history));
    ck_assert_msg(history[1][0] < history[0][0], "the loss went from %g to %g", history[0][0],
                  history[1][0]);
    ck_assert_int_eq(washi_model_weights(m), 4);
    const uint64_t h = hash_model(m);
    washi_optimizer_free(sgd);
    washi_model_free(m);
    return h;
}

/* -- the tests -- */

static const struct {
    const char *name;
    uint64_t (*train)(washi *w);
} trainings[] = {{"tape", train_on_tape}, {"fit", train_by_fit}};
enum { TRAININGS = sizeof trainings / sizeof *trainings };

START_TEST(same_weights_in_every_setting)
{
    struct settings set = open_settings();
    uint64_t first = 0;
    for (int i = 0; i < set.count; i++) {
        const uint64_t h = trainings[_i].train(set.w[i]);
        printf("%-4s  %016llx  %s\n", trainings[_i].name, (unsigned long long)h, set.name[i]);
        fflush(stdout); /* a failing test's buffer is lost */
        if (!i) first = h;
        ck_assert_msg(h == first, "%s: other bits than %s", set.name[i], set.name[0]);
    }
    close_settings(&set);
    const uint64_t wanted = golden(trainings[_i].name);
    ck_assert_msg(first == wanted, "golden/weights.txt: \"%s\" is now %016llx, was %016llx",
                  trainings[_i].name, (unsigned long long)first, (unsigned long long)wanted);
}
END_TEST

/* Fused and not. The settings above have some of these, and what recomputes. */
START_TEST(same_weights_on_one_to_seven_threads)
{
    enum { MOST = 7 };
    const int step = getenv("WASHI_LEAN") ? MOST : 1;
    const uint64_t wanted = golden(trainings[_i].name);
    for (int i = 0; i < LEVELS; i++)
        for (int threads = 1; threads <= MOST; threads += step)
            for (int fuse = 0; fuse < 2; fuse++) {
                const char *why;
                setenv("WASHI_FUSE", fuse ? "1" : "0", 1);
                washi *w = open_level(level_names[i], threads, &why);
                unsetenv("WASHI_FUSE");
                if (!w) continue; /* the settings tell of it */
                ck_assert_msg(trainings[_i].train(w) == wanted, "%s, %d threads, fuse %d: other bits",
                              level_names[i], threads, fuse);
                washi_close(w);
            }
}
END_TEST

static uint64_t train_with_seed(uint64_t (*train)(washi *w), uint64_t seed)
{
    washi *w;
    ok(washi_open(&w, &(washi_options){.threads = 1, .seed = seed}));
    const uint64_t h = train(w);
    washi_close(w);
    return h;
}

START_TEST(seed_decides)
{
    const uint64_t h = train_with_seed(trainings[_i].train, 2);
    ck_assert(train_with_seed(trainings[_i].train, 2) == h);
    ck_assert(train_with_seed(trainings[_i].train, 3) != h);
    ck_assert(golden(trainings[_i].name) != h);
}
END_TEST

int main(void)
{
    TCase *all = tcase_create("golden");
    tcase_set_timeout(all, 300);
    tcase_add_loop_test(all, same_weights_in_every_setting, 0, TRAININGS);
    tcase_add_loop_test(all, same_weights_on_one_to_seven_threads, 0, TRAININGS);
    tcase_add_loop_test(all, seed_decides, 0, TRAININGS);
    return RUN_SUITE("golden", all);
}
