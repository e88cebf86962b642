"""What importing loads, and how long it takes."""

from __future__ import annotations

import subprocess
import sys

import pytest

import phasic

HEAVY = {"numpy", "jax", "jaxlib", "optax", "typer", "rich", "msgpack"}


def loaded_by(statement: str) -> set[str]:
    script = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stdout.split()) & HEAVY


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("import phasic", set()),
        ("import phasic.config, phasic.errors", set()),
        ("from phasic.trace_cache import get_cache_info; get_cache_info()", set()),
        ("from phasic import Graph, EliminationTrace, Distribution", {"numpy"}),
        ("import phasic.models, phasic.trace_serialization, phasic.hash", {"numpy"}),
        ("from phasic import SVGD", {"numpy", "jax", "jaxlib", "optax"}),
    ],
)
def test_importing_loads_no_more_than_it_needs(statement: str, allowed: set[str]) -> None:
    assert loaded_by(statement) == allowed


def test_the_instrument_fires() -> None:
    assert loaded_by("import numpy, msgpack") == {"numpy", "msgpack"}


def test_every_public_name_is_there() -> None:
    for name in phasic.__all__:
        assert getattr(phasic, name) is not None
    assert set(phasic.__all__) <= set(dir(phasic))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = phasic.nothing
