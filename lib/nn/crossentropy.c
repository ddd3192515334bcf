/* crossentropy.c: the cross-entropies, from probabilities and from logits. */
#include "nn.h"

#include <string.h>

/* The logits of probabilities that are the result of this op; else NULL. */
static washi_tensor *logits_of(washi_tensor *p, const char *op)
{
    return strcmp(washi_op_name(p), op) == 0 ? washi_operand(p, 0) : NULL;
}

static washi_tensor *scalar_like(washi_tensor *x, double value)
{
    return x ? washi_scalar(washi_tape_of(x), washi_dtype_of(x), value) : NULL;
}

/* p within [1e-7, 1 - 1e-7], so that the logarithms of p and 1 - p are finite. Inside, p itself, to the
 * bit, and its gradient; NaN fails both comparisons and stays. */
static washi_tensor *clip(washi_tensor *p)
{
    washi_tensor *low = scalar_like(p, 1e-7), *high = scalar_like(p, 1 - 1e-7);
    p = washi_where(washi_greater_equal(low, p), low, p);
    return washi_where(washi_greater_equal(p, high), high, p);
}

static washi_tensor *mean(washi_tensor *x) { return washi_mean(x, WASHI_ALL, false); }

/* x at the label, for each row. A product with the one-hot row would make 0 * inf of a class that is
 * masked by infinity. */
static washi_tensor *at_label(washi_tensor *x, washi_tensor *labels)
{
    if (!x || !labels) return NULL;
    washi_shape shape = washi_shape_of(x);
    washi_tensor *hot = washi_one_hot(labels, shape.dim[shape.rank - 1], washi_dtype_of(x));
    return washi_sum(washi_where(hot, x, scalar_like(x, 0)), -1, false);
}

static washi_tensor *sparse_from_logits(const char *who, washi_tensor *target, washi_tensor *logits)
{
    washi_tensor *labels = wa_nn_labels(who, target, logits);
    if (!labels) return NULL;
    return mean(washi_sub(washi_logsumexp(logits, -1, false), at_label(logits, labels)));
}

washi_tensor *washi_sparse_categorical_crossentropy_from_logits(washi_tensor *target,
                                                                washi_tensor *logits)
{
    return sparse_from_logits("sparse_categorical_crossentropy_from_logits", target, logits);
}

washi_tensor *washi_sparse_categorical_crossentropy(washi_tensor *target, washi_tensor *prediction)
{
    const char *who = "sparse_categorical_crossentropy";
    washi_tensor *logits = logits_of(prediction, "softmax");
    if (logits) return sparse_from_logits(who, target, logits);
    washi_tensor *p = at_label(prediction, wa_nn_labels(who, target, prediction));
    return washi_neg(mean(washi_log(clip(p))));
}

/* The mean over the rows of -sum(target * log_p). */
static washi_tensor *categorical(washi_tensor *target, washi_tensor *log_p)
{
    return washi_neg(mean(washi_sum(washi_mul(target, log_p), -1, false)));
}

static washi_tensor *categorical_from_logits(const char *who, washi_tensor *target,
                                             washi_tensor *logits)
{
    target = wa_nn_target(who, target, logits);
    return target ? categorical(target, washi_log_softmax(logits)) : NULL;
}

washi_tensor *washi_categorical_crossentropy_from_logits(washi_tensor *target, washi_tensor *logits)
{
    return categorical_from_logits("categorical_crossentropy_from_logits", target, logits);
}

washi_tensor *washi_categorical_crossentropy(washi_tensor *target, washi_tensor *prediction)
{
    const char *who = "categorical_crossentropy";
    washi_tensor *logits = logits_of(prediction, "softmax");
    if (logits) return categorical_from_logits(who, target, logits);
    target = wa_nn_target(who, target, prediction);
    return target ? categorical(target, washi_log(clip(prediction))) : NULL;
}

static washi_tensor *binary_from_logits(const char *who, washi_tensor *target, washi_tensor *logits)
{
    target = wa_nn_target(who, target, logits);
    return target ? mean(washi_sub(washi_softplus(logits), washi_mul(logits, target))) : NULL;
}

washi_tensor *washi_binary_crossentropy_from_logits(washi_tensor *target, washi_tensor *logits)
{
    return binary_from_logits("binary_crossentropy_from_logits", target, logits);
}

washi_tensor *washi_binary_crossentropy(washi_tensor *target, washi_tensor *prediction)
{
    const char *who = "binary_crossentropy";
    washi_tensor *logits = logits_of(prediction, "sigmoid");
    if (logits) return binary_from_logits(who, target, logits);
    target = wa_nn_target(who, target, prediction);
    if (!target) return NULL;
    washi_tensor *p = clip(prediction), *one = scalar_like(prediction, 1);
    washi_tensor *hit = washi_mul(target, washi_log(p));
    washi_tensor *miss = washi_mul(washi_sub(one, target), washi_log(washi_sub(one, p)));
    return washi_neg(mean(washi_add(hit, miss)));
}
