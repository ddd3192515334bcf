/* text.c: shapes as text, strings in the context's memory, and streams of random numbers from names. */
#include "nn.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

struct wa_text wa_nn_shape(washi_shape s)
{
    struct wa_text text = {"["};
    size_t used = 1;
    for (int i = 0; i < s.rank && i < WASHI_MAX_RANK; i++)
        used += (size_t)snprintf(text.at + used, sizeof text.at - used, i ? ",%" PRId64 : "%" PRId64,
                                 s.dim[i]);
    text.at[used] = ']';
    return text;
}

bool wa_nn_same_shape(washi_shape a, washi_shape b)
{
    if (a.rank != b.rank) return false;
    for (int i = 0; i < a.rank; i++)
        if (a.dim[i] != b.dim[i]) return false;
    return true;
}

char *wa_nn_format(washi *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = length < 0 ? NULL : washi_resize(w, NULL, 0, (size_t)length + 1);
    if (!text) return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}

void wa_nn_free_text(washi *w, char *text)
{
    if (text) washi_resize(w, text, strlen(text) + 1, 0);
}

uint64_t wa_nn_stream(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *name; name++) hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
    return hash;
}

void *wa_nn_grow(washi *w, void *array, int used, int *room, size_t element)
{
    if (used < *room) return array;
    int wanted = *room ? *room * 2 : 8;
    if (*room > INT32_MAX / 2 || (size_t)wanted > SIZE_MAX / element) {
        washi_fail(NULL, WASHI_NO_MEMORY, "no memory for %d elements", wanted);
        return NULL;
    }
    void *moved = washi_resize(w, array, (size_t)*room * element, (size_t)wanted * element);
    if (moved) *room = wanted;
    return moved;
}
