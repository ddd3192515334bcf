/* composed_movement.c: flip, squeeze, stack, split, tile, repeat, diagonals, triangles, and the numbers
 * that are there before a run. */
#include "composed.h"

#include <math.h>

static washi_tensor *count(washi_shape shape)
{
    return washi_reshape(washi_arange(t, WASHI_F64, 0, (double)washi_size(shape), 1), shape);
}

#define IS(y, shape, ...) gives(y, shape, (double[]){__VA_ARGS__}, 0)
static const double nothing[1] = {0};

START_TEST(steps)
{
    washi_tensor *x = count(SHAPE(2, 5));
    IS(washi_slice_step(x, 1, 0, 5, 2), SHAPE(2, 3), 0, 2, 4, 5, 7, 9);
    IS(washi_slice_step(x, 1, -1, -6, -2), SHAPE(2, 3), 4, 2, 0, 9, 7, 5);
    IS(washi_slice_step(x, 1, 3, 0, -1), SHAPE(2, 3), 3, 2, 1, 8, 7, 6);
    IS(washi_slice_step(x, 1, 1, 5, 100), SHAPE(2, 1), 1, 6);
    gives(washi_slice_step(x, 1, 2, 2, 3), SHAPE(2, 0), nothing, 0);
    gives(washi_slice_step(x, 1, 2, 2, -3), SHAPE(2, 0), nothing, 0);
    IS(washi_flip(x, 0), SHAPE(2, 5), 5, 6, 7, 8, 9, 0, 1, 2, 3, 4);
    IS(washi_flip(washi_arange(t, WASHI_U8, 0, 3, 1), -1), SHAPE(3), 2, 1, 0);
    gives(washi_flip(count(SHAPE(0, 3)), 0), SHAPE(0, 3), nothing, 0);
    refuses(WASHI_BAD_VALUE, "flip: [] has no axis 0", washi_flip(count(SCALAR), 0));
}
END_TEST

START_TEST(axes_of_size_1)
{
    IS(washi_expand_dims(count(SHAPE(2)), 0), SHAPE(1, 2), 0, 1);
    IS(washi_expand_dims(count(SHAPE(2)), -1), SHAPE(2, 1), 0, 1);
    IS(washi_expand_dims(count(SCALAR), 0), SHAPE(1), 0);
    IS(washi_squeeze(count(SHAPE(1, 2, 1)), 0), SHAPE(2, 1), 0, 1);
    IS(washi_squeeze(count(SHAPE(1, 2, 1)), -1), SHAPE(1, 2), 0, 1);
    IS(washi_squeeze(count(SHAPE(1, 2, 1)), WASHI_ALL), SHAPE(2), 0, 1);
    refuses(WASHI_BAD_SHAPE, "squeeze: axis 1 of [1,2] is not of size 1",
            washi_squeeze(count(SHAPE(1, 2)), -1));
    refuses(WASHI_BAD_VALUE, "squeeze: [2] has no axis 1", washi_squeeze(count(SHAPE(2)), 1));
    refuses(WASHI_BAD_VALUE, "expand_dims: no axis 3 can be put into [1,2]",
            washi_expand_dims(count(SHAPE(1, 2)), 3));
    refuses(WASHI_BAD_SHAPE, "expand_dims: [1,1,1,1,1,1,1,1] has no room for an axis",
            washi_expand_dims(count(SHAPE(1, 1, 1, 1, 1, 1, 1, 1)), 0));
}
END_TEST

START_TEST(together_and_apart)
{
    washi_tensor *x = count(SHAPE(2)), *y = washi_scale(count(SHAPE(2)), 10), *parts[3];
    IS(washi_stack(2, (washi_tensor *[]){x, y}, 0), SHAPE(2, 2), 0, 1, 0, 10);
    IS(washi_stack(2, (washi_tensor *[]){x, y}, -1), SHAPE(2, 2), 0, 0, 1, 10);
    IS(washi_stack(1, &x, 1), SHAPE(2, 1), 0, 1);
    ok(washi_split(count(SHAPE(2, 6)), 3, NULL, 1, parts));
    IS(parts[0], SHAPE(2, 2), 0, 1, 6, 7);
    IS(parts[2], SHAPE(2, 2), 4, 5, 10, 11);
    ok(washi_split(count(SHAPE(2, 3)), 3, (int64_t[]){1, 0, 2}, -1, parts));
    IS(parts[0], SHAPE(2, 1), 0, 3);
    gives(parts[1], SHAPE(2, 0), nothing, 0);
    IS(parts[2], SHAPE(2, 2), 1, 2, 4, 5);
    refuses(WASHI_BAD_SHAPE, "stack: [2] and [2,2] differ",
            washi_stack(2, (washi_tensor *[]){count(SHAPE(2)), count(SHAPE(2, 2))}, 0));
    washi_split(count(SHAPE(5)), 2, NULL, 0, parts);
    refuses(WASHI_BAD_VALUE, "split: 2 equal parts of axis 0 of [5]", parts[0]);
    washi_split(count(SHAPE(5)), 2, (int64_t[]){2, 2}, 0, parts);
    refuses(WASHI_BAD_VALUE, "split: the sizes of 2 parts are not those of axis 0 of [5]", parts[1]);
    ck_assert_ptr_null(washi_stack(0, NULL, 0));
    ck_assert_str_eq(washi_message(), "stack: 0 parts");
}
END_TEST

