"""Executables that outlive their process: written by one, loaded by another.

stored.py write FILE     compiles, stores the executable, prints its answer
stored.py load FILE      with the model built: runs the stored executable, prints its answer
stored.py orphan FILE    without the model: prints the error
stored.py compile        compiles with JAX's persistent cache (JAX_COMPILATION_CACHE_DIR), prints
                         its answer, and how often the cache was hit
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.experimental import serialize_executable

jax.config.update("jax_enable_x64", True)

from rules import queue_graph  # noqa: E402

TIMES = np.array([0.5, 1.5])
THETA = np.array([0.7, 1.9])


def function() -> Any:
    model = queue_graph(4).pmf_from_graph()
    return jax.jit(jax.value_and_grad(lambda theta: model.logpdf(theta, TIMES).sum()))


def say(answer: Any) -> None:
    value, slope = answer
    print(json.dumps([float(value), np.asarray(slope).tolist()]))


def trees() -> tuple[Any, Any]:
    ins = jax.tree.structure(((THETA,), {}))
    outs = jax.tree.structure((0.0, 0.0))
    return ins, outs


def main(what: str, *arguments: str) -> None:
    if what == "write":
        compiled = function().lower(THETA).compile()
        data, _, _ = serialize_executable.serialize(compiled)
        Path(arguments[0]).write_bytes(data)
        say(compiled(THETA))
    elif what in ("load", "orphan"):
        model = function() if what == "load" else None
        if what == "orphan":
            from phasic.jax.targets import register

            register()
        try:
            loaded = serialize_executable.deserialize_and_load(
                Path(arguments[0]).read_bytes(), *trees()
            )
            say(loaded(THETA))
        except jax.errors.JaxRuntimeError as error:
            print(json.dumps(str(error)))
        del model
    else:
        hits: list[str] = []
        jax.monitoring.register_event_listener(
            lambda event, **_: hits.append(event) if "cache_hit" in event else None
        )
        say(function()(THETA))
        print(len(hits))


if __name__ == "__main__":
    main(*sys.argv[1:])
