"""An adaptive-rank flow in motion: steps, searches, directions that come and go."""

import math
from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.dynamics.adaptive_rank_changes import (
    extended,
    turned_away,
    whole_start,
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
from lowrankflow.dynamics.adaptive_rank_tail import Outside, Tail, tail_of
from lowrankflow.dynamics.adaptive_rank_turning import Epoch
from lowrankflow.dynamics.contract import CODES, RUNNING, Limits, Until
from lowrankflow.dynamics.host_ends import ended, ended_at_entry
from lowrankflow.dynamics.tail_law import law_growth
from lowrankflow.dynamics.tail_turning import Watched
from lowrankflow.dynamics.thin_flow import ThinFlow
from lowrankflow.dynamics.thin_pull import AbstractPull
from lowrankflow.result import Result

if TYPE_CHECKING:
    from lowrankflow.dynamics.adaptive_rank import AdaptiveRankFlow

# One that has shrunk to this share of the start is let go.
_GONE = 0.25
_CARRIED = "carried_left", "carried_right"
# Steps without a look.
_STEPS_UNSEEN = 12
# The shortest step towards the threshold, of the whole way there.
_NEAREST = 1e-3
# What would move by less than this share of the allowed error may stand still.
_STILL = 0.1
_SMALLEST_REACH = 1e-14


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
        numbers = self._numbers
        return numbers["waited"] >= self._rules.unseen * numbers["wait"]

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
            before = self._flow.rank
            self._let_in(grown)
            none_came = self._flow.rank == before
            if self._depth == 2 and (grown < sizes.size or none_came):
                # The next one was seen, and is too small.
                self._numbers["tail_size"] = float(sizes[grown:].max(initial=0.0))
                wait = self._tail.wait(self._depth, threshold, grown)
                self._numbers["wait"] = wait
                return

    def _search(self) -> None:
        flow, numbers, fields = self._flow, self._numbers, self._fields
        outside, epoch = self._outside(), self._epoch()
        if epoch is not None:
            outside = epoch.grown(outside)
        self._tail, fields["pace"] = tail_of(
            outside,
            self._frames,
            self._depth,
            flow.gamma,
            flow.weights,
            fields["search"],
            fields["pace"],
            self._counts["searches"],
        )
        seen = self._tail.watched
        fields |= {"growths": seen.growths}
        fields |= {"search_left": seen.left, "search": seen.right}
        if epoch is not None and flow.rank and seen.growths.size:
            self._tail, outside = epoch.turn(flow, self._tail, outside)
        if self._depth > 2:
            carried = outside.carry(flow.gamma)
            fields |= dict(zip(_CARRIED, carried, strict=True))
            self._past.then = flow.gamma.copy()
        self._counts["searches"] += 1
        self._counts["unseen"] = 0
        numbers |= {
            "tail_size": self._tail.size,
            "tail_norm": self._tail.norm,
            "tail_pace": self._tail.pace,
            "wait": self._tail.wait(self._depth, numbers["threshold"]),
            "waited": 0.0,
        }

    def _outside(self) -> Outside:
        """The complements of what is followed now, and the threshold there."""
        left, values, right = self._flow.decomposed()
        numbers = self._numbers
        largest = max(numbers["reference"], float(values.max(initial=0.0)))
        threshold = float(self._setting.admission_tolerance) * largest
        threshold = min(threshold, self._rules.runaway * self._scale)
        # Not before it has left the start.
        numbers["threshold"] = max(threshold, self._scale * (1 + 1e-9))
        left, right = left.astype(float), right.astype(float)
        carried = self._fields[_CARRIED[0]], self._fields[_CARRIED[1]]
        return Outside(
            pull=self._pull,
            left=left,
            right=right,
            carried=carried,
            is_mirrored=self._mirrored,
        )

    def _epoch(self) -> Epoch | None:
        """The time since the last search, where the law needs more than its growth."""
        names = ("growths", "search_left", "search")
        growths, left, right = (self._fields[name] for name in names)
        if self._depth == 2 or not growths.size or not self._numbers["waited"] > 0:
            return None
        return Epoch(
            depth=self._depth,
            start=self._scale,
            then=self._past.then,
            gamma=self._flow.gamma,
            before=Watched(growths=growths, left=left, right=right),
            scale=self._whole_way(),
        )

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
        flow = self._flow
        frames = whole_start(
            self._pull,
            flow.weights,
            self._frames,
            self._mirrored,
            wanted=float(self._setting.admission_tolerance)
            * self._numbers["reference"],
            turns=self._depth > 2 and self._frames.left is not None,
            most=self._setting.max_rank,
        )
        if frames is None:
            return
        for k in range(frames[0].shape[1]):
            self._note(self._scale, 0.0, k + 1, 1)
        flow.become(frames[0], np.full(frames[0].shape[1], self._scale), frames[1])

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
        numbers, pace = self._numbers, self._numbers["tail_pace"]
        if pace <= 0 or math.isinf(numbers["wait"]):
            return math.inf
        left = numbers["wait"] - numbers["waited"]
        return max(left, _NEAREST * self._whole_way() / pace)

    def _pass(self, step: float, lands: bool, end: float) -> None:
        numbers = self._numbers
        # Compensated: steps far below the rounding of a large time still add up.
        ahead = step + numbers["time_error"]
        summed = numbers["time"] + ahead
        numbers["time_error"] = 0.0 if lands else ahead - (summed - numbers["time"])
        numbers["time"] = end if lands else summed
        self._counts["iteration"] += 1
        self._counts["unseen"] += 1
        numbers["waited"] += step
        numbers["since"] += step * numbers["tail_pace"]
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
