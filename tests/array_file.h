/* array_file.h: what the tests of IDX and npy share: a file of one array is accepted, or refused. */
#ifndef ARRAY_FILE_H
#define ARRAY_FILE_H

#include "files.h"

/* The format's reader, set by main. */
extern washi_status (*read_array)(washi *w, const char *path, washi_array *out);

/* The file is refused with this status and with one sentence that names it; nothing is kept. The second
 * writes it first. */
void refused(washi_status status, const char *why);
void refused_bytes(washi_status status, const struct bytes *b, const char *why);

/* The file has this array, at an address that kernels like; the second writes it first. */
void accepted(washi_dtype type, washi_shape shape, const void *data);
void accepted_bytes(const struct bytes *b, washi_dtype type, washi_shape shape, const void *data);

/* How many allocations reading the file takes; each fails in turn, and nothing is kept. */
long each_allocation_fails(void);

/* Without a context, a path or a place for the array; a file that is not there. */
void reports_misuse_of_reader(void);

#endif
