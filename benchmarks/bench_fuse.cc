// bench_fuse.cc: formulas composed of primitive ops, value alone and with the gradient, beside the same
// written by hand in one pass (by_hand.cc), on one thread. 16 Mi floats; `pass` is one y[i] = x[i] * c
// loop over them, the unit of the table in docs. Ratios: --benchmark_enable_random_interleaving=true.
#include "by_hand.h"

#include <benchmark/benchmark.h>
#include <washi.h>

#include <cstring>
#include <memory>
#include <sys/mman.h>
#include <vector>

namespace
{

const size_t count = size_t(16) << 20;

struct Free {
    void operator()(float *x) const { std::free(x); }
};
using Floats = std::unique_ptr<float[], Free>;

Floats floats()
{
    const size_t page = size_t(2) << 20; // as the library asks for its own
    auto *x = static_cast<float *>(std::aligned_alloc(page, count * sizeof(float)));
#ifdef MADV_HUGEPAGE
    madvise(x, count * sizeof(float), MADV_HUGEPAGE);
#endif
    for (size_t i = 0; i < count; i++) x[i] = 0.25F + 0.5F * static_cast<float>(i % 1021) / 1021;
    return Floats(x);
}

struct Data {
    Floats x = floats(), y = floats(), dx = floats();
};

Data &data()
{
    static Data made;
    return made;
}

using Formula = washi_tensor *(*)(washi_tensor *);

washi_tensor *chain(washi_tensor *x)
{
    washi_tensor *y = x;
    for (int k = 0; k < links; k++) y = washi_mul(washi_add(washi_scale(y, double(factor)), x), x);
    return y;
}

washi_tensor *gelu(washi_tensor *x)
{
    washi_tape *t = washi_tape_of(x);
    washi_tensor *cube = washi_mul(washi_mul(x, x), x);
    washi_tensor *inner = washi_add(x, washi_scale(cube, double(gelu_b)));
    washi_tensor *tanh = washi_tanh(washi_scale(inner, double(gelu_a)));
    return washi_mul(washi_scale(x, 0.5), washi_add(washi_scalar(t, WASHI_F32, 1), tanh));
}

washi_tensor *norm(washi_tensor *x)
{
    washi_tape *t = washi_tape_of(x);
    washi_tensor *d = washi_sub(x, washi_mean(x, -1, true));
    washi_tensor *variance = washi_mean(washi_mul(d, d), -1, true);
    return washi_div(d, washi_sqrt(washi_add(variance, washi_scalar(t, WASHI_F32, double(epsilon)))));
}

washi_tensor *square_of(washi_tensor *y) { return washi_mul(y, y); }
washi_tensor *same(washi_tensor *y) { return y; }

// Rows by hand that have the composed formula's bits.
using Rows = void (*)(size_t rows, float *y, float *dx, const float *x);

bool same_bits(const washi_tensor *y, const washi_tensor *dx, Rows loop)
{
    Data &d = data();
    loop(count / row, d.y.get(), d.dx.get(), d.x.get());
    return memcmp(washi_data(y), d.y.get(), count * sizeof(float)) == 0 &&
           memcmp(washi_data(dx), d.dx.get(), count * sizeof(float)) == 0;
}

// Runs of a program of one or two outputs, which `record` makes of two arrays, once `check` finds them
// right.
template <class Record, class Check>
void program(benchmark::State &state, int threads, Record record, Check check)
{
    washi_options options = {};
    options.threads = threads;
    washi *w = nullptr;
    washi_open(&w, &options);
    washi_tape *t = washi_tape_new(w);
    const int64_t shape[] = {int64_t(count / row), int64_t(row)};
    washi_tensor *x[2], *outputs[2] = {nullptr, nullptr};
    for (washi_tensor *&in : x) in = washi_input(t, WASHI_F32, washi_shape_make(2, shape));
    washi_feed(x[0], data().x.get());
    washi_feed(x[1], data().dx.get());
    record(x, outputs);
    washi_program *p = washi_compile(t, outputs[1] != nullptr ? 2 : 1, outputs);
    if (p == nullptr || washi_run(p) != WASHI_OK)
        state.SkipWithError(washi_message());
    else if (!check(outputs))
        state.SkipWithError("the loop by hand has other bits");
    else {
        for (auto _ : state) washi_run(p);
        state.SetLabel(washi_cpu(w));
    }
    washi_program_free(p);
    washi_tape_free(t);
    washi_close(w);
}

// The formula's value, and with `loss` the gradient of its sum too.
void composed(benchmark::State &state, Formula formula, Formula loss, Rows loop)
{
    const auto record = [=](washi_tensor *const x[2], washi_tensor *outputs[2]) {
        outputs[0] = formula(x[0]);
        if (loss != nullptr)
            washi_grad(washi_sum(loss(outputs[0]), WASHI_ALL, false), 1, x, &outputs[1]);
    };
    program(state, 1, record, [=](washi_tensor *const outputs[2]) {
        return loop == nullptr || !by_hand_runs() || same_bits(outputs[0], outputs[1], loop);
    });
}

template <class Loop> void by_hand(benchmark::State &state, Loop loop)
{
    if (!by_hand_runs()) {
        state.SkipWithError("this machine has no AVX-512");
        return;
    }
    Data &d = data();
    for (auto _ : state) {
        loop(d.y.get(), d.dx.get(), d.x.get());
        benchmark::ClobberMemory();
    }
}

void pass(benchmark::State &state)
{
    for (auto _ : state) {
        scale_by_hand(count, data().y.get(), data().x.get(), factor);
        benchmark::ClobberMemory();
    }
}

washi_tensor *distance(washi_tensor *x, washi_tensor *y)
{
    return washi_sum(washi_square(washi_sub(x, y)), WASHI_ALL, false);
}

washi_tensor *columns(washi_tensor *x, washi_tensor *y) { return washi_sum(washi_mul(x, y), 0, false); }

// A fold of what is made of two arrays, by so many threads.
void folded(benchmark::State &state, washi_tensor *formula(washi_tensor *, washi_tensor *))
{
    const auto record = [=](washi_tensor *const x[2], washi_tensor *outputs[2]) {
        outputs[0] = formula(x[0], x[1]);
    };
    program(state, int(state.range(0)), record, [](washi_tensor *const *) { return true; });
}

#define FOLD(name)                                                                                     \
    BENCHMARK_CAPTURE(folded, name, name)                                                              \
        ->Arg(1)                                                                                       \
        ->Arg(2)                                                                                       \
        ->UseRealTime()                                                                                \
        ->Unit(benchmark::kMillisecond);                                                               \
    BENCHMARK_CAPTURE(by_hand, name, [](float *, float *y, const float *x) {                           \
        benchmark::DoNotOptimize(name##_by_hand(count / row, x, y));                                   \
    })->Unit(benchmark::kMillisecond);

#define FORMULA(name, loss, size, loop)                                                                \
    BENCHMARK_CAPTURE(composed, name, name, nullptr, nullptr)->Unit(benchmark::kMillisecond);          \
    BENCHMARK_CAPTURE(composed, name##_gradient, name, loss, loop)->Unit(benchmark::kMillisecond);     \
    BY_HAND(name, size)
#define BY_HAND(name, size)                                                                            \
    BENCHMARK_CAPTURE(by_hand, name, [](float *y, float *, const float *x) {                           \
        name##_by_hand(size, y, x);                                                                    \
    })->Unit(benchmark::kMillisecond);                                                                 \
    BENCHMARK_CAPTURE(by_hand, name##_gradient, [](float *y, float *dx, const float *x) {              \
        name##_gradient_by_hand(size, y, dx, x);                                                       \
    })->Unit(benchmark::kMillisecond);

} // namespace

BENCHMARK(pass)->Unit(benchmark::kMillisecond);
FORMULA(chain, same, count, nullptr)
FORMULA(gelu, same, count, nullptr)
FORMULA(norm, square_of, count / row, norm_same_gradient_by_hand)
BY_HAND(norm_same, count / row)
FOLD(distance)
FOLD(columns)

BENCHMARK_MAIN();
