/* test_safetensors.c: safetensors files of every type; truncated, damaged and lying ones. */
#define _XOPEN_SOURCE 700
#include "test_safetensors.h"

#include <stdlib.h>
#include <unistd.h>

/* -- good files -------------------------------------------------------------------------------- */

START_TEST(reads_every_type)
{
    static const struct {
        const char *dtype;
        int width;
        uint64_t file[2];
        washi_dtype type;
        uint64_t want[2];
    } samples[] = {
        {"F32", 4, {0x3fc00000, 0x7fa01234}, WASHI_F32, {0x3fc00000, 0x7fa01234}},
        {"F64", 8, {0x3ff8000000000000, 1}, WASHI_F64, {0x3ff8000000000000, 1}},
        {"F16", 2, {0x3e00, 0x83ff}, WASHI_F32, {0x3fc00000, 0xb87fc000}},
        {"BF16", 2, {0x3fc0, 0xff81}, WASHI_F32, {0x3fc00000, 0xff810000}},
        {"I8", 1, {0x80, 0x7f}, WASHI_I32, {0xffffff80, 0x7f}},
        {"I16", 2, {0x8000, 0x7fff}, WASHI_I32, {0xffff8000, 0x7fff}},
        {"I32", 4, {0x80000000, 1}, WASHI_I32, {0x80000000, 1}},
        {"I64", 8, {UINT64_MAX, INT32_MAX}, WASHI_I32, {0xffffffff, INT32_MAX}},
        {"U8", 1, {0, 255}, WASHI_U8, {0, 255}},
        {"U16", 2, {0, 0xffff}, WASHI_I32, {0, 0xffff}},
        {"U32", 4, {0, INT32_MAX}, WASHI_I32, {0, INT32_MAX}},
        {"U64", 8, {0, INT32_MAX}, WASHI_I32, {0, INT32_MAX}},
        {"BOOL", 1, {1, 0}, WASHI_U8, {1, 0}},
    };
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        char header[200];
        struct bytes want = {0};
        snprintf(header, sizeof header,
                 "{\"x\":{\"dtype\":\"%s\",\"shape\":[2],\"data_offsets\":[0,%d]}}", samples[i].dtype,
                 2 * samples[i].width);
        struct bytes b = tensors(header, 0);
        for (int k = 0; k < 2; k++) {
            append_number(&b, samples[i].file[k], samples[i].width, false);
            append_number(&want, samples[i].want[k], (int)washi_dtype_size(samples[i].type), false);
        }
        write_file(b.at, b.size);
        washi_safetensors s;
        ok(washi_read_safetensors(w, file, &s));
        ck_assert_int_eq(s.arrays, 1);
        ck_assert_int_eq(s.array[0].array.type, samples[i].type);
        ck_assert_mem_eq(s.array[0].array.data, want.at, want.size);
        washi_safetensors_free(w, &s);
    }
}
END_TEST

START_TEST(reads_what_json_allows)
{
    static const char *const headers[] = {
        good,
        "{ \"__metadata__\" : { \"k\" : \"v\" , \"\" : \"\" } ,\t\"b\":\n{\"dtype\":\"U8\",\"shape\":[ "
        "2 ,"
        "2 ],\"data_offsets\":[4,8]},\r\"a\":{\"data_offsets\":[0,4],\"dtype\":\"I16\",\"shape\":[2]}} "
        "\n  ",
        "{\"\\u005f_metadata__\":{\"\\u006b\":\"v\",\"\":\"\"},\"b\":{\"d\\u0074ype\":\"\\u00558\","
        "\"shape\":"
        "[2,2],\"data_offsets\":[4,8]},\"a\":{\"dtype\":\"I16\",\"shape\":[2],\"data_offsets\":[0,4]}}",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        const struct bytes b = tensors(headers[i], 8);
        write_file(b.at, b.size);
        accepted_good();
    }
}
END_TEST

START_TEST(reads_names_and_empty_tensors)
{
    const struct bytes b =
        tensors("{\"\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},"
                "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]},"
                "\"\\u00e9\\u20AC\\ud83d\\ude00\xc3\xa9\":{\"dtype\":\"F64\",\"shape\":[3,0],\"data_"
                "offsets\":[1,1]},"
                "\"{[,:]}\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1],\"data_offsets\":[1,2]}}",
                2);
    static const char *const names[] = {"", "\"\\/\b\f\n\r\t",
                                        "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xc3\xa9", "{[,:]}"};
    static const int sizes[] = {0, 1, 0, 1};
    write_file(b.at, b.size);
    washi_safetensors s;
    ok(washi_read_safetensors(w, file, &s));
    ck_assert_int_eq(s.arrays, 4);
    for (int i = 0; i < 4; i++) {
        ck_assert_str_eq(s.array[i].name, names[i]);
        ck_assert_int_eq(washi_size(s.array[i].array.shape), sizes[i]);
    }
    ck_assert_int_eq(*(const uint8_t *)s.array[3].array.data, 1);
    washi_safetensors_free(w, &s);
    for (int k = 0; k < 2; k++) {
        const struct bytes none = tensors(k ? "{\"__metadata__\":{}}" : "{}", 0);
        write_file(none.at, none.size);
        ok(washi_read_safetensors(w, file, &s));
        ck_assert(s.arrays == 0 && s.lines == 0);
        washi_safetensors_free(w, &s);
    }
}
END_TEST

