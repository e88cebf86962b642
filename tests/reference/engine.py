"""The reference engine: an elimination recorded as operations, replayed in floats.

Subtraction-free elimination (Grassmann, Taksar & Heyman 1985; O'Cinneide 1993) by strong components
in reverse topological order. A trace is a list of the eight operations CONST, PARAM, DOT, ADD, MUL,
DIV, INV, SUM; a quantity appends its own to a copy; a gradient is one sweep back over the list.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

from reference.elimination import minimum_degree, strong_components
from reference.model import START, Model, predecessors_of, reachable


class ReferenceFailure(Exception):
    """What the C engine says with a status: its name, and the vertex or parameter concerned."""

    def __init__(self, code: str, index: int = -1, value: float = 0.0) -> None:
        super().__init__(f"{code}: index {index}, value {value}")
        self.code = code
        self.index = index
        self.value = value


class Tape:
    """Operations numbered from 0; each refers to earlier ones only."""

    def __init__(self, operations: list[tuple] | None = None) -> None:
        self.operations = list(operations or ())
        self.constants: dict[float, int] = {}

    def _push(self, *operation: object) -> int:
        self.operations.append(operation)
        return len(self.operations) - 1

    def const(self, value: float) -> int:
        if value not in self.constants:
            self.constants[value] = self._push("CONST", float(value))
        return self.constants[value]

    def affine(self, base: float, terms: list[tuple[int, float]]) -> int:
        """base + sum of coefficient * theta[parameter]."""
        if not terms:
            return self.const(base)
        if len(terms) == 1 and terms[0][1] == 1 and base == 0:
            return self._push("PARAM", terms[0][0])
        return self._push("DOT", float(base), tuple(terms))

    def add(self, a: int, b: int) -> int:
        return self._push("ADD", a, b)

    def mul(self, a: int, b: int) -> int:
        return self._push("MUL", a, b)

    def div(self, a: int, b: int) -> int:
        return self._push("DIV", a, b)

    def inv(self, a: int) -> int:
        return self._push("INV", a)

    def sum(self, terms: list[int]) -> int:
        return terms[0] if len(terms) == 1 else self._push("SUM", tuple(terms))

    def difference(self, a: int, b: int) -> int:
        return self.add(a, self.mul(self.const(-1.0), b))

    def evaluate(self, theta: Sequence[float]) -> list[float]:
        """The value of every operation. What is divided by 0 is 0: only vertices that cannot
        be reached at theta have that pivot, and what is left of them is multiplied by 0."""
        values: list[float] = []
        for operation in self.operations:
            match operation:
                case ("CONST", value):
                    values.append(value)
                case ("PARAM", k):
                    values.append(theta[k])
                case ("DOT", base, terms):
                    values.append(math.fsum([base, *(c * theta[k] for k, c in terms)]))
                case ("ADD", a, b):
                    values.append(values[a] + values[b])
                case ("MUL", a, b):
                    values.append(values[a] * values[b])
                case ("DIV", a, b):
                    values.append(values[a] / values[b] if values[b] else 0.0)
                case ("INV", a):
                    values.append(1.0 / values[a] if values[a] else 0.0)
                case ("SUM", terms):
                    values.append(math.fsum(values[a] for a in terms))
        return values

    def gradient(self, values: list[float], output: int, n_parameters: int) -> list[float]:
        """Derivatives of one operation's value in theta, by the reverse sweep."""
        adjoint = [0.0] * len(values)
        adjoint[output] = 1.0
        result = [0.0] * n_parameters
        for i in range(output, -1, -1):
            bar = adjoint[i]
            if bar == 0.0:
                continue
            match self.operations[i]:
                case ("PARAM", k):
                    result[k] += bar
                case ("DOT", _, terms):
                    for k, c in terms:
                        result[k] += bar * c
                case ("ADD", a, b):
                    adjoint[a] += bar
                    adjoint[b] += bar
                case ("MUL", a, b):
                    adjoint[a] += bar * values[b]
                    adjoint[b] += bar * values[a]
                case ("DIV", a, b):
                    adjoint[a] += bar / values[b]
                    adjoint[b] -= bar * values[i] / values[b]
                case ("INV", a):
                    adjoint[a] -= bar * values[i] * values[i]
                case ("SUM", terms):
                    for a in terms:
                        adjoint[a] += bar
        return result


