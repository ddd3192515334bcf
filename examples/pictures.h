/* pictures.h: images of a set and what a model makes of them, as text and as pictures. */
#ifndef PICTURES_H
#define PICTURES_H

#include <stdint.h>

enum { SIDE = 28, CLASSES = 10 };

/* What an image set is called, and its classes: "Digit 0" or "Ankle boot". */
struct subject {
    const char *name;
    const char *classes[CLASSES];
};
extern const struct subject digits, fashion;

/* An image, its label, and the probabilities a model gives the classes. */
struct sample {
    const uint8_t *image; /* SIDE x SIDE, 0 is paper and 255 ink */
    int label;
    const float *prediction; /* CLASSES of them; NULL before there is a model */
};

/* The class a sample is most likely of. */
int most_likely(const struct sample *s);

/* A sample on stdout: the image in half blocks, beside it a bar a class. */
void print_sample(const struct subject *about, const struct sample *s);

/* The pictures, in the folder. */

/* images: samples with their labels, so many beside each other. */
void draw_images(const char *folder, const struct subject *about, int n, int beside,
                 const struct sample samples[]);
/* loss: losses[i] is the mean over epoch i + 1, test_loss the one after the last. */
void draw_loss(const char *folder, const struct subject *about, int epochs, const double losses[],
               double test_loss);
/* predictions: a row a sample: the image and its distribution. */
void draw_predictions(const char *folder, const struct subject *about, int n,
                      const struct sample samples[]);

#endif
