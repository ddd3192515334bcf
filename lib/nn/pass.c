/* pass.c: one pass over the samples: a program for full batches and one for the last, partial batch. */
#include "train.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static size_t row_bytes(const washi_array *a)
{
    return (size_t)(washi_size(a->shape) / a->shape.dim[0]) * washi_dtype_size(a->type);
}

/* The batch's rows of a: gathered from the whole array, which is an input then and never copied, or the
 * input itself, fed with where they lie. Sets *input. */
static washi_tensor *rows(struct wa_batch *b, const washi_array *a, washi_tensor **input)
{
    washi_shape shape = a->shape;
    if (!b->index) shape.dim[0] = b->samples;
    *input = washi_input(b->tape, a->type, shape);
    if (!b->index || washi_feed(*input, a->data)) return *input;
    return washi_take(*input, b->index, 0);
}

static washi_tensor *scalar(const char *what, washi_loss_fn *function, washi_tensor *y,
                            washi_tensor *prediction)
{
    washi_tape *t = washi_tape_of(prediction);
    washi_tensor *x = function(y, prediction);
    if (washi_tape_status(t)) return NULL;
    washi_dtype type = washi_dtype_of(x);
    if (!x)
        washi_fail(t, WASHI_MISUSE, "the %s function returned NULL", what);
    else if (washi_size(washi_shape_of(x)) != 1 || (type != WASHI_F32 && type != WASHI_F64))
        washi_fail(t, WASHI_BAD_SHAPE,
                   "the %s function returned %s of %s, a scalar of f32 or f64 wanted", what,
                   wa_nn_shape(washi_shape_of(x)).at, washi_dtype_name(type));
    return x;
}

/* The model's result as floats, a row a sample. */
static washi_tensor *floats(struct wa_batch *b, washi_tensor *prediction)
{
    washi_shape shape = washi_shape_of(prediction);
    if (prediction && (shape.rank < 1 || shape.dim[0] != b->samples))
        washi_fail(b->tape, WASHI_BAD_SHAPE,
                   "predict: the model makes %s of %" PRId64 " samples, a row of each wanted",
                   wa_nn_shape(shape).at, b->samples);
    return prediction && washi_dtype_of(prediction) != WASHI_F32 ? washi_cast(prediction, WASHI_F32)
                                                                 : prediction;
}

/* Records what the task does with one batch; the outputs are b's. */
static void record(struct wa_batch *b, const struct wa_task *k)
{
    if (k->by_index) b->index = washi_input(b->tape, WASHI_I32, (washi_shape){1, {b->samples}});
    washi_tensor *x = rows(b, k->x, &b->x), *y = k->y ? rows(b, k->y, &b->y) : NULL;
    washi_tensor *added;
    washi_tensor *prediction = washi_model_call_losses(k->model, x, k->optimizer != NULL, &added);
    if (!prediction) return;
    if (!k->y) {
        b->result = floats(b, prediction);
        return;
    }
    b->loss = scalar("loss", k->loss, y, prediction);
    if (b->loss && added) b->loss = washi_add(b->loss, washi_cast(added, washi_dtype_of(b->loss)));
    if (b->loss && k->metric) b->metric = scalar("metric", k->metric, y, prediction);
    if (b->loss && k->optimizer) washi_minimize(k->optimizer, k->model, b->loss);
}

static washi_status open_batch(struct wa_batch *b, const struct wa_task *k, int64_t samples)
{
    b->samples = samples;
    b->tape = washi_tape_new(k->model->w);
    if (!b->tape) return WASHI_NO_MEMORY;
    record(b, k);
    washi_status status = washi_tape_status(b->tape);
    if (status) return status;
    washi_tensor *outputs[2] = {b->result ? b->result : b->loss, b->metric};
    b->program = washi_compile(b->tape, b->metric ? 2 : 1, outputs);
    if (b->program) return WASHI_OK;
    status = washi_tape_status(b->tape);
    return status ? status : WASHI_NO_MEMORY;
}

static void close_batch(struct wa_batch *b)
{
    washi_program_free(b->program);
    washi_tape_free(b->tape);
}

washi_status wa_nn_pass_open(struct wa_pass *p, const struct wa_task *task)
{
    int64_t n = task->x->shape.dim[0], rest = n % task->batch;
    *p = (struct wa_pass){.task = *task, .samples = n, .steps = n / task->batch + (rest > 0)};
    washi_status status = n < task->batch ? WASHI_OK : open_batch(&p->full, task, task->batch);
    if (!status && rest) status = open_batch(&p->rest, task, rest);
    return status;
}

void wa_nn_pass_close(struct wa_pass *p)
{
    close_batch(&p->full);
    close_batch(&p->rest);
}

/* The batch that begins at this sample; runs it. */
static washi_status step(struct wa_pass *p, int64_t first, const int32_t *order, struct wa_batch **done)
{
    const struct wa_task *k = &p->task;
    struct wa_batch *b = *done = p->samples - first >= k->batch ? &p->full : &p->rest;
    washi_status status;
    if (b->index) {
        int64_t next = first + b->samples;
        bool another = p->samples - next >= k->batch;
        status = washi_feed(b->index, order + first);
        if (!status) status = washi_prefetch(b->index, another ? order + next : NULL);
    } else
        status = washi_feed(b->x, (const char *)k->x->data + (size_t)first * row_bytes(k->x));
    if (!status && !b->index && k->y)
        status = washi_feed(b->y, (const char *)k->y->data + (size_t)first * row_bytes(k->y));
    return status ? status : washi_run(b->program);
}

static double number(const washi_tensor *x)
{
    const void *value = x ? washi_data(x) : NULL;
    if (!value) return NAN;
    return washi_dtype_of(x) == WASHI_F32 ? *(const float *)value : *(const double *)value;
}

washi_status wa_nn_pass_run(struct wa_pass *p, const int32_t *order, struct wa_watch *watch,
                            double logs[2])
{
    double loss = 0, metric = 0, seen = 0;
    int64_t steps = 0;
    for (int64_t first = 0; first < p->samples && !(watch && watch->stop); first += p->task.batch) {
        struct wa_batch *b;
        washi_status status = step(p, first, order, &b);
        if (status) return status;
        loss += number(b->loss) * (double)b->samples;
        metric += number(b->metric) * (double)b->samples;
        seen += (double)b->samples;
        steps++;
        if (watch) status = watch->batch(watch->arg, steps, (double[2]){loss / seen, metric / seen});
        if (status) return status;
    }
    logs[0] = loss / seen;
    logs[1] = metric / seen;
    return WASHI_OK;
}

washi_status wa_nn_pass_predict(struct wa_pass *p, float *out)
{
    for (int64_t first = 0; first < p->samples; first += p->task.batch) {
        struct wa_batch *b;
        washi_status status = step(p, first, NULL, &b);
        if (status) return status;
        size_t size = (size_t)washi_size(washi_shape_of(b->result));
        memcpy(out, washi_f32(b->result), size * sizeof *out);
        out += size;
    }
    return WASHI_OK;
}
