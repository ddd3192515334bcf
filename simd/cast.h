/* cast.h: conversions between the four element types. Every one is exact or rounds as IEEE says, so the
 * bits are the same however it is done: most are plain loops that compilers vectorise well. Those that
 * clamp are loops that they do not, so a level does V_CAST elements at once and the loop the rest. */
#ifndef WA_CAST_H
#define WA_CAST_H

/* A clamp first, so that the conversion cannot overflow; the upper bound of I32 is no float. */
INLINE int32_t i32_of_f32(float x)
{
    const float low = x > -2147483648.0f ? x : -2147483648.0f; /* takes NaN too */
    const int32_t i = (int32_t)(low < 2147483520.0f ? low : 2147483520.0f);
    return x >= 2147483648.0f ? INT32_MAX : x != x ? 0 : i;
}
INLINE int32_t i32_of_f64(double x)
{
    const double low = x > -2147483648.0 ? x : -2147483648.0;
    const int32_t i = (int32_t)(low < 2147483647.0 ? low : 2147483647.0);
    return x != x ? 0 : i;
}
INLINE uint8_t u8_of_f32(float x)
{
    const float low = x > 0 ? x : 0; /* takes NaN too */
    return (uint8_t)(int32_t)(low < 255 ? low : 255);
}
INLINE uint8_t u8_of_f64(double x)
{
    const double low = x > 0 ? x : 0;
    return (uint8_t)(int32_t)(low < 255 ? low : 255);
}
INLINE uint8_t u8_of_i32(int32_t x) { return (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x); }

#define CAST(to, To, from, From, expression)                                                           \
    static void cast_##to##_##from(size_t n, void *y, const void *x)                                   \
    {                                                                                                  \
        To *restrict b = y;                                                                            \
        const From *restrict a = x;                                                                    \
        for (size_t i = 0; i < n; i++) b[i] = expression;                                              \
    }
#if WA_IS_scalar
#define CLAMP CAST
#else
#define CLAMP(to, To, from, From, expression)                                                          \
    static void cast_##to##_##from(size_t n, void *y, const void *x)                                   \
    {                                                                                                  \
        To *restrict b = y;                                                                            \
        const From *restrict a = x;                                                                    \
        for (; n >= V_CAST; n -= V_CAST, a += V_CAST, b += V_CAST) v_cast_##to##_##from(b, a);         \
        for (size_t i = 0; i < n; i++) b[i] = expression;                                              \
    }
#endif
#define CAST_COPY(type, size)                                                                          \
    static void cast_##type##_##type(size_t n, void *y, const void *x)                                 \
    {                                                                                                  \
        if (n && y != x) memcpy(y, x, n *(size));                                                      \
    }
CAST_COPY(f32, 4)
CAST_COPY(f64, 8)
CAST_COPY(i32, 4)
CAST_COPY(u8, 1)
CAST(f32, float, f64, double, (float)a[i])
CAST(f32, float, i32, int32_t, (float)a[i])
CAST(f32, float, u8, uint8_t, (float)a[i])
CAST(f64, double, f32, float, (double)a[i])
CAST(f64, double, i32, int32_t, (double)a[i])
CAST(f64, double, u8, uint8_t, (double)a[i])
CLAMP(i32, int32_t, f32, float, i32_of_f32(a[i]))
CLAMP(i32, int32_t, f64, double, i32_of_f64(a[i]))
CAST(i32, int32_t, u8, uint8_t, a[i])
CLAMP(u8, uint8_t, f32, float, u8_of_f32(a[i]))
CLAMP(u8, uint8_t, f64, double, u8_of_f64(a[i]))
CLAMP(u8, uint8_t, i32, int32_t, u8_of_i32(a[i]))
#undef CLAMP
#undef CAST
#undef CAST_COPY

#endif
