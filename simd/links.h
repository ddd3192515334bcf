/* links.h: the interpreter of a chain's links, for blocks of VECTORS vectors, MATHS those it has of
 * WA_CHAIN_MATHS. A template: chain.h includes it for each LINKS, its name.
 *
 * Each link ends with a jump of its own to the next one: the core then learns what usually follows it,
 * where a switch for all would be one jump that goes everywhere, and foreseen half of the time. */

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wgnu-label-as-value"
#pragma clang diagnostic ignored "-Wgnu-designator"
#else
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#endif

#define NEXT                                                                                           \
    if (++k == links) goto block;                                                                      \
    x = (T *)at[k] + (code[k] & WA_CHAIN_LOCAL ? 0 : i);                                               \
    goto *to[code[k] & ~WA_CHAIN_LOCAL]
#define LINK(name, ...)                                                                                \
    name:                                                                                              \
    __VA_ARGS__;                                                                                       \
    NEXT
#define REGISTER(r, saved)                                                                             \
    LINK(save_##r, NAME(link_copy)(VECTORS, saved, value));                                            \
    LINK(restore_##r, NAME(link_copy)(VECTORS, value, saved));                                         \
    LINK(store_##r, NAME(link_store)(VECTORS, saved, x, lanes, V(store)));                             \
    LINK(add_to_##r, NAME(link_saved)(VECTORS, saved, value, false, V(add)));                          \
    LINK(add_product_##r, NAME(link_product)(VECTORS, saved, value, x, lanes, false));                 \
    LINK(add_scaled_##r, NAME(link_product)(VECTORS, saved, value, at[k], lanes, true))
/* Registers that are lost leave room for constants. */
#define LOSES(name, ...)                                                                               \
    LINK(name, __VA_ARGS__; NAME(link_set)(VECTORS, first, 0); NAME(link_set)(VECTORS, second, 0))
#define MATH(name)     LOSES(name, NAME(link_unary)(VECTORS, value, NAME(name)));
#define UNARY(name, f) LINK(name, NAME(link_unary)(VECTORS, value, f))
#define BINARY(name, f)                                                                                \
    LINK(name##_vector, NAME(link_vector)(VECTORS, value, x, lanes, false, f));                        \
    LINK(name##_number, NAME(link_number)(VECTORS, value, at[k], false, f));                           \
    LINK(name##_by_vector, NAME(link_vector)(VECTORS, value, x, lanes, true, f));                      \
    LINK(name##_by_number, NAME(link_number)(VECTORS, value, at[k], true, f));                         \
    LINK(name##_itself, NAME(link_itself)(VECTORS, value, f));                                         \
    LINK(name##_saved_0, NAME(link_saved)(VECTORS, value, first, false, f));                           \
    LINK(name##_saved_1, NAME(link_saved)(VECTORS, value, second, false, f));                          \
    LINK(name##_by_saved_0, NAME(link_saved)(VECTORS, value, first, true, f));                         \
    LINK(name##_by_saved_1, NAME(link_saved)(VECTORS, value, second, true, f))
#define FOLD(name)                                                                                     \
    LINK(fold_##name, if (holds) NAME(link_fold_held)(VECTORS, value, held, NAME(lane_##name));        \
         else NAME(link_fold)(VECTORS, value, at[k], i, lanes, NAME(lane_##name)));

#define AT(name)      [WA_CHAIN_##name] = &&name,
#define AT_FOLD(name) AT(fold_##name)
#define AT_BINARY(name)                                                                                \
    AT(name##_vector)                                                                                  \
    AT(name##_number)                                                                                  \
    AT(name##_by_vector)                                                                               \
    AT(name##_by_number)                                                                               \
    AT(name##_itself) AT(name##_saved_0) AT(name##_saved_1) AT(name##_by_saved_0) AT(name##_by_saved_1)

/* Links begin ... links-1 for block after block from element i on, while there are any; returns the
 * element after the last. */
static size_t LINKS(size_t i, size_t n, size_t begin, size_t links, const unsigned char *code,
                    void *const at[])
{
    // clang-format off
    static const void *const to[] = {
        AT(load) AT(number) AT(bytes) AT(store) AT(stream)
        AT(save_0) AT(save_1) AT(restore_0) AT(restore_1)
        AT(store_0) AT(store_1) AT(add_to_0) AT(add_to_1) AT(map)
        AT(add_product_0) AT(add_product_1) AT(add_scaled_0) AT(add_scaled_1)
        AT(prefetch) AT(prefetch_near) MATHS(AT)
        WA_CHAIN_UNARIES(AT) WA_CHAIN_BINARIES(AT_BINARY) WA_FOLDS(AT_FOLD)
    };
    // clang-format on
    VT value[VECTORS], first[VECTORS], second[VECTORS], held[GROUPS];
    size_t k, lanes = LEN;
    T *x;
    NAME(link_set)(VECTORS, value, 0);
    NAME(link_set)(VECTORS, first, 0);
    NAME(link_set)(VECTORS, second, 0);
    const bool holds = NAME(LINK_HOLDS) && VECTORS > 1 && begin == 1;
    NAME(lanes_set)(held, V(zero)());
    if (holds) NAME(lanes_read)(held, at[0]);
    i -= VECTORS * LEN;
block:
    i += VECTORS * LEN;
    if (VECTORS > 1 ? i + VECTORS * LEN > n : i >= n) {
        if (holds) NAME(lanes_write)(at[0], held);
        return i;
    }
    if (VECTORS == 1 && n - i < LEN) lanes = n - i;
    k = begin - 1;
    NEXT;
    LINK(load, NAME(link_load)(VECTORS, value, x, lanes));
    LINK(number, NAME(link_set)(VECTORS, value, *(const T *)at[k]));
    LINK(bytes, NAME(link_bytes)(VECTORS, value, (const uint8_t *)at[k] + i, lanes));
    LINK(store, NAME(link_store)(VECTORS, value, x, lanes, V(store)));
    LINK(stream, NAME(link_stream)(VECTORS, value, x, lanes));
    LOSES(map, NAME(link_map)(VECTORS, value, *(wa_map_fn *const *)at[k], lanes));
    MATHS(MATH)
    LINK(prefetch, NAME(link_prefetch)(VECTORS, x, false));
    LINK(prefetch_near, NAME(link_prefetch)(VECTORS, x, true));
    REGISTER(0, first);
    REGISTER(1, second);
    UNARY(neg, V(neg));
    UNARY(sqrt, V(sqrt));
    UNARY(relu, NAME(relu));
    BINARY(add, V(add));
    BINARY(sub, V(sub));
    BINARY(mul, V(mul));
    BINARY(div, V(div));
    BINARY(gate, NAME(gate));
    BINARY(greater_equal, NAME(greater_equal));
    BINARY(equal, NAME(equal));
    WA_FOLDS(FOLD)
}

#undef LINKS
#undef NEXT
#undef LINK
#undef REGISTER
#undef LOSES
#undef MATH
#undef UNARY
#undef BINARY
#undef FOLD
#undef AT
#undef AT_FOLD
#undef AT_BINARY

#if defined(__clang__)
#pragma clang diagnostic pop
#else
#pragma GCC diagnostic pop
#endif
