// mnist_openblas.cc: the classifier of bench_mnist.cc written by hand on OpenBLAS. Compiled for this
// machine with the fastest arithmetic the compiler has: its tanh and exp are glibc's vectors.
#include "mnist_openblas.h"

#include <algorithm>
#include <cmath>
#include <dlfcn.h>
#include <numeric>

namespace
{

enum { ROW_MAJOR = 101, PLAIN = 111, TURNED = 112 };
const float rate = 0.01f;

uint64_t next(uint64_t &state)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state;
}

std::vector<float> glorot(int in, int out, uint64_t &state)
{
    std::vector<float> w(static_cast<size_t>(in) * static_cast<size_t>(out));
    const float limit = std::sqrt(6.0f / static_cast<float>(in + out));
    for (float &v : w) v = limit * (static_cast<float>(next(state) >> 40) * 0x2p-24f - 1);
    return w;
}

void add_bias_tanh(int n, int width, float *__restrict h, const float *__restrict b)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < width; j++) h[i * width + j] = std::tanh(h[i * width + j] + b[j]);
}

// b -= rate * the sum of d's rows.
void update_bias(int n, int width, float *__restrict b, const float *__restrict d)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < width; j++) b[j] -= rate * d[i * width + j];
}

} // namespace

std::unique_ptr<OpenblasClassifier> OpenblasClassifier::open(int threads)
{
    static void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library) return nullptr;
    auto gemm = reinterpret_cast<Gemm>(dlsym(library, "cblas_sgemm"));
    auto set = reinterpret_cast<void (*)(int)>(dlsym(library, "openblas_set_num_threads"));
    if (!gemm || !set) return nullptr;
    set(threads);
    return std::unique_ptr<OpenblasClassifier>(new OpenblasClassifier(gemm));
}

OpenblasClassifier::OpenblasClassifier(Gemm gemm)
    : gemm(gemm), w1(glorot(SIDE2, HIDDEN, random)), b1(HIDDEN), w2(glorot(HIDDEN, HIDDEN, random)),
      b2(HIDDEN), w3(glorot(HIDDEN, CLASSES, random)), b3(CLASSES), x(BATCH * SIDE2),
      h1(BATCH * HIDDEN), h2(BATCH * HIDDEN), y(BATCH * CLASSES), d1(BATCH * HIDDEN), d2(BATCH * HIDDEN)
{
}

void OpenblasClassifier::gather(const uint8_t *pixels, const uint8_t *labels, const uint32_t *index,
                                int n)
{
    for (int i = 0; i < n; i++) {
        const uint8_t *from = pixels + static_cast<size_t>(index[i]) * SIDE2;
        float *to = x.data() + i * SIDE2;
        for (int j = 0; j < SIDE2; j++) to[j] = static_cast<float>(from[j]) * (1 / 255.0f);
        label[i] = labels[index[i]];
    }
}

// Leaves y the gradient of the mean loss by the last layer's sums.
void OpenblasClassifier::forward(int n)
{
    gemm(ROW_MAJOR, PLAIN, PLAIN, n, HIDDEN, SIDE2, 1, x.data(), SIDE2, w1.data(), HIDDEN, 0, h1.data(),
         HIDDEN);
    add_bias_tanh(n, HIDDEN, h1.data(), b1.data());
    gemm(ROW_MAJOR, PLAIN, PLAIN, n, HIDDEN, HIDDEN, 1, h1.data(), HIDDEN, w2.data(), HIDDEN, 0,
         h2.data(), HIDDEN);
    add_bias_tanh(n, HIDDEN, h2.data(), b2.data());
    gemm(ROW_MAJOR, PLAIN, PLAIN, n, CLASSES, HIDDEN, 1, h2.data(), HIDDEN, w3.data(), CLASSES, 0,
         y.data(), CLASSES);
    for (int i = 0; i < n; i++) {
        float *row = y.data() + i * CLASSES, sum = 0;
        for (int j = 0; j < CLASSES; j++) row[j] += b3[static_cast<size_t>(j)];
        const float *top = std::max_element(row, row + CLASSES), most = *top, hot = row[label[i]];
        right += top - row == label[i] ? 1.0f : 0.0f;
        for (int j = 0; j < CLASSES; j++) sum += row[j] = std::exp(row[j] - most);
        loss += std::log(sum) - (hot - most);
        for (int j = 0; j < CLASSES; j++)
            row[j] = (row[j] / sum - (j == label[i] ? 1.0f : 0.0f)) / static_cast<float>(n);
    }
}

void OpenblasClassifier::backward(int n)
{
    gemm(ROW_MAJOR, PLAIN, TURNED, n, HIDDEN, CLASSES, 1, y.data(), CLASSES, w3.data(), CLASSES, 0,
         d2.data(), HIDDEN);
    for (int i = 0; i < n * HIDDEN; i++) d2[i] *= 1 - h2[i] * h2[i];
    gemm(ROW_MAJOR, TURNED, PLAIN, HIDDEN, CLASSES, n, -rate, h2.data(), HIDDEN, y.data(), CLASSES, 1,
         w3.data(), CLASSES);
    update_bias(n, CLASSES, b3.data(), y.data());
    gemm(ROW_MAJOR, PLAIN, TURNED, n, HIDDEN, HIDDEN, 1, d2.data(), HIDDEN, w2.data(), HIDDEN, 0,
         d1.data(), HIDDEN);
    for (int i = 0; i < n * HIDDEN; i++) d1[i] *= 1 - h1[i] * h1[i];
    gemm(ROW_MAJOR, TURNED, PLAIN, HIDDEN, HIDDEN, n, -rate, h1.data(), HIDDEN, d2.data(), HIDDEN, 1,
         w2.data(), HIDDEN);
    update_bias(n, HIDDEN, b2.data(), d2.data());
    gemm(ROW_MAJOR, TURNED, PLAIN, SIDE2, HIDDEN, n, -rate, x.data(), SIDE2, d1.data(), HIDDEN, 1,
         w1.data(), HIDDEN);
    update_bias(n, HIDDEN, b1.data(), d1.data());
}

float OpenblasClassifier::epoch(int64_t images, const uint8_t *pixels, const uint8_t *labels,
                                float *accuracy)
{
    order.resize(static_cast<size_t>(images));
    std::iota(order.begin(), order.end(), 0u);
    for (size_t i = order.size(); i-- > 1;) std::swap(order[i], order[next(random) % (i + 1)]);
    loss = right = 0;
    for (int64_t first = 0; first < images; first += BATCH) {
        const int n = static_cast<int>(std::min<int64_t>(images - first, BATCH));
        gather(pixels, labels, order.data() + first, n);
        forward(n);
        backward(n);
    }
    *accuracy = right / static_cast<float>(images);
    return loss / static_cast<float>(images);
}
