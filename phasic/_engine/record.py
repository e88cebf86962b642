"""Recording with progress, that Ctrl-C and a failing progress function can stop."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import ffi, lib
from .graph import GraphHandle
from .status import Context, check

Progress = Callable[[int, int], None]


@dataclass
class _Recording:
    progress: Progress | None
    raised: BaseException | None = None


def _keep_exception(_type: object, value: BaseException, traceback: Any) -> int:
    # The frame that failed knows its recording by the C context; no global state.
    recording: _Recording = ffi.from_handle(traceback.tb_frame.f_locals["context"])
    recording.raised = value
    return 1


@ffi.def_extern(name="phasic_progress", error=1, onerror=_keep_exception)  # type: ignore[untyped-decorator]
def _progress(context: Any, done: int, total: int) -> int:
    recording: _Recording = ffi.from_handle(context)
    if recording.progress is not None:
        recording.progress(done, total)
    return 0


def record(
    graph: GraphHandle,
    max_trace_bytes: int,
    plan_directory: str | None,
    plan_min_vertices: int,
    progress: Progress | None,
    context: Context,
) -> Any:
    """The C pointer of a new trace of a frozen graph, not yet owned."""
    recording = _Recording(progress)
    handle = ffi.new_handle(recording)
    directory = ffi.new("char[]", os.fsencode(plan_directory)) if plan_directory else ffi.NULL
    options = ffi.new("ptd_record_options *")
    options.max_trace_bytes = max_trace_bytes
    options.plan_directory = directory
    options.plan_min_vertices = plan_min_vertices
    options.progress = lib.phasic_progress
    options.progress_context = handle
    result, error = ffi.new("ptd_elimination_trace **"), ffi.new("ptd_error *")
    status = lib.ptd_record_elimination_trace(graph.address, options, result, error)
    if recording.raised is not None:
        raise recording.raised
    check(status, error, context)
    return result[0]
