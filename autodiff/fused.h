/* fused.h: the code of a step that computes a group of values, unit by unit. */
#ifndef WA_FUSED_H
#define WA_FUSED_H

#include "autodiff/program.h"

/* A unit is some whole rows, or elements begin ... begin+n-1 of one row. */
struct wa_unit {
    size_t row, rows, begin, n;
    size_t block; /* the first element of the block that the unit is in (WA_AT_BLOCK) */
};

/* Where a value is during a unit: at bases[base], from the element on that the unit begins with. */
enum wa_start {
    WA_AT_BASE,    /* a slot, or memory read from its begin */
    WA_AT_ELEMENT, /* memory with all elements of the group's space */
    WA_AT_NEXT,    /* the same, a row later, */
    WA_AT_AFTER,   /* or three */
    WA_AT_ROW,     /* memory with one element a row */
    WA_AT_COLUMN,  /* memory with one row for all */
    WA_AT_BLOCK,   /* a block: rows of the matrix product, or what folds take at a time */
    WA_AT_LOCAL,   /* what a chain keeps for itself: a base of its own */
    WA_AT_KERNEL,  /* in the table of kernels, size bytes from its begin */
    WA_AT_STARTS
};
struct wa_ref {
    int base;
    enum wa_start start;
    size_t size; /* of an element */
};

/* Links that carry a value in registers (plan_chain.c): codes, and what each reads or writes. */
struct wa_chain {
    wa_chain_fn *run;
    unsigned char *code;
    struct wa_ref *at;
    int links, first;   /* the number of its first link among those of all chains */
    int *moving, moves; /* the links whose address is another for each unit */
};

struct wa_instruction {
    void (*run)(const struct wa_instruction *i, const struct wa_unit *u, void *y,
                const void *const x[]);
    struct wa_ref y, x[3];
    const struct wa_chain *chain; /* instead of run; NULL: none */
    int n;
    enum wa_form form; /* what it makes: elements, or one a row */
    union {
        wa_map_fn *map;
        wa_cast_fn *cast;
        wa_fold_last_fn *fold;
        wa_row_fn *row;
        wa_row_pair_fn *pair;
        wa_arg_fn *argmax;
        wa_copy_fn *copy;
        struct wa_gather *gather;
        struct wa_slices *slices;
    } kernel;
};

/* Folds in chunks of what the group makes, or reads, each of [outer, n, inner] over n (run_reduce.c). A
 * unit is a chunk, or a part of its columns. */
struct wa_folds {
    size_t outer, n, inner;
    size_t chunk, chunks; /* along n */
    size_t column_parts;  /* inner cut into so many parts */
    size_t units;         /* outer * chunks * column_parts */
    size_t tile;          /* elements computed at a time; 0: all that is folded is in memory */
    int count;
    struct wa_ending {
        int kernel, output, lanes; /* lanes: the block for those of a row that is longer than a tile */
        washi_dtype type;
        struct wa_ref x;
        size_t partial; /* where in the step's shared memory its two buffers of chunks' results begin */
        size_t partial_bytes; /* of one of them; 0 with one chunk */
    } * end;
};

