/* ops_page.c: prints docs/ops.md: the primitives from their table, and from washi.h what it says of the
 * functions that are composed of them. usage: ops_page lib/washi.h > docs/ops.md */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodiff/ops.h"

static const char *const before =
    "# Ops\n"
    "\n"
    "Printed by `build/tests/ops_page lib/washi.h > docs/ops.md` from the table of ops and from "
    "`washi.h`; a test\n"
    "fails when this file is not what it prints.\n"
    "\n"
    "a, b, c are an op's operands, y is its value, and g the gradient of y. A gradient is written for "
    "each operand,\n"
    "with semicolons between, in ops of this page: so it has gradients too, of any order. Operands "
    "that were broadcast\n"
    "get the sum over the axes they were stretched along. Where there is no derivative, the last "
    "column says what is\n"
    "given for it. An op in slanted letters has no function of its own: functions and gradients record "
    "it. Errors in\n"
    "units of the last place are in [kernels.md](kernels.md).\n";

#define REDUCTIONS(X) WA_OPS_REDUCE(X) WA_OPS_SCAN(X)
#define SHAPES(X)     WA_OPS_SHAPE(X) WA_OPS_CONCAT(X)
#define INDICES(X)    WA_OPS_INDEX(X) WA_OPS_ALONG(X)

static const struct {
    const char *title;
    const struct wa_op *const *ops;
} families[] = {
#define ENTRY(name)  &wa_op_##name,
#define FAMILY(list) ((const struct wa_op *const[]){list(ENTRY) NULL})
    {"Sources", FAMILY(WA_OPS_SOURCE)},
    {"Elementwise: arithmetic, rounding, comparison, choice", FAMILY(WA_OPS_MAP)},
    {"Elementwise: functions of analysis", FAMILY(WA_OPS_MATH)},
    {"Reductions and recurrences", FAMILY(REDUCTIONS)},
    {"Products", FAMILY(WA_OPS_MATMUL)},
    {"Shape", FAMILY(SHAPES)},
    {"Indices and types", FAMILY(INDICES)},
    {"Random numbers", FAMILY(WA_OPS_RANDOM)},
};

/* A cell of a table, in which a bar would end it. */
static void cell(const char *text)
{
    printf(" ");
    for (; *text; text++) printf(*text == '|' ? "\\|" : "%c", *text);
    printf(" |");
}

static bool is_function(const char *name, const char *header)
{
    char call[80];
    snprintf(call, sizeof call, " *washi_%s(", name);
    return strstr(header, call) != NULL;
}

static bool family(const char *title, const struct wa_op *const ops[], const char *header)
{
    printf("\n## %s\n\n| op | value | gradients | where there is none |\n|---|---|---|---|\n", title);
    for (; *ops; ops++) {
        const struct wa_op *op = *ops;
        if (!op->rule != !op->derivative) {
            fprintf(stderr, "%s: a rule and its text go together\n", op->name);
            return false;
        }
        printf(is_function(op->name, header) ? "| `%s` |" : "| *%s* |", op->name);
        cell(op->doc);
        cell(op->derivative ? op->derivative : op->source ? "" : "0");
        cell(op->kinks ? op->kinks : "");
        printf("\n");
    }
    return true;
}

/* Whether the families hold every op. */
static bool complete(void)
{
    size_t ops = 0, shown = 0;
    while (wa_ops[ops]) ops++;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        for (size_t k = 0; families[i].ops[k]; k++) shown++;
    if (shown != ops) fprintf(stderr, "%zu of %zu ops are in a family\n", shown, ops);
    return shown == ops;
}

static bool is_primitive(const char *name, size_t length)
{
    for (int i = 0; wa_ops[i]; i++)
        if (strlen(wa_ops[i]->name) == length && !memcmp(wa_ops[i]->name, name, length)) return true;
    return false;
}

/* Text without line ends and the stars that begin a comment's lines. */
static void flat(const char *from, const char *to, char *out, size_t size)
{
    size_t n = 0;
    for (const char *p = from; p < to && n + 2 < size; p++) {
        if (*p == '\n')
            while (p + 1 < to && (isspace((unsigned char)p[1]) || (p[1] == '*' && p[2] == ' '))) p++;
        const bool space = isspace((unsigned char)*p) || *p == '\n' || (*p == '*' && p[1] == ' ' && !n);
        if (!space || (n && out[n - 1] != ' ')) out[n++] = space ? ' ' : *p;
    }
    while (n && out[n - 1] == ' ') n--;
    out[n] = 0;
}

/* The comment of the declaration that begins at `at` and ends at `end`: behind it on its line, or
 * before it. */
static bool comment_of(const char *text, const char *at, const char *end, char *out, size_t size)
{
    const char *behind = end + strspn(end, "; "), *close = at;
    if (!strncmp(behind, "/**<", 4)) {
        flat(behind + 4, strstr(behind, "*/"), out, size);
        return true;
    }
    while (close > text && isspace((unsigned char)close[-1])) close--;
    if (close - text < 5 || strncmp(close - 2, "*/", 2) != 0) return false;
    const char *open = close - 2;
    while (open > text && strncmp(open, "/**", 3) != 0) open--;
    flat(open + 3, close - 2, out, size);
    return true;
}

/* What follows washi_ in the name of a function that is declared here and records; else NULL. */
static const char *recorder(const char *declaration)
{
    static const char *const results[] = {"washi_tensor *washi_", "washi_status washi_"};
    for (int i = 0; i < 2; i++)
        if (!strncmp(declaration, results[i], strlen(results[i])))
            return declaration + strlen(results[i]);
    return NULL;
}

static bool composed(const char *text)
{
    static const char *const head = "WASHI_API ";
    const char *at = strstr(text, "/* -- recording"), *last = strstr(text, "/* -- derivatives");
    char declaration[400], comment[2000];
    if (!at || !last) return false;
    printf("\n## Composed of these, and what else `washi.h` has under recording\n\n| function | value "
           "|\n|---|---|\n");
    while ((at = strstr(at, head)) && at < last) {
        const char *name = recorder(at + strlen(head)), *end = strchr(at, ';');
        if (name && !is_primitive(name, strcspn(name, "("))) {
            flat(name - strlen("washi_"), end, declaration, sizeof declaration);
            if (!comment_of(text, at, end, comment, sizeof comment)) {
                fprintf(stderr, "%s: no comment\n", declaration);
                return false;
            }
            printf("| `%s` |", declaration);
            cell(comment);
            printf("\n");
        }
        at = end;
    }
    return true;
}

int main(int count, char **arguments)
{
    static char text[1 << 20];
    FILE *header = count == 2 ? fopen(arguments[1], "r") : NULL;
    if (!header) {
        fprintf(stderr, "usage: ops_page lib/washi.h > docs/ops.md\n");
        return EXIT_FAILURE;
    }
    const size_t size = fread(text, 1, sizeof text - 1, header);
    fclose(header);
    bool good = size > 0 && size < sizeof text - 1 && complete();
    printf("%s", before);
    for (size_t i = 0; good && i < sizeof families / sizeof *families; i++)
        good = family(families[i].title, families[i].ops, text);
    return good && composed(text) && !fflush(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
