/* lanes.h: the rule by which a row is folded. A template: isa.c includes it for each real type.
 *
 * Element i belongs to lane i mod WA_LANES, and then lane j takes lane j + h for h = WA_LANES/2, ...,
 * 2, 1. The lanes live in GROUPS vectors: lane j is lane j % LEN of vector j / LEN. */

#define GROUPS (WA_LANES / LEN)

/* What an element does to its lane. b is the element's partner. */
typedef VT NAME(lane_op)(VT lane, VT a, VT b);

/* The partners of a row's elements: a second row, or one number for all. */
struct NAME(partners) {
    bool row;
    const T *b;
    VT one;
};
INLINE struct NAME(partners) NAME(row_of)(const T *b)
{
    return (struct NAME(partners)){true, b, V(zero)()};
}
INLINE struct NAME(partners) NAME(all)(VT one) { return (struct NAME(partners)){false, NULL, one}; }
INLINE struct NAME(partners) NAME(none)(void) { return NAME(all)(V(zero)()); }
INLINE VT NAME(partner)(struct NAME(partners) p, size_t i) { return p.row ? V(load)(p.b + i) : p.one; }
INLINE VT NAME(partner_n)(struct NAME(partners) p, size_t i, size_t n)
{
    return p.row ? V(load_n)(p.b + i, n) : p.one;
}

INLINE void NAME(lanes_set)(VT lanes[], VT identity)
{
    UNROLL
    for (size_t g = 0; g < GROUPS; g++) lanes[g] = identity;
}

/* n more elements of a row: a multiple of WA_LANES unless they are its last. */
INLINE void NAME(lanes_add)(VT lanes[], size_t n, const T *a, struct NAME(partners) p,
                            NAME(lane_op) * op)
{
    size_t i = 0;
    for (; i + WA_LANES <= n; i += WA_LANES) {
        UNROLL
        for (size_t g = 0; g < WA_LANES; g += LEN)
            lanes[g / LEN] = op(lanes[g / LEN], V(load)(a + i + g), NAME(partner)(p, i + g));
    }
    if (i == n) return;
    UNROLL
    for (size_t g = 0; g < GROUPS; g++) {
        const size_t k = i + g * LEN;
        if (n >= k + LEN) {
            lanes[g] = op(lanes[g], V(load)(a + k), NAME(partner)(p, k));
        } else if (n > k) {
            const VT next = op(lanes[g], V(load_n)(a + k, n - k), NAME(partner_n)(p, k, n - k));
            lanes[g] = V(select)(V(head)(n - k), next, lanes[g]);
        }
    }
}

/* The tree within a vector. */
INLINE T NAME(vector_fold)(VT a, NAME(binary) * op)
{
    if (LEN > 8) a = op(a, V(down)(a, 8));
    if (LEN > 4) a = op(a, V(down)(a, 4));
    if (LEN > 2) a = op(a, V(down)(a, 2));
    if (LEN > 1) a = op(a, V(down)(a, 1));
    return V(lane0)(a);
}

/* The whole tree: in its upper part, vector g goes to the one whose number lacks g's highest bit. */
INLINE T NAME(lanes_fold)(VT lanes[], NAME(binary) * op)
{
    UNROLL
    for (unsigned g = GROUPS - 1; g > 0; g--) {
        const unsigned to = g & ~(0x80000000u >> __builtin_clz(g));
        lanes[to] = op(lanes[to], lanes[g]);
    }
    return NAME(vector_fold)(lanes[0], op);
}

/* n <= 2 * LEN: of all that only meets identities in the tree, the first meeting is enough. */
INLINE T NAME(short_fold)(size_t n, const T *a, struct NAME(partners) p, VT identity,
                          NAME(lane_op) * op, NAME(binary) * tree)
{
    const size_t m = n < LEN ? n : LEN, rest = n - m;
    VT low = op(identity, V(load_n)(a, m), NAME(partner_n)(p, 0, m)), high = identity;
    low = V(select)(V(head)(m), low, identity);
    if (rest) {
        high = op(identity, V(load_n)(a + LEN, rest), NAME(partner_n)(p, LEN, rest));
        high = V(select)(V(head)(rest), high, identity);
    }
    return NAME(vector_fold)(tree(tree(low, identity), tree(high, identity)), tree);
}

INLINE T NAME(row_fold)(size_t n, const T *a, struct NAME(partners) p, VT identity, NAME(lane_op) * op,
                        NAME(binary) * tree)
{
    VT lanes[GROUPS];
    if (n <= 2 * LEN && GROUPS > 2) return NAME(short_fold)(n, a, p, identity, op, tree);
    NAME(lanes_set)(lanes, identity);
    NAME(lanes_add)(lanes, n, a, p, op);
    return NAME(lanes_fold)(lanes, tree);
}

/* The larger and the smaller, the first of two equal ones; NaN, wherever in a row it is. A vector's own
 * give the second where either is one, so that a lane keeps its NaN, and only a new one is asked for.
 */
INLINE VT NAME(largest)(VT lane, VT a) { return V(select)(V(ne)(a, a), a, V(max)(a, lane)); }
INLINE VT NAME(smallest)(VT lane, VT a) { return V(select)(V(ne)(a, a), a, V(min)(a, lane)); }

INLINE VT NAME(lane_sum)(VT lane, VT a, VT b) { return (void)b, V(add)(lane, a); }
INLINE VT NAME(lane_max)(VT lane, VT a, VT b) { return (void)b, NAME(largest)(lane, a); }
INLINE VT NAME(lane_min)(VT lane, VT a, VT b) { return (void)b, NAME(smallest)(lane, a); }
INLINE VT NAME(lane_sum_squares)(VT lane, VT a, VT b) { return (void)b, V(fma)(a, a, lane); }
INLINE VT NAME(lane_prod)(VT lane, VT a, VT b) { return (void)b, V(mul)(lane, a); }
INLINE VT NAME(lane_dot)(VT lane, VT a, VT b) { return V(fma)(a, b, lane); }
/* The square of the distance from b. */
INLINE VT NAME(lane_scatter)(VT lane, VT a, VT b)
{
    const VT d = V(sub)(a, b);
    return V(fma)(d, d, lane);
}

INLINE VT NAME(infinity)(void) { return V(set)((T)INFINITY); }
INLINE VT NAME(minus_infinity)(void) { return V(set)(-(T)INFINITY); }

/* For sums of exponentials, which are NaN with or without it: a NaN gets lost here. */
INLINE VT NAME(lane_top)(VT lane, VT a, VT b) { return (void)b, V(max)(lane, a); }
INLINE T NAME(row_top)(size_t n, const T *x)
{
    return NAME(row_fold)(n, x, NAME(none)(), NAME(minus_infinity)(), NAME(lane_top), V(max));
}
INLINE T NAME(row_sum)(size_t n, const T *x)
{
    return NAME(row_fold)(n, x, NAME(none)(), V(zero)(), NAME(lane_sum), V(add));
}
