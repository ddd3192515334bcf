// bench_simd.cc: every kernel at every level this CPU can run, in the first- and second-level cache and
// in memory: ns an element, GB/s, and per cent of the bandwidth that a plain loop of the same traffic
// reaches there. Usage: bench_simd --benchmark_filter='avx2/f32/(exp|add)/'
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

extern "C" {
#include "simd/simd.h"
}

namespace
{

constexpr size_t kSizes[] = {4096, 65536, size_t{1} << 24};
constexpr size_t kMost = size_t{1} << 24;
const char *const kType[] = {"f32", "f64", "i32", "u8"};
const size_t kBytes[] = {4, 8, 4, 1};

// Room for kMost elements of 8 bytes, each array starting in another set of the caches.
char *array_at(int i)
{
    static char *memory = nullptr;
    constexpr size_t each = kMost * 8 + 4096;
    if (!memory) {
        memory = static_cast<char *>(std::aligned_alloc(4096, 4 * each));
        for (size_t k = 0; k < 4 * each / 4; k++) {
            const float value = 0.25f + static_cast<float>(k * 2654435761u % 1024) / 1024.0f;
            std::memcpy(memory + 4 * k, &value, 4);
        }
    }
    return memory + static_cast<size_t>(i) * each + static_cast<size_t>(i) * 320;
}

void fill(int type, char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double value = 0.25 + static_cast<double>(i * 2654435761u % 1024) / 1024;
        if (type == WA_F32) reinterpret_cast<float *>(p)[i] = static_cast<float>(value);
        if (type == WA_F64) reinterpret_cast<double *>(p)[i] = value;
        if (type == WA_I32) reinterpret_cast<int32_t *>(p)[i] = static_cast<int32_t>(200 * value);
        if (type == WA_U8) reinterpret_cast<uint8_t *>(p)[i] = static_cast<uint8_t>(200 * value);
    }
}

// Of three arrays; what is there from the kernel before will do.
void fill_inputs(int type, size_t n)
{
    static int there = -1;
    static size_t filled = 0;
    if (type == there && n <= filled) return;
    for (int i = 0; i < 3; i++) fill(type, array_at(i), n);
    there = type, filled = n;
}

// This thread's time in nanoseconds: what else runs on the machine does not count.
double now()
{
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return 1e9 * static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec);
}

// -- what the machine gives
// ----------------------------------------------------------------------------------

#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLONES
#endif

CLONES float read_loop(size_t n, const float *a)
{
    typedef float wide __attribute__((vector_size(64), aligned(4), may_alias));
    wide s0 = {}, s1 = {}, s2 = {}, s3 = {}; // enough additions under way
    for (size_t i = 0; i + 64 <= n; i += 64) {
        s0 += *reinterpret_cast<const wide *>(a + i);
        s1 += *reinterpret_cast<const wide *>(a + i + 16);
        s2 += *reinterpret_cast<const wide *>(a + i + 32);
        s3 += *reinterpret_cast<const wide *>(a + i + 48);
    }
    s0 += s1 + s2 + s3;
    float all = 0;
    for (int k = 0; k < 16; k++) all += s0[k];
    return all;
}
CLONES void copy_loop(size_t n, float *__restrict y, const float *a)
{
    for (size_t i = 0; i < n; i++) y[i] = -a[i];
}
CLONES void add_loop(size_t n, float *__restrict y, const float *a, const float *b)
{
    for (size_t i = 0; i < n; i++) y[i] = a[i] + b[i];
}

#if defined(__x86_64__)
void stream_loop(size_t n, float *y, const float *a, const float *b)
{
    while (reinterpret_cast<uintptr_t>(y) % 16) y++;
    for (size_t i = 0; i + 16 <= n; i += 16)
        for (size_t k = i; k < i + 16; k += 4)
            _mm_stream_ps(y + k, b ? _mm_add_ps(_mm_loadu_ps(a + k), _mm_loadu_ps(b + k))
                                   : _mm_loadu_ps(a + k));
    _mm_sfence();
}
#else
void stream_loop(size_t n, float *y, const float *a, const float *b)
{
    b ? add_loop(n, y, a, b) : copy_loop(n, y, a);
}
#endif

