/* pictures.c: digits and distributions as text, and as SVG: a gnuplot script with its data, kept
 * beside the picture, so that it can be drawn later where gnuplot is missing, or drawn differently. */
#define _POSIX_C_SOURCE 200809L
#include "pictures.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int most_likely(const struct sample *s)
{
    int best = 0;
    for (int c = 1; c < CLASSES; c++)
        if (s->prediction[c] > s->prediction[best]) best = c;
    return best;
}

/* -- text ---------------------------------------------------------------------------------------- */

void print_sample(const struct sample *s)
{
    static const char *const blocks[] = {" ", "▀", "▄", "█"}; /* ink above, below, both */
    const int ink = 96, top = 2, width = 30;
    const int likely = most_likely(s);
    printf("\nDigit %d, predicted %d%s\n", s->label, likely, likely == s->label ? "" : ": wrong");
    for (int line = 0; line < SIDE / 2; line++) {
        const uint8_t *above = s->image + 2 * line * SIDE, *below = above + SIDE;
        for (int x = 0; x < SIDE; x++) fputs(blocks[(above[x] > ink) + 2 * (below[x] > ink)], stdout);
        const int c = line - top;
        if (c >= 0 && c < CLASSES) {
            printf("   %d  %.4f ", c, (double)s->prediction[c]);
            for (int i = 0; i < (int)(s->prediction[c] * (float)width + 0.5f); i++) fputs("█", stdout);
        }
        putchar('\n');
    }
}

/* -- gnuplot ------------------------------------------------------------------------------------- */

/* Okabe and Ito's palette, told apart by every kind of colour vision. */
#define BLUE   "#0072B2"
#define ORANGE "#E69F00"

static bool complain(const char *folder, const char *name, const char *why)
{
    fprintf(stderr, "mnist: %s/%s: %s\n", folder, name, why);
    return false;
}

bool make_folder(const char *folder)
{
    struct stat about;
    if (mkdir(folder, 0777) == 0 || (stat(folder, &about) == 0 && S_ISDIR(about.st_mode))) return true;
    fprintf(stderr, "mnist: %s: %s\n", folder, strerror(errno));
    return false;
}

static FILE *new_script(const char *folder, const char *name)
{
    char path[4096];
    const int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = length < (int)sizeof path ? fopen(path, "w") : (errno = ENAMETOOLONG, NULL);
    if (!f) complain(folder, name, strerror(errno));
    return f;
}

