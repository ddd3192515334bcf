/* chain.h: chains of cheap elementwise ops, block by block in registers. A template: isa.c includes it
 * for each real type. */

/* Of a block: vectors, a constant where these are inlined, of lanes lanes; LEN lanes if there are
 * several. */
enum { NAME(LINK_VECTORS) = 8 };

INLINE VT NAME(link_load)(const T *x, size_t v, const size_t lanes)
{
    return lanes == LEN ? V(load)(x + v * LEN) : V(load_n)(x, lanes);
}

INLINE void NAME(link_store)(const size_t vectors, const VT *value, T *y, const size_t lanes,
                             NAME(put_op) * put)
{
    UNROLL
    for (size_t v = 0; v < vectors; v++) {
        if (lanes == LEN)
            put(y + v * LEN, value[v]);
        else
            V(store_n)(y, value[v], lanes);
    }
}

INLINE void NAME(link_bytes)(const size_t vectors, VT *value, const uint8_t *x, const size_t lanes)
{
    if (lanes < LEN) {
        uint8_t whole[LEN] = {0};
        memcpy(whole, x, lanes);
        value[0] = V(bytes)(whole);
        return;
    }
    UNROLL
    for (size_t v = 0; v < vectors; v++) value[v] = V(bytes)(x + v * LEN);
}

INLINE void NAME(link_unary)(const size_t vectors, VT *value, NAME(unary) * f)
{
    UNROLL
    for (size_t v = 0; v < vectors; v++) value[v] = f(value[v]);
}

/* by: the value is the second operand. */
INLINE void NAME(link_vector)(const size_t vectors, VT *value, const T *x, const size_t lanes,
                              const bool by, NAME(binary) * f)
{
    UNROLL
    for (size_t v = 0; v < vectors; v++) {
        const VT other = NAME(link_load)(x, v, lanes);
        value[v] = by ? f(other, value[v]) : f(value[v], other);
    }
}

INLINE void NAME(link_number)(const size_t vectors, VT *value, const T *x, const bool by,
                              NAME(binary) * f)
{
    const VT other = V(set)(*x);
    UNROLL
    for (size_t v = 0; v < vectors; v++) value[v] = by ? f(other, value[v]) : f(value[v], other);
}

INLINE void NAME(link_itself)(const size_t vectors, VT *value, NAME(binary) * f)
{
    UNROLL
    for (size_t v = 0; v < vectors; v++) value[v] = f(value[v], value[v]);
}

#define UNARY(name, f)                                                                                 \
    case WA_CHAIN_##name:                                                                              \
        NAME(link_unary)(vectors, value, f);                                                           \
        break;
#define BINARY(name, f)                                                                                \
    case WA_CHAIN_##name##_vector: NAME(link_vector)(vectors, value, x, lanes, false, f); break;       \
    case WA_CHAIN_##name##_number: NAME(link_number)(vectors, value, at[k], false, f); break;          \
    case WA_CHAIN_##name##_by_vector: NAME(link_vector)(vectors, value, x, lanes, true, f); break;     \
    case WA_CHAIN_##name##_by_number: NAME(link_number)(vectors, value, at[k], true, f); break;        \
    case WA_CHAIN_##name##_itself: NAME(link_itself)(vectors, value, f); break;

/* All links for the elements of a block, from i on. */
INLINE void NAME(links)(const size_t vectors, const size_t lanes, size_t i, size_t links,
                        const unsigned char *code, void *const at[])
{
    VT value[NAME(LINK_VECTORS)];
    UNROLL
    for (size_t v = 0; v < vectors; v++) value[v] = V(zero)();
    for (size_t k = 0; k < links; k++) {
        T *x = (T *)at[k] + i;
        switch (code[k]) {
        case WA_CHAIN_load:
            UNROLL
            for (size_t v = 0; v < vectors; v++) value[v] = NAME(link_load)(x, v, lanes);
            break;
        case WA_CHAIN_number:
            UNROLL
            for (size_t v = 0; v < vectors; v++) value[v] = V(set)(*(const T *)at[k]);
            break;
        case WA_CHAIN_bytes: NAME(link_bytes)(vectors, value, (const uint8_t *)at[k] + i, lanes); break;
        case WA_CHAIN_stream:
            if ((uintptr_t)x % sizeof(VT) == 0) {
                NAME(link_store)(vectors, value, x, lanes, V(stream));
                break;
            } /* else as any store */ /* fall through */
        case WA_CHAIN_store:
            NAME(link_store)(vectors, value, x, lanes, V(store));
            break;
            UNARY(neg, V(neg))
            UNARY(sqrt, V(sqrt))
            UNARY(relu, NAME(relu))
            BINARY(add, V(add))
            BINARY(sub, V(sub))
            BINARY(mul, V(mul))
            BINARY(div, V(div))
            BINARY(gate, NAME(gate))
            BINARY(greater_equal, NAME(greater_equal))
            BINARY(equal, NAME(equal))
        }
    }
}
#undef UNARY
#undef BINARY

static void NAME(chain)(size_t n, size_t links, const unsigned char *code, void *const at[])
{
    enum { WHOLE = NAME(LINK_VECTORS) * LEN };
    size_t i = 0;
    for (; i + WHOLE <= n; i += WHOLE) NAME(links)(NAME(LINK_VECTORS), LEN, i, links, code, at);
    for (; i + LEN <= n; i += LEN) NAME(links)(1, LEN, i, links, code, at);
    if (i < n) NAME(links)(1, n - i, i, links, code, at);
}
