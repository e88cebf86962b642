"""Storm's explicit format DRN: DTMCs, CTMCs and Markov automata without choices.

https://www.stormchecker.org/documentation/usage/drn.html

    @type: CTMC
    @parameters
    infection recovery
    @reward_models
    ill
    @nr_states
    3
    @model
    state 0 !0.5*infection+1*recovery [1] init
        action 0
                1 : 0.5*infection
                2 : 1*recovery

Of a CTMC the numbers are rates, of a Markov automaton probabilities beside the exit rate `!r`; a
state with the rate 0 is left at once, which is how a distribution over starting states is written.
Values may be linear in the parameters. Comments `//[x=1 & y=2]` after a state are its values.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..files import replacing
from ..graph import Graph
from .drn_reader import DrnReader
from .explicit import ABSORBED, ExplicitTable, checked_rewards


def read(path: str, *, discrete: bool | None, target: str | None = None) -> Graph:
    """The graph of a DRN file.

    Raises:
        FormatError: the line that is wrong, and what was expected.
        GraphError: the numbers make no model.
    """
    return DrnReader(path).read(discrete).table(target).graph()


def read_rewards(path: str) -> dict[str, NDArray[np.float64]]:
    """The reward models of a DRN file, in the order of the graph's states.

    Raises:
        FormatError: as for `read`, or actions have rewards that are not 0.
    """
    reader = DrnReader(path)
    model = reader.read(None)
    reader.refuse_action_rewards()
    return model.graph_rewards()


def write(
    graph: Graph,
    path: str,
    *,
    theta: ArrayLike | None,
    rewards: Mapping[str, ArrayLike] | None = None,
) -> None:
    """Writes a DTMC or CTMC, or a Markov automaton where a graph starts in several vertices."""
    table = ExplicitTable(graph, theta, path, "a DTMC, and a CTMC with parameters,")
    columns = checked_rewards(graph, rewards, path)
    if len(table.start) > 1 and not table.discrete and not table.parameters:
        _write_automaton(table, columns)
        return
    initial = table.initial()
    with replacing(path) as stream:
        stream.write(_header(table, "DTMC" if table.discrete else "CTMC", columns, table.n_states))
        for state in range(table.n_states):
            row = table.row(state)
            targets, forms = row.targets, row.forms
            if row.absorbing:
                targets, forms = [state], [[1.0] + [0.0] * len(table.parameters)]
            exit_rate = ""
            if not table.discrete:
                total = np.sum(forms, axis=0).tolist()
                exit_rate = f" !{_formula(total, table)}"
            labels = _labels(state == initial, row.absorbing)
            stream.write(f"state {state}{exit_rate}{_reward(columns, state)}{labels}\n")
            stream.write(_values(table, state) + "\taction 0\n")
            for target, form in zip(targets, forms, strict=True):
                stream.write(f"\t\t{target} : {_formula(form, table)}\n")


def _write_automaton(table: ExplicitTable, columns: dict[str, NDArray[np.float64]]) -> None:
    """State 0 stands for the start and is left at once; the others move up by one."""
    with replacing(table.path) as stream:
        stream.write(_header(table, "Markov Automaton", columns, table.n_states + 1))
        total = float(table.start_forms[:, 0].sum())
        none = f" [{', '.join('0' for _ in columns)}]" if columns else ""
        stream.write(f"state 0 !0{none} init\n\taction 0\n")
        for target, (weight,) in zip(table.start, table.start_forms.tolist(), strict=True):
            stream.write(f"\t\t{target + 1} : {weight / total!r}\n")
        for state in range(table.n_states):
            row = table.row(state)
            rates = [form[0] for form in row.forms] or [1.0]
            targets = row.targets or [state]
            total = float(np.sum(rates))
            labels = _labels(False, row.absorbing)
            stream.write(f"state {state + 1} !{total!r}{_reward(columns, state)}{labels}\n")
            stream.write(_values(table, state) + "\taction 0\n")
            for target, rate in zip(targets, rates, strict=True):
                stream.write(f"\t\t{target + 1} : {rate / total!r}\n")


def _header(
    table: ExplicitTable, kind: str, columns: dict[str, NDArray[np.float64]], n_states: int
) -> str:
    return (
        f"@type: {kind}\n@parameters\n{' '.join(table.parameters)}\n"
        f"@reward_models\n{' '.join(columns)}\n"
        f"@nr_states\n{n_states}\n@nr_choices\n{n_states}\n@model\n"
    )


def _formula(form: list[float], table: ExplicitTable) -> str:
    base, *coefficients = form
    terms = [
        f"{coefficient!r}*{name}"
        for name, coefficient in zip(table.parameters, coefficients, strict=True)
        if coefficient
    ]
    if base or not terms:
        terms.insert(0, repr(base))
    # Storm reads a minus before a number in parentheses wherever it stands.
    return "+".join(f"({term})" if term.startswith("-") else term for term in terms)


def _reward(columns: dict[str, NDArray[np.float64]], state: int) -> str:
    return f" [{', '.join(repr(float(c[state])) for c in columns.values())}]" if columns else ""


def _labels(initial: bool, absorbing: bool) -> str:
    return (" init" if initial else "") + (f" {ABSORBED}" if absorbing else "")


def _values(table: ExplicitTable, state: int) -> str:
    if table.states is None or not table.state_names:
        return ""
    values = zip(table.state_names, table.states[state].tolist(), strict=True)
    return f"//[{' & '.join(f'{name}={value}' for name, value in values)}]\n"
