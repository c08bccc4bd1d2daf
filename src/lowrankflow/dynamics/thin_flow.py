"""Thin balanced factors in motion: adaptive steps, and what the gradient adds up to."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lowrankflow.dynamics.contract import OVERFLOW
from lowrankflow.dynamics.stabilized_host import (
    Flat,
    host_error,
    host_radius,
    host_stable_step,
    host_stages,
    host_step,
)
from lowrankflow.dynamics.thin_factors import Cores, ThinFactors, balanced_thin
from lowrankflow.dynamics.thin_pull import AbstractPull, Cols, Rows, Weights

_SAFETY = 1.15
_REFRESH = 8
_TINY = 1e-300


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What came of a step that was tried.

    Args:
        step: its length.
        accepted: whether the factors have moved.
        lands: whether it was cut to end at a given time.
        broken: whether it left the finite numbers; the factors have not moved then.
    """

    step: float
    accepted: bool
    lands: bool
    broken: bool


class ThinFlow:
    """The gradient flow of thin factors, and the integral of its gradient.

    Args:
        pull: the gradient.
        depth: N >= 2.
        is_mirrored: whether left and right factor are one.
        rtol: error allowed per step, relative to each hidden unit's size.
        atol: the same in units of `unit_size`.
        unit_size: of a hidden unit at the start.
        gamma: weights of the integral so far; changed in place.

    Exactness: order 2 in the step, factors and integral.
    """

    def __init__(
        self,
        pull: AbstractPull,
        depth: int,
        *,
        is_mirrored: bool,
        rtol: float,
        atol: float,
        unit_size: float,
        gamma: Weights,
    ):
        self.pull, self.depth, self.is_mirrored = pull, depth, is_mirrored
        self.gamma = gamma
        self.radius, self.step = 0.0, 0.0
        self.direction: Flat = np.zeros(0, pull.dtype)
        self.evaluations = 0
        self.weights = np.empty(pull.num_weights, pull.dtype)
        self._scratch = np.empty_like(self.weights)
        self._rtol, self._floor = rtol, atol * unit_size

    def place(self, left: Rows, cores: Cores, right: Cols) -> None:
        """Put the factors there."""
        self.thin = ThinFactors(
            pull=self.pull,
            depth=self.depth,
            rank=left.shape[1],
            is_mirrored=self.is_mirrored,
        )
        self.point = self.thin.joined(left, cores, right)
        self.slope, self.loss = self._evaluated(self.point, self.weights)

    def become(self, left: Rows, values: Float[np.ndarray, " r"], right: Cols) -> None:
        """Balanced factors of left diag(values) right', a hidden unit for each value.

        Args:
            left: orthonormal columns.
            values: > 0.
            right: orthonormal columns.
        """
        order = np.argsort(-values, kind="stable")
        dtype = self.pull.dtype
        sides = (side[:, order].astype(dtype) for side in (left, right))
        left, right = sides
        self._restart(*balanced_thin(left, values[order], right, self.depth))

    def turn(self, left: Rows, values: Float[np.ndarray, " r"], right: Cols) -> None:
        """The same units in slightly other directions, values descending."""
        dtype = self.pull.dtype
        sides = left.astype(dtype), right.astype(dtype)
        self.place(*balanced_thin(sides[0], values, sides[1], self.depth))

    def join(self, left: Rows, right: Cols) -> None:
        """More hidden units, at depth 2: columns of both factors."""
        assert self.depth == 2
        before, cores, other = self.factors
        dtype = self.pull.dtype
        left = np.concatenate([before, left.astype(dtype)], axis=1)
        right = np.concatenate([other, right.astype(dtype)], axis=1)
        cores = np.zeros((0, left.shape[1], left.shape[1]), dtype)
        self._restart(left, cores, right)

    def _restart(self, left: Rows, cores: Cores, right: Cols) -> None:
        self.place(left, cores, right)
        # The places of the units have changed, and so has the fastest direction.
        self.radius = 0.0
        if self.rank and self.step == 0:
            self.step = 0.01 / max(self.pace(), _TINY)

    @property
    def rank(self) -> int:
        """How many hidden units there are."""
        return self.thin.rank

    @property
    def factors(self) -> tuple[Rows, Cores, Cols]:
        """L, the cores and R."""
        left, cores, right = self.thin.split(self.point)
        if not self.rank:
            right = np.zeros((self.pull.shape[1], 0), self.pull.dtype)
        return left, cores, right

    def decomposed(self) -> tuple[Rows, Float[np.ndarray, " r"], Cols]:
        """The singular value decomposition of W."""
        if not self.rank:
            left, _, right = self.factors
            return left, np.zeros(0), right
        return self.thin.decomposed(self.point)

    def pace(self) -> float:
        """The fastest hidden unit's speed, relative to its size; 0 without any."""
        if not self.rank:
            return 0.0
        sizes = np.maximum(self.thin.unit_norms(self.point), _TINY)
        return float((self.thin.unit_norms(self.slope) / sizes).max())

    def speed(self) -> float:
        """The fastest hidden unit's speed, relative to the error it is allowed."""
        if not self.rank:
            return 0.0
        speeds = self.thin.unit_norms(self.slope)
        return float((speeds / self._allowed(self.point)).max())

    def hold(self, step: float) -> None:
        """Let time pass while the factors stand still."""
        self.gamma += self.pull.dtype.type(step) * self.weights

    def attempt(self, reach: float, room: float, attempts: int) -> Attempt:
        """Try one step.

        Args:
            reach: the longest step wanted, whatever the error.
            room: the time until the end of the chunk, where it lands exactly.
            attempts: how many have been tried before.
        """
        self._refresh_radius(attempts)
        bound = _SAFETY * self.radius
        wanted = min(self.step, host_stable_step(bound), reach)
        lands = wanted >= room
        step = room if lands else wanted
        with np.errstate(over="ignore", invalid="ignore"):
            point = host_step(
                self._rate, self.point, self.slope, step, host_stages(step, bound)
            )
            slope, loss = self._evaluated(point, self._scratch)
            error = host_error(self.point, self.slope, point, slope, step)
            allowed = self._allowed(self.point, point)
            worst = float((self.thin.unit_norms(error) / allowed).max())
        fine = math.isfinite(worst)
        accepted = fine and worst <= 1
        broken = accepted and not (
            math.isfinite(loss) and float(np.linalg.norm(point)) <= OVERFLOW
        )
        growth = 0.85 * max(worst, 1e-12) ** (-1 / 3) if fine else 0.1
        growth = min(max(growth, 0.1), 5.0)
        following = step * (growth if accepted else min(growth, 0.7))
        if accepted and not broken:
            if lands or step >= reach:
                # A step cut short says nothing against longer ones.
                following = max(following, min(self.step, 5 * step))
            self._move(step, point, slope, loss)
        self.step = following
        return Attempt(
            step=step, accepted=accepted and not broken, lands=lands, broken=broken
        )

    def _move(self, step: float, point: Flat, slope: Flat, loss: float) -> None:
        if self.is_mirrored and self.depth > 2:
            left, cores, right = self.thin.split(point)
            cores = (cores + cores[::-1].transpose(0, 2, 1)) / 2
            point = self.thin.joined(left, cores, right)
        # The trapezoidal rule has the order of the step.
        half = self.pull.dtype.type(step / 2)
        self.gamma += half * (self.weights + self._scratch)
        self.weights, self._scratch = self._scratch, self.weights
        self.point, self.slope, self.loss = point, slope, loss

    def _evaluated(self, point: Flat, out: Weights) -> tuple[Flat, float]:
        self.evaluations += 1
        if self.rank:
            return self.thin.velocity(point, out)
        out[:], loss = self.pull.weights(self.factors[0], self.factors[2])
        return point, loss

    def _rate(self, point: Flat) -> Flat:
        return self._evaluated(point, self._scratch)[0]

    def _allowed(self, *points: Flat) -> Float[np.ndarray, " units"]:
        sizes = np.maximum.reduce([self.thin.unit_norms(point) for point in points])
        return self._rtol * sizes + self._floor

    def _refresh_radius(self, attempts: int) -> None:
        known = self.radius > 0
        if known and attempts % _REFRESH:
            return
        fits = self.direction.size == self.point.size
        # A finite difference that balances rounding and curvature.
        reach = 1e-7 if self.pull.dtype.itemsize == 8 else 1e-3
        self.radius, self.direction = host_radius(
            self._rate,
            self.point,
            self.slope,
            self.direction if fits else self.slope,
            iterations=2 if known else 6,
            reach=reach,
        )
