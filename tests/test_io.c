/* test_io.c: the IDX reader on good files of every type, and on truncated, oversized, damaged and
 * lying ones. Every test runs on an allocator that counts, and ends with nothing left. */
#define _XOPEN_SOURCE 700
#include "array_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* -- files made here --------------------------------------------------------------------------- */

static struct bytes header(int code, int rank, const uint32_t sizes[])
{
    struct bytes b = {4, {0, 0, (unsigned char)code, (unsigned char)rank}};
    for (int i = 0; i < rank; i++) append_number(&b, sizes[i], 4, true);
    return b;
}

/* One gzip member with these contents; room tells how much there is at to. */
static size_t gzip(const void *from, size_t size, unsigned char *to, size_t room)
{
    z_stream z = {0};
    ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)from;
    z.avail_in = (uInt)size;
    z.next_out = to;
    z.avail_out = (uInt)room;
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    ck_assert_int_eq(deflateEnd(&z), Z_OK);
    return room - z.avail_out;
}

static struct bytes gzipped(const struct bytes *b)
{
    struct bytes out = {0};
    out.size = gzip(b->at, b->size, out.at, sizeof out.at);
    return out;
}

/* -- expectations ------------------------------------------------------------------------------ */

/* A file of 3 x 5 pixels, the sample of most tests below. */
static struct bytes pixels(void)
{
    struct bytes b = header(0x08, 2, (uint32_t[]){3, 5});
    for (unsigned i = 0; i < 15; i++) append(&b, &(unsigned char){(unsigned char)(i * 17)}, 1);
    return b;
}

static void accepted_pixels(void)
{
    const struct bytes b = pixels();
    accepted(WASHI_U8, SHAPE(3, 5), b.at + 12);
}

/* -- good files -------------------------------------------------------------------------------- */

static const struct sample {
    int code;
    washi_dtype type;
    unsigned char file[24]; /* three elements as they stand in the file */
    union {
        unsigned char u8[3];
        int32_t i32[3];
        uint32_t f32[3]; /* as bits */
        uint64_t f64[3];
    } want;
} samples[] = {
    {0x08, WASHI_U8, {0, 128, 255}, {.u8 = {0, 128, 255}}},
    {0x09, WASHI_I32, {0x80, 0xff, 0x7f}, {.i32 = {-128, -1, 127}}},
    {0x0b, WASHI_I32, {0x80, 0, 0xff, 0xfe, 0x12, 0x34}, {.i32 = {-32768, -2, 0x1234}}},
    {0x0c,
     WASHI_I32,
     {0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x12, 0x34, 0x56, 0x78},
     {.i32 = {INT32_MIN, -1, 0x12345678}}},
    {0x0d, /* 1.5, -0.0 and a NaN with a payload */
     WASHI_F32,
     {0x3f, 0xc0, 0, 0, 0x80, 0, 0, 0, 0x7f, 0xc0, 0x12, 0x34},
     {.f32 = {0x3fc00000, 0x80000000, 0x7fc01234}}},
    {0x0e, /* 1.5, -infinity and the smallest denormal */
     WASHI_F64,
     {0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xff, 0xf0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
     {.f64 = {0x3ff8000000000000, 0xfff0000000000000, 1}}},
};

START_TEST(reads_every_type_plain_and_gzip)
{
    static const size_t width[] = {
        [0x08] = 1, [0x09] = 1, [0x0b] = 2, [0x0c] = 4, [0x0d] = 4, [0x0e] = 8};
    const struct sample *s = &samples[_i];
    struct bytes b = header(s->code, 1, (uint32_t[]){3});
    append(&b, s->file, 3 * width[s->code]);
    accepted_bytes(&b, s->type, SHAPE(3), &s->want);
    b = gzipped(&b);
    accepted_bytes(&b, s->type, SHAPE(3), &s->want);
}
END_TEST

START_TEST(reads_every_rank)
{
    const uint32_t sizes[WASHI_MAX_RANK] = {2, 1, 3, 1, 1, 2, 1, 2};
    washi_shape shape = {0};
    unsigned char data[24];
    for (unsigned i = 0; i < sizeof data; i++) data[i] = (unsigned char)(i + 1);
    for (int rank = 1; rank <= WASHI_MAX_RANK; rank++) {
        shape.dim[shape.rank++] = sizes[rank - 1];
        struct bytes b = header(0x08, rank, sizes);
        append(&b, data, (size_t)washi_size(shape));
        accepted_bytes(&b, WASHI_U8, shape, data);
    }
}
END_TEST

START_TEST(reads_empty_axes)
{
    const uint32_t sizes[][4] = {{0, 28, 28, 1}, {3, 0, 5, 1}, {0, 0, 0, 0}, {1, 1, 1, 0}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        washi_shape shape = {4, {sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3]}};
        struct bytes b = header(0x0b, 4, sizes[i]);
        accepted_bytes(&b, WASHI_I32, shape, NULL);
        append(&b, "", 1);
        refused_bytes(WASHI_BAD_FILE, &b, "a byte in an empty array");
    }
}
END_TEST

