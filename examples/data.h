/* data.h: the image sets in the format of the MNIST database. */
#ifndef DATA_H
#define DATA_H

#include <washi.h>

/* The images of a set, such as "train", with their labels. */
struct set {
    washi_array x, y;
};

/* The set of this name, from the folder's files, plain or .gz; says on stdout how many images it has.
 * Fails as the examples do: one line and exit 1. */
struct set load_set(washi *w, const char *folder, const char *name);
void free_set(washi *w, struct set *s);

#endif