START_TEST(repetition)
{
    washi_tensor *x = count(SHAPE(2, 2));
    IS(washi_tile(x, (int64_t[]){1, 2}), SHAPE(2, 4), 0, 1, 0, 1, 2, 3, 2, 3);
    IS(washi_tile(x, (int64_t[]){2, 1}), SHAPE(4, 2), 0, 1, 2, 3, 0, 1, 2, 3);
    IS(washi_tile(x, (int64_t[]){2, 3}), SHAPE(4, 6), 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 0, 1, 0, 1, 0,
       1, 2, 3, 2, 3, 2, 3);
    gives(washi_tile(x, (int64_t[]){0, 3}), SHAPE(0, 6), nothing, 0);
    IS(washi_tile(count(SCALAR), NULL), SCALAR, 0);
    IS(washi_repeat(x, 2, 0), SHAPE(4, 2), 0, 1, 0, 1, 2, 3, 2, 3);
    IS(washi_repeat(x, 3, -1), SHAPE(2, 6), 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3);
    gives(washi_repeat(x, 0, 1), SHAPE(2, 0), nothing, 0);
    refuses(WASHI_BAD_VALUE, "repeat: [2,2], -1 times", washi_repeat(x, -1, 0));
    refuses(WASHI_BAD_VALUE, "tile: axis 1 of [2,2], -3 times",
            washi_tile(count(SHAPE(2, 2)), (int64_t[]){1, -3}));
    refuses(WASHI_MISUSE, "tile: the times for [2,2] are NULL", washi_tile(count(SHAPE(2, 2)), NULL));
}
END_TEST

START_TEST(diagonals_and_triangles)
{
    IS(washi_diag(count(SHAPE(3))), SHAPE(3, 3), 0, 0, 0, 0, 1, 0, 0, 0, 2);
    IS(washi_diag(count(SHAPE(1))), SHAPE(1, 1), 0);
    gives(washi_diag(count(SHAPE(0))), SHAPE(0, 0), nothing, 0);
    IS(washi_diag(count(SHAPE(2, 3))), SHAPE(2), 0, 4);
    IS(washi_diag(count(SHAPE(3, 2))), SHAPE(2), 0, 3);
    IS(washi_diag(count(SHAPE(2, 2, 2))), SHAPE(2, 2), 0, 3, 4, 7);
    gives(washi_diag(count(SHAPE(2, 0, 3))), SHAPE(2, 0), nothing, 0);
    washi_tensor *x = washi_shift(count(SHAPE(2, 3)), 1);
    IS(washi_tril(x, 0), SHAPE(2, 3), 1, 0, 0, 4, 5, 0);
    IS(washi_tril(x, 1), SHAPE(2, 3), 1, 2, 0, 4, 5, 6);
    IS(washi_tril(x, -1), SHAPE(2, 3), 0, 0, 0, 4, 0, 0);
    IS(washi_triu(x, 0), SHAPE(2, 3), 1, 2, 3, 0, 5, 6);
    IS(washi_triu(x, INT64_MAX), SHAPE(2, 3), 0, 0, 0, 0, 0, 0);
    IS(washi_tril(x, INT64_MIN), SHAPE(2, 3), 0, 0, 0, 0, 0, 0);
    IS(washi_triu(washi_full(t, WASHI_F64, SHAPE(2, 2), (double)INFINITY), 0), SHAPE(2, 2),
       (double)INFINITY, (double)INFINITY, 0, (double)INFINITY);
    refuses(WASHI_BAD_SHAPE, "diag: [] is no vector and no matrix", washi_diag(count(SCALAR)));
    refuses(WASHI_BAD_SHAPE, "tril: [3] has no two axes", washi_tril(count(SHAPE(3)), 0));
    refuses(WASHI_BAD_TYPE, "triu: [1,1] of type i32: f32 or f64 wanted",
            washi_triu(i32(SHAPE(1, 1), (int32_t[]){1}), 0));
}
END_TEST

