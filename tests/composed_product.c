/* composed_product.c: dot, outer, tensordot and einsum against one loop over all letters. */
#include "composed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- plain: the sum over every letter's range of the product of the elements there -- */

enum { MOST = 4096 };

static washi_shape shape_by(const char *letters, const int64_t size[])
{
    washi_shape s = {.rank = (int)strlen(letters)};
    for (int i = 0; i < s.rank; i++) s.dim[i] = size[letters[i] - 'a'];
    return s;
}

static int64_t place(const char *letters, const int64_t size[], const int64_t at[])
{
    int64_t i = 0;
    for (; *letters; letters++) i = i * size[*letters - 'a'] + at[*letters - 'a'];
    return i;
}

static void plain(int n, const char *const in[], const char *out, const int64_t size[],
                  washi_tensor *const x[], double y[])
{
    int64_t at[26] = {0}, all = 1;
    bool used[26] = {false};
    for (int k = 0; k < n; k++)
        for (const char *c = in[k]; *c; c++) used[*c - 'a'] = true;
    for (int i = 0; i < 26; i++) all *= used[i] ? size[i] : 1;
    for (int64_t i = 0; i < washi_size(shape_by(out, size)); i++) y[i] = 0;
    for (int64_t step = 0; step < all; step++) {
        int64_t rest = step;
        double product = 1;
        for (int i = 0; i < 26; i++)
            if (used[i]) at[i] = rest % size[i], rest /= size[i];
        for (int k = 0; k < n; k++) product *= washi_f64(x[k])[place(in[k], size, at)];
        y[place(out, size, at)] += product;
    }
}

/* -- einsum -- */

static void check_formula(int n, const char *const in[], const char *out, const int64_t size[])
{
    static double wanted[MOST];
    char formula[64], implicit[64];
    washi_tensor *x[2] = {NULL};
    for (int k = 0; k < n; k++) x[k] = drawn(shape_by(in[k], size), -2, 2, (uint64_t)k + 1);
    ok(washi_eval(n, x));
    const washi_shape shape = shape_by(out, size);
    ck_assert(washi_size(shape) >= 0 && washi_size(shape) <= MOST);
    plain(n, in, out, size, x, wanted);
    snprintf(formula, sizeof formula, n > 1 ? "%s , %s-> %s" : "%s%s->%s", in[0], n > 1 ? in[1] : "",
             out);
    gives(washi_einsum(formula, n, x), shape, wanted, 1e-13);

    char once[27] = "";
    for (char c = 'a'; c <= 'z'; c++) {
        int count = 0;
        for (int k = 0; k < n; k++)
            for (const char *p = in[k]; *p; p++) count += *p == c;
        if (count == 1) once[strlen(once)] = c;
    }
    if (strlen(once) > WASHI_MAX_RANK || washi_size(shape_by(once, size)) > MOST) return;
    plain(n, in, once, size, x, wanted);
    snprintf(implicit, sizeof implicit, n > 1 ? "%s,%s" : "%s%s", in[0], n > 1 ? in[1] : "");
    gives(washi_einsum(implicit, n, x), shape_by(once, size), wanted, 1e-13);
}

START_TEST(formulas_of_the_textbooks)
{
    static const char *const formulas[][3] = {
        {"ij", "jk", "ik"},    {"ij", "kj", "ik"},       {"ji", "jk", "ki"}, {"bij", "bjk", "bik"},
        {"bij", "bjk", "kib"}, {"i", "i", ""},           {"i", "j", "ij"},   {"ij", "ij", "ij"},
        {"ij", "ij", "i"},     {"ij", "j", "i"},         {"j", "ij", "i"},   {"bhqd", "bhkd", "bhqk"},
        {"ii", "i", "i"},      {"iij", "jk", "ik"},      {"iji", "ij", "j"}, {"abc", "d", "ad"},
        {"", "ab", "ba"},      {"abcd", "cdef", "abef"}, {"iii", "", "i"},   {"abab", "ab", "a"}};
    const int64_t size[26] = {2, 3, 2, 3, 2, 2, 3, 2, 3, 4, 5, ['q' - 'a'] = 3};
    for (size_t i = 0; i < sizeof formulas / sizeof *formulas; i++) {
        check_formula(2, formulas[i], formulas[i][2], size);
        new_tape();
    }
    static const char *const single[][2] = {{"ij", "ji"}, {"ij", ""},        {"ii", "i"},
                                            {"ii", ""},   {"ijk", "kj"},     {"aabb", "ba"},
                                            {"", ""},     {"abcabc", "cab"}, {"i", "i"}};
    for (size_t i = 0; i < sizeof single / sizeof *single; i++) {
        check_formula(1, single[i], single[i][1], size);
        new_tape();
    }
}
END_TEST

