/* Random numbers one at a time: the template in vectors of one lane. */
#include "random.h"

#define WIDTH        1
#define RANDOM(name) one_##name
#include "random_template.h"

void ptd_random_block(uint64_t seed, uint64_t number, uint64_t step, uint64_t word[2])
{
    one_words words[2];
    one_block(seed, (one_words){number}, (one_words){step}, words);
    word[0] = words[0][0];
    word[1] = words[1][0];
}

double ptd_random_uniform(uint64_t word)
{
    return one_uniform((one_words){word})[0];
}

double ptd_random_exponential(uint64_t word)
{
    return ptd_minus_log(ptd_random_uniform(word));
}

double ptd_minus_log(double x)
{
    return one_minus_log((one_reals){x})[0];
}

/* With w the double next to 1 - p, log(1 - p) / p is log w / (1 - w) to a few roundings, and 1 - w
 * is exact (W. Kahan's way, in the HP-15C Advanced Functions Handbook, 1982). */
double ptd_minus_log_complement(double p)
{
    const double w = 1.0 - p;
    const double gap = 1.0 - w;
    return gap == 0 ? p : ptd_minus_log(w) * (p / gap);
}
