"""The functions that `phasic evaluate` can be asked for: one row of one table each.

A row gives the option, what it takes, and the method of the library's distribution that answers.
The option, with _ for -, is also the name of the answer in the output. `offers_functions` makes the
options of a command from the table; `phasic.cli.answers` asks them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, TypeVar

import typer


class Takes(Enum):
    """What follows an option: what help calls it, and the name of that list in the answer."""

    TIMES = ("T[,T...]", "t")
    STEPS = ("K[,K...]", "k")
    PROBABILITIES = ("P[,P...]", "p")
    RATES = ("S[,S...]", "s")
    ARGUMENTS = ("Z[,Z...]", "z")
    VERTICES = ("VERTEX[,VERTEX...]", "vertex")
    JOINT_RATES = ("S1,S2...", "s")
    JOINT_ARGUMENTS = ("Z1,Z2...", "z")
    POWERS = ("A,B...", "powers")
    ORDER = ("K", "order")
    FILE = ("FILE", "")
    NOTHING = ("", "")

    @property
    def metavar(self) -> str:
        return self.value[0]

    @property
    def axis(self) -> str:
        return self.value[1]


@dataclass(frozen=True)
class Function:
    """One row of the table.

    Attributes:
        option: without the dashes.
        method: of a distribution.
        takes: what follows the option.
        help: of the option.
        density: whether the answer has a bound, a method and a kind, and heeds --method and
            --tolerance.
        rewards: `"one"` where it is of the time or of what one reward collects, `"many"` where it
            is of several rewards together, `""` where it is of the time alone.
        by_vertex: whether there is a value for each vertex.
    """

    option: str
    method: str
    takes: Takes
    help: str
    density: bool = False
    rewards: str = ""
    by_vertex: bool = False

    @property
    def name(self) -> str:
        """The name of the answer, and of the parameter that carries the option."""
        return self.option.replace("-", "_")


def _density(option: str, help: str, takes: Takes = Takes.TIMES) -> Function:
    return Function(option, option, takes, help, density=True, rewards="one")


FUNCTIONS = (
    _density("pdf", "Density at these times; see below for lists. Continuous models."),
    _density("cdf", "P(T <= t)."),
    _density("sf", "P(T > t), with all its digits far into the tail."),
    _density("logpdf", "Logarithm of the density, where that itself is below 1e-308 too."),
    _density("logcdf", "Logarithm of P(T <= t)."),
    _density("logsf", "Logarithm of P(T > t)."),
    _density("hazard", "Rate of absorption at t, of what is not absorbed before."),
    _density("pmf", "P(T = k). Discrete models.", Takes.STEPS),
    _density("quantile", "Smallest t with P(T <= t) >= p.", Takes.PROBABILITIES),
    Function("laplace", "laplace", Takes.RATES, "E[exp(-s T)].", rewards="one"),
    Function("pgf", "pgf", Takes.ARGUMENTS, "E[z^T]. Discrete models.", rewards="one"),
    Function(
        "joint-laplace",
        "joint_laplace",
        Takes.JOINT_RATES,
        "E[exp(-s1 Y1 - s2 Y2 ...)] of the columns of --rewards; may be repeated.",
        rewards="many",
    ),
    Function(
        "joint-pgf",
        "joint_pgf",
        Takes.JOINT_ARGUMENTS,
        "E[z1^Y1 z2^Y2 ...] of the columns of --rewards; may be repeated.",
        rewards="many",
    ),
    Function(
        "state-probability",
        "state_probability",
        Takes.TIMES,
        "Probability of each vertex at t.",
        by_vertex=True,
    ),
    Function(
        "stop-probability",
        "stop_probability",
        Takes.TIMES,
        "The same by its other name.",
        by_vertex=True,
    ),
    Function(
        "accumulated",
        "accumulated_visiting_time",
        Takes.TIMES,
        "Expected time (discrete: visits) in each vertex until t.",
        by_vertex=True,
    ),
    Function(
        "sub-cdf",
        "sub_cdf",
        Takes.VERTICES,
        "P(T <= t, ended in VERTEX), at the times of --cdf.",
        density=True,
        rewards="one",
    ),
    Function("defect", "defect", Takes.NOTHING, "P(T = 0).", rewards="one"),
    Function(
        "absorption",
        "absorption_probabilities",
        Takes.NOTHING,
        "Probability of ending in each absorbing vertex.",
        by_vertex=True,
    ),
    Function(
        "central-moments",
        "central_moments",
        Takes.ORDER,
        "E[(T - E[T])^k] for k = 1 to K.",
        rewards="one",
    ),
    Function(
        "factorial-moments",
        "factorial_moments",
        Takes.ORDER,
        "E[T (T-1) ... (T-k+1)] for k = 1 to K. Discrete models.",
    ),
    Function("skewness", "skewness", Takes.NOTHING, "Third standardised moment.", rewards="one"),
    Function("kurtosis", "kurtosis", Takes.NOTHING, "Fourth, minus 3.", rewards="one"),
    Function(
        "covariance",
        "covariance_matrix",
        Takes.NOTHING,
        "Covariances of the columns of --rewards.",
        rewards="many",
    ),
    Function(
        "correlation",
        "correlation_matrix",
        Takes.NOTHING,
        "Correlations of the columns of --rewards.",
        rewards="many",
    ),
    Function(
        "joint-moment",
        "joint_moment",
        Takes.POWERS,
        "E[Y1^a Y2^b ...] of the columns of --rewards; may be repeated.",
        rewards="many",
    ),
    Function(
        "loglik",
        "loglik",
        Takes.FILE,
        "Log-likelihood of observations, one a line; a second column has their weights.",
        density=True,
        rewards="one",
    ),
)

_Command = TypeVar("_Command", bound=Callable[..., Any])
_REPEATED = (Takes.JOINT_RATES, Takes.JOINT_ARGUMENTS, Takes.POWERS)


def offers_functions(command: _Command) -> _Command:
    """Gives a command the options of the table, in place of its `**asked`, which takes them.

    Typer reads the signature of a command; the options stand after --variance.
    """
    signature = inspect.signature(command, eval_str=True)
    own = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    at = [parameter.name for parameter in own].index("variance") + 1
    parameters = [*own[:at], *map(_parameter, FUNCTIONS), *own[at:]]
    command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return command


def _parameter(function: Function) -> inspect.Parameter:
    kind: Any = str | None
    default: Any = None
    metavar: str | None = function.takes.metavar
    if function.takes is Takes.NOTHING:
        kind, default, metavar = bool, False, None
    elif function.takes in _REPEATED:
        kind = list[str] | None
    option = typer.Option(f"--{function.option}", metavar=metavar, help=function.help)
    return inspect.Parameter(
        function.name,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        default=default,
        annotation=Annotated[kind, option],
    )