/* Operands of 0 to 4 of the letters a ... e, any of which may be twice or of size 0 or 1. */
START_TEST(random_formulas)
{
    uint64_t seed = 12;
    for (int i = 0; i < 600; i++) {
        char in[2][8] = {"", ""}, out[8] = "", all[9] = "";
        int64_t size[26];
        for (int k = 0; k < 26; k++) size[k] = below(&seed, 12) ? 1 + below(&seed, 3) : 0;
        const int n = 1 + (below(&seed, 4) > 0);
        for (int k = 0; k < n; k++)
            for (int rank = below(&seed, 5); rank-- > 0;)
                in[k][strlen(in[k])] = (char)('a' + below(&seed, 5));
        strcat(strcat(all, in[0]), in[1]);
        for (const char *c = all; *c; c++)
            if (!strchr(out, *c) && below(&seed, 2)) out[strlen(out)] = *c;
        for (size_t k = strlen(out); k > 1; k--) { /* in some order */
            const size_t j = (size_t)below(&seed, (int)k);
            const char c = out[k - 1];
            out[k - 1] = out[j], out[j] = c;
        }
        check_formula(n, (const char *const[]){in[0], in[1]}, out, size);
        if (i % 20 == 19) new_tape();
    }
}
END_TEST

START_TEST(formulas_refused)
{
    washi_tensor *x[2];
#define REFUSES(status, text, formula, n)                                                              \
    x[0] = drawn(SHAPE(2, 3), 0, 1, 1), x[1] = drawn(SHAPE(3, 4), 0, 1, 1);                            \
    refuses(WASHI_##status, text, washi_einsum(formula, n, x))
    REFUSES(BAD_SHAPE,
            "einsum: \"ij,ik->jk\" of [2,3] and [3,4]: a letter stands for axes of two sizes",
            "ij,ik->jk", 2);
    REFUSES(BAD_SHAPE, "einsum: \"ijk,jk\" of [2,3] and [3,4]: a letter is wanted for each axis",
            "ijk,jk", 2);
    REFUSES(BAD_VALUE,
            "einsum: \"ij,jk->il\" of [2,3] and [3,4]: a letter of the result must be in an operand, "
            "and once in the "
            "result",
            "ij,jk->il", 2);
    REFUSES(BAD_VALUE,
            "einsum: \"ij->ii\" of [2,3]: a letter of the result must be in an operand, and once in "
            "the result",
            "ij->ii", 1);
    REFUSES(BAD_VALUE,
            "einsum: \"ij\" of [2,3] and [3,4]: the operands are not as many as the formula's", "ij",
            2);
    REFUSES(BAD_VALUE,
            "einsum: \"ij,jk,kl\" of [2,3] and [3,4]: the operands are not as many as the formula's",
            "ij,jk,kl", 2);
    REFUSES(BAD_VALUE, "einsum: \"ij,...\" of [2,3] and [3,4]: letters, a comma and -> make a formula",
            "ij,...", 2);
    REFUSES(BAD_VALUE, "einsum: \"ij-jk\" of [2,3]: letters, a comma and -> make a formula", "ij-jk",
            1);
    REFUSES(BAD_VALUE, "einsum: \"ij->j>\" of [2,3]: letters, a comma and -> make a formula", "ij->j>",
            1);
    REFUSES(BAD_VALUE, "einsum: \"abcdefghi\" of [2,3]: too many letters", "abcdefghi", 1);
    x[0] = i32(SHAPE(1), (int32_t[]){1});
    refuses(WASHI_BAD_TYPE, "einsum: \"i\" of [1]: operands of one type, f32 or f64, wanted",
            washi_einsum("i", 1, x));
    ck_assert_ptr_null(washi_einsum(NULL, 1, x));
    ck_assert_str_eq(washi_message(), "einsum: the formula is NULL");
    ck_assert_ptr_null(washi_einsum("i", 3, x));
}
END_TEST

/* -- dot, outer, tensordot -- */

/* y against the formula, on operands of the same sizes. */
static void check_like(washi_tensor *y, const char *a, const char *b, const char *out,
                       washi_tensor *const x[])
{
    static double wanted[MOST];
    int64_t size[26] = {0};
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < washi_shape_of(x[k]).rank; i++)
            size[(k ? b : a)[i] - 'a'] = washi_shape_of(x[k]).dim[i];
    ok(washi_eval(2, x));
    plain(2, (const char *const[]){a, b}, out, size, x, wanted);
    gives(y, shape_by(out, size), wanted, 1e-13);
}

