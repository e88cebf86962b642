"""The examples in docstrings do what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import phasic
from phasic.density import DensityFunctions
from phasic.sampling import SamplingFunctions
from phasic.transforms import TransformFunctions

# Those of models are tried by their own tests; the command line has none.
ELSEWHERE = ("phasic.models", "phasic.cli")
MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(phasic.__path__, "phasic.")
    if not name.startswith(ELSEWHERE) and name != "phasic._native"
]
# Of these something is public, so there are examples.
WITH_EXAMPLES = (
    "phasic.density",
    "phasic.distribution",
    "phasic.epochs",
    "phasic.graph",
    "phasic.moments",
    "phasic.sampling",
    "phasic.transforms",
)


@pytest.mark.parametrize("of", [DensityFunctions, SamplingFunctions, TransformFunctions])
def test_every_function_of_a_distribution_has_an_example(of: type) -> None:
    others = {"ppf", "n_parameters", "discrete"}  # the same as another; what is no function
    public = {name for name in vars(of) if not name.startswith("_")} - others
    assert public
    assert not [name for name in public if ">>>" not in (vars(of)[name].__doc__ or "")]


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.filterwarnings("ignore::phasic.PhasicWarning")
def test_examples(name: str) -> None:
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert failed == 0
    assert tried > 0 or name not in WITH_EXAMPLES
