"""From what the user calls a model to a graph.

`file.py`, `file.py:NAME` or `package.module:NAME`; NAME is a Graph, a callback (one state in, its
transitions out), or a function that returns a Graph. Or a file that `phasic.interchange` reads.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any

from phasic import interchange
from phasic.cli.errors import UsageError
from phasic.errors import GraphError, PhasicError

if TYPE_CHECKING:
    from phasic.graph import Graph


@dataclass(frozen=True)
class ModelOptions:
    """What the command line says about a model besides its name."""

    arguments: Mapping[str, Any] = field(default_factory=dict)
    max_vertices: int | None = None
    discrete: bool = False

    @classmethod
    def of(
        cls, arguments: list[str] | None, max_vertices: int | None, discrete: bool
    ) -> ModelOptions:
        """From `--arg`, `--max-vertices` and `--discrete`."""
        return cls(_parse_arguments(arguments or []), max_vertices, discrete)

    @property
    def given(self) -> list[str]:
        """The options that were used, as the user wrote them."""
        names = [f"--arg {name}" for name in self.arguments]
        if self.max_vertices is not None:
            names.append("--max-vertices")
        if self.discrete:
            names.append("--discrete")
        return names


_TOP = 4096
"""Bytes in which a JSON file says what it holds."""


def looks_like_model(text: str) -> bool:
    """Whether `text` can only be meant as a model."""
    return ":" in text or text.endswith(".py") or _is_graph_file(text)


def _is_graph_file(text: str) -> bool:
    """Whether `text` ends like a file of edges or matrices. JSON is, if it says so at its top."""
    suffix = interchange.suffix_of(text, interchange.READABLE)
    if suffix != ".json":
        return suffix is not None
    try:
        with open(text, "rb") as stream:
            return b'"phasic-edges/' in stream.read(_TOP)
    except OSError:
        return True  # reading it says what is wrong


def load_model(text: str, options: ModelOptions) -> Graph:
    """The graph of a model.

    Raises:
        GraphError: there is no such file, module or name, it holds no model or several, or its
            code raises (the cause is kept).
        UsageError: the model does not take the arguments, or needs more.
    """
    if interchange.suffix_of(text, interchange.READABLE) is not None:
        return _read_graph(text, options)
    place, separator, name = text.rpartition(":")
    if not separator:
        place, name = text, ""
    module = _load_module(place)
    if not name:
        name = _only_model(place, module)
    return _graph_of(f"{place}:{name}", _find(place, module, name), options)


def _read_graph(path: str, options: ModelOptions) -> Graph:
    arguments = dict(options.arguments)
    if options.discrete:
        arguments["discrete"] = True
    types = {"discrete": bool, "target": str}
    for name, value in arguments.items():
        if name not in types:
            raise UsageError(
                f"{path} is a file and takes no argument {name}",
                code="USAGE",
                hint="it takes target, a label to end at, and discrete",
            )
        if not isinstance(value, types[name]):
            raise UsageError(
                f"--arg {name} is {value!r}",
                code="USAGE",
                hint="as in --arg discrete=true or --arg target=done",
            )
    if options.max_vertices is not None:
        raise UsageError(
            f"{path} is a file and takes no --max-vertices",
            code="USAGE",
            hint="set PHASIC_MAX_VERTICES to read more than 1 million states",
        )
    return interchange.read(path, **arguments)


def _parse_arguments(arguments: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for argument in arguments:
        name, separator, text = argument.partition("=")
        if not separator or not name.isidentifier():
            raise UsageError(
                f"--arg {argument} is not NAME=VALUE",
                code="USAGE",
                hint="as in --arg n=10, --arg n=[3,2] or --arg name=text",
            )
        if name in values:
            raise UsageError(
                f"--arg {name} is given twice", code="USAGE", hint="give each argument once"
            )
        try:
            values[name] = json.loads(text)
        except (ValueError, RecursionError):
            values[name] = text
    return values


class _user_code:
    """What the user's code raises becomes a GraphError that says so and keeps the cause."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, PhasicError):
            raise GraphError(
                f"{self._what} raised {type(error).__name__}: {error}",
                code="MODEL_RAISED",
                hint="the traceback above starts in the model's own code",
            ) from error
        if isinstance(error, SystemExit):
            raise GraphError(
                f"{self._what} called sys.exit",
                code="MODEL_RAISED",
                hint="keep what a script does under `if __name__ == '__main__':`",
            ) from error


