/* optimizer.h: what an optimiser is: a rule for one weight, and what it remembers of each. */
#ifndef WASHI_OPTIMIZER_H
#define WASHI_OPTIMIZER_H

#include "nn.h"

/* A weight and its gradient, both on the loss's tape. */
struct wa_update {
    washi_tensor *weight, *gradient;
    const washi_weight_info *info;
};

/* Records the weight's new value; NULL after an error. */
typedef washi_tensor *wa_update_fn(washi_optimizer *o, const struct wa_update *step);

struct wa_slot {
    const void *weight; /* the memory of the weight it belongs to */
    washi_array value;
};

struct washi_optimizer {
    washi *w;
    wa_update_fn *update;
    washi_sgd_options sgd;
    struct wa_slot *slot;
    int slots, room;
};

/* What the optimiser remembers of this weight, as a variable of the weight's type and shape on the
 * step's tape; zeros at first. NULL after an error. */
washi_tensor *wa_nn_slot(washi_optimizer *o, const struct wa_update *step);

#endif
