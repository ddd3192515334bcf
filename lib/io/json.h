/* json.h: a JSON text as jsmn's tokens, after checks that make it strict. */
#ifndef WASHI_JSON_H
#define WASHI_JSON_H

#include "washi.h"

#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#ifdef WA_JSON_IMPLEMENTATION
#define JSMN_STATIC
#else
#define JSMN_HEADER
#endif
#include <jsmn.h>

/* A text whose tokens are known. token[0] is the object that the text is; a key's value is the token
 * after the key; size is how many keys an object has, or elements an array. */
struct wa_json {
    washi *w;
    const char *path; /* for messages */
    char *text;       /* the caller's, and written to by wa_json_string */
    jsmntok_t *token;
    unsigned tokens, room;
};

/* Finds the tokens of a text that is one object of RFC 8259, spaces behind it, nested no deeper than
 * depth: WASHI_BAD_FILE. The text must be shorter than 2 GiB; its tokens take up to 20 times its
 * memory. After any outcome, wa_json_free. */
washi_status wa_json_parse(struct wa_json *j, size_t length, int depth);
void wa_json_free(struct wa_json *j);
/* A string without its escapes, ended by a 0, where it stands in the text; NULL for another token and
 * for what a C string cannot hold (U+0000, half a surrogate pair). Once for each token. */
const char *wa_json_string(struct wa_json *j, unsigned i);
/* A whole number from 0 to 2^63-1. */
bool wa_json_whole(const struct wa_json *j, unsigned i, int64_t *out);

#endif
