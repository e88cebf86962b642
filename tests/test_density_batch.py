"""Functions of times at many thetas: the bits of one theta at a time, for any number of threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jax_models import EXAMPLES, Example
from phasic import NumericError

PLAIN = {name: example for name, example in EXAMPLES.items() if example.times.ndim == 1}


@pytest.mark.parametrize("example", PLAIN.values(), ids=PLAIN.keys())
@pytest.mark.parametrize("function", ["pdf", "logcdf", "sf"])
def test_each_theta_as_by_itself(example: Example, function: str) -> None:
    graph = example.graph
    thetas = example.theta * np.linspace(0.6, 1.3, 9)[:, np.newaxis]
    name = function.replace("pdf", "pmf") if graph.discrete else function
    grid = np.stack([example.times, example.times + 1.0])
    found = [
        graph.compute_trace().density(
            thetas, grid, name, example.rewards, hessian=True, threads=threads
        )
        for threads in (1, 3)
    ]
    for one, other in zip(*found, strict=True):
        assert np.array_equal(one, other)
    for row, theta in enumerate(thetas):
        expected = getattr(graph.at(theta), name)(grid, rewards=example.rewards, hessian=True)
        for part, alone in zip(found[0], expected, strict=True):
            np.testing.assert_allclose(part[row], alone, rtol=1e-14, atol=1e-300)
        assert np.array_equal(found[0][0][row], expected[0])


def test_shapes_and_what_is_refused() -> None:
    trace = EXAMPLES["two parameters"].graph.compute_trace()
    thetas = np.ones((3, 2))
    assert trace.density(thetas, 1.0).shape == (3,)
    values, slope = trace.density(thetas, np.ones((2, 0)), gradient=True)
    assert (values.shape, slope.shape) == ((3, 2, 0), (3, 2, 0, 2))
    assert trace.density(np.ones((0, 2)), [1.0]).shape == (0, 1)
    refused: list[tuple[Any, str]] = [
        (lambda: trace.density(thetas, 1.0, "pmf"), "FUNCTION_UNKNOWN"),
        (lambda: trace.density(thetas, 1.0, "hazard"), "FUNCTION_UNKNOWN"),
        (lambda: trace.density(thetas, np.nan), "TIME_NAN"),
        (lambda: trace.density(np.ones((3, 1)), 1.0), "THETA_LENGTH"),
        (lambda: trace.density(thetas, 1.0, method="guess"), "METHOD_UNKNOWN"),
    ]
    for run, code in refused:
        with pytest.raises(NumericError) as raised:
            run()
        assert raised.value.code == code
    with pytest.raises(NumericError, match=r"\(row 1\)"):
        trace.density([[1.0, 1.0], [-1.0, 1.0]], 1.0)
