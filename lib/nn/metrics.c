/* metrics.c: what is shown beside the loss. */
#include "nn.h"

washi_tensor *washi_accuracy(washi_tensor *target, washi_tensor *prediction)
{
    washi_tensor *labels = wa_nn_labels("accuracy", target, prediction);
    if (!labels) return NULL;
    washi_dtype type = washi_dtype_of(prediction);
    washi_tensor *found = washi_cast(washi_argmax(prediction, -1, false), type);
    return washi_mean(washi_equal(found, washi_cast(labels, type)), WASHI_ALL, false);
}
