/* memory.c: the caller's allocator, aligned blocks on top of it, arrays and arenas. */
#include "core/core.h"

#include <string.h>

void *washi_resize(washi *w, void *block, size_t old_size, size_t new_size)
{
    if (!w) {
        wa_error(WASHI_MISUSE, "resize: the context is NULL");
        return NULL;
    }
    void *p = w->resize(w->user, block, old_size, new_size);
    if (!p && new_size) wa_error(WASHI_NO_MEMORY, "no memory for %zu bytes", new_size);
    return p;
}

void *wa_new(washi *w, size_t size)
{
    void *p = washi_resize(w, NULL, 0, size);
    if (p) memset(p, 0, size);
    return p;
}

void wa_free(washi *w, void *block, size_t size)
{
    if (block) w->resize(w->user, block, size, 0);
}

/* The distance to the block's begin stands in the byte before the aligned address. */
void *wa_new_aligned(washi *w, size_t size)
{
    if (size > SIZE_MAX - WA_ALIGN) {
        wa_error(WASHI_NO_MEMORY, "no memory for %zu bytes", size);
        return NULL;
    }
    unsigned char *block = washi_resize(w, NULL, 0, size + WA_ALIGN);
    if (!block) return NULL;
    size_t skip = WA_ALIGN - (uintptr_t)block % WA_ALIGN;
    block[skip - 1] = (unsigned char)skip;
    return block + skip;
}

void wa_free_aligned(washi *w, void *block, size_t size)
{
    if (!block) return;
    unsigned char *p = block;
    wa_free(w, p - p[-1], size + WA_ALIGN);
}

bool wa_grow(washi *w, void **block, size_t *capacity, size_t count, size_t element)
{
    if (count <= *capacity) return true;
    size_t wanted = *capacity < 8 ? 8 : *capacity;
    while (wanted < count && wanted <= SIZE_MAX / 2) wanted *= 2;
    if (wanted < count || wanted > SIZE_MAX / element) {
        wa_error(WASHI_NO_MEMORY, "no memory for %zu elements", count);
        return false;
    }
    void *p = washi_resize(w, *block, *capacity * element, wanted * element);
    if (!p) return false;
    *block = p;
    *capacity = wanted;
    return true;
}

struct wa_block {
    struct wa_block *next;
    size_t size, used; /* in bytes, this header among them */
};

/* Blocks grow with the arena, and are four times what is asked for at least. Few large ones cost less
 * than many small ones, and malloc (glibc's) keeps for itself up to twice the largest it has had back:
 * so an arena's pages need not come from the system anew for every tape. Pages that are not used are
 * not there. */
enum { FIRST_BLOCK = 16 * 1024, LARGEST_BLOCK = 16384 * 1024 };

void *wa_arena_new(struct wa_arena *a, size_t size, size_t align)
{
    struct wa_block *b = a->blocks;
    if (b) {
        uintptr_t base = (uintptr_t)b, at = (base + b->used + align - 1) / align * align - base;
        if (at <= b->size && size <= b->size - at) {
            b->used = at + size;
            return (char *)b + at;
        }
    }
    if (size > SIZE_MAX / 2) {
        wa_error(WASHI_NO_MEMORY, "no memory for %zu bytes", size);
        return NULL;
    }
    size_t need = sizeof *b + align + size, usual = a->next ? a->next : FIRST_BLOCK;
    if (need > usual / 4) usual = need < LARGEST_BLOCK / 4 ? 4 * need : LARGEST_BLOCK;
    bool alone = need > usual / 4;
    size_t bytes = alone ? need : usual;
    b = washi_resize(a->w, NULL, 0, bytes);
    if (!b) return NULL;
    if (!alone) a->next = usual < LARGEST_BLOCK / 4 ? 4 * usual : LARGEST_BLOCK;
    uintptr_t base = (uintptr_t)b, at = (base + sizeof *b + align - 1) / align * align - base;
    b->size = bytes;
    b->used = at + size;
    /* A big piece fills its block: the one in use stays in front. */
    struct wa_block **where = !alone || !a->blocks ? &a->blocks : &a->blocks->next;
    b->next = *where;
    *where = b;
    return (char *)b + at;
}

void wa_arena_free(struct wa_arena *a)
{
    while (a->blocks) {
        struct wa_block *b = a->blocks;
        a->blocks = b->next;
        wa_free(a->w, b, b->size);
    }
}

washi_status washi_array_new(washi *w, washi_dtype type, washi_shape shape, washi_array *out)
{
    if (!w || !out) return wa_error(WASHI_MISUSE, "array_new: the context or the result is NULL");
    memset(out, 0, sizeof *out);
    if (!washi_dtype_size(type))
        return wa_error(WASHI_BAD_TYPE, "array_new: there is no type %d", (int)type);
    if (washi_size(shape) < 0) {
        char text[WA_SHAPE_TEXT];
        return wa_error(WASHI_BAD_SHAPE, "array_new: %s is no shape", wa_shape_text(shape, text));
    }
    size_t size = wa_shape_bytes(shape, type);
    void *data = wa_new_aligned(w, size);
    if (!data) return WASHI_NO_MEMORY;
    memset(data, 0, size);
    *out = (washi_array){type, shape, data};
    return WASHI_OK;
}

void washi_release(washi *w, washi_array *a)
{
    if (!w || !a) return;
    /* Borrowed pointers are const; what array_new gave is ours to free. */
    if (a->data) wa_free_aligned(w, (void *)(uintptr_t)a->data, wa_shape_bytes(a->shape, a->type));
    memset(a, 0, sizeof *a);
}
