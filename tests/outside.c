/* outside.c: a program outside, in the common part of C and C++: the second derivative of tanh at 1,
 * and an IDX file that is not there. */
#include <washi.h>

#include <string.h>

int main(void)
{
    washi *w;
    if (washi_open(&w, NULL) != WASHI_OK) return fprintf(stderr, "%s\n", washi_message()), 1;
    washi_tape *t = washi_tape_new(w);
    washi_tensor *x = washi_scalar(t, WASHI_F64, 1), *y = washi_tanh(x), *dy, *ddy;
    washi_grad(y, 1, &x, &dy);
    washi_grad(dy, 1, &x, &ddy);
    const double got = washi_item(ddy), want = -0.63970000844922459; /* -2 tanh(1) (1 - tanh(1)^2) */
    int wrong = !(got - want < 1e-12 && want - got < 1e-12);
    washi_tape_free(t);

    washi_array a;
    wrong |= washi_read_idx(w, "there is none", &a) != WASHI_IO;
    wrong |= strstr(washi_message(), "there is none") == NULL;
    washi_close(w);
    printf("washi %s: %.17g, %s\n", washi_version(), got, wrong ? "wrong" : "right");
    return wrong;
}
