"""Chains on which the textbook adjoint, which subtracts potentials, loses its digits.

Each is a family by its hardest number; the last parameter of the nearly decomposable ones is that
slow rate.
"""

from __future__ import annotations

from reference.model import Model


def overflow(capacity: int, arrival: float, service: float) -> Model:
    """M/M/1 queue from empty until `capacity` customers: theta = (arrival, service)."""
    edges = [(i, i + 1, 0.0, (1.0, 0.0)) for i in range(capacity)]
    edges += [(i, i - 1, 0.0, (0.0, 1.0)) for i in range(1, capacity)]
    return Model(capacity + 1, [(0, 1.0, (0.0, 0.0))], edges, 2, theta=[arrival, service])


def weak_exit(size: int, slow: float) -> Model:
    """A ring that turns with theta[0] one way and theta[1] back, left from one vertex with
    theta[2]."""
    edges = [(i, (i + 1) % size, 0.0, (1.0 + i, 0.0, 0.0)) for i in range(size)]
    edges += [(i, (i - 1) % size, 0.0, (0.0, 2.0, 0.0)) for i in range(size)]
    edges += [(size - 1, size, 0.0, (0.0, 0.0, 1.0))]
    start = [(0, 1.0, (0.0, 0.0, 0.0))]
    return Model(size + 1, start, edges, 3, theta=[0.7, 1.3, slow])


def decomposable(blocks: int, size: int, slow: float) -> Model:
    """Fast rings (theta[0] forwards, theta[1] back), slow jumps both ways between neighbours and a
    slow exit (theta[2])."""
    edges = []
    for b in range(blocks):
        for i in range(size):
            here, there = b * size + i, b * size + (i + 1) % size
            edges.append((here, there, 0.0, (1.0 + 0.25 * i, 0.0, 0.0)))
            edges.append((there, here, 0.0, (0.0, 1.5, 0.0)))
        if b + 1 < blocks:
            edges.append((b * size, (b + 1) * size, 0.0, (0.0, 0.0, 1.0)))
            edges.append(((b + 1) * size + 1, b * size + 1, 0.0, (0.0, 0.0, 3.0)))
    n = blocks * size
    edges.append((n - 1, n, 0.0, (0.0, 0.0, 0.5)))
    start = [(0, 1.0, (0.0, 0.0, 0.0))]
    return Model(n + 1, start, edges, 3, theta=[0.9, 1.1, slow])


def rare_repair(components: int, failure: float) -> Model:
    """`components` in parallel with one repairman, until all are down: theta = (failure,
    repair)."""
    edges = [(i, i + 1, 0.0, (float(components - i), 0.0)) for i in range(components)]
    edges += [(i, i - 1, 0.0, (0.0, 1.0)) for i in range(1, components)]
    return Model(components + 1, [(0, 1.0, (0.0, 0.0))], edges, 2, theta=[failure, 2.0])


CHAINS = {
    "M/M/1 overflow N=40, load 1/2": overflow(40, 1.0, 2.0),
    "M/M/1 overflow N=40, load 1/3": overflow(40, 1.0, 3.0),
    "M/M/1 overflow N=40, load 0.9": overflow(40, 0.9, 1.0),
    "weak exit 1e-6": weak_exit(6, 1e-6),
    "weak exit 1e-12": weak_exit(6, 1e-12),
    "weak exit 1e-18": weak_exit(6, 1e-18),
    "nearly decomposable 1e-6": decomposable(3, 4, 1e-6),
    "nearly decomposable 1e-12": decomposable(3, 4, 1e-12),
    "nearly decomposable 1e-18": decomposable(3, 4, 1e-18),
    "repair, failure rate 1e-3": rare_repair(5, 1e-3),
    "repair, failure rate 1e-6": rare_repair(5, 1e-6),
}
