/* optimizer.h: what an optimiser is: a function that updates one weight, and what it remembers of each.
 */
#ifndef WASHI_OPTIMIZER_H
#define WASHI_OPTIMIZER_H

#include "nn.h"

struct wa_slot {
    const void *owner; /* the memory of the weight it belongs to, or the model */
    char *name;
    washi_array value;
};

struct washi_optimizer {
    washi *w;
    washi_update_fn *update;
    washi_optimizer_options options;
    struct wa_slot *slot;
    int slots, room;
    size_t size; /* of config */
    max_align_t config[];
};

/* A step being recorded, and the weight whose turn it is. */
struct washi_update {
    washi_optimizer *optimizer;
    washi_model *model;
    washi_tape *tape;
    washi_weight_info info;
    washi_tensor *iterations, *rate; /* NULL until somebody asks */
};

/* Clips the n gradients as the options say; what goes wrong sticks to their tape. */
void wa_nn_clip(const washi_optimizer_options *o, int n, washi_tensor *gradient[]);
void wa_nn_slots_free(washi_optimizer *o);

#endif
