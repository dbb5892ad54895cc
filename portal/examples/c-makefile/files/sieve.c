#include "sieve.h"

void sieve(size_t n, unsigned char composite[]) {
    for (size_t i = 0; i < n && i < 2; i++) composite[i] = 1;
    for (size_t p = 2; p * p < n; p++)
        if (!composite[p])
            for (size_t m = p * p; m < n; m += p) composite[m] = 1;
}
