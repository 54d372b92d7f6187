"""Reference values of src/science/statistics, by mpmath (pip install mpmath) with 60 digits. Prints tests/data/statistics.csv.

    python3 tests/peer/statistics.py > tests/data/statistics.csv

Each line: function, arguments, ln p. Arguments are exact f64 near the quantile of p, found by Newton's method; ln p is that of the
argument as printed. Both tails come from Legendre's continued fraction or the power series, and where mpmath's own gammainc is
fast enough they are checked against it.
"""

from mpmath import mp, mpf, betainc, exp, gammainc, log, loggamma, erfc, sqrt, pi, log1p, expm1

mp.dps = 60
TINY = mpf(10) ** -58


def tails(a, x):
    """(P, Q) of the regularised incomplete gamma functions."""
    a, x = mpf(a), mpf(x)
    term = exp(a * log(x) - x - loggamma(a + 1))
    if x < a + 1:
        step = total = mpf(1)
        k = a
        while step > TINY * total:
            k += 1
            step *= x / k
            total += step
        p = term * total
        return p, 1 - p
    b, c = x + 1 - a, mpf(10) ** 70
    value = d = 1 / b
    i = 0
    while True:
        i += 1
        number = i * (a - i)
        b += 2
        d = 1 / (number * d + b)
        c = b + number / c
        value *= c * d
        if abs(c * d - 1) < TINY:
            q = term * a * value
            return 1 - q, q


def checked(a, x):
    p, q = tails(a, x)
    if a <= 1000:
        assert abs(gammainc(a, 0, x, regularized=True) / p - 1) < mpf(10) ** -25
        assert abs(gammainc(a, x, mp.inf, regularized=True) / q - 1) < mpf(10) ** -25
    return p, q


def quantile(a, p, upper):
    """An f64 near the x whose tail is p."""
    z = sqrt(-2 * log(p)) if p < 0.4 else mpf(0)
    x = mpf(a) * max(1 - mpf(1) / (9 * a) + (z if upper else -z) / (3 * sqrt(a)), mpf("0.05")) ** 3
    if not upper:
        x = min(x, exp((log(p) + loggamma(a + 1)) / a) * 2)
    for _ in range(40):
        # Digits of f64 are enough to find it.
        with mp.workdps(30):
            tail = tails(a, x)[upper]
            slope = exp(a * log(x) - x - loggamma(a)) / tail
            step = log(tail / p) / slope if upper else log(p / tail) / slope
            x *= exp(max(min(step, mpf(2)), mpf(-2)))
        if abs(step) < 1e-12:
            break
    return float(x)


def line(name, *values):
    ln_p = values[-1]
    print(",".join([name, *(repr(float(v)) for v in values[:-1]), mp.nstr(ln_p, 20)]))


PROBABILITIES = [mpf("0.5"), mpf("0.1"), *(mpf(10) ** -k for k in (3, 10, 50, 100, 200, 300, 1000))]

print("# Made by tests/peer/statistics.py. function,arguments...,ln p")
for dof in (2, 3, 4, 10, 108, 1000, 20000, 200000, 2000000):
    a = mpf(dof) / 2
    for p in PROBABILITIES:
        x = 2 * quantile(a, p, True)
        line("chi_square_sf", x, dof, log(checked(a, mpf(x) / 2)[1]))
    for p in PROBABILITIES[1:]:
        x = 2 * quantile(a, p, False)
        if x < 1e-300:
            continue
        line("chi_square_cdf", x, dof, log(checked(a, mpf(x) / 2)[0]))
for z in (-8.0, -3.0, -1.0, 0.0, 0.1, 1.0, 3.0, 5.0, 10.0, 20.0, 37.0, 38.6, 100.0):
    line("normal_sf", z, log(erfc(mpf(z) / sqrt(2)) / 2))
for counts, mean in ((1, 0.5), (1, 1e-300), (5, 20.0), (100, 1.0), (10**4, 9000.0), (10**6, 963500.5), (300, 2.0)):
    line("poisson_at_least", counts, mean, log(checked(mpf(counts), mpf(mean))[0]))
for counts, mean in ((0, 700.0), (3, 0.01), (5, 20.0), (10**4, 11000.0), (10**6, 1037500.25)):
    line("poisson_at_most", counts, mean, log(checked(mpf(counts + 1), mpf(mean))[1]))


def noncentral(x, dof, noncentrality):
    """Σ Pois(j; λ/2)·P(dof/2 + j, x/2), every P by itself but for the recurrence downwards."""
    a, y, mean = mpf(dof) / 2, mpf(x) / 2, mpf(noncentrality) / 2
    j = int(mean + 20 * sqrt(mean) + 150)
    p = tails(a + j, y)[0]
    t = exp((a + j) * log(y) - y - loggamma(a + j + 1))
    w = exp(j * log(mean) - mean - loggamma(j + 1))
    total = mpf(0)
    while j >= 0:
        total += w * p
        t *= (a + j) / y
        p += t
        w *= j / mean
        j -= 1
    return total


for x, dof, noncentrality in (
    (5.0, 2, 3.0), (40.0, 2, 55.5), (1.0, 2, 400.0), (1e-3, 10, 5000.0), (108.0, 108, 40.0), (692.8, 108, 700.0),
    (2000.0, 2000, 100.0), (2000.0, 2000, 5000.0), (2e5, 200000, 1500.0), (2e6, 2000000, 6000.0), (2e6, 2000000, 90000.0),
):
    line("noncentral_cdf", x, dof, noncentrality, log(noncentral(x, dof, noncentrality)))


def beta_cdf(x, a, b):
    """I_x(a, b), by the even part of its continued fraction (DLMF 8.17.22), from the side where it converges."""
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_cdf(1 - x, b, a)
    value, k = mpf(0), 2 * int(60 + 4 * sqrt(a + b))
    while k > 0:
        m = k // 2
        d = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)) if k % 2 == 0 else -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        value = d / (1 + value)
        k -= 1
    found = exp(a * log(x) + b * log(1 - x) + loggamma(a + b) - loggamma(a + 1) - loggamma(b)) / (1 + value)
    if a + b < 1000:
        assert abs(betainc(a, b, 0, x, regularized=True) / found - 1) < mpf(10) ** -25
    return found


for samples, bins in ((20, 2), (20, 19), (100, 10), (1000, 16), (10**5, 64), (10**6, 4096), (10**7, 20)):
    width = sqrt(mpf(2 * bins)) / samples
    for theta in sorted({float(1 - k * width) for k in (-1, 0, 0.3, 2, 5, 20, 200)} | {0.5, 1e-3, 1e-9}):
        x = mpf(theta) * (samples - bins) / (samples - 1)
        ln_p = log(beta_cdf(x, mpf(samples - bins) / 2, mpf(bins - 1) / 2)) if 0 < x < 1 else mpf("-inf")
        # Beyond that, the last digit of an f64 is worth more than 1e-11.
        if ln_p > -1e5:
            line("dispersion_cdf", theta, samples, bins, ln_p)
for ln_p, trials in ((-0.5, 3.0), (-5.0, 100.0), (-20.0, 8191.0), (-36.0, 2.0), (-50.0, 1e9), (-750.0, 1e6), (-1.0, 1.0)):
    with mp.workdps(800):
        value = log(-expm1(mpf(trials) * log1p(-exp(mpf(ln_p)))))
    line("any_trial", ln_p, trials, value)
