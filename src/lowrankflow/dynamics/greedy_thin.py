"""Greedy low-rank learning on thin factors: stages of a matrix that is never formed.

The same stages as those of `greedy`, on problems that are too large for it: passes over
the entries, with as many hidden units as have been let in.
"""

from typing import TYPE_CHECKING

import equinox as eqx
import numpy as np
from jaxtyping import Float, Int

from lowrankflow.dynamics.adaptive_rank_tail import Outside
from lowrankflow.dynamics.contract import (
    CODES,
    RESULTS,
    RUNNING,
    Limits,
    Snapshot,
    Until,
)
from lowrankflow.dynamics.host_ends import ended, ended_at_entry
from lowrankflow.dynamics.thin_factors import factored
from lowrankflow.dynamics.thin_flow import ThinFlow
from lowrankflow.dynamics.thin_pull import AbstractPull, Cols, Rows
from lowrankflow.result import Result
from lowrankflow.seeds import generator

if TYPE_CHECKING:
    from lowrankflow.dynamics.greedy import GreedyLowRank

# The next direction is known when a tenfold slower flow changes it by no more.
_SAME_RATE = 0.01
_STILLEST = 1e-15
_RATE_RTOL = 1e-6
_SMALLEST_REACH = 1e-14
_WATCHED = 3


class ThinGreedyState(eqx.Module):
    """Where greedy learning on thin factors is.

    Args:
        left: the factor that acts last, rows x stage.
        cores: the factors between.
        right: the transpose of the factor that acts first, cols x stage.
        direction: last direction of the power iteration.
        search: where the next search for a direction begins.
        next_left: the best direction when it was last looked for, left.
        next_right: and right.
        time: flow time.
        step: length of the next step.
        radius: estimate of the spectral radius.
        loss: f.
        slope: norm of the velocity.
        rate: of the best direction at the last critical point.
        first_rate: the same at zero.
        seed_pace: growth of the newest unit when it entered, relative to its size.
        stillness: relative speed below which the stage is next looked at.
        next_rate: top rate when it was last looked for in this stage; NaN before.
        stage: how many directions have been let in.
        iteration: accepted steps.
        rejections: rejected steps.
        evaluations: right-hand sides.
        at_critical_point: whether the stage has come to rest.
        moved: whether the gradient has been above the stop rule's.
        status: code of a `Result`.
        is_mirrored: whether left and right are one.
    """

    left: Float[np.ndarray, "rows stage"]
    cores: Float[np.ndarray, "inner stage stage"]
    right: Float[np.ndarray, "cols stage"]
    direction: Float[np.ndarray, " numbers"]
    search: Float[np.ndarray, "cols k"]
    next_left: Float[np.ndarray, " rows"]
    next_right: Float[np.ndarray, " cols"]
    time: Float[np.ndarray, ""]
    step: Float[np.ndarray, ""]
    radius: Float[np.ndarray, ""]
    loss: Float[np.ndarray, ""]
    slope: Float[np.ndarray, ""]
    rate: Float[np.ndarray, ""]
    first_rate: Float[np.ndarray, ""]
    seed_pace: Float[np.ndarray, ""]
    stillness: Float[np.ndarray, ""]
    next_rate: Float[np.ndarray, ""]
    stage: Int[np.ndarray, ""]
    iteration: Int[np.ndarray, ""]
    rejections: Int[np.ndarray, ""]
    evaluations: Int[np.ndarray, ""]
    at_critical_point: Int[np.ndarray, ""]
    moved: Int[np.ndarray, ""]
    status: Int[np.ndarray, ""]
    is_mirrored: bool = eqx.field(static=True)


