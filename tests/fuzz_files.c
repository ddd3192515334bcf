/* fuzz_files.c: the readers of IDX, npy and safetensors on damaged files: each is read or refused,
 * within bounds (the sanitizers watch), without a leak and without memory out of proportion; what was
 * read is written, read again and equal.
 *
 *     fuzz_files [seconds [seed]]     damages files made here, the same for the same seed
 *
 * With -DWASHI_LIBFUZZER it is libFuzzer's target instead (tools/fuzz.sh): the first byte of an input
 * picks the format. */
#define _GNU_SOURCE /* memfd_create */
#include <washi.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

enum { ROOM = 4096, MOST_MEMORY = 1 << 22 };
enum format { IDX, NPY, SAFETENSORS, FORMATS };

struct input {
    size_t size;
    unsigned char at[ROOM];
};

static void fail(const char *what)
{
    fprintf(stderr, "fuzz_files: %s: %s\n", what, washi_message());
    abort();
}

/* -- a context that counts ----------------------------------------------------------------------- */

static size_t live;

static void *counted(void *user, void *block, size_t old_size, size_t new_size)
{
    (void)user;
    if (new_size == 0) {
        live -= old_size;
        free(block);
        return NULL;
    }
    if (live - old_size + new_size > MOST_MEMORY) return NULL;
    void *grown = realloc(block, new_size);
    if (grown) live += new_size - old_size;
    return grown;
}

/* -- one input ----------------------------------------------------------------------------------- */

static int file = -1;
static char path[64], copy[64];

static void put_file(const unsigned char *data, size_t size)
{
    if (file < 0) {
        file = memfd_create("fuzz", MFD_CLOEXEC);
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
        const char *folder =
            access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"; /* no disk to wait for */
        snprintf(copy, sizeof copy, "%s/washi-fuzz-%ld", folder, (long)getpid());
    }
    if (file < 0 || ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != (ssize_t)size) abort();
}

static bool same(const washi_array *a, const washi_array *b)
{
    const int64_t n = washi_size(a->shape);
    if (n < 0 || (n > 0 && !a->data)) fail("an array without data");
    return a->type == b->type && a->shape.rank == b->shape.rank &&
           memcmp(a->shape.dim, b->shape.dim, (size_t)a->shape.rank * sizeof *a->shape.dim) == 0 &&
           (n == 0 || memcmp(a->data, b->data, (size_t)n * washi_dtype_size(a->type)) == 0);
}

/* Any array can be an npy file, an IDX file's too. */
static void array_again(washi *w, const washi_array *a)
{
    washi_array b;
    if (washi_write_npy(copy, a) || washi_read_npy(w, copy, &b)) fail("npy again");
    if (!same(a, &b)) fail("npy differs");
    washi_release(w, &b);
}

static void safetensors_again(washi *w, const washi_safetensors *s)
{
    washi_safetensors t;
    if (washi_write_safetensors(w, copy, s) || washi_read_safetensors(w, copy, &t))
        fail("safetensors again");
    if (s->arrays != t.arrays || s->lines != t.lines) fail("safetensors differ in number");
    for (int i = 0; i < s->arrays; i++) { /* the writer may have put them in another order */
        int k = 0;
        while (k < t.arrays && strcmp(s->array[i].name, t.array[k].name) != 0) k++;
        if (k == t.arrays || !same(&s->array[i].array, &t.array[k].array)) fail("safetensors differ");
    }
    for (int i = 0; i < s->lines; i++)
        if (strcmp(s->metadata[i].key, t.metadata[i].key) != 0 ||
            strcmp(s->metadata[i].value, t.metadata[i].value) != 0)
            fail("metadata differ");
    washi_safetensors_free(w, &t);
}

