"""From what the user names (a trace file, a key, a model, or - for standard input) to a trace."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from phasic.cli.errors import UsageError
from phasic.cli.keys import KEY, no_such_key, whole_key
from phasic.cli.model_source import ModelOptions, load_model, looks_like_model
from phasic.cli.progress import ProgressBar, exploring
from phasic.cli.session import Session
from phasic.errors import CacheError, FormatError, TraceError

if TYPE_CHECKING:
    from phasic.graph import Graph
    from phasic.trace_elimination import EliminationTrace, ObtainedTrace


@dataclass(frozen=True)
class Opened:
    """A trace and where it came from: `file`, `cache` or `recorded`."""

    trace: EliminationTrace
    origin: str


def open_trace(session: Session, text: str, options: ModelOptions) -> Opened:
    """The trace that `text` names.

    A model whose trace is cached is not recorded again; recording one by itself follows the
    configuration as it does in the library.

    Raises:
        FormatError: there is nothing of that name, or it is no trace.
        UsageError: options of a model with something else.
        GraphError, TraceError: the model is wrong.
    """
    if text == "-":
        text = _read_name(session)
    if looks_like_model(text):
        return obtain(session, load_model(text, options))
    if Path(text).is_file():
        return Opened(_load_file(text, options), "file")
    if KEY.fullmatch(text):
        return Opened(_load_key(text, options), "cache")
    if "/" in text or not all(part.isidentifier() for part in text.split(".")):
        raise FormatError(
            f"there is no file {text}",
            code="FILE_NOT_FOUND",
            hint="give a trace file, a key, or a model as file.py or package.module:NAME",
        )
    return obtain(session, load_model(text, options))


def obtain(session: Session, graph: Graph) -> Opened:
    """The trace of a graph from the cache, else recorded.

    Raises:
        TraceError: recording by itself is switched off, and the graph has parameters.
    """
    from phasic import config

    with exploring(session):
        n_parameters = graph.n_parameters
    if n_parameters and config.get_bool("disable_auto_trace"):
        raise TraceError(
            "FATAL: trace needed and not recorded by itself: PHASIC_DISABLE_AUTO_TRACE is set",
            code="AUTO_TRACE_DISABLED",
            hint="`phasic record MODEL` prints a key to give instead of the model; or unset it",
        )
    trace, recorded, _ = obtain_trace(session, graph)
    return Opened(trace, "recorded" if recorded else "cache")


def obtain_trace(session: Session, graph: Graph) -> ObtainedTrace:
    """As the library's, with progress where someone looks."""
    from phasic import trace_elimination

    with exploring(session):
        _ = graph.n_vertices
    with ProgressBar(session, "recording") as bar:
        return trace_elimination.obtain_trace(graph, progress=bar.callback)


def _read_name(session: Session) -> str:
    if session.streams.stdin_is_terminal:
        raise UsageError(
            "- reads a key from standard input, which is a terminal",
            code="USAGE",
            hint="as in `phasic record model.py | phasic evaluate - --theta 1.0`",
        )
    text = session.streams.stdin.readline().strip()
    if not text:
        raise FormatError(
            "standard input holds no key and no path",
            code="KEY_MISSING",
            hint="did the command before the pipe fail?",
        )
    return text


def _load_file(path: str, options: ModelOptions) -> EliminationTrace:
    from phasic.trace_elimination import EliminationTrace

    _refuse(options, f"{path} is a trace")
    with open(path, "rb") as stream:
        is_json = stream.read(1) == b"{"
    if is_json:
        return EliminationTrace.from_json(Path(path).read_text(encoding="utf-8", errors="replace"))
    return EliminationTrace.load(path)


def _load_key(text: str, options: ModelOptions) -> EliminationTrace:
    from phasic import config
    from phasic.trace_serialization import load_trace_from_cache
    from phasic.trace_stores import tiers

    _refuse(options, f"{text} is a key")
    if config.get_bool("disable_cache"):
        raise UsageError(
            "keys name traces in the cache, and PHASIC_DISABLE_CACHE is set",
            code="CACHE_DISABLED",
            hint="unset it, or `phasic record MODEL -o FILE` and name the file",
        )
    key = whole_key(text, *tiers())
    trace = load_trace_from_cache(key)
    if trace is None:
        raise no_such_key(text, *tiers())
    return trace


def _refuse(options: ModelOptions, why: str) -> None:
    if options.given:
        raise UsageError(
            f"{why} and takes no {options.given[0]}",
            code="USAGE",
            hint="arguments belong to a model: record it again with others",
        )


def need_place(output: Path | None) -> None:
    """Refuses to record what could not be found again.

    Raises:
        UsageError: the cache is switched off and no file is named.
    """
    from phasic import config

    if output is None and config.get_bool("disable_cache"):
        raise UsageError(
            "PHASIC_DISABLE_CACHE is set, so a key would name nothing",
            code="CACHE_DISABLED",
            hint="name a file with -o, or unset it",
        )


def not_kept(key: str) -> CacheError:
    """The error of a recording whose only place would have been the cache."""
    return CacheError(
        f"the trace {key} was recorded and could not be kept in the cache",
        code="CACHE_SAVE_FAILED",
        hint="the warning above says why; -o FILE writes it elsewhere",
    )
