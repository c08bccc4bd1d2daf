r"""The flow of a full-dimensional factorization at the cost of its current rank.

From a small balanced start the matrix of a gradient flow has few singular values that
are not still at the scale of the start. Those are followed: a thin balanced
factorization moves exactly as the full one does, but for what it leaves out. What is
left out is not forgotten: as long as it is small a direction (u, v) grows by a law in
closed form (`tail_law`) in which the past is one number, -u' Gamma v with Gamma the
integral of the gradient. Gamma is a combination of the measurements, so it costs as
much as they do; the directions that have grown most are the top singular pairs of
-Gamma outside the followed spaces. One that reaches the threshold is let in as a new
hidden unit, and the factors stay balanced. At depth 2 the unit is what it would be had
it been followed from the start; beyond, the law is corrected where directions turn.

The pieces: `thin_pull` is the gradient on thin blocks, `thin_factors` the factors and
their velocity, `stabilized_host` a step, `adaptive_rank_tail` the law on what is left
out, `adaptive_rank_past` the past at depth 2, `adaptive_rank_turning` what turns beyond
it, `adaptive_rank_walk` all of it in motion.
"""

from typing import ClassVar, Literal

import equinox as eqx
import numpy as np

from lowrankflow.dynamics.adaptive_rank_start import state_at_start
from lowrankflow.dynamics.adaptive_rank_state import (
    ADMISSION_COLUMNS,
    AdaptiveRankState,
)
from lowrankflow.dynamics.adaptive_rank_walk import Walk
from lowrankflow.dynamics.contract import (
    RESULTS,
    RUNNING,
    AbstractDynamics,
    Limits,
    Snapshot,
    StartForm,
    Stop,
    Until,
)
from lowrankflow.dynamics.thin_factors import factored
from lowrankflow.dynamics.thin_pull import is_symmetric_pull, thin_pull
from lowrankflow.errors import SpecError
from lowrankflow.factorizations import (
    AbstractFactorization,
    StartFrames,
    SymmetricFactorization,
    positive,
    positive_int,
)
from lowrankflow.problems import AbstractObjective


class AdaptiveRankFlow(AbstractDynamics[AdaptiveRankState]):
    r"""Gradient flow of full-dimensional factors, followed at its current rank.

    A direction is let in when the law gives it the size
    `admission_tolerance` x (largest singular value), but beyond depth 2 no later than
    at 40 times its start, where the law is about to run away, and never before it has
    left the start. A tolerance below the start itself means the whole flow: all
    directions are followed from time zero. One that has shrunk to a quarter of the
    start is let go.

    The start may be `Aligned`, where each direction has `init_scale`, `Identity` or
    `Balanced`.

    Args:
        admission_tolerance: size at which a direction is let in, relative to the
            largest singular value (while there is none, to the best step from zero);
            in (0, 1). What is left out is smaller; 1e-4 is a good choice.
        rtol: error allowed per step, relative to each hidden unit's size; > 0.
        atol: the same in units of a hidden unit's size at the start; > 0.
        max_rank: the run ends (`Result.rank_reached`) when a direction would come in
            beyond this rank; None for as many as there are.
        precision: "float64", or "float32" for factors and entries, which halves memory
            and is enough for data with noise.

    Raises:
        SpecError: when a setting is out of its range; at the start, when problem,
            factorization or start have no such flow.

    Exactness: as `admission_tolerance` falls, that of the flow within `rtol` per step.
        At depth 2 what comes in is exact within the commutators of the gradient in an
        epoch; beyond, the law is exact for directions that do not turn while they are
        left out, and for a dozen that do but for a fit and an order 2 from search to
        search.
    Cost: two passes over the entries for each right-hand side, whatever the size of the
        matrix; some tens more, of a dozen columns, for each search. Memory for the
        entries, at depth 2 up to 48 times for the past, and copies of the factors.
    Source: own; the law is that of arora2019, theorem 3, and li2021, section 4.
    Differs: there is none.
    """

    admission_tolerance: float
    rtol: float
    atol: float
    max_rank: int | None = eqx.field(default=None, static=True)
    precision: Literal["float64", "float32"] = eqx.field(default="float64", static=True)

    numerics_version: ClassVar[int] = 3
    start_form: ClassVar[StartForm] = "frames"

    def __check_init__(self):
        for name in ("admission_tolerance", "rtol", "atol"):
            positive(f"AdaptiveRankFlow({name})", getattr(self, name))
        if not float(self.admission_tolerance) < 1:
            raise SpecError(
                where="AdaptiveRankFlow(admission_tolerance)",
                rule="it is relative to the largest singular value and below 1",
                got=f"{self.admission_tolerance!r}",
                fix="Give for example 1e-4",
            )
        if self.max_rank is not None:
            positive_int("AdaptiveRankFlow(max_rank)", self.max_rank)
        if self.precision not in ("float64", "float32"):
            raise SpecError(
                where="AdaptiveRankFlow(precision)",
                rule='it is "float64" or "float32"',
                got=f"{self.precision!r}",
                fix='Give precision="float64"',
            )

    def init(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        factors: StartFrames,  # pyright: ignore[reportIncompatibleMethodOverride]
        *,
        seed: int,
    ) -> AdaptiveRankState:
        depth = factorization.num_factors_in_product
        if depth < 2:
            raise SpecError(
                where="AdaptiveRankFlow",
                rule="a plain matrix has no small directions that stay small",
                got="a factorization with one factor",
                fix="Use DeepFactorization(depth=2) or SymmetricFactorization()",
            )
        pull = thin_pull("AdaptiveRankFlow(problem)", problem, self.precision)
        symmetric = isinstance(factorization, SymmetricFactorization)
        if symmetric and not is_symmetric_pull(pull):
            raise SpecError(
                where="AdaptiveRankFlow(problem)",
                rule="U U' asks for a symmetric gradient",
                got="one that is not symmetric at symmetric matrices",
                fix="Use symmetrized(problem) with GradientFlow, or "
                "SymmetricEntrySampling",
            )
        mirrored = symmetric or (factors.is_identity and is_symmetric_pull(pull))
        return state_at_start(pull, depth, factors, mirrored)

    def advance(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: AdaptiveRankState,
        *,
        until: Until,
        stop: Stop,
    ) -> AdaptiveRankState:
        if int(state.status) != RUNNING:
            return state
        pull = thin_pull("AdaptiveRankFlow(problem)", problem, self.precision)
        walk = Walk(self, pull, factorization.num_factors_in_product, state)
        return walk.advanced(until, Limits.of(stop))

    def snapshot(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: AdaptiveRankState,
    ) -> Snapshot:
        left, right = np.asarray(state.left), np.asarray(state.right)
        inner = np.asarray(state.cores, float)
        factors = (right.T.astype(float), *inner, left.astype(float))
        if isinstance(factorization, SymmetricFactorization):
            factors = factors[-1:]
        came = np.asarray(state.log)[:, ADMISSION_COLUMNS.index("change")]
        return Snapshot(
            time=float(state.time),
            iteration=int(state.iteration),
            matrix=factored(left, inner, right),
            factors=factors,
            loss=float(state.loss),
            gradient_norm=float(state.slope),
            result=RESULTS[int(state.status)],
            extra={
                "rank": state.rank,
                "tail_size": float(state.tail_size),
                "tail_norm": float(state.tail_norm),
                "threshold": float(state.threshold),
                "admissions": int((came > 0).sum()),
                "searches": int(state.searches),
                "rejections": int(state.rejections),
                "evaluations": int(state.evaluations),
            },
        )
