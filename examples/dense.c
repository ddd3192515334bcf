/* dense.c: a dense layer, which has no weights before its first call. */
#include "example.h"

int main(void)
{
    washi *w;
    check(washi_open(&w, &(washi_options){.seed = 1}));

    /* Dense(4, activation='sigmoid') */
    const washi_layer layer = washi_layer_dense(4, washi_sigmoid);
    washi_model *dense_layer = checked(washi_sequential(w, 1, &layer));
    printf("variables: ");
    print_weights(dense_layer, -1);

    /* dense_layer(keras.random.normal((16, 4))): a batch of 16 inputs, each of length 4 */
    float numbers[16][4];
    check(washi_fill_normal(w, 1, 0, 16 * 4, numbers[0]));
    washi_tape *t = checked(washi_tape_new(w));
    washi_tensor *x = washi_constant(t, WASHI_F32, washi_shape_make(2, (int64_t[]){16, 4}), numbers);
    print_tensor(checked(washi_model_call(dense_layer, x, false)));

    printf("variables: ");
    print_weights(dense_layer, -1);
    printf("kernel: ");
    print_weight(dense_layer, "dense/kernel");
    printf("bias: ");
    print_weight(dense_layer, "dense/bias");

    washi_tape_free(t);
    washi_model_free(dense_layer);
    washi_close(w);
    return 0;
}
