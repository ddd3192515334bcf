/* test_nn_mistakes.c: what layers and models refuse, and the sentences they say. */
#include "test_nn.h"

#include <math.h>

/* One that a caller can make in a layer, by number. */
static washi_tensor *wrong(washi_scope *s, washi_tensor *x, const void *config)
{
    washi_layer blank = {0}, empty = washi_layer_dense(2, NULL), taken = washi_layer_dense(2, NULL);
    washi_layer batch[] = {washi_layer_batch_normalization_with(1.5, 0),
                           washi_layer_batch_normalization_with(0, (double)NAN)},
                row = washi_layer_layer_normalization_with(-1);
    empty.name = "";
    taken.name = "dense";
    switch (*(const int *)config) {
    case 0: return NULL;
    case 1: return washi_weight(s, "", (washi_weight_options){{1, {2}}, NULL, false, 0});
    case 2: return washi_weight(s, "a/b", (washi_weight_options){{1, {2}}, NULL, false, 0});
    case 3: return washi_weight(s, "v", (washi_weight_options){{1, {2}}, NULL, false, WASHI_I32});
    case 4: return washi_weight(s, "v", (washi_weight_options){{1, {0}}, NULL, false, 0});
    case 5: return washi_dense(s, x, 0, NULL);
    case 6: return washi_dense(s, washi_sum(x, -1, false), 2, NULL);
    case 7: return washi_dense(s, washi_cast(x, WASHI_I32), 2, NULL);
    case 8: return washi_layer_call(s, &blank, x);
    case 9: return washi_layer_call(s, &empty, x);
    case 10: return washi_layer_call(s, &taken, washi_dense(s, x, 2, NULL));
    case 11: return washi_matmul(washi_dense(s, x, 7, NULL), washi_transpose(x));
    case 12: return washi_layer_call(NULL, &empty, x);
    case 13: return washi_weight(s, "v", (washi_weight_options){{2, {3, INT64_MAX}}, NULL, false, 0});
    case 14: return washi_layer_call(s, &batch[0], x);
    case 15: return washi_layer_call(s, &batch[1], x);
    case 16: return washi_layer_call(s, &row, x);
    default: return washi_layer_call(s, NULL, x);
    }
}

START_TEST(mistakes_in_layers)
{
    static const struct {
        washi_status status;
        const char *text;
    } expected[] = {{WASHI_MISUSE, "layer l: its function returned NULL"},
                    {WASHI_BAD_VALUE, "weight \"\""},
                    {WASHI_BAD_VALUE, "\"a/b\""},
                    {WASHI_BAD_TYPE, "layer l: weight v: type i32"},
                    {WASHI_BAD_SHAPE, "[0] has no elements"},
                    {WASHI_BAD_VALUE, "layer l/dense: dense: 0 units"},
                    {WASHI_BAD_SHAPE, "layer l/dense: dense: [60], "},
                    {WASHI_BAD_TYPE, "i32"},
                    {WASHI_MISUSE, "layer's function is NULL"},
                    {WASHI_BAD_VALUE, "must not be empty"},
                    {WASHI_BAD_VALUE, "layer l: the name l/dense went to an earlier layer"},
                    {WASHI_BAD_SHAPE, "layer l: matmul: "},
                    {WASHI_MISUSE, "scope is NULL"},
                    {WASHI_BAD_SHAPE, "weight v: [3,9223372036854775807] is no shape"},
                    {WASHI_BAD_VALUE, "batch_normalization: momentum 1.5, 0 to 1 wanted"},
                    {WASHI_BAD_VALUE, "batch_normalization: epsilon nan, at least 0 wanted"},
                    {WASHI_BAD_VALUE, "layer_normalization: epsilon -1, at least 0 wanted"},
                    {WASHI_MISUSE, "layer is NULL"}};
    for (int i = 0; i < (int)(sizeof expected / sizeof *expected); i++) {
        washi_layer layers[] = {washi_layer_custom("l", wrong, &i)};
        washi_model *m = washi_sequential(w, 1, layers);
        fails(washi_model_build(m, WASHI_F32, (washi_shape){1, {3}}), expected[i].status,
              expected[i].text);
        ck_assert_int_eq(washi_model_weights(m), 0); /* nothing is left of a build that failed */
        const char *layer = strstr(washi_message(), "layer l"); /* named once, the innermost */
        ck_assert(!layer || !strstr(layer + 1, "layer l"));
        washi_model_free(m);
    }
    ck_assert_ptr_null(washi_weight(NULL, "v", (washi_weight_options){{1, {2}}, NULL, false, 0}));
}
END_TEST

