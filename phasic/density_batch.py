"""A function of the density family at many thetas, on several threads."""

from __future__ import annotations

import numpy as np

from ._engine.chain import DENSITY, DISTRIBUTION, SURVIVAL
from ._engine.values import ValuesAsked, density_values
from .arguments import Array
from .errors import NumericError
from .evaluation import Evaluator, in_chunks

# Names of functions, and the engine's numbers for them.
_FUNCTIONS = {"pdf": DENSITY, "pmf": DENSITY, "cdf": DISTRIBUTION, "sf": SURVIVAL}


def as_function(name: str, discrete: bool) -> tuple[int, bool]:
    """The engine's number of a function, and whether its logarithm is meant.

    Raises:
        NumericError: there is none of this name for this kind of time.
    """
    plain = name.removeprefix("log")
    if plain not in _FUNCTIONS or plain == ("pdf" if discrete else "pmf"):
        names = ["pmf" if discrete else "pdf", "cdf", "sf"]
        raise NumericError(
            f"FATAL: there is no function {name!r} here",
            code="FUNCTION_UNKNOWN",
            hint=f"functions are {', '.join(names)} and log{', log'.join(names)}",
        )
    return _FUNCTIONS[plain], plain != name


def density(
    evaluator: Evaluator,
    thetas: Array,
    times: Array,
    function: tuple[int, bool],
    rewards: Array | None,
    how: tuple[int, float],
    order: int,
    threads: int,
) -> tuple[Array, ...]:
    """Values (n, …) of a function as `as_function` gives it, and derivatives up to `order`.

    `how`: the engine's number of a method, and a tolerance.
    """
    shape = (len(thetas), times.size)
    out = tuple(np.empty(shape + (evaluator.n_parameters,) * k) for k in range(order + 1))
    flat = np.ascontiguousarray(times.reshape(-1))
    asked = ValuesAsked(function[0], *how, order, function[1])

    def run(row: int) -> None:
        context = evaluator.context(thetas, row)
        parts = tuple(part[row] for part in out)
        density_values(evaluator.trace, thetas[row], rewards, asked, flat, parts, context)

    in_chunks(run, range(len(thetas)), threads)
    return tuple(part.reshape(len(thetas), *times.shape, *part.shape[2:]) for part in out)
