/* status.c: names of the failures, and the sentence of the last one on each thread. */
#include "core/core.h"

static _Thread_local char message[512];

const char *washi_message(void) { return message; }

const char *washi_status_name(washi_status status)
{
    switch (status) {
    case WASHI_OK: return "ok";
    case WASHI_NO_MEMORY: return "no memory";
    case WASHI_BAD_SHAPE: return "bad shape";
    case WASHI_BAD_TYPE: return "bad type";
    case WASHI_BAD_VALUE: return "bad value";
    case WASHI_MISUSE: return "misuse";
    case WASHI_UNSUPPORTED: return "unsupported";
    case WASHI_IO: return "input/output";
    case WASHI_BAD_FILE: return "bad file";
    }
    return "unknown";
}

washi_status wa_error_va(washi_status status, const char *format, va_list args)
{
    char text[sizeof message]; /* an argument may be the old message itself */
    vsnprintf(text, sizeof text, format, args);
    for (size_t i = 0; i < sizeof text; i++) {
        message[i] = text[i];
        if (!text[i]) break;
    }
    return status;
}

washi_status wa_error(washi_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    wa_error_va(status, format, args);
    va_end(args);
    return status;
}
