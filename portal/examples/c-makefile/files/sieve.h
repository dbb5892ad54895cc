#ifndef SIEVE_H
#define SIEVE_H

#include <stddef.h>

/* Mark the primes below n: composite[i] is 0 for a prime i. composite has n bytes, all 0 before. */
void sieve(size_t n, unsigned char composite[]);

#endif
