// gemm_peers.h: single-precision matrix products by Washi and by the libraries that people use.
#ifndef GEMM_PEERS_H
#define GEMM_PEERS_H

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

/// c = a @ b, row-major and dense; a is stored k x m if across_a, b is stored n x k if across_b.
struct Product {
    size_t m, n, k;
    bool across_a, across_b;
    const float *a, *b;
    float *c;
    std::string name() const; ///< "64x64x784 NN"
};

/// A library. prepare returns what runs a product with that many threads, or nothing if it cannot.
struct Peer {
    std::string name;
    std::function<void(int threads)> set_threads;
    std::function<std::function<void()>(const Product &, int threads)> prepare;
};

/// Washi at its best level first, then at its others but scalar, then the peers that are installed.
std::vector<Peer> peers();

/// GFLOP/s of independent fused multiply-adds in registers.
double fma_peak(int threads);

/// Calls task(0) ... task(threads-1) on the pool that Washi uses.
void on_threads(int threads, const std::function<void(int)> &task);

#endif
