/* train.h: what fit, evaluate and predict are made of. */
#ifndef WASHI_TRAIN_H
#define WASHI_TRAIN_H

#include "nn.h"

/* -- data -------------------------------------------------------------------------------------- */

enum { WA_BATCH_SIZE = 32 }; /* where 0 is given */

/* Whether a can be the samples called name: not NULL, a type and a shape there is, data. */
washi_status wa_nn_check_samples(const char *who, const char *name, const washi_array *a);
/* The same for two arrays of as many samples each, at least one. */
washi_status wa_nn_check_pair(const char *who, const char *x_name, const washi_array *x,
                              const char *y_name, const washi_array *y);
/* Checks the options that fit and evaluate share, and puts defaults for zeros. */
washi_status wa_nn_options(const char *who, const washi_model *m, const washi_fit_options *options,
                           washi_fit_options *out);
/* Builds m for such samples unless it is built. */
washi_status wa_nn_build_for(washi_model *m, const washi_array *x);
/* 0 ... n-1 in the random order of this epoch. */
washi_status wa_nn_shuffle(washi *w, uint64_t epoch, int64_t n, int32_t *order);

/* -- metrics ----------------------------------------------------------------------------------- */

/* The name a metric is shown by; NULL for none. */
const char *wa_nn_metric_name(washi_loss_fn *metric);
/* Whether the smaller or the larger is better; WASHI_MODE_AUTO for a metric that is not the library's.
 */
washi_mode wa_nn_metric_mode(washi_loss_fn *metric);

/* -- progress ---------------------------------------------------------------------------------- */

struct wa_progress {
    FILE *out;          /* NULL: silent */
    const char *metric; /* its name; NULL: there is none */
    bool validates;     /* the last line has the validation's logs too */
    int64_t steps, done;
    bool live, open;           /* a terminal; a line has begun */
    double start, shown, took; /* seconds: on the clock, on the clock, that the steps took */
};

/* Begins to count steps; the fields before done are set. */
void wa_nn_progress_start(struct wa_progress *p);
/* So many steps are done: shows the line when it is time to. */
void wa_nn_progress_step(struct wa_progress *p, int64_t done, const double logs[2]);
/* Shows the last line, if one has begun; after a failure, for NULL, leaves the line as it is. */
void wa_nn_progress_end(struct wa_progress *p, const double logs[4]);
/* All this as a callback; user is a struct wa_progress, zeroed. */
washi_callback_fn wa_nn_progress_callback;

/* -- a pass over the samples, batch by batch --------------------------------------------------- */

struct wa_task {
    washi_model *model;
    const washi_array *x, *y; /* y NULL: predictions only */
    washi_loss_fn *loss, *metric;
    washi_optimizer *optimizer; /* NULL: no training */
    int64_t batch;
    bool by_index; /* a batch is rows gathered by index, not rows that lie together */
};

/* Who is told of each batch: how many are done, and the means so far. */
struct wa_watch {
    washi_status (*batch)(void *arg, int64_t steps, const double logs[2]);
    void *arg;
    bool stop; /* true ends the pass */
};

/* One program, over a batch of a fixed size. */
struct wa_batch {
    int64_t samples;
    washi_tape *tape;
    washi_program *program;
    washi_tensor *x, *y, *index;          /* the inputs */
    washi_tensor *result, *loss, *metric; /* the outputs */
};

struct wa_pass {
    struct wa_task task;
    struct wa_batch full, rest; /* rest: the last, partial batch */
    int64_t samples, steps;
};

/* Records and compiles; wa_nn_pass_close also after a failure. *p is zeroed before the first. */
washi_status wa_nn_pass_open(struct wa_pass *p, const struct wa_task *task);
void wa_nn_pass_close(struct wa_pass *p);
/* Runs all batches, in this order (or as they lie, for NULL), and gives the means of loss and metric
 * over the samples seen (NaN where there is none). watch may be NULL. */
washi_status wa_nn_pass_run(struct wa_pass *p, const int32_t *order, struct wa_watch *watch,
                            double logs[2]);
/* Runs all batches of a pass without y; out takes the results. */
washi_status wa_nn_pass_predict(struct wa_pass *p, float *out);

/* -- callbacks --------------------------------------------------------------------------------- */

/* The progress, the callbacks of the options and on_epoch, as one. */
struct wa_callbacks {
    washi_fit_state state;
    struct wa_progress bar;
    int begun; /* those that WASHI_FIT_BEGIN has gone well with, and that must hear of the end */
};

/* Tells all of them; WASHI_FIT_END in any case, the others up to the first failure, which is returned.
 */
washi_status wa_nn_callbacks_tell(struct wa_callbacks *c, washi_event event);

#endif
