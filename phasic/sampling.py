"""Samples of a graph at one theta: times, rewards, final vertices and whole paths.

Path number i of a seed is a function of seed and i alone (a counter-based generator, see
`engine_c/src/random.h`): the same to the last bit on every machine, for any number of threads, and
however the numbers are cut into calls. Times, rewards, final vertices and paths with the same seed
are those of the same paths.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._engine.sampler import SamplerHandle
from ._engine.status import Context
from .arguments import Array
from .errors import NumericError
from .evaluation import Evaluator, in_chunks, thread_count
from .state_space.labels import theta_label

# Moves of all paths between two looks at signals and at idle threads: some tenths of a second.
_CHUNK_MOVES = 20_000_000
_MOST_CHUNK = 2**16
# Beyond so many moves in all, hours of one core, a call is refused.
_MOST_MOVES = 1e12
_MOST_NUMBER = 2**63 - 1
_MOST_THREADS = 4096


class Path(NamedTuple):
    """One path from the start to its end.

    Attributes:
        vertices: (length,), the vertices entered, by number, without the start. The last one is
            absorbing, or the first vertex of a trap, from which an improper graph has no way out.
        times: (length,), when each is entered, from 0 on; the last one is the time to absorption.
            In discrete graphs whole numbers, and a vertex stands once for its steps in a row.
    """

    vertices: NDArray[np.int64]
    times: Array


class Sampler:
    """Draws from one graph at one theta. Immutable, safe to share between threads.

    All draws are of the paths with the numbers first, …, first + n - 1 of a seed; without a seed,
    of a fresh one.

    Raises:
        NumericError: a weight is negative or not finite at theta, or absorption is unreachable.

    Example:
        >>> from phasic import Graph
        >>> from phasic.sampling import Sampler
        >>> trace = Graph.from_matrices([1.0], [[-2.0]]).compute_trace()
        >>> sampler = Sampler(trace.evaluator, trace.evaluator.as_theta([]))
        >>> sampler.times(3, seed=1).tolist() == sampler.times(2, seed=1, first=1).tolist()
        False
        >>> sampler.times(3, seed=1)[1:].tolist() == sampler.times(2, seed=1, first=1).tolist()
        True
    """

    def __init__(self, evaluator: Evaluator, theta: Array) -> None:
        context = Context(evaluator.label, evaluator.edge_label, theta=theta_label(theta))
        self._evaluator = evaluator
        self._handle = SamplerHandle(evaluator.trace, theta, context)

    def times(
        self,
        n: int,
        seed: int | None = None,
        rewards: ArrayLike | None = None,
        first: int = 0,
        threads: int | None = None,
    ) -> Array:
        """Times to absorption, or the rewards (n_vertices,) collected until then: (n,).

        Raises:
            NumericError: n, seed or rewards do not fit, or the paths are too long.
        """
        row = self._evaluator.as_rewards(rewards)
        rows = None if row is None else row[np.newaxis]
        return self._draw(n, seed, rows, first, threads, None)[0]

    def rewards(
        self,
        n: int,
        rewards: ArrayLike,
        seed: int | None = None,
        first: int = 0,
        threads: int | None = None,
    ) -> Array:
        """Several rewards (n_rewards, n_vertices) of the same paths: (n, n_rewards)."""
        rows = self._evaluator.as_reward_rows(rewards)
        return self._draw(n, seed, rows, first, threads, len(rows))[0]

    def final(
        self, n: int, seed: int | None = None, first: int = 0, threads: int | None = None
    ) -> tuple[Array, NDArray[np.int64]]:
        """Times to absorption and the absorbing vertices, -1 where there is no end: 2 × (n,)."""
        values, vertices = self._draw(n, seed, None, first, threads, None, final=True)
        assert vertices is not None
        return values, vertices

    def paths(self, n: int, seed: int | None = None, first: int = 0) -> list[Path]:
        """Whole paths, n of them."""
        n, seed, first = self._checked(n, seed, first)
        return [Path(*self._handle.path(seed, first + k)) for k in range(n)]

    def _draw(
        self,
        n: int,
        seed: int | None,
        rewards: Array | None,
        first: int,
        threads: int | None,
        columns: int | None,
        final: bool = False,
    ) -> tuple[Array, NDArray[np.int64] | None]:
        n, seed, first = self._checked(n, seed, first)
        values = np.empty(n if columns is None else (n, columns))
        vertices = np.empty(n, np.int64) if final else None

        def run(start: int) -> None:
            rows = slice(start, min(start + chunk, n))
            ends = None if vertices is None else vertices[rows]
            self._handle.times(seed, first + start, rewards, values[rows], ends)

        chunk = int(min(max(1, _CHUNK_MOVES // self._handle.expected_moves), _MOST_CHUNK))
        # Where n is 0, one call still looks at the rewards.
        most = thread_count() if threads is None else _whole(threads, "threads", _MOST_THREADS, 1)
        in_chunks(run, range(0, max(n, 1), chunk), most)
        return values, vertices

    def _checked(self, n: Any, seed: Any, first: Any) -> tuple[int, int, int]:
        n = _whole(n, "the number of samples", _MOST_NUMBER)
        first = _whole(first, "the number of the first sample", _MOST_NUMBER - n)
        seed = fresh_seed() if seed is None else _whole(seed, "the seed", 2**64 - 1)
        moves = n * self._handle.expected_moves
        if moves > _MOST_MOVES:
            raise NumericError(
                f"FATAL: {n:,} paths of {self._handle.expected_moves:.3g} expected moves each are "
                f"more than {_MOST_MOVES:.0e} moves, hours of work",
                code="SAMPLES_TOO_LONG",
                hint="draw fewer at a time, or put uniform numbers into the quantile function, "
                "which does not walk",
            )
        return n, seed, first


class SamplingFunctions(ABC):
    """Draws from one graph at one theta; see `Distribution`.

    Path i of a seed is the same whatever is drawn of it, and by however many threads.
    """

    # ---- what a distribution provides

    @property
    @abstractmethod
    def _sampler(self) -> Sampler: ...

    # ---- the functions

    def sample(
        self,
        n: int,
        *,
        seed: int | None = None,
        rewards: ArrayLike | None = None,
        first: int = 0,
        threads: int | None = None,
    ) -> Array:
        """Draws T, or Y with rewards.

        Args:
            n: how many.
            seed: 0 to 2^64 - 1; None: a fresh one.
            rewards: (n_vertices,), in the order of `graph.states()`, not negative; None: time.
            first: the number of the first path; draws first … first + n - 1 of the seed.
            threads: at most so many; None: `threads` of the configuration. The draws do not depend
                on it.

        Returns:
            (n,); infinite where a path of an improper graph is never absorbed.

        Raises:
            NumericError: an argument does not fit, a weight is negative or not finite at theta,
                absorption is unreachable there, or the paths are too long to be walked.

        Example:
            >>> from phasic import Graph
            >>> draws = Graph.from_matrices([1.0], [[-2.0]]).at([]).sample(1000, seed=1)
            >>> bool(abs(draws.mean() - 0.5) < 0.08)
            True
        """
        return self._sampler.times(n, seed, rewards, first, threads)

    def sample_multivariate(
        self,
        n: int,
        rewards: ArrayLike,
        *,
        seed: int | None = None,
        first: int = 0,
        threads: int | None = None,
    ) -> Array:
        """Draws the amounts of several rewards (r, n_vertices) along the same paths: (n, r).

        Arguments and errors are those of `sample`.

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1.0], [[-2.0]]).at()
            >>> draws = x.sample_multivariate(5, [[0, 1, 1], [0, 3, 1]], seed=1)
            >>> bool((draws[:, 1] == 3 * draws[:, 0]).all())
            True
        """
        return self._sampler.rewards(n, rewards, seed, first, threads)

    def sample_final(
        self, n: int, *, seed: int | None = None, first: int = 0, threads: int | None = None
    ) -> tuple[Array, NDArray[np.int64]]:
        """Draws T and the absorbing vertex: 2 × (n,); infinite and -1 where there is no end.

        Arguments and errors are those of `sample`; vertices are rows of `graph.states()`.

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1.0], [[-2.0]]).at()
            >>> times, vertices = x.sample_final(3, seed=1)
            >>> vertices.tolist()
            [2, 2, 2]
        """
        return self._sampler.final(n, seed, first, threads)

    def sample_paths(self, n: int, *, seed: int | None = None, first: int = 0) -> list[Path]:
        """Draws whole paths: the vertices entered, and when.

        Arguments and errors are those of `sample`.

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1.0], [[-2.0]]).at()
            >>> [path] = x.sample_paths(1, seed=1)
            >>> path.vertices.tolist()
            [1, 2]
            >>> bool(path.times[1] == x.sample(1, seed=1)[0])
            True
        """
        return self._sampler.paths(n, seed, first)


def fresh_seed() -> int:
    """A seed from the entropy of the operating system."""
    return secrets.randbits(64)


def _whole(number: Any, what: str, most: int, least: int = 0) -> int:
    if isinstance(number, bool) or not isinstance(number, int | np.integer):
        raise NumericError(
            f"FATAL: {what} is {number!r}, not a whole number",
            code="SAMPLE_NUMBER",
            hint="give an integer",
        )
    if not least <= number <= most:
        raise NumericError(
            f"FATAL: {what} is {number}, not one of {least} to {most}",
            code="SAMPLE_NUMBER",
            hint="give a number in that range",
        )
    return int(number)
