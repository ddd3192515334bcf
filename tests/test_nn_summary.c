/* test_nn_summary.c: the names of layers and weights, and the table a summary prints. */
#include "test_nn.h"

static void summary_is(const washi_model *m, const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = tmpfile();
    ck_assert_ptr_nonnull(out);
    ok(washi_model_summary(m, out));
    size = (size_t)ftell(out);
    rewind(out);
    text = calloc(size + 1, 1);
    ck_assert_uint_eq(fread(text, 1, size, out), size);
    ck_assert_str_eq(text, expected);
    free(text);
    fclose(out);
}

/* -- names ------------------------------------------------------------------------------------ */

static washi_tensor *block(washi_scope *s, washi_tensor *x, const void *config)
{
    (void)config;
    return washi_dense(s, washi_dense(s, x, 3, washi_relu), 3, NULL);
}

static washi_tensor *graph(washi_scope *s, washi_tensor *x, const void *config)
{
    (void)config;
    washi_layer shared = washi_layer_dense(3, NULL), taken = washi_layer_dense(3, NULL);
    washi_layer whole = washi_layer_custom("block", block, NULL);
    washi_layer anonymous = washi_layer_custom(NULL, block, NULL);
    washi_tensor *root = washi_weight(s, "dense_kernel", (washi_weight_options){.init = washi_ones});
    anonymous.kind = "ResidualBlockV2";
    shared.name = "shared";
    taken.name = "dense_1";
    x = washi_layer_call(s, &taken, x);
    x = washi_dense(s, washi_dense(s, x, 3, NULL), 3, NULL); /* dense, then the next free number */
    x = washi_layer_call(s, &whole, x);
    x = washi_layer_call(s, &anonymous, washi_layer_call(s, &anonymous, x));
    x = washi_add(washi_layer_call(s, &shared, x), washi_layer_call(s, &shared, washi_neg(x)));
    anonymous = washi_layer_flatten();
    anonymous.kind = "RNNFlat";
    return washi_mul(washi_layer_call(s, &anonymous, x), root);
}

static const char *const graph_names[] = {"dense_kernel",
                                          "dense_1/kernel",
                                          "dense_1/bias",
                                          "dense/kernel",
                                          "dense/bias",
                                          "dense_2/kernel",
                                          "dense_2/bias",
                                          "block/dense/kernel",
                                          "block/dense/bias",
                                          "block/dense_1/kernel",
                                          "block/dense_1/bias",
                                          "residual_block_v2/dense/kernel",
                                          "residual_block_v2/dense/bias",
                                          "residual_block_v2/dense_1/kernel",
                                          "residual_block_v2/dense_1/bias",
                                          "residual_block_v2_1/dense/kernel",
                                          "residual_block_v2_1/dense/bias",
                                          "residual_block_v2_1/dense_1/kernel",
                                          "residual_block_v2_1/dense_1/bias",
                                          "shared/kernel",
                                          "shared/bias"};
static const char graph_summary[] =
    "Model: \"graph\"\n"
    "┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓\n"
    "┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃\n"
    "┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩\n"
    "│ dense_1 (Dense)                 │ (None, 3)              │            12 │\n"
    "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
    "│ dense (Dense)                   │ (None, 3)              │            12 │\n"
    "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
    "│ dense_2 (Dense)                 │ (None, 3)              │            12 │\n"
    "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
    "│ block (Custom)                  │ (None, 3)              │            24 │\n"
    "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
    "│ residual_block_v2               │ (None, 3)              │            24 │\n"
    "│ (ResidualBlockV2)               │                        │               │\n"
    "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
    "│ residual_block_v2_1             │ (None, 3)              │            24 │\n"
    "│ (ResidualBlockV2)               │                        │               │\n"
    "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
    "│ shared (Dense)                  │ (None, 3)              │            12 │\n"
    "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
    "│ rnn_flat (RNNFlat)              │ (None, 3)              │             0 │\n"
    "└─────────────────────────────────┴────────────────────────┴───────────────┘\n"
    " Total params: 121 (484.00 B)\n"
    " Trainable params: 121 (484.00 B)\n"
    " Non-trainable params: 0 (0.00 B)\n";

START_TEST(names_in_a_graph)
{
    washi_model *m = washi_model_new(w, "graph", graph, NULL);
    ok(washi_model_build(m, WASHI_F32, (washi_shape){1, {3}}));
    ck_assert_int_eq(washi_model_weights(m), 21);
    for (int i = 0; i < 21; i++) ck_assert_str_eq(washi_model_weight(m, i).name, graph_names[i]);
    summary_is(m, graph_summary);
    washi_model_free(m);
}
END_TEST

/* -- summaries -------------------------------------------------------------------------------- */

START_TEST(summary_of_mnist)
{
    washi_model *m = mnist(w);
    fails(washi_model_summary(m, stdout), WASHI_MISUSE, "not built");
    ok(washi_model_build(m, WASHI_F32, SHAPE(28, 28)));
    summary_is(m, "Model: \"sequential\"\n"
                  "┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓\n"
                  "┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃\n"
                  "┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩\n"
                  "│ flatten (Flatten)               │ (None, 784)            │             0 │\n"
                  "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
                  "│ dense (Dense)                   │ (None, 64)             │        50,240 │\n"
                  "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
                  "│ dense_1 (Dense)                 │ (None, 64)             │         4,160 │\n"
                  "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
                  "│ dense_2 (Dense)                 │ (None, 10)             │           650 │\n"
                  "└─────────────────────────────────┴────────────────────────┴───────────────┘\n"
                  " Total params: 55,050 (215.04 KB)\n"
                  " Trainable params: 55,050 (215.04 KB)\n"
                  " Non-trainable params: 0 (0.00 B)\n");
    washi_model_free(m);
}
END_TEST

