/* orthogonal.c: first values that are a random orthogonal matrix. */
#include "nn.h"

#include <math.h>

/* Of a matrix of n columns, each of length m >= n, which lie one behind the other. The Q of a matrix of
 * normal numbers, R having a positive diagonal, is uniform among all such matrices (Stewart 1980): that
 * R is what Gram and Schmidt's way gives by itself. */
struct basis {
    int64_t n, m;
    double *column;
};

/* Sixteen sums side by side: one would wait for each addition. */
static double dot(int64_t m, const double *a, const double *b)
{
    enum { LANES = 16 };
    double lane[LANES] = {0};
    int64_t i = 0;
    for (; i + LANES <= m; i += LANES)
        for (int l = 0; l < LANES; l++) lane[l] += a[i + l] * b[i + l];
    for (int l = 0; i < m; i++, l++) lane[l] += a[i] * b[i];
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++) lane[l] += lane[l + half];
    return lane[0];
}

/* Takes the directions of the columns before off column j, and gives it the length 1. Rounding leaves
 * at most DBL_EPSILON times the length before by the length after: nothing in floats, if that is below
 * 1e8. False if it is not. */
static bool orthonormalise(const struct basis *b, int64_t j)
{
    double *v = b->column + j * b->m, before = dot(b->m, v, v);
    for (int64_t k = 0; k < j; k++) {
        const double *q = b->column + k * b->m, along = dot(b->m, q, v);
        for (int64_t i = 0; i < b->m; i++) v[i] -= along * q[i];
    }
    double after = dot(b->m, v, v), length = sqrt(after);
    if (!(after > 1e-16 * before)) return false;
    for (int64_t i = 0; i < b->m; i++) v[i] /= length;
    return true;
}

/* Columns of normal numbers, drawn one after the other; one that the ones before it all but span is
 * drawn again. */
static washi_status fill(const struct basis *b, washi *w, uint64_t stream, float *room)
{
    uint64_t next = 0;
    for (int64_t j = 0; j < b->n;) {
        washi_status status = washi_fill_normal(w, stream, next, (size_t)b->m, room);
        if (status) return status;
        next += ((uint64_t)b->m + 3) / 4 * 4;
        for (int64_t i = 0; i < b->m; i++) b->column[j * b->m + i] = (double)room[i];
        j += orthonormalise(b, j);
    }
    return WASHI_OK;
}

washi_status washi_orthogonal(washi *w, washi_shape shape, uint64_t stream, float *out)
{
    washi_status status = wa_nn_check_init("orthogonal", w, shape, out);
    if (status) return status;
    if (shape.rank < 2)
        return washi_fail(NULL, WASHI_BAD_SHAPE, "orthogonal: %s, two axes or more wanted",
                          wa_nn_shape(shape).at);
    int64_t size = washi_size(shape), columns = shape.dim[shape.rank - 1];
    if (size == 0) return WASHI_OK;
    int64_t rows = size / columns;
    bool tall = rows >= columns;
    struct basis b = {.n = tall ? columns : rows, .m = tall ? rows : columns};
    if ((size_t)size > SIZE_MAX / sizeof *b.column)
        return washi_fail(NULL, WASHI_NO_MEMORY, "orthogonal: %s is too large", wa_nn_shape(shape).at);
    b.column = washi_resize(w, NULL, 0, (size_t)size * sizeof *b.column);
    if (!b.column) return WASHI_NO_MEMORY;
    status = fill(&b, w, stream, out);
    for (int64_t i = 0; !status && i < size; i++)
        out[i] = (float)b.column[tall ? i % columns * rows + i / columns : i];
    washi_resize(w, b.column, (size_t)size * sizeof *b.column, 0);
    return status;
}
