"""What the authors' notebook shows of completion: printed, or read off its curves.

Matrices of 100 x 100 and rank 5 with 2,000 and 5,000 entries, one instance of each. Its
axis is the Frobenius norm of the start, ten times our `init_scale`, by which the tables
here go. Reconstruction errors are good to ten per cent, nuclear norms to 0.1, effective
ranks to 0.05; the minima of the nuclear norm are printed.
"""

from collections.abc import Mapping

SCALES = (1e-3, 1e-4, 1e-5, 1e-6)
FEW, MANY = 2000, 5000
TRUE_NORM = {FEW: 219.5, MANY: 221.2}
TRUE_RANK = {FEW: 4.92, MANY: 4.92}
MIN_NORM = {FEW: 210.15163, MANY: 221.02568}
MIN_ERROR = {FEW: 0.114, MANY: 8.1e-7}
MIN_RANK = {FEW: 9.47}


def _by_scale(*values: float) -> Mapping[float, float]:
    return dict(zip(SCALES, values, strict=True))


_SAME = _by_scale(4.0e-6, 4.0e-6, 4.0e-6, 4.0e-6)
# By number of entries and depth, from the largest start to the smallest.
ERRORS = {
    (FEW, 2): _by_scale(0.100, 0.066, 0.038, 0.024),
    (FEW, 3): _by_scale(4.1e-5, 2.9e-5, 3.0e-5, 2.8e-5),
    (FEW, 4): _by_scale(2.2e-5, 2.9e-5, 2.8e-5, 2.3e-5),
    (MANY, 2): _by_scale(8.7e-5, 1.7e-5, 6.2e-6, 5.1e-6),
    (MANY, 3): _SAME,
    (MANY, 4): _SAME,
}
_DEEP_NORM = _by_scale(219.5, 219.3, 219.3, 219.3)
NORMS = {
    (FEW, 2): _by_scale(215.5, 215.7, 216.4, 217.2),
    (FEW, 3): _DEEP_NORM,
    (FEW, 4): _DEEP_NORM,
    (MANY, 2): _by_scale(222.3, 221.5, 221.3, 221.2),
}
_DEEP_RANK = _by_scale(5.0, 4.93, 4.93, 4.93)
RANKS = {
    (FEW, 2): _by_scale(10.1, 8.4, 7.2, 6.6),
    (FEW, 3): _DEEP_RANK,
    (FEW, 4): _DEEP_RANK,
    (MANY, 2): _by_scale(5.35, 5.12, 5.03, 4.97),
}
