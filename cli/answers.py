"""Asks a distribution what the command line asks, and makes records of its answers.

Moments are computed for many thetas at once; functions, at one theta after the other. A record is
`row`, `theta`, then an entry for each thing asked. A function's entry has its list of arguments
first, then `value` and, where it has them, `bound`, `method`, `kind` and `gradient`, each as long:

    {"row": 0, "theta": [1.0], "pdf": {"t": [0.5, 1.0], "value": [0.39, 0.41], …}}

What has a value for each vertex names them in `vertex`, and `value` has a row for each argument.
With several columns of rewards, what is asked of one reward is a list with an entry for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from phasic.answers import Answer
from phasic.cli.functions import Takes
from phasic.cli.questions import Asked, Questions
from phasic.distribution import Distribution
from phasic.epochs import EpochDistribution
from phasic.errors import NumericError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from phasic.cli.thetas import Chunk
    from phasic.trace_elimination import EliminationTrace

    Array = NDArray[np.float64]


def answer(
    trace: EliminationTrace, chunks: Iterable[Chunk], questions: Questions
) -> Iterator[Mapping[str, Any]]:
    """A record for each theta, in order.

    Raises:
        NumericError: something cannot be answered at a theta, which is named; the records of those
            before it have been given.
    """
    for chunk in chunks:
        batch = _batch(trace, chunk.thetas, questions)
        for number, (row, place) in enumerate(zip(chunk.rows, chunk.places, strict=True)):
            theta = chunk.thetas[number]
            with _placed(place):
                made = batch(number)
                made.update(_functions(trace, theta, questions))
            yield {"row": row, "theta": theta.tolist(), **made}


@contextmanager
def _placed(place: str) -> Iterator[None]:
    """Errors say the line that their theta stands in."""
    try:
        yield
    except NumericError as error:
        where = f" ({place})" if place else ""
        raise NumericError(error.message + where, code=error.code, hint=error.hint) from None


# ---- moments, of many thetas at once


def _batch(
    trace: EliminationTrace, thetas: Array, questions: Questions
) -> Callable[[int], dict[str, Any]]:
    """A function from the number of a theta to its moments and variance."""
    try:
        columns = _moments(trace, thetas, questions)
    except NumericError:
        # One theta of the chunk is bad: those before it are answered.
        return lambda number: {
            name: values[0]
            for name, values in _moments(trace, thetas[number : number + 1], questions).items()
        }
    return lambda number: {name: values[number] for name, values in columns.items()}


def _moments(trace: EliminationTrace, thetas: Array, questions: Questions) -> dict[str, list[Any]]:
    """Columns of the answer, by name, one entry a theta."""
    made: dict[str, list[Any]] = {}
    if questions.epochs:
        return _epoch_moments(trace, thetas, questions)
    rows = _reward_rows(questions)
    if questions.order:
        parts = [
            trace.moments(thetas, questions.order, row, gradient=questions.gradient) for row in rows
        ]
        if questions.gradient:
            made["moments"] = _by_theta([values for values, _ in parts])
            made["gradient"] = _by_theta([slope for _, slope in parts])
        else:
            made["moments"] = _by_theta(parts)
    if questions.variance:
        rewards = np.ones((1, trace.n_vertices)) if questions.rewards is None else questions.rewards
        covariances = trace.covariances(thetas, rewards)[1]
        made["variance"] = _by_theta([covariances[:, k, k] for k in range(len(rewards))])
    return made


def _epoch_moments(
    trace: EliminationTrace, thetas: Array, questions: Questions
) -> dict[str, list[Any]]:
    made: dict[str, list[Any]] = {}
    distributions = [_distribution(trace, theta, questions) for theta in thetas]
    rows = _reward_rows(questions)
    if questions.order and questions.gradient:
        parts = [
            [d.moments(questions.order, row, gradient=True) for row in rows] for d in distributions
        ]
        for which, name in enumerate(("moments", "gradient")):
            made[name] = [_single([found[which].tolist() for found in part]) for part in parts]
    elif questions.order:
        made["moments"] = [
            _single([d.moments(questions.order, row).tolist() for row in rows])
            for d in distributions
        ]
    if questions.variance:
        made["variance"] = [_single([d.variance(row) for row in rows]) for d in distributions]
    return made


def _reward_rows(questions: Questions) -> list[Array | None]:
    return [None] if questions.rewards is None else list(questions.rewards)


def _by_theta(parts: list[Any]) -> list[Any]:
    """From an array (n_thetas, …) for each reward to a list for each theta."""
    return parts[0].tolist() if len(parts) == 1 else np.stack(parts, axis=1).tolist()


def _single(values: list[Any]) -> Any:
    """The value itself where there is one reward, or none."""
    return values[0] if len(values) == 1 else values


# ---- functions, at one theta


def _distribution(
    trace: EliminationTrace, theta: Array, questions: Questions
) -> Distribution | EpochDistribution:
    if questions.epochs:
        return EpochDistribution(trace, theta, questions.epochs)
    return Distribution(trace, theta)


def _functions(trace: EliminationTrace, theta: Array, questions: Questions) -> dict[str, Any]:
    if not questions.functions:
        return {}
    distribution = _distribution(trace, theta, questions)
    made = {}
    for asked in questions.functions:
        made[asked.function.name] = _ANSWERS[asked.function.takes](distribution, asked, questions)
    return made


def _at_points(distribution: Any, asked: Asked, questions: Questions) -> Any:
    function, points = asked.function, asked.arguments
    method = getattr(distribution, function.method)
    axes = {function.takes.axis: points.tolist()}
    if function.by_vertex:
        axes["vertex"] = list(range(distribution.trace.n_vertices))
    if function.density:
        options = _density_options(questions)
        rows = _reward_rows(questions)
        return _single([axes | _known(method(points, rewards=row, **options)) for row in rows])
    options = _gradient(questions)
    if function.rewards:
        found = [method(points, rewards=row, **options) for row in _reward_rows(questions)]
        return _single([axes | _with_gradient(part, questions.gradient) for part in found])
    return axes | _with_gradient(method(points, **options), questions.gradient)


def _density_options(questions: Questions) -> dict[str, Any]:
    return {**questions.options, "gradient": questions.gradient, "full_output": True}


def _value(values: Any) -> dict[str, Any]:
    return {"value": np.asarray(values).tolist()}


def _known(answer: Answer) -> dict[str, Any]:
    """Values with all that is known of them."""
    names = ("value", "bound", "method", "kind", "gradient")
    parts = {name: getattr(answer, name) for name in names}
    return {name: part.tolist() for name, part in parts.items() if part is not None}


def _sub_cdf(distribution: Any, asked: Asked, questions: Questions) -> Any:
    """A list with an entry for each vertex and, in it, for each reward."""
    (times,) = (other.arguments for other in questions.functions if other.function.option == "cdf")
    options = _density_options(questions)
    rows = _reward_rows(questions)
    return [
        {"vertex": vertex, "t": times.tolist()}
        | _known(distribution.sub_cdf(times, vertex, rewards=row, **options))
        for vertex in asked.arguments.tolist()
        for row in rows
    ]


def _joint(distribution: Any, asked: Asked, questions: Questions) -> Any:
    """Of several rewards together, at one row of arguments each time."""
    function, points = asked.function, asked.arguments
    method = getattr(distribution, function.method)
    found = method(points, questions.rewards, **_gradient(questions))
    return {function.takes.axis: points.tolist()} | _with_gradient(found, questions.gradient)


def _joint_moments(distribution: Any, asked: Asked, questions: Questions) -> Any:
    options = _gradient(questions)
    found = [
        distribution.joint_moment(questions.rewards, powers, **options)
        for powers in asked.arguments
    ]
    parts = [_with_gradient(part, bool(options)) for part in found]
    columns = {name: [part[name] for part in parts] for name in parts[0]}
    return {"powers": asked.arguments.tolist()} | columns


def _moments_to(distribution: Any, asked: Asked, questions: Questions) -> Any:
    """Of every order up to the one that is given."""
    method = getattr(distribution, asked.function.method)
    axis = {"order": list(range(1, asked.arguments + 1))}
    options = _gradient(questions)
    if not asked.function.rewards:
        return axis | _with_gradient(method(asked.arguments, **options), questions.gradient)
    found = [method(asked.arguments, rewards=row, **options) for row in _reward_rows(questions)]
    return _single([axis | _with_gradient(part, questions.gradient) for part in found])


def _loglik(distribution: Any, asked: Asked, questions: Questions) -> Any:
    data, weights = asked.arguments
    options = {**questions.options, **questions.censored, "gradient": questions.gradient}
    found = [
        distribution.loglik(data, weights, rewards=row, **options)
        for row in _reward_rows(questions)
    ]
    return _single([_with_gradient(part, questions.gradient) for part in found])


def _number(distribution: Any, asked: Asked, questions: Questions) -> Any:
    function = asked.function
    method = getattr(distribution, function.method)
    if function.rewards == "many":
        found = method(questions.rewards, **_gradient(questions))
        return _with_gradient(found, questions.gradient)
    if function.by_vertex:
        ends = distribution.trace.evaluator.ends
        found = method(ends, **_gradient(questions))
        return {"vertex": ends.tolist(), **_with_gradient(found, questions.gradient)}
    found = [method(rewards=row, **_gradient(questions)) for row in _reward_rows(questions)]
    if questions.gradient:
        return _single([_with_gradient(part, True) for part in found])
    return _single([float(part) for part in found])


def _gradient(questions: Questions) -> dict[str, bool]:
    return {"gradient": True} if questions.gradient else {}


def _with_gradient(found: Any, has_gradient: bool) -> dict[str, Any]:
    if not has_gradient:
        return _value(found)
    value, slope = found
    return _value(value) | {"gradient": slope.tolist()}


_ANSWERS: Mapping[Takes, Callable[[Any, Asked, Questions], Any]] = {
    Takes.TIMES: _at_points,
    Takes.STEPS: _at_points,
    Takes.PROBABILITIES: _at_points,
    Takes.RATES: _at_points,
    Takes.ARGUMENTS: _at_points,
    Takes.VERTICES: _sub_cdf,
    Takes.JOINT_RATES: _joint,
    Takes.JOINT_ARGUMENTS: _joint,
    Takes.POWERS: _joint_moments,
    Takes.ORDER: _moments_to,
    Takes.FILE: _loglik,
    Takes.NOTHING: _number,
}
