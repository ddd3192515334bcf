/* files.h: what the tests of files share: a folder that goes again, files made of bytes, and a context
 * whose allocator counts. */
#ifndef FILES_H
#define FILES_H

#include "on_tape.h"

/* Of the running test: its folder, and a file in it. Its context is w, without a tape. */
extern char folder[256], file[300];

/* A test's beginning and end. The end finds nothing left of memory, and nothing in the folder but the
 * file. */
void setup_files(void);
void teardown_files(void);

struct bytes {
    size_t size;
    unsigned char at[8192];
};
void append(struct bytes *b, const void *from, size_t size);
void append_text(struct bytes *b, const char *text);
/* The low bytes of x, as many as width; the lowest first unless big_endian. */
void append_number(struct bytes *b, uint64_t x, int width, bool big_endian);

void write_file(const void *from, size_t size);
/* What is in the file, or what begins it. */
struct bytes read_file(void);
/* How many names are in the folder. */
int files_in_folder(void);

/* The i-th damage to a byte: its bits flipped one by one, then what has a meaning in some format. */
enum { DAMAGES = 41 };
unsigned char damaged(unsigned char byte, int i);

/* The last failure is this one, in one sentence that names the file. */
void said(washi_status wanted, washi_status status, const char *why);

/* The ways in which a file cannot be written, and whether it is so in the way given: a process of its
 * own is refused, by a sentence that names the path, and what was in the file stays. */
enum { UNWRITABLE = 6 };
void cannot_write(int way, washi_status (*write)(const char *path));

#endif
