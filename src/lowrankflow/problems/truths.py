"""Low-rank matrices to recover: random ones with a given rank, size and spectrum.

`norm` is always the Frobenius norm. Without one, the mean squared entry is 1: norm n
for an n x n matrix, as in arora2019, and 20 for the 20 x 20 matrices of li2021.
"""

import numpy as np
from jaxtyping import Float

from lowrankflow.errors import SpecError
from lowrankflow.problems.checks import checked_shape, finite_array, real_number
from lowrankflow.problems.matrices import Numbers
from lowrankflow.seeds import generator


def gaussian_truth(
    shape: tuple[int, int], *, rank: int, seed: int, norm: float | None = None
) -> Float[np.ndarray, "rows cols"]:
    """U V' with independent standard normal factors, rescaled.

    Args:
        shape: (rows, cols).
        rank: columns of U and of V, in 1...min(rows, cols).
        seed: of the two factors, which draw independently.
        norm: the Frobenius norm, > 0; unless given, the mean squared entry is 1.

    Raises:
        SpecError: when the rank does not fit the shape or the norm is not positive.

    Exactness: exact; the rank is exactly `rank` with probability 1.
    Cost: forms rows x cols numbers.
    Source: arora2019, figures 1 and 2, and the generator published with it.
    Differs: as in the source.
    """
    rows, cols = checked_shape("gaussian_truth(shape)", shape)
    rank = _checked_rank("gaussian_truth(rank)", rank, min(rows, cols))
    left = generator(seed, "truth", "left").standard_normal((rows, rank))
    right = generator(seed, "truth", "right").standard_normal((cols, rank))
    return _rescaled("gaussian_truth(norm)", left @ right.T, norm)


def gaussian_psd_truth(
    size: int, *, rank: int, seed: int, norm: float | None = None
) -> Float[np.ndarray, "size size"]:
    """U U' with a standard normal factor, rescaled.

    Args:
        size: rows and columns.
        rank: columns of U, in 1...size.
        seed: of the factor.
        norm: the Frobenius norm, > 0; unless given, the mean squared entry is 1.

    Raises:
        SpecError: when the rank does not fit the size or the norm is not positive.

    Exactness: exact; symmetric to the last bit.
    Cost: forms size x size numbers.
    Source: li2021, the experiments on matrix completion (20 x 20, rank 3, norm 20).
    Differs: as in the source.
    """
    size, _ = checked_shape("gaussian_psd_truth(size)", (size, size))
    rank = _checked_rank("gaussian_psd_truth(rank)", rank, size)
    factor = generator(seed, "truth", "left").standard_normal((size, rank))
    return _rescaled("gaussian_psd_truth(norm)", _gram(factor), norm)


def orthogonal_truth(
    shape: tuple[int, int], *, singular_values: Numbers, seed: int
) -> Float[np.ndarray, "rows cols"]:
    """U diag(s) V' with random orthonormal frames and the singular values given.

    Equal singular values are `numpy.full(rank, value)`; decaying ones come from
    `power_law_spectrum`.

    Args:
        shape: (rows, cols).
        singular_values: 1...min(rows, cols) numbers >= 0, descending.
        seed: of the two frames, which draw independently.

    Raises:
        DataError: when the values are not finite numbers.
        SpecError: when they are too many, none, negative or not descending.

    Exactness: the singular values are those given, to rounding.
    Cost: two QR decompositions of rank columns; forms rows x cols numbers.
    Source: gunasekar2017, figure 1 (the decaying spectrum).
    Differs: the paper does not say how its singular vectors are drawn.
    """
    rows, cols = checked_shape("orthogonal_truth(shape)", shape)
    where = "orthogonal_truth(singular_values)"
    values = _checked_spectrum(where, singular_values, min(rows, cols))
    left = random_frame(rows, values.size, "left", seed=seed)
    right = random_frame(cols, values.size, "right", seed=seed)
    return (left * values) @ right.T


def orthogonal_psd_truth(
    size: int, *, eigenvalues: Numbers, seed: int
) -> Float[np.ndarray, "size size"]:
    """Q diag(s) Q' with a random orthonormal frame and the eigenvalues given.

    Args:
        size: rows and columns.
        eigenvalues: 1...size numbers >= 0, descending; the others are zero.
        seed: of the frame.

    Raises:
        DataError: when the values are not finite numbers.
        SpecError: when they are too many, none, negative or not descending.

    Exactness: the eigenvalues are those given, to rounding; symmetric to the last bit.
    Cost: a QR decomposition of rank columns; forms size x size numbers.
    Source: gunasekar2017, figure 1 (the decaying spectrum).
    Differs: the paper does not say how its eigenvectors are drawn.
    """
    size, _ = checked_shape("orthogonal_psd_truth(size)", (size, size))
    where = "orthogonal_psd_truth(eigenvalues)"
    values = _checked_spectrum(where, eigenvalues, size)
    return _gram(random_frame(size, values.size, "left", seed=seed) * np.sqrt(values))


