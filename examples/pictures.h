/* pictures.h: digits and what a model makes of them, as text and, by gnuplot, as SVG. */
#ifndef PICTURES_H
#define PICTURES_H

#include <stdbool.h>
#include <stdint.h>

enum { SIDE = 28, CLASSES = 10 };

/* An image, its label, and the probabilities a model gives the classes. */
struct sample {
    const uint8_t *image; /* SIDE x SIDE, 0 is paper and 255 ink */
    int label;
    const float *prediction; /* CLASSES of them */
};

/* The class a sample is most likely of. */
int most_likely(const struct sample *s);

/* A sample on stdout: the image in half blocks, beside it a bar a class. */
void print_sample(const struct sample *s);

/* The three below return false after one line on stderr. */

/* Makes the folder, unless it is there. */
bool make_folder(const char *folder);
/* Draws folder/loss.svg: losses[i] is the mean over epoch i + 1, test_loss the one after the last. */
bool draw_loss(const char *folder, int epochs, const double losses[], double test_loss);
/* Draws folder/predictions.svg, a row a sample: the image and its distribution. */
bool draw_samples(const char *folder, int n, const struct sample samples[]);

#endif
