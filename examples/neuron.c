/* neuron.c: the neuron of McCulloch and Pitts: 1 when at least so many of its boolean inputs are. */
#include "example.h"

static washi_tensor *number_like(washi_tensor *x, double value)
{
    return washi_scalar(washi_tape_of(x), washi_dtype_of(x), value);
}

/* How many inputs are 1, and whether at least threshold are: 1 or 0, both as F32. */
static washi_tensor *fires(washi_tensor *x, double threshold)
{
    washi_tensor *sum = washi_sum(washi_cast(x, WASHI_F32), WASHI_ALL, false);
    return washi_greater_equal(sum, number_like(sum, threshold));
}

/* ops.cast(ops.greater_equal(ops.sum(x), ops.prod(ops.shape(x))), 'int32') */
static washi_tensor *logical_and(washi_tensor *x)
{
    return washi_cast(fires(x, (double)washi_size(washi_shape_of(x))), WASHI_I32);
}

/* ops.cast(ops.greater_equal(ops.sum(x), 1), 'int32') */
static washi_tensor *logical_or(washi_tensor *x) { return washi_cast(fires(x, 1), WASHI_I32); }

/* The exercise: all inputs must be 0. */
static washi_tensor *logical_nor(washi_tensor *x)
{
    return washi_cast(washi_logical_not(fires(x, 1)), WASHI_I32);
}

static washi_tensor *array(washi_tape *t, int n, const int32_t x[])
{
    return washi_constant(t, WASHI_I32, washi_shape_make(1, (int64_t[]){n}), x);
}

int main(void)
{
    washi *w;
    check(washi_open(&w, NULL));
    washi_tape *t = checked(washi_tape_new(w));

    puts("Test the AND function with a few examples");
    print_tensor(logical_and(array(t, 2, (int32_t[]){1, 1})));
    print_tensor(logical_and(array(t, 3, (int32_t[]){1, 1, 0})));
    print_tensor(logical_and(washi_full(t, WASHI_I32, washi_shape_make(2, (int64_t[]){2, 3}), 1)));

    puts("Test the OR function with a few examples");
    print_tensor(logical_or(array(t, 2, (int32_t[]){1, 0})));
    print_tensor(logical_or(washi_full(t, WASHI_F32, washi_shape_make(1, (int64_t[]){3}), 0)));

    puts("Exercise: test the NOR function with a few examples");
    print_tensor(logical_nor(array(t, 2, (int32_t[]){1, 0})));
    print_tensor(logical_nor(array(t, 2, (int32_t[]){0, 0})));
    print_tensor(logical_nor(array(t, 3, (int32_t[]){0, 0, 0})));
    print_tensor(logical_nor(array(t, 3, (int32_t[]){1, 0, 1})));

    washi_tape_free(t);
    washi_close(w);
    return 0;
}
