/* test_safetensors_header.c: headers that are not strict JSON, or JSON that is not the format's. */
#include "test_safetensors.h"

#define TENSOR "{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]}"

/* Each with the eight bytes of tensors that it would need. */
static const char *const not_json[] = {
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

START_TEST(refuses_what_is_not_strict_json)
{
    for (size_t i = 0; i < sizeof not_json / sizeof *not_json; i++) {
        const struct bytes b = tensors(not_json[i], 8);
        refused_bytes(WASHI_BAD_FILE, &b, not_json[i]);
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

/* JSON all of them, with eight bytes of tensors too. */
static const struct {
    const char *header;
    washi_status status;
} headers[] = {
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
    {"{\"x\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8],\"shape\":[8]}}", WASHI_BAD_FILE},
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

START_TEST(refuses_what_is_not_the_format)
{
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        const struct bytes b = tensors(headers[i].header, 8);
        if (headers[i].status != WASHI_OK) {
            refused_bytes(headers[i].status, &b, headers[i].header);
            if (strncmp(headers[i].header, "{\"x\"", 4) == 0)
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

int main(void)
{
    TCase *all = CASE("safetensors_header", setup_files, teardown_files,
                      refuses_what_is_not_strict_json, refuses_what_is_not_the_format);
    return RUN_SUITE("safetensors_header", all);
}
