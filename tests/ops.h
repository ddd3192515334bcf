/* ops.h: what the tests of the op table share: operands, plain references, one run of one op. */
#ifndef TEST_OPS_H
#define TEST_OPS_H

#include "autodiff/ops.h"
#include "suite.h"
#include "support.h"

enum { MOST_OPERANDS = 3 };

/* An op with operands that hold values. */
struct sample {
    const struct wa_op *op;
    struct wa_attr attr;
    int n;
    struct operand {
        washi_dtype type;
        washi_shape shape;
        void *data;
    } x[MOST_OPERANDS];
};

/* How the elements of the real operands are drawn from (low, high). */
enum draw {
    DISTINCT, /* no two alike over all operands, none within 0.05 of 0 */
    TIED,     /* multiples of 1/2, where the range holds some */
    SPREAD,   /* anything: for many */
    SPECIAL,  /* infinities, NaN, zeros of both signs, denormals and extremes among the rest */
};
void draw_operands(struct sample *s, double low, double high, int64_t index_end, enum draw draw,
                   uint64_t *seed);
/* The sample that the op's entry describes, its real operands of that type. Fails when there is none.
 */
struct sample table_sample(const struct wa_op *op, washi_dtype real, enum draw draw, uint64_t *seed);
void free_sample(struct sample *s);

/* The plain answer, in double: libm and loops (op_reference.c). size[i] is what the rounding of element
 * i is relative to: the sum of the absolute values of its terms. */
struct answer {
    washi_dtype type;
    washi_shape shape;
    double *v, *size;
};
/* False when there is no reference of that op's name. */
bool plain_answer(const struct sample *s, struct answer *out);
struct reference {
    const char *name;
    void (*run)(const struct sample *s, struct answer *out);
};
/* op_reference_movement.c, op_reference_along.c, op_reference_random.c; the last has no name. */
extern const struct reference movement_references[], along_references[], random_references[];
/* For references: room for an answer of zeros, a term more in one of its elements, each of them from
 * its place; the place along each axis of element i, and back; x there, and where a shape of that rank
 * is x stretched. */
void give(struct answer *out, washi_dtype type, washi_shape shape);
void add_term(struct answer *out, int64_t i, double term);
void each(struct answer *out, const struct sample *s,
          double (*f)(const struct sample *s, const int64_t at[], int64_t i));
void unravel(washi_shape s, int64_t i, int64_t at[]);
int64_t ravel(washi_shape s, const int64_t at[]);
double item(const struct operand *x, const int64_t at[]);
double stretched(const struct operand *x, int rank, const int64_t at[]);
void free_answer(struct answer *a);
/* One element of an elementwise op, and what its rounding is relative to (op_functions.c); x NULL: only
 * whether there is one of that name. */
bool plain_element(const char *name, const double *x, double *value, double *size);

/* One run of an op: its value, and the derivatives of <u, value> with a random u. */
struct result {
    washi_dtype type;
    washi_shape shape;
    void *y;
    void *dx[MOST_OPERANDS]; /* as x; NULL for operands without a derivative */
    int tasks;               /* most of any step */
};
struct result run_sample(washi *w, const struct sample *s);
void free_result(const struct sample *s, struct result *r);
/* Fails unless both have the same bits. */
void same_bits(const struct sample *s, const struct result *a, const struct result *b,
               const char *where);
/* Fails unless the value is the plain answer's, to rounding. */
void near_plain(const struct sample *s, const struct result *r);

TCase *shapes_case(void); /* op_shapes.c */
TCase *errors_case(void); /* op_errors.c */

#endif
