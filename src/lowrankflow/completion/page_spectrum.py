"""Singular values of the low-rank part, and how soon they add up."""

import numpy as np
from jaxtyping import Float

from lowrankflow.completion.low_rank_verdict import directions
from lowrankflow.completion.page_words import CHOSEN, DATA, Picture, picture
from lowrankflow.studies import panels, readable

_RATIO, _SHARE = 30.0, 0.9


def spectrum_picture(
    values: Float[np.ndarray, " sv"], *, scaled: bool
) -> Picture | None:
    """The spectrum and its cumulative share; call it while `styled` is in force.

    Args:
        values: singular values, descending.
        scaled: whether they are in units of columns.

    Returns:
        None where there is no low-rank part.
    """
    if values.size == 0 or values[0] == 0:
        return None
    figure, axes = panels(1, 2, height=2.4)
    at = np.arange(1, values.size + 1)
    few = values.size <= 60
    left, right = axes[0]
    left.plot(at, values, color=DATA, marker="o" if few else "")
    if values[-1] > 0 and values[0] > _RATIO * values[-1]:
        left.set_yscale("log")
    else:
        left.set_ylim(0, 1.08 * values[0])
    squares = np.cumsum(np.square(values))
    shares = 100 * squares / squares[-1]
    right.plot(at, shares, color=DATA, marker="o" if few else "")
    right.axhline(100 * _SHARE, color=CHOSEN, linewidth=0.9, linestyle="--")
    right.set_ylim(0, 105)
    for place in (left, right):
        place.set_xlabel("direction")
        place.set_xlim(0.5, values.size + 0.5)
        place.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    left.set_ylabel("singular value")
    right.set_ylabel("cumulative share of squares (%)")
    count = directions(values, _SHARE)
    plural = "direction makes" if count == 1 else "directions make"
    units = ", in units of columns' standard deviations" if scaled else ""
    return picture(
        figure,
        "spectrum",
        shows=f"{values.size} singular values from {readable(float(values[0]))} to "
        f"{readable(float(values[-1]))}; {count} make up 90 % of their squares.",
        caption=f"Singular values of the low-rank part, without effects{units}, and "
        f"how much of the sum of their squares the first ones have: {count} {plural} "
        "up 90 %. A cliff is a rank that the data show; a slope is one that the "
        "penalty or the stop has chosen.",
    )
