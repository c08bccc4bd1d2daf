r"""Where the basin of rank one begins, measured and derived.

Derivation. With v = (a, b, a, b) the flow follows W = v v' long after zero is left: the
product a b is R almost at once, while a falls from sqrt R to 1 and b grows to R. On
this slow path the residual of W_13 is a^2 - 1 > 0, and the direction that leads to the
least nuclear norm grows at this rate. With P = L/2 the path has
b' = P s^(1-1/P) (a^2 - 1) a^2 / b, s = 2 b^2 the top singular value, so that up to b
the growth has been

    I(b) = int 2 (a^2 - 1) dt = 2^(1/P) b^(2+2/P) / (2 R^2 (P + 1)).

Half of the way to rank one, b^2 = R^2 / 2, it is R^(2/P) / (4 (P + 1)). At depth 2 this
is an exponent, and the direction began at alpha^(1/mu_1), mu_1 = R: the boundary is at
ln(1/alpha) = R^3 / 8. Beyond, M = W^(1/P) has m' = 2 (a^2 - 1) m^P and began at m^(1-P)
= alpha^((1-P)/P) / R, which the growth times P - 1 must use up:
1/alpha = ((P - 1) R^(1+2/P) / (4 (P + 1)))^(P/(P-1)), R^7 and R^4 at depths 3 and 4.
"""

import numpy as np

from lowrankflow.studies.collection import AxisValue, Collection
from lowrankflow.studies.samples import Sample, combine


def exponent(depth: int) -> float:
    """Of R in the boundary: of ln(1/alpha) at depth 2, of 1/alpha beyond."""
    power = depth / 2
    return 3.0 if depth == 2 else (power + 2) / (power - 1)


def derived(R: float, depth: int) -> float:
    """log10(1/alpha) of the boundary, to leading order in R."""
    power = depth / 2
    if depth == 2:
        return R**3 / 8 / np.log(10)
    base = (power - 1) * R ** (1 + 2 / power) / (4 * (power + 1))
    return power / (power - 1) * float(np.log10(base))


def way(norm: float, R: float) -> float:
    """How far a nuclear norm is on the way from its least, 4 R, to that of rank one."""
    return (norm - 4 * R) / (2 * R**2 + 2 - 4 * R)


def scales(collection: Collection, R: float, depth: int, start: str) -> list[float]:
    """log10 of the scales at which there are runs, descending."""
    runs = collection.select(R=R, depth=depth, start=start)
    return [float(x) for x in runs.axis("log10_scale")][::-1]


def ways(
    collection: Collection, R: float, depth: int, start: str, **axes: AxisValue
) -> list[Sample]:
    """How far the ends are, a sample for each of the scales, descending."""
    return [
        collection.last(
            "nuclear_norm", R=R, depth=depth, start=start, log10_scale=scale, **axes
        ).map(lambda norm: way(float(norm), R))
        for scale in scales(collection, R, depth, start)
    ]


def boundary(
    collection: Collection, R: float, depth: int, start: str, *, share: float = 0.5
) -> Sample:
    """log10(1/scale) at which the flow's end passes a share of the way.

    Between two scales the logarithm of the share is taken as linear in log10(1/scale),
    at depth 2 in the logarithm of that. Not a number where no two scales enclose it.
    """
    at = -np.array(scales(collection, R, depth, start))
    x = np.log(at) if depth == 2 else at

    def crossing(*shares: float) -> float:
        y = np.array(shares)
        for k in range(len(y) - 1):
            if y[k] <= share < y[k + 1]:
                logs = np.log(np.maximum(y[k : k + 2], 1e-6))
                found = np.interp(np.log(share), logs, x[k : k + 2])
                return float(np.exp(found) if depth == 2 else found)
        return np.nan

    return combine(crossing, *ways(collection, R, depth, start))
