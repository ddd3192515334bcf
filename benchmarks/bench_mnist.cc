// bench_mnist.cc: seconds an epoch of the MNIST classifier through washi_fit, and of the same by hand
// on OpenBLAS, on random pixels in MNIST's shapes. The counter tells the images a second. Ratios come
// from
// --benchmark_enable_random_interleaving=true with --benchmark_repetitions.
#include "mnist_openblas.h"

#include <benchmark/benchmark.h>
#include <washi.h>

#include <vector>

namespace
{

const int64_t images = 60000;

struct Classifier {
    washi *w = nullptr;
    washi_model *model = nullptr;
    washi_optimizer *sgd = nullptr;

    explicit Classifier(int threads)
    {
        washi_options options = {};
        options.threads = threads;
        if (washi_open(&w, &options) != WASHI_OK) return;
        const washi_layer layers[] = {
            washi_layer_rescaling(1 / 255.0),     washi_layer_flatten(),
            washi_layer_dense(64, washi_tanh),    washi_layer_dense(64, washi_tanh),
            washi_layer_dense(10, washi_softmax),
        };
        const int64_t side[] = {28, 28};
        model = washi_sequential(w, 5, layers);
        washi_model_build(model, WASHI_U8, washi_shape_make(2, side));
        washi_sgd_options rate = {};
        rate.learning_rate = 0.01;
        sgd = washi_sgd(w, &rate);
    }
    Classifier(const Classifier &) = delete;
    Classifier &operator=(const Classifier &) = delete;
    ~Classifier()
    {
        washi_optimizer_free(sgd);
        washi_model_free(model);
        washi_close(w);
    }
};

// Random pixels and labels, the same for all.
struct Data {
    std::vector<uint32_t> bits = std::vector<uint32_t>(images * 28 * 28 / 4 + images / 4);
    uint8_t *pixels = reinterpret_cast<uint8_t *>(bits.data()), *labels = pixels + images * 28 * 28;

    Data()
    {
        washi *w = nullptr;
        if (washi_open(&w, nullptr) == WASHI_OK) washi_fill_bits(w, 1, 0, bits.size(), bits.data());
        washi_close(w);
        for (int64_t i = 0; i < images; i++) labels[i] = static_cast<uint8_t>(labels[i] % 10);
    }
};

const Data &data()
{
    static const Data made;
    return made;
}

void mnist_epoch(benchmark::State &state)
{
    Classifier c(static_cast<int>(state.range(0)));
    if (!c.w) {
        state.SkipWithError(washi_message());
        return;
    }
    const washi_array x = {WASHI_U8, {3, {images, 28, 28}}, data().pixels},
                      y = {WASHI_U8, {1, {images}}, data().labels};

    washi_fit_options options = {};
    options.optimizer = c.sgd;
    options.loss = washi_sparse_categorical_crossentropy;
    options.metric = washi_accuracy;
    options.epochs = 1;
    options.batch_size = 64;
    for (auto _ : state) {
        if (washi_fit(c.model, &x, &y, &options, nullptr) != WASHI_OK) {
            state.SkipWithError(washi_message());
            return;
        }
    }
    state.SetItemsProcessed(state.iterations() * images);
    state.SetLabel(washi_cpu(c.w));
}

void openblas_epoch(benchmark::State &state)
{
    auto c = OpenblasClassifier::open(static_cast<int>(state.range(0)));
    if (!c) {
        state.SkipWithError("OpenBLAS is not installed");
        return;
    }
    for (auto _ : state) {
        float accuracy, loss = c->epoch(images, data().pixels, data().labels, &accuracy);
        benchmark::DoNotOptimize(loss);
    }
    state.SetItemsProcessed(state.iterations() * images);
}

void threads(benchmark::internal::Benchmark *b)
{
    b->ArgName("threads")->Arg(1)->Arg(2)->MeasureProcessCPUTime()->UseRealTime()->Unit(
        benchmark::kMillisecond);
}

} // namespace

BENCHMARK(mnist_epoch)->Apply(threads);
BENCHMARK(openblas_epoch)->Apply(threads);

BENCHMARK_MAIN();
