/* test_safetensors.c: safetensors files of every type; headers that are not JSON, or not the format's;
 * truncated, damaged and lying files; and written ones, or what was there before. */
#define _XOPEN_SOURCE 700
#include "files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The header's length, the header, and so many bytes of tensors: 0, 1, 2 ... */
static struct bytes tensors(const char *header, int bytes)
{
    struct bytes b = {0};
    append_number(&b, strlen(header), 8, false);
    append_text(&b, header);
    for (int i = 0; i < bytes; i++) append_number(&b, (uint64_t)i, 1, false);
    return b;
}

static const char good[] = "{\"__metadata__\":{\"k\":\"v\",\"\":\"\"},"
                           "\"b\":{\"dtype\":\"U8\",\"shape\":[2,2],\"data_offsets\":[4,8]},"
                           "\"a\":{\"dtype\":\"I16\",\"shape\":[2],\"data_offsets\":[0,4]}}";

static void accepted_good(void)
{
    washi_safetensors s;
    ok(washi_read_safetensors(w, file, &s));
    ck_assert_int_eq(s.arrays, 2);
    ck_assert_str_eq(s.array[0].name, "b");
    ck_assert_int_eq(s.array[0].array.type, WASHI_U8);
    ck_assert(same_shape(s.array[0].array.shape, SHAPE(2, 2)));
    ck_assert_mem_eq(s.array[0].array.data, "\4\5\6\7", 4);
    ck_assert_str_eq(s.array[1].name, "a");
    ck_assert_int_eq(s.array[1].array.type, WASHI_I32);
    ck_assert_mem_eq(s.array[1].array.data, ((int32_t[]){0x100, 0x302}), 8);
    ck_assert_int_eq(s.lines, 2);
    ck_assert_str_eq(s.metadata[0].key, "k");
    ck_assert_str_eq(s.metadata[0].value, "v");
    ck_assert_str_eq(s.metadata[1].key, "");
    ck_assert_str_eq(s.metadata[1].value, "");
    washi_safetensors_free(w, &s);
    ck_assert_ptr_null(s.array);
}

static void refused(washi_status status, const char *why)
{
    const size_t live = heap.bytes;
    washi_safetensors s = {.arrays = 77, .text = file};
    said(status, washi_read_safetensors(w, file, &s), why);
    ck_assert(!s.arrays && !s.array && !s.lines && !s.metadata && !s.text);
    ck_assert_uint_eq(heap.bytes, live);
}

static void refused_bytes(washi_status status, const struct bytes *b, const char *why)
{
    write_file(b->at, b->size);
    refused(status, why);
}

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

/* -- headers that are none --------------------------------------------------------------------- */

#define TENSOR "{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]}"

