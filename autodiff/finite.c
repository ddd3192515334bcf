/* finite.c: looking for the first value of a run that is not finite. */
#include "autodiff/fused.h"

#include <math.h>

static bool finite_at(washi_dtype type, const void *data, int64_t i)
{
    return type == WASHI_F32 ? isfinite(((const float *)data)[i]) : isfinite(((const double *)data)[i]);
}

/* The first element of such a value that is not finite; -1: none. */
static int64_t find(washi_dtype type, washi_shape shape, const void *data)
{
    for (int64_t i = 0, n = wa_is_real(type) ? washi_size(shape) : 0; i < n; i++)
        if (!finite_at(type, data, i)) return i;
    return -1;
}

/* "nan at [1,2]", of WA_SHAPE_TEXT + 8 bytes. */
static const char *found_text(washi_dtype type, washi_shape shape, const void *data, int64_t i,
                              char *text)
{
    double value = type == WASHI_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
    char at[WA_SHAPE_TEXT];
    for (int k = shape.rank; k-- > 0;) {
        int64_t size = shape.dim[k];
        shape.dim[k] = i % size;
        i /= size;
    }
    snprintf(text, WA_SHAPE_TEXT + 8, "%s at %s",
             isnan(value) ? "nan"
             : value > 0  ? "inf"
                          : "-inf",
             wa_shape_text(shape, at));
    return text;
}

/* With values of its operands that were not finite before the run: inputs, constants and variables. */
static washi_status report(const struct wa_step *s, const washi_tensor *y, const void *data, int64_t i)
{
    char text[WA_TENSOR_TEXT], found[WA_SHAPE_TEXT + 8], source[WA_TENSOR_TEXT],
        cause[WA_SHAPE_TEXT + 8];
    found_text(y->type, y->shape, data, i, found);
    for (int k = 0; k < s->n; k++) {
        const washi_tensor *x = s->x[k].source;
        int64_t at = x ? find(x->type, x->shape, s->x[k].data) : -1;
        if (at >= 0)
            return wa_error(WASHI_BAD_VALUE, "run: %s %s is %s; its operand, %s %s, is %s", y->op->name,
                            wa_tensor_text(y, text), found, x->op->name, wa_tensor_text(x, source),
                            found_text(x->type, x->shape, s->x[k].data, at, cause));
    }
    return wa_error(WASHI_BAD_VALUE, "run: %s %s is %s", y->op->name, wa_tensor_text(y, text), found);
}

/* A program that is checked is not fused: a step makes one value. */
static washi_status check(const struct wa_step *s)
{
    const struct wa_fused *f = s->geometry;
    const washi_tensor *y = s->node ? s->node : f->nodes[0];
    const void *data = s->node ? s->y.data : s->out[0].data;
    int64_t i = find(y->type, y->shape, data);
    return i < 0 ? WASHI_OK : report(s, y, data, i);
}

washi_status wa_walk_checked(const washi_program *p)
{
    washi_status status = WASHI_OK;
    for (int i = 0; i < p->step_count && !status; i++) {
        const struct wa_step *s = &p->steps[i];
        if (s->checks && (status = s->op->check(s))) break;
        for (int task = 0; task < s->tasks; task++) s->op->run(s, task);
        if (s->op->finish) s->op->finish(s);
        status = check(s);
    }
    return status;
}
