/* slab.c: best fit among the holes of a slab, which are in two treaps (Seidel and Aragon 1996): by
 * their places, to find those that a piece given back touches, and by their sizes. */
#include "autodiff/slab.h"

enum { BY_PLACE, BY_SIZE };

struct wa_hole {
    size_t begin, end;
    uint32_t priority; /* no smaller than those of its children */
    int child[2][2];   /* by treap: the root of what is before it, and after; -1: nothing */
};

static bool before(const struct wa_slab *s, int treap, int a, int b)
{
    const struct wa_hole *x = &s->holes[a], *y = &s->holes[b];
    const size_t of = x->end - x->begin, than = y->end - y->begin;
    if (treap == BY_SIZE && of != than) return of < than;
    return x->begin < y->begin;
}

static int *child(const struct wa_slab *s, int treap, int hole, int side)
{
    return &s->holes[hole].child[treap][side];
}

static void insert(struct wa_slab *s, int treap, int hole)
{
    int *at = &s->root[treap];
    while (*at >= 0 && s->holes[*at].priority >= s->holes[hole].priority)
        at = child(s, treap, *at, before(s, treap, *at, hole));
    int rest = *at, *left = child(s, treap, hole, 0), *right = child(s, treap, hole, 1);
    *at = hole;
    while (rest >= 0) {
        const bool first = before(s, treap, rest, hole);
        int **side = first ? &left : &right;
        **side = rest;
        *side = child(s, treap, rest, first);
        rest = **side;
    }
    *left = *right = -1;
}

static void erase(struct wa_slab *s, int treap, int hole)
{
    int *at = &s->root[treap];
    while (*at != hole) at = child(s, treap, *at, before(s, treap, *at, hole));
    int left = *child(s, treap, hole, 0), right = *child(s, treap, hole, 1);
    while (left >= 0 && right >= 0) {
        const bool first = s->holes[left].priority >= s->holes[right].priority;
        int *side = first ? &left : &right;
        *at = *side;
        at = child(s, treap, *at, first);
        *side = *at;
    }
    *at = left >= 0 ? left : right;
}

static void add(struct wa_slab *s, size_t begin, size_t end)
{
    int hole = s->spare;
    if (hole >= 0)
        s->spare = *child(s, BY_PLACE, hole, 0);
    else
        hole = s->used++;
    uint32_t mixed = (uint32_t)hole * 0x9E3779B9u;
    s->holes[hole] = (struct wa_hole){.begin = begin, .end = end, .priority = mixed ^ mixed >> 15};
    insert(s, BY_PLACE, hole);
    insert(s, BY_SIZE, hole);
}

static void drop(struct wa_slab *s, int hole)
{
    erase(s, BY_PLACE, hole);
    erase(s, BY_SIZE, hole);
    *child(s, BY_PLACE, hole, 0) = s->spare;
    s->spare = hole;
}

/* The last hole that begins before this offset; -1: none. */
static int hole_before(const struct wa_slab *s, size_t at)
{
    int found = -1;
    for (int i = s->root[BY_PLACE]; i >= 0;) {
        const bool first = s->holes[i].begin < at;
        if (first) found = i;
        i = *child(s, BY_PLACE, i, first);
    }
    return found;
}

/* The smallest hole that is large enough; -1: none. */
static int hole_for(const struct wa_slab *s, size_t size)
{
    int found = -1;
    for (int i = s->root[BY_SIZE]; i >= 0;) {
        const bool small = s->holes[i].end - s->holes[i].begin < size;
        if (!small) found = i;
        i = *child(s, BY_SIZE, i, small);
    }
    return found;
}

bool wa_slab_open(struct wa_slab *s, struct wa_arena *a, size_t pieces)
{
    *s = (struct wa_slab){.root = {-1, -1}, .spare = -1};
    s->holes = wa_arena_new(a, (pieces + 2) * sizeof *s->holes, _Alignof(struct wa_hole));
    return s->holes;
}

size_t wa_slab_take(struct wa_slab *s, size_t size)
{
    int hole = hole_for(s, size);
    if (hole < 0) {
        hole = hole_before(s, s->top);
        if (hole >= 0 && s->holes[hole].end != s->top) hole = -1;
        const size_t at = hole < 0 ? s->top : s->holes[hole].begin;
        if (hole >= 0) drop(s, hole);
        s->top = at + size;
        return at;
    }
    const struct wa_hole was = s->holes[hole];
    drop(s, hole);
    if (was.begin + size < was.end) add(s, was.begin + size, was.end);
    return was.begin;
}

void wa_slab_give(struct wa_slab *s, size_t at, size_t size)
{
    size_t begin = at, end = at + size;
    const int left = hole_before(s, at);
    if (left >= 0 && s->holes[left].end == begin) {
        begin = s->holes[left].begin;
        drop(s, left);
    }
    const int right = hole_before(s, end + 1);
    if (right >= 0 && s->holes[right].begin == end) {
        end = s->holes[right].end;
        drop(s, right);
    }
    add(s, begin, end);
}
