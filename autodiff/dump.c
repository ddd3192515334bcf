/* dump.c: a program as text, a line a step. */
#include "autodiff/fused.h"

static void print_name(const washi_tensor *x, FILE *out)
{
    if (x->name) fprintf(out, " \"%s\"", x->name);
}

static void print_source(const washi_tensor *x, FILE *out)
{
    fprintf(out, " %s %d", x->op->name, x->id);
    print_name(x, out);
}

static void print_place(const struct wa_step *s, const struct wa_place *x, FILE *out)
{
    char text[WA_SHAPE_TEXT];
    fprintf(out, "%s%s%s", washi_dtype_name(x->type), wa_shape_text(x->shape, text),
            x->transposed ? "T" : "");
    if (x->source)
        print_source(x->source, out);
    else
        fprintf(out, " @%td", (char *)x->data - (char *)s->program->slab);
}

static void print_places(const struct wa_step *s, const struct wa_place *x, int n, const char *before,
                         FILE *out)
{
    for (int k = 0; k < n; k++) {
        fputs(k ? ", " : before, out);
        print_place(s, &x[k], out);
    }
}

/* What a matrix product does to its left operand on the way. */
static void print_gathered(const struct wa_place *table, double factor, FILE *out)
{
    fprintf(out, "take+%s%s", table->type == WASHI_U8 ? "cast+" : "", factor != 0 ? "mul+" : "");
}

void wa_dump_ops(const struct wa_step *s, bool names, FILE *out)
{
    const struct wa_fused *f = s->geometry;
    if (s->node) {
        if (s->gathered) print_gathered(&s->x[0], s->gathered->factor, out);
        fputs(s->op->name, out);
        if (names) print_name(s->node, out);
    }
    for (int i = 0; !s->node && i < f->node_count; i++) {
        if (i) fputc('+', out);
        if (f->nodes[i]->op == &wa_op_matmul && f->gemm_indices >= 0)
            print_gathered(&s->x[f->gemm_a], f->gemm.a_scale, out);
        fputs(f->nodes[i]->op->name, out);
        if (names) print_name(f->nodes[i], out);
    }
}

/* A number of some unit with three digits: "12.8 M". */
static void print_count(double count, const char *unit, FILE *out)
{
    static const char prefix[] = " kMGTP";
    int i = 0;
    for (; count >= 999.5 && prefix[i + 1]; i++) count /= 1000;
    fprintf(out, "  %.3g %.*s%s", count, i ? 1 : 0, &prefix[i], unit);
}

static void print_step(const struct wa_step *s, FILE *out)
{
    wa_dump_ops(s, true, out);
    fputc(' ', out);
    if (s->node) print_place(s, &s->y, out);
    print_places(s, s->out, s->outputs, "", out);
    print_places(s, s->x, s->n, " <- ", out);
    if (s->tasks > 1) fprintf(out, "  %d tasks", s->tasks);
    if (s->flops > 0) print_count(s->flops, "flop", out);
    print_count(s->bytes, "B", out);
    fputc('\n', out);
}

/* Threads wait for one another between two phases, and within none. */
static void print_phase(const struct wa_phase *phase, FILE *out)
{
    if (phase->bundles > 1) fprintf(out, "      on %d threads:\n", phase->bundles);
}

washi_status washi_dump(const washi_program *p, FILE *out)
{
    if (!p || !out) return wa_error(WASHI_MISUSE, "dump: the program or the file is NULL");
    for (int k = 0; k < p->phase_count; k++) {
        print_phase(&p->phases[k], out);
        for (int i = p->phases[k].first; i < p->phases[k].end; i++) {
            fprintf(out, "%4d  ", i);
            print_step(&p->steps[i], out);
        }
    }
    for (int i = 0; i < p->delivery_count; i++)
        if (p->deliveries[i].assigns)
            fprintf(out, "      assign variable %d, %zu bytes\n", p->deliveries[i].node->id,
                    p->deliveries[i].bytes);
    fprintf(out, "%d steps, %zu bytes\n", p->step_count, p->slab_bytes);
    return ferror(out) ? wa_error(WASHI_IO, "dump: cannot write") : WASHI_OK;
}
