"""Reads DRN line by line into an `ExplicitModel`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import fsum

import numpy as np

from ..declared.expressions import Names, parse
from ..errors import FormatError, GraphError
from ..state_space.names import checked_names
from .edge_table import Edges, agreed
from .explicit import ExplicitModel
from .text import Lines, is_number, shown

_TYPES = {"DTMC": (True, False), "CTMC": (False, False), "Markov Automaton": (False, True)}
_LABEL = re.compile(r'"([^"]+)"|(\S+)')
_VALUE = re.compile(r"([A-Za-z_]\w*)\s*=\s*(-?\d{1,10})")
_PRINTED = 1e-6
_MOST_FORMULAS = 100_000

Form = tuple[float, ...]  # base, then a coefficient for each parameter


class DrnReader:
    """One file, read once."""

    def __init__(self, path: str) -> None:
        self.lines = Lines(path)
        self.path = path
        self.is_automaton = False
        self.reward_models: list[str] = []
        self._parameters: tuple[str, ...] = ()
        self._placeholders: dict[str, Form] = {}
        self._formulas: dict[str, Form] = {}
        self._action_reward = ""
        self._rows: list[list[tuple[int, Form]]] = []
        self._rates: list[Form | None] = []
        self._values: list[dict[str, int]] = []
        self._n_states = 0
        self._n_choices: int | None = None
        self._n_actions = 0

    def read(self, discrete: bool | None) -> ExplicitModel:
        """The model.

        Raises:
            FormatError: the line that is wrong, and what was expected.
        """
        content = iter(self.lines)
        kind, is_discrete = self._header(content)
        self.is_automaton = kind == "Markov Automaton"
        model = ExplicitModel(
            self.path,
            self._n_states,
            agreed(self.path, is_discrete, discrete),
            self._parameters,
            Edges(len(self._parameters)),
        )
        model.rewards = {name: np.zeros(self._n_states) for name in self.reward_models}
        self._model(content, model)
        self._finish(model)
        return model

    def refuse_action_rewards(self) -> None:
        """Rewards of actions are none of states.

        Raises:
            FormatError: one is not 0.
        """
        if self._action_reward:
            raise FormatError(
                f"{self.path}, {self._action_reward}: an action has a reward, expected rewards of"
                " states",
                code="FILE_REWARDS",
                hint="what is collected per unit of time or per step stands behind the state",
            )

    # ---- the sections before @model

    def _header(self, content: Iterator[str]) -> tuple[str, bool]:
        kind, placeholders = "", False
        for line in content:
            text = line.strip()
            if not text or text.startswith("//"):
                continue
            if placeholders and not text.startswith("@"):
                self._placeholder(text)
                continue
            placeholders = text == "@placeholders"
            word, _, rest = text.partition(" ")
            if word == "@type:":
                kind = rest.strip()
                if kind not in _TYPES:
                    self.lines.refuse(
                        f"the type {shown(kind)}", f"one without choices: {', '.join(_TYPES)}"
                    )
            elif word == "@value_type:":
                if rest.strip() not in ("double", "rational", "parametric"):
                    self.lines.refuse(f"values of type {shown(rest)}", "double or parametric")
            elif text == "@parameters":
                self._parameters = self._names(next(content, "").split())
            elif placeholders:
                continue  # they follow, up to the next section
            elif text == "@reward_models":
                self.reward_models = list(dict.fromkeys(next(content, "").split()))
            elif text in ("@nr_states", "@nr_choices"):
                size = self.lines.size(next(content, "").strip(), text[1:])
                if text == "@nr_states":
                    self._n_states = size
                else:
                    self._n_choices = size
            elif text == "@model":
                if not kind or not self._n_states:
                    self.lines.refuse("@model", "@type: and @nr_states before it")
                return kind, _TYPES[kind][0]
            else:
                self.lines.refuse(shown(text), "a section such as @type: or @model")
        self.lines.end("@model")

    def _names(self, names: list[str]) -> tuple[str, ...]:
        try:
            return checked_names(names, "@parameters") or ()
        except GraphError as error:
            self.lines.refuse(error.message, "different identifiers")

    def _placeholder(self, text: str) -> None:
        name, separator, value = text.partition(":")
        if not name.startswith("$") or not separator:
            self.lines.refuse(shown(text), "$NAME : VALUE, or the next section")
        self._placeholders[name.strip()] = self._form(value.strip(), "a value")

    # ---- the states

    def _model(self, content: Iterator[str], model: ExplicitModel) -> None:
        n_actions = 0
        for line in content:
            text = line.strip()
            if not text:
                continue
            if text.startswith("//"):
                if self._rows and text.startswith("//["):
                    self._values[-1] = {
                        name: int(value) for name, value in _VALUE.findall(text[3:])
                    }
            elif text.startswith("state "):
                self._state(text[6:].strip(), model)
                n_actions = 0
            elif not self._rows:
                self.lines.refuse(shown(text), "state 0")
            elif text.startswith("action ") or text == "action":
                n_actions += 1
                if n_actions > 1:
                    self.lines.refuse("a second action", "one: the model must have no choices")
                self._n_actions += 1
                self._action(text)
            else:
                number, separator, value = text.partition(":")
                if not separator or not n_actions:
                    self.lines.refuse(shown(text), "state, action, or TARGET : VALUE after action")
                goal = self.lines.vertex(number.strip(), self._n_states, "target")
                self._rows[-1].append((goal, self._form(value.strip(), "a value")))
        if len(self._rows) < self._n_states:
            self.lines.end(f"{self._n_states} states, not {len(self._rows)}")
        if self._n_choices not in (None, self._n_actions):
            self.lines.end(
                f"{self._n_choices} actions, as @nr_choices says, not {self._n_actions}: one for"
                " each choice of a state"
            )
        if n_actions and not self._rows[-1] and (model.discrete or self.is_automaton):
            self.lines.end("TARGET : VALUE after the last action: its probabilities sum to 1")

    def _state(self, text: str, model: ExplicitModel) -> None:
        state = len(self._rows)
        if state == self._n_states:
            self.lines.refuse("one more state", f"{state}, as @nr_states says")
        number, _, rest = text.partition(" ")
        if number != str(state):
            self.lines.refuse(f"state {shown(number)}", f"state {state}")
        self._rows.append([])
        self._rates.append(None)
        self._values.append({})
        rest = rest.strip()
        # Newer files have the rate before the rewards, older ones none, the documentation after.
        while rest[:1] in ("!", "["):
            if rest[0] == "!":
                value, _, rest = rest[1:].partition(" ")
                self._rates[-1] = self._form(value, "an exit rate")
            else:
                inner, closed, rest = rest[1:].partition("]")
                if not closed:
                    self.lines.refuse(shown(inner), "rewards that end with ]")
                self._state_rewards(inner.split(","), state, model)
            rest = rest.strip()
        if rest.startswith("{"):
            self.lines.refuse("an observation", "a model without observations")
        for quoted, plain in _LABEL.findall(rest):
            model.labels.setdefault(quoted or plain, []).append(state)

    def _state_rewards(self, values: list[str], state: int, model: ExplicitModel) -> None:
        for k, value in enumerate(values):
            # Storm names reward models that the header does not.
            name = self.reward_models[k] if k < len(self.reward_models) else f"rew{k}"
            base, *coefficients = self._form(value.strip(), "a reward")
            if any(coefficients):
                self.lines.refuse(shown(value), "a reward that is a number")
            model.rewards.setdefault(name, np.zeros(self._n_states))[state] = base

    def _action(self, text: str) -> None:
        inner, closed, _ = text.partition("[")[2].partition("]")
        if closed and any(any(self._form(v.strip(), "a reward")) for v in inner.split(",")):
            self._action_reward = self._action_reward or f"line {self.lines.number}"

    # ---- values

    def _form(self, text: str, what: str) -> Form:
        found = self._placeholders.get(text) or self._formulas.get(text)
        if found is None:
            found = self._parsed(text, what)
            if len(self._formulas) < _MOST_FORMULAS:
                self._formulas[text] = found
        return found

    def _parsed(self, text: str, what: str) -> Form:
        if is_number(text):
            return (self.lines.number_of(text, what), *(0.0 for _ in self._parameters))
        try:
            formula = parse(text, Names((), self._parameters), what)
        except GraphError as error:
            self.lines.refuse(error.message, "a number, or what is linear in the parameters")
        parts = [formula.base, *(formula.coefficients.get(k) for k in range(len(self._parameters)))]
        with np.errstate(all="ignore"):
            form = tuple(0.0 if part is None else float(part({})) for part in parts)
        if not np.isfinite(form).all():
            self.lines.refuse(shown(text), f"{what} that is finite")
        return form

    # ---- what the rows mean

    def _finish(self, model: ExplicitModel) -> None:
        if self.is_automaton:
            self._finish_automaton(model)
            return
        for state, row in enumerate(self._rows):
            rate = self._rates[state]
            # Without transitions too: such is the last state of a file that was cut.
            if not model.discrete and rate is not None:
                self._compare(state, row, rate)
            for goal, form in row:
                model.edges.add(state, goal, form[0], form[1:])
        self._set_states(model)

    def _compare(self, state: int, row: list[tuple[int, Form]], rate: Form) -> None:
        none = tuple(0.0 for _ in rate)
        total = np.sum([form for _, form in row] or [none], axis=0)
        if (np.abs(total - rate) > _PRINTED * (np.abs(total) + np.abs(rate))).any():
            raise FormatError(
                f"{self.path}: the rates of leaving state {state} sum to {total.tolist()}, and"
                f" its exit rate is {list(rate)}",
                code="FILE_ROW_SUM",
                hint="the numbers of a CTMC are rates; those of a Markov automaton probabilities",
            )

    def _finish_automaton(self, model: ExplicitModel) -> None:
        """States with a rate of 0 are left at once: the first of them is the start."""
        none = (0.0,) * (1 + len(self._parameters))
        rates = [none if rate is None else rate for rate in self._rates]
        instant = {s for s, rate in enumerate(rates) if not any(rate) and self._rows[s]}
        initial = model.labels.get("init", [])
        if len(initial) == 1 and initial[0] in instant:
            model.instant = initial[0]
            rates[initial[0]] = (1.0, *none[1:])
            instant.discard(initial[0])
            again = [s for s, row in enumerate(self._rows) if initial[0] in dict(row)]
            instant.update(initial if again else [])
        if instant:
            raise FormatError(
                f"{self.path}: state {min(instant)} is left at once, which only the initial state"
                " may be, where nothing leads to it",
                code="FILE_INSTANT",
                hint="let Storm eliminate such states first",
            )
        for state, row in enumerate(self._rows):
            if any(rates[state]) and not row:
                raise FormatError(
                    f"{self.path}: state {state} has the exit rate {rates[state][0]} and leads"
                    " nowhere, expected TARGET : VALUE after an action",
                    code="FILE_ROW_SUM",
                    hint="was the file written to its end? what is absorbed has the exit rate 0",
                )
            for goal, probability in self._probabilities(state, row):
                form = [part * probability for part in rates[state]]
                model.edges.add(state, goal, form[0], form[1:])
        self._set_states(model)

    def _probabilities(
        self, state: int, row: list[tuple[int, Form]]
    ) -> Iterator[tuple[int, float]]:
        """Those of a row, which sum to 1 beyond the digits that were printed."""
        total = fsum(form[0] for _, form in row)
        if row and (abs(total - 1) > _PRINTED or any(any(form[1:]) for _, form in row)):
            raise FormatError(
                f"{self.path}: the probabilities of leaving state {state} sum to {total!r}, or have"
                " parameters, expected numbers that sum to 1",
                code="FILE_ROW_SUM",
                hint="the numbers of a Markov automaton are probabilities; a CTMC has rates",
            )
        for goal, form in row:
            yield goal, form[0] / total

    def _set_states(self, model: ExplicitModel) -> None:
        """Values of states, where every one has them and they tell states apart."""
        given = [values for state, values in enumerate(self._values) if state != model.instant]
        names = list(given[0]) if given else []
        if not names or any(list(values) != names for values in given):
            return
        if len({tuple(values.values()) for values in given}) < len(given):
            return
        if model.instant is not None:
            self._values[model.instant] = dict.fromkeys(names, 0)
        model.states = np.array([list(values.values()) for values in self._values], np.int64)
        model.state_names = names