static washi_tensor *r3(int64_t a, int64_t b, int64_t c)
{
    return drawn(SHAPE(a, b, c), -2, 2, (uint64_t)(a + 7 * b));
}

START_TEST(dots)
{
    washi_tensor *v = drawn(SHAPE(3), -2, 2, 1), *u = drawn(SHAPE(3), -2, 2, 2),
                 *m = drawn(SHAPE(3, 4), -2, 2, 3);
    washi_tensor *a = r3(2, 5, 3), *b = r3(2, 3, 4), *s = drawn(SCALAR, -2, 2, 4);
    check_like(washi_dot(v, u), "a", "a", "", (washi_tensor *[]){v, u});
    check_like(washi_dot(v, m), "a", "ab", "b", (washi_tensor *[]){v, m});
    check_like(washi_dot(a, v), "abc", "c", "ab", (washi_tensor *[]){a, v});
    check_like(washi_dot(a, m), "abc", "cd", "abd", (washi_tensor *[]){a, m});
    check_like(washi_dot(a, b), "abc", "dce", "abde", (washi_tensor *[]){a, b});
    check_like(washi_dot(s, m), "", "ab", "ab", (washi_tensor *[]){s, m});
    check_like(washi_outer(v, m), "a", "bc", "abc", (washi_tensor *[]){v, m});
    check_like(washi_outer(m, s), "ab", "", "ab", (washi_tensor *[]){m, s});
    gives(washi_dot(f64(SHAPE(0), NULL), f64(SHAPE(0), NULL)), SCALAR, (double[]){0}, 0);
    refuses(WASHI_BAD_SHAPE, "dot: [2] and [3,4]: the axes multiplied differ in size",
            washi_dot(drawn(SHAPE(2), 0, 1, 1), drawn(SHAPE(3, 4), 0, 1, 1)));
    refuses(WASHI_BAD_SHAPE, "outer: [1,1,1,1,1] and [1,1,1,1]: too many axes",
            washi_outer(drawn(SHAPE(1, 1, 1, 1, 1), 0, 1, 1), drawn(SHAPE(1, 1, 1, 1), 0, 1, 1)));
}
END_TEST

