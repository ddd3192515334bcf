/* program.h: what a tape becomes on its way to a program, and the program. */
#ifndef WA_PROGRAM_H
#define WA_PROGRAM_H

#include "autodiff/ops.h"
#include "autodiff/step.h"

/* How a value lies in the iteration space of its group, rows by columns. */
enum wa_form {
    WA_FULL,
    WA_COLUMN, /* one element a row */
    WA_BESIDE, /* not of that space: what the packing of the matrix product leaves in memory */
    WA_FOLDED  /* a fold in chunks (run_reduce.c): it is there when all of the group is, and ends it */
};

/* The operand of a fold as [outer, n, inner], folded over n. */
struct wa_folding {
    int64_t outer, n, inner;
};

/* Values computed together, row by row or tile by tile (run_fused.c). */
struct wa_group {
    int merged; /* into this other group; -1: it stands */
    int level;
    washi_shape shape; /* of its full values, the last axis being the columns */
    int64_t rows, columns;
    int head;     /* the matrix product that begins each block of rows; -1: none */
    bool by_rows; /* some member needs whole rows at once */
    bool folds;   /* it ends with folds in chunks, all of them: */
    struct wa_folding folding;
};

/* A value of a program in the making. Values stand in an order in which operands come first; values are
 * named below by their index in wa_graph.values. */
struct wa_value {
    const washi_tensor *node;
    bool view, source; /* as the node's op: they are asked for more than all else */
    int n, *x;         /* operands */
    bool *transposed;  /* by operand: matmul reads it with the last two axes exchanged */
    const struct wa_gathered
        *gathered;      /* of a matrix product: operand 0 is a table, operand 2 the indices */
    int keeps;          /* its packing leaves this value in memory (prologue.c); -1: none */
    int after;          /* the value of node->gradient: v comes after it, even if it does not read it */
    bool live;          /* some goal needs it */
    int group;          /* the group that computes it (wa_group_of); -1: a step of its own, or none */
    enum wa_form form;  /* in its group */
    int level;          /* longest way from the sources, a group counting once (fuse.c) */
    int step;           /* the step that computes it; -1: a source, a view, or not live */
    int at;             /* among the members of all steps */
    bool placed;        /* there, while they are put in order */
    bool inside;        /* read by its own step alone: in no memory of the slab */
    int index, read_by; /* among the members or the operands of a step, while that is made */
    int picked_by;      /* the last step made that picks rows of it */
    int brought;        /* of the step being made: the last that it was brought into a slot */
    int rows_of;        /* of the step being made: its last member that is softmax or logsumexp of it */
    int root;           /* the value in whose memory it is: itself, or what it views or overwrites */
    int last;           /* of a root: the last step that reads the memory; INT_MAX: the caller does */
    size_t offset;      /* of a root: in the slab */
};

/* What the program is for: an output, or the value that a variable takes at the end of a run. */
struct wa_goal {
    washi_tensor *node; /* the output, or the variable */
    bool assigns;
    int value;
    int variable;   /* assigns: the value of the variable itself; -1: nothing reads it */
    bool in_memory; /* assigns: computed straight into the variable's memory (plan.c) */
};

/* Whose turn a step is (schedule.c). */
struct wa_turn {
    int phase;
    int64_t lead; /* split: each bundle has a task, its share of so many leading units */
    int owner;    /* else the bundle that has the step as a whole */
    bool alone;   /* its own tasks are the bundles */
    double cost;  /* nanoseconds, roughly */
};

/* Steps first ... end-1, done in order by every bundle, with no barrier between them. */
struct wa_phase {
    int first, end, bundles;
    bool alone;
};