/* Built by a call, the shapes are those of the call; frozen weights are counted apart; a name longer
 * than its column goes on below. */
START_TEST(summary_of_a_called_model)
{
    washi_layer layers[] = {washi_layer_dense(4, washi_relu), washi_layer_dense(4, washi_relu),
                            washi_layer_dense(3, NULL)};
    layers[1].name = "a_név_that_is_longer_than_the_column_is_wide";
    washi_model *m = washi_sequential(w, 3, layers);
    washi_tape *t = washi_tape_new(w);
    ck_assert_ptr_nonnull(washi_model_call(m, washi_input(t, WASHI_F64, SHAPE(2, 6)), false));
    ok(washi_model_freeze(m, "dense_1/", true));
    summary_is(m, "Model: \"sequential\"\n"
                  "┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓\n"
                  "┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃\n"
                  "┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩\n"
                  "│ dense (Dense)                   │ (2, 4)                 │            28 │\n"
                  "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
                  "│ a_név_that_is_longer_than_the_c │ (2, 4)                 │            20 │\n"
                  "│ olumn_is_wide (Dense)           │                        │               │\n"
                  "├─────────────────────────────────┼────────────────────────┼───────────────┤\n"
                  "│ dense_1 (Dense)                 │ (2, 3)                 │            15 │\n"
                  "└─────────────────────────────────┴────────────────────────┴───────────────┘\n"
                  " Total params: 63 (504.00 B)\n"
                  " Trainable params: 48 (384.00 B)\n"
                  " Non-trainable params: 15 (120.00 B)\n");
    washi_tape_free(t);
    washi_model_free(m);
}
END_TEST

/* The layers' names and types are Keras', and so are their numbers: averages are not trainable, and a
 * draw of random numbers is no parameter. */
START_TEST(summary_of_every_layer)
{
    washi_layer layers[] = {washi_layer_rescaling(0.5),
                            washi_layer_reshape(SHAPE(3, -1)),
                            washi_layer_flatten(),
                            washi_layer_dense(4, NULL),
                            washi_layer_batch_normalization(),
                            washi_layer_activation(washi_relu),
                            washi_layer_dropout(0.5),
                            washi_layer_layer_normalization(),
                            washi_layer_dense_with((washi_dense_options){.units = 2, .no_bias = true})};
    static const char *const line[] = {
        "│ rescaling (Rescaling)           │ (None, 6)              │             0 │",
        "│ reshape (Reshape)               │ (None, 3, 2)           │             0 │",
        "│ flatten (Flatten)               │ (None, 6)              │             0 │",
        "│ dense (Dense)                   │ (None, 4)              │            28 │",
        "│ batch_normalization             │ (None, 4)              │            16 │\n"
        "│ (BatchNormalization)            │                        │               │",
        "│ activation (Activation)         │ (None, 4)              │             0 │",
        "│ dropout (Dropout)               │ (None, 4)              │             0 │",
        "│ layer_normalization             │ (None, 4)              │             8 │\n"
        "│ (LayerNormalization)            │                        │               │",
        "│ dense_1 (Dense)                 │ (None, 2)              │             8 │"};
    char text[8000] = "Model: \"sequential\"\n"
                      "┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓\n"
                      "┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃\n"
                      "┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩\n";
    for (int i = 0; i < 9; i++) {
        if (i)
            strcat(text,
                   "├─────────────────────────────────┼────────────────────────┼───────────────┤\n");
        strcat(strcat(text, line[i]), "\n");
    }
    strcat(text, "└─────────────────────────────────┴────────────────────────┴───────────────┘\n"
                 " Total params: 60 (240.00 B)\n"
                 " Trainable params: 52 (208.00 B)\n"
                 " Non-trainable params: 8 (32.00 B)\n");
    washi_model *m = washi_sequential(w, 9, layers);
    ok(washi_model_build(m, WASHI_F32, (washi_shape){1, {6}}));
    summary_is(m, text);
    washi_model_free(m);
}
END_TEST

static washi_tensor *bare(washi_scope *s, washi_tensor *x, const void *config)
{
    return washi_mul(
        x,
        washi_weight(s, "v", (washi_weight_options){{1, {*(const int64_t *)config}}, NULL, false, 0}));
}

/* Weights of no layer are in the totals alone; a unit is 1024 of the one before. */
START_TEST(summary_of_bare_weights)
{
    static const struct {
        int64_t size;
        const char *total;
    } expected[] = {{1, " Total params: 1 (4.00 B)\n"},
                    {255, " Total params: 255 (1020.00 B)\n"},
                    {256, " Total params: 256 (1.00 KB)\n"},
                    {1000, " Total params: 1,000 (3.91 KB)\n"},
                    {1234567, " Total params: 1,234,567 (4.71 MB)\n"}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        washi_model *m = washi_model_new(w, "bare", bare, &expected[i].size);
        ok(washi_model_build(m, WASHI_F32, (washi_shape){1, {1}}));
        char text[2000];
        snprintf(text, sizeof text,
                 "Model: \"bare\"\n"
                 "┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓\n"
                 "┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃\n"
                 "┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩\n"
                 "└─────────────────────────────────┴────────────────────────┴───────────────┘\n"
                 "%s Trainable%s Non-trainable params: 0 (0.00 B)\n",
                 expected[i].total, strstr(expected[i].total, " params"));
        summary_is(m, text);
        washi_model_free(m);
    }
}
END_TEST

int main(void)
{
    return RUN("nn_summary", names_in_a_graph, summary_of_mnist, summary_of_a_called_model,
               summary_of_every_layer, summary_of_bare_weights);
}
