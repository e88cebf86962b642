"""Observations from files and from standard input, for inference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from phasic.cli.errors import UsageError
from phasic.cli.number_lines import columns_of, read_columns
from phasic.cli.questions import read_censored
from phasic.cli.rewards import read_reward_rows
from phasic.cli.session import Session
from phasic.errors import FormatError

if TYPE_CHECKING:
    from phasic.inference import Observations

_HINT = "one observation a line; a second column has weights, or, with several columns of "
_HINT += "--rewards, there is a column for each"


def read_data(
    session: Session,
    source: str,
    n_vertices: int,
    rewards: str | None,
    right_censored: str | None,
    intervals: str | None,
) -> Observations:
    """One data set; `source` is a file, or - for standard input.

    Raises:
        UsageError: nothing comes from standard input.
        FormatError: there is no such file, or its columns are no observations.
        NumericError: the observations are not valid.
    """
    from phasic.inference import Observations

    if source == "-":
        if session.streams.stdin_is_terminal:
            raise UsageError(
                "- reads data from standard input, which is a terminal",
                code="USAGE",
                hint="as in `phasic sample model.py --theta 1 -n 100 | phasic infer model.py -`",
            )
        stream = session.streams.stdin.buffer
        name, columns = "standard input", columns_of("standard input", stream, "DATA")
    else:
        name, columns = source, read_columns(source, "DATA")
    rows = None if rewards is None else read_reward_rows(rewards, n_vertices)
    features = 1 if rows is None else len(rows)
    most = 2 if features == 1 else features
    if columns.size and not (1 if features == 1 else features) <= columns.shape[1] <= most:
        raise FormatError(
            f"{name} has {columns.shape[1]} columns, expected {features}"
            + (", and perhaps weights" if features == 1 else ", one a reward"),
            code="DATA_FORMAT",
            hint=_HINT,
        )
    if features > 1:
        assert rows is not None
        return Observations(columns.reshape(-1, features), rewards=rows.T, name=name)
    return Observations(
        columns[:, 0] if columns.size else [],
        columns[:, 1] if columns.shape[1] == 2 else None,
        rewards=None if rows is None else rows[0],
        name=name,
        **read_censored(right_censored, intervals),
    )
