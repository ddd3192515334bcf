/* data.c: checks of what fit, evaluate and predict are given, before anything is recorded. */
#include "train.h"

#include <inttypes.h>

washi_status wa_nn_check_samples(const char *who, const char *name, const washi_array *a)
{
    if (!a) return washi_fail(NULL, WASHI_MISUSE, "%s: %s is NULL", who, name);
    if (!washi_dtype_size(a->type))
        return washi_fail(NULL, WASHI_BAD_TYPE, "%s: %s has type %d, which there is not", who, name,
                          (int)a->type);
    if (a->shape.rank < 1 || washi_size(a->shape) < 0)
        return washi_fail(NULL, WASHI_BAD_SHAPE, "%s: %s has shape %s, [samples, ...] wanted", who,
                          name, wa_nn_shape(a->shape).at);
    if (!a->data && washi_size(a->shape) > 0)
        return washi_fail(NULL, WASHI_MISUSE, "%s: %s has no data", who, name);
    if ((uintptr_t)a->data % washi_dtype_size(a->type))
        return washi_fail(NULL, WASHI_BAD_VALUE, "%s: %s is not aligned to an element of %s", who, name,
                          washi_dtype_name(a->type));
    return WASHI_OK;
}

washi_status wa_nn_check_pair(const char *who, const char *x_name, const washi_array *x,
                              const char *y_name, const washi_array *y)
{
    washi_status status = wa_nn_check_samples(who, x_name, x);
    if (!status) status = wa_nn_check_samples(who, y_name, y);
    if (status) return status;
    if (x->shape.dim[0] != y->shape.dim[0])
        return washi_fail(NULL, WASHI_BAD_SHAPE, "%s: %s has %" PRId64 " samples and %s %" PRId64, who,
                          x_name, x->shape.dim[0], y_name, y->shape.dim[0]);
    if (washi_size(x->shape) == 0 || washi_size(y->shape) == 0)
        return washi_fail(NULL, WASHI_BAD_SHAPE, "%s: %s %s and %s %s are empty", who, x_name,
                          wa_nn_shape(x->shape).at, y_name, wa_nn_shape(y->shape).at);
    return WASHI_OK;
}

washi_status wa_nn_options(const char *who, const washi_model *m, const washi_fit_options *options,
                           washi_fit_options *out)
{
    if (!m || !options)
        return washi_fail(NULL, WASHI_MISUSE, "%s: the %s", who,
                          m ? "options are NULL" : "model is NULL");
    if (!options->loss) return washi_fail(NULL, WASHI_MISUSE, "%s: the options name no loss", who);
    if (options->epochs < 0)
        return washi_fail(NULL, WASHI_BAD_VALUE, "%s: %d epochs", who, options->epochs);
    if (options->batch_size < 0)
        return washi_fail(NULL, WASHI_BAD_VALUE, "%s: batches of %" PRId64 " samples", who,
                          options->batch_size);
    *out = *options;
    if (!out->epochs) out->epochs = 1;
    if (!out->batch_size) out->batch_size = WA_BATCH_SIZE;
    return WASHI_OK;
}

washi_status wa_nn_build_for(washi_model *m, const washi_array *x)
{
    if (m->built) return WASHI_OK;
    return washi_model_build(m, x->type, washi_shape_make(x->shape.rank - 1, x->shape.dim + 1));
}