struct wa_fused {
    size_t rows, columns;
    size_t rows_a_unit, pieces, piece; /* several whole rows, or pieces of one, of so many elements */
    struct wa_instruction
        *code; /* the first `once` run once a task, for what is the same in every unit */
    int count, once;
    struct wa_ref *links; /* of all chains, */
    unsigned char *codes; /* their codes, */
    int *moving;          /* and the numbers, within a chain, of those that move */
    int link_count;
    bool streams;                     /* some of them past the caches */
    int blocks, slots, locals, bases; /* bases: the operands, the outputs, the blocks, the slots, the
                                         locals, the kernels, the product's scratch memory */
    size_t slot_bytes, local_bytes, task_bytes;
    char *frames; /* by task, frame_bytes apart: the bases and the links' addresses */
    size_t frame_bytes;
    bool still;      /* there is one unit: no link moves */
    bool multiplies; /* each block of rows begins with a matrix product */
    struct wa_gemm gemm;
    washi_dtype gemm_type;
    int gemm_a, gemm_b, gemm_indices; /* bases; -1: no rows are gathered */
    int gemm_kept;                    /* the base of what the packing leaves; -1: nothing */
    int64_t table_rows;
    struct wa_ref gemm_c;
    /* All the group does is y = sign * scale * product + old_sign * old: the product does that itself.
     * Bases; scale -1: none; old -1: the group is not of this form. */
    int update_scale, update_old;
    double update_sign, update_old_sign;
    size_t block_rows, block_bytes;
    struct wa_folds *folds;     /* that end the group; NULL: none */
    const washi_tensor **nodes; /* the values, for who looks at the program */
    int node_count;
};

/* Makes s the step that computes the members of one group; false when memory is out. */
bool wa_plan_fused(struct wa_step *s, struct wa_graph *g, const int *member, int members);
void wa_run_fused(const struct wa_step *s, int task);
/* The frames of a step whose tasks are known; false when memory is out. Then, when its memory is known
 * too: sets them, and adds so many patches to the program's. */
bool wa_frame_new(struct wa_step *s);
size_t wa_frame_patches(const struct wa_step *s);
void wa_frame_set(const struct wa_step *s, washi_program *p);
/* Elements begin ... end-1 of the group's, whatever rows they are in, as one block. */
void wa_run_elements(const struct wa_fused *f, size_t begin, size_t end, char *bases[]);

/* The tasks, and the memory that these share (s->shared_bytes), of s's folds, the operands of which are
 * known. by_rows: columns are not cut. */
void wa_plan_folds(struct wa_step *s, struct wa_folding of, bool by_rows, size_t tasks);
void wa_run_folds(const struct wa_step *s, int task, char *bases[]);
void wa_finish_folds(const struct wa_step *s);
/* What instructions do. */
void wa_do_map(const struct wa_instruction *i, const struct wa_unit *u, void *y, const void *const x[]);
void wa_do_cast(const struct wa_instruction *i, const struct wa_unit *u, void *y,
                const void *const x[]);
void wa_do_fold(const struct wa_instruction *i, const struct wa_unit *u, void *y,
                const void *const x[]);
void wa_do_row(const struct wa_instruction *i, const struct wa_unit *u, void *y, const void *const x[]);
/* x[1] is where the second result goes. */
void wa_do_row_pair(const struct wa_instruction *i, const struct wa_unit *u, void *y,
                    const void *const x[]);
void wa_do_argmax(const struct wa_instruction *i, const struct wa_unit *u, void *y,
                  const void *const x[]);
/* One element for all; one a row, spread over its row; one row for all; any other strides. */
void wa_do_splat(const struct wa_instruction *i, const struct wa_unit *u, void *y,
                 const void *const x[]);
void wa_do_spread(const struct wa_instruction *i, const struct wa_unit *u, void *y,
                  const void *const x[]);
void wa_do_repeat(const struct wa_instruction *i, const struct wa_unit *u, void *y,
                  const void *const x[]);
void wa_do_gather(const struct wa_instruction *i, const struct wa_unit *u, void *y,
                  const void *const x[]);

/* Rows of slices picked by index: x[0] is the table, x[1] the indices. */
void wa_do_take(const struct wa_instruction *i, const struct wa_unit *u, void *y,
                const void *const x[]);
struct wa_slices {
    size_t rows, columns; /* of a slice */
    int64_t count;        /* of the table */
};

/* An operand's strides along the axes of the rows, and along a row (0 or 1). */
struct wa_gather {
    int rank;
    int64_t dim[WASHI_MAX_RANK], stride[WASHI_MAX_RANK], along;
    wa_copy_fn *copy;
};

#endif
