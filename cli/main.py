"""From arguments to an exit code: runs one command, prints its result, explains its failure."""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TextIO

import typer
from typer.main import get_command

from phasic import config
from phasic.cli.app import app
from phasic.cli.errors import exit_code_of
from phasic.cli.exit_codes import ExitCode
from phasic.cli.render import Failure, Renderer
from phasic.cli.results import Result
from phasic.cli.session import Session
from phasic.cli.streams import Streams
from phasic.errors import ConfigError, GraphError, PhasicError, PhasicWarning

# Typer does not export the class that all errors of the command line share.
_CommandLineError: Any = typer.BadParameter.__bases__[0]


def main(arguments: Sequence[str] | None = None, streams: Streams | None = None) -> int:
    """Runs `phasic` with `arguments` (those of the process unless given); the exit code."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    session = Session(streams or Streams.of_process(), json=_wants_json(arguments))
    renderer = Renderer(session)
    boundary = _Boundary(session, renderer)
    with boundary, _warnings_shown_by(renderer):
        outcome = get_command(app).main(
            args=arguments, prog_name="phasic", standalone_mode=False, obj=session
        )
        result = session.result if session.result is not None else outcome
        if isinstance(result, Result):
            renderer.show(result)
            boundary.exit_code = result.exit_code
            _settle(session)
            if result.failure is not None:
                raise result.failure
            renderer.finish(result.exit_code)
        elif outcome == ExitCode.INTERRUPTED:
            # Typer answers Ctrl-C inside a command with this number.
            raise KeyboardInterrupt
        else:
            # `--help` and completion have printed what they had to say.
            boundary.exit_code = ExitCode(outcome or 0)
            session.streams.stdout.flush()
    return int(boundary.exit_code)


def _settle(session: Session) -> None:
    """What the cache does in the background is done, or said while warnings can be."""
    background = sys.modules.get("phasic.cache.background")  # loaded by those that save
    if background is not None:
        session.streams.stdout.flush()
        background.settle()


def _wants_json(arguments: list[str]) -> bool:
    """Whether an envelope is asked for, known before the arguments are parsed and even if wrong."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return "--json" in arguments[:end]


class _Boundary:
    """The one place where an exception, whichever it is, becomes a message and an exit code."""

    def __init__(self, session: Session, renderer: Renderer) -> None:
        self._session = session
        self._renderer = renderer
        self.exit_code = ExitCode.DONE

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is None:
            return False
        if isinstance(error, SystemExit):
            # Completion ends so; and Typer where the reader of its help has gone.
            self._session.streams.drop_stdout()
            self.exit_code = ExitCode.DONE
            return True
        if isinstance(error, BrokenPipeError):
            # The reader has what it wanted (`phasic inspect KEY --ops | head`).
            self._session.streams.drop_stdout()
            self.exit_code = ExitCode.DONE
            return True
        failure = _explain(error)
        self.exit_code = failure.exit_code
        try:
            self._renderer.finish(failure.exit_code, failure)
        except OSError:
            # Nobody reads it, or it cannot be written; the exit code says enough.
            self._session.streams.drop_stdout()
        return True


def _explain(error: BaseException) -> Failure:
    if isinstance(error, PhasicError):
        return Failure(
            code=error.code,
            message=error.message,
            exit_code=exit_code_of(error),
            hint=error.hint,
            traceback=_traceback_of_the_cause(error),
        )
    if isinstance(error, _CommandLineError):
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "phasic"
        return Failure(
            code="USAGE",
            message=error.format_message().rstrip("."),
            exit_code=ExitCode.USAGE,
            hint=f"`{path} --help` shows what it takes, with examples",
        )
    if isinstance(error, (KeyboardInterrupt, typer.Abort)):
        return Failure("INTERRUPTED", "interrupted", ExitCode.INTERRUPTED)
    if isinstance(error, MemoryError):
        return Failure(
            code="NO_MEMORY",
            message="out of memory",
            exit_code=ExitCode.ENVIRONMENT,
            hint="`--max-vertices` bounds a state space before it is explored",
        )
    if isinstance(error, OSError):
        return Failure(
            code="OPERATING_SYSTEM",
            message=f"{error.filename}: {error.strerror}" if error.filename else str(error),
            exit_code=ExitCode.ENVIRONMENT,
            hint="check the path, its permissions and free space",
        )
    return Failure(
        code="BUG",
        message=f"{type(error).__name__}: {error}",
        exit_code=ExitCode.BUG,
        hint="this is a bug in phasic; please report it with the lines above",
        traceback="".join(traceback.format_exception(error)),
    )


def _traceback_of_the_cause(error: PhasicError) -> str | None:
    """What the user's code raised, from its own first line on.

    Causes of other errors (numpy's, of a damaged file) say less than the error does: they are for
    PHASIC_DEBUG=1.
    """
    cause = error.__cause__
    if cause is None:
        return None
    trace = cause.__traceback__
    if isinstance(error, GraphError) and not isinstance(cause, (PhasicError, OSError)):
        while trace is not None and _is_ours(trace):
            trace = trace.tb_next
    elif not _debugging():
        return None
    return "".join(traceback.format_exception(type(cause), cause, trace))


def _debugging() -> bool:
    try:
        return config.get_bool("debug")
    except ConfigError:
        return False  # what is being told may be this very error


def _is_ours(trace: TracebackType) -> bool:
    name = str(trace.tb_frame.f_globals.get("__name__", ""))
    return name.startswith("phasic.") or name.startswith(("importlib", "_frozen_importlib"))


@contextmanager
def _warnings_shown_by(renderer: Renderer) -> Iterator[None]:
    """Warnings of phasic go through the renderer, those of others their usual way."""
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if isinstance(message, PhasicWarning):
                renderer.warn(str(message))
            else:
                usual(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        warnings.simplefilter("always", PhasicWarning)
        yield