/* -- bytes ------------------------------------------------------------------------------------- */

START_TEST(refuses_every_other_length)
{
    const struct bytes whole = tensors(good, 8);
    for (size_t size = 0; size < whole.size; size++) {
        struct bytes b = {0};
        append(&b, whole.at, size);
        refused_bytes(WASHI_BAD_FILE, &b, "a truncated file");
        /* and a header that says so: its JSON ends early, or is whole with too few bytes behind it */
        if (size < 8) continue;
        b.size = 0;
        append_number(&b, size - 8, 8, false);
        append(&b, whole.at + 8, size - 8);
        refused_bytes(WASHI_BAD_FILE, &b, "a truncated file that says so");
    }
    struct bytes b = whole;
    append(&b, "m", 1);
    refused_bytes(WASHI_BAD_FILE, &b, "a trailing byte");
    write_file(whole.at, whole.size);
    accepted_good();
}
END_TEST

START_TEST(refuses_lying_lengths_without_allocating)
{
    static const uint64_t lengths[] = {UINT64_MAX, UINT64_MAX - 7, UINT64_C(1) << 63,
                                       100000001,  100000000,      1 << 20};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct bytes b = tensors(good, 8), lying = {0};
        append_number(&lying, lengths[i], 8, false);
        append(&lying, b.at + 8, b.size - 8);
        const long before = heap.calls;
        refused_bytes(WASHI_BAD_FILE, &lying, "a lying length");
        ck_assert_int_eq(heap.calls, before);
        ck_assert_int_eq(truncate(file, 100000100), 0); /* with holes: as long as it says, at least */
        refused(WASHI_BAD_FILE, "a long file of no JSON");
    }
}
END_TEST

/* The memory that brackets, commas and deep nesting take stays in proportion, and so does the time. */
START_TEST(refuses_bombs)
{
    static const char *const units[] = {"[",     "{\"\":",        "[],", "1,",
                                        "\"\",", "{\"\":{\"\":[", ":",   "\"\":\"\","};
    enum { SIZE = 3000000 };
    char *text = malloc(SIZE + 8);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        for (int k = 0; k < 8; k++) text[k] = (char)((uint64_t)SIZE >> 8 * k);
        const size_t n = strlen(units[i]);
        for (size_t k = 0; k < SIZE; k++) text[8 + k] = units[i][k % n];
        text[8] = '{';
        write_file(text, SIZE + 8);
        heap.peak = heap.bytes;
        refused(WASHI_BAD_FILE, units[i]);
        if (i < 2) ck_assert_ptr_nonnull(strstr(washi_message(), "deep")); /* jsmn has not seen it */
        ck_assert_uint_lt(heap.peak, (size_t)SIZE * 20);
    }
    free(text);
}
END_TEST

static void fine_or_refused(const struct bytes *b)
{
    const size_t live = heap.bytes;
    washi_safetensors s;
    write_file(b->at, b->size);
    const washi_status status = washi_read_safetensors(w, file, &s);
    ck_assert_msg(status == WASHI_OK || status == WASHI_BAD_FILE || status == WASHI_BAD_TYPE ||
                      status == WASHI_BAD_SHAPE,
                  "%s", washi_message());
    if (status == WASHI_OK) {
        size_t bytes = 0;
        for (int i = 0; i < s.arrays; i++)
            bytes += bytes_of(s.array[i].array.shape, s.array[i].array.type);
        ck_assert_uint_le(bytes, 32); /* eight bytes of tensors, each at most an i32 */
        washi_safetensors_free(w, &s);
    }
    ck_assert_uint_eq(heap.bytes, live);
}

START_TEST(survives_every_damage)
{
    const struct bytes whole = tensors(good, 8);
    for (size_t i = 0; i < whole.size - 8; i++)
        for (int k = 0; k < DAMAGES; k++) {
            struct bytes b = whole;
            b.at[i] = damaged(b.at[i], k);
            fine_or_refused(&b);
        }
}
END_TEST

START_TEST(survives_every_allocation_failing)
{
    const struct bytes b = tensors(good, 8);
    write_file(b.at, b.size);
    long before = heap.calls;
    accepted_good();
    const long needed = heap.calls - before;
    ck_assert_int_ge(needed, 8);
    for (long i = 0; i < needed; i++) {
        heap.fail_at = heap.calls + i;
        const size_t live = heap.bytes;
        washi_safetensors s;
        ck_assert_int_eq(washi_read_safetensors(w, file, &s), WASHI_NO_MEMORY);
        ck_assert(!s.arrays && !s.array && !s.text);
        ck_assert_uint_eq(heap.bytes, live);
    }
    heap.fail_at = -1;
    accepted_good();
}
END_TEST

int main(void)
{
    TCase *all = CASE("safetensors", setup_files, teardown_files, reads_every_type,
                      reads_what_json_allows, reads_names_and_empty_tensors, refuses_every_other_length,
                      refuses_lying_lengths_without_allocating, refuses_bombs, survives_every_damage,
                      survives_every_allocation_failing);
    return RUN_SUITE("safetensors", all);
}