START_TEST(tensordots)
{
    washi_tensor *x[] = {r3(2, 3, 4), r3(3, 4, 2)}, *y[] = {r3(4, 2, 3), r3(3, 4, 2)};
    check_like(washi_tensordot(x[0], x[1], 2), "abc", "bcd", "ad", x);
    check_like(washi_tensordot(x[0], x[1], 0), "abc", "def", "abcdef", x);
    check_like(washi_tensordot_axes(x[0], x[1], 1, (int[]){1}, (int[]){-3}), "abc", "bde", "acde", x);
    check_like(washi_tensordot_axes(x[0], x[1], 2, (int[]){2, 0}, (int[]){1, 2}), "abc", "dca", "bd",
               x);
    check_like(washi_tensordot_axes(x[0], x[1], 3, (int[]){2, 0, 1}, (int[]){1, 2, 0}), "abc", "bca",
               "", x);
    check_like(washi_tensordot_axes(y[0], y[1], 1, (int[]){0}, (int[]){1}), "abc", "dae", "bcde", y);
    check_like(washi_tensordot_axes(y[0], y[1], 2, (int[]){0, 1}, (int[]){1, 2}), "abc", "dab", "cd",
               y);
    refuses(WASHI_BAD_SHAPE, "tensordot: [2,3,4] and [3,4,2]: the axes multiplied differ in size",
            washi_tensordot(x[0], x[1], 1));
    refuses(WASHI_BAD_VALUE, "tensordot: [2,3] and [3]: not so many axes on both sides",
            washi_tensordot(drawn(SHAPE(2, 3), 0, 1, 1), drawn(SHAPE(3), 0, 1, 1), 2));
    refuses(WASHI_BAD_VALUE, "tensordot: [2,2] and [2,2]: each axis is named once on both sides",
            washi_tensordot_axes(drawn(SHAPE(2, 2), 0, 1, 1), drawn(SHAPE(2, 2), 0, 1, 1), 2,
                                 (int[]){0, 0}, (int[]){0, 1}));
}
END_TEST

/* -- derivatives -- */

static washi_tensor *products(washi_tensor *const x[])
{
    static const char *const formulas[] = {"ijk,jkl->il", "ijk,jkl->ji", "iji,jki->kj", "ijk,lmn->l",
                                           "ijk,jki->ki"};
    washi_tensor *made[8];
    for (int i = 0; i < 5; i++) made[i] = washi_einsum(formulas[i], 2, x);
    made[5] = washi_tensordot_axes(x[0], x[1], 2, (int[]){2, 0}, (int[]){1, 2});
    made[6] = washi_outer(washi_einsum("iij->j", 1, x), washi_einsum("iji", 1, x + 1));
    made[7] = washi_dot(x[0], x[1]);
    for (int i = 0; i < 8; i++) {
        ck_assert_msg(made[i], "%s", washi_message());
        made[i] = washi_reshape(made[i], SHAPE(washi_size(washi_shape_of(made[i]))));
    }
    return washi_concat(8, made, 0);
}

START_TEST(derivatives)
{
    differentiates(products, 2, (washi_tensor *[]){r3(2, 2, 2), drawn(SHAPE(2, 2, 2), -2, 2, 8)}, 1);
    differentiates(products, 2, (washi_tensor *[]){r3(1, 1, 1), drawn(SHAPE(1, 1, 1), -2, 2, 8)}, 1);
}
END_TEST

/* The sum of two products, which are alike and of sources alone, as the second derivative of one has
 * it. */
START_TEST(sums_of_products)
{
    static const int64_t sizes[][3] = {{17, 1, 17}, {17, 5, 5}, {17, 17, 5}, {3, 40, 2}, {70, 33, 66}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        const int64_t m = sizes[k][0], inner = sizes[k][1], n = sizes[k][2];
        washi_tensor *x[4];
        for (int i = 0; i < 4; i++)
            x[i] = i % 2 ? drawn(SHAPE(inner, n), -2, 2, (uint64_t)i)
                         : drawn(SHAPE(m, inner), -2, 2, (uint64_t)i);
        static double sum[70 * 66];
        ok(washi_eval(4, x));
        for (int64_t i = 0; i < m * n; i++) {
            sum[i] = 0;
            for (int64_t j = 0; j < inner; j++)
                for (int k2 = 0; k2 < 4; k2 += 2)
                    sum[i] += washi_f64(x[k2])[i / n * inner + j] * washi_f64(x[k2 + 1])[j * n + i % n];
        }
        gives(washi_add(washi_matmul(x[0], x[1]), washi_matmul(x[2], x[3])), SHAPE(m, n), sum, 1e-12);
    }
}
END_TEST

TCase *product_case(void)
{
    return CASE("product", open_tape, close_tape, formulas_of_the_textbooks, random_formulas,
                formulas_refused, dots, tensordots, derivatives, sums_of_products);
}
