/* ops.h: the list of all primitives, in the order of the reference. */
#ifndef WA_OPS_H
#define WA_OPS_H

#include "autodiff/tape.h"

#define WA_OPS(X)                                                                                      \
    X(input)                                                                                           \
    X(constant)                                                                                        \
    X(variable) X(neg) X(exp) X(log) X(sqrt) X(tanh) X(sigmoid) X(relu) X(add) X(sub) X(mul) X(div)    \
        X(gate) X(greater_equal) X(equal) X(where) X(sum) X(max) X(argmax) X(softmax) X(log_softmax)   \
            X(logsumexp) X(matmul) X(reshape) X(stop_gradient) X(permute) X(broadcast_to) X(slice)     \
                X(pad) X(concat) X(take) X(scatter) X(one_hot) X(cast)

#define WA_OP_DECLARE(name) extern const struct wa_op wa_op_##name;
WA_OPS(WA_OP_DECLARE)
#undef WA_OP_DECLARE

/* Every op; ends with NULL. */
extern const struct wa_op *const wa_ops[];

#endif
