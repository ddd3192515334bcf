/* test_gemm.c: the matrix product of every level gives the bits of a plain chain of fused
 * multiply-adds, for every shape and orientation, and touches nothing outside its operands. */
#include "test_gemm.h"

START_TEST(every_small_size)
{
    for (int type = 0; type < WA_REALS; type++)
        for (size_t m = 0; m <= 40; m++)
            for (size_t n = 0; n <= 40; n++)
                for (int form = 0; form < 4; form++) {
                    if (left_out(m + n, form)) continue;
                    struct shape s = with_chance(m, n, below(4) ? 1 + below(40) : below(2));
                    s.a_across = form & 1, s.b_across = form & 2;
                    check_shape(type, &s);
                }
}
END_TEST

/* Number i of the sizes of a test, in all forms of storage. */
static void check_forms(int type, size_t i, const size_t size[3])
{
    for (int form = 0; form < 4; form++) {
        if (left_out(i, form)) continue;
        struct shape s = with_chance(size[0], size[1], size[2]);
        s.a_across = form & 1, s.b_across = form & 2;
        check_shape(type, &s);
    }
}

START_TEST(odd_large_sizes)
{
    static const size_t sizes[][3] = {
        {17, 33, 65},   {64, 10, 64},  {64, 64, 10},   {64, 64, 129},  {1, 1031, 263}, {1031, 1, 263},
        {1, 67, 1103},  {67, 1, 1103}, {129, 257, 67}, {71, 300, 821}, {61, 37, 1201}, {467, 43, 823},
        {131, 523, 31}, {2, 611, 97},  {3, 40, 1031},  {1, 5003, 7},   {5003, 1, 7},   {601, 7, 29}};
    for (int type = 0; type < WA_REALS; type++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) check_forms(type, i, sizes[i]);
}
END_TEST

/* Few columns, which the lanes of vectors run down if a is stored across. */
START_TEST(narrow_sizes)
{
    for (int type = 0; type < WA_REALS; type++)
        for (size_t n = 1; n <= 17; n++)
            for (int form = 0; form < 4; form++) {
                if (left_out(n, form)) continue;
                struct shape s = with_chance(2 + below(500), n, below(4) ? below(100) : 1700);
                s.a_across = form & 1, s.b_across = form & 2;
                check_shape(type, &s);
            }
}
END_TEST

/* A b much larger than a, which is packed a few panels at a time. */
START_TEST(wide_sizes)
{
    static const size_t sizes[][3] = {
        {43, 1601, 83}, {64, 2051, 129}, {45, 180, 1607}, {50, 137, 1000}};
    for (int type = 0; type < WA_REALS; type++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) check_forms(type, i, sizes[i]);
}
END_TEST

/* Few rows and a large b, of which a few rows are read at a time. */
START_TEST(few_rows)
{
    for (int type = 0; type < WA_REALS; type++)
        for (size_t m = 2; m <= 5; m++)
            for (int form = 0; form < 2; form++) {
                struct shape s = with_chance(m, 700 + below(1700), 100 + below(60));
                s.a_across = form, s.b_across = false;
                check_shape(type, &s);
            }
}
END_TEST

/* Rows of b a multiple of 2 KiB apart, which are copied although they are few. */
START_TEST(rows_that_fight)
{
    static const size_t sizes[][4] = {
        {64, 512, 40, 512}, {60, 100, 33, 512}, {300, 70, 40, 1024}, {47, 515, 90, 1536}};
    for (int type = 0; type < WA_REALS; type++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            for (int form = 0; form < 2; form++) {
                struct shape s = with_chance(sizes[i][0], sizes[i][1], sizes[i][2]);
                s.a_across = form, s.b_across = false, s.b_gap = sizes[i][3] - s.n;
                check_shape(type, &s);
            }
}
END_TEST

START_TEST(alpha_and_beta)
{
    for (int type = 0; type < WA_REALS; type++)
        for (size_t i = 0; i < SCALES; i++)
            for (size_t k = 0; k <= 1100; k = k * 3 + 11) {
                struct shape s = with_chance(k > 1000 ? 470 : 29, 35, k);
                s.alpha = scales[i][0], s.beta = scales[i][1];
                check_shape(type, &s);
            }
}
END_TEST

int main(void)
{
    return run_all("gemm",
                   (const TTest *const[]){every_small_size, odd_large_sizes, narrow_sizes, wide_sizes,
                                          few_rows, rows_that_fight, alpha_and_beta, NULL});
}
