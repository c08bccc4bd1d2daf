"""An adaptive-rank flow in motion: steps, searches, directions that come and go."""

import math
from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.dynamics.adaptive_rank_changes import (
    extended,
    turned_away,
    whole_error,
    whole_frames,
)
from lowrankflow.dynamics.adaptive_rank_past import Past, hidden_turn
from lowrankflow.dynamics.adaptive_rank_rules import rules
from lowrankflow.dynamics.adaptive_rank_state import (
    ARRAYS,
    COUNTS,
    NUMBERS,
    PAST,
    AdaptiveRankState,
)
from lowrankflow.dynamics.adaptive_rank_tail import (
    Outside,
    Tail,
    carried_here,
    tail_of,
)
from lowrankflow.dynamics.contract import CODES, RUNNING, Limits, Until
from lowrankflow.dynamics.host_ends import ended, ended_at_entry
from lowrankflow.dynamics.tail_law import law_growth
from lowrankflow.dynamics.thin_flow import ThinFlow
from lowrankflow.dynamics.thin_pull import AbstractPull
from lowrankflow.result import Result

if TYPE_CHECKING:
    from lowrankflow.dynamics.adaptive_rank import AdaptiveRankFlow

# One that has shrunk to this share of the start is let go.
_GONE = 0.25
# Steps without a look.
_STEPS_UNSEEN = 12
# The shortest step towards the threshold, of the whole way there.
_NEAREST = 1e-3
# What would move by less than this share of the allowed error may stand still.
_STILL = 0.1
_SMALLEST_REACH = 1e-14
# Up to so many directions may all be followed from the start: it forms rows x k.
_MOST_WHOLE = 3000


