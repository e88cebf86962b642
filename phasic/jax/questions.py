"""What executables ask the engine: plain, hashable values that name a trace by its key."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._engine.xla import Registration


class Trace(NamedTuple):
    """What names a trace, and what is to be known of it.

    Attributes:
        registration: lets executables find the trace by its key. Programs keep it by way of this,
            so that a model may be dropped before what was traced of it is compiled.
    """

    registration: Registration
    n_parameters: int
    discrete: bool


class Density(NamedTuple):
    """A function of the density family of a trace: operands theta, times, rewards.

    Attributes:
        function, method: the engine's numbers.
        logarithm: of the function, instead of it.
        tolerance: relative error that is accepted.
        no_slope: why there is no derivative of the density in times, or "".
    """

    trace: Trace
    function: int
    logarithm: bool
    method: int
    tolerance: float
    no_slope: str

    @property
    def target(self) -> str:
        """The name of the custom call."""
        return "phasic_density"

    def length(self, operands: Any) -> int:
        """Numbers in a row of the answer."""
        return int(operands[1].shape[-1])

    def attributes(self) -> dict[str, Any]:
        """What the handler reads beside its operands."""
        return {
            "function": np.int64(self.function),
            "logarithm": np.int64(self.logarithm),
            "method": np.int64(self.method),
            "tolerance": np.float64(self.tolerance),
        }


class Moments(NamedTuple):
    """E[Y], .., E[Y^n_moments] of a trace: operands theta, rewards."""

    trace: Trace
    n_moments: int

    @property
    def target(self) -> str:
        """The name of the custom call."""
        return "phasic_moments"

    def length(self, operands: Any) -> int:
        """Numbers in a row of the answer."""
        return self.n_moments

    def attributes(self) -> dict[str, Any]:
        """What the handler reads beside its operands."""
        return {"n_moments": np.int64(self.n_moments)}


Question = Density | Moments
