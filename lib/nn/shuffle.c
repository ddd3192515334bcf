/* shuffle.c: the random order of an epoch's samples. */
#include "train.h"

enum { WORDS = 1024 }; /* drawn at a time */

/* The words of a stream, one after the other. */
struct words {
    washi *w;
    uint64_t stream, next; /* next: the first word not yet in the buffer */
    size_t used;
    uint32_t word[WORDS];
};

static washi_status word(struct words *b, uint32_t *out)
{
    if (b->used == WORDS) {
        washi_status status = washi_fill_bits(b->w, b->stream, b->next, WORDS, b->word);
        if (status) return status;
        b->next += WORDS;
        b->used = 0;
    }
    *out = b->word[b->used++];
    return WASHI_OK;
}

/* A whole number in 0 ... n-1, each as likely (Lemire, "Fast random integer generation in an interval",
 * ACM TOMACS 29, 2019): words whose product falls short of 2^32 mod n are drawn again. */
static washi_status below(struct words *b, uint32_t n, uint32_t *out)
{
    uint32_t drawn = 0;
    washi_status status = word(b, &drawn);
    uint64_t product = (uint64_t)drawn * n;
    if ((uint32_t)product < n) {
        uint32_t short_of = (UINT32_MAX - n + 1) % n;
        while (!status && (uint32_t)product < short_of) {
            status = word(b, &drawn);
            product = (uint64_t)drawn * n;
        }
    }
    *out = (uint32_t)(product >> 32);
    return status;
}

washi_status wa_nn_shuffle(washi *w, uint64_t epoch, int64_t n, int32_t *order)
{
    struct words b = {.w = w, .stream = wa_nn_stream("fit/shuffle") + epoch, .used = WORDS};
    for (int64_t i = 0; i < n; i++) order[i] = (int32_t)i;
    for (int64_t i = n - 1; i > 0; i--) { /* Fisher and Yates */
        uint32_t j = 0;
        washi_status status = below(&b, (uint32_t)i + 1, &j);
        if (status) return status;
        int32_t moved = order[i];
        order[i] = order[j];
        order[j] = moved;
    }
    return WASHI_OK;
}
