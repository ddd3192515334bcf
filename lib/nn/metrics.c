/* metrics.c: what is shown beside the loss, and under which name. */
#include "train.h"

static washi_tensor *share_equal(washi_tensor *a, washi_tensor *b)
{
    return washi_mean(washi_equal(a, b), WASHI_ALL, false);
}

/* Where the largest is, as a number of x's type. */
static washi_tensor *largest(washi_tensor *x)
{
    return washi_cast(washi_argmax(x, -1, false), washi_dtype_of(x));
}

washi_tensor *washi_accuracy(washi_tensor *target, washi_tensor *prediction)
{
    washi_tensor *labels = wa_nn_labels("accuracy", target, prediction);
    if (!labels) return NULL;
    return share_equal(largest(prediction), washi_cast(labels, washi_dtype_of(prediction)));
}

washi_tensor *washi_binary_accuracy(washi_tensor *target, washi_tensor *prediction)
{
    washi_tensor *wanted = wa_nn_target("binary_accuracy", target, prediction);
    if (!wanted) return NULL;
    washi_tensor *half = washi_scalar(washi_tape_of(wanted), washi_dtype_of(wanted), 0.5);
    return share_equal(wanted, washi_greater(prediction, half));
}

washi_tensor *washi_categorical_accuracy(washi_tensor *target, washi_tensor *prediction)
{
    washi_tensor *wanted = wa_nn_target("categorical_accuracy", target, prediction);
    return wanted ? share_equal(largest(wanted), largest(prediction)) : NULL;
}

static const struct {
    washi_loss_fn *metric;
    const char *name;
    washi_mode mode;
} known[] = {
    {washi_accuracy, "accuracy", WASHI_MODE_MAX},
    {washi_binary_accuracy, "binary_accuracy", WASHI_MODE_MAX},
    {washi_categorical_accuracy, "categorical_accuracy", WASHI_MODE_MAX},
    {washi_mean_squared_error, "mean_squared_error", WASHI_MODE_MIN},
    {washi_mean_absolute_error, "mean_absolute_error", WASHI_MODE_MIN},
    {washi_huber, "huber", WASHI_MODE_MIN},
    {washi_binary_crossentropy, "binary_crossentropy", WASHI_MODE_MIN},
    {washi_categorical_crossentropy, "categorical_crossentropy", WASHI_MODE_MIN},
    {washi_sparse_categorical_crossentropy, "sparse_categorical_crossentropy", WASHI_MODE_MIN},
};

const char *wa_nn_metric_name(washi_loss_fn *metric)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].metric == metric) return known[i].name;
    return metric ? "metric" : NULL;
}

washi_mode wa_nn_metric_mode(washi_loss_fn *metric)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].metric == metric) return known[i].mode;
    return WASHI_MODE_AUTO;
}