/* Each with the eight bytes that it would need. */
START_TEST(refuses_what_is_not_strict_json)
{
    static const char *const headers[] = {
        "",
        " ",
        "[]",
        "null",
        "\"x\"",
        "1",
        " {\"x\":" TENSOR "}",
        "\xef\xbb\xbf{\"x\":" TENSOR "}",
        "{\"x\":" TENSOR,
        "{\"x\":" TENSOR "}}",
        "{\"x\":" TENSOR "]",
        "{\"x\":" TENSOR "},",
        "{\"x\":" TENSOR "}{}",
        "{\"x\":" TENSOR "} x",
        "{\"x\":" TENSOR "}\"\"",
        "{\"x\":" TENSOR "}1",
        "{\"x\":" TENSOR ",}",
        "{,\"x\":" TENSOR "}",
        "{\"x\":" TENSOR ",,\"y\":" TENSOR "}",
        "{\"x\" " TENSOR "}",
        "{\"x\"::" TENSOR "}",
        "{\"x\":," TENSOR "}",
        "{\"x\",:" TENSOR "}",
        "{\"x\"," TENSOR "}",
        "{x:" TENSOR "}",
        "{'x':" TENSOR "}",
        "{1:" TENSOR "}",
        "{null:" TENSOR "}",
        "{[]:" TENSOR "}",
        "{{}:" TENSOR "}",
        "{\"x\":\"y\":" TENSOR "}",
        "{\"x\" \"y\":" TENSOR "}",
        "{:" TENSOR "}",
        "{" TENSOR "}",
        "{\"x\"}",
        "{\"x\":}",
        "{\"x\":" TENSOR "/**/}",
        "{\"x\":{\"dtype\":\"U8\",\"shape\":[8,],\"data_offsets\":[0,8]}}",
        "{\"x\":{\"dtype\":\"U8\",\"shape\":[,8],\"data_offsets\":[0,8]}}",
        "{\"x\":{\"dtype\":\"U8\",\"shape\":[8 1],\"data_offsets\":[0,8]}}",
        "{\"x\":{\"dtype\":\"U8\",\"shape\":[8:1],\"data_offsets\":[0,8]}}",
        "{\"x\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0 8]}}",
        "{\"x\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8}]}",
        "{\"x\":{\"dtype\":\"U8\",\"shape\":[8]\"data_offsets\":[0,8]}}",
        "{\"x\":{\"dtype\":\"U8\" \"shape\":[8],\"data_offsets\":[0,8]}}",
        "{\"x\":{\"dtype\":\"U8\":\"shape\":[8],\"data_offsets\":[0,8]}}",
        "{\"x\":{\"dtype\",\"U8\":\"shape\",[8]:\"data_offsets\",[0,8]}}",
        "{\"x\\q\":" TENSOR "}",
        "{\"x\\u12\":" TENSOR "}",
        "{\"x\\u12g4\":" TENSOR "}",
        "{\"x\\ud83d\":" TENSOR "}",
        "{\"x\\ude00\":" TENSOR "}",
        "{\"x\\ud83d\\u0041\":" TENSOR "}",
        "{\"x\\u0000\":" TENSOR "}",
        "{\"x\n\":" TENSOR "}",
        "{\"x\x1f\":" TENSOR "}",
        "{\"\x80\":" TENSOR "}",
        "{\"\xc3\":" TENSOR "}",
        "{\"\xc0\x80\":" TENSOR "}",
        "{\"\xe0\x9f\xbf\":" TENSOR "}",
        "{\"\xed\xa0\x80\":" TENSOR "}",
        "{\"\xf0\x8f\xbf\xbf\":" TENSOR "}",
        "{\"\xf4\x90\x80\x80\":" TENSOR "}",
        "{\"\xff\":" TENSOR "}",
        "{\"x\":" TENSOR "\xc2\xa0}",
        "{\"x\":" TENSOR "\v}",
        "{\"x:" TENSOR "}",
        "{\"x\":" TENSOR ",\"y\":[[[[]]]]}",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        const struct bytes b = tensors(headers[i], 8);
        refused_bytes(WASHI_BAD_FILE, &b, headers[i]);
    }
    struct bytes b = tensors("{\"x\":" TENSOR "}*", 8);
    b.at[8 + strlen("{\"x\":" TENSOR "}")] = 0;
    refused_bytes(WASHI_BAD_FILE, &b, "a 0 byte");
    b = tensors("{\"x\":" TENSOR "} ", 8);
    write_file(b.at, b.size);
    washi_safetensors s;
    ok(washi_read_safetensors(w, file, &s));
    washi_safetensors_free(w, &s);
}
END_TEST