/* The densest gzip there is: the bound on what a gzip file can hold must not refuse it. */
START_TEST(reads_the_densest_gzip)
{
    const uint32_t size = 1u << 24;
    const struct bytes head = header(0x08, 1, &size);
    unsigned char *plain = calloc(1, head.size + size), *packed = malloc(1 << 16);
    memcpy(plain, head.at, head.size);
    write_file(packed, gzip(plain, head.size + size, packed, 1 << 16));
    accepted(WASHI_U8, SHAPE(size), plain + head.size);
    free(plain);
    free(packed);
}
END_TEST

START_TEST(reads_gzip_of_several_members)
{
    const struct bytes b = pixels(), none = {0};
    for (size_t cut = 0; cut <= b.size; cut++) {
        struct bytes first = {0}, second = {0};
        append(&first, b.at, cut);
        append(&second, b.at + cut, b.size - cut);
        struct bytes all = gzipped(&first), more = gzipped(&second), last = gzipped(&none);
        append(&all, more.at, more.size);
        append(&all, last.at, last.size);
        write_file(all.at, all.size);
        accepted_pixels();
    }
}
END_TEST

/* -- bad files --------------------------------------------------------------------------------- */

START_TEST(refuses_truncated_files)
{
    const struct bytes whole = pixels(), packed = gzipped(&whole);
    for (size_t size = 0; size < whole.size; size++) {
        struct bytes b = {0};
        append(&b, whole.at, size);
        refused_bytes(WASHI_BAD_FILE, &b, "a truncated file");
        b = gzipped(&b);
        refused_bytes(WASHI_BAD_FILE, &b, "gzip of a truncated file");
    }
    for (size_t size = 0; size < packed.size; size++) {
        struct bytes b = {0};
        append(&b, packed.at, size);
        refused_bytes(WASHI_BAD_FILE, &b, "truncated gzip");
    }
    write_file(packed.at, packed.size);
    accepted_pixels();
}
END_TEST

START_TEST(refuses_trailing_bytes)
{
    const struct bytes whole = pixels(), packed = gzipped(&whole);
    for (int value = 0; value < 256; value++) {
        const unsigned char byte = (unsigned char)value;
        struct bytes b = whole, one = {1, {byte}}, member = gzipped(&one);
        append(&b, &byte, 1);
        const long before = heap.calls;
        refused_bytes(WASHI_BAD_FILE, &b, "a trailing byte");
        ck_assert_int_eq(heap.calls, before); /* a plain file's length says it all */
        b = gzipped(&b);
        refused_bytes(WASHI_BAD_FILE, &b, "a trailing byte inside gzip");
        b = packed;
        append(&b, &byte, 1);
        refused_bytes(WASHI_BAD_FILE, &b, "a trailing byte after gzip");
        b = packed;
        append(&b, member.at, member.size);
        refused_bytes(WASHI_BAD_FILE, &b, "a trailing byte in a second member");
    }
}
END_TEST

/* Every bit flipped: refused, but for the few that say nothing of the content (the time and the system
 * in gzip's header, the bits that fill deflate's last byte): those change nothing. */
START_TEST(refuses_damaged_gzip)
{
    const struct bytes whole = pixels(), packed = gzipped(&whole);
    int harmless = 0;
    for (size_t bit = 0; bit < packed.size * 8; bit++) {
        struct bytes b = packed;
        b.at[bit / 8] ^= (unsigned char)(1u << bit % 8);
        washi_array a;
        write_file(b.at, b.size);
        if (washi_read_idx(w, file, &a) == WASHI_OK) {
            washi_release(w, &a);
            accepted_pixels();
            harmless += bit >= 10 * 8;
        } else {
            refused(WASHI_BAD_FILE, "a flipped bit");
        }
    }
    ck_assert_int_le(harmless, 7);
}
END_TEST

