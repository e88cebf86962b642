"""PRISM's explicit files: transitions (.tra), labels (.lab), states (.sta), state rewards (.srew).

https://www.prismmodelchecker.org/manual/Appendices/ExplicitModelFiles

    model.tra       model.lab                           model.sta    model.ill.srew
    3 4             0="init" 1="deadlock"               (x)          # Reward structure "ill"
    0 1 0.5         0: 0                                0:(2)        3 1
    0 2 1.5         2: 1                                1:(1)        0 1.0
    1 0 1.0                                             2:(0)
    2 2 1.0

The files are found by the name of the first. Without labels the model starts in state 0. A `.tra`
file does not say whether it holds a DTMC or a CTMC: where all rows sum to 1 that must be said. It
holds numbers; rewards are read from `.srew`, `.rews` and `.rew`, which PRISM and others call them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from glob import escape, glob

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError, FormatError, GraphError
from ..files import replacing
from ..graph import Graph
from ..state_space.names import checked_names
from .edge_table import Edges, need_numbers
from .explicit import ABSORBED, ExplicitModel, ExplicitTable, checked_rewards
from .text import Lines, shown

_REWARDS = (".srew", ".rews", ".rew")
_LABELS = re.compile(r'(\d+)="([^"]+)"')
_VALUES = re.compile(r"-?\d{1,10}|true|false")
_ROW = 1e-6


def read(path: str, *, discrete: bool | None, target: str | None = None) -> Graph:
    """The graph of a `.tra` file and those beside it.

    Raises:
        FormatError: the line that is wrong, and what was expected; choices; or every row sums to 1
            and `discrete` is None.
        GraphError: the numbers make no model.
    """
    model = _model(path)
    model.discrete = _kind(model) if discrete is None else discrete
    return model.table(target).graph()


def read_rewards(path: str) -> dict[str, NDArray[np.float64]]:
    """The rewards in the files beside a `.tra` file, in the order of the graph's states.

    Raises:
        FormatError: the line that is wrong, and what was expected.
    """
    model = _model(path)
    stem = _stem(path)
    for beside in sorted(glob(f"{escape(stem)}.*")):
        if beside.lower().endswith(_REWARDS):
            name = os.path.splitext(beside[len(stem) + 1 :])[0] or "reward"
            _read_rewards(beside, name if "." in beside[len(stem) + 1 :] else "reward", model)
    return model.graph_rewards()


def _stem(path: str) -> str:
    return os.path.splitext(path)[0]


def _model(path: str) -> ExplicitModel:
    lines = Lines(path)
    content = _content(lines)
    n_states, n_edges = _sizes(lines, content, "the numbers of states and transitions")
    # Rates until it is known that they are probabilities.
    model = ExplicitModel(path, n_states, False, (), Edges(0))
    for fields in _counted(lines, content, n_edges):
        if len(fields) not in (3, 4):
            lines.refuse(f"{len(fields)} fields", "source, target and rate")
        source, goal = (lines.vertex(field, n_states) for field in fields[:2])
        model.edges.add(source, goal, lines.number_of(fields[2], "a rate"), ())
    stem = _stem(path)
    model.labels = {"init": [0]}
    if os.path.isfile(f"{stem}.lab"):
        model.labels = _read_labels(f"{stem}.lab", n_states)
    if os.path.isfile(f"{stem}.sta"):
        _read_states(f"{stem}.sta", model)
    return model


def _content(lines: Lines) -> Iterator[list[str]]:
    """Fields of the lines that are neither empty nor comments."""
    for line in lines:
        fields = line.split()
        if fields and not fields[0].startswith("#"):
            yield fields


def _sizes(lines: Lines, content: Iterator[list[str]], what: str) -> tuple[int, int]:
    fields = next(content, None)
    if fields is None:
        lines.end(what)
    if len(fields) == 3:
        lines.refuse("three sizes", f"{what}: the model must have no choices (DTMC or CTMC)")
    if len(fields) != 2:
        lines.refuse(shown(" ".join(fields)), what)
    return lines.size(fields[0], "the number of states"), lines.whole(fields[1], "a number")


def _counted(lines: Lines, content: Iterator[list[str]], count: int) -> Iterator[list[str]]:
    seen = 0
    for fields in content:
        if seen == count:
            lines.refuse("one more line", f"{count}, as the first says")
        seen += 1
        yield fields
    if seen < count:
        lines.end(f"{count} lines, not {seen}")


def _kind(model: ExplicitModel) -> bool:
    source, _, base, _ = model.edges.arrays()
    total = np.bincount(source, base, minlength=model.n_states)
    leaves = np.bincount(source, minlength=model.n_states) > 0
    if (np.abs(total[leaves] - 1) <= _ROW).all():
        raise FormatError(
            f"{model.path} may hold a DTMC or a CTMC: every row sums to 1",
            code="FILE_KIND",
            hint="say which: discrete=True or discrete=False (--arg discrete=true, or false)",
        )
    return False


def _read_labels(path: str, n_states: int) -> dict[str, list[int]]:
    lines = Lines(path)
    names: dict[int, str] | None = None
    labels: dict[str, list[int]] = {}
    for line in lines:
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if names is None:
            names = {int(number): name for number, name in _LABELS.findall(text)}
            if not names or _LABELS.sub("", text).strip():
                lines.refuse(shown(text), 'labels such as 0="init" 1="deadlock"')
            labels = {name: [] for name in names.values()}
            continue
        state, separator, numbers = text.partition(":")
        if not separator:
            lines.refuse(shown(text), "a state, a colon and the numbers of its labels")
        vertex = lines.vertex(state.strip(), n_states)
        for number in numbers.split():
            if lines.whole(number, "a label") not in names:
                lines.refuse(f"label {number}", "one of the first line")
            labels[names[int(number)]].append(vertex)
    if names is None:
        lines.end("labels")
    return labels


def _read_states(path: str, model: ExplicitModel) -> None:
    lines = Lines(path)
    names: tuple[str, ...] | None = None
    values: list[list[int]] = []
    for line in lines:
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        inner, closed, _ = text.partition("(")[2].partition(")")
        fields = [field.strip() for field in inner.split(",")]
        if not closed:
            lines.refuse(shown(text), "values in parentheses")
        if names is None:
            names = _state_names(lines, fields)
            continue
        if text.partition(":")[0].strip() != str(len(values)) or len(values) == model.n_states:
            lines.refuse(shown(text), f"state {len(values)} of {model.n_states}")
        if len(fields) != len(names) or not all(map(_VALUES.fullmatch, fields)):
            lines.refuse(shown(text), f"{len(names)} whole numbers, or true and false")
        words = {"true": 1, "false": 0}
        values.append([words[field] if field in words else int(field) for field in fields])
    if names is None or len(values) < model.n_states:
        lines.end(f"the names of values, and {model.n_states} states")
    model.states, model.state_names = np.array(values, np.int64), names


def _state_names(lines: Lines, fields: list[str]) -> tuple[str, ...]:
    try:
        return checked_names(fields, "the variables") or ()
    except GraphError as error:
        lines.refuse(error.message, "different identifiers")


def _read_rewards(path: str, name: str, model: ExplicitModel) -> None:
    lines = Lines(path)
    rewards = np.zeros(model.n_states)
    content = _content(lines)
    n_states, count = _sizes(lines, content, "the numbers of states and rewards")
    if n_states != model.n_states:
        lines.refuse(f"{n_states} states", f"{model.n_states}, as in {model.path}")
    for fields in _counted(lines, content, count):
        if len(fields) != 2:
            lines.refuse(shown(" ".join(fields)), "state and reward")
        rewards[lines.vertex(fields[0], n_states)] = lines.number_of(fields[1], "a reward")
    model.rewards[name] = rewards


def write(
    graph: Graph,
    path: str,
    *,
    theta: ArrayLike | None,
    rewards: Mapping[str, ArrayLike] | None = None,
) -> None:
    """Writes the transitions, labels, states (if there are any) and rewards.

    Raises:
        ConfigError: the graph has parameters and theta is None, or it starts in several vertices.
    """
    need_numbers(graph, theta, path, ".tra files")
    table = ExplicitTable(graph, theta, path, "a .tra file")
    initial = table.initial()
    columns = checked_rewards(graph, rewards, path)
    rows = [table.row(state) for state in range(table.n_states)]
    stem = _stem(path)
    _check_names(stem, columns)
    n_edges = sum(max(1, len(row.targets)) for row in rows)
    with replacing(path) as stream:
        stream.write(f"{table.n_states} {n_edges}\n")
        for state, row in enumerate(rows):
            if row.absorbing:
                # As PRISM writes states without a way out.
                stream.write(f"{state} {state} 1\n")
            for target, form in zip(row.targets, row.forms, strict=True):
                stream.write(f"{state} {target} {form[0]!r}\n")
    with replacing(f"{stem}.lab") as stream:
        stream.write(f'0="init" 1="deadlock" 2="{ABSORBED}"\n')
        for state, row in enumerate(rows):
            numbers = (["0"] if state == initial else []) + (["1", "2"] if row.absorbing else [])
            if numbers:
                stream.write(f"{state}: {' '.join(numbers)}\n")
    if table.states is not None and table.state_names is not None:
        with replacing(f"{stem}.sta") as stream:
            stream.write(f"({','.join(table.state_names)})\n")
            for state, values in enumerate(table.states.tolist()):
                stream.write(f"{state}:({','.join(map(str, values))})\n")
    for name, column in columns.items():
        (where,) = np.nonzero(column)
        with replacing(f"{stem}.{name}.srew") as stream:
            stream.write(f'# Reward structure "{name}"\n{table.n_states} {where.size}\n')
            stream.writelines(f"{state} {float(column[state])!r}\n" for state in where.tolist())


def _check_names(stem: str, columns: Mapping[str, NDArray[np.float64]]) -> None:
    """Files of an earlier model must not be taken for parts of this one."""
    ours = {f"{stem}.{name}.srew" for name in columns}
    others = [
        beside
        for beside in glob(f"{escape(stem)}.*")
        if beside.lower().endswith(_REWARDS) and beside not in ours
    ]
    if others:
        raise ConfigError(
            f"{others[0]} is there, and would be read as a reward of what is written",
            code="FILE_REWARDS",
            hint="remove it, or write under another name",
        )
