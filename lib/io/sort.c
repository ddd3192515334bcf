/* sort.c: sorting without memory, names that occur twice, and UTF-8. */
#include "io.h"

#include <string.h>

static void swap(const void **a, const void **b)
{
    const void *t = *a;
    *a = *b;
    *b = t;
}

/* Williams 1964, heapsort. */
void wa_io_sort(size_t n, const void *item[], int (*compare)(const void *a, const void *b))
{
    for (size_t begin = n / 2, end = n; end > 1;) {
        if (begin > 0)
            begin--;
        else
            swap(&item[0], &item[--end]);
        for (size_t parent = begin, child; (child = 2 * parent + 1) < end; parent = child) {
            if (child + 1 < end && compare(item[child], item[child + 1]) < 0) child++;
            if (compare(item[parent], item[child]) >= 0) break;
            swap(&item[parent], &item[child]);
        }
    }
}

static int by_text(const void *a, const void *b) { return strcmp(a, b); }

const char *wa_io_twice(size_t n, const char *name[])
{
    wa_io_sort(n, (const void **)name, by_text);
    for (size_t i = 1; i < n; i++)
        if (strcmp(name[i - 1], name[i]) == 0) return name[i];
    return NULL;
}

bool wa_io_utf8(const char *text, size_t length)
{
    const unsigned char *s = (const unsigned char *)text, *end = s + length;
    while (s < end) {
        const unsigned first = *s++;
        if (first < 0x80) continue;
        if (first < 0xc2 || first > 0xf4) return false;
        const int more = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
        if (end - s < more) return false;
        /* the second byte's range keeps out long forms, surrogates and what is beyond U+10FFFF */
        const unsigned low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
        const unsigned high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
        if (s[0] < low || s[0] > high) return false;
        for (int i = 1; i < more; i++)
            if (s[i] < 0x80 || s[i] > 0xbf) return false;
        s += more;
    }
    return true;
}
