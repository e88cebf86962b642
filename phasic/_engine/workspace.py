"""Handle of `ptd_workspace`: what one thread needs to evaluate one trace."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import ffi, lib
from .status import Context, check
from .trace import TraceHandle
from .views import pointer, view

Thetas = NDArray[np.float64]
Rewards = NDArray[np.float64] | None


MOST_CENTRAL = int(lib.PTD_MOST_CENTRAL)
"""The highest order of central moments."""


class Options(NamedTuple):
    """What a workspace is made for."""

    max_order: int
    max_rewards: int
    gradient: bool
    n_thetas: int


class OpenedEvaluation(NamedTuple):
    """The eliminated chain at one theta, as `ptd_trace_result` says."""

    rates: NDArray[np.float64]
    start: NDArray[np.int64]
    targets: NDArray[np.int64]
    probabilities: NDArray[np.float64]


def _destroy(_trace: TraceHandle, workspace: Any) -> None:
    # The argument `_trace` keeps the trace alive for as long as its workspace, also when the
    # interpreter tears objects down in any order.
    lib.ptd_workspace_destroy(workspace)


class Workspace:
    """All outputs are given by the caller: C-contiguous float64, one row a theta."""

    def __init__(
        self, trace: TraceHandle, options: Options, instruction_set: str | None = None
    ) -> None:
        name = ffi.new("char[]", instruction_set.encode()) if instruction_set else ffi.NULL
        c_options = ffi.new("ptd_workspace_options *", (*options, name))
        handle, error = ffi.new("ptd_workspace **"), ffi.new("ptd_error *")
        check(lib.ptd_workspace_create(trace.address, c_options, handle, error), error)
        self._pointer = ffi.gc(handle[0], partial(_destroy, trace))
        self._error = error

    @property
    def n_bytes(self) -> int:
        return int(lib.ptd_workspace_bytes(self._pointer))

    @property
    def instruction_set(self) -> str:
        name: str = ffi.string(lib.ptd_workspace_instruction_set(self._pointer)).decode()
        return name

    @property
    def failed_theta(self) -> int:
        """Row of the theta at which the last call failed, -1 where it is not about one."""
        return int(lib.ptd_workspace_failed_theta(self._pointer))

    def moments(
        self,
        thetas: Thetas,
        rewards: Rewards,
        order: int,
        moments: NDArray[Any],
        gradient: NDArray[Any] | None,
    ) -> int:
        return int(
            lib.ptd_moments(
                self._pointer,
                thetas.shape[0],
                pointer(thetas),
                pointer(rewards),
                order,
                pointer(moments),
                pointer(gradient),
                self._error,
            )
        )

    def factorial_moments(
        self, thetas: Thetas, order: int, moments: NDArray[Any], gradient: NDArray[Any] | None
    ) -> int:
        return int(
            lib.ptd_factorial_moments(
                self._pointer,
                thetas.shape[0],
                pointer(thetas),
                order,
                pointer(moments),
                pointer(gradient),
                self._error,
            )
        )

    def vertex_moments(
        self,
        thetas: Thetas,
        rewards: Rewards,
        order: int,
        moments: NDArray[Any],
        gradient: NDArray[Any] | None,
    ) -> int:
        return int(
            lib.ptd_vertex_moments(
                self._pointer,
                thetas.shape[0],
                pointer(thetas),
                pointer(rewards),
                order,
                pointer(moments),
                pointer(gradient),
                self._error,
            )
        )

    def joint_moments(
        self,
        thetas: Thetas,
        rewards: NDArray[Any],
        powers: NDArray[np.int32],
        moments: NDArray[Any],
        gradient: NDArray[Any] | None,
    ) -> int:
        return int(
            lib.ptd_joint_moments(
                self._pointer,
                thetas.shape[0],
                pointer(thetas),
                rewards.shape[0],
                pointer(rewards),
                pointer(powers),
                pointer(moments),
                pointer(gradient),
                self._error,
            )
        )

    def central_moments(
        self,
        thetas: Thetas,
        rewards: Rewards,
        order: int,
        moments: NDArray[Any],
        bounds: NDArray[Any],
        gradient: NDArray[Any] | None,
    ) -> int:
        return int(
            lib.ptd_central_moments(
                self._pointer,
                thetas.shape[0],
                pointer(thetas),
                pointer(rewards),
                order,
                pointer(moments),
                pointer(bounds),
                pointer(gradient),
                self._error,
            )
        )

    def moment_hessians(
        self, thetas: Thetas, rewards: Rewards, order: int, hessians: NDArray[Any]
    ) -> int:
        return int(
            lib.ptd_moment_hessians(
                self._pointer,
                thetas.shape[0],
                pointer(thetas),
                pointer(rewards),
                order,
                pointer(hessians),
                self._error,
            )
        )

    def covariances(
        self,
        thetas: Thetas,
        rewards: NDArray[Any],
        means: NDArray[Any],
        covariances: NDArray[Any],
        mean_gradients: NDArray[Any] | None,
        covariance_gradients: NDArray[Any] | None,
    ) -> int:
        return int(
            lib.ptd_covariances(
                self._pointer,
                thetas.shape[0],
                pointer(thetas),
                rewards.shape[0],
                pointer(rewards),
                pointer(means),
                pointer(covariances),
                pointer(mean_gradients),
                pointer(covariance_gradients),
                self._error,
            )
        )

    def expected_sojourn(self, thetas: Thetas, sojourn: NDArray[Any]) -> int:
        return int(
            lib.ptd_expected_sojourn(
                self._pointer, thetas.shape[0], pointer(thetas), pointer(sojourn), self._error
            )
        )

    def absorption_probabilities(
        self,
        thetas: Thetas,
        targets: NDArray[np.int64],
        probabilities: NDArray[Any],
        gradient: NDArray[Any] | None,
    ) -> int:
        return int(
            lib.ptd_absorption_probabilities(
                self._pointer,
                thetas.shape[0],
                pointer(thetas),
                targets.shape[0],
                pointer(targets),
                pointer(probabilities),
                pointer(gradient),
                self._error,
            )
        )

    def defect(self, thetas: Thetas, rewards: Rewards, defect: NDArray[Any]) -> int:
        return int(
            lib.ptd_defect(
                self._pointer,
                thetas.shape[0],
                pointer(thetas),
                pointer(rewards),
                pointer(defect),
                self._error,
            )
        )

    def transform(
        self,
        thetas: Thetas,
        shifts: NDArray[Any],
        values: NDArray[Any],
        gradient: NDArray[Any] | None,
    ) -> int:
        return int(
            lib.ptd_transform(
                self._pointer,
                thetas.shape[0],
                pointer(thetas),
                shifts.shape[0],
                pointer(shifts),
                pointer(values),
                pointer(gradient),
                self._error,
            )
        )

    def opened(self, theta: Thetas, context: Context) -> OpenedEvaluation:
        """The eliminated chain at one theta (n_parameters,)."""
        result = ffi.new("ptd_trace_result **")
        status = lib.ptd_evaluate_trace(self._pointer, pointer(theta), result, self._error)
        self.check(status, context)
        owned = ffi.gc(result[0], lib.ptd_trace_result_destroy)
        n, k = int(owned.n_vertices), int(owned.n_targets)
        return OpenedEvaluation(
            view(owned.rates, n, np.float64, owned),
            view(owned.start, n + 1, np.int64, owned),
            view(owned.targets, k, np.int64, owned),
            view(owned.probabilities, k, np.float64, owned),
        )

    def check(self, status: int, context: Context) -> None:
        """Raises for a status that a call of this workspace returned."""
        check(status, self._error, context)
