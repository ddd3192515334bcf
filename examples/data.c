/* data.c: the image sets in the format of the MNIST database, checked before they are used. */
#define _POSIX_C_SOURCE 200809L
#include "data.h"

#include "example.h"
#include "pictures.h"

#include <string.h>
#include <unistd.h>

/* The file, or the one with .gz after its name when only that is there. */
static void load(washi *w, const char *folder, const char *set, const char *kind, washi_array *out)
{
    char path[4096];
    const int length = snprintf(path, sizeof path - 3, "%s/%s-%s-ubyte", folder, set, kind);
    if (length >= (int)sizeof path - 3) fail("the path of the data is too long");
    if (access(path, F_OK) != 0) {
        strcat(path, ".gz");
        if (access(path, F_OK) != 0) path[length] = 0;
    }
    check(washi_read_idx(w, path, out));
}

struct set load_set(washi *w, const char *folder, const char *name)
{
    struct set s;
    load(w, folder, name, "images-idx3", &s.x);
    load(w, folder, name, "labels-idx1", &s.y);
    const int64_t *x = s.x.shape.dim, *y = s.y.shape.dim;
    if (s.x.type != WASHI_U8 || s.x.shape.rank != 3 || x[1] != SIDE || x[2] != SIDE)
        fail("the image files are not of bytes, 28 x 28");
    if (s.y.type != WASHI_U8 || s.y.shape.rank != 1 || x[0] != y[0])
        fail("the label files do not hold a byte for each image");
    if (x[0] < 1) fail("the image files are empty");
    const uint8_t *label = s.y.data;
    for (int64_t i = 0; i < y[0]; i++)
        if (label[i] >= CLASSES) fail("the label files hold more than the classes 0 to 9");
    printf("%-5s  %lld images of %lld x %lld\n", name, (long long)x[0], (long long)x[1],
           (long long)x[2]);
    return s;
}

void free_set(washi *w, struct set *s)
{
    washi_release(w, &s->x);
    washi_release(w, &s->y);
}
