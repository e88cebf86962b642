"""The hard models of the density references, as plain lists, each with a theta.

Rates are products of whole numbers and short decimals, read the same by every machine. The start is
vertex 0 unless said otherwise and the last vertex is absorbing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations_with_replacement

from reference.model import Edge, Model


def erlang(stages: int) -> Model:
    """The sum of `stages` exponentials, of mean 1 in all."""
    edges = [(i, i + 1, 0.0, (1.0,)) for i in range(stages)]
    return Model(stages + 1, [(0, 1.0, (0.0,))], edges, 1, theta=[float(stages)])


# of which one is chosen in proportion 1 : 2 : ... : 8
HYPEREXPONENTIAL_RATES = tuple(10**i / 1000 for i in range(8))


def hyperexponential() -> Model:
    """One of eight exponentials, with rates over seven decades."""
    n = len(HYPEREXPONENTIAL_RATES)
    start = [(i, float(i + 1), (0.0,)) for i in range(n)]
    edges = [(i, n, 0.0, (rate,)) for i, rate in enumerate(HYPEREXPONENTIAL_RATES)]
    return Model(n + 1, start, edges, 1, theta=[1.0])


def kingman(n: int) -> Model:
    """The coalescent of n lineages by their number: k become k - 1 at rate k (k - 1) / 2."""
    edges = [(n - k, n - k + 1, 0.0, (k * (k - 1) / 2,)) for k in range(n, 1, -1)]
    return Model(n, [(0, 1.0, (0.0,))], edges, 1, theta=[1.0])


def site_frequency(n: int) -> Model:
    """The coalescent of n lineages by their numbers of descendants.

    Its time is Kingman's. Its reward "length" is the total length of branches: with k lineages it
    grows k times as fast as time, so it is the largest of n - 1 exponentials of rate 1/2.
    """
    numbers = {(1,) * n: 0}
    states = [(1,) * n]
    edges: list[Edge] = []
    for i, sizes in enumerate(states):
        for rest, first, second, pairs in _coalescences(sizes):
            target = tuple(sorted((*rest, first + second)))
            if target not in numbers:
                numbers[target] = len(states)
                states.append(target)
            edges.append((i, numbers[target], 0.0, (float(pairs),)))
    lengths = [float(len(sizes)) if len(sizes) > 1 else 0.0 for sizes in states]
    start = [(0, 1.0, (0.0,))]
    return Model(len(states), start, edges, 1, theta=[1.0], rewards={"length": lengths})


def _coalescences(sizes: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], int, int, int]]:
    """Pairs of sizes: what is left without them, both, and the number of such pairs."""
    for first, second in combinations_with_replacement(sorted(set(sizes)), 2):
        count = sizes.count(first)
        pairs = count * (count - 1) // 2 if first == second else count * sizes.count(second)
        if pairs:
            rest = list(sizes)
            rest.remove(first)
            rest.remove(second)
            yield tuple(rest), first, second, pairs


def islands(n: int, migration: float) -> Model:
    """The coalescent of n lineages in two demes, from half of them in each; theta: rates of
    coalescence of a pair and of migration of a lineage."""
    states = [(i, total - i) for total in range(n, 1, -1) for i in range(total + 1)]
    numbers = {state: k for k, state in enumerate(states)}
    end = len(states)
    edges: list[Edge] = []
    for k, (i, j) in enumerate(states):
        moves = [
            ((i - 1, j), i * (i - 1) / 2, 0),
            ((i, j - 1), j * (j - 1) / 2, 0),
            ((i - 1, j + 1), float(i), 1),
            ((i + 1, j - 1), float(j), 1),
        ]
        for target, rate, parameter in moves:
            if rate:
                coefficients = (rate, 0.0) if parameter == 0 else (0.0, rate)
                edges.append((k, numbers.get(target, end), 0.0, coefficients))
    start = [(numbers[n // 2, n - n // 2], 1.0, (0.0, 0.0))]
    return Model(end + 1, start, edges, 2, theta=[1.0, migration])


def folded_islands(n: int, migration: float) -> Model:
    """`islands` by the smaller and the larger number of lineages in a deme, whichever it is: the
    same time, as the start and the rates are those of either deme."""
    full = islands(n, migration)
    states = [(i, total - i) for total in range(n, 1, -1) for i in range(total + 1)]
    kept = [state for state in states if state[0] <= state[1]]
    numbers = {state: k for k, state in enumerate(kept)}
    fold = [numbers[min(state), max(state)] for state in states] + [len(kept)]
    edges = [(fold[u], fold[v], b, c) for u, v, b, c in full.edges if states[u] in numbers]
    start = [(fold[v], b, c) for v, b, c in full.start]
    return Model(len(kept) + 1, start, edges, 2, theta=full.theta)


def tandem(capacity: int) -> Model:
    """Two queues in a row, each of fewer than `capacity` customers, until the second overflows;
    theta: rates of arrival (refused at a full first queue) and of the two services."""
    edges: list[Edge] = []
    end = capacity * capacity
    for i in range(capacity):
        for j in range(capacity):
            here = i * capacity + j
            if i + 1 < capacity:
                edges.append((here, here + capacity, 0.0, (1.0, 0.0, 0.0)))
            if i > 0:
                target = here - capacity + 1 if j + 1 < capacity else end
                edges.append((here, target, 0.0, (0.0, 1.0, 0.0)))
            if j > 0:
                edges.append((here, here - 1, 0.0, (0.0, 0.0, 1.0)))
    start = [(0, 1.0, (0.0, 0.0, 0.0))]
    return Model(end + 1, start, edges, 3, theta=[1.0, 1.5, 1.0])


def scattered(seed: int) -> Iterator[int]:
    """Numbers 0..2^16 - 1 without a pattern (Knuth's linear congruential generator MMIX)."""
    state = seed
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield state >> 48


def stiff(n: int) -> Model:
    """A birth-death chain with rates from 1e-6 to 1e6 without order; one back is at most as fast as
    the one forth from the same state."""
    numbers = scattered(1)

    def rate() -> float:
        mantissa, exponent = 1000 + next(numbers) % 9000, next(numbers) % 12 - 6
        return float(f"{mantissa}e{exponent - 3}")

    forth = [rate() for _ in range(n)]
    back = [min(rate(), forth[i]) for i in range(1, n)]
    edges = [(i, i + 1, 0.0, (r,)) for i, r in enumerate(forth)]
    edges += [(i + 1, i, 0.0, (r,)) for i, r in enumerate(back)]
    return Model(n + 1, [(0, 1.0, (0.0,))], edges, 1, theta=[1.0])


def nearly_decomposable(blocks: int, size: int, slow: float) -> Model:
    """Blocks of `size` states with rates around 1 among them (theta[0]), in a row that is walked at
    rates around `slow` (theta[1]) and left from the last block."""
    numbers = scattered(2)
    edges: list[Edge] = []
    for b in range(blocks):
        for i in range(size):
            here = b * size + i
            edges.append((here, b * size + (i + 1) % size, 0.0, (0.5, 0.0)))
            for j in range(size):
                if j != i and next(numbers) % 2:
                    rate = 0.25 + next(numbers) / 2**15
                    edges.append((here, b * size + j, 0.0, (rate, 0.0)))
            for c in (b - 1, b + 1):
                if 0 <= c < blocks and next(numbers) % 2:
                    there = c * size + next(numbers) % size
                    rate = 0.5 + next(numbers) / 2**15
                    edges.append((here, there, 0.0, (0.0, rate)))
    n = blocks * size
    edges.append((n - size, n, 0.0, (0.0, 3.0)))
    return Model(n + 1, [(0, 1.0, (0.0, 0.0))], edges, 2, theta=[1.0, slow])


def ring(n: int, leave: float) -> Model:
    """A ring walked one way at rate theta[0], left from its first state at rate theta[1]."""
    edges: list[Edge] = [(i, (i + 1) % n, 0.0, (1.0, 0.0)) for i in range(n)]
    edges.append((0, n, 0.0, (0.0, 1.0)))
    return Model(n + 1, [(1, 1.0, (0.0, 0.0))], edges, 2, theta=[1.0, leave])


def lap(n: int) -> Model:
    """A ring of n states with a second, slower one through every third of them, left from the
    last state."""
    edges: list[Edge] = [(i, (i + 1) % n, 0.0, (1.0, 0.0)) for i in range(n)]
    edges += [(i, (i + 3) % n, 0.0, (0.0, 0.25)) for i in range(0, n, 3)]
    edges.append((n - 1, n, 0.0, (0.0, 1.0)))
    return Model(n + 1, [(0, 1.0, (0.0, 0.0))], edges, 2, theta=[1.0, 0.5])


MODELS: dict[str, Callable[[], Model]] = {
    "erlang-100": lambda: erlang(100),
    "erlang-1000": lambda: erlang(1000),
    "hyperexponential": hyperexponential,
    "kingman-67": lambda: kingman(67),
    "site-frequency-20": lambda: site_frequency(20),
    "site-frequency-30": lambda: site_frequency(30),
    **{
        f"islands-{n}-{migration:g}": lambda n=n, m=migration: islands(n, m)
        for n in (10, 20, 40)
        for migration in (1e-3, 1.0, 1e3)
    },
    "tandem-50": lambda: tandem(50),
    "stiff-60": lambda: stiff(60),
    "nearly-decomposable-100": lambda: nearly_decomposable(10, 10, 1e-6),
    "ring-20-slow": lambda: ring(20, 0.01),
    "ring-20-fast": lambda: ring(20, 5.0),
    "lap-20": lambda: lap(20),
}
"""By the name of their references."""
