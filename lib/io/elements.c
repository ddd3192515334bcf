/* elements.c: a file's elements, of any width and either byte order, as the four types here. Every
 * value is kept exactly or refused. */
#include "io.h"

#include <string.h>

bool wa_io_type(struct wa_kind kind, washi_dtype *type)
{
    const bool width[9] = {[1] = true, [2] = true, [4] = true, [8] = true};
    switch (kind.letter) {
    case '?': *type = WASHI_U8; return kind.width == 1;
    case 'b': *type = WASHI_F32; return kind.width == 2;
    case 'f':
        *type = kind.width == 8 ? WASHI_F64 : WASHI_F32;
        return kind.width == 2 || kind.width == 4 || kind.width == 8;
    case 'u':
    case 'i':
        *type = kind.letter == 'u' && kind.width == 1 ? WASHI_U8 : WASHI_I32;
        return kind.width <= 8 && width[kind.width];
    default: return false;
    }
}

bool wa_io_little_endian(void)
{
    const uint16_t one = 1;
    unsigned char lowest;
    memcpy(&lowest, &one, 1);
    return lowest == 1;
}

static uint64_t load(const unsigned char *from, size_t width, bool big_endian)
{
    uint64_t x = 0;
    for (size_t i = 0; i < width; i++) x = x << 8 | from[big_endian ? i : width - 1 - i];
    return x;
}

/* The bits of a float of the same value as a half-precision one (IEEE 754 binary16), NaN payloads kept.
 */
static uint32_t float_of_half(uint32_t half)
{
    const uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 31;
    uint32_t fraction = half & 0x3ff;
    if (exponent == 31) return sign | 0x7f800000 | fraction << 13;
    if (exponent > 0) return sign | (exponent + 127 - 15) << 23 | fraction << 13;
    if (fraction == 0) return sign;
    uint32_t shift = 0; /* a denormal one: until its first bit is the implied one */
    while (!(fraction & 0x400)) fraction <<= 1, shift++;
    return sign | (127 - 14 - shift) << 23 | (fraction & 0x3ff) << 13;
}

/* Of an integer kind: whether x, as it was loaded, has a value in I32. */
static bool to_i32(struct wa_kind kind, uint64_t x, int32_t *out)
{
    const unsigned unused = 64 - 8u * kind.width;
    const bool negative = kind.letter == 'i' && x >> (63 - unused);
    const uint64_t magnitude = negative ? ~(x | (unused ? ~UINT64_C(0) << (64 - unused) : 0)) : x;
    if (magnitude > INT32_MAX) return false;
    *out = negative ? -1 - (int32_t)magnitude : (int32_t)magnitude;
    return true;
}

/* n elements; returns how many there were before one that cannot be held. */
static size_t convert(const struct wa_elements *e, size_t n, const unsigned char *from, void *to)
{
    const size_t width = e->kind.width;
    for (size_t i = 0; i < n; i++, from += width) {
        const uint64_t x = load(from, width, e->big_endian);
        const uint32_t low = (uint32_t)x;
        switch (e->kind.letter) {
        case 'f':
            if (width == 8)
                memcpy((double *)to + i, &x, sizeof x);
            else
                ((uint32_t *)to)[i] = width == 4 ? low : float_of_half(low);
            break;
        case 'b': ((uint32_t *)to)[i] = low << 16; break;
        case '?':
            if (x > 1) return i;
            ((uint8_t *)to)[i] = (uint8_t)x;
            break;
        default:
            if (!to_i32(e->kind, x, (int32_t *)to + i)) return i;
        }
    }
    return n;
}

/* Whether memory and file agree on every bit. */
static bool as_it_is(const struct wa_elements *e)
{
    if (e->kind.letter == 'u' && e->kind.width == 1) return true;
    const bool same_type = e->kind.width >= 4 && (e->kind.letter == 'f' || e->kind.letter == 'i');
    return same_type && e->big_endian != wa_io_little_endian() &&
           !(e->kind.letter == 'i' && e->kind.width == 8);
}

static washi_status pull_all(const struct wa_elements *e, void *to, size_t bytes)
{
    size_t got;
    const washi_status status = e->pull(e->source, to, bytes, &got);
    if (status == WASHI_OK && got < bytes)
        return wa_io_fail(e->path, WASHI_BAD_FILE, "too short: it ends within %s", e->name);
    return status;
}

washi_status wa_io_elements(const struct wa_elements *e, size_t n, void *to)
{
    const size_t width = e->kind.width;
    washi_dtype type;
    if (!wa_io_type(e->kind, &type))
        return wa_io_fail(e->path, WASHI_BAD_TYPE, "%s: no type holds them", e->name);
    if (as_it_is(e)) return pull_all(e, to, n * width);
    unsigned char chunk[16384];
    for (size_t done = 0; done < n;) {
        const size_t most = sizeof chunk / width, count = n - done < most ? n - done : most;
        const washi_status status = pull_all(e, chunk, count * width);
        if (status != WASHI_OK) return status;
        void *at = (unsigned char *)to + done * washi_dtype_size(type);
        const size_t held = convert(e, count, chunk, at);
        if (held < count && e->kind.letter == '?')
            return wa_io_fail(e->path, WASHI_BAD_FILE, "%s: element %zu is neither 0 nor 1", e->name,
                              done + held);
        if (held < count)
            return wa_io_fail(e->path, WASHI_BAD_VALUE, "%s: element %zu is beyond i32", e->name,
                              done + held);
        done += count;
    }
    return WASHI_OK;
}

washi_status wa_io_check_array(const char *who, const washi_array *a)
{
    if (!washi_dtype_size(a->type))
        return washi_fail(NULL, WASHI_BAD_TYPE, "%s has type %d, which there is not", who,
                          (int)a->type);
    const int64_t n = washi_size(a->shape);
    if (n < 0) return washi_fail(NULL, WASHI_BAD_SHAPE, "%s has a shape no array can have", who);
    if (n > 0 && !a->data) return washi_fail(NULL, WASHI_MISUSE, "%s has no data", who);
    return WASHI_OK;
}
