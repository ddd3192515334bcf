// gemm_peers.cc: Washi, OpenBLAS, BLIS, oneDNN and libxsmm behind one face.
#include "gemm_peers.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <dlfcn.h>
#include <map>
#include <memory>
#if HAVE_ONEDNN
#include <dnnl.hpp>
#endif
#if HAVE_LIBXSMM
#include <libxsmm.h>
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif
#include <washi.h>
extern "C" {
#include "simd/simd.h"
// Of lib/core/core.h.
void wa_parallel(washi *w, int tasks, void (*task)(void *arg, int index), void *arg);
}

std::string Product::name() const
{
    return std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k) +
           (across_a ? " T" : " N") + (across_b ? "T" : "N");
}

// -- threads ----------------------------------------------------------------------------------------

void on_threads(int threads, const std::function<void(int)> &task)
{
    static std::map<int, washi *> contexts;
    if (threads == 1) return task(0);
    washi_options options = {};
    options.threads = threads;
    if (!contexts[threads] && washi_open(&contexts[threads], &options) != WASHI_OK) std::abort();
    wa_parallel(
        contexts[threads], threads,
        [](void *task, int i) { (*static_cast<const std::function<void(int)> *>(task))(i); },
        const_cast<std::function<void(int)> *>(&task));
}

