// by_hand.cc: see by_hand.h.
#include "by_hand.h"

#if defined(__AVX512F__)
#include "simd/vec_avx512.h"
#include "simd/vec_math.h"

bool by_hand_runs() { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"); }

void chain_by_hand(size_t n, float *y, const float *x)
{
    const vf f = vf_set(factor);
    for (size_t i = 0; i < n; i += VF_LEN) {
        const vf a = vf_load(x + i);
        vf b = a;
        for (int k = 0; k < links; k++) b = vf_mul(vf_add(vf_mul(b, f), a), a);
        vf_stream(y + i, b);
    }
    v_fence();
}

void chain_gradient_by_hand(size_t n, float *y, float *dx, const float *x)
{
    const vf f = vf_set(factor);
    for (size_t i = 0; i < n; i += VF_LEN) {
        const vf a = vf_load(x + i);
        vf b = a, before[links], g = vf_set(1), da = vf_zero();
        for (int k = 0; k < links; k++) {
            before[k] = vf_add(vf_mul(b, f), a);
            b = vf_mul(before[k], a);
        }
        for (int k = links; k-- > 0;) {
            da = vf_add(da, vf_mul(g, before[k]));
            g = vf_mul(g, a);
            da = vf_add(da, g);
            g = vf_mul(g, f);
        }
        vf_stream(y + i, b);
        vf_stream(dx + i, vf_add(da, g));
    }
    v_fence();
}

void gelu_by_hand(size_t n, float *y, const float *x)
{
    const vf a = vf_set(gelu_a), b = vf_set(gelu_b), half = vf_set(0.5F), one = vf_set(1);
    for (size_t i = 0; i < n; i += VF_LEN) {
        const vf v = vf_load(x + i), cube = vf_mul(vf_mul(v, v), v);
        const vf t = vf_tanh(vf_mul(a, vf_add(v, vf_mul(b, cube))));
        vf_stream(y + i, vf_mul(vf_mul(half, v), vf_add(one, t)));
    }
    v_fence();
}

void gelu_gradient_by_hand(size_t n, float *y, float *dx, const float *x)
{
    const vf a = vf_set(gelu_a), b = vf_set(gelu_b), half = vf_set(0.5F), one = vf_set(1),
             b3 = vf_set(3 * gelu_b);
    for (size_t i = 0; i < n; i += VF_LEN) {
        const vf v = vf_load(x + i), square = vf_mul(v, v), cube = vf_mul(square, v);
        const vf t = vf_tanh(vf_mul(a, vf_add(v, vf_mul(b, cube)))), s = vf_mul(half, vf_add(one, t));
        const vf slope = vf_mul(vf_sub(one, vf_mul(t, t)), vf_mul(a, vf_add(one, vf_mul(b3, square))));
        vf_stream(y + i, vf_mul(v, s));
        vf_stream(dx + i, vf_add(s, vf_mul(vf_mul(half, v), slope)));
    }
    v_fence();
}

static float sum(vf a)
{
    for (int h = VF_LEN / 2; h; h /= 2) a = vf_add(a, vf_down(a, h));
    return vf_lane0(a);
}

// Leaves the centred row in y and returns 1 / sqrt(variance + epsilon).
static float centre(float *y, const float *x)
{
    vf s[4] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
    for (size_t i = 0; i < row; i += 4 * VF_LEN)
        for (size_t v = 0; v < 4; v++) s[v] = vf_add(s[v], vf_load(x + i + v * VF_LEN));
    const vf mean = vf_set(sum(vf_add(vf_add(s[0], s[1]), vf_add(s[2], s[3]))) / float(row));
    for (vf &lane : s) lane = vf_zero();
    for (size_t i = 0; i < row; i += 4 * VF_LEN)
        for (size_t v = 0; v < 4; v++) {
            const vf d = vf_sub(vf_load(x + i + v * VF_LEN), mean);
            vf_store(y + i + v * VF_LEN, d);
            s[v] = vf_fma(d, d, s[v]);
        }
    const float variance = sum(vf_add(vf_add(s[0], s[1]), vf_add(s[2], s[3]))) / float(row);
    return vf_lane0(vf_div(vf_set(1), vf_sqrt(vf_set(variance + epsilon))));
}

void norm_by_hand(size_t rows, float *y, const float *x)
{
    alignas(64) float centred[row];
    for (size_t r = 0; r < rows; r++, x += row, y += row) {
        const vf scale = vf_set(centre(centred, x));
        for (size_t i = 0; i < row; i += VF_LEN) vf_stream(y + i, vf_mul(vf_load(centred + i), scale));
    }
    v_fence();
}

void norm_gradient_by_hand(size_t rows, float *y, float *dx, const float *x)
{
    alignas(64) float made[row];
    for (size_t r = 0; r < rows; r++, x += row, y += row, dx += row) {
        const float s = centre(made, x);
        const vf scale = vf_set(s), two = vf_set(2);
        vf g = vf_zero(), gy = vf_zero();
        for (size_t i = 0; i < row; i += VF_LEN) {
            const vf v = vf_mul(vf_load(made + i), scale), d = vf_mul(two, v);
            vf_store(made + i, v);
            g = vf_add(g, d);
            gy = vf_fma(d, v, gy);
        }
        const vf mean_g = vf_set(sum(g) / float(row)), mean_gy = vf_set(sum(gy) / float(row));
        for (size_t i = 0; i < row; i += VF_LEN) {
            const vf v = vf_load(made + i), d = vf_mul(two, v);
            vf_stream(y + i, v);
            vf_stream(dx + i, vf_mul(scale, vf_sub(vf_sub(d, mean_g), vf_mul(v, mean_gy))));
        }
    }
    v_fence();
}

#else

bool by_hand_runs() { return false; }
void chain_by_hand(size_t, float *, const float *) {}
void chain_gradient_by_hand(size_t, float *, float *, const float *) {}
void gelu_by_hand(size_t, float *, const float *) {}
void gelu_gradient_by_hand(size_t, float *, float *, const float *) {}
void norm_by_hand(size_t, float *, const float *) {}
void norm_gradient_by_hand(size_t, float *, float *, const float *) {}

#endif

void scale_by_hand(size_t n, float *y, const float *x, float by)
{
    for (size_t i = 0; i < n; i++) y[i] = x[i] * by;
}
