/* products.c: products of any axes with any, as matrix products. */
#include "autodiff/elementwise.h"

#include "autodiff/rules.h"

static bool two(washi_tensor *a, washi_tensor *b, const char *who)
{
    if (!wa_usable(a, who) || !wa_usable(b, who)) return false;
    if (a->tape == b->tape) return true;
    washi_fail(a->tape, WASHI_MISUSE, "%s: operands are on different tapes", who);
    return false;
}

static washi_tensor *refuse(const char *who, const washi_tensor *a, const washi_tensor *b,
                            washi_status status, const char *why)
{
    char sa[WA_SHAPE_TEXT], sb[WA_SHAPE_TEXT];
    washi_fail(a->tape, status, "%s: %s and %s: %s", who, wa_shape_text(a->shape, sa),
               wa_shape_text(b->shape, sb), why);
    return NULL;
}

static bool one_type(const char *who, const washi_tensor *a, const washi_tensor *b)
{
    char ta[WA_TENSOR_TEXT], tb[WA_TENSOR_TEXT];
    if (a->type == b->type) return true;
    washi_fail(a->tape, WASHI_BAD_TYPE, "%s: %s and %s are of different types", who,
               wa_tensor_text(a, ta), wa_tensor_text(b, tb));
    return false;
}

washi_tensor *washi_outer(washi_tensor *a, washi_tensor *b)
{
    if (!two(a, b, "outer")) return NULL;
    washi_shape s = a->shape;
    if (s.rank + b->shape.rank > WASHI_MAX_RANK)
        return refuse("outer", a, b, WASHI_BAD_SHAPE, "too many axes");
    if (!one_type("outer", a, b)) return NULL;
    for (int i = 0; i < b->shape.rank; i++) s.dim[s.rank++] = 1;
    return mul(washi_reshape(a, s), b);
}

/* a with its axes in this order, the first `lead` of them as the rows of a matrix and the others as its
 * columns. Where the others come first already the matrix is read transposed, which costs nothing. */
static washi_tensor *as_matrix(washi_tensor *a, const int order[], int lead)
{
    int rank = a->shape.rank, turned[WASHI_MAX_RANK];
    int64_t rows = 1, columns = 1;
    bool plain = true, turns = true;
    for (int i = 0; i < rank; i++) {
        *(i < lead ? &rows : &columns) *= a->shape.dim[order[i]];
        turned[i] = order[(i + lead) % rank];
    }
    for (int i = 0; i < rank; i++) {
        plain = plain && order[i] == i;
        turns = turns && turned[i] == i;
    }
    if (turns && !plain) return washi_transpose(washi_reshape(a, (washi_shape)SHAPE(columns, rows)));
    return washi_reshape(plain ? a : washi_permute(a, order), (washi_shape)SHAPE(rows, columns));
}

/* The axes of a that are not among the n named, in order, before or after these. */
static bool ordered(const washi_tensor *a, int n, const int axes[], bool named_first, int order[])
{
    bool named[WASHI_MAX_RANK] = {false};
    int free = a->shape.rank - n, at = named_first ? n : 0;
    if (free < 0) return false;
    for (int i = 0; i < n; i++) {
        int axis = axes[i] < 0 ? axes[i] + a->shape.rank : axes[i];
        if (axis < 0 || axis >= a->shape.rank || named[axis]) return false;
        named[axis] = true;
        order[named_first ? i : free + i] = axis;
    }
    for (int i = 0; i < a->shape.rank; i++)
        if (!named[i]) order[at++] = i;
    return true;
}

static washi_tensor *contract(const char *who, washi_tensor *a, washi_tensor *b, int n,
                              const int a_axes[], const int b_axes[])
{
    int of_a[WASHI_MAX_RANK], of_b[WASHI_MAX_RANK];
    if (n < 0 || (n && (!a_axes || !b_axes)) || !ordered(a, n, a_axes, false, of_a) ||
        !ordered(b, n, b_axes, true, of_b))
        return refuse(who, a, b, WASHI_BAD_VALUE, "each axis is named once on both sides");
    int free = a->shape.rank - n;
    washi_shape s = {.rank = free + b->shape.rank - n};
    for (int i = 0; i < n; i++)
        if (a->shape.dim[of_a[free + i]] != b->shape.dim[of_b[i]])
            return refuse(who, a, b, WASHI_BAD_SHAPE, "the axes multiplied differ in size");
    if (s.rank > WASHI_MAX_RANK) return refuse(who, a, b, WASHI_BAD_SHAPE, "too many axes");
    for (int i = 0; i < s.rank; i++)
        s.dim[i] = i < free ? a->shape.dim[of_a[i]] : b->shape.dim[of_b[i - free + n]];
    if (n == 0) return washi_outer(a, b);
    return washi_reshape(matmul(as_matrix(a, of_a, free), as_matrix(b, of_b, n)), s);
}

washi_tensor *washi_tensordot_axes(washi_tensor *a, washi_tensor *b, int n, const int a_axes[],
                                   const int b_axes[])
{
    return two(a, b, "tensordot") ? contract("tensordot", a, b, n, a_axes, b_axes) : NULL;
}

washi_tensor *washi_tensordot(washi_tensor *a, washi_tensor *b, int n)
{
    int last[WASHI_MAX_RANK], first[WASHI_MAX_RANK];
    if (!two(a, b, "tensordot")) return NULL;
    if (n < 0 || n > a->shape.rank || n > b->shape.rank)
        return refuse("tensordot", a, b, WASHI_BAD_VALUE, "not so many axes on both sides");
    for (int i = 0; i < n; i++) {
        last[i] = a->shape.rank - n + i;
        first[i] = i;
    }
    return contract("tensordot", a, b, n, last, first);
}

washi_tensor *washi_dot(washi_tensor *a, washi_tensor *b)
{
    if (!two(a, b, "dot")) return NULL;
    if (!one_type("dot", a, b) || !wa_fit("dot", 1, &a)) return NULL;
    int ra = a->shape.rank, rb = b->shape.rank;
    if (!ra || !rb) return mul(a, b);
    if (a->shape.dim[ra - 1] != b->shape.dim[rb > 1 ? rb - 2 : 0])
        return refuse("dot", a, b, WASHI_BAD_SHAPE, "the axes multiplied differ in size");
    if (ra == 1 && rb == 1) return washi_sum(mul(a, b), 0, false);
    return contract("dot", a, b, 1, (int[]){ra - 1}, (int[]){rb > 1 ? rb - 2 : 0});
}
