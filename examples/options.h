/* options.h: the command line of the MNIST example. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct options {
    const char *data;        /* folder of the four IDX files */
    const char *out;         /* folder for pictures */
    const char *load, *save; /* files of weights; NULL: none */
    int epochs, batch, threads;
    double rate;
    bool fashion;
    uint64_t seed;
};

/* The options of a command line. --help prints them and exits with 0; a mistake is one line on
 * stderr and exit 1. */
struct options read_options(int argc, char **argv);

#endif
