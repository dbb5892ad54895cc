#include <stdio.h>
#include <stdlib.h>

#include "sieve.h"

int main(int argc, char *argv[]) {
    long n = argc > 1 ? strtol(argv[1], NULL, 10) : 100;
    if (n < 0 || n > 100000000) {
        fprintf(stderr, "usage: primes [0..100000000]\n");
        return 2;
    }
    unsigned char *composite = calloc((size_t)n + 1, 1);
    if (!composite) return 1;
    sieve((size_t)n, composite);
    for (long i = 0; i < n; i++)
        if (!composite[i]) printf("%ld\n", i);
    free(composite);
    return 0;
}