/* What a later call asks for must be what the first one created. */
static washi_tensor *fickle(washi_scope *s, washi_tensor *x, const void *config)
{
    const int *mood = config;
    washi_weight_options o = {
        {1, {*mood == 1 ? 3 : 2}}, washi_ones, false, *mood == 2 ? WASHI_F64 : WASHI_F32};
    washi_tensor *v = washi_weight(s, *mood == 3 ? "other" : "v", o);
    return v ? x : NULL;
}

START_TEST(a_later_call_differs)
{
    int mood = 0;
    washi_model *m = washi_model_new(w, NULL, fickle, &mood);
    ok(washi_model_build(m, WASHI_F32, (washi_shape){1, {2}}));
    mood = 1;
    fails(washi_model_build(m, WASHI_F32, (washi_shape){1, {2}}), WASHI_BAD_SHAPE,
          "weight v: asked for as [3], created as [2]");
    mood = 2;
    fails(washi_model_build(m, WASHI_F32, (washi_shape){1, {2}}), WASHI_BAD_TYPE, "asked for as f64");
    mood = 3;
    fails(washi_model_build(m, WASHI_F32, (washi_shape){1, {2}}), WASHI_MISUSE,
          "model model did not create it");
    ck_assert_int_eq(washi_model_weights(m), 1);
    mood = 0;
    ok(washi_model_build(m, WASHI_F32, (washi_shape){1, {2}}));
    washi_model_free(m);
}
END_TEST

static washi_status no_luck(washi *c, washi_shape shape, uint64_t stream, float *out)
{
    (void)c, (void)shape, (void)stream, (void)out;
    return washi_fail(NULL, WASHI_BAD_VALUE, "no luck today");
}

static washi_tensor *unlucky(washi_scope *s, washi_tensor *x, const void *config)
{
    (void)config;
    return washi_mul(x, washi_weight(s, "v", (washi_weight_options){{0}, no_luck, false, WASHI_F64}));
}

START_TEST(mistakes_in_models)
{
    washi_layer twice[] = {washi_layer_dense(2, NULL), washi_layer_dense(2, NULL)}, blank = {0};
    twice[0].name = twice[1].name = "same";
    ck_assert_ptr_null(washi_sequential(w, 2, twice));
    fails(WASHI_OK, WASHI_OK, "layers 0 and 1 are both named same");
    ck_assert_ptr_null(washi_sequential(w, 0, twice));
    ck_assert_ptr_null(washi_sequential(w, 1, NULL));
    ck_assert_ptr_null(washi_sequential(NULL, 1, twice));
    ck_assert_ptr_null(washi_sequential(w, 1, &blank));
    ck_assert_ptr_null(washi_model_new(w, "m", NULL, NULL));
    ck_assert_ptr_null(washi_model_new(NULL, "m", fickle, NULL));
    fails(washi_model_build(NULL, WASHI_F32, (washi_shape){0}), WASHI_MISUSE, "NULL");

    washi_model *m = mnist(w);
    fails(washi_model_build(m, (washi_dtype)9, SHAPE(28, 28)), WASHI_BAD_TYPE, "type");
    fails(washi_model_build(m, WASHI_F32, (washi_shape){8, {1, 1, 1, 1, 1, 1, 1, 1}}), WASHI_BAD_SHAPE,
          "build");
    fails(washi_model_build(m, WASHI_F32, SHAPE(28, -1)), WASHI_BAD_SHAPE, "[28,-1]");
    ok(washi_model_build(m, WASHI_F32, SHAPE(28, 28)));
    fails(washi_model_build(m, WASHI_F32, SHAPE(28, 27)), WASHI_BAD_SHAPE,
          "layer dense: weight dense/kernel");
    washi_tape *t = washi_tape_new(w);
    ck_assert_ptr_null(washi_model_call(m, NULL, false));
    ck_assert_ptr_null(washi_model_call(NULL, washi_input(t, WASHI_F32, SHAPE(2, 2)), false));
    fails(washi_tape_status(t), WASHI_MISUSE, "model is NULL");
    washi_tape_free(t);
    washi_model_free(m);
    washi_model_free(NULL);

    m = washi_model_new(w, "hapless", unlucky, NULL);
    fails(washi_model_build(m, WASHI_F64, (washi_shape){1, {2}}), WASHI_BAD_VALUE,
          "weight v: no luck today");
    washi_model_free(m);
}
END_TEST

int main(void)
{
    return RUN("nn_mistakes", mistakes_in_layers, a_later_call_differs, mistakes_in_models);
}