def power_law_spectrum(
    count: int, *, exponent: float, norm: float
) -> Float[np.ndarray, " count"]:
    """The singular values k^-exponent, k = 1...count, rescaled.

    Args:
        count: how many, >= 1.
        exponent: >= 0; 0 makes them equal, and gunasekar2017 has 1.5.
        norm: the square root of the sum of their squares, > 0.

    Returns:
        `count` positive numbers, descending.

    Raises:
        SpecError: when an argument is out of its range.

    Exactness: exact.
    Source: gunasekar2017, figure 1.
    Differs: the paper also ties the nuclear norm to the Frobenius norm, which no
        rescaling of k^-1.5 can do.
    """
    count = _checked_rank("power_law_spectrum(count)", count, None)
    values = np.arange(1.0, count + 1) ** -checked_exponent(
        "power_law_spectrum", exponent
    )
    return values * (_checked_norm("power_law_spectrum(norm)", norm) / _norm(values))


def random_frame(
    rows: int, cols: int, *names: str, seed: int
) -> Float[np.ndarray, "rows cols"]:
    """Orthonormal columns, uniform over all such frames; names tell frames apart."""
    normal = generator(seed, "frame", *names).standard_normal((rows, cols))
    frame, triangle = np.linalg.qr(normal)
    # QR alone is not uniform: the signs of R's diagonal must be taken out.
    return frame * np.where(np.diag(triangle) < 0, -1.0, 1.0)


def checked_exponent(name: str, exponent: float) -> float:
    """The exponent of a power law as a float.

    Raises:
        SpecError: when it is not a finite number >= 0.
    """
    if not 0 <= real_number(exponent) < np.inf:
        raise SpecError(
            where=f"{name}(exponent)",
            rule="a power law k^-exponent decays: the exponent is finite and >= 0",
            got=f"{exponent!r}",
            fix="Give for example exponent=1.5",
        )
    return float(exponent)


def _checked_rank(where: str, rank: int, largest: int | None) -> int:
    given = real_number(rank)
    whole = np.isfinite(given) and given == np.trunc(given)
    number = int(given) if whole else 0
    if number < 1 or (largest is not None and number > largest):
        limit = "..." if largest is None else f"...{largest}"
        raise SpecError(
            where=where,
            rule=f"this is an integer in 1{limit}",
            got=f"{rank!r}",
            fix="Lower it, or make the matrix larger"
            if number > 0
            else "Give 1 or more",
        )
    return number


def _checked_spectrum(
    where: str, values: Numbers, largest: int
) -> Float[np.ndarray, " rank"]:
    spectrum = finite_array(where, values, ndim=1)
    descending = bool(np.all(np.diff(spectrum) <= 0))
    if not 1 <= spectrum.size <= largest or spectrum.min() < 0 or not descending:
        raise SpecError(
            where=where,
            rule=f"these are 1...{largest} numbers >= 0 in descending order",
            got=f"{spectrum.size} numbers, {np.array2string(spectrum, threshold=6)}",
            fix="Sort them, numpy.sort(values)[::-1], and leave none below zero",
        )
    return spectrum


def _checked_norm(where: str, norm: float) -> float:
    if not 0 < real_number(norm) < np.inf:
        raise SpecError(
            where=where,
            rule="a Frobenius norm is positive and finite",
            got=f"{norm!r}",
            fix="Give for example 1.0, or leave it out for a mean squared entry of 1",
        )
    return float(norm)


def _rescaled(
    where: str, matrix: np.ndarray, norm: float | None
) -> Float[np.ndarray, "rows cols"]:
    wanted = matrix.size**0.5 if norm is None else _checked_norm(where, norm)
    return matrix * (wanted / _norm(matrix))


def _norm(array: np.ndarray) -> float:
    return float(np.linalg.norm(array))


def _gram(factor: np.ndarray) -> Float[np.ndarray, "size size"]:
    """F F', made symmetric to the last bit, which a matrix product need not be."""
    product = factor @ factor.T
    return (product + product.T) / 2
