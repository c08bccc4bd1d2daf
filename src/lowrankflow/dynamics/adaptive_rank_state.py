"""What an adaptive-rank flow is at one time, as a tree of arrays."""

import equinox as eqx
import numpy as np
from jaxtyping import Float, Int

from lowrankflow.factorizations import StartFrames

# Columns of the log of directions that came and went.
ADMISSION_COLUMNS = ("time", "size", "start", "turn", "rank", "change")


class AdaptiveRankState(eqx.Module):
    """Where an adaptive-rank flow is, and all that decides its next step.

    Args:
        left: the factor that acts last, rows x rank.
        cores: the factors between, depth - 2 of them, the first acting first.
        right: the transpose of the factor that acts first, cols x rank.
        gamma: the integral over time of the weights of grad f, in the engine's order.
        search: where the next search for growing directions begins.
        search_left: the left sides that belong to it.
        growths: of these directions.
        pace: the same for the fastest direction of the present gradient.
        carried_left: A of the growth outside, -Gamma + A B' (`adaptive_rank_tail`).
        carried_right: B.
        epochs: weights of the integral of grad f over epochs, at depth 2
            (`adaptive_rank_past`); none beyond.
        lengths: of the epochs.
        then: weights of the integral until the last epoch's end.
        taken_left: what the units let in were at the start; their left sides.
        taken_right: their right sides.
        direction: last direction of the power iteration.
        log: a row for each direction that came or went: time; its size; that at the
            start by the law; 1 less the share of the fastest growth outside that lies
            along it (0 where it has not turned); rank afterwards; 1 or -1.
        frames: of the start.
        reference: the size that the tolerance is relative to, while W is smaller.
        tail_size: the largest size of a direction left out, by the law.
        tail_norm: an estimate of the Frobenius norm of all that is left out.
        tail_pace: the fastest growth outside; these three as of the last search.
        wait: the time from then until a direction comes in, if rates stay.
        waited: the time since then.
        since: the growth at that pace since the last epoch's end.
        threshold: the size at which a direction is let in.
        time: flow time.
        time_error: what rounding has left out of it.
        step: length of the next step.
        radius: estimate of the spectral radius; 0 before there is one.
        loss: f at the point.
        slope: norm of the velocity of the factors.
        iteration: accepted steps.
        rejections: rejected steps.
        evaluations: right-hand sides.
        searches: for growing directions.
        unseen: steps since the last one.
        moved: whether the gradient has been above the stop rule's.
        status: code of a `Result`.
        is_mirrored: whether left and right are one.
    """

    left: Float[np.ndarray, "rows rank"]
    cores: Float[np.ndarray, "inner rank rank"]
    right: Float[np.ndarray, "cols rank"]
    gamma: Float[np.ndarray, " m"]
    search: Float[np.ndarray, "cols k"]
    search_left: Float[np.ndarray, "rows left"]
    growths: Float[np.ndarray, " left"]
    pace: Float[np.ndarray, "cols j"]
    carried_left: Float[np.ndarray, "rows carried"]
    carried_right: Float[np.ndarray, "cols carried"]
    epochs: Float[np.ndarray, "epochs weights"]
    lengths: Float[np.ndarray, " epochs"]
    then: Float[np.ndarray, " weights"]
    taken_left: Float[np.ndarray, "begun_left taken"]
    taken_right: Float[np.ndarray, "begun_right taken_right"]
    direction: Float[np.ndarray, " numbers"]
    log: Float[np.ndarray, "events 6"]
    frames: StartFrames
    reference: Float[np.ndarray, ""]
    tail_size: Float[np.ndarray, ""]
    tail_norm: Float[np.ndarray, ""]
    tail_pace: Float[np.ndarray, ""]
    wait: Float[np.ndarray, ""]
    waited: Float[np.ndarray, ""]
    since: Float[np.ndarray, ""]
    threshold: Float[np.ndarray, ""]
    time: Float[np.ndarray, ""]
    time_error: Float[np.ndarray, ""]
    step: Float[np.ndarray, ""]
    radius: Float[np.ndarray, ""]
    loss: Float[np.ndarray, ""]
    slope: Float[np.ndarray, ""]
    iteration: Int[np.ndarray, ""]
    rejections: Int[np.ndarray, ""]
    evaluations: Int[np.ndarray, ""]
    searches: Int[np.ndarray, ""]
    unseen: Int[np.ndarray, ""]
    moved: Int[np.ndarray, ""]
    status: Int[np.ndarray, ""]
    is_mirrored: bool = eqx.field(static=True)

    @property
    def rank(self) -> int:
        """How many directions are followed."""
        return self.left.shape[1]


# The fields by kind: those of the walk, those of its past, and those of its flow.
ARRAYS = (
    "search",
    "search_left",
    "growths",
    "pace",
    "carried_left",
    "carried_right",
    "log",
)
PAST = ("epochs", "lengths", "then", "taken_left", "taken_right")
NUMBERS = (
    "reference",
    "tail_size",
    "tail_norm",
    "tail_pace",
    "wait",
    "waited",
    "since",
    "threshold",
    "time",
    "time_error",
)
FLOW_NUMBERS = ("step", "radius", "loss", "slope")
COUNTS = ("iteration", "rejections", "searches", "unseen", "moved", "status")
