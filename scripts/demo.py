"""What `scripts/demo` runs: records a model, prints its moments, finds it in the cache."""

from __future__ import annotations

from time import perf_counter

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from phasic.models import structured
from phasic.trace_elimination import EliminationTrace

LINEAGES, DEMES = 40, 3
MIGRATION_RATES = (0.01, 0.1, 1.0, 10.0)


def main() -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        f"The structured coalescent: {LINEAGES} lineages in {DEMES} demes, until their common"
        " ancestor"
    )
    trace, first = trace_and_seconds()
    console.print(
        f"  {trace.n_vertices:,} vertices, {trace.statistics()['n_edges']:,} edges,"
        f" {trace.statistics()['multiply_adds']:,} multiply-adds, {trace.n_bytes:,} bytes\n"
    )
    console.print(moments(trace))
    again, second = trace_and_seconds()
    assert again == trace
    console.print()
    console.print(f"Trace recorded and kept: {first * 1000:8.1f} ms")
    console.print(f"Found in the cache:      {second * 1000:8.1f} ms")
    console.print(f"Saved:                   {(first - second) * 1000:8.1f} ms", style="bold")
    console.print(
        f"\nThe same from the shell:\n  phasic evaluate phasic.models.structured:migration"
        f" --arg n={LINEAGES} --arg demes={DEMES} --theta 1.0,0.1"
    )


def trace_and_seconds() -> tuple[EliminationTrace, float]:
    """The trace of the model and the time that it took once the states were explored."""
    graph = structured.migration(LINEAGES, DEMES)
    graph.states()
    began = perf_counter()
    trace = graph.compute_trace()
    return trace, perf_counter() - began


def moments(trace: EliminationTrace) -> Table:
    """Moments for some migration rates, and how the mean changes with each rate."""
    thetas = np.array([[1.0, rate] for rate in MIGRATION_RATES])
    values, slopes = trace.moments(thetas, 4, gradient=True)
    headings = ("migration m", "E[T]", "E[T²]", "E[T³]", "E[T⁴]", "dE[T]/dm")
    table = Table(box=box.SIMPLE_HEAD)
    for heading in headings:
        table.add_column(heading, justify="right")
    for rate, row, slope in zip(MIGRATION_RATES, values, slopes, strict=True):
        table.add_row(*(f"{number:.7g}" for number in (rate, *row, slope[0, 1])))
    return table


if __name__ == "__main__":
    main()
