"""The inverse Laplace transform of sparse chains with any spectrum, in many digits.

Euler summation on a vertical line, whose poles all lie on its left (Abate, J. & Whitt, W. 2006. A
unified framework for numerically inverting Laplace transforms. INFORMS Journal on Computing 18,
408-421): with 2 n + 1 nodes and n digits about 0.6 n digits are right, of functions that are
neither large nor small. A decay at a known rate is therefore taken out first: e^{rate t} f(t) has
the transform F(z - rate).

Each node is a sparse system, factored in double and refined until the residual, taken in many
digits, is nothing.
"""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
from flint import acb, arb, ctx, fmpq
from scipy.sparse import csc_matrix, eye_array
from scipy.sparse.linalg import eigs, splu

from reference.density import Chain
from truth_density.laplace import ball

# Each gains about 13 digits.
MOST_REFINEMENTS = 12


class System:
    """(z - S) x = b, for b the rates of exit and for b = 1."""

    def __init__(self, chain: Chain, digits: int) -> None:
        n = len(chain.rows)
        edges = [(i, j, w) for i, row in enumerate(chain.rows) for j, w in row.items()]
        rows, columns, rates = zip(*edges, strict=True)
        matrix = csc_matrix((np.array(rates, dtype=float), (rows, columns)), (n, n))
        leaving = np.array(chain.leaving, dtype=float)
        self.generator = csc_matrix(matrix - csc_matrix((leaving, (range(n), range(n)))))
        self.rows = [[(j, ball(w)) for j, w in row.items()] for row in chain.rows]
        self.leaving = [ball(w) for w in chain.leaving]
        self.right = ([ball(w) for w in chain.exits], [arb(1)] * n)
        self.alpha = [(i, ball(w)) for i, w in enumerate(chain.alpha) if w]
        self.least = arb(10) ** -digits

    def slowest(self) -> float:
        """The rate at which the survival decays in the end."""
        return -float(eigs(self.generator, 1, sigma=0.0, return_eigenvectors=False)[0].real)

    def __call__(self, z: acb) -> tuple[acb, acb]:
        """alpha (z - S)^{-1} s and alpha (z - S)^{-1} 1."""
        n = len(self.rows)
        factors = splu(csc_matrix(complex(z) * eye_array(n) - self.generator))
        density, survival = (self._solve(z, factors, right) for right in self.right)
        return density, survival

    def _solve(self, z: acb, factors: object, right: list[arb]) -> acb:
        x = [acb(0)] * len(right)
        residual = [acb(b) for b in right]
        size = max(abs(r.mid()) for r in residual)
        for _ in range(MOST_REFINEMENTS):
            largest = max(abs(r).mid() for r in residual)
            if largest <= self.least * size:
                return sum((w * x[i] for i, w in self.alpha), acb(0))
            scaled = np.array([complex(r / largest) for r in residual])
            step = factors.solve(scaled)  # type: ignore[attr-defined]
            x = [(a + acb(b.real, b.imag) * largest).mid() for a, b in zip(x, step, strict=True)]
            residual = [
                (right[i] - (z + self.leaving[i]) * x[i] + sum(w * x[j] for j, w in row)).mid()
                for i, row in enumerate(self.rows)
            ]
        raise AssertionError("the refinement does not converge")


def invert(chain: Chain, time: Fraction, half: int = 50) -> tuple[arb, arb]:
    """Density and survival; 2 half + 1 nodes. The error, about 10^(-0.6 half) of what decays at the
    slowest rate, is not bounded."""
    ctx.prec = int(3.4 * 2 * half) + 60
    system, t = System(chain, 2 * half), ball(time)
    decay = arb(system.slowest())
    weights = [arb(1) / 2] + [arb(1)] * half + [arb(0)] * half
    weights[2 * half] = arb(2) ** -half
    for k in range(1, half):
        more = arb(fmpq(comb(half, k))) * arb(2) ** -half
        weights[2 * half - k] = weights[2 * half - k + 1] + more
    density, survival = arb(0), arb(0)
    for k, weight in enumerate(weights):
        beta = acb(arb(10).log() * half / 3, arb.pi() * k)
        flow, stay = system(acb((beta / t - decay).mid()))
        sign = -1 if k % 2 else 1
        density += sign * weight * flow.real
        survival += sign * weight * stay.real
    scale = arb(10) ** (arb(half) / 3) / t * (-decay * t).exp()
    return density * scale, survival * scale
