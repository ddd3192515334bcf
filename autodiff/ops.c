/* ops.c: the table of all primitives. */
#include "autodiff/ops.h"

const struct wa_op *const wa_ops[] = {
#define ENTRY(name) &wa_op_##name,
    WA_OPS(ENTRY)
#undef ENTRY
        NULL,
};
