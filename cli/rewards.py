"""Rewards from a file: a line for each vertex, a column for each reward."""

from __future__ import annotations

from typing import TYPE_CHECKING

from phasic.cli.number_lines import read_columns
from phasic.errors import FormatError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from phasic.trace_elimination import EliminationTrace


def read_reward_rows(path: str, n_vertices: int) -> NDArray[np.float64]:
    """(n_rewards, n_vertices), in the order of the file.

    Raises:
        FormatError: there is no such file, or not one line for each vertex in it.
    """
    import numpy as np

    columns = read_columns(path, "--rewards")
    if len(columns) != n_vertices:
        raise FormatError(
            f"{path} has {len(columns)} rewards, expected {n_vertices}: one for each vertex",
            code="REWARDS_LENGTH",
            hint="`phasic inspect --states` lists the vertices in order",
        )
    return np.ascontiguousarray(columns.T)


def read_rewards(path: str, n_vertices: int) -> NDArray[np.float64]:
    """(n_vertices,), of a file with one column.

    Raises:
        FormatError: as `read_reward_rows`, or it has several columns.
    """
    rows = read_reward_rows(path, n_vertices)
    if len(rows) != 1:
        raise FormatError(
            f"{path} has {len(rows)} columns, expected 1: one reward for each vertex",
            code="REWARDS_LENGTH",
            hint="cut one out, as by `cut -d, -f1`",
        )
    return rows[0]


def state_rewards(trace: EliminationTrace) -> tuple[NDArray[np.float64], list[str]]:
    """Each entry of the state as a reward, but those that are 0 until absorption, or below it.

    Returns:
        (n_rewards, n_vertices), and their places in the state, from 1 on.

    Raises:
        FormatError: none is left.
    """
    import numpy as np

    states = trace.states.T.astype(np.float64)
    moving = np.ones(trace.n_vertices, bool)
    moving[trace.evaluator.ends] = False
    kept = np.flatnonzero((states[:, moving] > 0).any(axis=1) & (states >= 0).all(axis=1))
    if not kept.size:
        raise FormatError(
            "no entry of the states can be a reward: they are 0, or below it",
            code="REWARDS_MISSING",
            hint="give --rewards FILE, with a line for each vertex and a column for each reward",
        )
    return states[kept], [str(place) for place in (kept + 1).tolist()]
