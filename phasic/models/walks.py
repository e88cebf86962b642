"""Classical chains in discrete time.

Feller, W. (1968). An Introduction to Probability Theory and Its Applications, volume 1, 3rd
edition: the gambler's ruin in chapter XIV, collecting in section IX.3. Wiley.
"""

from __future__ import annotations

from phasic.declared import Process, Transition
from phasic.errors import GraphError
from phasic.graph import Graph
from phasic.models._rule import chain, whole_number


def gamblers_ruin(capital: int, target: int) -> Graph:
    """The number of games until a gambler has nothing left or has reached a target.

    Args:
        capital: units of money at first, from 1 to target - 1.
        target: units at which the gambler stops, at least 2.

    theta: the probabilities of winning and of losing one unit; what they lack to 1 is a draw.
    States: `(capital,)`; 0 and the target are absorbing, and `absorption_probabilities` says how
    often each.

    With probabilities p and q = 1 - p, r = q / p and capital z of a the ruin has the probability
    (r^a - r^z) / (r^a - 1), and the mean is z / (q - p) - a / (q - p) (1 - r^z) / (1 - r^a); if
    p = q they are 1 - z / a and z (a - z).

    Raises:
        GraphError: no whole numbers, or capital not below the target.

    Example:
        >>> graph = gamblers_ruin(3, 10)
        >>> round(graph.at([0.5, 0.5]).mean(), 12)
        21.0
    """
    capital, target = whole_number("capital", capital, 1), whole_number("target", target, 2)
    if capital >= target:
        raise GraphError(
            f"capital is {capital}, not below the target of {target}",
            code="MODEL_ARGUMENT",
            hint="pass capital from 1 to target - 1",
        )
    process = Process(
        variables=["capital"],
        parameters=["win", "lose"],
        transitions=[
            Transition("win", {"capital": +1}, rate="win"),
            Transition("loss", {"capital": -1}, rate="lose"),
        ],
        constants={"target": target},
        absorbing="capital == 0 or capital == target",
        discrete=True,
    )
    return process.graph(start={"capital": capital}, known_states=chain(0, target))


def coupon_collector(coupons: int) -> Graph:
    """The number of coupons bought until there is one of each kind.

    Args:
        coupons: kinds, n, equally frequent, at least 1.

    theta: none.
    States: `(missing,)`; 0 is absorbing.

    The mean is n (1 + 1/2 + … + 1/n).

    Raises:
        GraphError: coupons is no whole number of at least 1.

    Example:
        >>> graph = coupon_collector(4)
        >>> round(graph.at([]).mean(), 12)
        8.333333333333
    """
    coupons = whole_number("coupons", coupons, 1)
    process = Process(
        variables=["missing"],
        parameters=[],
        transitions=[Transition("a new one", {"missing": -1}, rate="missing / n")],
        constants={"n": coupons},
        discrete=True,
    )
    return process.graph(start={"missing": coupons}, known_states=chain(0, coupons))
