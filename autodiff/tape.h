/* tape.h: what a recording is made of: nodes, and the table of ops they point to. */
#ifndef WA_TAPE_H
#define WA_TAPE_H

#include "core/core.h"

struct wa_step;

/* What an op needs to know besides its operands; unused fields are zero. */
struct wa_attr {
    int axis;
    washi_dtype type;
    int64_t begin, end;
    int64_t step; /* 0 is 1 */
    washi_shape shape;
    const void *data; /* on the tape: the parameters of an op of the user's own (own.c) */
    size_t size;
};

struct washi_tensor {
    const struct wa_op *op;
    washi_tape *tape;
    int id;           /* its place on the tape: operands come before */
    const char *name; /* washi_name's, or NULL */
    washi_dtype type;
    washi_shape shape;
    struct wa_attr attr;
    const void *data;       /* of a constant, a variable, a fed input; of an output after a run */
    const void *next;       /* of an input: what washi_prefetch announced */
    washi_tensor *assigned; /* of a variable: what it takes at the end of a run */
    int sweep; /* of a node that a reverse sweep recorded: the id of that sweep's first; else 0 */
    const washi_tensor *gradient; /* and the gradient that its rule took further back */
    washi_tensor *next_variable;
    const washi_program *by; /* the program whose slab data points into */
    void *kept;              /* memory of the tape's own for the value after an eval */
    int n;
    washi_tensor *x[]; /* the operands */
};

struct washi_tape {
    struct wa_arena arena;
    washi_tensor **nodes; /* by id */
    size_t count, capacity;
    washi_tensor *variables; /* the newest first */
    washi_tensor **place;    /* them by their memory, open addressing (ops_source.c) */
    size_t places, variable_count;
    int sweep; /* while one records: as in its nodes */
    const washi_tensor *gradient;
    struct wa_own *own; /* ops of the user's own (own.c) */
    washi_status status;
};

/* One primitive. What it does is written here and nowhere else; a user of the table needs no switch. */
struct wa_op {
    const char *name;
    const char *doc; /* its value in terms of its operands a, b, c: one line, as are those below */
    const char *derivative; /* what the rule makes of g, y being the value: "for a; for b; for c"; NULL:
                               zeros */
    const char *kinks;      /* what the derivative is where there is none; NULL: nowhere */
    int arity;              /* -1: any number from 1 */
    /* Sets y's shape and type from its operands and attributes; false after wa_op_error. */
    bool (*infer)(washi_tensor *y);
    /* From g, the gradient of y: gx[i], that of operand i; NULL (as given) where it is zero. A gx[i] of
     * a shape that x[i] was broadcast to is summed back by the caller. No rule: all are zero. */
    void (*rule)(washi_tensor *y, washi_tensor *g, washi_tensor *gx[]);
    bool sums; /* the rule gets in gx[] the gradients that the operands, all different, have so far, and
                  adds its own to them */

    /* How a step of it runs (step.h), where it is not one of a group of values made together (fused.h).
     */
    bool (*plan)(struct wa_step *s); /* geometry, tasks and scratch; false when memory is out */
    washi_status (*check)(const struct wa_step *s); /* before a step's tasks: what can fail */
    int checked; /* with a check: the operand that holds indices; -1: the check computes the value */
    void (*run)(const struct wa_step *s, int task);
    void (*finish)(const struct wa_step *s); /* after the last task */

    bool source; /* a value that is there before a run */
    bool view;   /* the same memory as operand 0 */
    bool alias;  /* a view of the same shape, of which a program knows nothing */
    enum wa_fusion {
        WA_APART,       /* a step of its own */
        WA_FUSE_MAP,    /* elementwise; broadcasts its operands itself */
        WA_FUSE_CAST,   /* elementwise between types */
        WA_FUSE_FOLD,   /* a fold of the axes attr.begin ... attr.end-1 */
        WA_FUSE_ROW,    /* a row from a row */
        WA_FUSE_ARGMAX, /* an index from a row */
        WA_FUSE_TAKE,   /* rows picked by index: begins a group */
    } fusion;
    int kernel; /* its enum wa_map, wa_fold or wa_row; of an index 0 for the largest, 1 for the smallest
                 */
    float cost; /* nanoseconds a float read or made (at AVX2); 0: little beside moving it */

    struct wa_sample { /* for the tests: operands of these shapes, drawn from (low, high) */
        washi_shape x[3];
        double low, high;
        struct wa_attr attr;
        int64_t index_end; /* > 0: the last I32 operand holds indices below it */
    } sample;
};

/* Records op on x's tape. NULL after an error, which sticks. */
washi_tensor *wa_record(const struct wa_op *op, int n, washi_tensor *const x[],
                        const struct wa_attr *attr);
/* A node without operands. */
washi_tensor *wa_record_source(washi_tape *t, const struct wa_op *op, washi_dtype type,
                               washi_shape shape);
/* Reports an error that sticks to y's tape, "name: ..."; returns false. */
bool wa_op_error(const washi_tensor *y, washi_status status, const char *format, ...)
    WASHI_PRINTF(3, 4);
/* Reports that an argument is NULL; without a tape that could tell why, the message keeps what was
 * before. */
washi_status wa_missing(washi_tape *t, const char *format, ...) WASHI_PRINTF(2, 3);
/* Checks that a public call got a tensor whose tape is in order; false (and a message) when not. */
bool wa_usable(const washi_tensor *x, const char *who);
/* "f64 [2,3] \"name\"", the name where there is one, into text; returns text. */
enum { WA_NAME_TEXT = 64, WA_TENSOR_TEXT = WA_SHAPE_TEXT + WA_NAME_TEXT + 8 };
const char *wa_tensor_text(const washi_tensor *x, char *text);
/* a with zeros before, after and, step - 1 of them, between its slices along a plain axis
 * (ops_shape.c). */
washi_tensor *wa_pad_between(washi_tensor *a, int axis, int64_t before, int64_t after, int64_t step);
/* An axis counted from the end made plain; false after an error on x's tape. */
bool wa_axis(const washi_tensor *x, const char *who, int *axis);

#endif
