/* test_nn_sgd.c: updates of weights against Keras' formulas, worked out by hand with 40 digits. */
#include "test_nn_bowl.h"

static const struct {
    washi_sgd_options options;
    double after_three[FIRST];
} variants[] = {
    {{.learning_rate = 0.1}, {0.512, -1.71475, 0.33275}},
    {{.learning_rate = 0.1, .momentum = 0.9}, {0.062, -1.46275, 0.4025}},
    {{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true}, {-0.108352, -1.26292525, 0.48770975}},
    {{.learning_rate = 0.1, .weight_decay = 0.01}, {0.510082399, -1.709340698, 0.33184332475}},
    {{.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.01},
     {0.060442399, -1.457520698, 0.40154832475}},
    {{.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.01, .nesterov = true},
     {-0.109179341, -1.258178528, 0.48660806725}},
    {{.learning_rate = 0.1, .nesterov = true}, {0.512, -1.71475, 0.33275}}};
enum { VARIANTS = sizeof variants / sizeof *variants };

START_TEST(keras_formulas)
{
    for (int v = 0; v < VARIANTS; v++) {
        const washi_dtype types[2] = {WASHI_F64, WASHI_F32};
        for (int k = 0; k < 2; k++) {
            washi_model *m = new_point(&types[k]);
            washi_optimizer *o = washi_sgd(w, &variants[v].options);
            descend(o, m, 3);
            for (int i = 0; i < FIRST; i++)
                near(parameter(m, i), variants[v].after_three[i], k ? 3e-7 : 1e-15);
            washi_optimizer_free(o);
            washi_model_free(m);
        }
    }
}
END_TEST

/* The velocity goes on from one tape to the next: three tapes of one step are one of three. */
START_TEST(state_persists_across_tapes)
{
    const washi_dtype type = WASHI_F64;
    for (int v = 0; v < VARIANTS; v++) {
        washi_model *m = new_point(&type);
        washi_optimizer *o = washi_sgd(w, &variants[v].options);
        for (int i = 0; i < 3; i++) descend(o, m, 1);
        for (int i = 0; i < FIRST; i++) near(parameter(m, i), variants[v].after_three[i], 1e-15);
        washi_optimizer_free(o);
        washi_model_free(m);
    }
}
END_TEST

START_TEST(frozen_weights_stay)
{
    washi_layer layers[] = {washi_layer_dense(2, NULL), washi_layer_dense(2, NULL)};
    washi_model *m = washi_sequential(w, 2, layers);
    ok(washi_model_build(m, WASHI_F32, (washi_shape){1, {2}}));
    ok(washi_model_freeze(m, "dense/", true));
    float before[2][4];
    for (int i = 0; i < 2; i++) memcpy(before[i], washi_model_weight(m, 2 * i).data, sizeof before[i]);
    washi_optimizer *o = washi_sgd(w, &(washi_sgd_options){.learning_rate = 1, .momentum = 0.5});
    for (int round = 0; round < 2;
         round++) { /* in the second all are frozen: nothing to do is no error */
        washi_tape *t = washi_tape_new(w);
        washi_tensor *y = washi_model_call(m, washi_full(t, WASHI_F32, SHAPE(3, 2), 1), true);
        washi_tensor *loss = washi_sum(washi_mul(y, y), WASHI_ALL, false);
        ok(washi_minimize(o, m, loss));
        ok(washi_eval(1, &loss));
        washi_tape_free(t);
        ck_assert_mem_eq(before[0], washi_model_weight(m, 0).data, sizeof before[0]);
        if (round == 0) ck_assert_mem_ne(before[1], washi_model_weight(m, 2).data, sizeof before[1]);
        if (round == 1) ck_assert_mem_eq(before[1], washi_model_weight(m, 2).data, sizeof before[1]);
        memcpy(before[1], washi_model_weight(m, 2).data, sizeof before[1]);
        ok(washi_model_freeze(m, "", true));
    }
    washi_optimizer_free(o);
    washi_model_free(m);
}
END_TEST

static void refused(washi_sgd_options options, const char *text)
{
    ck_assert_ptr_null(washi_sgd(w, &options));
    ck_assert_msg(strstr(washi_message(), text) != NULL, "%s", washi_message());
}

START_TEST(mistakes)
{
    refused((washi_sgd_options){0}, "learning rate 0");
    refused((washi_sgd_options){.learning_rate = -1}, "learning rate -1");
    refused((washi_sgd_options){.learning_rate = NAN}, "learning rate");
    refused((washi_sgd_options){.learning_rate = INFINITY}, "learning rate inf");
    refused((washi_sgd_options){.learning_rate = 1, .momentum = 1}, "momentum 1");
    refused((washi_sgd_options){.learning_rate = 1, .momentum = -0.1}, "momentum -0.1");
    refused((washi_sgd_options){.learning_rate = 1, .momentum = NAN}, "momentum");
    refused((washi_sgd_options){.learning_rate = 1, .weight_decay = -1}, "weight decay -1");
    ck_assert_ptr_null(washi_sgd(w, NULL));
    ck_assert_ptr_null(washi_sgd(NULL, &variants[0].options));
    washi_optimizer_free(NULL);

    const washi_dtype type = WASHI_F64;
    washi_model *m = washi_model_new(w, "point", point, &type);
    washi_optimizer *o = washi_sgd(w, &variants[1].options);
    washi_tape *t = washi_tape_new(w);
    fails(washi_minimize(o, m, washi_scalar(t, WASHI_F64, 1)), WASHI_MISUSE, "is it built");
    washi_tape_free(t);
    ok(washi_model_build(m, type, (washi_shape){0}));
    t = washi_tape_new(w);
    fails(washi_minimize(o, m, washi_model_call(m, washi_scalar(t, WASHI_F64, 1), true)),
          WASHI_BAD_SHAPE, "[5]");
    ck_assert_int_eq(washi_tape_status(t), WASHI_BAD_SHAPE);
    washi_tape_free(t);
    t = washi_tape_new(w);
    washi_tensor *loss = bowl(washi_model_call(m, washi_scalar(t, WASHI_F64, 1), true));
    ok(washi_minimize(o, m, loss));
    fails(washi_minimize(o, m, loss), WASHI_MISUSE, "assign"); /* a weight is assigned once on a tape */
    washi_tape_free(t);
    t = washi_tape_new(w);
    fails(washi_minimize(NULL, m, washi_scalar(t, WASHI_F64, 1)), WASHI_MISUSE, "optimizer is NULL");
    washi_matmul(washi_scalar(t, WASHI_F64, 1), NULL);
    fails(washi_minimize(o, m, NULL), WASHI_MISUSE, "loss is NULL; before that: ");
    washi_tape_free(t);
    washi_optimizer_free(o);
    washi_model_free(m);
}
END_TEST

int main(void)
{
    return RUN("nn_sgd", keras_formulas, state_persists_across_tapes, frozen_weights_stay, mistakes);
}