// Bytes a nanosecond over arrays of that size: `reads` read and, if `writes`, one written.
double bandwidth(int reads, bool writes, size_t bytes)
{
    static std::map<std::vector<size_t>, double> known;
    double &best = known[{static_cast<size_t>(reads), writes, bytes}];
    if (best > 0) return best;
    auto *y = reinterpret_cast<float *>(array_at(3));
    auto *a = reinterpret_cast<float *>(array_at(0)), *b = reinterpret_cast<float *>(array_at(1));
    const size_t n = bytes / 4, repeat = std::max<size_t>(1, (size_t{1} << 24) / bytes);
    for (int trial = 0; trial < 10; trial++)
        for (bool stream : {false, true}) {
            if (stream && (!writes || n < 16)) continue;
            const double begin = now();
            for (size_t k = 0; k < repeat; k++) {
                if (!writes)
                    benchmark::DoNotOptimize(read_loop(n, a));
                else if (stream)
                    stream_loop(n - 16, y, a, reads > 1 ? b : nullptr);
                else if (reads > 1)
                    add_loop(n, y, a, b);
                else
                    copy_loop(n, y, a);
                benchmark::ClobberMemory();
            }
            const double time = now() - begin;
            best = std::max(
                best,
                static_cast<double>((static_cast<size_t>(reads) + writes) * bytes * repeat) / time);
        }
    return best;
}

// -- one kernel, one size
// ------------------------------------------------------------------------------------

struct Traffic {
    int reads;                      // arrays of n elements read
    bool writes;                    // and whether one is written
    size_t read_bytes, write_bytes; // an element
};

void add(const std::string &name, int type, size_t n, Traffic traffic,
         const std::function<void()> &call)
{
    benchmark::RegisterBenchmark(
        (name + "/" + std::to_string(n)).c_str(), [=](benchmark::State &state) {
            fill_inputs(type, n);
            const double begin = now();
            for (auto _ : state) {
                call();
                benchmark::ClobberMemory();
            }
            const double time = now() - begin;
            const double elements = static_cast<double>(n) * static_cast<double>(state.iterations());
            const double bytes =
                static_cast<double>(traffic.read_bytes * static_cast<size_t>(traffic.reads) +
                                    (traffic.writes ? traffic.write_bytes : 0));
            const double speed = bytes * elements / time;
            state.counters["ns"] = time / elements;
            state.counters["GB/s"] = speed;
            const size_t reads = static_cast<size_t>(std::max(traffic.reads, 1)),
                         each = n * traffic.read_bytes;
            const double limit = traffic.writes ? bandwidth(reads > 1 ? 2 : 1, true, each)
                                                : bandwidth(1, false, each * reads);
            state.counters["%bw"] = 100 * speed / limit;
        });
}

// -- the tables
// ----------------------------------------------------------------------------------------------

void add_maps(const wa_simd *s, int type, size_t n)
{
    const std::string prefix = std::string(s->name) + "/" + kType[type] + "/";
    const size_t bytes = kBytes[type];
    for (int map = 0; map < WA_MAP_COUNT; map++) {
        const int arity = wa_map_arity(static_cast<wa_map>(map));
        add(prefix + wa_map_name(static_cast<wa_map>(map)), type, n, {arity, true, bytes, bytes}, [=] {
            const void *x[] = {array_at(0), array_at(1), array_at(2)};
            s->map[map][type](n, array_at(3), x);
        });
    }
#define NAME(name) #name,
    static const char *const stretch[] = {WA_STRETCHES(NAME)};
    for (int k = 0; k < WA_STRETCH_COUNT; k++)
        for (size_t width : {10, 64, 1000})
            add(prefix + "stretch_" + stretch[k] + "_row:" + std::to_string(width), type, n,
                {1, true, bytes, bytes}, [=] {
                    const void *x[] = {array_at(0), array_at(1)};
                    const size_t row[] = {width, 0}, column[] = {1, 1};
                    s->stretch[k][type](n / width, width, array_at(3), x, row, column);
                });
}