/* Whether it was read; again: it is written and read once more, which takes the disk. */
static bool read_one(washi *w, enum format format, const unsigned char *data, size_t size, bool again)
{
    const size_t before = live;
    washi_status status;
    put_file(data, size);
    if (format == SAFETENSORS) {
        washi_safetensors s;
        status = washi_read_safetensors(w, path, &s);
        if (status == WASHI_OK && again) safetensors_again(w, &s);
        washi_safetensors_free(w, &s);
    } else {
        washi_array a;
        status = format == IDX ? washi_read_idx(w, path, &a) : washi_read_npy(w, path, &a);
        if (status == WASHI_OK && again) array_again(w, &a);
        washi_release(w, &a);
    }
    if (again && status == WASHI_OK) unlink(copy);
    if (live != before) fail("memory is left");
    if (status == WASHI_MISUSE || status == WASHI_IO || status == WASHI_UNSUPPORTED)
        fail("a wrong status");
    return status == WASHI_OK;
}

static washi *context(void)
{
    static washi *w;
    if (!w && washi_open(&w, &(washi_options){.resize = counted, .threads = 1})) fail("no context");
    return w;
}

#ifdef WASHI_LIBFUZZER

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0) read_one(context(), (enum format)(data[0] % FORMATS), data + 1, size - 1, false);
    return 0;
}

#else

/* -- good files, to be damaged --------------------------------------------------------------------- */

static uint64_t state;

static size_t below(size_t end) /* SplitMix64 */
{
    uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (size_t)((z ^ z >> 31) % end);
}

static void append(struct input *in, const void *from, size_t n)
{
    if (n > ROOM - in->size) n = ROOM - in->size;
    memcpy(in->at + in->size, from, n);
    in->size += n;
}

static void append_text(struct input *in, const char *text) { append(in, text, strlen(text)); }

static void append_bytes(struct input *in, size_t n)
{
    for (size_t i = 0; i < n; i++) append(in, &(unsigned char){(unsigned char)i}, 1);
}

static struct input idx(void)
{
    static const unsigned char codes[] = {8, 9, 11, 12, 13, 14}, widths[] = {1, 1, 2, 4, 4, 8};
    const size_t kind = below(6);
    struct input in = {0};
    append(&in, (unsigned char[]){0, 0, codes[kind], 2, 0, 0, 0, 3, 0, 0, 0, 2}, 12);
    append_bytes(&in, 6 * widths[kind]);
    return in;
}

static struct input npy(void)
{
    static const char *const types[] = {"<f4", ">f8", "<f2", "|i1", ">i2", "<i4",
                                        "<i8", "|u1", "<u4", ">u8", "|b1"};
    const char *type = types[below(11)];
    char text[200];
    const int n =
        snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': %s, 'shape': (3, 2), }\n", type,
                 below(2) ? "True" : "False");
    struct input in = {0};
    append(&in, "\x93NUMPY\1\0", 8);
    append(&in, (unsigned char[]){(unsigned char)n, 0}, 2);
    append_text(&in, text);
    append_bytes(&in, 6 * (size_t)(type[2] - '0'));
    return in;
}

/* Without its length, which is put before it after the damage. */
static struct input safetensors(size_t *data)
{
    static const char *const headers[] = {
        "{\"__metadata__\":{\"k\":\"v\",\"l\":\"\"},\"b\":{\"dtype\":\"U8\",\"shape\":[2,2],\"data_"
        "offsets\":[4,8]},"
        "\"a\":{\"dtype\":\"I16\",\"shape\":[2],\"data_offsets\":[0,4]}}",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},\"y\":{\"dtype\":\"F64\","
        "\"shape\":[0,3],"
        "\"data_offsets\":[4,4]},\"z\\u00e9\\ud83d\\ude00\":{\"dtype\":\"BF16\",\"shape\":[1,2],\"data_"
        "offsets\":[4,8]}}",
        "{\"t\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}}   ",
    };
    struct input in = {0};
    append_text(&in, headers[below(3)]);
    *data = 8;
    return in;
}

/* -- damage -------------------------------------------------------------------------------------- */

