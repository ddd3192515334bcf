// bench_gemm.cc: the matrix product beside other libraries, in one process and taking turns: GFLOP/s
// and per cent of the fused multiply-adds that this machine can do. Prints a table at the end.
#include "gemm_peers.h"

#include <benchmark/benchmark.h>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <thread>

// The products of a small perceptron's training step, then squares and oblongs.
static const struct {
    size_t m, n, k;
    bool across_a, across_b;
} shapes[] = {
    {64, 64, 784, false, false},   {784, 64, 64, true, false},     {64, 784, 64, false, true},
    {64, 64, 64, false, false},    {64, 64, 64, true, false},      {64, 64, 64, false, true},
    {64, 10, 64, false, false},    {64, 10, 64, true, false},      {64, 64, 10, false, true},
    {256, 256, 256, false, false}, {512, 512, 512, false, false},  {1024, 1024, 1024, false, false},
    {1, 1024, 1024, false, false}, {1, 1024, 1024, false, true},   {1024, 1, 1024, false, false},
    {4, 1024, 1024, false, false}, {128, 3072, 768, false, false}, {1024, 1024, 64, false, false},
    {17, 33, 65, false, false}};

static float *filled(size_t n)
{
    auto *x = static_cast<float *>(std::aligned_alloc(64, (n * sizeof(float) + 63) / 64 * 64));
    for (size_t i = 0; i < n; i++) x[i] = static_cast<float>(i * 2654435761u % 1024) / 512 - 1;
    return x;
}

// A peer whose product is wrong does not count.
static bool agrees(const Product &p, const std::function<void()> &run)
{
    std::memset(p.c, 0xff, p.m * p.n * sizeof(float));
    run();
    for (size_t at = 0; at < p.m * p.n; at += p.m * p.n / 7 + 1) {
        const size_t i = at / p.n, j = at % p.n;
        double sum = 0;
        for (size_t q = 0; q < p.k; q++)
            sum += static_cast<double>(p.across_a ? p.a[q * p.m + i] : p.a[i * p.k + q]) *
                   static_cast<double>(p.across_b ? p.b[j * p.k + q] : p.b[q * p.n + j]);
        if (!(std::fabs(sum - static_cast<double>(p.c[at])) < 1e-4 * static_cast<double>(p.k)))
            return false;
    }
    return true;
}

static void measure(benchmark::State &state, const Peer &peer, const Product &p, int threads,
                    double peak)
{
    // The workers of the library before this one still wait in loops, on cores that this one needs.
    if (threads > 1) std::this_thread::sleep_for(std::chrono::milliseconds(30));
    peer.set_threads(threads);
    const auto run = peer.prepare(p, threads);
    if (!run || !agrees(p, run)) return state.SkipWithError("not for this shape");
    for (auto _ : state) run();
    const double flops = 2e-9 * static_cast<double>(p.m * p.n * p.k);
    state.counters["GFLOPS"] = benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate);
    state.counters["percent"] =
        benchmark::Counter(100 * flops / peak, benchmark::Counter::kIsIterationInvariantRate);
}

// Keeps the medians, and after all runs prints a line a shape.
class Table : public benchmark::ConsoleReporter
{
  public:
    explicit Table(std::vector<Peer> all) : peers_(std::move(all)) {}
    void ReportRuns(const std::vector<Run> &runs) override
    {
        for (const Run &run : runs)
            if (run.aggregate_name == "median")
                median_[run.run_name.function_name] = run.counters.at("GFLOPS").value;
    }
    void print(const std::vector<Product> &products, const double peak[]) const
    {
        for (int threads = 1; threads <= 2; threads++) {
            std::printf("\n%d thread%s, GFLOP/s; the peak is %.0f. ratio: washi's best level to the "
                        "best peer.\n\n| m x n x k |",
                        threads, threads > 1 ? "s" : "", peak[threads]);
            for (const Peer &peer : peers_) std::printf(" %s |", peer.name.c_str());
            std::printf(" %% of peak | ratio |\n|---|");
            for (size_t i = 0; i < peers_.size() + 2; i++) std::printf("---:|");
            for (const Product &p : products) print_line(p, threads, peak[threads]);
            std::printf("\n");
        }
    }
    static std::string key(const Peer &peer, const Product &p, int threads)
    {
        return p.name() + "/" + peer.name + "/threads:" + std::to_string(threads);
    }

  private:
    void print_line(const Product &p, int threads, double peak) const
    {
        double ours = 0, best = 0;
        std::printf("\n| %s |", p.name().c_str());
        for (const Peer &peer : peers_) {
            const auto found = median_.find(key(peer, p, threads));
            const double value = found == median_.end() ? 0 : found->second;
            double &most = peer.name.rfind("washi", 0) == 0 ? ours : best;
            most = std::max(most, value);
            if (value > 0)
                std::printf(" %.1f |", value);
            else
                std::printf(" |");
        }
        std::printf(" %.0f | %.2f |", 100 * ours / peak, best > 0 ? ours / best : 0);
    }
    std::vector<Peer> peers_;
    std::map<std::string, double> median_;
};

int main(int argc, char **argv)
{
    // In turns: each measurement many times, all in random order. The command line may say otherwise.
    std::vector<char *> arguments = {argv[0]};
    for (const char *turn :
         {"--benchmark_enable_random_interleaving=true", "--benchmark_repetitions=11",
          "--benchmark_min_time=0.02", "--benchmark_display_aggregates_only=true"})
        arguments.push_back(const_cast<char *>(turn));
    arguments.insert(arguments.end(), argv + 1, argv + argc);
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;

    const double peak[] = {0, fma_peak(1), fma_peak(2)};
    const std::vector<Peer> all = peers();
    std::vector<Product> products;
    for (const auto &s : shapes)
        products.push_back({s.m, s.n, s.k, s.across_a, s.across_b, filled(s.m * s.k), filled(s.k * s.n),
                            filled(s.m * s.n)});
    for (const Product &p : products)
        for (int threads = 1; threads <= 2; threads++)
            for (const Peer &peer : all) {
                auto *run = benchmark::RegisterBenchmark(
                    Table::key(peer, p, threads).c_str(),
                    [=](benchmark::State &state) { measure(state, peer, p, threads, peak[threads]); });
                // One thread by its own time, which other programs disturb least.
                if (threads > 1) run->UseRealTime();
            }
    Table table(all);
    benchmark::RunSpecifiedBenchmarks(&table);
    table.print(products, peak);
}