struct wa_graph {
    washi_tape *tape;
    int threads; /* that share out the work: of the context, but no more than WA_MAX_TASKS */
    struct wa_arena arena;
    struct wa_value *values;
    int count, steps;
    struct wa_group *groups;
    int group_count;
    struct wa_turn *turns; /* by step */
    struct wa_phase *phases;
    int phase_count;
    int *member, *first; /* the values of all steps, in order; where those of each begin, by step */
    struct wa_goal *goals;
    int goal_count;
    size_t slab_bytes, least_bytes; /* after wa_graph_plan; the most bytes alive at once */
};

/* The graph of the outputs and assignments, with rewrites that keep every bit: prune, share equal
 * nodes, let users take transposes and stretched operands themselves (rewrite.c). False when memory is
 * out. */
bool wa_graph_make(struct wa_graph *g, washi_tape *t, int n, washi_tensor *const outputs[],
                   bool assigns);
void wa_graph_free(struct wa_graph *g);
/* Makes the values that are of constants alone (fold.c), in p's memory; false when memory is out. */
bool wa_graph_fold(struct wa_graph *g, washi_program *p);
/* A program of nothing but these values of constants; its deliveries say where they are. */
washi_program *wa_compile_values(washi_tape *t, int n, washi_tensor *const values[]);
/* Runs the steps (run.c). */
washi_status wa_walk(const washi_program *p);
/* Which values are live. */
void wa_graph_mark(struct wa_graph *g);
/* Lets matrix products gather, cast and scale the rows of their left operand (prologue.c). */
bool wa_graph_prologues(struct wa_graph *g);
/* Has right operands that several matrix products read packed once, by steps of their own (packs.c);
 * false when memory is out. Their op, never recorded, makes [panels, k, columns of a panel]. */
bool wa_graph_packs(struct wa_graph *g, washi_program *p);
extern const struct wa_op wa_op_pack;
/* Lets the reverse sweep make again what is cheap, from few values that are kept (recompute.c). */
bool wa_graph_recompute(struct wa_graph *g);
/* Whether v, a matrix product, can begin a group: it is one product, of rows enough to share out. */
bool wa_may_head(const struct wa_graph *g, int v);
/* Puts values into groups (fuse.c), and these in order. fuse false: every value is its own step. */
bool wa_graph_fuse(struct wa_graph *g, bool fuse);
int wa_group_of(const struct wa_graph *g, int value); /* the group that stands; -1: none */
/* Whether the op makes something of each whole row of its operand; a fold may have the form WA_FOLDED
 * instead. */
bool wa_needs_rows(const struct wa_op *op);
struct wa_folding wa_folding_of(const struct wa_graph *g, const struct wa_value *fold);
/* Along n: elements of a row, or rows of columns, that are folded at a time. A format constant. */
static inline int64_t wa_chunk_of(const struct wa_folding *f)
{
    enum { CHUNK_LAST = WA_LONGEST_ROW, CHUNK_FIRST = 256 };
    return f->inner == 1 ? CHUNK_LAST : CHUNK_FIRST;
}
static inline int64_t wa_chunks_of(const struct wa_folding *f)
{
    int64_t chunk = wa_chunk_of(f);
    return f->n > chunk ? (f->n - 1) / chunk + 1 : 1;
}
/* The operand whose values are checked to be in range before v is computed; -1: none. Where it is there
 * before the run, the check comes before the first step. */
int wa_checked_operand(const struct wa_value *v);
/* The value that v is a view of, or v. */
static inline int wa_base_of(const struct wa_graph *g, int v)
{
    while (g->values[v].view) v = g->values[v].x[0];
    return v;
}
/* The values that v comes after: i below n are its operands, i = n may be one more. What they view; -1:
 * none. */
int wa_before(const struct wa_graph *g, const struct wa_value *v, int i);
/* How x lies when stretched to y: as y itself, one element a row of y's last axis, one row for all, one
 * element for all, or in some other way. */