START_TEST(refuses_what_is_not_the_format)
{
    static const struct {
        const char *header;
        washi_status status;
    } bad[] = {
#define WITH(dtype, shape, offsets)                                                                    \
    "{\"x\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
        {WITH("\"U8\"", "[7]", "[0,8]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[9]", "[0,8]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[9]", "[0,9]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[7]", "[0,7]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[7]", "[1,8]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[8]", "[8,0]"), WASHI_BAD_FILE},
        {WITH("\"F32\"", "[8]", "[0,8]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[8.0]", "[0,8]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[8e0]", "[0,8]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[08]", "[0,8]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[-8]", "[0,8]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[-8,-1]", "[0,8]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[\"8\"]", "[0,8]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[[8]]", "[0,8]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[true,8]", "[0,8]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "8", "[0,8]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "null", "[0,8]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "{\"8\":8}", "[0,8]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[8]", "[0]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[8]", "[0,8,8]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[8]", "[]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[8]", "[0,8.0]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[8]", "[0,\"8\"]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[8]", "[null,8]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[8]", "[-0,8]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[8]", "{\"0\":8}"), WASHI_BAD_FILE},
        {WITH("8", "[8]", "[0,8]"), WASHI_BAD_FILE},
        {WITH("[\"U8\"]", "[8]", "[0,8]"), WASHI_BAD_FILE},
        {WITH("\"F8_E4M3\"", "[8]", "[0,8]"), WASHI_BAD_TYPE},
        {WITH("\"C64\"", "[1]", "[0,8]"), WASHI_BAD_TYPE},
        {WITH("\"u8\"", "[8]", "[0,8]"), WASHI_BAD_TYPE},
        {WITH("\"\"", "[8]", "[0,8]"), WASHI_BAD_TYPE},
        {WITH("\"U8\"", "[8]", "[0,8]") " ", WASHI_OK},
        {WITH("\"U8\"", "[1,1,1,1,1,1,1,1,8]", "[0,8]"), WASHI_BAD_SHAPE},
        {WITH("\"U8\"", "[9223372036854775807,9223372036854775807]", "[0,8]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[4294967296,4294967296]", "[0,8]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[9223372036854775808]", "[0,8]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[18446744073709551624]", "[0,8]"), WASHI_BAD_FILE},
        {WITH("\"F64\"", "[2305843009213693953]", "[0,8]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[9223372036854775807]", "[0,9223372036854775807]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[1099511627776]", "[0,1099511627776]"), WASHI_BAD_FILE},
        {WITH("\"U8\"", "[8]", "[18446744073709551616,18446744073709551624]"), WASHI_BAD_FILE},
#define HALF(name, offsets) "\"" name "\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":" offsets "}"
        {"{" HALF("a", "[0,4]") "," HALF("b", "[4,8]") "}", WASHI_OK},
        {"{" HALF("a", "[4,8]") "," HALF("b", "[0,4]") "}", WASHI_OK},
        {"{" HALF("a", "[0,4]") "," HALF("a", "[4,8]") "}", WASHI_BAD_FILE},
        {"{" HALF("a", "[0,4]") "," HALF("\\u0061", "[4,8]") "}", WASHI_BAD_FILE},
        {"{" HALF("a", "[0,4]") "," HALF("b", "[0,4]") "}", WASHI_BAD_FILE},
        {"{" HALF("a", "[0,4]") "," HALF("b", "[3,7]") "}", WASHI_BAD_FILE},
        {"{" HALF("a", "[0,4]") "," HALF("b", "[5,9]") "}", WASHI_BAD_FILE},
        {"{" HALF("a", "[4,8]") "}", WASHI_BAD_FILE},
        {"{" HALF("a", "[0,4]") "}", WASHI_BAD_FILE},
        {"{}", WASHI_BAD_FILE},
        {"{\"x\":[]}", WASHI_BAD_FILE},
        {"{\"x\":{}}", WASHI_BAD_FILE},
        {"{\"x\":null}", WASHI_BAD_FILE},
        {"{\"x\":\"U8\"}", WASHI_BAD_FILE},
        {"{\"x\":{\"dtype\":\"U8\",\"shape\":[8]}}", WASHI_BAD_FILE},
        {"{\"x\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8],\"more\":1}}", WASHI_BAD_FILE},
        {"{\"x\":{\"dtype\":\"U8\",\"shape\":[8],\"shape\":[8]}}", WASHI_BAD_FILE},
        {"{\"x\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8],\"shape\":[8]}}",
         WASHI_BAD_FILE},
        {"{\"__metadata__\":" TENSOR "}", WASHI_BAD_FILE},
#define META(value) "{\"__metadata__\":" value ",\"x\":" TENSOR "}"
        {META("{\"a\":\"b\"}"), WASHI_OK},
        {META("{\"a\"}"), WASHI_BAD_FILE},
        {META("{\"a\":1}"), WASHI_BAD_FILE},
        {META("{\"a\":null}"), WASHI_BAD_FILE},
        {META("{\"a\":{}}"), WASHI_BAD_FILE},
        {META("{\"a\":[\"b\"]}"), WASHI_BAD_FILE},
        {META("{\"a\":\"\\u0000\"}"), WASHI_BAD_FILE},
        {META("{\"a\":\"b\",\"a\":\"b\"}"), WASHI_BAD_FILE},
        {META("{\"b\":\"b\",\"a\":\"b\",\"\\u0062\":\"b\"}"), WASHI_BAD_FILE},
        {META("[]"), WASHI_BAD_FILE},
        {META("\"a\""), WASHI_BAD_FILE},
        {META("{},\"__metadata__\":{}"), WASHI_BAD_FILE},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct bytes b = tensors(bad[i].header, 8);
        if (bad[i].status != WASHI_OK) {
            refused_bytes(bad[i].status, &b, bad[i].header);
            if (strncmp(bad[i].header, "{\"x\"", 4) == 0)
                ck_assert_msg(strstr(washi_message(), "tensor x: ") || strstr(washi_message(), "too "),
                              "%s", washi_message());
            continue;
        }
        washi_safetensors s;
        write_file(b.at, b.size);
        ok(washi_read_safetensors(w, file, &s));
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

/* -- writing ----------------------------------------------------------------------------------- */

static const uint8_t eight[8] = {1, 2, 3, 4, 5, 6, 7, 8};

static washi_named_array named(const char *name, washi_dtype type, washi_shape shape, const void *data)
{
    return (washi_named_array){name, {type, shape, data}};
}

START_TEST(writes_the_format)
{
    washi_named_array arrays[] = {
        named("b", WASHI_U8, SHAPE(3), eight), named("i", WASHI_I32, SCALAR, eight),
        named("d", WASHI_F64, SHAPE(1, 1), eight), named("f", WASHI_F32, SHAPE(0, 7), NULL)};
    washi_metadata lines[] = {{"a\"\\\n", "\x7f\xc3\xa9"}};
    const washi_safetensors s = {.arrays = 4, .lines = 1, .array = arrays, .metadata = lines};
    static const char header[] = "{\"__metadata__\":{\"a\\\"\\\\\\u000a\":\"\x7f\xc3\xa9\"},"
                                 "\"d\":{\"dtype\":\"F64\",\"shape\":[1,1],\"data_offsets\":[0,8]},"
                                 "\"i\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[8,12]},"
                                 "\"f\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[12,12]},"
                                 "\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[12,15]}}";
    ok(washi_write_safetensors(w, file, &s));
    struct bytes want = {0};
    append_number(&want, (strlen(header) + 7) / 8 * 8, 8, false);
    append_text(&want, header);
    while (want.size % 8) append(&want, " ", 1);
    append(&want, eight, 8);
    append(&want, eight, 4);
    append(&want, eight, 3);
    const struct bytes b = read_file();
    ck_assert_uint_eq(b.size, want.size);
    ck_assert_mem_eq(b.at, want.at, want.size);
    ck_assert_int_eq(files_in_folder(), 1);

    washi_safetensors back; /* and what is read can be written */
    ok(washi_read_safetensors(w, file, &back));
    unlink(file);
    ok(washi_write_safetensors(w, file, &back));
    washi_safetensors_free(w, &back);
    const struct bytes again = read_file();
    ck_assert_uint_eq(again.size, want.size);
    ck_assert_mem_eq(again.at, want.at, want.size);
    ok(washi_write_safetensors(w, file, &(washi_safetensors){0}));
    ok(washi_read_safetensors(w, file, &back));
    ck_assert_int_eq(back.arrays + back.lines, 0);
    washi_safetensors_free(w, &back);
}
END_TEST

/* Many names, sorted already, backwards or not, beyond the reader's and the writer's first buffers. */
START_TEST(reads_many_arrays)
{
    enum { N = 5000 };
    static char names[N][12];
    static float data[N];
    static washi_named_array arrays[N];
    for (int order = 0; order < 3; order++) {
        uint64_t state = 7;
        for (int i = 0; i < N; i++) {
            data[i] = (float)between(&state, -1, 1);
            snprintf(names[i], sizeof names[i], "%05d",
                     order == 0   ? i
                     : order == 1 ? N - i
                                  : (int)((int64_t)i * 7919 % N));
            arrays[i] = named(names[i], WASHI_F32, SHAPE(1), &data[i]);
        }
        washi_safetensors s = {.arrays = N, .array = arrays}, back;
        ok(washi_write_safetensors(w, file, &s));
        ok(washi_read_safetensors(w, file, &back));
        ck_assert_int_eq(back.arrays, N);
        for (int i = 0; i < N; i++) {
            ck_assert_str_eq(back.array[i].name, names[i]);
            ck_assert_mem_eq(back.array[i].array.data, &data[i], sizeof data[i]);
        }
        washi_safetensors_free(w, &back);
        memcpy(names[N / 2], names[N / 3], sizeof names[0]);
        said(WASHI_BAD_VALUE, washi_write_safetensors(w, file, &s), "a name twice");
        ck_assert_ptr_nonnull(strstr(washi_message(), names[N / 3]));
    }
}
END_TEST

START_TEST(refuses_to_write_what_is_wrong)
{
    const washi_shape two = SHAPE(2);
    washi_named_array arrays[2] = {named("a", WASHI_U8, two, eight)};
    washi_metadata lines[2] = {{"k", "v"}, {"l", "v"}};
    washi_safetensors s = {.arrays = 2, .lines = 2, .array = arrays, .metadata = lines};
    const struct {
        washi_named_array array;
        washi_status status;
    } bad[] = {
        {named(NULL, WASHI_U8, two, eight), WASHI_MISUSE},
        {named("a", WASHI_U8, two, eight), WASHI_BAD_VALUE},
        {named("__metadata__", WASHI_U8, two, eight), WASHI_BAD_VALUE},
        {named("\xff", WASHI_U8, two, eight), WASHI_BAD_VALUE},
        {named("b", (washi_dtype)9, two, eight), WASHI_BAD_TYPE},
        {named("b", WASHI_U8, SHAPE(-1), eight), WASHI_BAD_SHAPE},
        {named("b", WASHI_U8, two, NULL), WASHI_MISUSE},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        arrays[1] = bad[i].array;
        ck_assert_int_eq(washi_write_safetensors(w, file, &s), bad[i].status);
    }
    arrays[1] = named("b", WASHI_U8, two, eight);
    const washi_metadata bad_lines[] = {
        {NULL, "v"}, {"l", NULL}, {"k", "v"}, {"\xff", "v"}, {"l", "\xc3"}};
    for (size_t i = 0; i < sizeof bad_lines / sizeof *bad_lines; i++) {
        lines[1] = bad_lines[i];
        ck_assert_int_eq(washi_write_safetensors(w, file, &s), i < 2 ? WASHI_MISUSE : WASHI_BAD_VALUE);
    }
    lines[1] = (washi_metadata){"l", "v"};
    ck_assert_int_eq(washi_write_safetensors(NULL, file, &s), WASHI_MISUSE);
    ck_assert_int_eq(washi_write_safetensors(w, NULL, &s), WASHI_MISUSE);
    ck_assert_int_eq(washi_write_safetensors(w, file, NULL), WASHI_MISUSE);
    s.arrays = -1;
    ck_assert_int_eq(washi_write_safetensors(w, file, &s), WASHI_MISUSE);
    s.arrays = 2;
    heap.fail_at = heap.calls;
    ck_assert_int_eq(washi_write_safetensors(w, file, &s), WASHI_NO_MEMORY);
    heap.fail_at = -1;
    ck_assert_int_eq(files_in_folder(), 0);
    ok(washi_write_safetensors(w, file, &s));
    ck_assert_int_eq(washi_read_safetensors(NULL, file, &s), WASHI_MISUSE);
    washi_safetensors_free(w, NULL);
}
END_TEST

START_TEST(leaves_the_target_when_it_cannot_write)
{
    static const float data[9000] = {1};
    washi_named_array array = named("a", WASHI_F32, SHAPE(9000), data);
    write_file("as it was", 9);
    const pid_t child = fork();
    if (child == 0) {
        const char *path = prepare_unwritable(_i);
        const washi_status status =
            washi_write_safetensors(w, path, &(washi_safetensors){.arrays = 1, .array = &array});
        _exit(status != WASHI_IO || !strstr(washi_message(), path));
    }
    int result;
    ck_assert_int_eq(waitpid(child, &result, 0), child);
    ck_assert_int_eq(result, 0);
    const struct bytes b = read_file();
    ck_assert_uint_eq(b.size, 9);
    ck_assert_mem_eq(b.at, "as it was", 9);
    ck_assert_int_eq(files_in_folder(), 1);
}
END_TEST

int main(void)
{
    TCase *all = tcase_create("safetensors");
    tcase_add_test(all, reads_every_type);
    tcase_add_test(all, reads_what_json_allows);
    tcase_add_test(all, reads_names_and_empty_tensors);
    tcase_add_test(all, refuses_what_is_not_strict_json);
    tcase_add_test(all, refuses_what_is_not_the_format);
    tcase_add_test(all, refuses_every_other_length);
    tcase_add_test(all, refuses_lying_lengths_without_allocating);
    tcase_add_test(all, refuses_bombs);
    tcase_add_test(all, survives_every_damage);
    tcase_add_test(all, survives_every_allocation_failing);
    tcase_add_test(all, writes_the_format);
    tcase_add_test(all, reads_many_arrays);
    tcase_add_test(all, refuses_to_write_what_is_wrong);
    tcase_add_loop_test(all, leaves_the_target_when_it_cannot_write, 0, UNWRITABLE);
    return run_case(all);
}
