"""From a `ptd_status` to an exception: the one table that does it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from .. import errors
from . import ffi, lib


def _number(index: int) -> str:
    return str(index)


@dataclass(frozen=True)
class Context:
    """How a failed call is told: the indices of `ptd_error` in the user's own labels.

    `vertex`, `edge`, `array`: index to text. `theta`: the one in question, as text. `place`: the
    file or directory in question.
    """

    vertex: Callable[[int], str] = _number
    edge: Callable[[int], str] = _number
    array: Callable[[int], str] = _number
    theta: str = "theta"
    place: str = ""


class Row(NamedTuple):
    """Exception class, message template, hint. Fields: see `_Fields`."""

    exception: type[errors.PhasicError]
    message: str
    hint: str | None = None


G, T, N, F, C = (
    errors.GraphError,
    errors.TraceError,
    errors.NumericError,
    errors.FormatError,
    errors.CacheError,
)
_RATES = "rates must be finite and not negative at the theta asked for"
_AGAIN = "the file is not usable; record the model again"

ROWS: dict[str, Row] = {
    "GRAPH_EMPTY": Row(
        G,
        "the graph has no vertex besides the start",
        "the callback must return start edges for the empty state",
    ),
    "GRAPH_NO_ABSORPTION": Row(
        G,
        "vertex {vertex} cannot reach an absorbing vertex",
        "every vertex needs a path to a vertex without transitions; improper=True accepts traps",
    ),
    "GRAPH_NO_START": Row(
        G,
        "the start has no edge",
        "give at least one start edge: where does the process begin?",
    ),
    "GRAPH_WEIGHT_NOT_FINITE": Row(G, "{edge} has the weight {value:g}", _RATES),
    "GRAPH_WEIGHT_NEGATIVE": Row(G, "{edge} has the negative weight {value:g}", _RATES),
    "GRAPH_VERTEX_RANGE": Row(
        G,
        "edge {index} names vertex {value:.0f}, which does not exist",
        "edges join vertices that have been added",
    ),
    "GRAPH_START_ENTERED": Row(
        G, "{edge} leads into the start", "the start is virtual: nothing returns to it"
    ),
    "GRAPH_TOO_LARGE": Row(
        T,
        "FATAL: trace cannot be recorded: more than {value:.0f} states",
        "if the rule is finite, raise max_vertices",
    ),
    "GRAPH_FROZEN": Row(G, "the graph is in use and cannot change", "build a new graph"),
    "GRAPH_STATE_REPEATED": Row(
        G, "two vertices have the state {vertex}", "a state names one vertex: merge their edges"
    ),
    "THETA_NOT_FINITE": Row(
        N, "FATAL: theta[{index}] is NaN or infinite in {theta}", "theta must be finite"
    ),
    "WEIGHT_NEGATIVE": Row(N, "FATAL: {edge} has weight {value:g} at {theta}", _RATES),
    "WEIGHT_NOT_FINITE": Row(N, "FATAL: {edge} has no finite weight at {theta}", _RATES),
    "ABSORPTION_UNREACHABLE": Row(
        N,
        "FATAL: vertex {vertex} cannot reach absorption at {theta}",
        "a weight that is 0 at this theta cuts every path to absorption",
    ),
    "PROBABILITY_ABOVE_ONE": Row(
        N,
        "FATAL: the weights out of vertex {vertex} add up to {value!r} at {theta}",
        "in a discrete graph they are probabilities: at most 1, the rest stays",
    ),
    "RESULT_OVERFLOW": Row(
        N,
        "FATAL: a result exceeds the range of double at {theta}",
        "measure time in larger units: scale the rates, or ask for fewer moments",
    ),
    "REWARD_INVALID": Row(
        N, "FATAL: the reward of vertex {vertex} is negative or not finite", "rewards are >= 0"
    ),
    "START_WEIGHT_ZERO": Row(
        N,
        "FATAL: all start weights are zero at {theta}",
        "one start edge at least needs a positive weight; a constant has no coefficients",
    ),
    "REWARD_NOT_WHOLE": Row(
        N,
        "FATAL: vertex {vertex} has the reward {value:g}, and the graph is discrete",
        "rewards of a number of steps are whole numbers where its distribution is asked for",
    ),
    "DENSITY_REFUSED": Row(
        N,
        "FATAL: no method gets so far in time as {value:g}",
        "ask for earlier times; absorption_probabilities() and expected_sojourn_time() are the "
        "limits",
    ),
    "TRANSFORM_DIVERGES": Row(
        N,
        "FATAL: a transform is infinite, or so near to where it becomes so that its series does "
        "not end, at {theta}",
        "E[exp(-s Y)] is finite for all s >= 0, E[z^Y] for all z <= 1, and a little beyond",
    ),
    "TIME_NAN": Row(N, "FATAL: time {index} is NaN", "leave missing times out"),
    "FORMAT_MAGIC": Row(F, "{place} is not a trace file", _AGAIN),
    "FORMAT_VERSION": Row(
        F,
        "{place} has trace format version {value:.0f}; this phasic reads {format_version}",
        "record the model again with this version",
    ),
    "FORMAT_TRUNCATED": Row(F, "{place} is truncated: {value:.0f} bytes are missing", _AGAIN),
    "FORMAT_HEADER": Row(F, "{place} has a malformed header at byte {index}", _AGAIN),
    "FORMAT_CHECKSUM": Row(F, "{place} is damaged: the checksum of {array} is wrong", _AGAIN),
    "FORMAT_KEY": Row(F, "{place} holds the trace of another graph than its name says", _AGAIN),
    "FORMAT_TOO_LARGE": Row(
        F, "{place} has {value:,.0f} bytes, more than a trace file may have", _AGAIN
    ),
    "TRACE_INVALID": Row(
        F, "{place} holds inconsistent data in {array}, element {value:.0f}", _AGAIN
    ),
    "TRACE_TOO_LARGE": Row(
        T,
        "FATAL: trace would need about {value:,.0f} bytes, more than max_trace_bytes",
        "raise max_trace_bytes (PHASIC_MAX_TRACE_BYTES) or make the model smaller",
    ),
    "IO_ERROR": Row(C, "{place}: {errno_text}", "check the path, its permissions and free space"),
    "CACHE_MISS": Row(C, "{place} does not exist", "record the model first"),
    "CACHE_NOT_REGULAR": Row(C, "{place} is not a regular file", "remove it"),
    "CACHE_UNTRUSTED": Row(
        C,
        "{place} can be written by others or belongs to someone else",
        "chmod go-w it, or choose another with PHASIC_CACHE_DIR",
    ),
    "NO_MEMORY": Row(errors.EngineMemoryError, "out of memory", "make the model or batch smaller"),
    "CANCELLED": Row(T, "FATAL: trace recording was cancelled", "record it again, to its end"),
}
# What is left (GRAPH_NOT_FROZEN, INVALID_ARGUMENT, unknown numbers) the layers above rule out.
_DEFECT = Row(errors.InternalError, "the engine answered {name}: {text} ({index}, {value:g})")


class _Fields(dict[str, Any]):
    """Template fields, worked out only where the template names them."""

    def __init__(self, name: str, status: int, error: Any, context: Context) -> None:
        index, value = int(error.index), float(error.value)
        super().__init__(name=name, index=index, value=value)
        self._later: dict[str, Callable[[], object]] = {
            "vertex": lambda: context.vertex(index),
            "edge": lambda: context.edge(index),
            "array": lambda: "the header" if index < 0 else context.array(index),
            "theta": lambda: context.theta,
            "place": lambda: context.place or "the data",
            "errno_text": lambda: os.strerror(int(value)),
            "text": lambda: ffi.string(lib.ptd_status_text(status)).decode(),
            "format_version": lambda: lib.PTD_TRACE_FORMAT_VERSION,
        }

    def __missing__(self, field: str) -> object:
        return self._later[field]()


def status_code(status: int) -> str:
    """`GRAPH_EMPTY` for `PTD_GRAPH_EMPTY`."""
    name: str = ffi.string(lib.ptd_status_name(status)).decode()
    return name.removeprefix("PTD_")


def exception(status: int, error: Any, context: Context) -> errors.PhasicError:
    """The exception of a failed call."""
    name = status_code(status)
    row = ROWS.get(name, _DEFECT)
    message = row.message.format_map(_Fields(name, status, error, context))
    code = name if name in ROWS else None
    raised = row.exception(message, code=code, hint=row.hint)
    if isinstance(raised, OSError) and name == "IO_ERROR":
        raised.errno = int(error.value)
    return raised


_NO_CONTEXT = Context()


def check(status: int, error: Any, context: Context = _NO_CONTEXT) -> None:
    """Raises the exception of `status` unless it is PTD_OK.

    Args:
        status: what the C function returned.
        error: the `ptd_error *` that it was given.
        context: turns the indices in `error` into labels.
    """
    if status != lib.PTD_OK:
        raise exception(status, error, context)
