"""An oracle for densities: intervals that contain the density, the distribution and the survival.

Numbers are integers in units of 2^-bits, every one a lower bound of what it stands for, so sums and
products round downwards and the loss only adds: a row of non-negative numbers that sum to at most
1, with a total loss of d units, times a matrix whose rows are of that kind, with a loss of at most
e a row, loses d + e + n units, n for the rounding. With P = I + S / q for the sub-intensity S,

    alpha e^{St} = sum_k u_k alpha P^k / sum_k u_k,   u_k = (qt)^k / k!

(Jensen, A. 1953. Markoff chains as an aid in the study of Markoff processes. Skandinavisk
Aktuarietidskrift 36, 87-91), and where qt is large, e^{S/q} is squared as often as needed (Moler,
C. & Van Loan, C. 2003. Nineteen dubious ways to compute the exponential of a matrix, twenty-five
years later. SIAM Review 45, 3-49). Rewards are transformed in exact rationals. In discrete time P
takes the place of e^{S/q}; with rewards a recursion over the reward collected so far does.

Nothing is shared with the engine: there are no floats, and no logarithm before the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import accumulate

from reference.model import START, Model, Number, reachable

ONE = Fraction(1)


@dataclass(frozen=True)
class Interval:
    """lower <= value <= upper."""

    lower: Fraction
    upper: Fraction

    def logarithm(self) -> Decimal:
        """log of the middle, to 40 digits; -Infinity where that is 0."""
        middle = (self.lower + self.upper) / 2
        with localcontext() as context:
            context.prec = 45
            return (Decimal(middle.numerator) / Decimal(middle.denominator)).ln()

    def narrower_than(self, relative: Fraction) -> bool:
        return self.upper - self.lower <= relative * self.lower


@dataclass(frozen=True)
class Answer:
    """Of Y at one time: the density or pmf, P(Y <= t) without the atom, and P(Y > t)."""

    density: Interval
    distribution: Interval
    survival: Interval


@dataclass(frozen=True)
class Chain:
    """States in which Y grows. `rows`: rates (discrete: probabilities) to other states, `leaving`:
    their sum and that of what ends in any absorbing vertex, `exits`: into the target alone."""

    vertices: list[int]
    alpha: list[Fraction]
    rows: list[dict[int, Fraction]]
    leaving: list[Fraction]
    exits: list[Fraction]
    atom: Fraction
    rewards: list[Fraction]
    discrete: bool


def chain_of(
    model: Model,
    theta: Sequence[Number] | None = None,
    rewards: Sequence[Number] | None = None,
    target: int | None = None,
    start: dict[int, Fraction] | None = None,
) -> Chain:
    """The model at theta with the zero-reward vertices taken out, in exact rationals.

    `start` is an initial distribution in place of the model's.
    """
    at = [Fraction(x) for x in (model.theta if theta is None else theta)]

    def weight(base: Number, coefficients: Sequence[Number]) -> Fraction:
        terms = (Fraction(c) * x for c, x in zip(coefficients, at, strict=True))
        return Fraction(base) + sum(terms, Fraction(0))

    absorbing = set(model.absorbing())
    edges: dict[int, dict[int, Fraction]] = {v: {} for v in range(model.n_vertices)}
    first: dict[int, Fraction] = dict(start or {})
    if start is None:
        for v, base, coefficients in model.start:
            first[v] = first.get(v, Fraction(0)) + weight(base, coefficients)
        total = sum(first.values())
        first = {v: w / total for v, w in first.items()}
    for u, v, base, coefficients in model.edges:
        w = weight(base, coefficients)
        if u != v and w:
            edges[u][v] = edges[u].get(v, Fraction(0)) + w
    successors = {u: list(row) for u, row in edges.items()}
    successors[START] = [v for v, w in first.items() if w]
    reached = reachable([START], successors) - absorbing - {START}

    paid = [v for v in sorted(reached) if rewards is None or rewards[v]]
    unpaid = sorted(reached - set(paid))
    edges[START] = first
    _take_out(edges, unpaid)
    ends = absorbing if target is None else {target}
    position = {v: i for i, v in enumerate(paid)}
    rows, leaving, exits = [], [], []
    for v in paid:
        speed = ONE if rewards is None or model.discrete else Fraction(rewards[v])
        row = {position[j]: w / speed for j, w in edges[v].items() if j in position}
        rows.append(row)
        leaving.append(sum(edges[v].values(), Fraction(0)) / speed)
        exits.append(sum((w for j, w in edges[v].items() if j in ends), Fraction(0)) / speed)
    start_row = edges[START]
    return Chain(
        vertices=paid,
        alpha=[start_row.get(v, Fraction(0)) for v in paid],
        rows=rows,
        leaving=leaving,
        exits=exits,
        atom=sum((w for j, w in start_row.items() if j in ends), Fraction(0)),
        rewards=[ONE if rewards is None else Fraction(rewards[v]) for v in paid],
        discrete=model.discrete,
    )


def _take_out(edges: dict[int, dict[int, Fraction]], vertices: Sequence[int]) -> None:
    """What passes through `vertices` goes past them: i -> v -> j becomes i -> j."""
    for v in vertices:
        row = edges.pop(v)
        pivot = sum(row.values())
        if not pivot:
            raise ValueError(f"vertex {v} has no reward and is never left")
        for i, other in edges.items():
            through = other.pop(v, None)
            if through:
                for j, w in row.items():
                    if j != i or i == START:
                        other[j] = other.get(j, Fraction(0)) + through * w / pivot


class Propagation:
    """Row vectors and powers in units of 2^-bits; see the lemma above.

    States are those of the chain and one more, at the end, which collects what `exits` lets out.
    """

    def __init__(self, chain: Chain, bits: int) -> None:
        self.chain, self.bits = chain, bits
        self.n = n = len(chain.rows) + 1
        self.unit = 1 << bits
        fastest = max(chain.leaving, default=ONE) or ONE
        self.rate = ONE
        if not chain.discrete:
            # a power of two at least twice the fastest: every state stays with probability >= 1/2
            while self.rate < 2 * fastest:
                self.rate *= 2
            while self.rate >= 4 * fastest:
                self.rate /= 2
        self.step: list[list[tuple[int, int]]] = []
        for i, row in enumerate(chain.rows):
            entries = {j: w / self.rate for j, w in row.items()}
            entries[i] = 1 - chain.leaving[i] / self.rate
            entries[n - 1] = chain.exits[i] / self.rate
            if entries[i] < 0:
                raise ValueError("probabilities sum to more than 1")
            self.step.append([(j, self.floor(w)) for j, w in entries.items() if w])
        self.step.append([(n - 1, self.unit)])
        self.sequence = [[self.floor(a) for a in chain.alpha] + [0]]

    def floor(self, x: Fraction) -> int:
        return (x.numerator << self.bits) // x.denominator

    def after(self, k: int) -> tuple[list[int], int]:
        """alpha P^k and its loss."""
        while len(self.sequence) <= k:
            self.sequence.append(self._times_step(self.sequence[-1]))
        return self.sequence[k], self.n * (2 * k + 1)

    def _times_step(self, vector: list[int]) -> list[int]:
        total = [0] * self.n
        for x, row in zip(vector, self.step, strict=True):
            if x:
                for j, w in row:
                    total[j] += x * w
        return [x >> self.bits for x in total]

    def poisson(self, x: Fraction) -> tuple[list[int], int]:
        """u_k = x^k / k!, rounded down, in units, and by how much all of them together and the
        ones that are left out may be larger."""
        weights, loss, losses, total = [self.unit], 0, 0, self.unit
        numerator, denominator = x.numerator, x.denominator
        while len(weights) <= 2 * x or weights[-1] << self.bits > total:
            divisor = len(weights) * denominator
            weights.append(weights[-1] * numerator // divisor)
            loss = loss * numerator // divisor + 2
            losses += loss
            total += weights[-1]
        # beyond k >= 2x each term is at most half of the one before
        return weights, losses + weights[-1] + loss

    def mixed(self, x: Fraction) -> tuple[list[int], int]:
        """alpha e^{S x / rate} and its loss."""
        weights, missing = self.poisson(x)
        sums, loss = [0] * self.n, 0
        for k, u in enumerate(weights):
            vector, lost = self.after(k)
            loss += u * lost
            for j, y in enumerate(vector):
                if y:
                    sums[j] += u * y
        total = sum(weights) + missing
        # the weights may be larger by `missing` in all, and so may be what they are divided by
        loss += 2 * missing << self.bits
        return [y // total for y in sums], loss // total + 1 + self.n

    def one(self) -> tuple[list[list[int]], int]:
        """e^{S / rate} (discrete: P) as rows, and the loss of each row."""
        identity = [[self.unit * (i == j) for j in range(self.n)] for i in range(self.n)]
        if self.chain.discrete:
            return [self._times_step(row) for row in identity], 2 * self.n
        weights, missing = self.poisson(ONE)
        total = sum(weights) + missing
        rows = []
        for vector in identity:
            sums = [weights[0] * y for y in vector]
            for u in weights[1:]:
                vector = self._times_step(vector)
                for j, y in enumerate(vector):
                    if y:
                        sums[j] += u * y
            rows.append([y // total for y in sums])
        loss = sum(u * 2 * k * self.n for k, u in enumerate(weights)) + (2 * missing << self.bits)
        return rows, loss // total + 1 + self.n

    def times(self, vector: list[int], rows: list[list[int]]) -> list[int]:
        total = [0] * self.n
        for x, row in zip(vector, rows, strict=True):
            if x:
                for j, y in enumerate(row):
                    if y:
                        total[j] += x * y
        return [x >> self.bits for x in total]

    def states(self, times: Sequence[Fraction]) -> list[tuple[list[int], int]]:
        """The vector at each time, and its loss."""
        whole = [int(t * self.rate) for t in times]
        edges = sum(map(len, self.step))
        doublings = max(whole, default=0).bit_length()
        if max(whole, default=0) * edges <= 2 * (doublings + 8) * self.n**3:
            if self.chain.discrete:
                return [self.after(k) for k in whole]
            return [self.mixed(t * self.rate) for t in times]
        found = [
            self.after(0) if self.chain.discrete else self.mixed(t * self.rate - k)
            for t, k in zip(times, whole, strict=True)
        ]
        rows, lost = self.one()
        for bit in range(doublings):
            if bit:
                rows = [self.times(row, rows) for row in rows]
                lost = 2 * lost + self.n
            for i, k in enumerate(whole):
                if k >> bit & 1:
                    vector, loss = found[i]
                    found[i] = self.times(vector, rows), loss + lost + self.n
        return found

    def interval(self, lower: int, loss: int) -> Interval:
        return Interval(Fraction(lower, self.unit), Fraction(lower + loss, self.unit))

    def answers(self, times: Sequence[Fraction]) -> list[Answer]:
        steps = [t - 1 for t in times] if self.chain.discrete else list(times)
        here = self.states(times)
        before = self.states(steps) if self.chain.discrete else here
        largest = max(self.chain.exits, default=ONE)
        found = []
        for (vector, loss), (earlier, lost) in zip(here, before, strict=True):
            flow = sum(
                (x * Fraction(s) for x, s in zip(earlier, self.chain.exits, strict=False)),
                Fraction(0),
            )
            density = Interval(flow / self.unit, (flow + lost * largest) / self.unit)
            survival = sum(vector[:-1])
            found.append(
                Answer(density, self.interval(vector[-1], loss), self.interval(survival, loss))
            )
        return found


def by_collected_reward(chain: Chain, times: Sequence[Fraction], bits: int) -> list[Answer]:
    """Discrete chains with rewards: the distribution of where reward k has been collected."""
    unit, n = 1 << bits, len(chain.rows)
    last = int(max(times))
    rewards = [int(r) for r in chain.rewards]
    entered = [[0] * n for _ in range(last + 1)]
    entered[0] = [(a.numerator << bits) // a.denominator for a in chain.alpha]
    # of each state: to others, to itself, into the target (n), into any absorbing vertex (n + 1)
    moves = []
    for i, row in enumerate(chain.rows):
        ends = chain.leaving[i] - sum(row.values())
        entries = row | {i: 1 - chain.leaving[i], n: chain.exits[i], n + 1: ends}
        moves.append([(j, (w.numerator << bits) // w.denominator) for j, w in entries.items() if w])
    ended, gone = [0] * (last + 1), [0] * (last + 1)
    for k, vector in enumerate(entered):
        for i, x in enumerate(vector):
            then = k + rewards[i]
            if x and then <= last:
                for j, w in moves[i]:
                    if j < n:
                        entered[then][j] += x * w >> bits
                    elif j == n:
                        ended[then] += x * w >> bits
                    else:
                        gone[then] += x * w >> bits
    # a product loses up to 2 units, by its factor and its rounding, and there are at most (n + 2)^2
    # of them for each reward
    distribution, absorbed = list(accumulate(ended)), list(accumulate(gone))
    found = []
    for k in map(int, times):
        loss = 2 * (n + 2) ** 2 * (k + 1)
        left = int(sum(chain.alpha) * unit) - absorbed[k]
        parts = (ended[k], distribution[k], max(left - loss, 0))
        found.append(
            Answer(*(Interval(Fraction(x, unit), Fraction(x + loss + 1, unit)) for x in parts))
        )
    return found


class DensityOracle:
    """The distribution of Y for one model at one theta: the time, or what rewards collect.

    With `target` the density and the distribution are of absorption in that vertex; the survival
    remains that of Y itself.
    """

    def __init__(
        self,
        model: Model,
        theta: Sequence[Number] | None = None,
        rewards: Sequence[Number] | None = None,
        target: int | None = None,
        start: dict[int, Fraction] | None = None,
    ) -> None:
        self.chain = chain_of(model, theta, rewards, target, start)
        self.rewarded = rewards is not None

    def answers(
        self, times: Sequence[Number], relative: Fraction = Fraction(1, 10**20), floor: int = 1100
    ) -> list[Answer]:
        """Intervals at positive times (discrete: whole ones), each narrower than `relative` of its
        value unless that is below 2^-floor."""
        exact = [Fraction(t) for t in times]
        found: list[Answer | None] = [None] * len(exact)
        bits = 192
        while waiting := [i for i, answer in enumerate(found) if answer is None]:
            last = bits >= floor + 400
            at = [exact[i] for i in waiting]
            if self.chain.discrete and self.rewarded:
                answers = by_collected_reward(self.chain, at, bits)
            else:
                answers = Propagation(self.chain, bits).answers(at)
            for i, answer in zip(waiting, answers, strict=True):
                parts = (answer.density, answer.distribution, answer.survival)
                if last or all(part.narrower_than(relative) for part in parts):
                    found[i] = answer
            bits *= 2
        return [answer for answer in found if answer is not None]
