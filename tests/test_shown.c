/* test_shown.c: what is shown of programs, as text and as graphs, and their phases. */
#include "test_fusion.h"

static int count(const char *text, const char *word)
{
    int n = 0;
    for (; (text = strstr(text, word)); text += strlen(word)) n++;
    return n;
}

/* A training step as graphs: every node and every step once, an edge for each operand, and a dashed one
 * to each variable that is assigned, in place or by a copy at the end. */
START_TEST(graphs)
{
    static float weight[COLUMNS], other[COLUMNS];
    washi_tensor *v = washi_name(washi_variable(t, WASHI_F32, SHAPE(COLUMNS), weight), "a \"v\"");
    washi_tensor *u = washi_variable(t, WASHI_F32, SHAPE(COLUMNS), other);
    ok(washi_assign(v, washi_sub(v, washi_sum(washi_mul(a, b), 0, false))));
    ok(washi_assign(u, washi_add(u, v))); /* reads the old v */
    washi_program *p = compiled(0, NULL);
    for (int program = 0; program < 2; program++) {
        char *text = NULL;
        size_t size = 0;
        FILE *file = open_memstream(&text, &size);
        ok(program ? washi_program_dot(p, file) : washi_tape_dot(t, file));
        fclose(file);
        ck_assert_int_eq(count(text, "{"), count(text, "}"));
        ck_assert_int_eq(count(text, "label=\"assign\""), 2);
        ck_assert_int_ge(count(text, "a \\\"v\\\""), 1);
        for (int i = 0; program && i < p->step_count; i++) {
            char node[40];
            snprintf(node, sizeof node, "  s%d [shape=box", i);
            ck_assert_int_eq(count(text, node), 1);
            snprintf(node, sizeof node, " -> s%d [label", i);
            ck_assert_int_eq(count(text, node), p->steps[i].n);
        }
        free(text);
    }
    washi_program_free(p);
}
END_TEST

/* A line a step: its ops, type, shape and place of what it makes and reads, arithmetic and bytes. */
START_TEST(a_dump)
{
    washi_tensor *y =
        washi_tanh(washi_add(washi_matmul(a, washi_transpose(b)), washi_slice(row, 0, 0, 1)));
    washi_program *p = compiled(1, &y);
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    ok(washi_dump(p, file));
    fclose(file);
    char wanted[400];
    snprintf(wanted, sizeof wanted,
             "   0  slice f32[1] @0 <- f32[48] input 2  196 B\n"
             "   1  matmul+add+tanh f32[64,64] @64 <- f32[64,48] input 0, f32[64,48] input 1, f32[1] @0"
             "  401 kflop  41 kB\n2 steps, %zu bytes\n",
             washi_program_bytes(p));
    ck_assert_str_eq(text, wanted);
    free(text);
    washi_program_free(p);
}
END_TEST

static int phase_of(const washi_program *p, const char *ops)
{
    for (int k = 0; k < p->phase_count; k++)
        for (int i = p->phases[k].first; i < p->phases[k].end; i++) {
            char *text = NULL;
            size_t size = 0;
            FILE *file = open_memstream(&text, &size);
            wa_dump_ops(&p->steps[i], false, file);
            fclose(file);
            const bool same = strcmp(text, ops) == 0;
            free(text);
            if (same) return k;
        }
    ck_abort_msg("there is no step %s", ops);
}

/* Each thread packs columns, of rows that all have made: so many rows as there are panels are no reason
 * to do both in one phase. */
START_TEST(a_pack_waits_for_all_rows)
{
    close_inputs();
    ok(washi_open(&w, &(washi_options){.threads = 2}));
    t = washi_tape_new(w);
    const int64_t panels = 1024 / (int64_t)t->arena.w->simd->gemm_panel[WASHI_F32];
    washi_tensor *right = washi_tanh(washi_input(t, WASHI_F32, SHAPE(panels, 1024))), *y[16];
    for (int i = 0; i < 16; i++)
        y[i] = washi_matmul(washi_input(t, WASHI_F32, SHAPE(160, panels)), right);
    washi_program *p = compiled(16, y);
    ck_assert_int_lt(phase_of(p, "tanh"), phase_of(p, "pack"));
    ck_assert_int_lt(phase_of(p, "pack"), phase_of(p, "matmul"));
    washi_program_free(p);
}
END_TEST

int main(void)
{
    return RUN_SUITE(
        "shown", CASE("shown", open_inputs, close_inputs, graphs, a_dump, a_pack_waits_for_all_rows));
}
