"""A named transition: what changes, how fast, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Transition:
    """One kind of event.

    Attributes:
        name: for messages.
        change: what it adds to which variables, whole numbers; the others stay.
        rate: a formula, linear in the parameters (discrete: the probability of a step).
        when: a formula without parameters; the transition exists where it is not 0.

    Example:
        >>> Transition("infection", {"S": -1, "I": +1}, rate="beta * S * I / N").change["I"]
        1
    """

    name: str
    change: Mapping[str, int]
    rate: str
    when: str = "1"
