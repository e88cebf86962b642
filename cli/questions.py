"""What the command line asks: functions, their arguments, rewards, epochs, data; all read.

Whether numbers are fit for what is asked (a time must not be NaN) is the library's to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from phasic.cli.errors import UsageError
from phasic.cli.functions import FUNCTIONS, Function, Takes
from phasic.cli.number_lines import is_number, parse_numbers, read_columns
from phasic.cli.thetas import parse_theta
from phasic.epochs import EpochDistribution
from phasic.errors import FormatError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


_REWARDS_HINT = "add --rewards FILE, with a line for each vertex and a column for each reward"


@dataclass(frozen=True)
class Asked:
    """One function with its arguments, read and ready."""

    function: Function
    arguments: Any = None


@dataclass(frozen=True)
class Questions:
    """All that is asked at each theta.

    Attributes:
        order: of the highest moment; 0: no moments.
        rewards: (n_rewards, n_vertices), or None: the time.
        epochs: changes of theta.
        options: what the density functions are told of methods and tolerance.
        censored: observations for the likelihood that are known in part.
    """

    order: int
    variance: bool
    gradient: bool
    rewards: Array | None
    epochs: tuple[tuple[float, Array], ...]
    functions: tuple[Asked, ...]
    options: Mapping[str, Any]
    censored: Mapping[str, Array]


def read_asked(options: Mapping[str, Any]) -> tuple[Asked, ...]:
    """The functions that are asked for, by the options of `offers_functions`.

    Raises:
        UsageError: an argument is no list of numbers.
        FormatError: a file is not there or holds something else.
    """
    asked = []
    for function in FUNCTIONS:
        given = options[function.name]
        if given is not None and given is not False:
            asked.append(Asked(function, _ARGUMENTS[function.takes](f"--{function.option}", given)))
    return tuple(asked)


def _rows(option: str, texts: list[str]) -> Array:
    """(n, r) of an option that is given n times with r numbers each."""
    rows = [parse_numbers(option, text) for text in texts]
    if len({len(row) for row in rows}) > 1:
        raise UsageError(
            f"{option} is given with different numbers of numbers",
            code="USAGE",
            hint="each time one for each column of --rewards",
        )
    return np.array(rows)


def _whole_rows(option: str, texts: list[str]) -> NDArray[np.int64]:
    for text in texts:
        _whole_numbers(option, text)
    return _rows(option, texts).astype(np.int64)


def _whole_numbers(option: str, text: str) -> NDArray[np.int64]:
    values = parse_numbers(option, text)
    # The bound keeps NaN and what no integer holds out as well.
    if not (np.abs(values) < 2**62).all() or (values != np.rint(values)).any():
        raise UsageError(
            f"{option} takes whole numbers, not {text}", code="USAGE", hint="as in 1,2 or 0:9:10"
        )
    return values.astype(np.int64)


def _order(option: str, text: str) -> int:
    if re.fullmatch("[1-9][0-9]{0,8}", text) is None:
        raise UsageError(
            f"{option} takes a whole number from 1 on, not {text}", code="USAGE", hint="as in 4"
        )
    return int(text)


def read_observations(option: str, path: str) -> tuple[Array, Array | None]:
    """Observations and their weights, if the file has a second column.

    Raises:
        FormatError: there is no such file, or it has other columns.
    """
    columns = read_columns(path, option)
    if columns.shape[1] > 2:
        raise FormatError(
            f"{path} has {columns.shape[1]} columns, expected observations and, perhaps, weights",
            code="DATA_FORMAT",
            hint="one observation a line; a second column has their weights",
        )
    if columns.size == 0:
        return np.empty(0), None
    return columns[:, 0].copy(), columns[:, 1].copy() if columns.shape[1] == 2 else None


_ARGUMENTS: Mapping[Takes, Callable[[str, Any], Any]] = {
    Takes.TIMES: parse_numbers,
    Takes.STEPS: parse_numbers,
    Takes.PROBABILITIES: parse_numbers,
    Takes.RATES: parse_numbers,
    Takes.ARGUMENTS: parse_numbers,
    Takes.VERTICES: _whole_numbers,
    Takes.JOINT_RATES: _rows,
    Takes.JOINT_ARGUMENTS: _rows,
    Takes.POWERS: _whole_rows,
    Takes.ORDER: _order,
    Takes.FILE: read_observations,
    Takes.NOTHING: lambda option, given: None,
}


def read_censored(right_censored: str | None, intervals: str | None) -> dict[str, Array]:
    """Observations that are known in part, by the names of the library's arguments.

    Raises:
        FormatError: there is no such file, or it has other columns.
    """
    found = {}
    for name, path, width in (("right_censored", right_censored, 1), ("intervals", intervals, 2)):
        if path is None:
            continue
        columns = read_columns(path, f"--{name.replace('_', '-')}")
        if columns.size and columns.shape[1] != width:
            raise FormatError(
                f"{path} has {columns.shape[1]} columns, expected {width}",
                code="DATA_FORMAT",
                hint="--right-censored has a time a line, --intervals two: after, not after",
            )
        found[name] = columns.reshape(-1, width) if width == 2 else columns.reshape(-1)
    return found


def read_epochs(texts: Iterable[str], n_parameters: int) -> tuple[tuple[float, Array], ...]:
    """Pairs of a time and a theta, from `T:theta`.

    Raises:
        UsageError: it is not written so.
        FormatError: theta does not fit.
    """
    epochs = []
    for text in texts:
        time, separator, theta = text.partition(":")
        if not separator or not is_number(time):
            raise UsageError(
                f"--epoch {text} is not T:THETA", code="USAGE", hint="as in --epoch 0.5:1.0,2.0"
            )
        epochs.append((float(time), parse_theta(theta, n_parameters, "--epoch").thetas[0]))
    return tuple(epochs)


def check(questions: Questions) -> None:
    """Refuses questions that do not go together.

    Raises:
        UsageError: an option is missing that another needs, or has nothing to work on.
        FormatError: the likelihood is asked for, and there are no observations.
    """
    by_option = {asked.function.option: asked for asked in questions.functions}
    if "sub-cdf" in by_option and "cdf" not in by_option:
        raise UsageError(
            "--sub-cdf is of the times of --cdf", code="USAGE", hint="add the times, as --cdf 0.5,1"
        )
    for asked in questions.functions:
        if asked.function.rewards == "many" and questions.rewards is None:
            raise UsageError(
                f"--{asked.function.option} is of rewards", code="USAGE", hint=_REWARDS_HINT
            )
        if questions.epochs and not hasattr(EpochDistribution, asked.function.method):
            raise UsageError(
                f"--{asked.function.option} is not to be had under --epoch",
                code="USAGE",
                hint="leave one of them out",
            )
    if questions.options and not any(asked.function.density for asked in questions.functions):
        raise UsageError(
            f"--{next(iter(questions.options))} is for density functions, and none is asked for",
            code="USAGE",
            hint="it goes with --pdf, --cdf, --sf, --hazard, --pmf, --quantile, --loglik",
        )
    if questions.censored and "loglik" not in by_option:
        raise UsageError(
            f"--{next(iter(questions.censored)).replace('_', '-')} is a part of --loglik",
            code="USAGE",
            hint="add --loglik FILE, where the file may be empty",
        )
    if "loglik" in by_option:
        times, weights = by_option["loglik"].arguments
        count = len(times) if weights is None else weights.sum()
        # NaN and negative weights are the library's to refuse.
        if count == 0 and not any(len(part) for part in questions.censored.values()):
            raise FormatError(
                "no observations found in the file of --loglik"
                + (
                    f", nor in those of {' and '.join(_options(questions))}"
                    * bool(questions.censored)
                ),
                code="DATA_EMPTY",
                hint="one observation a line; is it the right file, and was it written?",
            )


def _options(questions: Questions) -> list[str]:
    return [f"--{name.replace('_', '-')}" for name in questions.censored]
