"""The coalescent with a seed bank: lineages fall dormant and wake, and merge only while active.

Blath, J., González Casanova, A., Kurt, N. & Wilke-Berenguer, M. (2016). A new coalescent for
seed-bank models. Annals of Applied Probability 26, 857-891.
"""

from __future__ import annotations

from phasic.declared import Process, Transition
from phasic.errors import GraphError
from phasic.graph import Graph
from phasic.models._rule import whole_number

_PROCESS = Process(
    variables=["active", "dormant"],
    parameters=["coalescence", "dormancy", "waking"],
    transitions=[
        Transition("coalescence", {"active": -1}, rate="coalescence * choose(active, 2)"),
        Transition("falling dormant", {"active": -1, "dormant": +1}, rate="dormancy * active"),
        Transition("waking", {"active": +1, "dormant": -1}, rate="waking * dormant"),
    ],
    absorbing="active + dormant == 1",
)


def seed_bank(active: int, dormant: int = 0) -> Graph:
    """The seed-bank coalescent by the numbers of active and of dormant lineages.

    Args:
        active: active lineages sampled.
        dormant: dormant lineages sampled; 2 or more in all.

    theta: the coalescence rate of a pair of active lineages; the rate at which an active lineage
    falls dormant; the rate at which a dormant one wakes.
    States: `(active, dormant)`; those with one lineage are absorbing.

    Two active lineages meet after (1 + dormancy / waking)² on average, however slow the exchange.

    Raises:
        GraphError: no whole numbers, or fewer than two lineages.

    Example:
        >>> graph = seed_bank(2)
        >>> round(graph.at([1.0, 0.5, 0.25]).mean(), 12)
        9.0
    """
    active = whole_number("active", active, 0)
    dormant = whole_number("dormant", dormant, 0)
    if active + dormant < 2:
        raise GraphError(
            f"{active} active and {dormant} dormant lineages, expected 2 or more in all",
            code="MODEL_ARGUMENT",
            hint="pass active=2 or more",
        )
    return _PROCESS.graph(start={"active": active, "dormant": dormant})
