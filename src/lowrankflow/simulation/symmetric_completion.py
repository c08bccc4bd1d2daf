"""Completion of a symmetric matrix: which truth, and how its entries are drawn."""

from typing import Literal

from lowrankflow import problems
from lowrankflow.problems import SensingProblem


def symmetric_completion(
    *,
    size: int,
    rank: int,
    num_observed: int,
    seed: int,
    norm: float,
    decay: float | None = None,
    sampling_exponent: float = 0.0,
    normalization: Literal["sum", "mean"] = "sum",
) -> SensingProblem:
    """Complete a p.s.d. matrix from some of its entries i <= j.

    Args:
        size: rows and columns.
        rank: of the truth, in 1...size.
        num_observed: distinct entries, (i, j) and (j, i) being one.
        seed: of truth and entries, each drawn independently.
        norm: Frobenius norm of the truth.
        decay: eigenvalues k^-decay of a random frame; U U' with normal U without it.
        sampling_exponent: an entry has weight (i j)^-exponent; 0 is uniform sampling.
        normalization: "sum" or "mean".

    Raises:
        SpecError: when a number is out of its range.

    Exactness: exact; without noise.
    Cost: forms size x size numbers.
    Source: gunasekar2017, section 5 and figure 3.
    Differs: the paper says neither the norm of its truth nor the exponent.
    """
    if decay is None:
        target = problems.gaussian_psd_truth(size, rank=rank, seed=seed, norm=norm)
    else:
        values = problems.power_law_spectrum(rank, exponent=decay, norm=norm)
        target = problems.orthogonal_psd_truth(size, eigenvalues=values, seed=seed)
    operator = problems.power_law_symmetric_entries(
        size, num_observed=num_observed, exponent=sampling_exponent, seed=seed
    )
    return problems.measure(target, operator, normalization=normalization)
