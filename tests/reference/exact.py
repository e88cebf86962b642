"""An oracle in exact rational arithmetic: values and gradients without any rounding.

Every float counts as the rational number that it is. Gradients are taken forward: each number is a
`Dual`, a value with its derivatives in theta, and every formula below is written once, for duals.
The formulas are textbook ones on the matrix I - P, solved by Gaussian elimination in index order,
with E[YZ] - E[Y] E[Z] for the covariance: nothing here is shared with the engines, which never
subtract.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from math import comb, prod

from reference.model import START, Model, Number, predecessors_of, reachable


class Dual:
    """A rational value and its derivatives in the parameters (an empty tuple: all zero)."""

    __slots__ = ("gradient", "value")

    def __init__(self, value: Number, gradient: tuple[Fraction, ...] = ()) -> None:
        self.value = Fraction(value)
        self.gradient = gradient

    def __add__(self, other: Dual) -> Dual:
        if not other.gradient:
            return Dual(self.value + other.value, self.gradient)
        if not self.gradient:
            return Dual(self.value + other.value, other.gradient)
        pairs = zip(self.gradient, other.gradient, strict=True)
        return Dual(self.value + other.value, tuple(a + b for a, b in pairs))

    def __neg__(self) -> Dual:
        return Dual(-self.value, tuple(-a for a in self.gradient))

    def __sub__(self, other: Dual) -> Dual:
        return self + -other

    def __mul__(self, other: Dual) -> Dual:
        x, y = self.value, other.value
        if not other.gradient:
            return Dual(x * y, tuple(a * y for a in self.gradient))
        if not self.gradient:
            return Dual(x * y, tuple(x * b for b in other.gradient))
        pairs = zip(self.gradient, other.gradient, strict=True)
        return Dual(x * y, tuple(a * y + x * b for a, b in pairs))

    def __truediv__(self, other: Dual) -> Dual:
        quotient = self.value / other.value
        inverse = Dual(1 / other.value, tuple(-b / other.value**2 for b in other.gradient))
        return Dual(quotient, (self * inverse).gradient)

    def is_zero(self) -> bool:
        return self.value == 0 and not any(self.gradient)


ZERO = Dual(0)
ONE = Dual(1)


class Oracle:
    """Exact answers for one model at one theta.

    Vertices that the start does not reach at theta and that cannot reach absorption there are left
    out. A reachable one of that kind makes moments infinite (`None` here) and is left out as well.
    With ``gradient=False`` derivatives are not carried.
    """

    def __init__(
        self, model: Model, theta: Sequence[Number] | None = None, gradient: bool = True
    ) -> None:
        self.model = model
        self.theta = [Fraction(x) for x in (model.theta if theta is None else theta)]
        self.gradient = gradient
        self.start: dict[int, Dual] = {}
        self.edges: dict[int, dict[int, Dual]] = {v: {} for v in range(model.n_vertices)}
        for v, base, coefficients in model.start:
            self.start[v] = self.start.get(v, ZERO) + self.weight(base, coefficients)
        for u, v, base, coefficients in model.edges:
            if u != v:  # a self-loop has no effect (CTMC) or is what the others leave (DTMC)
                row = self.edges[u]
                row[v] = row.get(v, ZERO) + self.weight(base, coefficients)
        total = sum(self.start.values(), ZERO)
        self.start = {v: w / total for v, w in self.start.items()}

        self.absorbing = model.absorbing()
        positive = {u: [v for v, w in r.items() if w.value] for u, r in self.edges.items()}
        positive[START] = [v for v, w in self.start.items() if w.value]
        ending = reachable(self.absorbing, predecessors_of(positive))
        reached = reachable([START], positive)
        self.improper = not reached <= ending | {START}
        stopping = set(self.absorbing)
        self.transient = [v for v in range(model.n_vertices) if v in ending - stopping]
        self.leaving = {v: sum((w for w in self.edges[v].values()), ZERO) for v in self.transient}
        self.position = {v: k for k, v in enumerate(self.transient)}
        self._factor()

    def weight(self, base: Number, coefficients: Sequence[Number]) -> Dual:
        value = Fraction(base)
        for c, x in zip(coefficients, self.theta, strict=True):
            value += Fraction(c) * x
        if not self.gradient or not any(coefficients):
            return Dual(value)
        return Dual(value, tuple(Fraction(c) for c in coefficients))

    def _factor(self) -> None:
        """Gaussian elimination of diag(leaving) - W on the transient vertices, as factors."""
        rows: list[dict[int, Dual]] = []
        for v in self.transient:
            row = {self.position[v]: self.leaving[v]}
            for j, w in self.edges[v].items():
                if j in self.position and not w.is_zero():
                    row[self.position[j]] = -w
            rows.append(row)
        columns: list[set[int]] = [set() for _ in rows]
        for i, row in enumerate(rows):
            for j in row:
                columns[j].add(i)
        self.lower: list[list[tuple[int, Dual]]] = [[] for _ in rows]
        for k, pivot_row in enumerate(rows):
            for i in sorted(columns[k]):
                if i <= k:
                    continue
                factor = rows[i].pop(k) / pivot_row[k]
                self.lower[k].append((i, factor))
                for j, u in pivot_row.items():
                    if j > k:
                        rows[i][j] = rows[i].get(j, ZERO) - factor * u
                        columns[j].add(i)
        self.upper = [{j: u for j, u in row.items() if j >= i} for i, row in enumerate(rows)]

    def _solve(self, right: dict[int, Dual]) -> dict[int, Dual]:
        """x with leaving_i x_i - sum_j w_ij x_j = right_i."""
        x = [right.get(v, ZERO) for v in self.transient]
        for k, below in enumerate(self.lower):
            for i, factor in below:
                x[i] = x[i] - factor * x[k]
        for k in reversed(range(len(x))):
            for j, u in self.upper[k].items():
                if j > k:
                    x[k] = x[k] - u * x[j]
            x[k] = x[k] / self.upper[k][k]
        return dict(zip(self.transient, x, strict=True))

    def _from_start(self, x: dict[int, Dual]) -> Dual:
        return sum((p * x[v] for v, p in self.start.items() if v in x), ZERO)

    def _step(self, v: int, x: dict[int, Dual]) -> Dual:
        """E[x after one step from v] in discrete time, the implied self-loop included."""
        total = (ONE - self.leaving[v]) * x[v]
        for j, w in self.edges[v].items():
            if j in x:
                total = total + w * x[j]
        return total

    def _rewards(self, rewards: Sequence[Number] | None) -> dict[int, Fraction]:
        if rewards is None:
            return {v: Fraction(1) for v in self.transient}
        return {v: Fraction(rewards[v]) for v in self.transient}

    def vertex_moments(
        self, order: int, rewards: Sequence[Number] | None = None
    ) -> list[dict[int, Dual]]:
        """E[Y^k | from v] by v, k = 0..order."""
        r = self._rewards(rewards)
        found = [dict.fromkeys(self.transient, ONE)]
        for v in self.absorbing:
            found[0][v] = ONE
        for k in range(1, order + 1):
            right: dict[int, Dual] = {}
            for v in self.transient:
                if self.model.discrete:
                    right[v] = ZERO
                    for c in range(1, k + 1):
                        scale = Dual(comb(k, c) * r[v] ** c)
                        right[v] = right[v] + scale * self._step(v, found[k - c])
                else:
                    right[v] = Dual(k * r[v]) * found[k - 1][v]
            found.append(self._solve(right))
        return found

    def moments(self, order: int, rewards: Sequence[Number] | None = None) -> list[Dual]:
        """E[Y^k], k = 1..order."""
        return [self._from_start(x) for x in self.vertex_moments(order, rewards)[1:]]

    def joint_moments(
        self, rewards: Sequence[Sequence[Number] | None], powers: Sequence[int]
    ) -> list[dict[int, Dual]]:
        """E[prod Y_i^k_i | from v] by v, for every index (k_i) up to `powers`, ascending."""
        rows = [self._rewards(row) for row in rewards]
        zero = (0,) * len(powers)
        found = {zero: dict.fromkeys([*self.transient, *self.absorbing], ONE)}
        for index in itertools.product(*(range(k + 1) for k in powers)):
            if index == zero:
                continue
            right = dict.fromkeys(self.transient, ZERO)
            for below in itertools.product(*(range(k + 1) for k in index)):
                apart = [k - b for k, b in zip(index, below, strict=True)]
                if sum(apart) == 0 or (sum(apart) > 1 and not self.model.discrete):
                    continue
                ways = prod(comb(k, b) for k, b in zip(index, below, strict=True))
                for v in self.transient:
                    factor = ways * prod(r[v] ** d for r, d in zip(rows, apart, strict=True))
                    x = found[below]
                    then = self._step(v, x) if self.model.discrete else x[v]
                    right[v] = right[v] + Dual(factor) * then
            found[index] = self._solve(right)
        return list(found.values())

    def joint_moment(
        self, rewards: Sequence[Sequence[Number] | None], powers: Sequence[int]
    ) -> Dual:
        """E[prod Y_i^k_i]."""
        return ONE if not any(powers) else self._from_start(self.joint_moments(rewards, powers)[-1])

    def transform(
        self, point: Sequence[Number], rewards: Sequence[Sequence[Number] | None]
    ) -> Dual:
        """E[exp(-sum s_i Y_i)], discrete: E[prod z_i^Y_i] of whole rewards and z > 0."""
        rows = [self._rewards(row) for row in rewards]
        shifts: dict[int, Number] = {}
        for v in self.transient:
            pairs = [(Fraction(x), row[v]) for x, row in zip(point, rows, strict=True)]
            if self.model.discrete:
                assert all(r.denominator == 1 for _, r in pairs)
                shifts[v] = 1 / Fraction(prod(z ** int(r) for z, r in pairs)) - 1
            else:
                shifts[v] = sum((s * r for s, r in pairs), Fraction(0))
        killed = Oracle(self.model.killed(shifts), self.theta, self.gradient)
        return sum((killed.absorption(v) for v in self.absorbing), ZERO)

    def covariance(
        self, first: Sequence[Number] | None = None, second: Sequence[Number] | None = None
    ) -> Dual:
        """Cov(Y, Z) = E[YZ] - E[Y] E[Z]."""
        r, s = self._rewards(first), self._rewards(second)
        m, n = self.vertex_moments(1, first)[1], self.vertex_moments(1, second)[1]
        right = {}
        for v in self.transient:
            if self.model.discrete:
                right[v] = (
                    Dual(r[v] * s[v])
                    + Dual(r[v]) * self._step(v, n)
                    + Dual(s[v]) * self._step(v, m)
                )
            else:
                right[v] = Dual(r[v]) * n[v] + Dual(s[v]) * m[v]
        return self._from_start(self._solve(right)) - self._from_start(m) * self._from_start(n)

    def sojourn(self, vertex: int) -> Dual:
        """Expected total time (discrete: visits) in `vertex`."""
        if vertex not in self.position:
            return ZERO
        return self._from_start(self._solve({vertex: ONE}))

    def absorption(self, vertex: int) -> Dual:
        """P(absorbed in `vertex`)."""
        right = {v: self.edges[v].get(vertex, ZERO) for v in self.transient}
        found = self._solve(right)
        found[vertex] = ONE
        return self._from_start(found)

    def defect(self, rewards: Sequence[Number] | None = None) -> Dual:
        """P(Y = 0): absorbed without a visit to a vertex of positive reward."""
        paid = {v for v in self.transient if rewards is None or rewards[v] > 0}
        stopped = Oracle(self.model.stopped_at(paid), self.theta, self.gradient)
        return sum((stopped.absorption(v) for v in self.absorbing), ZERO)
