"""Systems of components that fail and are repaired, until the system fails.

Barlow, R. E. & Proschan, F. (1975). Statistical Theory of Reliability and Life Testing. Holt,
Rinehart and Winston, chapter 7. Trivedi, K. S. (2001). Probability and Statistics with Reliability,
Queuing, and Computer Science Applications, 2nd edition, section 8.5. Wiley.
"""

from __future__ import annotations

from phasic.declared import Process, Transition
from phasic.errors import GraphError
from phasic.graph import Graph
from phasic.models._rule import chain, whole_number

_REPAIR = Transition("repair", {"failed": -1}, rate="repair * min(failed, repairers)")


def k_out_of_n(n: int, k: int, *, repairers: int = 1) -> Graph:
    """The life of a system of n components, all at work, that works while at least k of them do.

    Args:
        n: components, at least 1.
        k: those that are needed, from 1 to n.
        repairers: failed components that are repaired at once, 0 or more.

    theta: the failure rate of a component; the repair rate of one repairer.
    States: `(failed,)`; n - k + 1 is absorbing.

    Without repair the mean is (1/n + … + 1/k) / failure.

    Raises:
        GraphError: no whole numbers, or k beyond n.

    Example:
        >>> graph = k_out_of_n(2, 1)
        >>> round(graph.at([1.0, 5.0]).mean(), 12)
        4.0
    """
    n, k = whole_number("n", n, 1), whole_number("k", k, 1)
    if k > n:
        raise GraphError(
            f"k is {k}, more than the {n} components",
            code="MODEL_ARGUMENT",
            hint="pass k from 1 to n",
        )
    process = Process(
        variables=["failed"],
        parameters=["failure", "repair"],
        transitions=[
            Transition("failure", {"failed": +1}, rate="failure * (n - failed)"),
            _REPAIR,
        ],
        constants={"n": n, "k": k, "repairers": whole_number("repairers", repairers, 0)},
        absorbing="n - failed < k",
    )
    return process.graph(start={"failed": 0}, known_states=chain(0, n - k + 1))


def standby(units: int, *, repairers: int = 1) -> Graph:
    """The life of a system with one unit at work and others that stand by to replace it.

    Args:
        units: those there are in all, at least 1.
        repairers: failed units that are repaired at once, 0 or more.

    theta: the failure rate of the unit at work; that of one standing by (0: cold standby); the
    repair rate of one repairer.
    States: `(failed,)`; all of them failed is absorbing.

    Cold standby without repair is the sum of the units' lives. Two units in cold standby have the
    mean (2 failure + repair) / failure².

    Raises:
        GraphError: no whole numbers.

    Example:
        >>> graph = standby(2)
        >>> round(graph.at([1.0, 0.0, 5.0]).mean(), 12)
        7.0
    """
    units = whole_number("units", units, 1)
    process = Process(
        variables=["failed"],
        parameters=["failure", "standby_failure", "repair"],
        transitions=[
            Transition(
                "failure",
                {"failed": +1},
                rate="failure + standby_failure * (units - failed - 1)",
            ),
            _REPAIR,
        ],
        constants={"units": units, "repairers": whole_number("repairers", repairers, 0)},
        absorbing="failed == units",
    )
    return process.graph(start={"failed": 0}, known_states=chain(0, units))
