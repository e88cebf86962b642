"""The engines that the tests compare, behind one protocol.

Theta, rewards and vertices are those of `reference.model.Model`: one reward a vertex, the start not
counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from reference.engine import ReferenceTrace
from reference.model import Model

Theta = Sequence[float]
Rewards = Sequence[float] | None


class Evaluator(Protocol):
    """A recorded model. Gradients have a parameter axis behind and are None where not asked for."""

    def moments(
        self, theta: Theta, order: int, rewards: Rewards = None, gradient: bool = False
    ) -> tuple[Any, Any]: ...

    def covariances(
        self, theta: Theta, rewards: Sequence[Rewards], gradient: bool = False
    ) -> tuple[Any, Any, Any, Any]: ...

    def sojourn(self, theta: Theta) -> Any: ...

    def absorption(
        self, theta: Theta, vertices: Sequence[int], gradient: bool = False
    ) -> tuple[Any, Any]: ...

    def defect(self, theta: Theta, rewards: Rewards = None) -> float: ...


ENGINES: dict[str, Callable[[Model], Evaluator]] = {"python": ReferenceTrace}
