/* plot.c: writes a gnuplot script and has it drawn twice. */
#define _POSIX_C_SOURCE 200809L
#include "plot.h"

#include "example.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void make_folder(const char *folder)
{
    struct stat about;
    if (mkdir(folder, 0777) == 0 || (stat(folder, &about) == 0 && S_ISDIR(about.st_mode))) return;
    fail("%s: %s", folder, strerror(errno));
}

struct plot plot_begin(const char *folder, const char *name, int width, int height)
{
    char path[4096];
    make_folder(folder);
    const int length = snprintf(path, sizeof path, "%s/%s.gnuplot", folder, name);
    FILE *f = length < (int)sizeof path ? fopen(path, "w") : (errno = ENAMETOOLONG, NULL);
    if (!f) fail("%s/%s.gnuplot: %s", folder, name, strerror(errno));
    fprintf(f,
            "# gnuplot %s.gnuplot draws %s.svg; gnuplot -e \"kind='png'\" %s.gnuplot draws %s.png\n"
            "if (!exists('kind')) kind = 'svg'\n"
            "if (kind eq 'png') set terminal pngcairo size %d,%d font 'sans,11' background 'white'\n"
            "if (kind eq 'svg') set terminal svg size %d,%d font 'sans-serif,14' background 'white'\n"
            "set output '%s.' . kind\n"
            "set encoding utf8\n",
            name, name, name, name, width, height, width, height, name);
    static const char *const colour[] = {BLUE,      ORANGE,    GREEN,    VERMILION,
                                         "#CC79A7", "#56B4E9", "#000000"};
    for (int i = 0; i < 7; i++) fprintf(f, "set linetype %d lc rgb '%s' lw 2 pt 7\n", i + 1, colour[i]);
    fputs("set border 3\nset tics nomirror out\nset grid back lc rgb '#d0d0d0' lt 1 lw 1\n", f);
    return (struct plot){f, folder, name};
}

void plot_data(struct plot *p, const char *block, int rows, int columns, const double numbers[])
{
    fprintf(p->script, "$%s << END\n", block);
    for (int i = 0; i < rows * columns; i++)
        fprintf(p->script, "%.9g%c", numbers[i], i % columns == columns - 1 ? '\n' : ' ');
    fputs("END\n", p->script);
}

/* What went wrong, NULL for nothing. */
static const char *run(const char *folder, const char *kind, const char *script)
{
    const pid_t child = fork();
    if (child < 0) return strerror(errno);
    if (child == 0) {
        if (chdir(folder) != 0) _exit(126);
        execlp("gnuplot", "gnuplot", "-e", kind, script, (char *)NULL);
        _exit(errno == ENOENT ? 127 : 126);
    }
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return strerror(errno);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return NULL;
    return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? "not drawn, for gnuplot is not installed"
                                                           : "gnuplot failed";
}

bool plot_end(struct plot *p)
{
    char script[256];
    snprintf(script, sizeof script, "%s.gnuplot", p->name);
    const bool written = !ferror(p->script);
    const char *wrong = fclose(p->script) != 0 || !written ? "cannot write it" : NULL;
    p->script = NULL;
    fflush(stdout); /* what gnuplot says comes after */
    if (!wrong) wrong = run(p->folder, "kind='svg'", script);
    if (!wrong) wrong = run(p->folder, "kind='png'", script);
    if (!wrong)
        printf("drawn: %s/%s.svg, %s.png\n", p->folder, p->name, p->name);
    else
        fprintf(stderr, "%s/%s: %s\n", p->folder, script, wrong);
    return !wrong;
}