void add_folds(const wa_simd *s, int type, size_t n)
{
    const std::string prefix = std::string(s->name) + "/" + kType[type] + "/";
    const size_t bytes = kBytes[type];
    const Traffic read = {1, false, bytes, 0}, read2 = {2, false, bytes, 0},
                  copy = {1, true, bytes, bytes};
    static const char *const fold[] = {WA_FOLDS(NAME)}, *const row[] = {WA_ROWS(NAME)};
    for (int k = 0; k < WA_FOLD_COUNT; k++) {
        for (size_t width : {size_t{10}, size_t{64}, n})
            add(prefix + "fold_last_" + fold[k] + ":" + (width == n ? "n" : std::to_string(width)),
                type, n, read,
                [=] { s->fold_last[k][type](n / width, width, array_at(3), array_at(0)); });
        for (size_t width : {10, 64, 1024})
            add(prefix + "fold_first_" + fold[k] + ":" + std::to_string(width), type, n, read, [=] {
                s->fold_first[k][type](n / width, width, width, false, array_at(3), array_at(0));
            });
    }
    for (size_t width : {size_t{10}, n}) {
        const std::string rows = width == n ? ":n" : ":10";
        const auto index = [] { return reinterpret_cast<int32_t *>(array_at(3)); };
        add(prefix + "argmax" + rows, type, n, read,
            [=] { s->argmax[type](n / width, width, index(), array_at(0)); });
        add(prefix + "argmin" + rows, type, n, read,
            [=] { s->argmin[type](n / width, width, index(), array_at(0)); });
    }
    add(prefix + "dot:n", type, n, read2,
        [=] { s->dot[type](1, n, array_at(3), array_at(0), array_at(1)); });
    for (size_t width : {768, 4096}) {
        const std::string rows = ":" + std::to_string(width);
        add(prefix + "moments" + rows, type, n, read,
            [=] { s->moments[type](n / width, width, array_at(3), array_at(2), array_at(0)); });
        add(prefix + "normalize" + rows, type, n, copy, [=] {
            s->normalize[type](n / width, width, array_at(3), array_at(0), array_at(1), array_at(2),
                               1e-3);
        });
    }
    for (int k = 0; k < WA_ROW_COUNT; k++)
        for (size_t width : {10, 64, 1000})
            add(prefix + row[k] + ":" + std::to_string(width), type, n,
                k == WA_ROW_logsumexp ? read : copy,
                [=] { s->row[k][type](n / width, width, array_at(3), array_at(0)); });
}

void add_movement(const wa_simd *s, int type, size_t n)
{
    const std::string prefix = std::string(s->name) + "/" + kType[type] + "/";
    const size_t bytes = kBytes[type], width = 64;
    const Traffic copy = {1, true, bytes, bytes};
    for (int to = 0; to < WA_TYPES; to++)
        add(prefix + "cast_" + kType[to], type, n, {1, true, bytes, kBytes[to]},
            [=] { s->cast[to][type](n, array_at(3), array_at(0)); });
    size_t side = 1;
    while (side * side < n) side *= 2;
    add(prefix + "transpose", type, n, copy,
        [=] { s->transpose[type](side, n / side, array_at(3), side, array_at(0), n / side); });
    add(prefix + "copy_strided:64", type, n, copy,
        [=] { s->copy[type](n / width, width, array_at(3), width, array_at(0), width, 1); });
    static std::map<size_t, std::vector<int32_t>>
        indices; // a permutation of the rows, for each number of them
    std::vector<int32_t> &index = indices[n / width];
    index.resize(n / width);
    for (size_t i = 0; i < index.size(); i++)
        index[i] = static_cast<int32_t>(i * 2654435761u % (n / width));
    const int32_t *rows = index.data();
    add(prefix + "gather:64", type, n, copy,
        [=] { s->gather[type](n / width, width, array_at(3), array_at(0), width, rows); });
    if (type < WA_REALS)
        add(prefix + "scatter_add:64", type, n, {2, true, bytes, bytes},
            [=] { s->scatter_add[type](n / width, width, array_at(3), width, array_at(0), rows); });
}

void add_random(const wa_simd *s, size_t n)
{
    static const char *const name[] = {"f32/random_bits", "f32/random_uniform", "f32/random_normal",
                                       "f64/random_uniform", "f64/random_normal"};
    for (int k = 0; k < WA_RANDOM_COUNT; k++) {
        const int type = k < WA_RANDOM_uniform_f64 ? WA_F32 : WA_F64;
        add(std::string(s->name) + "/" + name[k], type, n, {0, true, kBytes[type], kBytes[type]},
            [=] { s->random[k](1, 2, 0, n, array_at(3)); });
    }
}

} // namespace

int main(int argc, char **argv)
{
    for (int level = 0; wa_simd_level(level); level++) {
        const wa_simd *s = wa_simd_level(level);
        if (!wa_simd_usable(s)) continue;
        for (size_t n : kSizes) {
            for (int type = 0; type < WA_REALS; type++) add_maps(s, type, n), add_folds(s, type, n);
            for (int type = 0; type < WA_TYPES; type++) add_movement(s, type, n);
            add_random(s, n);
        }
    }
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
