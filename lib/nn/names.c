/* names.c: the paths of the layers in one call of a model: given names, and numbered ones. */
#include "nn.h"

#include <string.h>

enum { DIGITS = 16 }; /* "_2147483647" and the end fit */

static struct wa_name *find(const struct wa_call *c, const char *path)
{
    struct wa_name *n = c->names;
    while (n && strcmp(n->path, path) != 0) n = n->next;
    return n;
}

/* parent/base, with room for a number; not yet among the call's names. */
static struct wa_name *name_new(struct wa_call *c, const char *parent, const char *base)
{
    size_t size = sizeof(struct wa_name) + strlen(parent) + 1 + strlen(base) + DIGITS;
    struct wa_name *n = washi_resize(c->model->w, NULL, 0, size);
    if (!n) {
        washi_fail(c->tape, WASHI_NO_MEMORY, "%s", washi_message());
        return NULL;
    }
    *n = (struct wa_name){.size = size};
    snprintf(n->path, size - sizeof *n, "%s%s%s", parent, *parent ? "/" : "", base);
    return n;
}

static struct wa_name *link_name(struct wa_call *c, struct wa_name *n)
{
    n->next = c->names;
    return c->names = n;
}

static void name_free(struct wa_call *c, struct wa_name *n)
{
    washi_resize(c->model->w, n, n->size, 0);
}

/* "BatchNormalization" as "batch_normalization": a word begins at a capital that follows a small letter
 * or comes before one. What is no letter or digit is left out. */
static void snake(const char *kind, char *out, size_t size)
{
    size_t used = 0;
    for (const char *k = kind; *k && used + 2 < size; k++) {
        bool upper = *k >= 'A' && *k <= 'Z', lower = *k >= 'a' && *k <= 'z',
             digit = *k >= '0' && *k <= '9';
        if (!upper && !lower && !digit && *k != '_') continue;
        bool after = k > kind && k[-1] >= 'a' && k[-1] <= 'z', before = k[1] >= 'a' && k[1] <= 'z';
        if (upper && used && out[used - 1] != '_' && (after || before)) out[used++] = '_';
        out[used++] = upper ? (char)(*k - 'A' + 'a') : *k;
    }
    out[used] = 0;
}

/* The numbers are sought anew in each call, so that the same calls give the same names. */
static struct wa_name *numbered(struct wa_call *c, const char *parent, const char *kind)
{
    char base[64];
    snake(kind, base, sizeof base);
    struct wa_name *n = name_new(c, parent, *base ? base : "layer");
    if (!n) return NULL;
    struct wa_name *first = find(c, n->path);
    if (first) {
        char *end = n->path + strlen(n->path);
        do snprintf(end, DIGITS, "_%d", ++first->count);
        while (find(c, n->path));
    }
    n->numbered = true;
    return link_name(c, n);
}

struct wa_name *wa_nn_name(struct wa_call *c, const char *parent, const char *name, const char *kind)
{
    if (!name) return numbered(c, parent, kind);
    if (!*name || strchr(name, '/')) {
        washi_fail(c->tape, WASHI_BAD_VALUE, "a layer's name must not be empty or hold a /: \"%s\"",
                   name);
        return NULL;
    }
    struct wa_name *n = name_new(c, parent, name), *old = n ? find(c, n->path) : NULL;
    if (!old) return n ? link_name(c, n) : NULL;
    name_free(c, n);
    if (!old->numbered) return old;
    washi_fail(c->tape, WASHI_BAD_VALUE, "the name %s went to an earlier layer without one", old->path);
    return NULL;
}

void wa_nn_names_free(struct wa_call *c)
{
    while (c->names) {
        struct wa_name *n = c->names;
        c->names = n->next;
        name_free(c, n);
    }
}
