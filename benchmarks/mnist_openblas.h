// mnist_openblas.h: the classifier of bench_mnist.cc written by hand on OpenBLAS.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

// 784-64-64-10, tanh and softmax, crossentropy, SGD, batches of 64. The pixels stay bytes; the update
// of the weights is the product's alpha and beta.
class OpenblasClassifier
{
  public:
    // NULL when the library is not installed.
    static std::unique_ptr<OpenblasClassifier> open(int threads);
    // One epoch in a new order: the mean loss; *accuracy too.
    float epoch(int64_t images, const uint8_t *pixels, const uint8_t *labels, float *accuracy);

  private:
    enum { SIDE2 = 28 * 28, HIDDEN = 64, CLASSES = 10, BATCH = 64 };
    using Gemm = void (*)(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a,
                          int lda, const float *b, int ldb, float beta, float *c, int ldc);
    explicit OpenblasClassifier(Gemm gemm);
    void gather(const uint8_t *pixels, const uint8_t *labels, const uint32_t *index, int n);
    void forward(int n);
    void backward(int n);

    Gemm gemm;
    std::vector<float> w1, b1, w2, b2, w3, b3, x, h1, h2, y, d1, d2;
    uint8_t label[BATCH];
    uint64_t random = 1;
    std::vector<uint32_t> order;
    float loss = 0, right = 0;
};
