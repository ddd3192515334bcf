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

// Of 64 lanes, as docs/numerics.md has it.
static float sum(const vf s[4]) { return sum(vf_add(vf_add(s[0], s[2]), vf_add(s[1], s[3]))); }

static vf mean_of(const float *x)
{
    vf s[4] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
    for (size_t i = 0; i < row; i += 4 * VF_LEN)
        for (size_t v = 0; v < 4; v++) s[v] = vf_add(s[v], vf_load(x + i + v * VF_LEN));
    return vf_set(sum(s) / float(row));
}

// Leaves the centred row in y and returns the deviation, sqrt(variance + epsilon).
template <bool fused> static vf centre(float *y, const float *x)
{
    const vf mean = mean_of(x);
    vf s[4] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
    for (size_t i = 0; i < row; i += 4 * VF_LEN)
        for (size_t v = 0; v < 4; v++) {
            const vf d = vf_sub(vf_load(x + i + v * VF_LEN), mean);
            vf_store(y + i + v * VF_LEN, d);
            s[v] = fused ? vf_fma(d, d, s[v]) : vf_add(s[v], vf_mul(d, d));
        }
    return vf_sqrt(vf_set(sum(s) / float(row) + epsilon));
}

void norm_by_hand(size_t rows, float *y, const float *x)
{
    alignas(64) float centred[row];
    for (size_t r = 0; r < rows; r++, x += row, y += row) {
        const vf scale = vf_div(vf_set(1), centre<true>(centred, x));
        for (size_t i = 0; i < row; i += VF_LEN) vf_stream(y + i, vf_mul(vf_load(centred + i), scale));
    }
    v_fence();
}

void norm_gradient_by_hand(size_t rows, float *y, float *dx, const float *x)
{
    alignas(64) float made[row];
    for (size_t r = 0; r < rows; r++, x += row, y += row, dx += row) {
        const vf scale = vf_div(vf_set(1), centre<true>(made, x)), two = vf_set(2);
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

void norm_same_by_hand(size_t rows, float *y, const float *x)
{
    alignas(64) float centred[row];
    for (size_t r = 0; r < rows; r++, x += row, y += row) {
        const vf deviation = centre<false>(centred, x);
        for (size_t i = 0; i < row; i += VF_LEN) {
            __builtin_prefetch(x + row + i);
            vf_stream(y + i, vf_div(vf_load(centred + i), deviation));
        }
    }
    v_fence();
}

void norm_same_gradient_by_hand(size_t rows, float *y, float *dx, const float *x)
{
    const vf one = vf_set(1), two = vf_set(2), half = vf_set(0.5F), share = vf_set(1 / float(row));
    alignas(64) float centred[row], back[row];
    for (size_t r = 0; r < rows; r++, x += row, y += row, dx += row) {
        const vf deviation = centre<false>(centred, x), scale = vf_div(one, deviation);
        vf s[4] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
        for (size_t i = 0; i < row; i += 4 * VF_LEN)
            for (size_t v = 0; v < 4; v++) {
                const size_t at = i + v * VF_LEN;
                __builtin_prefetch(x + row + at);
                const vf a = vf_div(vf_load(centred + at), deviation), g = vf_mul(two, a);
                vf_stream(y + at, a);
                vf_store(back + at, vf_mul(g, scale));
                s[v] = vf_add(s[v], vf_mul(g, a));
            }
        // What comes back through the deviation, the variance and the mean of squares.
        vf w = vf_div(vf_mul(vf_mul(vf_set(sum(s)), vf_neg(scale)), half), deviation);
        w = vf_mul(vf_mul(w, share), two);
        for (vf &lane : s) lane = vf_zero();
        for (size_t i = 0; i < row; i += 4 * VF_LEN)
            for (size_t v = 0; v < 4; v++) {
                const size_t at = i + v * VF_LEN;
                const vf d = vf_add(vf_load(back + at), vf_mul(w, vf_load(centred + at)));
                vf_store(back + at, d);
                s[v] = vf_add(s[v], d);
            }
        const vf mean = vf_mul(vf_set(-sum(s)), share);
        for (size_t i = 0; i < row; i += VF_LEN) vf_stream(dx + i, vf_add(vf_load(back + i), mean));
    }
    v_fence();
}

// Chunks of 4096 elements, 64 lanes, and then the chunks' sums alike: 4096 of them at most.
float distance_by_hand(size_t rows, const float *x, const float *y)
{
    constexpr size_t chunk = 4 * row;
    alignas(64) static float sums[chunk];
    vf s[4];
    for (size_t r = 0; r < rows; r += 4, x += chunk, y += chunk) {
        for (vf &lane : s) lane = vf_zero();
        for (size_t i = 0; i < chunk; i += 4 * VF_LEN)
            for (size_t v = 0; v < 4; v++) {
                const size_t at = i + v * VF_LEN;
                const vf d = vf_sub(vf_load(x + at), vf_load(y + at));
                s[v] = vf_add(s[v], vf_mul(d, d));
            }
        sums[r / 4] = sum(s);
    }
    for (vf &lane : s) lane = vf_zero();
    for (size_t i = 0; i < rows / 4; i += 4 * VF_LEN)
        for (size_t v = 0; v < 4; v++) s[v] = vf_add(s[v], vf_load(sums + i + v * VF_LEN));
    return sum(s);
}

// Chunks of 256 rows, and then the chunks' sums alike.
float columns_by_hand(size_t rows, const float *x, const float *y)
{
    alignas(64) static float all[row], sums[row];
    for (float &a : all) a = 0;
    for (size_t r = 0; r < rows; r++, x += row, y += row) {
        for (size_t i = 0; i < row; i += VF_LEN) {
            const vf before = r % 256 ? vf_load(sums + i) : vf_zero();
            vf_store(sums + i, vf_add(before, vf_mul(vf_load(x + i), vf_load(y + i))));
        }
        if (r % 256 != 255) continue;
        for (size_t i = 0; i < row; i += VF_LEN)
            vf_store(all + i, vf_add(vf_load(all + i), vf_load(sums + i)));
    }
    return all[0];
}

#else

bool by_hand_runs() { return false; }
void chain_by_hand(size_t, float *, const float *) {}
void chain_gradient_by_hand(size_t, float *, float *, const float *) {}
void gelu_by_hand(size_t, float *, const float *) {}
void gelu_gradient_by_hand(size_t, float *, float *, const float *) {}
void norm_by_hand(size_t, float *, const float *) {}
void norm_gradient_by_hand(size_t, float *, float *, const float *) {}
void norm_same_by_hand(size_t, float *, const float *) {}
void norm_same_gradient_by_hand(size_t, float *, float *, const float *) {}
float distance_by_hand(size_t, const float *, const float *) { return 0; }
float columns_by_hand(size_t, const float *, const float *) { return 0; }

#endif

void scale_by_hand(size_t n, float *y, const float *x, float by)
{
    for (size_t i = 0; i < n; i++) y[i] = x[i] * by;
}
