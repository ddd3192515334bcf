/* nn.h: what the files of lib/nn share: a model, one call of it, and text. */
#ifndef WASHI_NN_H
#define WASHI_NN_H

#include "washi.h"

/* -- text -------------------------------------------------------------------------------------- */

struct wa_text {
    char at[WASHI_MAX_RANK * 22 + 4];
};
/* "[64,784]", for messages: wa_nn_shape(s).at. */
struct wa_text wa_nn_shape(washi_shape s);
bool wa_nn_same_shape(washi_shape a, washi_shape b);
/* A string of w's memory; NULL when there is none. */
char *wa_nn_format(washi *w, const char *format, ...) WASHI_PRINTF(2, 3);
/* Frees a string of wa_nn_format; NULL is fine. */
void wa_nn_free_text(washi *w, char *text);
/* FNV-1a of a name, 64 bits: its stream of random numbers. */
uint64_t wa_nn_stream(const char *name);
/* The array, moved to where one element more than used fits, *room being how many do; NULL when memory
 * is out, with the array where it was. */
void *wa_nn_grow(washi *w, void *array, int used, int *room, size_t element);

/* -- a model ----------------------------------------------------------------------------------- */

struct wa_weight {
    char *name; /* "dense_1/kernel" */
    washi_array array;
    bool trainable;
    bool state; /* created frozen: no weight to train at any time */
};

/* A layer in a summary. */
struct wa_line {
    char *name, *kind;
    washi_shape shape; /* of its result */
};

struct washi_model {
    washi *w;
    char *name;
    washi_layer_fn *call;
    const void *config;
    washi_layer *layer; /* of a sequential model, else NULL */
    int layers;
    bool built;
    int64_t
        batch; /* how many samples the lines were made with, when a summary is to say None; else -1 */
    int32_t draws;   /* how many runs have drawn random numbers, a variable of their tapes */
    uint64_t epochs; /* of fit, all told: each shuffles anew */
    struct wa_weight *weight;
    int weights, weight_room;
    struct wa_line *line;
    int lines, line_room;
};

/* The weight path/name; NULL when there is none. */
struct wa_weight *wa_nn_weight_find(const washi_model *m, const char *path, const char *name);
/* Creates the weight path/name with its first values. The message of a failure names it. */
washi_status wa_nn_weight_new(washi_model *m, const char *path, const char *name,
                              const washi_weight_options *options);
/* Adds a line to the summary. */
washi_status wa_nn_line_new(washi_model *m, const char *name, const char *kind, washi_shape shape);
/* Frees weights and lines, as if the model had never been called. */
void wa_nn_forget(washi_model *m);

/* -- one call of a model ----------------------------------------------------------------------- */

/* A path that a layer of this call has, "block/dense_1". */
struct wa_name {
    struct wa_name *next;
    size_t size;   /* of this block */
    int count;     /* the last number put behind this path */
    bool numbered; /* made up for a layer that has no name */
    char path[];
};

/* A loss that a layer of this call has added. */
struct wa_added {
    washi_tensor *loss; /* of rank 0 */
    const void *weight; /* whose memory this is a penalty on; else NULL */
};

struct wa_call {
    washi_model *model; /* written only while it is built */
    washi_tape *tape;
    struct wa_name *names;
    struct wa_added *added;
    int count, room; /* of added */
    int draws;       /* of random numbers, in this call */
    bool training, building, blamed;
};

struct washi_scope {
    struct wa_call *call;
    const char *path; /* "" for the model itself */
};

/* The path, below parent, of the layer called name, or of one more layer of that kind when name is
 * NULL. NULL after an error on the tape. */
struct wa_name *wa_nn_name(struct wa_call *c, const char *parent, const char *name, const char *kind);
void wa_nn_names_free(struct wa_call *c);
/* The sum of the losses added; NULL for none, or after an error. */
washi_tensor *wa_nn_added(struct wa_call *c);
void wa_nn_added_free(struct wa_call *c);

/* -- initialisers ------------------------------------------------------------------------------ */

/* What every initialiser asks of its arguments. */
washi_status wa_nn_check_init(const char *who, washi *w, washi_shape shape, const float *out);

/* -- losses ------------------------------------------------------------------------------------ */

/* The target in the prediction's type and shape; [n] and [n, 1] fit each other. NULL after an error. */
washi_tensor *wa_nn_target(const char *who, washi_tensor *target, washi_tensor *prediction);
/* Labels in the prediction's shape without its last axis. NULL after an error. */
washi_tensor *wa_nn_labels(const char *who, washi_tensor *target, washi_tensor *prediction);

#endif
