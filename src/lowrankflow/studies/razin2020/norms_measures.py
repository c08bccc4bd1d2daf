"""The free entry, norms, ranks and determinants along runs."""

import dataclasses
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from lowrankflow.studies.collection import AxisValue, Collection
from lowrankflow.studies.razin2020.norms_jobs import ENTRIES, PAIRS, WRONG_SIDE
from lowrankflow.studies.samples import Sample


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Path:
    """The records of a run with a loss below 1/2.

    Args:
        time: flow time.
        loss: 1/2 sum of squared residuals.
        corner: W_11.
        determinant: of W.
        singular_values: of W.
        nuclear_norm: of W.
    """

    time: Float[np.ndarray, " records"]
    loss: Float[np.ndarray, " records"]
    corner: Float[np.ndarray, " records"]
    determinant: Float[np.ndarray, " records"]
    singular_values: Float[np.ndarray, "records sv"]
    nuclear_norm: Float[np.ndarray, " records"]

    @property
    def residual(self) -> Float[np.ndarray, " records"]:
        """sqrt(2 loss), which no residual of an entry exceeds."""
        return np.sqrt(2 * self.loss)


def paths(collection: Collection, **axes: AxisValue) -> tuple[list[Path], Sample]:
    """One path per seed, and the runs' sample."""
    known = collection.last("loss", **axes)
    names = ("loss", "singular_values", "nuclear_norm")
    read = {name: collection.trajectory(name, against="time", **axes) for name in names}
    has_all = axes["case"] != "larger"
    shown = ENTRIES if has_all else ENTRIES[:1]
    entries = [collection.trajectory(name, against="time", **axes) for name in shown]
    found = []
    for number in range(len(known)):
        loss = read["loss"][number].values
        low = loss < 0.5
        values = np.column_stack([path[number].values for path in entries])[low]
        determinant = np.full(len(values), np.nan)
        if has_all:
            determinant = np.linalg.det(values.reshape(-1, 2, 2))
        found.append(
            Path(
                time=read["loss"][number].time[low],
                loss=loss[low],
                corner=values[:, 0],
                determinant=determinant,
                singular_values=read["singular_values"][number].values[low],
                nuclear_norm=read["nuclear_norm"][number].values[low],
            )
        )
    return found, known


def of_paths(
    collection: Collection, function: Callable[[Path], float], **axes: AxisValue
) -> Sample:
    """A number of every seed's path; not a number where it has no such records."""
    found, known = paths(collection, **axes)
    values = [function(path) if len(path.loss) else np.nan for path in found]
    return Sample(
        values=np.array(values, float), seeds=known.seeds, missing=known.missing
    )


def bound(path: Path, pair: str, corner: float) -> Float[np.ndarray, " records"]:
    """The least |W_11| where the determinant has the sign of W_12 W_21.

    (|W_12| - r)(|W_21| - r) / (|W_22| + r), r = sqrt(2 loss), zero where r is larger
    than an entry: |W_11 W_22| exceeds |W_12 W_21| then.
    """
    first, second = np.abs(PAIRS[pair])
    r = path.residual
    product = np.maximum(first - r, 0) * np.maximum(second - r, 0)
    return product / (abs(corner) + r)


def least_over_bound(
    pair: str = "1, 1", corner: float = 0.0
) -> Callable[[Path], float]:
    """The least |W_11| over its bound, of all records where that is above zero."""

    def measured(path: Path) -> float:
        least = bound(path, pair, corner)
        shown = least > 0
        if not shown.any():
            return float("nan")
        return float((np.abs(path.corner) / np.where(shown, least, 1))[shown].min())

    return measured


def product_error(path: Path) -> float:
    """Largest |W_11 sqrt(2 loss) - 1| of records with a loss of at most 0.01."""
    late = path.loss <= 1e-2
    if not late.any():
        return float("nan")
    return float(np.abs(np.abs(path.corner) * path.residual - 1)[late].max())


def slope(
    x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"], keep: np.ndarray
) -> float:
    """Of log |y| against log x, over some records."""
    if keep.sum() < 2:
        return float("nan")
    return float(np.polyfit(np.log(x[keep]), np.log(np.abs(y[keep])), 1)[0])


def norm_exponent(path: Path) -> float:
    """Of the nuclear norm in the loss, from 0.01 on."""
    return slope(path.loss, path.nuclear_norm, path.loss <= 1e-2)


def corner_exponent(path: Path) -> float:
    """Of |W_11| in the loss, from 0.01 on."""
    return slope(path.loss, path.corner, path.loss <= 1e-2)


def time_exponent(path: Path) -> float:
    """Of |W_11| in time, over the last decade of the loss."""
    return slope(path.time, path.corner, path.loss <= 10 * path.loss[-1])


def derived_time_exponent(depth: int) -> float:
    """N / (2N + 2)."""
    return depth / (2 * depth + 2)


def rank_one_distance(path: Path) -> float:
    """Largest sigma_2 over 3 sqrt(2 loss): the distance to rank one and its bound."""
    return float((path.singular_values[:, 1] / (3 * path.residual)).max())


def least_determinant(path: Path) -> float:
    """The least determinant of all records."""
    return float(path.determinant.min())


def largest_corner(path: Path) -> float:
    """The largest |W_11| of all records."""
    return float(np.abs(path.corner).max())


def wrong_side_product(path: Path) -> float:
    """|W_11| (loss - e^2 / 2) / e at the end, e = W_22 as observed."""
    left = path.loss[-1] - WRONG_SIDE**2 / 2
    return float(abs(path.corner[-1]) * left / WRONG_SIDE)


def last_corner(path: Path) -> float:
    """|W_11| at the end."""
    return float(abs(path.corner[-1]))
