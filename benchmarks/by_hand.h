// by_hand.h: the formulas of bench_fuse.cc as loops a person would write, each one pass over memory,
// on the library's own vectors of 512 bits. Sizes are multiples of a vector.
#pragma once

#include <cstddef>

bool by_hand_runs(); // on this machine
void scale_by_hand(size_t n, float *y, const float *x, float factor);
void chain_by_hand(size_t n, float *y, const float *x);
void chain_gradient_by_hand(size_t n, float *y, float *dx, const float *x);
void gelu_by_hand(size_t n, float *y, const float *x);
void gelu_gradient_by_hand(size_t n, float *y, float *dx, const float *x);
// Rows of 1024, no gain and bias; the gradient is that of sum(y * y). As one likes to write it: times
// the reciprocal of the deviation, and without the mean of what comes back through the variance, which
// is 0 on paper.
void norm_by_hand(size_t rows, float *y, const float *x);
void norm_gradient_by_hand(size_t rows, float *y, float *dx, const float *x);
// With the operations of the formula and of its derivative, each rounded: the bits of the composed one.
// And asking memory for the next row while it divides, which is worth a third.
void norm_same_by_hand(size_t rows, float *y, const float *x);
void norm_same_gradient_by_hand(size_t rows, float *y, float *dx, const float *x);
// The sum of (x - y)^2, and of x * y for each column, of `rows` rows of 1024, in the library's order:
// lanes and chunks. Returns it, or the first column's.
float distance_by_hand(size_t rows, const float *x, const float *y);
float columns_by_hand(size_t rows, const float *x, const float *y);

// What both sides compute.
constexpr int links = 12; // y = y * factor; y = y + x; y = y * x
constexpr float factor = 0.9F, epsilon = 1e-5F;
constexpr float gelu_a = 0.7978845608F, gelu_b = 0.044715F; // y = 0.5 x (1 + tanh(a (x + b x^3)))
constexpr size_t row = 1024;
