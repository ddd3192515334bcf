/* elementwise.h: how an elementwise op is entered in the table. Included before rules.h. */
#ifndef WA_ELEMENTWISE_H
#define WA_ELEMENTWISE_H

#include "autodiff/step.h"

/* Real operands of one type, broadcast together. */
bool wa_infer_map(washi_tensor *y);
/* Whether operands are that; if not, an error in the name of a function composed of others. What is
 * NULL or on another tape is left to these. */
bool wa_fit(const char *who, int n, washi_tensor *const x[]);

/* What every entry of a kernel of simd.h has; a rule, kinks and a sample come with it. */
#define MAP(word, operands, formula, slopes)                                                           \
    .name = #word, .doc = formula, .derivative = slopes, .arity = operands, .infer = wa_infer_map,     \
    .fusion = WA_FUSE_MAP, .kernel = WA_MAP_##word

#define ONE(low_, high_) .sample = {.x = {SHAPE(3, 5)}, .low = low_, .high = high_}
#define TWO(low_, high_) .sample = {.x = {SHAPE(3, 1), SHAPE(5)}, .low = low_, .high = high_}

/* The public functions that record an op and do nothing else. */
#define PUBLIC1(name)                                                                                  \
    washi_tensor *washi_##name(washi_tensor *a)                                                        \
    {                                                                                                  \
        return record1(&wa_op_##name, a, (struct wa_attr){0});                                         \
    }
#define PUBLIC2(name)                                                                                  \
    washi_tensor *washi_##name(washi_tensor *a, washi_tensor *b)                                       \
    {                                                                                                  \
        return record2(&wa_op_##name, a, b, (struct wa_attr){0});                                      \
    }

#endif