static void set_openmp_threads(int threads)
{
    if (auto set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads")))
        set(threads);
}

// -- the peak ---------------------------------------------------------------------------------------

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static float fma_loop(long n)
{
    __m256 sum[12], x = _mm256_set1_ps(0.999f);
#pragma GCC unroll 32
    for (auto &s : sum) s = x;
    for (; n; n--) {
#pragma GCC unroll 32
        for (auto &s : sum) {
            s = _mm256_fmadd_ps(s, x, x);
            asm volatile("" : "+x"(s)); // no two chains are known to be equal
        }
    }
#pragma GCC unroll 32
    for (auto &s : sum) x = _mm256_add_ps(x, s);
    return _mm256_cvtss_f32(x);
}
enum { FLOPS = 12 * 16 };
#elif defined(__aarch64__)
static float fma_loop(long n)
{
    float32x4_t sum[24], x = vdupq_n_f32(0.999f);
#pragma GCC unroll 32
    for (auto &s : sum) s = x;
    for (; n; n--) {
#pragma GCC unroll 32
        for (auto &s : sum) {
            s = vfmaq_f32(x, s, x);
            asm volatile("" : "+w"(s));
        }
    }
#pragma GCC unroll 32
    for (auto &s : sum) x = vaddq_f32(x, s);
    return vgetq_lane_f32(x, 0);
}
enum { FLOPS = 24 * 8 };
#else
static float fma_loop(long) { return 0; }
enum { FLOPS = 0 };
#endif

double fma_peak(int threads)
{
    const long n = 1000000;
    volatile float sink = 0;
    double best = 0;
    for (int i = 0; i < 20; i++) {
        const auto start = std::chrono::steady_clock::now();
        on_threads(threads, [&](int) { sink = fma_loop(n); });
        const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
        best = std::max(best, FLOPS * 1e-9 * static_cast<double>(n) * threads / time.count());
    }
    (void)sink;
    return best;
}

// -- Washi ------------------------------------------------------------------------------------------

static std::function<void()> prepare_washi(const wa_simd *level, const Product &p, int threads)
{
    wa_gemm g = {};
    g.m = p.m, g.n = p.n, g.k = p.k, g.a = p.a, g.b = p.b, g.c = p.c, g.c_row = p.n, g.alpha = 1;
    g.a_row = p.across_a ? 1 : p.k, g.a_column = p.across_a ? p.m : 1;
    g.b_row = p.across_b ? 1 : p.n, g.b_column = p.across_b ? p.k : 1;
    const size_t bytes = (level->gemm_scratch[WA_F32](&g) + 63) / 64 * 64;
    const int parts = static_cast<int>(wa_gemm_parts(&g, static_cast<size_t>(threads)));
    std::shared_ptr<char> scratch(
        static_cast<char *>(std::aligned_alloc(64, bytes * static_cast<size_t>(parts) + 64)),
        std::free);
    if (parts == 1) return [=] { level->gemm[WA_F32](&g, scratch.get()); };
    return [=] {
        on_threads(parts, [&](int i) {
            wa_gemm part;
            wa_gemm_part(&g, WA_F32, static_cast<size_t>(parts), static_cast<size_t>(i), &part);
            level->gemm[WA_F32](&part, scratch.get() + static_cast<size_t>(i) * bytes);
        });
    };
}

static void add_washi(std::vector<Peer> &all)
{
    std::vector<const wa_simd *> levels;
    for (int i = 1; const wa_simd *level = wa_simd_level(i); i++)
        if (wa_simd_usable(level)) levels.insert(levels.begin(), level);
    for (const wa_simd *level : levels)
        all.push_back(
            {"washi-" + std::string(level->name), [](int) {},
             [=](const Product &p, int threads) { return prepare_washi(level, p, threads); }});
}

// -- BLAS -------------------------------------------------------------------------------------------

// Two libraries that export the same names: each is loaded for itself.
using sgemm_fn = void(int order, int across_a, int across_b, int m, int n, int k, float alpha,
                      const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc);

static void add_blas(std::vector<Peer> &all, const char *name, const char *file,
                     const char *set_threads)
{
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (!library) return;
    const auto sgemm = reinterpret_cast<sgemm_fn *>(dlsym(library, "cblas_sgemm"));
    const auto threads_of = dlsym(library, set_threads);
    if (!sgemm || !threads_of) return;
    const bool blis = std::string(name) == "blis"; // whose dim_t is 64 bits wide
    auto set = [=](int threads) {
        set_openmp_threads(threads);
        if (blis)
            reinterpret_cast<void (*)(long)>(threads_of)(threads);
        else
            reinterpret_cast<void (*)(int)>(threads_of)(threads);
    };
    auto prepare = [=](const Product &p, int) -> std::function<void()> {
        const int m = static_cast<int>(p.m), n = static_cast<int>(p.n), k = static_cast<int>(p.k);
        return [=] {
            sgemm(101, p.across_a ? 112 : 111, p.across_b ? 112 : 111, m, n, k, 1, p.a,
                  p.across_a ? m : k, p.b, p.across_b ? k : n, 0, p.c, n);
        };
    };
    all.push_back({name, set, prepare});
}

// -- oneDNN -----------------------------------------------------------------------------------------

#if HAVE_ONEDNN
static std::function<void()> prepare_onednn(const Product &p, int)
{
    using namespace dnnl;
    const auto m = static_cast<memory::dim>(p.m), n = static_cast<memory::dim>(p.n),
               k = static_cast<memory::dim>(p.k);
    const engine cpu(engine::kind::cpu, 0);
    stream queue(cpu);
    const auto f32 = memory::data_type::f32;
    const memory::desc a({m, k}, f32, p.across_a ? memory::dims{1, m} : memory::dims{k, 1});
    const memory::desc b({k, n}, f32, p.across_b ? memory::dims{1, k} : memory::dims{n, 1});
    const memory::desc c({m, n}, f32, memory::dims{n, 1});
    matmul product(matmul::primitive_desc(matmul::desc(a, b, c), cpu));
    const std::unordered_map<int, memory> operands = {
        {DNNL_ARG_SRC, memory(a, cpu, const_cast<float *>(p.a))},
        {DNNL_ARG_WEIGHTS, memory(b, cpu, const_cast<float *>(p.b))},
        {DNNL_ARG_DST, memory(c, cpu, p.c)}};
    return [=]() mutable {
        product.execute(queue, operands);
        queue.wait();
    };
}

static std::function<void()> prepare_onednn_sgemm(const Product &p, int)
{
    const auto m = static_cast<dnnl_dim_t>(p.m), n = static_cast<dnnl_dim_t>(p.n),
               k = static_cast<dnnl_dim_t>(p.k);
    return [=] {
        dnnl_sgemm(p.across_a ? 'T' : 'N', p.across_b ? 'T' : 'N', m, n, k, 1, p.a, p.across_a ? m : k,
                   p.b, p.across_b ? k : n, 0, p.c, n);
    };
}
#endif

// -- libxsmm ----------------------------------------------------------------------------------------

#if HAVE_LIBXSMM
// One thread; in its column-major terms c' = b' a', whose right operand alone may be transposed.
static std::function<void()> prepare_libxsmm(const Product &p, int threads)
{
    if (threads != 1 || p.across_b || p.m * p.n * p.k > 300u * 300 * 300) return nullptr;
    const int m = static_cast<int>(p.m), n = static_cast<int>(p.n), k = static_cast<int>(p.k);
    const int lda = p.across_a ? m : k,
              flags = LIBXSMM_GEMM_FLAG_BETA_0 | (p.across_a ? LIBXSMM_GEMM_FLAG_TRANS_B : 0);
    const float alpha = 1, beta = 0;
    const auto kernel = libxsmm_smmdispatch(n, m, k, &n, &lda, &n, &alpha, &beta, &flags, nullptr);
    if (!kernel) return nullptr;
    return [=] { kernel(p.b, p.a, p.c); };
}
#endif

std::vector<Peer> peers()
{
    std::vector<Peer> all;
    add_washi(all);
    add_blas(all, "openblas", "libopenblas.so.0", "openblas_set_num_threads");
    add_blas(all, "blis", "libblis.so.4", "bli_thread_set_num_threads");
#if HAVE_ONEDNN
    all.push_back({"onednn", set_openmp_threads, prepare_onednn});
    all.push_back({"onednn-sgemm", set_openmp_threads, prepare_onednn_sgemm});
#endif
#if HAVE_LIBXSMM
    all.push_back({"libxsmm", [](int) {}, prepare_libxsmm});
#endif
    return all;
}