class ThinGreedyWalk:
    """Greedy learning between two states.

    Args:
        setting: tolerances.
        pull: the gradient on thin blocks.
        depth: N.
        state: where it begins; None for zero.
        is_mirrored: whether W is symmetric and positive semidefinite.
    """

    def __init__(
        self,
        setting: "GreedyLowRank",
        pull: AbstractPull,
        depth: int,
        state: ThinGreedyState | None,
        *,
        is_mirrored: bool,
    ):
        self._setting, self._pull, self._depth = setting, pull, depth
        self._unit = float(setting.seed_scale) ** (1 / depth)
        self._flow = ThinFlow(
            pull,
            depth,
            is_mirrored=is_mirrored,
            rtol=float(setting.rtol),
            atol=float(setting.atol),
            unit_size=self._unit,
            gamma=np.zeros(pull.num_weights, pull.dtype),
        )
        flow, (rows, cols) = self._flow, pull.shape
        if state is None:
            self._n = dict.fromkeys(_NUMBERS, 0.0) | {"next_rate": np.nan}
            self._c = dict.fromkeys(_COUNTS, 0) | {"status": RUNNING}
            self._c["at_critical_point"] = 1
            self._n["stillness"] = float(setting.stage_tolerance)
            self._search = np.zeros((cols, 0))
            none = np.zeros((depth - 2, 0, 0), pull.dtype)
            sides = (np.zeros((size, 0), pull.dtype) for size in (rows, cols))
            left, right = sides
            flow.place(left, none, right)
            rate, self._left, self._right = self._next_direction()
            self._n["rate"] = self._n["first_rate"] = rate
            if rate <= 0:
                self._c["status"] = CODES[Result.optimal]
            return
        self._n = {name: float(getattr(state, name)) for name in _NUMBERS}
        self._c = {name: int(getattr(state, name)) for name in _COUNTS}
        self._search = np.asarray(state.search)
        self._left = np.asarray(state.next_left)
        self._right = np.asarray(state.next_right)
        flow.radius, flow.step = float(state.radius), float(state.step)
        flow.direction = np.asarray(state.direction)
        flow.evaluations = int(state.evaluations)
        flow.place(*(np.asarray(a) for a in (state.left, state.cores, state.right)))

    def advanced(self, until: Until, limits: Limits) -> ThinGreedyState:
        """The state at the end of the chunk, of the stage, or of the run."""
        n, c, flow = self._n, self._c, self._flow
        if c["status"] != RUNNING:
            return self.state()
        c["status"] = ended_at_entry(limits, c["iteration"], n["time"], flow.loss)
        if c["status"] == RUNNING and c["at_critical_point"]:
            self._let_in()
        end, last = float(until.time), int(until.iteration)
        while c["status"] == RUNNING and n["time"] < end and c["iteration"] < last:
            tried = flow.attempt(
                np.inf, end - n["time"], c["iteration"] + c["rejections"]
            )
            if tried.accepted:
                n["time"] = end if tried.lands else n["time"] + tried.step
                c["iteration"] += 1
            else:
                c["rejections"] += 1
            self._judge(limits, tried.accepted, tried.broken, tried.step)
            # A new unit is no sooner at rest than at a tenth of its first pace.
            slowest = min(0.1 * n["seed_pace"], n["stillness"] * flow.radius)
            tiny = c["status"] == CODES[Result.step_too_small]
            if tiny or (
                c["status"] == RUNNING and tried.accepted and flow.pace() <= slowest
            ):
                self._look(tiny)
                if c["at_critical_point"]:
                    break
        return self.state()

    def _next_direction(
        self,
    ) -> tuple[float, Float[np.ndarray, " rows"], Float[np.ndarray, " cols"]]:
        """The top rate of -grad f, and its direction."""
        rows, cols = self._pull.shape
        nothing = np.zeros((rows, 0)), np.zeros((cols, 0))
        whole = Outside(
            pull=self._pull,
            left=nothing[0],
            right=nothing[1],
            carried=nothing,
            is_mirrored=self._flow.is_mirrored,
        )
        rng = generator(0, "greedy", "search", self._c["stage"])
        fresh = rng.standard_normal((cols, _WATCHED + 1 - self._search.shape[1]))
        block = np.concatenate([self._search, fresh / np.sqrt(cols)], axis=1)
        rates, left, right, _ = whole.top(
            self._flow.weights, block, rtol=_RATE_RTOL, corrected=False
        )
        if not rates.size:
            return 0.0, np.zeros(rows), np.zeros(cols)
        self._search = right[:, :_WATCHED]
        return float(rates[0]), left[:, 0], right[:, 0]

    def _let_in(self) -> None:
        """One more hidden unit, along the top direction."""
        flow, n, c = self._flow, self._n, self._c
        left, cores, right = flow.factors
        unit, dtype = self._unit, self._pull.dtype

        def beside(side: Rows | Cols, new: np.ndarray) -> np.ndarray:
            return np.column_stack([side, unit * new]).astype(dtype)

        inner = np.zeros((self._depth - 2, flow.rank + 1, flow.rank + 1), dtype)
        inner[:, :-1, :-1] = cores
        inner[:, -1, -1] = unit
        flow.place(beside(left, self._left), inner, beside(right, self._right))
        flow.radius = 0.0
        flow.step = 0.01 / max(flow.pace(), 1e-300)
        sizes, speeds = (flow.thin.unit_norms(p) for p in (flow.point, flow.slope))
        # The left factor's newest column is the last of the first `rank` norms.
        n["seed_pace"] = float(speeds[flow.rank - 1] / sizes[flow.rank - 1])
        n["stillness"] = float(self._setting.stage_tolerance)
        n["next_rate"] = np.nan
        c["stage"] += 1
        c["at_critical_point"] = 0

    def _look(self, tiny: bool) -> None:
        """At rest, or to go on to a slower pace: see `GreedyLowRank`."""
        n, c, setting = self._n, self._c, self._setting
        before = n["next_rate"], self._left, self._right
        rate, self._left, self._right = self._next_direction()
        last = rate <= float(setting.optimality_tolerance) * n["first_rate"]
        image = self._pull.mm(self._flow.weights, before[2][:, None])
        still_top = -float(before[1] @ image[:, 0])
        same = abs(rate - before[0]) <= _SAME_RATE * rate
        same = same and rate - still_top <= _SAME_RATE * rate
        at_rest = last or same or tiny or n["stillness"] <= _STILLEST
        capacity = min(self._pull.shape)
        if setting.max_rank is not None:
            capacity = min(capacity, setting.max_rank)
        c["status"] = RUNNING
        if last:
            c["status"] = CODES[Result.optimal]
        elif at_rest and c["stage"] >= capacity:
            c["status"] = CODES[Result.rank_reached]
        n["rate"] = n["next_rate"] = rate
        n["stillness"] /= 10
        c["at_critical_point"] = int(at_rest)

    def _judge(self, limits: Limits, accepted: bool, broken: bool, step: float) -> None:
        flow, c = self._flow, self._c
        slope = float(np.linalg.norm(flow.slope))
        c["status"] = ended(
            limits,
            iteration=c["iteration"],
            time=self._n["time"],
            loss=flow.loss,
            slope=slope,
            moved=bool(c["moved"]),
            still=False,
            tiny=not accepted and step * flow.radius <= _SMALLEST_REACH,
            broken=broken,
        )
        if slope > float(limits.gradient):
            c["moved"] = 1

    def state(self) -> ThinGreedyState:
        """Where it is."""
        flow = self._flow
        left, cores, right = flow.factors
        numbers = self._n | {
            "loss": flow.loss,
            "slope": float(np.linalg.norm(flow.slope)),
            "radius": flow.radius,
            "step": flow.step,
        }
        counts = self._c | {"evaluations": flow.evaluations}
        return ThinGreedyState(
            left=left,
            cores=cores,
            right=right,
            direction=flow.direction,
            search=self._search,
            next_left=self._left,
            next_right=self._right,
            is_mirrored=flow.is_mirrored,
            **{name: np.asarray(value) for name, value in numbers.items()},
            **{name: np.asarray(value) for name, value in counts.items()},
        )


def thin_greedy_snapshot(state: ThinGreedyState, *, one_factor: bool) -> Snapshot:
    """What can be seen of a state; one factor only for U U'."""
    left, right = np.asarray(state.left), np.asarray(state.right)
    cores = np.asarray(state.cores)
    factors = (right.T, *cores, left)
    return Snapshot(
        time=float(state.time),
        iteration=int(state.iteration),
        matrix=factored(left, cores, right),
        factors=factors[-1:] if one_factor else factors,
        loss=float(state.loss),
        gradient_norm=float(state.slope),
        result=RESULTS[int(state.status)],
        extra={
            "stage": int(state.stage),
            "at_critical_point": int(state.at_critical_point),
            "rate": float(state.rate),
            "rejections": int(state.rejections),
            "evaluations": int(state.evaluations),
        },
    )


_NUMBERS = (
    "time",
    "rate",
    "first_rate",
    "seed_pace",
    "stillness",
    "next_rate",
)
_COUNTS = (
    "stage",
    "iteration",
    "rejections",
    "at_critical_point",
    "moved",
    "status",
)
