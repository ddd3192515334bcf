/* rules.h: the vocabulary in which derivative rules and composed ops are written. */
#ifndef WA_RULES_H
#define WA_RULES_H

#include "autodiff/ops.h"

/* The rule of an op: from y = f(A, B, C) and the gradient g of y, the gradients gx[] of the operands.
 */
#define RULE(name) static void name##_rule(washi_tensor *y, washi_tensor *g, washi_tensor *gx[])
#define A          (y->x[0])
#define B          (y->x[1])
#define C          (y->x[2])

/* A shape of the sizes given. */
#define SHAPE(...)                                                                                     \
    {                                                                                                  \
        .rank = (int)(sizeof(int64_t[]){__VA_ARGS__} / sizeof(int64_t)), .dim = { __VA_ARGS__ }        \
    }

/* Include this header last: some of these words are libc's. */
#define add    washi_add
#define sub    washi_sub
#define mul    washi_mul
#define div    washi_div
#define neg    washi_neg
#define scale  washi_scale
#define exp    washi_exp
#define matmul washi_matmul

static inline washi_tensor *record1(const struct wa_op *op, washi_tensor *a, struct wa_attr attr)
{
    return wa_record(op, 1, &a, &attr);
}

static inline washi_tensor *record2(const struct wa_op *op, washi_tensor *a, washi_tensor *b,
                                    struct wa_attr attr)
{
    return wa_record(op, 2, (washi_tensor *[]){a, b}, &attr);
}

/* A number beside a tensor: a constant of its type. */
static inline washi_tensor *number(washi_tensor *a, double value)
{
    return a && !a->tape->status ? washi_scalar(a->tape, a->type, value) : NULL;
}

#endif
