// bench_tape.cc: what a chain of 1000 scalar ops costs, in nanoseconds an op of that chain: recording
// it, differentiating it, compiling it and its gradient, and replaying them. No kernel has much to do,
// so these are the costs of the tape itself.
#include <benchmark/benchmark.h>
#include <washi.h>

#include <memory>

namespace
{

const int ops = 1000;

struct Close {
    void operator()(washi *w) const { washi_close(w); }
    void operator()(washi_tape *t) const { washi_tape_free(t); }
    void operator()(washi_program *p) const { washi_program_free(p); }
};
using Context = std::unique_ptr<washi, Close>;
using Tape = std::unique_ptr<washi_tape, Close>;
using Program = std::unique_ptr<washi_program, Close>;

const float start = 0.5F;

Context open_context()
{
    washi_options options = {};
    options.threads = 1;
    washi *w = nullptr;
    washi_open(&w, &options);
    return Context(w);
}

// x, and y after the chain, and the derivative of y by x where it is asked for.
struct Chain {
    Tape tape;
    washi_tensor *x, *y, *dx = nullptr;

    explicit Chain(washi *w)
        : tape(washi_tape_new(w)), x(washi_input(tape.get(), WASHI_F32, washi_shape())), y(x)
    {
        washi_tensor *factor = washi_scalar(tape.get(), WASHI_F32, 0.75);
        washi_feed(x, &start);
        for (int i = 0; i < ops; i += 4)
            y = washi_sub(washi_mul(washi_tanh(washi_add(y, x)), factor), x);
    }
    washi_status differentiate() { return washi_grad(y, 1, &x, &dx); }
    Program compile() const
    {
        washi_tensor *const outputs[] = {y, dx};
        return Program(washi_compile(tape.get(), dx != nullptr ? 2 : 1, outputs));
    }
};

void report(benchmark::State &state)
{
    state.counters["op"] = benchmark::Counter(ops, benchmark::Counter::kIsIterationInvariantRate |
                                                       benchmark::Counter::kInvert);
}

void record(benchmark::State &state)
{
    Context w = open_context();
    for (auto _ : state) {
        Chain chain(w.get());
        if (chain.y == nullptr) state.SkipWithError(washi_message());
    }
    report(state);
}

void differentiate(benchmark::State &state)
{
    Context w = open_context();
    for (auto _ : state) {
        state.PauseTiming();
        auto chain = std::make_unique<Chain>(w.get());
        state.ResumeTiming();
        if (chain->differentiate() != WASHI_OK) state.SkipWithError(washi_message());
        state.PauseTiming();
        chain.reset();
        state.ResumeTiming();
    }
    report(state);
}

Chain chain_of(washi *w, bool gradient)
{
    Chain chain(w);
    if (gradient) chain.differentiate();
    return chain;
}

void compile(benchmark::State &state)
{
    Context w = open_context();
    const Chain chain = chain_of(w.get(), state.range(0) != 0);
    for (auto _ : state)
        if (!chain.compile()) state.SkipWithError(washi_message());
    report(state);
}

void replay(benchmark::State &state)
{
    Context w = open_context();
    const Chain chain = chain_of(w.get(), state.range(0) != 0);
    const Program program = chain.compile();
    for (auto _ : state)
        if (washi_run(program.get()) != WASHI_OK) state.SkipWithError(washi_message());
    report(state);
}

} // namespace

BENCHMARK(record)->Unit(benchmark::kMicrosecond);
BENCHMARK(differentiate)->Unit(benchmark::kMicrosecond);
BENCHMARK(compile)->ArgName("gradient")->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);
BENCHMARK(replay)->ArgName("gradient")->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

BENCHMARK_MAIN();