START_TEST(refuses_other_formats)
{
    for (int value = 1; value < 256; value++) {
        struct bytes b = pixels();
        b.at[value % 2] = (unsigned char)value;
        refused_bytes(WASHI_BAD_FILE, &b, "a first byte that is not 0");
    }
    for (int code = 0; code < 256; code++) {
        if (code >= 0x08 && code <= 0x0e && code != 0x0a) continue;
        struct bytes b = pixels();
        b.at[2] = (unsigned char)code;
        refused_bytes(WASHI_BAD_FILE, &b, "an element type there is not");
    }
    for (int rank = 0; rank < 256; rank++) {
        if (rank >= 1 && rank <= WASHI_MAX_RANK) continue;
        struct bytes b = {4, {0, 0, 0x08, (unsigned char)rank}};
        b.size = rank ? 4 + 4 * (size_t)rank : 5; /* all sizes 0, or the one element of a scalar */
        refused_bytes(WASHI_BAD_FILE, &b, "a rank beyond what washi has");
    }
}
END_TEST

/* Sizes that overflow, and sizes that only lie: refused before any memory is asked for, but for what
 * zlib needs. */
START_TEST(refuses_lying_sizes_without_allocating)
{
    const uint32_t m = UINT32_MAX;
    static const int codes[] = {0x08, 0x09, 0x0b, 0x0c, 0x0d, 0x0e};
    const uint32_t sizes[][8] = {
        {m, m, m, m, m, m, m, m},
        {m, m, 1, 1, 1, 1, 1, 1},
        {1u << 31, 1u << 31, 2, 1, 1, 1, 1, 1},
        {m, 1, 1, 1, 1, 1, 1, 1},
        {1u << 30, 4, 1, 1, 1, 1, 1, 1},
        {0, m, m, m, m, m, m, m},
        {1u << 16, 1u << 16, 1u << 16, 1u << 16, 1, 1, 1, 1},
        {100000, 1, 1, 1, 1, 1, 1, 1000},
    };
    struct bytes other = pixels();
    other.at[2] = 0;
    other = gzipped(&other);
    long before = heap.calls;
    refused_bytes(WASHI_BAD_FILE, &other, "another format in gzip");
    const long of_zlib = heap.calls - before;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t c = 0; c < sizeof codes / sizeof *codes; c++) {
            struct bytes b = header(codes[c], 8, sizes[i]);
            append(&b, "elements", 8);
            before = heap.calls;
            refused_bytes(WASHI_BAD_FILE, &b, "lying sizes");
            ck_assert_int_eq(heap.calls, before);
            b = gzipped(&b);
            refused_bytes(WASHI_BAD_FILE, &b, "lying sizes in gzip");
            ck_assert_int_eq(heap.calls, before + of_zlib);
        }
    }
}
END_TEST

/* -- what is no file, and no memory ------------------------------------------------------------ */

START_TEST(reports_what_cannot_be_read)
{
    reports_misuse_of_reader();
    ck_assert_int_eq(mkdir(file, 0700), 0);
    refused(WASHI_IO, "a folder");
    ck_assert_ptr_nonnull(strstr(washi_message(), "Is a directory"));
    ck_assert_int_eq(rmdir(file), 0);
    ck_assert_int_eq(mkfifo(file, 0600), 0);
    refused(WASHI_IO, "a pipe");
}
END_TEST

START_TEST(survives_every_allocation_failing)
{
    const struct bytes plain = pixels(), packed = gzipped(&plain);
    write_file(plain.at, plain.size);
    ck_assert_int_ge(each_allocation_fails(), 1);
    write_file(packed.at, packed.size);
    ck_assert_int_ge(each_allocation_fails(), 2); /* zlib's too come from the context */
    accepted_pixels();
}
END_TEST

int main(void)
{
    read_array = washi_read_idx;
    TCase *all = CASE("idx", setup_files, teardown_files, reads_every_rank, reads_empty_axes,
                      reads_the_densest_gzip, reads_gzip_of_several_members, refuses_truncated_files,
                      refuses_trailing_bytes, refuses_damaged_gzip, refuses_other_formats,
                      refuses_lying_sizes_without_allocating, reports_what_cannot_be_read,
                      survives_every_allocation_failing);
    tcase_add_loop_test(all, reads_every_type_plain_and_gzip, 0, sizeof samples / sizeof *samples);
    return RUN_SUITE("idx", all);
}