@dataclass
class Component:
    """One strong component: its order, and its factors as operation numbers."""

    order: list[int]
    inverse: dict[int, int]
    upper: dict[int, dict[int, int]]  # v -> {later vertex: probability}
    lower: dict[int, dict[int, int]]  # v -> {later vertex: its share of v's equation}


@dataclass
class Covariance:
    """One covariance as two operations: by total covariance, and E[YZ] - E[Y] E[Z]."""

    total: int
    noise: list[tuple[int, int, int, int, int]]  # scale, m_j - M, m_j + M, n_j - N, n_j + N
    centred: int
    product: int

    def better(self, values: list[float]) -> int:
        """The operation whose rounding error has the smaller bound."""
        unit = 2.0**-52
        bound = 0.0
        for scale, away_m, size_m, away_n, size_n in self.noise:
            dm, dn = unit * values[size_m], unit * values[size_n]
            away = abs(values[away_m]) * dn + abs(values[away_n]) * dm
            bound += values[scale] * (away + dm * dn)
        return self.total if bound <= unit * values[self.product] else self.centred


class ReferenceTrace:
    """A recorded model. All answers go by the model's own vertex numbers."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.tape = Tape()
        self.weight: dict[tuple[int, int], int] = {}
        self.stay: dict[int, int] = {}
        self._stopped: dict[frozenset[int], ReferenceTrace] = {}
        self._read_weights()
        self._classify()
        self._eliminate()

    # recording -----------------------------------------------------------------------------------
    def _read_weights(self) -> None:
        model = self.model
        edges = [(START, v, base, c) for v, base, c in model.start] + list(model.edges)
        merged: dict[tuple[int, int], list[float]] = {}
        for u, v, base, coefficients in edges:
            form = merged.setdefault((u, v), [0.0] * (1 + model.n_parameters))
            for k, x in enumerate((base, *coefficients)):
                if not math.isfinite(x):
                    raise ReferenceFailure("GRAPH_WEIGHT_NOT_FINITE", u)
                form[k] += float(x)
        for (u, v), (base, *coefficients) in merged.items():
            terms = [(k, c) for k, c in enumerate(coefficients) if c]
            if not terms and base < 0:
                raise ReferenceFailure("GRAPH_WEIGHT_NEGATIVE", u, base)
            self.weight[u, v] = self.tape.affine(base, terms)
        self.targets: dict[int, list[int]] = {v: [] for v in range(model.n_vertices)}
        self.targets[START] = []
        for u, v in self.weight:
            if u != v:
                self.targets[u].append(v)

    def _classify(self) -> None:
        model = self.model
        if not self.targets[START]:
            raise ReferenceFailure("GRAPH_NO_START")
        self.absorbing = model.absorbing()
        ending = reachable(self.absorbing, predecessors_of(self.targets))
        reached = reachable(self.targets[START], self.targets)
        trapped = sorted(reached - ending)
        if trapped and not model.improper:
            raise ReferenceFailure("GRAPH_NO_ABSORPTION", trapped[0])
        sound = ending
        if not model.improper:
            # what cannot be reached and can fall into a trap is of no interest
            traps = [v for v in range(model.n_vertices) if v not in ending]
            sound = ending - (reachable(traps, predecessors_of(self.targets)) - {START})
        stopping = set(self.absorbing)
        self.transient = [v for v in range(model.n_vertices) if v in sound - stopping]
        self.dropped = [v for v in range(model.n_vertices) if v not in sound and v not in stopping]

    def _eliminate(self) -> None:
        tape = self.tape
        kept = set(self.transient)
        inside = {v: [j for j in self.targets[v] if j in kept] for v in self.transient}
        self.components: list[Component] = []
        self.leaving: dict[int, int] = {}
        for vertices in strong_components(self.transient, inside):
            order = minimum_degree(vertices, inside)
            rank = {v: k for k, v in enumerate(order)}
            w = {v: {j: self.weight[v, j] for j in self.targets[v] if j in rank} for v in order}
            out = {v: [self.weight[v, j] for j in self.targets[v] if j not in rank] for v in order}
            component = Component(order, {}, {}, {})
            for v in order:
                self.leaving[v] = tape.sum([self.weight[v, j] for j in self.targets[v]])
            for v in order:
                later = {j: w[v][j] for j in sorted(w[v], key=rank.__getitem__)}
                inverse = tape.inv(tape.sum(list(later.values()) + out[v]))
                component.inverse[v] = inverse
                component.upper[v] = {j: tape.mul(x, inverse) for j, x in later.items()}
                component.lower[v] = {}
                exits = [tape.mul(x, inverse) for x in out[v]]
                for i in order[rank[v] + 1 :]:
                    if v not in w[i]:
                        continue
                    share = w[i].pop(v)
                    component.lower[v][i] = tape.mul(share, inverse)
                    for j, p in component.upper[v].items():
                        if j != i:
                            step = tape.mul(share, p)
                            w[i][j] = tape.add(w[i][j], step) if j in w[i] else step
                    out[i] = out[i] + [tape.mul(share, p) for p in exits]
                    if len(out[i]) > 1:
                        out[i] = [tape.sum(out[i])]
            self.components.append(component)
        self.total = tape.sum([self.weight[START, v] for v in self.targets[START]])
        self.start = {v: tape.div(self.weight[START, v], self.total) for v in self.targets[START]}
        if self.model.discrete:
            one = tape.const(1.0)
            self.stay = {v: tape.difference(one, self.leaving[v]) for v in self.transient}

    # solving -------------------------------------------------------------------------------------
    def _solve(self, tape: Tape, right: dict[int, int], x: dict[int, int]) -> dict[int, int]:
        """x_v with leaving_v x_v = right_v + sum_j w_vj x_j; `x` brings what is known outside."""
        x = dict(x)
        for part in self.components:
            members = set(part.order)
            q: dict[int, list[int]] = {}
            for v in part.order:
                q[v] = [right[v]] if v in right else []
                for j in self.targets[v]:
                    if j not in members and j in x:
                        q[v].append(tape.mul(self.weight[v, j], x[j]))
            total: dict[int, int] = {}
            for v in part.order:
                total[v] = tape.sum(q[v]) if q[v] else tape.const(0.0)
                for i, share in part.lower[v].items():
                    q[i].append(tape.mul(share, total[v]))
            for v in reversed(part.order):
                terms = [tape.mul(total[v], part.inverse[v])]
                terms += [tape.mul(p, x[j]) for j, p in part.upper[v].items()]
                x[v] = tape.sum(terms)
        return x

    def _visits(self, tape: Tape) -> dict[int, int]:
        """Expected time in every transient vertex: the transposed solve, upstream first."""
        inflow: dict[int, list[int]] = {v: [] for v in self.transient}
        for v, p in self.start.items():
            if v in inflow:
                inflow[v].append(p)
        y: dict[int, int] = {}
        for part in reversed(self.components):
            members = set(part.order)
            for v in part.order:
                arriving = tape.sum(inflow[v]) if inflow[v] else tape.const(0.0)
                y[v] = tape.mul(arriving, part.inverse[v])
                for j, p in part.upper[v].items():
                    inflow[j].append(tape.mul(arriving, p))
            for v in reversed(part.order):
                back = [tape.mul(share, y[i]) for i, share in part.lower[v].items()]
                y[v] = tape.sum([y[v], *back])
            for v in part.order:
                for j in self.targets[v]:
                    if j not in members and j in inflow:
                        inflow[j].append(tape.mul(y[v], self.weight[v, j]))
        return y

    def _from_start(self, tape: Tape, x: dict[int, int]) -> int:
        terms = [tape.mul(p, x[v]) for v, p in self.start.items() if v in x]
        return tape.sum(terms) if terms else tape.const(0.0)

    def _reward(self, rewards: Sequence[float] | None, v: int) -> float:
        return 1.0 if rewards is None else float(rewards[v])

    def _moment_outputs(
        self, tape: Tape, order: int, rewards: Sequence[float] | None
    ) -> list[dict[int, int]]:
        one = tape.const(1.0)
        found = [dict.fromkeys([*self.transient, *self.absorbing], one)]
        for k in range(1, order + 1):
            right: dict[int, int] = {}
            for v in self.transient:
                r = self._reward(rewards, v)
                if r == 0:
                    continue
                if not self.model.discrete:
                    right[v] = tape.mul(tape.const(k * r), found[k - 1][v])
                    continue
                terms = []
                for c in range(1, k + 1):
                    x = found[k - c]
                    after = [tape.mul(self.stay[v], x[v])]
                    after += [tape.mul(self.weight[v, j], x[j]) for j in self.targets[v] if j in x]
                    terms.append(tape.mul(tape.const(comb(k, c) * r**c), tape.sum(after)))
                right[v] = tape.sum(terms)
            found.append(self._solve(tape, right, {}))
        return found

    def _covariance_outputs(
        self,
        tape: Tape,
        first: Sequence[float] | None,
        second: Sequence[float] | None,
        m: dict[int, int],
        n: dict[int, int],
        visits: dict[int, int],
    ) -> Covariance:
        """The covariance in two ways, with what bounds the rounding error of each.

        The law of total covariance keeps the digits of a small variance beside a large mean; in a
        stiff chain its differences m_j - M_v of nearly equal potentials are noise that a rare exit
        multiplies. E[YZ] - E[Y] E[Z] has neither virtue nor fault.
        """
        products, parts, noise = [], [], []

        def deviations(scale: int, m_j: int, n_j: int, mean_m: int, mean_n: int) -> None:
            away_m, away_n = tape.difference(m_j, mean_m), tape.difference(n_j, mean_n)
            parts.append(tape.mul(scale, tape.mul(away_m, away_n)))
            noise.append((scale, away_m, tape.add(m_j, mean_m), away_n, tape.add(n_j, mean_n)))

        zero = tape.const(0.0)
        for v, visit in visits.items():
            r, s = self._reward(first, v), self._reward(second, v)
            here = tape.const(r * s)
            if self.model.discrete:
                # Y = r_v + Y_next: where the chain stays, the deviation from the mean is r_v itself
                parts.append(tape.mul(visit, tape.mul(self.stay[v], here)))
                mean_m, mean_n = self._after_step(tape, v, m), self._after_step(tape, v, n)
                products.append(tape.mul(visit, here))
                products.append(tape.mul(visit, tape.mul(tape.const(r), mean_n)))
                products.append(tape.mul(visit, tape.mul(tape.const(s), mean_m)))
            else:
                inverse = tape.inv(self.leaving[v])
                parts.append(tape.mul(visit, tape.mul(here, inverse)))
                mean_m = tape.mul(inverse, self._flow(tape, v, m))
                mean_n = tape.mul(inverse, self._flow(tape, v, n))
                products.append(tape.mul(visit, tape.mul(tape.const(r), n[v])))
                products.append(tape.mul(visit, tape.mul(tape.const(s), m[v])))
            for j in self.targets[v]:
                flow = tape.mul(visit, self.weight[v, j])
                deviations(flow, m.get(j, zero), n.get(j, zero), mean_m, mean_n)
        mean_m, mean_n = self._from_start(tape, m), self._from_start(tape, n)
        for v, p in self.start.items():
            deviations(p, m.get(v, zero), n.get(v, zero), mean_m, mean_n)
        product = tape.sum([*products, zero])
        square = tape.mul(mean_m, mean_n)
        return Covariance(tape.sum(parts), noise, tape.difference(product, square), product)

    def _flow(self, tape: Tape, v: int, x: dict[int, int]) -> int:
        terms = [tape.mul(self.weight[v, j], x[j]) for j in self.targets[v] if j in x]
        return tape.sum(terms) if terms else tape.const(0.0)

    def _after_step(self, tape: Tape, v: int, x: dict[int, int]) -> int:
        """E[x after one step from v], discrete."""
        return tape.add(tape.mul(self.stay[v], x[v]), self._flow(tape, v, x))

    # evaluation ----------------------------------------------------------------------------------
    def check_theta(self, theta: Sequence[float]) -> bool:
        """Raises where theta has no answer; returns whether absorption may fail to happen."""
        if len(theta) != self.model.n_parameters:
            raise ReferenceFailure("THETA_LENGTH", len(theta))
        for k, x in enumerate(theta):
            if not math.isfinite(x):
                raise ReferenceFailure("THETA_NOT_FINITE", k, x)
        values = self.tape.evaluate(theta)
        positive: dict[int, list[int]] = {START: []}
        leaving = dict.fromkeys(range(self.model.n_vertices), 0.0)
        for (u, v), operation in self.weight.items():
            w = values[operation]
            if not math.isfinite(w):
                raise ReferenceFailure("WEIGHT_NOT_FINITE", u, w)
            if w < 0:
                raise ReferenceFailure("WEIGHT_NEGATIVE", u, w)
            if w > 0 and u != v:
                positive.setdefault(u, []).append(v)
            if u != START:
                leaving[u] += w
        if self.model.discrete:
            for v, total in leaving.items():
                if total > 1 + 1e-12:
                    raise ReferenceFailure("PROBABILITY_ABOVE_ONE", v, total)
        if not positive[START]:
            raise ReferenceFailure("START_WEIGHT_ZERO")
        ending = reachable(self.absorbing, predecessors_of(positive))
        trapped = reachable(positive[START], positive) - ending
        if trapped and not self.model.improper:
            raise ReferenceFailure("ABSORPTION_UNREACHABLE", min(trapped))
        return bool(trapped)

    def _check_rewards(self, rewards: Sequence[float] | None) -> None:
        for v, r in enumerate(rewards or ()):
            if not (math.isfinite(r) and r >= 0):
                raise ReferenceFailure("REWARD_INVALID", v, r)

    def _read(
        self, tape: Tape, outputs: Sequence[int], theta: Sequence[float], gradient: bool
    ) -> tuple[list[float], list[list[float]] | None]:
        values = tape.evaluate(theta)
        found = [values[i] for i in outputs]
        if not gradient:
            return found, None
        return found, [tape.gradient(values, i, self.model.n_parameters) for i in outputs]

    def _pays_forever(self, rewards: Sequence[float] | None) -> bool:
        return any(self._reward(rewards, v) > 0 for v in self.dropped)

    def moments(
        self,
        theta: Sequence[float],
        order: int,
        rewards: Sequence[float] | None = None,
        gradient: bool = False,
    ) -> tuple[list[float], list[list[float]] | None]:
        """E[Y^1..Y^order]; gradient: order x parameters, or None."""
        self._check_rewards(rewards)
        if self.check_theta(theta) and self._pays_forever(rewards):
            return [math.inf] * order, None
        tape = Tape(self.tape.operations)
        found = self._moment_outputs(tape, order, rewards)
        return self._read(tape, [self._from_start(tape, x) for x in found[1:]], theta, gradient)

    def joint_moment(
        self,
        theta: Sequence[float],
        rewards: Sequence[Sequence[float] | None],
        powers: Sequence[int],
        gradient: bool = False,
    ) -> tuple[float, list[float] | None]:
        """E[prod Y_i^powers[i]], by the recursion over all powers up to these."""
        self.check_theta(theta)
        tape = Tape(self.tape.operations)
        one = tape.const(1.0)
        zero = (0,) * len(powers)
        found = {zero: dict.fromkeys([*self.transient, *self.absorbing], one)}
        for index in itertools.product(*(range(k + 1) for k in powers)):
            if index == zero:
                continue
            right: dict[int, int] = {}
            for v in self.transient:
                terms = []
                for below in itertools.product(*(range(k + 1) for k in index)):
                    apart = [k - b for k, b in zip(index, below, strict=True)]
                    if sum(apart) == 0 or (sum(apart) > 1 and not self.model.discrete):
                        continue
                    factor = math.prod(
                        comb(k, b) * self._reward(row, v) ** d
                        for k, b, d, row in zip(index, below, apart, rewards, strict=True)
                    )
                    if factor:
                        x = found[below]
                        then = self._after_step(tape, v, x) if self.model.discrete else x[v]
                        terms.append(tape.mul(tape.const(factor), then))
                if terms:
                    right[v] = tape.sum(terms)
            found[index] = self._solve(tape, right, {})
        output = self._from_start(tape, found[tuple(powers)])
        values, slopes = self._read(tape, [output], theta, gradient)
        return values[0], None if slopes is None else slopes[0]

    def transform(
        self,
        theta: Sequence[float],
        point: Sequence[float],
        rewards: Sequence[Sequence[float] | None],
        gradient: bool = False,
    ) -> tuple[float, list[float] | None]:
        """E[exp(-sum s_i Y_i)] (discrete: E[prod z_i^Y_i]) as the probability of surviving."""
        for row in rewards:
            self._check_rewards(row)
        if min(point) < 0:
            # one reward: by moments, as far as the series converges quickly
            assert len(point) == 1
            assert not gradient
            moments, _ = self.moments(theta, 120, rewards[0])
            terms = [(-point[0]) ** k / math.factorial(k) * m for k, m in enumerate(moments, 1)]
            assert abs(terms[-1]) < 1e-16
            return 1.0 + math.fsum(terms), None
        shifts = {}
        for v in self.transient:
            here = [self._reward(row, v) for row in rewards]
            if self.model.discrete:
                survival = math.prod(z**r for z, r in zip(point, here, strict=True))
                shifts[v] = 1 / survival - 1
                if survival > 0.5:  # near 1 the difference would be rounding
                    logs = (r * math.log(z) for z, r in zip(point, here, strict=True))
                    shifts[v] = math.expm1(-math.fsum(logs))
            else:
                shifts[v] = math.fsum(s * r for s, r in zip(point, here, strict=True))
        killed = ReferenceTrace(self.model.killed(shifts))
        values, slopes = killed.absorption(theta, self.absorbing, gradient)
        total = math.fsum(values)
        return total, None if slopes is None else [math.fsum(x) for x in zip(*slopes, strict=True)]

    def covariances(
        self,
        theta: Sequence[float],
        rewards: Sequence[Sequence[float] | None],
        gradient: bool = False,
    ) -> tuple[list[float], list[list[float]], list | None, list | None]:
        """Means, covariance matrix, and the gradients of both (parameters last), or None."""
        for row in rewards:
            self._check_rewards(row)
        self.check_theta(theta)
        tape = Tape(self.tape.operations)
        first = [self._moment_outputs(tape, 1, row)[1] for row in rewards]
        means = [self._from_start(tape, x) for x in first]
        visits = self._visits(tape)
        pairs = [(i, j) for i in range(len(rewards)) for j in range(i + 1)]
        both = [
            self._covariance_outputs(tape, rewards[i], rewards[j], first[i], first[j], visits)
            for i, j in pairs
        ]
        found = tape.evaluate(theta)
        outputs = [covariance.better(found) for covariance in both]
        values, slopes = self._read(tape, [*means, *outputs], theta, gradient)
        n = len(rewards)
        where = {pair: n + k for k, pair in enumerate(pairs)}
        index = [[where[max(i, j), min(i, j)] for j in range(n)] for i in range(n)]
        matrix = [[values[k] for k in row] for row in index]
        if slopes is None:
            return values[:n], matrix, None, None
        return values[:n], matrix, slopes[:n], [[slopes[k] for k in row] for row in index]

    def sojourn(self, theta: Sequence[float]) -> list[float]:
        """Expected total time (discrete: visits) by vertex; 0 where the chain is absorbed."""
        self.check_theta(theta)
        tape = Tape(self.tape.operations)
        visits = self._visits(tape)
        found, _ = self._read(tape, list(visits.values()), theta, False)
        result = [0.0] * self.model.n_vertices
        for v, x in zip(visits, found, strict=True):
            result[v] = x
        return result

    def absorption(
        self, theta: Sequence[float], vertices: Sequence[int], gradient: bool = False
    ) -> tuple[list[float], list[list[float]] | None]:
        """P(absorbed in v) for each of `vertices`."""
        self.check_theta(theta)
        tape = Tape(self.tape.operations)
        one = tape.const(1.0)
        outputs = []
        for v in vertices:
            if v not in self.absorbing:
                raise ReferenceFailure("INVALID_ARGUMENT", v)
            outputs.append(self._from_start(tape, self._solve(tape, {}, {v: one})))
        return self._read(tape, outputs, theta, gradient)

    def defect(self, theta: Sequence[float], rewards: Sequence[float] | None = None) -> float:
        """P(Y = 0): the chain stopped where it would earn something, and ended elsewhere."""
        self._check_rewards(rewards)
        self.check_theta(theta)
        paid = frozenset(v for v in self.transient if self._reward(rewards, v) > 0)
        if paid not in self._stopped:
            self._stopped[paid] = ReferenceTrace(self.model.stopped_at(set(paid)))
        stopped = self._stopped[paid]
        return math.fsum(stopped.absorption(theta, self.absorbing)[0])
