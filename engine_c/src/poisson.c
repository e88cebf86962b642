/* Poisson weights by Loader's saddle-point formula. See poisson.h. */
#include "poisson.h"

/* log(k! e^k / k^k) - log(2 pi k) / 2, the error of Stirling's formula, for k = 1..15. */
static const double STIRLING_ERROR[16] = {0,
                                          0.0810614667953272582196702635943823601386,
                                          0.0413406959554092940938220814071175082136,
                                          0.02767792568499833914878929274624466659538,
                                          0.02079067210376509311152277176784865633309,
                                          0.01664469118982119216319486537359339114739,
                                          0.01387612882307074799874572702376290856175,
                                          0.01189670994589177009505572411765943862013,
                                          0.01041126526197209649747856713253462919952,
                                          0.009255462182712732917728636633180275867045,
                                          0.008330563433362871256469318136830217834402,
                                          0.007573675487951840794972024701519195216262,
                                          0.006942840107209529865664152663476360236541,
                                          0.006408994188004207068439631082983105463096,
                                          0.005951370112758847735624416092376891236395,
                                          0.005554733551962801371038690002104098168437};

ptd_poisson_mean ptd_poisson_mean_of(ptd_double_double q, double t)
{
    ptd_poisson_mean mean;
    mean.x = ptd_two_product(q.high, t);
    if (mean.x.high >= 0x1p-900) {
        mean.x = ptd_fast_two_sum(mean.x.high, mean.x.low + q.low * t);
        mean.log = log(mean.x.high);
    } else {
        mean.x.low = 0;
        mean.log = log(q.high) + log(t);
    }
    return mean;
}

double ptd_poisson_constant(double k)
{
    static const double half_log_two_pi = 0.918938533204672741780329736405617639861;
    if (k == 0) {
        return 0;
    }
    const double of_k = half_log_two_pi + 0.5 * log(k);
    if (k < 16) {
        return of_k + STIRLING_ERROR[(int)k];
    }
    const double inverse = 1 / k;
    const double square = inverse * inverse;
    const double series =
        1. / 12 -
        square * (1. / 360 - square * (1. / 1260 - square * (1. / 1680 - square * (1. / 1188))));
    return of_k + series * inverse;
}

double ptd_poisson_deviance(double k, const ptd_poisson_mean *mean)
{
    const double x = mean->x.high;
    if (k == 0) {
        return x;
    }
    if (3 * x < k || x > 3 * k) {
        return k * (log(k) - mean->log) + (x - k);
    }
    /* With v = (k - x) / (k + x): (k - x) v + 2 k v (v^2 / 3 + v^4 / 5 + ..), |v| <= 1/2. */
    const double d = (k - x) - mean->x.low;
    const double v = d / (k + x);
    const double square = v * v;
    double power = 2 * k * v;
    double sum = d * v;
    for (int j = 3; j < 200; j += 2) {
        power *= square;
        const double next = sum + power / j;
        if (next == sum) {
            break;
        }
        sum = next;
    }
    return sum;
}

double ptd_split_exp(double a, double *exponent)
{
    static const double log_two_high = 6.93147180369123816490e-01; /* 33 bits */
    static const double log_two_low = 1.90821492927058770002e-10;
    static const double inverse_log_two = 1.44269504088896340736;
    *exponent = rint(a * inverse_log_two);
    return exp((a - *exponent * log_two_high) - *exponent * log_two_low);
}