def _load_module(place: str) -> ModuleType:
    if place.endswith(".py") or "/" in place:
        return _load_file(Path(place))
    if not all(part.isidentifier() for part in place.split(".")):
        raise GraphError(
            f"{place!r} is neither a Python file nor the name of a module",
            code="MODEL_NOT_FOUND",
            hint="give file.py, file.py:NAME or package.module:NAME",
        )
    # As with `python -m`: modules of the working directory are found.
    if "" not in sys.path:
        sys.path.insert(0, "")
    parents = {".".join(place.split(".")[:k]) for k in range(1, place.count(".") + 2)}
    try:
        with _user_code(f"module {place}"):
            return importlib.import_module(place)
    except GraphError as error:
        cause = error.__cause__
        if isinstance(cause, ModuleNotFoundError) and cause.name in parents:
            raise GraphError(
                f"there is no module {place}",
                code="MODEL_NOT_FOUND",
                hint="give a file as file.py, or a module that Python can import",
            ) from None
        raise


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise GraphError(
            f"there is no file {path}",
            code="MODEL_NOT_FOUND",
            hint="give file.py, file.py:NAME or package.module:NAME",
        )
    # A name of its own: a file model.py must not stand in for a module that it imports.
    name = f"phasic_model_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise GraphError(
            f"{path} is no Python file", code="MODEL_NOT_FOUND", hint="its name must end in .py"
        )
    module = importlib.util.module_from_spec(spec)
    # As with `python file.py`: its neighbours can be imported.
    directory = str(path.resolve().parent)
    if directory not in sys.path:
        sys.path.insert(0, directory)
    sys.modules[name] = module
    with _user_code(str(path)):
        spec.loader.exec_module(module)
    return module


def _only_model(place: str, module: ModuleType) -> str:
    from phasic.graph import Graph

    public = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    names = [name for name, value in public.items() if isinstance(value, Graph)]
    if not names:
        names = [name for name, value in public.items() if _may_be_model(module, value)]
    if not names:
        raise GraphError(
            f"{place} has no model",
            code="MODEL_NONE",
            hint="it needs a callback (one state in, its transitions out), a Graph, or a function"
            " that returns one",
        )
    if len(names) > 1:
        listed = ", ".join(names)
        raise GraphError(
            f"{place} has several models: {listed}",
            code="MODEL_SEVERAL",
            hint=f"name one, as in {place}:{names[0]}",
        )
    return names[0]


def _may_be_model(module: ModuleType, value: object) -> bool:
    if not inspect.isfunction(value) or value.__module__ != module.__name__:
        return False
    return _says_graph(value) or len(_required(value)) <= 1


def _required(function: Callable[..., Any]) -> list[str]:
    """Names of the parameters without a default."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is inspect.Parameter.empty
        and parameter.kind in (*positional, inspect.Parameter.KEYWORD_ONLY)
    ]


def _says_graph(function: Callable[..., Any]) -> bool:
    annotation = inspect.signature(function).return_annotation
    name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return name.strip("'\"").rpartition(".")[2] == "Graph"


def _find(place: str, module: ModuleType, name: str) -> object:
    value: object = module
    for part in name.split("."):
        if not hasattr(value, part):
            near = get_close_matches(part, [n for n in dir(value) if not n.startswith("_")])
            raise GraphError(
                f"{place} has no {name}",
                code="MODEL_NOT_FOUND",
                hint=f"did you mean {' or '.join(near)}?" if near else f"give a name in {place}",
            )
        value = getattr(value, part)
    return value


def _graph_of(what: str, value: object, options: ModelOptions) -> Graph:
    from phasic.graph import Graph

    if isinstance(value, Graph):
        if options.given:
            raise UsageError(
                f"{what} is a Graph and takes no {options.given[0]}",
                code="USAGE",
                hint="make it a function that returns a Graph",
            )
        return value
    if not callable(value) or inspect.isclass(value):
        raise GraphError(
            f"{what} is {_a(type(value).__name__)}, expected a callback, a Graph, or a function"
            " that returns one",
            code="MODEL_NONE",
            hint="a callback takes one state and returns its transitions",
        )
    parameters = inspect.signature(value).parameters
    open_ended = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
    for name in options.arguments:
        if name not in parameters and not open_ended:
            raise UsageError(
                f"{what} takes no argument {name}",
                code="USAGE",
                hint=f"it takes {', '.join(parameters) or 'none'}",
            )
    missing = [name for name in _required(value) if name not in options.arguments]
    is_factory = _says_graph(value) or not missing
    if is_factory:
        _refuse_missing(what, missing)
        return _call_factory(what, value, options)
    _refuse_missing(what, missing[1:])
    extra: dict[str, Any] = {}
    if options.max_vertices is not None:
        extra["max_vertices"] = options.max_vertices
    return Graph(
        callback=value,
        parameterized=True,
        discrete=options.discrete,
        **extra,
        **options.arguments,
    )


def _refuse_missing(what: str, missing: list[str]) -> None:
    if missing:
        raise UsageError(
            f"{what} needs {', '.join(missing)}",
            code="USAGE",
            hint=" ".join(f"--arg {name}=…" for name in missing),
        )


def _call_factory(what: str, function: Callable[..., Any], options: ModelOptions) -> Graph:
    from phasic.graph import Graph

    if options.discrete or options.max_vertices is not None:
        option = "--discrete" if options.discrete else "--max-vertices"
        raise UsageError(
            f"{what} makes its Graph itself and takes no {option}",
            code="USAGE",
            hint="say so where it makes the Graph",
        )
    with _user_code(what):
        graph = function(**options.arguments)
    if not isinstance(graph, Graph):
        raise GraphError(
            f"{what} returned {_a(type(graph).__name__)}, expected a Graph",
            code="MODEL_NONE",
            hint="a callback takes its state as the one parameter without a default",
        )
    return graph


def _a(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
