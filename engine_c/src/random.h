/* Random numbers that are functions of where they stand: no state, no order of drawing.
 *
 * Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3")
 * is a bijection of 128-bit counters under a 64-bit key that passes the statistical batteries. Here
 * the key is the seed, and the counter says which sample (64 bits) and which step of it (64 bits);
 * a block is two words of 64 bits. So a sample is the same whatever is drawn before it or beside
 * it.
 *
 * Everything is integer arithmetic, or IEEE additions, multiplications and divisions of doubles in
 * a fixed order. Exponentials are -log u with a logarithm of our own (random_template.h), as libm's
 * differs between systems. Bits are therefore the same on every machine, in every width of vectors.
 */
#ifndef PTD_RANDOM_H
#define PTD_RANDOM_H

#include <stdint.h>

/* Words of block `step` of sample `number`. */
void ptd_random_block(uint64_t seed, uint64_t number, uint64_t step, uint64_t word[2]);
/* Uniform on the multiples of 2^-53 in (0, 1]. */
double ptd_random_uniform(uint64_t word);
/* Exponential of mean 1: -log of the uniform, 0 <= it < 37. */
double ptd_random_exponential(uint64_t word);
/* -log x for normal x > 0, to less than one unit in the last place. */
double ptd_minus_log(double x);
/* -log(1 - p) for 0 <= p < 1, to a few units in the last place. */
double ptd_minus_log_complement(double p);

#endif
