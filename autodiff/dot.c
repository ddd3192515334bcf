/* dot.c: tapes and programs as graphs in Graphviz' language. */
#include "autodiff/fused.h"

/* A name as a quoted string's inside. */
static void print_name(const char *name, FILE *out)
{
    for (; *name; name++) {
        if (*name == '"' || *name == '\\') fputc('\\', out);
        fputc(*name, out);
    }
}

static void print_node(const washi_tensor *y, FILE *out)
{
    char text[WA_SHAPE_TEXT];
    fprintf(out, "  t%d [label=\"%s", y->id, y->op->name);
    if (y->name) {
        fputs("\\n", out);
        print_name(y->name, out);
    }
    fprintf(out, "\\n%s%s\"%s];\n", washi_dtype_name(y->type), wa_shape_text(y->shape, text),
            y->op->source ? " shape=box" : "");
}

static washi_status finished(const char *who, FILE *out)
{
    fputs("}\n", out);
    return ferror(out) ? wa_error(WASHI_IO, "%s: cannot write", who) : WASHI_OK;
}

washi_status washi_tape_dot(const washi_tape *t, FILE *out)
{
    if (!t || !out) return wa_error(WASHI_MISUSE, "tape_dot: the tape or the file is NULL");
    fputs("digraph tape {\n  fontname=\"sans-serif\"; node [fontname=\"sans-serif\"]; edge "
          "[fontname=\"sans-serif\"];\n",
          out);
    for (size_t i = 0; i < t->count; i++) {
        const washi_tensor *y = t->nodes[i];
        print_node(y, out);
        for (int k = 0; k < y->n; k++) fprintf(out, "  t%d -> t%d;\n", y->x[k]->id, y->id);
    }
    for (const washi_tensor *v = t->variables; v; v = v->next_variable)
        if (v->assigned)
            fprintf(out, "  t%d -> t%d [style=dashed constraint=false label=\"assign\"];\n", v->assigned->id, v->id);
    return finished("tape_dot", out);
}

/* The edges that end in a step: from the steps, or from what is there before the run. */
static void print_edges(const washi_program *p, int step, FILE *out)
{
    const struct wa_step *s = &p->steps[step];
    char text[WA_SHAPE_TEXT];
    for (int k = 0; k < s->n; k++) {
        const struct wa_place *x = &s->x[k];
        if (x->maker >= 0)
            fprintf(out, "  s%d", x->maker);
        else if (x->source) {
            print_node(x->source, out);
            fprintf(out, "  t%d", x->source->id);
        } else
            continue;
        fprintf(out, " -> s%d [label=\"%s%s\"];\n", step, washi_dtype_name(x->type),
                wa_shape_text(x->shape, text));
    }
}

static void print_assign(int step, const washi_tensor *variable, FILE *out)
{
    print_node(variable, out);
    fprintf(out, "  s%d -> t%d [style=dashed constraint=false label=\"assign\"];\n", step, variable->id);
}

/* The variables that a step updates where they are. */
static void print_updates(const washi_program *p, int step, FILE *out)
{
    const struct wa_step *s = &p->steps[step];
    if (s->node && s->y.source) print_assign(step, s->y.source, out);
    for (int k = 0; k < s->outputs; k++)
        if (s->out[k].source) print_assign(step, s->out[k].source, out);
}

/* The step that makes what is delivered; -1: none, it is there before the run. */
static int maker_of(const washi_program *p, const void *data)
{
    for (int i = p->step_count; i-- > 0;) {
        const struct wa_step *s = &p->steps[i];
        if (s->node && s->y.data == data) return i;
        for (int k = 0; k < s->outputs; k++)
            if (s->out[k].data == data) return i;
    }
    return -1;
}

washi_status washi_program_dot(const washi_program *p, FILE *out)
{
    if (!p || !out) return wa_error(WASHI_MISUSE, "program_dot: the program or the file is NULL");
    fputs("digraph program {\n  fontname=\"sans-serif\"; node [fontname=\"sans-serif\"]; edge "
          "[fontname=\"sans-serif\"];\n",
          out);
    for (int k = 0; k < p->phase_count; k++) {
        const struct wa_phase *phase = &p->phases[k];
        if (phase->bundles > 1)
            fprintf(out, "  subgraph cluster%d { label=\"%d threads\"; style=dashed;\n", k,
                    phase->bundles);
        for (int i = phase->first; i < phase->end; i++) {
            fprintf(out, "  s%d [shape=box style=rounded label=\"%d: ", i, i);
            wa_dump_ops(&p->steps[i], false, out);
            fputs("\"];\n", out);
        }
        if (phase->bundles > 1) fputs("  }\n", out);
    }
    for (int i = 0; i < p->step_count; i++) {
        print_edges(p, i, out);
        print_updates(p, i, out);
    }
    for (int i = 0; i < p->delivery_count; i++) {
        const struct wa_delivery *d = &p->deliveries[i];
        int maker = d->assigns ? maker_of(p, d->data) : -1;
        if (maker >= 0) print_assign(maker, d->node, out);
    }
    return finished("program_dot", out);
}
