/* io.h: what the files of lib/io share: reading a file, replacing one, elements of any type. */
#ifndef WASHI_IO_H
#define WASHI_IO_H

#define _XOPEN_SOURCE 700 /* files as POSIX has them; so this header comes first */
#include "washi.h"

#include <limits.h>

/* -- failures ---------------------------------------------------------------------------------- */

/* "PATH: sentence". What comes from a file's content, such as names, is shown without its control
 * characters. */
washi_status wa_io_fail(const char *path, washi_status status, const char *format, ...)
    WASHI_PRINTF(3, 4);
/* WASHI_IO with the system's sentence for an errno. */
washi_status wa_io_error(const char *path, int error);

/* -- a file being read ------------------------------------------------------------------------- */

struct wa_input {
    const char *path;
    int fd;
    uint64_t bytes; /* of the whole file */
};

/* Opens a regular file; anything else is WASHI_IO. */
washi_status wa_io_open(struct wa_input *in, const char *path);
/* The next n bytes, or what there is of them: *got. A wa_pull, whose source is a wa_input. */
washi_status wa_io_read(void *source, void *to, size_t n, size_t *got);
/* Exactly the next n bytes, of a file known to have them: WASHI_BAD_FILE if it has shrunk. */
washi_status wa_io_read_all(struct wa_input *in, void *to, size_t n);
void wa_io_close(struct wa_input *in);

/* -- a file being written ---------------------------------------------------------------------- */

/* All of a new file, or the old one as it was: bytes go to a temporary file in the target's folder,
 * which takes the target's name when they are on the disk. The caller ends with finish or, after a
 * failure, discard. */
struct wa_output {
    const char *path;      /* as the caller named it */
    char target[PATH_MAX]; /* what a symbolic link led to */
    char temporary[PATH_MAX + 48];
    int fd;
    size_t used;
    unsigned char buffer[16384];
};

/* WASHI_IO when there is something else than a regular file by that name. */
washi_status wa_io_create(struct wa_output *out, const char *path);
washi_status wa_io_put(struct wa_output *out, const void *from, size_t n);
washi_status wa_io_finish(struct wa_output *out);
void wa_io_discard(struct wa_output *out);

/* -- elements ---------------------------------------------------------------------------------- */

/* An element type of a file, and the type that holds its values exactly. */
struct wa_kind {
    char letter; /* 'f'loat, 'b'float16, 'i'nteger, 'u'nsigned, '?' for truth: NumPy's letters */
    unsigned char width; /* bytes in the file */
};

/* The type that takes this kind's values: f2 bf2 f4 -> F32, f8 -> F64, i and u of 1 2 4 8 bytes -> I32,
 * but u1 and truth -> U8. False when there is none. */
bool wa_io_type(struct wa_kind kind, washi_dtype *type);
/* Whether this machine stores the lowest byte first. */
bool wa_io_little_endian(void);

/* Gives the next n bytes, or fewer at the end of what there is. */
typedef washi_status wa_pull(void *source, void *to, size_t n, size_t *got);
/* What a kind's elements are read from; name stands in messages. */
struct wa_elements {
    const char *path, *name; /* name: "its elements", "tensor dense/kernel" */
    struct wa_kind kind;
    bool big_endian;
    wa_pull *pull;
    void *source;
};
/* n elements into memory for them. WASHI_BAD_FILE: cut off, or a truth value that is neither 0 nor 1;
 * WASHI_BAD_VALUE: an integer beyond I32. */
washi_status wa_io_elements(const struct wa_elements *e, size_t n, void *to);
/* Whether there can be an array like this at all; who begins the sentence: "write_npy: the array". */
washi_status wa_io_check_array(const char *who, const washi_array *a);

/* -- names ------------------------------------------------------------------------------------- */

/* Sorts n pointers, in place and without memory, in n log n steps whatever their order (libc's qsort
 * allocates, and may take n^2). compare is given two of them, as qsort's is given two elements. */
void wa_io_sort(size_t n, const void *item[], int (*compare)(const void *a, const void *b));
/* Sorts n names; returns one that is there twice, or NULL. */
const char *wa_io_twice(size_t n, const char *name[]);
/* Whether a text of that length is well-formed UTF-8 (RFC 3629). */
bool wa_io_utf8(const char *text, size_t length);

/* -- safetensors ------------------------------------------------------------------------------- */

/* The longest header there may be, as in the format's reference implementation. */
enum { WA_SAFETENSORS_HEADER = 100000000 };

#endif
