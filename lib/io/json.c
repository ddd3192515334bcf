/* json.c: JSON on jsmn, which only finds tokens: it allocates nothing and keeps no state, so that all
 * memory is the context's. What it lets pass is checked here: what stands between tokens, text after
 * the end, control characters and broken UTF-8, and nesting. */
#define WA_JSON_IMPLEMENTATION
#include "io.h"
#include "json.h"

#include <string.h>

static washi_status bad(const struct wa_json *j, const char *what)
{
    return wa_io_fail(j->path, WASHI_BAD_FILE, "its JSON %s", what);
}

/* Before jsmn sees it: it ends at a 0 byte, and takes time that grows with depth squared. */
static washi_status scan(const struct wa_json *j, size_t length, int depth)
{
    const char *s = j->text;
    if (length == 0 || s[0] != '{') return bad(j, "does not begin with {");
    if (!wa_io_utf8(s, length)) return bad(j, "is not UTF-8");
    bool quoted = false;
    int open = 0;
    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)s[i];
        if (quoted && c < ' ') return bad(j, "has a control character in a string");
        if (c == 0) return bad(j, "has a 0 byte");
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            open++;
        else if (!quoted && (c == '}' || c == ']'))
            open--;
        if (open > depth) return bad(j, "is nested too deep");
    }
    return WASHI_OK;
}

static washi_status find_tokens(struct wa_json *j, size_t length)
{
    jsmn_parser parser;
    jsmn_init(&parser);
    int result = JSMN_ERROR_NOMEM;
    while (result == JSMN_ERROR_NOMEM) {
        const unsigned room = j->room ? j->room * 2 : 64;
        void *grown = washi_resize(j->w, j->token, j->room * sizeof *j->token, room * sizeof *j->token);
        if (!grown) return WASHI_NO_MEMORY;
        j->token = grown;
        j->room = room;
        result = jsmn_parse(&parser, j->text, length, j->token, room);
    }
    j->tokens = parser.toknext;
    return result < 0 || j->tokens == 0 ? bad(j, "is damaged") : WASHI_OK;
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* Whether between two places there is the separator (0: none) and else only space. */
static bool gap(const char *text, int from, int to, char separator)
{
    for (; from < to; from++) {
        if (separator && text[from] == separator)
            separator = 0;
        else if (!is_space(text[from]))
            return false;
    }
    return separator == 0;
}

/* The container a container stands in; -1: in none. */
static int around(const struct wa_json *j, int i)
{
    const int parent = j->token[i].parent;
    return parent >= 0 && j->token[parent].type == JSMN_STRING ? j->token[parent].parent : parent;
}

/* Whether the commas, colons and brackets are where they belong, and nothing else is between the
 * tokens. */
static bool is_strict(const struct wa_json *j, int length)
{
    const jsmntok_t *token = j->token;
    int at = 0, open = -1;
    for (int i = 0; i < (int)j->tokens; i++) {
        const jsmntok_t *t = &token[i];
        const int quote = t->type == JSMN_STRING;
        for (; open >= 0 && token[open].end <= t->start; open = around(j, open)) {
            if (!gap(j->text, at, token[open].end - 1, 0)) return false;
            at = token[open].end;
        }
        const bool element = t->parent == open,
                   key = element && open >= 0 && token[open].type == JSMN_OBJECT;
        if (element ? (open < 0) != (i == 0) : t->parent != i - 1 || token[i - 1].parent != open)
            return false;
        if (key ? !quote || t->size != 1 : quote && t->size != 0) return false;
        const char separator = !element ? ':' : i == open + 1 ? 0 : ',';
        if (!gap(j->text, at, t->start - quote, separator)) return false;
        const bool container = t->type == JSMN_OBJECT || t->type == JSMN_ARRAY;
        at = container ? t->start + 1 : t->end + quote;
        if (container) open = i;
    }
    for (; open >= 0; open = around(j, open)) {
        if (!gap(j->text, at, token[open].end - 1, 0)) return false;
        at = token[open].end;
    }
    return token[0].type == JSMN_OBJECT && gap(j->text, at, length, 0);
}

washi_status wa_json_parse(struct wa_json *j, size_t length, int depth)
{
    washi_status status = scan(j, length, depth);
    if (status == WASHI_OK) status = find_tokens(j, length);
    if (status == WASHI_OK && !is_strict(j, (int)length)) return bad(j, "is damaged");
    return status;
}

void wa_json_free(struct wa_json *j)
{
    if (j->token) washi_resize(j->w, j->token, j->room * sizeof *j->token, 0);
    j->token = NULL;
}

/* Four hexadecimal digits, or -1. */
static int32_t hexadecimal(const char *s)
{
    int32_t x = 0;
    for (int i = 0; i < 4; i++) {
        const char c = s[i];
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) return -1;
        x = x << 4 | digit;
    }
    return x;
}

/* A code point, from the escape at *s (behind its u), which moves to its end; 0 for none. */
static uint32_t unescape(const char **s)
{
    const int32_t first = hexadecimal(*s);
    *s += 4;
    if (first <= 0 || (first >= 0xdc00 && first < 0xe000)) return 0;
    if (first < 0xd800 || first >= 0xe000) return (uint32_t)first;
    const int32_t second = (*s)[0] == '\\' && (*s)[1] == 'u' ? hexadecimal(*s + 2) : -1;
    *s += 6;
    if (second < 0xdc00 || second >= 0xe000) return 0;
    return 0x10000 + (((uint32_t)first & 0x3ff) << 10 | ((uint32_t)second & 0x3ff));
}

static char *put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
        return to;
    }
    const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
    *to++ = (char)(lead[more] | c >> 6 * more);
    for (int i = more - 1; i >= 0; i--) *to++ = (char)(0x80 | (c >> 6 * i & 0x3f));
    return to;
}

/* In place: no escape is shorter than what it stands for, and the quote at the end makes room for the
 * 0. */
const char *wa_json_string(struct wa_json *j, unsigned i)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const jsmntok_t *t = &j->token[i];
    if (t->type != JSMN_STRING) return NULL;
    char *const begin = j->text + t->start, *to = begin;
    const char *from = begin, *end = j->text + t->end;
    while (from < end) {
        if (*from != '\\') {
            *to++ = *from++;
            continue;
        }
        const char name = from[1];
        from += 2;
        if (name != 'u') {
            *to++ = values[strchr(names, name) - names]; /* jsmn takes no other name */
            continue;
        }
        const uint32_t c = unescape(&from);
        if (c == 0) return NULL;
        to = put_utf8(to, c);
    }
    *to = 0;
    return begin;
}

bool wa_json_whole(const struct wa_json *j, unsigned i, int64_t *out)
{
    const jsmntok_t *t = &j->token[i];
    const char *s = j->text + t->start, *end = j->text + t->end;
    if (t->type != JSMN_PRIMITIVE || (*s == '0' && end - s > 1)) return false;
    for (*out = 0; s < end; s++) {
        if (*s < '0' || *s > '9' || *out > (INT64_MAX - (*s - '0')) / 10) return false;
        *out = 10 * *out + (*s - '0');
    }
    return true;
}
