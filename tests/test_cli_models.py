"""What the command line takes as a model, and what it says of what is none."""

from __future__ import annotations

import textwrap

import pytest

from cli_runner import phasic
from phasic.cli.errors import UsageError
from phasic.cli.exit_codes import ExitCode
from phasic.cli.model_source import ModelOptions, load_model
from phasic.errors import GraphError

CALLBACK = """
def model(state, nr_samples=4):
    if state.size == 0:
        return [([nr_samples], 1.0, [0.0])]
    k = int(state[0])
    if k == 1:
        return []
    return [([k - 1], 0.0, [k * (k - 1) / 2])]
"""

FACTORY = """
from phasic import Graph
from phasic.models import coalescent

def build(n=3) -> Graph:
    return coalescent.kingman(n)
"""

GRAPH = """
from phasic.models import coalescent

graph = coalescent.kingman(6)
"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def model_file(tmp_path):
    def write(text: str, name: str = "model.py") -> str:
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return str(path)

    return write


def load(text, *arguments, max_vertices=None, discrete=False):
    return load_model(text, ModelOptions.of(list(arguments), max_vertices, discrete))


def mean(graph):
    return graph.at([1.0]).moments(1)[0]


def kingman_mean(n):
    return pytest.approx(2 * (1 - 1 / n), rel=1e-14)


# -- what is a model


def test_a_callback(model_file):
    assert mean(load(model_file(CALLBACK))) == kingman_mean(4)


def test_a_callback_with_an_argument(model_file):
    assert mean(load(model_file(CALLBACK), "nr_samples=9")) == kingman_mean(9)


def test_a_factory(model_file):
    path = model_file(FACTORY)
    assert mean(load(path)) == kingman_mean(3)
    assert mean(load(f"{path}:build", "n=7")) == kingman_mean(7)


def test_a_factory_that_does_not_say_so(model_file):
    path = model_file(FACTORY.replace(" -> Graph", ""))
    assert mean(load(path, "n=5")) == kingman_mean(5)


def test_a_graph(model_file):
    assert mean(load(model_file(GRAPH))) == kingman_mean(6)


def test_a_graph_comes_before_what_it_was_made_of(model_file):
    assert mean(load(model_file(CALLBACK + GRAPH))) == kingman_mean(6)


def test_a_shipped_model():
    graph = load("phasic.models.coalescent:site_frequency", "n=5")
    assert mean(graph) == kingman_mean(5)


def test_a_list_as_argument():
    graph = load("phasic.models.structured:migration", "n=[1,1]")
    assert graph.at([1.0, 0.5]).moments(1)[0] == pytest.approx(3.0, rel=1e-14)


def test_a_module_of_the_working_directory(model_file, tmp_path, monkeypatch):
    model_file(GRAPH, "my_own_module.py")
    monkeypatch.chdir(tmp_path)
    assert mean(load("my_own_module:graph")) == kingman_mean(6)


def test_a_model_imports_its_neighbours(model_file):
    model_file("N = 8", "neighbour_of_the_model.py")
    path = model_file(
        "from neighbour_of_the_model import N\nfrom phasic.models import coalescent\n"
        "graph = coalescent.kingman(N)\n"
    )
    assert mean(load(path)) == kingman_mean(8)


def test_what_a_model_prints_is_no_result(model_file):
    path = model_file("print('loading')\n" + CALLBACK.replace("k = int", "print(state); k = int"))
    outcome = phasic("record", path)
    assert len(outcome.out.splitlines()) == 1
    assert "loading" in outcome.err
    assert "[4]" in outcome.err


def test_private_and_imported_functions_are_no_models(model_file):
    path = model_file("from os.path import join\n\ndef _helper(x):\n    return x\n" + CALLBACK)
    assert mean(load(path)) == kingman_mean(4)


# -- what is none


def refusal(*arguments, **options):
    with pytest.raises((GraphError, UsageError)) as raised:
        load(*arguments, **options).at([1.0])
    assert raised.value.hint
    return raised.value


def test_no_file(tmp_path):
    error = refusal(str(tmp_path / "nothing.py"))
    assert error.code == "MODEL_NOT_FOUND"
    assert "nothing.py" in error.message


def test_no_module():
    assert refusal("phasic.models.no_such:thing").code == "MODEL_NOT_FOUND"
    assert refusal("no_such_package_anywhere:thing").code == "MODEL_NOT_FOUND"


def test_no_name_and_a_near_one():
    error = refusal("phasic.models.coalescent:kingmann")
    assert error.code == "MODEL_NOT_FOUND"
    assert "kingman" in error.hint


def test_a_module_that_lacks_a_module_is_not_a_module_that_lacks(model_file):
    error = refusal(model_file("import no_such_package_anywhere"))
    assert error.code == "MODEL_RAISED"
    assert "no_such_package_anywhere" in error.message


def test_no_model(model_file):
    error = refusal(model_file("x = 1\ndef helper(a, b):\n    return a\n"))
    assert error.code == "MODEL_NONE"


def test_several_models_are_listed(model_file):
    path = model_file("def one(state):\n    return []\n\ndef two(state):\n    return []\n")
    error = refusal(path)
    assert error.code == "MODEL_SEVERAL"
    assert error.message.endswith("has several models: one, two")
    assert f"{path}:one" in error.hint


def test_a_name_that_is_no_model(model_file):
    path = model_file("x = 1\nclass Thing:\n    pass\n")
    assert refusal(f"{path}:x").code == "MODEL_NONE"
    assert refusal(f"{path}:Thing").code == "MODEL_NONE"


def test_a_function_that_returns_something_else(model_file):
    error = refusal(model_file("def build():\n    return 3\n"))
    assert error.code == "MODEL_NONE"
    assert "returned an int" in error.message


def test_a_file_that_raises(model_file):
    error = refusal(model_file("raise ValueError('no luck')"))
    assert error.code == "MODEL_RAISED"
    assert "ValueError: no luck" in error.message


def test_a_file_with_a_syntax_error(model_file):
    assert refusal(model_file("def model(:\n")).code == "MODEL_RAISED"


def test_a_file_that_exits(model_file):
    assert refusal(model_file("import sys\nsys.exit(0)\n")).code == "MODEL_RAISED"


def test_a_factory_that_raises(model_file):
    error = refusal(model_file("def build():\n    return 1 / 0\n"))
    assert error.code == "MODEL_RAISED"
    assert "ZeroDivisionError" in error.message


def test_arguments_that_a_model_does_not_take(model_file):
    path = model_file(CALLBACK)
    error = refusal(path, "samples=3")
    assert isinstance(error, UsageError)
    assert "nr_samples" in error.hint
    assert isinstance(refusal(model_file(GRAPH, "graph.py"), "n=3"), UsageError)


def test_arguments_that_a_model_needs():
    error = refusal("phasic.models.coalescent:kingman")
    assert isinstance(error, UsageError)
    assert "--arg n=" in error.hint


def test_options_of_callbacks_only(model_file):
    assert isinstance(refusal(model_file(FACTORY), discrete=True), UsageError)


# -- the same through the program: exit code, code, hint


BAD_MODELS = {
    "raises": ("def model(state):\n    raise KeyError('rate')\n", "KeyError"),
    "nonsense": ("def model(state):\n    return 7\n", ""),
    "nan": (
        "def model(state):\n"
        "    if state.size == 0:\n        return [([1], 1.0, [0.0])]\n"
        "    return [] if state[0] == 0 else [([0], float('nan'), [1.0])]\n",
        "",
    ),
    "negative": (
        "def model(state):\n"
        "    if state.size == 0:\n        return [([1], 1.0, [0.0])]\n"
        "    return [] if state[0] == 0 else [([0], -1.0, [0.0])]\n",
        "negative",
    ),
    "no start": ("def model(state):\n    return []\n", ""),
    "no absorption": (
        "def model(state):\n"
        "    if state.size == 0:\n        return [([1], 1.0, [0.0])]\n"
        "    return [([3 - state[0]], 0.0, [1.0])]\n",
        "cannot reach",
    ),
    "state length": (
        "def model(state):\n"
        "    if state.size == 0:\n        return [([1], 1.0, [0.0])]\n"
        "    return [([1, 2], 0.0, [1.0])]\n",
        "",
    ),
    "coefficients": (
        "def model(state):\n"
        "    if state.size == 0:\n        return [([2], 1.0, [0.0])]\n"
        "    k = state[0]\n"
        "    return [([k - 1], 0.0, [1.0] * int(k))] if k else []\n",
        "",
    ),
}


@pytest.mark.parametrize("name", BAD_MODELS)
def test_bad_models_exit_1_and_leave_nothing_behind(name, model_file, tmp_path):
    text, said = BAD_MODELS[name]
    outcome = phasic("record", model_file(text), "--json")
    assert outcome.code == ExitCode.NO, outcome.err
    error = outcome.envelope["error"]
    assert error["code"].isupper()
    assert said in error["message"]
    assert f"error[{error['code']}]: " in outcome.err
    assert not (tmp_path / "cache").exists()


def test_what_the_model_raised_is_shown_from_its_own_first_line(model_file):
    outcome = phasic("record", model_file(BAD_MODELS["raises"][0]))
    assert "raise KeyError('rate')" in outcome.err
    assert "model_source.py" not in outcome.err
    assert "exec_module" not in outcome.err
    lines = outcome.err.splitlines()
    assert any(line.startswith("error[") for line in lines)


def test_an_infinite_rule_ends_at_its_bound(model_file):
    path = model_file(
        "def model(state):\n"
        "    k = 0 if state.size == 0 else int(state[0])\n"
        "    return [([k + 1], 1.0, [0.0])]\n"
    )
    outcome = phasic("record", path, "--max-vertices", "500")
    assert outcome.code == ExitCode.NO
    assert "FATAL: trace" in outcome.err
    assert "500" in outcome.err
    assert "hint:" in outcome.err


def test_missing_models_exit_1(tmp_path):
    outcome = phasic("record", str(tmp_path / "none.py"), "--json")
    assert outcome.code == ExitCode.NO
    assert outcome.envelope["error"]["code"] == "MODEL_NOT_FOUND"
