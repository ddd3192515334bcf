/* builder.h: what the planning of a fused step shares: from values to instructions (plan_code.c),
 * chains of them in registers (plan_chain.c), and the step around them (plan_fused.c). */
#ifndef WA_BUILDER_H
#define WA_BUILDER_H

#include "autodiff/fused.h"

/* Instructions, a list that grows in the graph's arena. */
struct wa_code {
    struct wa_instruction *at;
    int count, capacity;
};

struct wa_builder {
    struct wa_step *step;
    struct wa_graph *g;
    const struct wa_group *group;
    struct wa_fused *f;
    const int *member; /* values, in order */
    int members;
    struct wa_ref *made;   /* by member: where it is */
    int *until;            /* by member: the last member that reads it */
    int *next;             /* by member: the next of its chain that reads it; -1: none */
    int (*following)[2];   /* by member and operand: the next of its chain that reads the operand */
    int *output;           /* by member: its number among the outputs; -1: none */
    int *pair;             /* by member: the one that is made with it, and comes later; -1: none */
    int *block;            /* by member: the block it is in, where it is no output; -1: none */
    struct wa_brought {    /* a value in a slot as it lies under one layout */
        int value, before; /* another layout of it; -1: none */
        enum wa_layout layout;
        struct wa_ref at;
    } * brought;
    int brought_count;
    struct wa_code once, code;
    struct wa_instruction nothing; /* what is emitted when memory is out */
    int *free_slot, free_count;
    /* The chain that is being made: it comes after all other code so far. */
    struct wa_chain *chain; /* NULL: none */
    /* Of the chains of full values, by the member that begins them, the longest, and the last where it
     * writes past the caches and the longest does not; -1: none. */
    int longest, last;
    int chain_first, chain_end;           /* its members */
    int value, saved[WA_CHAIN_REGISTERS]; /* the members that its registers hold; -1: none */
    int *free_local, free_locals;
    bool failed; /* no memory */
};

/* Bases: the operands, the outputs, the blocks, the slots. */
static inline int wa_block_base(const struct wa_builder *b) { return b->step->n + b->step->outputs; }
static inline int wa_slot_base(const struct wa_builder *b) { return wa_block_base(b) + b->f->blocks; }
/* Whether v is a fold that ends the group: it is none of the code. One of rows is, when it is alone. */
static inline bool wa_ends(const struct wa_builder *b, const struct wa_value *v)
{
    return v->form == WA_FOLDED || (b->members == 1 && v->node->op->fusion == WA_FUSE_FOLD);
}
/* A slot; fresh: one that nothing was in before. */
struct wa_ref wa_new_slot(struct wa_builder *b, size_t size, bool fresh);
/* The group's member that x is, or a view of; -1: it comes from outside. */
int wa_member_of(const struct wa_builder *b, int x);
/* Where operand k of v is found: elements, or (*number) one for all of them. */
struct wa_ref wa_read_operand(struct wa_builder *b, const struct wa_value *v, int k, bool *number);
/* Frees the slots of operands of member m that nothing later reads. */
void wa_free_operands(struct wa_builder *b, int m);
struct wa_ref wa_place_result(struct wa_builder *b, int m);
/* The same, were it no output. */
struct wa_ref wa_place_inside(struct wa_builder *b, int m);
/* Whether member m, an output, goes past the caches: it is large, and nothing is read where it is. */
bool wa_streams(const struct wa_builder *b, int m);
struct wa_instruction *wa_emit(struct wa_builder *b, struct wa_code *list, enum wa_form form);
/* The code of all members. */
void wa_emit_members(struct wa_builder *b);

/* Finds the longest chain and the last. */
void wa_survey_chains(struct wa_builder *b);
/* Makes a chain of member m and those that go on from there; returns the member after it, m for none.
 */
int wa_emit_chain(struct wa_builder *b, int m);

#endif
