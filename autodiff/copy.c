/* copy.c: copies between strided arrangements of the same elements. */
#include "autodiff/step.h"

#include <string.h>

void wa_strides(washi_shape s, int64_t stride[])
{
    int64_t step = 1;
    for (int i = s.rank; i-- > 0;) {
        stride[i] = step;
        step *= s.dim[i];
    }
}

/* Drops axes of size 1 and merges neighbours that are one run in both arrangements; leaves rank >= 1.
 */
void wa_copy_plan(struct wa_copy *c)
{
    int rank = 0;
    for (int i = 0; i < c->rank; i++) {
        if (c->dim[i] == 1) continue;
        int p = rank - 1;
        if (rank && c->y[p] == c->y[i] * c->dim[i] && c->x[p] == c->x[i] * c->dim[i]) {
            c->dim[p] *= c->dim[i];
            c->y[p] = c->y[i];
            c->x[p] = c->x[i];
        } else {
            c->dim[rank] = c->dim[i];
            c->y[rank] = c->y[i];
            c->x[rank] = c->x[i];
            rank++;
        }
    }
    if (!rank) {
        c->dim[0] = c->y[0] = c->x[0] = 1;
        rank = 1;
    }
    c->rank = rank;
}

#define COPY_ELEMENTS(type)                                                                            \
    for (int64_t i = 0; i < n; i++) ((type *)y)[i * sy] = ((const type *)x)[i * sx];

static void copy_row(size_t size, int64_t n, void *y, int64_t sy, const void *x, int64_t sx)
{
    if (sy == 1 && sx == 1) {
        memcpy(y, x, (size_t)n * size);
    } else if (size == 4) {
        COPY_ELEMENTS(uint32_t)
    } else if (size == 8) {
        COPY_ELEMENTS(uint64_t)
    } else {
        COPY_ELEMENTS(uint8_t)
    }
}

/* The element type whose kernels move elements of this size. */
static int type_of_size(size_t size) { return size == 8 ? WA_F64 : size == 4 ? WA_F32 : WA_U8; }

/* Rows for which memcpy is the best there is. */
static bool is_long(const struct wa_copy *c)
{
    enum { LONG = 4096 }; /* bytes */
    return c->x[c->rank - 1] == 1 && c->dim[c->rank - 1] * (int64_t)c->size >= LONG;
}

static void copy_axis(const struct wa_copy *c, const struct wa_simd *simd, int axis, int64_t n, char *y,
                      const char *x)
{
    int left = c->rank - axis, last = c->rank - 1;
    int64_t size = (int64_t)c->size;
    if (left == 1 && (c->y[axis] != 1 || c->x[axis] != 0)) {
        copy_row(c->size, n, y, c->y[axis], x, c->x[axis]);
    } else if (left <= 2 && c->y[last] == 1 && c->x[last] >= 0 && c->x[axis] >= 0 && !is_long(c)) {
        simd->copy[type_of_size(c->size)](left == 1 ? 1 : (size_t)n,
                                          (size_t)(left == 1 ? n : c->dim[last]), y, (size_t)c->y[axis],
                                          x, (size_t)c->x[axis], (size_t)c->x[last]);
    } else {
        for (int64_t i = 0; i < n; i++)
            copy_axis(c, simd, axis + 1, c->dim[axis + 1], y + i * c->y[axis] * size,
                      x + i * c->x[axis] * size);
    }
}

void wa_copy_run(const struct wa_copy *c, const struct wa_simd *simd, void *y, const void *x,
                 int64_t begin, int64_t end)
{
    for (int i = 1; i < c->rank; i++)
        if (c->dim[i] == 0) return;
    if (begin >= end) return;
    int64_t size = (int64_t)c->size;
    copy_axis(c, simd, 0, end - begin, (char *)y + begin * c->y[0] * size,
              (const char *)x + begin * c->x[0] * size);
}
