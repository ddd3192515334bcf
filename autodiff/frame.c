/* frame.c: the addresses that the tasks of a group's step work with. They are the same in each run but
 * for those of fed inputs, which are patched like the operands themselves. */
#include "autodiff/fused.h"

static void **frame_of(const struct wa_fused *f, int task)
{
    return (void **)(void *)(f->frames + (size_t)task * f->frame_bytes);
}

static const washi_tensor *input_of(const struct wa_step *s, int base)
{
    const washi_tensor *source = base < s->n ? s->x[base].source : NULL;
    return source && source->op == &wa_op_input ? source : NULL;
}

bool wa_frame_new(struct wa_step *s)
{
    struct wa_fused *f = s->geometry;
    f->frame_bytes = wa_round_up((size_t)(f->bases + f->link_count) * sizeof(void *), WA_ALIGN);
    f->frames = wa_step_new(s, (size_t)s->tasks * f->frame_bytes);
    return f->frames;
}

size_t wa_frame_patches(const struct wa_step *s)
{
    const struct wa_fused *f = s->geometry;
    size_t n = 0;
    for (int k = 0; k < s->n; k++) n += input_of(s, k) != NULL;
    for (int k = 0; k < f->link_count; k++) n += input_of(s, f->links[k].base) != NULL;
    return n * (size_t)s->tasks;
}

/* A task's memory: the blocks, the slots, the locals, the matrix product's scratch. */
static void set_bases(const struct wa_step *s, int task, void **bases)
{
    const struct wa_fused *f = s->geometry;
    char *at = (char *)s->scratch + (size_t)task * s->scratch_step;
    int base = 0;
    for (int k = 0; k < s->n; k++) bases[base++] = s->x[k].data;
    for (int k = 0; k < s->outputs; k++) bases[base++] = s->out[k].data;
    for (int k = 0; k < f->blocks; k++, at += f->block_bytes) bases[base++] = at;
    for (int k = 0; k < f->slots; k++, at += f->slot_bytes) bases[base++] = at;
    for (int k = 0; k < f->locals; k++, at += f->local_bytes) bases[base++] = at;
    bases[base++] = (void *)(uintptr_t)s->simd;
    bases[base] = at;
}

void wa_frame_set(const struct wa_step *s, washi_program *p)
{
    const struct wa_fused *f = s->geometry;
    for (int task = 0; task < s->tasks; task++) {
        void **bases = frame_of(f, task), **links = bases + f->bases;
        set_bases(s, task, bases);
        for (int k = 0; k < s->n; k++)
            if (input_of(s, k))
                p->patches[p->patch_count++] = (struct wa_patch){&bases[k], input_of(s, k)};
        for (int k = 0; k < f->link_count; k++) { /* as in the first unit */
            const struct wa_ref *at = &f->links[k];
            const washi_tensor *input = input_of(s, at->base);
            if (input)
                p->patches[p->patch_count++] = (struct wa_patch){&links[k], input};
            else
                links[k] = (char *)bases[at->base] + (at->start == WA_AT_KERNEL ? at->size : 0);
        }
    }
}
