/* bytes.h: bytes moved: transposed 8 by 8 in eight 64-bit integers, gathered, copied. */
#ifndef WA_BYTES_H
#define WA_BYTES_H

/* Exchanges the parts of a and b that mask, shifted, selects: one step of a transpose. */
INLINE void swap_parts(uint64_t *a, uint64_t *b, int shift, uint64_t mask)
{
    const uint64_t t = ((*a >> shift) ^ *b) & mask;
    *b ^= t;
    *a ^= t << shift;
}

INLINE void transpose_bytes_8x8(uint8_t *y, size_t y_row, const uint8_t *x, size_t x_row)
{
    uint64_t r[8];
    for (size_t i = 0; i < 8; i++) memcpy(&r[i], x + i * x_row, 8);
    for (size_t i = 0; i < 4; i++) swap_parts(&r[i], &r[i + 4], 32, 0x00000000ffffffff);
    for (size_t i = 0; i < 8; i += i == 1 ? 3 : 1) {
        if (i > 5) break;
        swap_parts(&r[i], &r[i + 2], 16, 0x0000ffff0000ffff);
    }
    for (size_t i = 0; i < 8; i += 2) swap_parts(&r[i], &r[i + 1], 8, 0x00ff00ff00ff00ff);
    for (size_t i = 0; i < 8; i++) memcpy(y + i * y_row, &r[i], 8);
}

static void transpose_u8(size_t rows, size_t columns, void *to, size_t y_row, const void *from,
                         size_t x_row)
{
    uint8_t *y = to;
    const uint8_t *x = from;
    const size_t m = rows / 8 * 8, n = columns / 8 * 8;
    for (size_t j = 0; j < n; j += 8)
        for (size_t i = 0; i < m; i += 8)
            transpose_bytes_8x8(y + j * y_row + i, y_row, x + i * x_row + j, x_row);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = i < m ? n : 0; j < columns; j++) y[j * y_row + i] = x[i * x_row + j];
}

static void gather_u8(size_t count, size_t n, void *y, const void *x, size_t x_row,
                      const int32_t *index)
{
    if (n == 1)
        for (size_t i = 0; i < count; i++)
            ((uint8_t *)y)[i] = ((const uint8_t *)x)[(size_t)index[i] * x_row];
    else
        for (size_t i = 0; i < count; i++)
            memcpy((uint8_t *)y + i * n, (const uint8_t *)x + (size_t)index[i] * x_row, n);
}

static void strided_copy_u8(size_t rows, size_t n, void *y, size_t y_row, const void *x, size_t x_row,
                            size_t x_column)
{
    if (x_row == 1 && x_column > 1 && rows > 1) {
        transpose_u8(n, rows, y, y_row, x, x_column);
        return;
    }
    for (size_t i = 0; i < rows; i++) {
        uint8_t *to = (uint8_t *)y + i * y_row;
        const uint8_t *from = (const uint8_t *)x + i * x_row;
        if (x_column == 1)
            memcpy(to, from, n);
        else if (x_column == 0 && n)
            memset(to, *from, n);
        else
            for (size_t j = 0; j < n; j++) to[j] = from[j * x_column];
    }
}

#endif
