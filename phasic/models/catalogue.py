"""The list of ready models, read off the models themselves.

A model is a public function of a module of `phasic.models` that returns a `Graph`. What it is and
takes, is its signature and docstring; the names of parameters and states are those of its graph;
its example is the one in the docstring, which the tests run.
"""

from __future__ import annotations

import ast
import doctest
import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from importlib import import_module
from shlex import quote
from typing import Any

from phasic import models
from phasic.errors import GraphError
from phasic.graph import Graph


@dataclass(frozen=True)
class Entry:
    """A model.

    Attributes:
        place: as the command line takes it, e.g. `phasic.models.coalescent:kingman`.
        function: makes the graph.
    """

    place: str
    function: Callable[..., Graph]

    @property
    def name(self) -> str:
        """The function's name."""
        return self.place.rpartition(":")[2]

    @property
    def arguments(self) -> str:
        """Its arguments with their defaults, as in `n, demes=None, *, symmetric=True`."""
        parameters = inspect.signature(self.function).parameters.values()
        shown = [p.replace(annotation=p.empty) for p in parameters]
        return str(inspect.Signature(shown))[1:-1]

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return self.text.partition("\n")[0]

    @property
    def text(self) -> str:
        """Its docstring."""
        return inspect.getdoc(self.function) or ""

    @property
    def source(self) -> str:
        """The docstring of its module: where the model comes from."""
        return inspect.getdoc(inspect.getmodule(self.function)) or ""

    @cached_property
    def _example(self) -> tuple[dict[str, Any], list[float], list[tuple[float, list[float]]]]:
        """The arguments, theta and epochs of the example in the docstring."""
        names: dict[str, Any] = {}
        for example in doctest.DocTestParser().get_examples(self.text):
            tree = ast.parse(example.source)
            for node in ast.walk(tree):
                match node:
                    case ast.Assign(
                        targets=[ast.Name(id=name)], value=(ast.List() | ast.Tuple()) as value
                    ):
                        names[name] = ast.literal_eval(value)
            for node in ast.walk(tree):
                match node:
                    case ast.Call(func=ast.Name(id=self.name), args=values, keywords=keywords):
                        arguments = self._bound(values, keywords, names)
                    case ast.Call(func=ast.Attribute(attr="at"), args=[theta], keywords=keywords):
                        epochs = [ast.literal_eval(keyword.value) for keyword in keywords]
                        return arguments, _value(theta, names), epochs[0] if epochs else []
        raise GraphError(
            f"the docstring of {self.place} has no example that calls it and .at(theta)",
            code="MODEL_ARGUMENT",
            hint="end it with one, as in the modules of phasic.models",
        )

    def _bound(
        self, values: list[ast.expr], keywords: list[ast.keyword], names: dict[str, Any]
    ) -> dict[str, Any]:
        bound = inspect.signature(self.function).bind(
            *(_value(value, names) for value in values),
            **{str(keyword.arg): _value(keyword.value, names) for keyword in keywords},
        )
        return dict(bound.arguments)

    @property
    def example_graph(self) -> Graph:
        """The graph of the example."""
        return self.function(**self._example[0])

    @property
    def command(self) -> str:
        """A command line that evaluates the example."""
        arguments, theta, epochs = self._example
        parts = ["phasic evaluate", self.place]
        for name, value in arguments.items():
            parts.append("--arg " + quote(f"{name}={json.dumps(value, separators=(',', ':'))}"))
        if theta:
            parts.append("--theta " + ",".join(map(str, theta)))
        parts += [f"--epoch {time}:{','.join(map(str, later))}" for time, later in epochs]
        return " ".join([*parts, "--moments 2"])


def _value(node: ast.expr, names: dict[str, Any]) -> Any:
    return names[node.id] if isinstance(node, ast.Name) else ast.literal_eval(node)


def entries() -> list[Entry]:
    """All ready models, by module and then as they stand in it.

    Example:
        >>> entries()[0].place
        'phasic.models.birth_death:overflow'
    """
    found = []
    for name in models.__all__:
        module = import_module(f"phasic.models.{name}")
        found += [
            Entry(f"{module.__name__}:{attribute}", value)
            for attribute, value in vars(module).items()
            if inspect.isfunction(value)
            and value.__module__ == module.__name__
            and not attribute.startswith("_")
            and value.__annotations__.get("return") == "Graph"
        ]
    return found


def find(name: str) -> Entry:
    """The model of a name, with or without its module.

    Raises:
        GraphError: there is none, with the nearest names.

    Example:
        >>> find("kingman").place
        'phasic.models.coalescent:kingman'
    """
    known = entries()
    for entry in known:
        if name in (entry.name, entry.place, entry.place.removeprefix("phasic.models.")):
            return entry
    near = get_close_matches(name.rpartition(":")[2], [entry.name for entry in known])
    raise GraphError(
        f"there is no model {name}",
        code="MODEL_NOT_FOUND",
        hint=f"did you mean {' or '.join(near)}?" if near else "`phasic models` lists them",
    )
