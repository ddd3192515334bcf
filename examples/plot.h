/* plot.h: pictures by gnuplot, as SVG and PNG: a script with its data, kept beside the pictures, so
 * that they can be drawn later where gnuplot is missing, or drawn differently. */
#ifndef PLOT_H
#define PLOT_H

#include <stdbool.h>
#include <stdio.h>

/* Line types 1 to 7 have the colours of Okabe and Ito's palette, told apart by every kind of colour
 * vision: blue, orange, green, vermilion, purple, sky and black. */
#define BLUE      "#0072B2"
#define ORANGE    "#E69F00"
#define GREEN     "#009E73"
#define VERMILION "#D55E00"
#define GREY      "#999999"

struct plot {
    FILE *script; /* for more commands; NULL after a failure */
    const char *folder, *name;
};

/* Begins folder/name.gnuplot, making the folder unless it is there. The fields are borrowed. Fails as
 * the examples do: one line and exit 1. */
struct plot plot_begin(const char *folder, const char *name, int width, int height);
/* The data block $block, of rows of numbers. */
void plot_data(struct plot *p, const char *block, int rows, int columns, const double numbers[]);
/* Has gnuplot draw folder/name.svg and folder/name.png and says so on stdout; false after one line on
 * stderr, such as that gnuplot is not installed. */
bool plot_end(struct plot *p);

#endif
