/* test_gemm_packed.c: the matrix product of every level with a right operand that was packed before:
 * the bits of the reference, in whatever parts. */
#include "test_gemm.h"

/* Packed in two goes, and then read by a product in parts. */
static void check_packed(int type, const struct shape *s, bool gather, size_t parts)
{
    const struct wa_simd *level;
    struct wa_gemm g;
    const size_t c_size = prepare(type, s, &g);
    int32_t *index = place(INDEX, s->m * sizeof(int32_t), s->at_end);
    for (size_t r = 0; r < s->m; r++) index[r] = (int32_t)below(s->m);
    if (gather && !s->a_across) g.a_rows = index;
    want_reference(type, &g, c_size);
    unify(type, region[WANT], c_size);
    for (int l = 0; (level = wa_simd_level(l)); l++) {
        if (!wa_simd_usable(level)) continue;
        const size_t width = level->gemm_panel[type], panels = (s->n + width - 1) / width,
                     half = below(panels + 1), bytes = panels * width * s->k * size_of(type);
        struct wa_gemm packed = g, part;
        void *b = place(PACKED, bytes, true);
        memset(b, 0xff, bytes);
        level->gemm_pack[type](&g, half, panels, b);
        level->gemm_pack[type](&g, 0, half, b);
        packed.b = b, packed.b_row = width, packed.b_column = s->k, packed.b_packed = true;
        if (level->gemm_packs[type](&packed)) ck_abort_msg("%s packs again", level->name);
        memcpy(g.c, region[FIRST], c_size * size_of(type));
        for (size_t i = 0; i < parts; i++) {
            wa_gemm_part(&packed, type, parts, i, &part);
            level->gemm[type](&part, scratch_for(level, type, &packed));
        }
        unify(type, g.c, c_size);
        if (memcmp(g.c, region[WANT], c_size * size_of(type)))
            ck_abort_msg("%s, %zu bytes: %zu x %zu x %zu in %zu parts", level->name, size_of(type),
                         s->m, s->n, s->k, parts);
        count[type]++;
    }
}

/* Of one block and several of depth, columns and, where sums are kept, rows. */
START_TEST(packed_operands)
{
    static const size_t sizes[][3] = {{1, 1, 1},     {1, 70, 9},     {50, 1, 33},    {17, 33, 65},
                                      {43, 130, 83}, {64, 512, 20},  {61, 37, 1201}, {3, 300, 1700},
                                      {90, 257, 67}, {71, 300, 821}, {467, 43, 823}, {5, 40, 0}};
    for (int type = 0; type < WA_REALS; type++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            for (int form = 0; form < 8; form++) {
                if (left_out(i, form % 4)) continue;
                struct shape s = with_chance(sizes[i][0], sizes[i][1], sizes[i][2]);
                s.a_across = form & 1, s.b_across = form & 2;
                check_packed(type, &s, form & 4, 1 + below(5));
            }
}
END_TEST

/* A product of the vector form, of few columns down which lanes run, or of few rows, reads b as it is.
 */
START_TEST(which_would_pack)
{
    const struct wa_simd *level;
    for (int l = 0; (level = wa_simd_level(l)); l++)
        for (int type = 0; type < WA_REALS && wa_simd_usable(level); type++) {
            struct wa_gemm g = {.m = 64,
                                .n = 512,
                                .k = 512,
                                .a_row = 512,
                                .a_column = 1,
                                .b_row = 512,
                                .b_column = 1,
                                .c_row = 512,
                                .alpha = 1};
            struct wa_gemm across = g, turned = g;
            across.b_row = 1, across.b_column = 512;
            turned.n = 1, turned.a_row = 1, turned.a_column = 64;
            turned.b_row = 1, turned.b_column = 512;
            ck_assert(level->gemm_packs[type](&g) && level->gemm_packs[type](&across));
            ck_assert(!level->gemm_packs[type](&turned));
            g.m = 4, across.m = 1;
            ck_assert(!level->gemm_packs[type](&g) && !level->gemm_packs[type](&across));
            ck_assert_uint_eq(WA_GEMM_CUT % level->gemm_panel[type], 0);
        }
}
END_TEST

int main(void)
{
    return run_all("gemm_packed", (const TTest *const[]){packed_operands, which_would_pack, NULL});
}
