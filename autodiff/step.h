/* step.h: a compiled step: an op with its operands' places in memory, cut into tasks. */
#ifndef WA_STEP_H
#define WA_STEP_H

#include "autodiff/tape.h"

enum { WA_MAX_TASKS = 64 };

/* The left operand of a matrix product that is rows of a table, gathered, cast and scaled. */
struct wa_gathered {
    int64_t rows;      /* of the table */
    washi_shape shape; /* of what is gathered, as a matrix */
    double factor;     /* 0: none */
};

/* A value that a step reads or writes. */
struct wa_place {
    void *data; /* set before the run; read-only for operands */
    washi_dtype type;
    washi_shape shape;
    bool transposed; /* operands of matmul: the last two axes are exchanged in memory */
    bool packed;     /* operands of matmul: in panels */
    int value;       /* in the graph, while compiling */
    int maker;       /* the step that makes it; -1: it is there before the run */
    const washi_tensor
        *source; /* the input, constant or variable whose memory it is; NULL: in the slab */
};

struct wa_step {
    const struct wa_op *op;
    const washi_tensor *node; /* for its attributes and for messages; the operands are in x */
    washi_program *program;
    const struct wa_simd *simd;
    int threads;       /* that its tasks can count on */
    int64_t lead;      /* split within a phase: tasks share out so many units of the leading axis */
    int owner;         /* not split: the bundle of its phase that has it */
    struct wa_place y; /* of a step of one value */
    struct wa_place *x;
    int n;
    struct wa_place *out; /* of a group of values: those that others read */
    int outputs;
    const struct wa_gathered
        *gathered;      /* of its matrix product: the table is operand 0, operand 2 the indices */
    bool checked_first; /* its check is done before the first step */
    bool checks;        /* its check is done in its turn */

    double flops, bytes;        /* what it has to do (account.c) */
    double asked_before, asked; /* parts of the next run's rows asked for before the step, and after */

    /* By op->plan: */
    void *geometry;
    int tasks;
    bool asks;            /* run calls wa_ahead_ask itself, while it goes on */
    size_t scratch_bytes; /* for all tasks together, task by task where it is split */
    size_t shared_bytes;  /* of these, behind the tasks' parts: of the step as a whole */
    void *scratch;        /* aligned to WA_ALIGN */
    size_t scratch_step;  /* from a task's part of it to the next one's */
};

/* Memory that lives as long as the step's program, zeroed; NULL: none. */
void *wa_step_new(struct wa_step *s, size_t size);

/* How many tasks a step is worth that moves or makes so much: one per grain, but no more than a few for
 * each thread. No bit of a result depends on it. */
enum { WA_GRAIN = 64 * 1024, WA_TASKS_A_THREAD = 4 };
static inline int wa_tasks(const struct wa_step *s, size_t work, size_t grain)
{
    size_t tasks = work / grain, most = s->threads > 1 ? (size_t)s->threads * WA_TASKS_A_THREAD : 1;
    if (tasks > most) tasks = most;
    if (tasks > (size_t)s->threads) tasks -= tasks % (size_t)s->threads; /* as many for each */
    return tasks < 1 ? 1 : tasks > WA_MAX_TASKS ? WA_MAX_TASKS : (int)tasks;
}

/* Whether so many units can be shared out with none of the threads idle for more than a fifth of the
 * time. */
static inline bool wa_is_even(size_t units, int threads)
{
    size_t n = (size_t)threads, each = (units + n - 1) / n;
    return each * n <= units + units / 4;
}

/* In a run, before part number `part` of a task: asks for that part of the task's portion of the next
 * run's rows (ahead.c). later, if not NULL, takes most of it, for a matrix product to ask for. */
void wa_ahead_ask(const struct wa_step *s, int task, size_t part, size_t parts, struct wa_lines *later);

/* The part [begin, end) of count units that is task's, of tasks. */
static inline void wa_share(size_t count, int tasks, int task, size_t *begin, size_t *end)
{
    size_t n = (size_t)tasks, i = (size_t)task, each = count / n, more = count % n;
    *begin = each * i + (i < more ? i : more);
    *end = *begin + each + (i < more);
}

/* Elements of the longest row that is kept whole, with its temporaries, near the core. */
enum { WA_LONGEST_ROW = 4096 };
/* Elements of what is folded that are computed at a time, lanes as a whole: little beside the
 * first-level cache, through which the operands come. */
enum { WA_FOLD_TILE = 1024 };

/* The product of the last two axes of a and b, of n columns, without their data (ops_matmul.c). */
struct wa_gemm wa_gemm_of(const struct wa_place *a, const struct wa_place *b, size_t n,
                          const struct wa_gathered *gathered);
/* Its data, the indices being those of gathered rows or NULL. */
void wa_gemm_operands(struct wa_gemm *g, const void *a, const void *b, const int32_t *indices);
/* Leaves it rows begin ... end-1 of the result; c is not moved. */
void wa_gemm_rows(struct wa_gemm *g, size_t begin, size_t end, size_t element);
/* Whether all of x's elements, I32 or U8, are in 0 ... end-1: WASHI_OK, or WASHI_BAD_VALUE with a
 * message. */
washi_status wa_check_range(const struct wa_place *x, int64_t end, const char *who, const char *what);

/* Strided copies (copy.c): y[i...] = x[i...] over rank axes of sizes dim, strides in elements of size
 * bytes; x and y do not overlap. Axes are merged where they can be. */
struct wa_copy {
    int rank;
    int64_t dim[WASHI_MAX_RANK], y[WASHI_MAX_RANK], x[WASHI_MAX_RANK];
    size_t size;
};
void wa_copy_plan(struct wa_copy *c);
/* Indices begin ... end-1 of axis 0. */
void wa_copy_run(const struct wa_copy *c, const struct wa_simd *simd, void *y, const void *x,
                 int64_t begin, int64_t end);
/* Row-major strides of a shape. */
void wa_strides(washi_shape s, int64_t stride[]);

#endif
