/* options.c: reads the MNIST example's command line, every number with its bounds. */
#define _GNU_SOURCE /* getopt_long */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: mnist [option]...\n"
    "Trains the MNIST classifier of 784-64-64-10 neurons, evaluates it, and shows what it predicts.\n\n"
    "  --data FOLDER  the four IDX files, plain or .gz; tools/fetch-mnist.sh gets them (default: .)\n"
    "  --fashion      the files are of Fashion-MNIST: clothes, not digits\n"
    "  --out FOLDER   where pictures go; made when it is not there (default: pictures)\n"
    "  --load FILE    evaluates these weights, a safetensors file, and trains nothing\n"
    "  --save FILE    where the trained weights go\n"
    "  --epochs N     times through the training images (default: 10)\n"
    "  --batch N      images a step (default: 64)\n"
    "  --rate X       learning rate (default: 0.01)\n"
    "  --threads N    0 is one a core; never changes a bit of the result (default: 0)\n"
    "  --seed N       of the first weights and the order of the images (default: 1)\n"
    "  --help         this text\n";

_Noreturn static void refuse(const char *name, const char *text, const char *wanted)
{
    fprintf(stderr, "mnist: --%s: '%s' is not %s\n", name, text, wanted);
    exit(EXIT_FAILURE);
}

static uint64_t whole(const char *name, const char *text, uint64_t least, uint64_t most)
{
    char *end, wanted[80];
    errno = 0;
    const unsigned long long x = strtoull(text, &end, 10);
    snprintf(wanted, sizeof wanted, "a whole number from %llu to %llu", (unsigned long long)least,
             (unsigned long long)most);
    if (text[0] < '0' || text[0] > '9' || *end || errno || x < least || x > most)
        refuse(name, text, wanted);
    return x;
}

static double positive(const char *name, const char *text)
{
    char *end;
    const double x = strtod(text, &end);
    if (end == text || *end || !isfinite(x) || x <= 0) refuse(name, text, "a positive number");
    return x;
}

struct options read_options(int argc, char **argv)
{
    static const struct option names[] = {
        {"data", required_argument, NULL, 'd'},    {"fashion", no_argument, NULL, 'f'},
        {"out", required_argument, NULL, 'o'},     {"epochs", required_argument, NULL, 'e'},
        {"batch", required_argument, NULL, 'b'},   {"rate", required_argument, NULL, 'r'},
        {"threads", required_argument, NULL, 't'}, {"seed", required_argument, NULL, 's'},
        {"load", required_argument, NULL, 'l'},    {"save", required_argument, NULL, 'w'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    struct options o = {".", "pictures", .epochs = 10, .batch = 64, .rate = 0.01, .seed = 1};
    for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (c) {
        case 'd': o.data = optarg; break;
        case 'f': o.fashion = true; break;
        case 'o': o.out = optarg; break;
        case 'l': o.load = optarg; break;
        case 'w': o.save = optarg; break;
        case 'e': o.epochs = (int)whole("epochs", optarg, 1, 100000); break;
        case 'b': o.batch = (int)whole("batch", optarg, 1, INT_MAX); break;
        case 'r': o.rate = positive("rate", optarg); break;
        case 't': o.threads = (int)whole("threads", optarg, 0, 1024); break;
        case 's': o.seed = whole("seed", optarg, 0, UINT64_MAX); break;
        case 'h': fputs(usage, stdout); exit(EXIT_SUCCESS);
        default: exit(EXIT_FAILURE); /* getopt_long has said why */
        }
    }
    if (optind < argc) {
        fprintf(stderr, "mnist: '%s' is not an option\n", argv[optind]);
        exit(EXIT_FAILURE);
    }
    return o;
}