enum wa_layout { WA_DENSE, WA_A_ROW, WA_PERIODIC, WA_CONSTANT, WA_STRIDED };
enum wa_layout wa_layout_of(washi_shape x, washi_shape y);
/* Whether a fold that is a step of its own has all threads for itself. */
bool wa_fold_is_alone(const struct wa_graph *g, const struct wa_value *v);
/* Puts the steps in order and in phases (schedule.c). */
bool wa_graph_schedule(struct wa_graph *g);
/* Puts the members of each step in order (order.c). */
bool wa_graph_order(struct wa_graph *g);
bool wa_is_step(const struct wa_value *v); /* to be computed in a step */
/* Whether v reads operand k element by element or row by row, in the order it makes its own. */
bool wa_reads_along(const struct wa_graph *g, const struct wa_value *v, int k);
/* Whether what reader reads of operand k is read, in the phase of this step or before, by no other
 * thread than the one that does the same part of the step. */
bool wa_same_task(const struct wa_graph *g, const struct wa_value *reader, int k, int step);
/* Lifetimes, memory that a last reader writes over, offsets in one slab (plan.c). False: no memory. */
bool wa_graph_plan(struct wa_graph *g);

/* The place of a value, and of operand i of one as that sees it, but for its memory (compile.c). */
struct wa_place wa_place_of(const struct wa_graph *g, int v);
struct wa_place wa_operand_of(const struct wa_graph *g, const struct wa_value *v, int i);

/* Finds what the program gathers; false when memory is out. */
bool wa_ahead_find(washi_program *p, struct wa_graph *g);

/* Of a fused step that gathers rows: what from, and by what (plan_fused.c). */
void wa_fused_gather(const struct wa_step *s, const struct wa_place **table,
                     const struct wa_place **indices);

/* A pointer that follows a fed input. */
struct wa_patch {
    void **where;
    const washi_tensor *input;
};

/* At the end of a run: an output shows its memory, or a variable takes its value. */
struct wa_delivery {
    washi_tensor *node; /* the output, or the variable */
    bool assigns;
    void *data; /* of the value */
    void *copy; /* an output in memory that an assignment changes: copied here first; else NULL */
    size_t bytes;
};

/* Rows that the next run gathers by an input's indices (ahead.c). */
struct wa_ahead {
    const washi_tensor *indices;
    const struct wa_place *table;
    size_t rows, row, lines; /* rows; bytes of one; cache lines of all together */
};

/* What the step of these members has to do (account.c). */
void wa_account(struct wa_step *s, struct wa_graph *g, const int *member, int members);
/* Its ops, and the names that their nodes have (dump.c). */
void wa_dump_ops(const struct wa_step *s, bool names, FILE *out);
/* A task of a step, its time being counted; seconds on the clock for that (profile.c). */
void wa_profile_run(const struct wa_step *s, int task);
double wa_profile_now(void);

struct washi_program {
    washi_tape *tape;
    struct wa_arena arena;
    struct wa_step *steps;
    int step_count;
    struct wa_phase *phases;
    int phase_count;
    int widest; /* the most bundles of a phase */
    struct wa_ahead *ahead;
    int ahead_count;
    bool announced; /* in this run: of some the rows to come */
    int *checks;    /* the steps whose indices can be checked before the first step */
    int check_count;
    struct wa_patch *patches;
    int patch_count;
    void
        *unread; /* where outputs that are inputs themselves are patched: they too must have been fed */
    struct wa_delivery *deliveries;
    int delivery_count;
    struct wa_spent *spent, *spent_memory; /* by step and task, while it is profiled */
    uint64_t profiled;                     /* runs */
    double profile_seconds;                /* that they took */
    void *slab;
    size_t planned_bytes, least_bytes; /* of values: in the slab, and alive at once */
    size_t slab_bytes;                 /* scratch included */
};

/* Runs the steps in order on this thread, and looks at what each made: WASHI_BAD_VALUE, with a message,
 * at the first that is not finite (finite.c). */
washi_status wa_walk_checked(const washi_program *p);

#endif
