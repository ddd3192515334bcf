/* shape.c: element types and shapes. */
#include "core/core.h"

_Static_assert((int)WASHI_F32 == WA_F32 && (int)WASHI_F64 == WA_F64 && (int)WASHI_I32 == WA_I32 &&
                   (int)WASHI_U8 == WA_U8,
               "simd.h numbers the types as washi.h does");

size_t washi_dtype_size(washi_dtype type)
{
    static const size_t size[] = {4, 8, 4, 1};
    return (unsigned)type < WA_TYPES ? size[type] : 0;
}

const char *washi_dtype_name(washi_dtype type)
{
    static const char *const name[] = {"f32", "f64", "i32", "u8"};
    return (unsigned)type < WA_TYPES ? name[type] : "?";
}

washi_shape washi_shape_make(int rank, const int64_t dim[])
{
    washi_shape s = {.rank = rank < 0 || rank > WASHI_MAX_RANK || (rank && !dim) ? -1 : rank};
    for (int i = 0; i < s.rank; i++) s.dim[i] = dim[i];
    return s;
}

int64_t washi_size(washi_shape s)
{
    if (s.rank < 0 || s.rank > WASHI_MAX_RANK) return -1;
    const int64_t most = (int64_t)(PTRDIFF_MAX / 16); /* so that bytes, rounded up, fit */
    int64_t size = 1;
    bool empty = false;
    for (int i = 0; i < s.rank; i++) {
        if (s.dim[i] < 0) return -1;
        if (s.dim[i] == 0)
            empty = true;
        else if (size > most / s.dim[i])
            return -1;
        else
            size *= s.dim[i];
    }
    return empty ? 0 : size;
}

const char *wa_shape_text(washi_shape s, char *text)
{
    char *at = text;
    if (s.rank < 0 || s.rank > WASHI_MAX_RANK) {
        snprintf(text, WA_SHAPE_TEXT, "[a rank outside 0 ... %d]", WASHI_MAX_RANK);
        return text;
    }
    *at++ = '[';
    for (int i = 0; i < s.rank; i++) at += snprintf(at, 22, i ? ",%lld" : "%lld", (long long)s.dim[i]);
    *at++ = ']';
    *at = 0;
    return text;
}

bool wa_shape_broadcast(washi_shape a, washi_shape b, washi_shape *out)
{
    washi_shape s = {.rank = a.rank > b.rank ? a.rank : b.rank};
    for (int i = 0; i < s.rank; i++) {
        int ia = i - (s.rank - a.rank), ib = i - (s.rank - b.rank);
        int64_t da = ia < 0 ? 1 : a.dim[ia], db = ib < 0 ? 1 : b.dim[ib];
        if (da != db && da != 1 && db != 1) return false;
        s.dim[i] = da == 1 ? db : da;
    }
    *out = s;
    return true;
}

int64_t wa_shape_span(washi_shape s, int begin, int end)
{
    int64_t size = 1;
    for (int i = begin; i < end; i++) size *= s.dim[i];
    return size;
}

size_t wa_shape_bytes(washi_shape s, washi_dtype type)
{
    return (size_t)washi_size(s) * washi_dtype_size(type);
}
