"""An adaptive-rank flow at time zero, before any direction has been let in."""

import numpy as np

from lowrankflow.dynamics.adaptive_rank_state import (
    ADMISSION_COLUMNS,
    COUNTS,
    FLOW_NUMBERS,
    NUMBERS,
    AdaptiveRankState,
)
from lowrankflow.dynamics.adaptive_rank_tail import Outside
from lowrankflow.dynamics.contract import RUNNING
from lowrankflow.dynamics.thin_pull import AbstractPull
from lowrankflow.factorizations import StartFrames
from lowrankflow.seeds import generator


def state_at_start(
    pull: AbstractPull, depth: int, frames: StartFrames, mirrored: bool
) -> AdaptiveRankState:
    """The state at time zero.

    Args:
        pull: the gradient's products.
        depth: N >= 2.
        frames: of the start.
        mirrored: whether left and right are one.
    """
    rows, cols = pull.shape
    none = np.zeros((rows, 0), pull.dtype), np.zeros((cols, 0), pull.dtype)
    zero = (np.zeros((size, 1), pull.dtype) for size in pull.shape)
    weights, loss = pull.weights(*zero)
    empty = np.zeros((rows, 0)), np.zeros((cols, 0))
    outside = Outside(
        pull=pull,
        left=empty[0],
        right=empty[1],
        carried=empty,
        is_mirrored=mirrored,
    )
    # What the gradient at zero points to, and the best step along it.
    begun = generator(0, "adaptive rank", "begin").standard_normal((cols, 2))
    rates, left, right, _ = outside.top(weights, begun, rtol=1e-3, corrected=False)
    best = 0.0
    if rates.size and rates[0] > 0:
        seen = pull.seen(left[:, :1], right[:, :1])
        best = float(rates[0]) / max(seen, 1e-300)
    # The past is kept at depth 2 alone.
    kept, given = pull.num_weights if depth == 2 else 0, frames.left
    numbers = dict.fromkeys((*NUMBERS, *FLOW_NUMBERS), 0.0)
    numbers |= {"loss": loss, "reference": best}
    counts = dict.fromkeys((*COUNTS, "evaluations"), 0) | {"status": RUNNING}
    return AdaptiveRankState(
        left=none[0],
        cores=np.zeros((depth - 2, 0, 0), pull.dtype),
        right=none[1],
        gamma=np.zeros(pull.num_weights, pull.dtype),
        search=empty[1],
        search_left=empty[0],
        growths=np.zeros(0),
        pace=empty[1],
        carried_left=empty[0],
        carried_right=empty[1],
        epochs=np.zeros((0, kept), pull.dtype),
        lengths=np.zeros(0),
        then=np.zeros(pull.num_weights, pull.dtype),
        taken_left=np.zeros((rows if given is None else given.shape[1], 0)),
        taken_right=np.zeros((0 if mirrored or given is not None else cols, 0)),
        direction=np.zeros(0, pull.dtype),
        log=np.zeros((0, len(ADMISSION_COLUMNS))),
        frames=frames,
        is_mirrored=mirrored,
        **{name: np.asarray(value) for name, value in numbers.items()},
        **{name: np.asarray(value) for name, value in counts.items()},
    )