class Walk:
    """A flow between two states.

    Args:
        setting: tolerances.
        pull: the gradient on thin blocks.
        depth: N.
        state: where it begins.
    """

    def __init__(
        self,
        setting: "AdaptiveRankFlow",
        pull: AbstractPull,
        depth: int,
        state: AdaptiveRankState,
    ):
        self._setting, self._pull, self._depth = setting, pull, depth
        self._frames, self._mirrored = state.frames, state.is_mirrored
        self._scale = float(state.frames.init_scale)
        self._fields = {name: np.asarray(getattr(state, name)) for name in ARRAYS}
        self._numbers = {name: float(getattr(state, name)) for name in NUMBERS}
        self._counts = {name: int(getattr(state, name)) for name in COUNTS}
        self._flow = ThinFlow(
            pull,
            depth,
            is_mirrored=state.is_mirrored,
            rtol=float(setting.rtol),
            atol=float(setting.atol),
            unit_size=self._scale ** (1 / depth),
            gamma=np.array(state.gamma),
        )
        flow = self._flow
        flow.radius, flow.step = float(state.radius), float(state.step)
        flow.direction = np.asarray(state.direction)
        flow.evaluations = int(state.evaluations)
        flow.place(*(np.asarray(a) for a in (state.left, state.cores, state.right)))
        self._tail: Tail | None = None
        self._rules = rules(depth)
        self._past = Past(**{name: np.array(getattr(state, name)) for name in PAST})

    def advanced(self, until: Until, limits: Limits) -> AdaptiveRankState:
        """The state at the end of the chunk, or where a stop rule ended the run."""
        numbers, counts = self._numbers, self._counts
        counts["status"] = ended_at_entry(
            limits, counts["iteration"], numbers["time"], self._flow.loss
        )
        if self._running and counts["iteration"] == 0 and not self._flow.rank:
            self._begin_whole()
        end, last = float(until.time), int(until.iteration)
        while self._running and numbers["time"] < end and counts["iteration"] < last:
            if self._search_is_due():
                self._look()
            if self._running:
                self._step(end, limits)
        return self._state()

    @property
    def _running(self) -> bool:
        return self._counts["status"] == RUNNING

    @property
    def _room(self) -> int:
        return min(self._pull.shape) - self._flow.rank

    # What is left out.

    def _search_is_due(self) -> bool:
        if not self._room:
            none = dict.fromkeys(("tail_size", "tail_norm", "tail_pace"), 0.0)
            self._numbers |= none
            return False
        if not self._counts["searches"] or self._counts["unseen"] >= _STEPS_UNSEEN:
            return True
        return self._numbers["grown"] >= self._rules.unseen * self._way()

    def _way(self) -> float:
        """The growth left, at the last search, until a direction is let in."""
        size, threshold = self._numbers["tail_size"], self._numbers["threshold"]
        if not size:
            return math.inf
        if math.isinf(size):
            return 0.0
        return max(law_growth(self._depth, size, threshold), 0.0)

    def _whole_way(self) -> float:
        """The growth from the start until a direction is let in."""
        return law_growth(self._depth, self._scale, self._numbers["threshold"])

    def _look(self) -> None:
        """Let go what has died, search outside, let in what has grown."""
        self._let_go()
        while self._room:
            self._search()
            assert self._tail is not None
            threshold, sizes = self._numbers["threshold"], self._tail.sizes
            left_start = self._scale * (1 + 1e-9)
            if not self._tail.size >= max(threshold * self._rules.near, left_start):
                return
            # The next in line come with it, which saves looking for each of them.
            close = max(self._rules.ahead * threshold, left_start)
            grown = int((sizes >= close).sum())
            if self._depth > 2:
                grown = min(grown, self._tail.settled)
            most = self._setting.max_rank
            grown = grown if most is None else min(grown, most - self._flow.rank)
            if grown <= 0:
                self._counts["status"] = CODES[Result.rank_reached]
                return
            self._let_in(grown)
            if self._depth == 2 and grown < sizes.size:
                # The next one was seen, and is too small.
                self._numbers["tail_size"] = float(sizes[grown])
                return

    def _search(self) -> None:
        left, values, right = self._flow.decomposed()
        numbers, fields = self._numbers, self._fields
        largest = max(numbers["reference"], float(values.max(initial=0.0)))
        threshold = float(self._setting.admission_tolerance) * largest
        threshold = min(threshold, self._rules.runaway * self._scale)
        # Not before it has left the start.
        numbers["threshold"] = max(threshold, self._scale * (1 + 1e-9))
        left, right = left.astype(float), right.astype(float)
        carried = fields["carried_left"], fields["carried_right"]
        if self._depth > 2:
            carried = carried_here(carried, left, right, self._whole_way())
        outside = Outside(
            pull=self._pull,
            left=left,
            right=right,
            carried=carried,
            is_mirrored=self._mirrored,
        )
        self._tail, fields["search"], fields["pace"] = tail_of(
            outside,
            self._frames,
            self._depth,
            self._flow.gamma,
            self._flow.weights,
            fields["search"],
            fields["pace"],
            self._counts["searches"],
        )
        if self._depth > 2:
            fields["carried_left"], fields["carried_right"] = outside.carry(
                self._flow.gamma
            )
        self._counts["searches"] += 1
        self._counts["unseen"] = 0
        numbers |= {
            "tail_size": self._tail.size,
            "tail_norm": self._tail.norm,
            "tail_pace": self._tail.pace,
            "grown": 0.0,
        }

    def _let_in(self, count: int) -> None:
        """The most grown directions become new hidden units."""
        tail, flow = self._tail, self._flow
        assert tail is not None
        if self._depth == 2:
            self._bring(tail, count)
            return
        for k in range(count):
            turn = turned_away(self._pull, flow.weights, tail, k)
            self._note(float(tail.sizes[k]), turn, flow.rank + k + 1, 1)
        # One that has run away was found late: the law says no more of it.
        most = max(self._numbers["reference"], 2 * self._numbers["threshold"])
        flow.become(*extended(flow.decomposed(), tail, count, most))

    def _bring(self, tail: Tail, count: int) -> None:
        """The hidden units that have grown into these directions come in."""
        self._end_epoch()
        flow = self._flow
        now = tail.left[:, :count], tail.right[:, :count]
        left, right = self._past.bring(self._pull, self._frames, self._mirrored, now)
        sizes = np.linalg.svd(left.T @ left, compute_uv=False)
        for k, size in enumerate(sizes):
            turn = turned_away(self._pull, flow.weights, tail, k)
            self._note(float(size), turn, flow.rank + k + 1, 1)
        flow.join(left, right)

    def _end_epoch(self) -> None:
        self._past.end_epoch(self._flow.gamma, self._numbers["since"])
        self._numbers["since"] = 0.0

    def _let_go(self) -> None:
        """The hidden units whose directions have died go.

        What has grown inside the followed spaces was taken away at the last search
        (`Outside.carry`), so that the law takes them for directions at the start again.
        """
        left, values, right = self._flow.decomposed()
        dead = values < _GONE * self._scale
        if not dead.any():
            return
        for k, size in enumerate(values[dead]):
            self._note(float(size), 0.0, self._flow.rank - k - 1, -1)
        if self._depth == 2:
            root = np.sqrt(values)
            before, _, other = self._flow.factors
            turn = hidden_turn((before, other), (left * root, right * root))
            self._past.turn(turn)
            self._past.keep(~dead)
        self._flow.become(left[:, ~dead], values[~dead], right[:, ~dead])

    def _note(self, size: float, turn: float, rank: int, change: int) -> None:
        row = (self._numbers["time"], size, self._scale, turn, rank, change)
        self._fields["log"] = np.concatenate([self._fields["log"], [row]])

    def _begin_whole(self) -> None:
        """All directions from the start, where the law has nothing to say.

        That is where the tolerance is below the start itself, and beyond depth 2 from
        frames that do not point where directions grow: they turn first, and how long
        that takes depends on all of them.
        """
        size = min(self._pull.shape)
        wanted = float(self._setting.admission_tolerance) * self._numbers["reference"]
        turns = self._depth > 2 and self._frames.left is not None
        if wanted > self._scale and not turns:
            return
        most = self._setting.max_rank
        if size > _MOST_WHOLE or (most is not None and most < size):
            raise whole_error(size, self._scale, wanted, turns)
        left, right = whole_frames(
            self._pull, self._flow.weights, self._frames, self._mirrored
        )
        for k in range(size):
            self._note(self._scale, 0.0, k + 1, 1)
        self._flow.become(left, np.full(size, self._scale), right)

    # Steps.

    def _step(self, end: float, limits: Limits) -> None:
        flow, counts = self._flow, self._counts
        room, reach = end - self._numbers["time"], self._reach()
        still = min(room, reach)
        if math.isfinite(still) and flow.speed() * still <= _STILL:
            flow.hold(still)
            self._pass(still, still >= room, end)
            self._judge(limits, accepted=True, broken=False, step=still)
            return
        if not flow.rank:
            # Nothing has been let in and nothing ever will be.
            counts["status"] = CODES[Result.stalled]
            return
        tried = flow.attempt(reach, room, counts["iteration"] + counts["rejections"])
        if tried.accepted:
            self._pass(tried.step, tried.lands, end)
        else:
            counts["rejections"] += 1
        self._judge(
            limits, accepted=tried.accepted, broken=tried.broken, step=tried.step
        )

    def _reach(self) -> float:
        """How long no direction can grow past the threshold, nearly."""
        way, pace = self._way(), self._numbers["tail_pace"]
        if pace <= 0 or math.isinf(way):
            return math.inf
        left = way - self._numbers["grown"]
        return max(left, _NEAREST * self._whole_way(), 1e-12 * way) / pace

    def _pass(self, step: float, lands: bool, end: float) -> None:
        numbers = self._numbers
        # Compensated: steps far below the rounding of a large time still add up.
        ahead = step + numbers["time_error"]
        summed = numbers["time"] + ahead
        numbers["time_error"] = 0.0 if lands else ahead - (summed - numbers["time"])
        numbers["time"] = end if lands else summed
        self._counts["iteration"] += 1
        self._counts["unseen"] += 1
        grown = step * numbers["tail_pace"]
        numbers["grown"] += grown
        numbers["since"] += grown
        gamma, present = self._flow.gamma, self._flow.weights
        if self._depth == 2 and self._past.is_turning(gamma, present, numbers["since"]):
            self._end_epoch()

    def _judge(
        self, limits: Limits, *, accepted: bool, broken: bool, step: float
    ) -> None:
        flow, counts = self._flow, self._counts
        slope = float(np.linalg.norm(flow.slope))
        fastest = max(flow.pace(), self._numbers["tail_pace"])
        slowest = 1e-13 * max(flow.radius, 1e-300)
        counts["status"] = ended(
            limits,
            iteration=counts["iteration"],
            time=self._numbers["time"],
            loss=flow.loss,
            slope=slope,
            moved=bool(counts["moved"]),
            still=accepted and flow.rank > 0 and fastest <= slowest,
            tiny=not accepted and step * flow.radius <= _SMALLEST_REACH,
            broken=broken,
        )
        if slope > float(limits.gradient):
            counts["moved"] = 1

    def _state(self) -> AdaptiveRankState:
        flow = self._flow
        left, cores, right = flow.factors
        numbers = self._numbers | {
            "loss": flow.loss,
            "slope": float(np.linalg.norm(flow.slope)),
            "radius": flow.radius,
            "step": flow.step,
        }
        counts = self._counts | {"evaluations": flow.evaluations}
        return AdaptiveRankState(
            left=left,
            cores=cores,
            right=right,
            gamma=flow.gamma,
            direction=flow.direction,
            frames=self._frames,
            is_mirrored=self._mirrored,
            **self._fields,
            **{name: getattr(self._past, name) for name in PAST},
            **{name: np.asarray(value) for name, value in numbers.items()},
            **{name: np.asarray(value) for name, value in counts.items()},
        )