/* Closes the script and has gnuplot run it in its folder. */
static bool run_script(FILE *f, const char *folder, const char *name)
{
    const bool written = !ferror(f);
    if (fclose(f) != 0 || !written) return complain(folder, name, "cannot write it");
    const pid_t child = fork();
    if (child < 0) return complain(folder, name, strerror(errno));
    if (child == 0) {
        if (chdir(folder) != 0) _exit(126);
        execlp("gnuplot", "gnuplot", name, (char *)NULL);
        _exit(errno == ENOENT ? 127 : 126);
    }
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return complain(folder, name, strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    const bool missing = WIFEXITED(status) && WEXITSTATUS(status) == 127;
    return complain(folder, name,
                    missing ? "not drawn, for gnuplot is not installed" : "gnuplot failed");
}

bool draw_loss(const char *folder, int epochs, const double losses[], double test_loss)
{
    static const char name[] = "loss.gnuplot";
    FILE *f = new_script(folder, name);
    if (!f) return false;
    fputs("set terminal svg size 800,500 font 'sans-serif,14' background 'white'\n"
          "set output 'loss.svg'\n"
          "set title 'Loss of the MNIST classifier'\n"
          "set xlabel 'Epoch'\n"
          "set ylabel 'Cross-entropy loss'\n"
          "set yrange [0:*]\n"
          "set key top right\n"
          "set grid back lc '#d0d0d0' lt 1\n"
          "set border 3\n"
          "set tics nomirror out\n",
          f);
    fprintf(f, "set xrange [0.5:%d.5]\nset xtics %s\n$training << END\n", epochs,
            epochs <= 20 ? "1" : "autofreq");
    for (int i = 0; i < epochs; i++) fprintf(f, "%d %.9g\n", i + 1, losses[i]);
    fprintf(f, "END\n$test << END\n%d %.9g\nEND\n", epochs, test_loss);
    fputs("plot $training using 1:2 with linespoints lc '" BLUE "' lw 2 pt 7 ps 0.7"
          " title 'training, mean over the epoch', \\\n"
          "  $test using 1:2 with points lc '" ORANGE
          "' lw 2 pt 9 ps 1.4 title 'test, after the last'\n",
          f);
    return run_script(f, folder, name);
}

/* A row of the picture, bottom and height as shares of it. */
static void script_sample(FILE *f, int i, const struct sample *s, double bottom, double height)
{
    fprintf(f, "$image%d << END\n", i);
    for (int k = 0; k < SIDE * SIDE; k++)
        fprintf(f, "%d%c", s->image[k], k % SIDE == SIDE - 1 ? '\n' : ' ');
    fprintf(f, "END\n$prediction%d << END\n", i);
    for (int c = 0; c < CLASSES; c++) fprintf(f, "%d %.9g\n", c, (double)s->prediction[c]);
    fprintf(f,
            "END\nset bmargin at screen %.4f; set tmargin at screen %.4f\n"
            "set lmargin at screen 0.05; set rmargin at screen 0.30\n"
            "unset xtics; unset ytics; unset xlabel; unset ylabel; unset key; unset grid\n"
            "set border 15 lc '#a0a0a0'; set size ratio -1\n"
            "set title 'Digit %d' offset 0,-0.5\n"
            "set xrange [-0.5:%d.5]; set yrange [%d.5:-0.5]\n"
            "plot $image%d matrix with image pixels\n",
            bottom + 0.25 * height, bottom + 0.87 * height, s->label, SIDE - 1, SIDE - 1, i);
    fprintf(f,
            "set lmargin at screen 0.42; set rmargin at screen 0.97\n"
            "set border 3 lc 'black'; set size noratio\n"
            "set title 'Prediction: %d'\n"
            "set xrange [-0.7:%d.7]; set yrange [0:1]; set grid ytics back lc '#d0d0d0' lt 1\n"
            "set xtics 1 out nomirror offset 0,0.4; set ytics 0.25 out nomirror\n"
            "set xlabel 'Class' offset 0,0.9; set ylabel 'Probability'\n%s"
            "plot $prediction%d using 1:($1 == %d ? 1/0 : $2) with boxes fs solid lc '" BLUE
            "' title 'other classes', '' using 1:($1 == %d ? $2 : 1/0) with boxes fs solid lc '" ORANGE
            "' title 'the true class'\n",
            most_likely(s), CLASSES - 1,
            i == 0 ? "set key at screen 0.97,0.985 right top horizontal\n" : "unset key\n", i, s->label,
            s->label);
}

bool draw_samples(const char *folder, int n, const struct sample samples[])
{
    static const char name[] = "predictions.gnuplot";
    FILE *f = new_script(folder, name);
    if (!f) return false;
    fprintf(f,
            "set terminal svg size 800,%d font 'sans-serif,14' background 'white'\n"
            "set output 'predictions.svg'\n"
            "set multiplot\n"
            "set palette defined (0 'white', 1 'black'); unset colorbox; set cbrange [0:255]\n"
            "set boxwidth 0.7\n",
            40 + 250 * n);
    const double head = 40.0 / (40 + 250 * n), height = (1 - head) / n;
    for (int i = 0; i < n; i++) script_sample(f, i, &samples[i], 1 - head - (i + 1) * height, height);
    fputs("unset multiplot\n", f);
    return run_script(f, folder, name);
}