static void splice(struct input *in, size_t at, size_t out, const void *from, size_t n)
{
    struct input result = {0};
    if (out > in->size - at) out = in->size - at;
    append(&result, in->at, at);
    append(&result, from, n);
    append(&result, in->at + at + out, in->size - at - out);
    *in = result;
}

/* What has a meaning in some format. */
// clang-format off
static const char *const tokens[] = {
    "{", "}", "[", "]", ",", ":", "\"", "'", "(", ")", "\\", " ", "0", "1", "2", "8", "-1", "1e1",
    "4.0", "true", "null", "True", "\\u0041", "\\ud83d", "\xff", "\xc3\xa9", "\"a\":{}", "dtype",
    "shape", "data_offsets", "F32", "U8", "BOOL", "<f4", ">i8", "18446744073709551615",
    "9223372036854775807", "4294967296", "2147483648", "__metadata__", "descr", "fortran_order"};
// clang-format on

static void damage(struct input *in)
{
    const size_t at = below(in->size + 1), length = below(4) ? 1 + below(4) : 1 + below(40);
    const char *token = tokens[below(sizeof tokens / sizeof *tokens)];
    unsigned char part[40];
    switch (below(6)) {
    case 0:
        if (at < in->size) in->at[at] ^= (unsigned char)(1 << below(8));
        break;
    case 1: splice(in, at, 0, token, strlen(token)); break;
    case 2: splice(in, at, below(12), token, strlen(token)); break;
    case 3: splice(in, at, length, "", 0); break;
    case 4: /* a part of it, elsewhere */
        if (in->size < length) break;
        memcpy(part, in->at + below(in->size - length + 1), length);
        splice(in, at, below(2) ? length : 0, part, length);
        break;
    default: splice(in, at, 1, &(unsigned char){(unsigned char)below(256)}, 1);
    }
}

static struct input gzipped(const struct input *in)
{
    struct input out = {0};
    z_stream z = {0};
    if (deflateInit2(&z, 1, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) abort();
    z.next_in = (Bytef *)(uintptr_t)in->at;
    z.avail_in = (uInt)in->size;
    z.next_out = out.at;
    z.avail_out = ROOM;
    deflate(&z, Z_FINISH);
    out.size = ROOM - z.avail_out;
    deflateEnd(&z);
    return out;
}

static struct input damaged(enum format format)
{
    size_t data = 0;
    struct input in = format == IDX ? idx() : format == NPY ? npy() : safetensors(&data);
    for (size_t i = below(4) ? below(2) : below(6); i > 0; i--) damage(&in);
    if (format == IDX && below(3) == 0) {
        in = gzipped(&in);
        if (below(2)) damage(&in);
    }
    if (format == SAFETENSORS) {
        unsigned char length[8] = {(unsigned char)in.size, (unsigned char)(in.size >> 8)};
        if (below(20) == 0) length[below(8)] = (unsigned char)below(256);
        append_bytes(&in, below(20) ? data : below(20));
        splice(&in, 0, 0, length, sizeof length);
    }
    return in;
}

int main(int argc, char **argv)
{
    const double seconds = argc > 1 ? strtod(argv[1], NULL) : 3;
    state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    long count[FORMATS] = {0}, fine[FORMATS] = {0};
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        for (int i = 0; i < 300; i++) {
            const enum format format = (enum format)(i % FORMATS);
            const struct input in = damaged(format);
            count[format]++;
            fine[format] += read_one(context(), format, in.at, in.size, below(20) == 0);
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((double)(now.tv_sec - begin.tv_sec) + 1e-9 * (double)(now.tv_nsec - begin.tv_nsec) <
             seconds);
    static const char *const names[] = {"idx", "npy", "safetensors"};
    int bad = 0;
    for (int i = 0; i < FORMATS; i++) {
        printf("%-11s %ld files, %ld of them read\n", names[i], count[i], fine[i]);
        bad |= fine[i] == 0 || fine[i] == count[i]; /* then nothing was tried */
    }
    washi_close(context());
    close(file);
    return bad || live != 0;
}

#endif