START_TEST(numbers_before_a_run)
{
    IS(washi_arange(t, WASHI_F64, 1, 2, 0.25), SHAPE(4), 1, 1.25, 1.5, 1.75);
    IS(washi_arange(t, WASHI_I32, 3, -3, -2), SHAPE(3), 3, 1, -1);
    IS(washi_arange(t, WASHI_U8, 0, 3, 1), SHAPE(3), 0, 1, 2);
    gives(washi_arange(t, WASHI_F32, 3, 0, 1), SHAPE(0), nothing, 0);
    IS(washi_linspace(t, WASHI_F64, 0, 1, 5), SHAPE(5), 0, 0.25, 0.5, 0.75, 1);
    IS(washi_linspace(t, WASHI_F64, 2, 9, 1), SHAPE(1), 2);
    gives(washi_linspace(t, WASHI_F32, 2, 9, 0), SHAPE(0), nothing, 0);
    washi_tensor *third = washi_linspace(t, WASHI_F32, 0, 0.3, 11);
    ok(washi_eval(1, &third));
    ck_assert_float_eq(washi_f32(third)[10], 0.3f);
    IS(washi_eye(t, WASHI_F32, 2, 3), SHAPE(2, 3), 1, 0, 0, 0, 1, 0);
    refuses(WASHI_BAD_VALUE, "arange: from 0 to 1 by 0", washi_arange(t, WASHI_F32, 0, 1, 0));
    refuses(WASHI_BAD_VALUE, "arange: 0 by 0.5 gives no values of i32",
            washi_arange(t, WASHI_I32, 0, 1, 0.5));
    refuses(WASHI_BAD_VALUE, "arange: 250 by 5 gives no values of u8",
            washi_arange(t, WASHI_U8, 250, 261, 5));
    refuses(WASHI_BAD_VALUE, "arange: from nan to 1 by 1",
            washi_arange(t, WASHI_F32, (double)NAN, 1, 1));
    refuses(WASHI_BAD_VALUE, "linspace: -1 numbers of type f32",
            washi_linspace(t, WASHI_F32, 0, 1, -1));
    refuses(WASHI_BAD_TYPE, "linspace: 3 numbers of type i32", washi_linspace(t, WASHI_I32, 0, 1, 3));
    refuses(WASHI_BAD_SHAPE, "eye: [-1,2] of type f32: f32 or f64 of sizes from 0 wanted",
            washi_eye(t, WASHI_F32, -1, 2));
    refuses(WASHI_BAD_SHAPE, "full: [-1] is no shape", washi_full(t, WASHI_F32, SHAPE(-1), 1));
}
END_TEST

/* All of them on one x of [3, 4], curved so that the second derivative has something to show. */
static washi_tensor *moved(washi_tensor *const x[])
{
    washi_tensor *y = washi_mul(x[0], x[0]), *parts[2];
    ok(washi_split(y, 2, NULL, 1, parts));
    washi_tensor *made[] = {
        washi_tile(y, (int64_t[]){2, 3}),
        washi_repeat(washi_flip(y, 1), 2, 0),
        washi_slice_step(y, 1, 3, 0, -2),
        washi_diag(washi_slice(y, 1, 1, 4)),
        washi_diag(washi_diag(y)),
        washi_tril(y, 1),
        washi_triu(y, -1),
        washi_stack(2, (washi_tensor *[]){parts[1], washi_mul(parts[0], parts[1])}, 1),
        washi_squeeze(washi_expand_dims(y, 1), 1),
    };
    enum { MADE = sizeof made / sizeof *made };
    for (int i = 0; i < MADE; i++)
        made[i] = washi_reshape(made[i], SHAPE(washi_size(washi_shape_of(made[i]))));
    return washi_concat(MADE, made, 0);
}

START_TEST(derivatives)
{
    differentiates(moved, 1, (washi_tensor *[]){drawn(SHAPE(3, 4), -2, 2, 1)}, 2);
}
END_TEST

TCase *movement_case(void)
{
    return CASE("movement", open_tape, close_tape, steps, axes_of_size_1, together_and_apart,
                repetition, diagonals_and_triangles, numbers_before_a_run, derivatives);
}
