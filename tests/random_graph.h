/* random_graph.h: values made of one another by ops drawn at random. */
#ifndef RANDOM_GRAPH_H
#define RANDOM_GRAPH_H

#include "support.h"

enum { MOST_VALUES = 64 };

/* Values of a graph in the making. All stay within a few units, so that differences say something. */
struct graph {
    uint64_t seed;
    washi_tape *tape;
    washi_dtype type;
    int count;
    washi_tensor *value[MOST_VALUES];
};

/* A value made of those there are; NULL after an error. */
washi_tensor *grown(struct graph *g);

#endif
