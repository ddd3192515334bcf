/* composed.h: what the tests of ops made of others share: the public header alone, values against plain
 * loops, derivatives against central differences. */
#ifndef TEST_COMPOSED_H
#define TEST_COMPOSED_H

#include "on_tape.h"

/* A constant of these numbers, and one of n F64 numbers from (low, high), none within 0.05 of 0. */
washi_tensor *f64(washi_shape shape, const double x[]);
washi_tensor *i32(washi_shape shape, const int32_t x[]);
washi_tensor *drawn(washi_shape shape, double low, double high, uint64_t seed);
/* Fails unless y, evaluated here, has that shape and those elements to within `by` (0: exactly). */
void gives(washi_tensor *y, washi_shape shape, const double wanted[], double by);

/* The first and second derivatives of y = f(x), by all elements of the constants x and along random
 * weights, against central differences in double. Fails as well when every derivative of that order is
 * zero, but where the order is past `orders`. */
typedef washi_tensor *function(washi_tensor *const x[]);
void differentiates(function *f, int n, washi_tensor *const x[], int orders);

TCase *random_case(void);   /* composed_random.c */
TCase *movement_case(void); /* composed_movement.c */
TCase *reduce_case(void);   /* composed_reduce.c */
TCase *product_case(void);  /* composed_product.c */

#endif
