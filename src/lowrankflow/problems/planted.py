"""Problems whose answer is known: a random low-rank truth and measurements of it.

A planted problem is a truth, an operator and `measure`, which puts them together; each
of the three can be chosen freely. The four `planted_*` functions are the families of
the papers in one call.
"""

from typing import Literal

import numpy as np

from lowrankflow.problems.checks import checked_same_shape, finite_array
from lowrankflow.problems.gaussian_sensing import (
    SensingScale,
    gaussian_sensing,
    sensing_deviation,
    symmetric_gaussian_sensing,
)
from lowrankflow.problems.losses import AbstractLoss
from lowrankflow.problems.matrices import Numbers
from lowrankflow.problems.operators import AbstractSensingOperator, checked_operator
from lowrankflow.problems.problem import HeldOut, SensingProblem
from lowrankflow.problems.sampling import uniform_entries, unobserved_entries
from lowrankflow.problems.truths import gaussian_psd_truth, gaussian_truth


def measure(
    target: Numbers,
    operator: AbstractSensingOperator,
    *,
    held_out: AbstractSensingOperator | None = None,
    loss: AbstractLoss | None = None,
    normalization: Literal["sum", "mean"] = "sum",
) -> SensingProblem:
    """The problem of recovering a known matrix from measurements of it.

    Args:
        target: W*, rows x cols, finite.
        operator: what is measured, of the same shape.
        held_out: what is measured as well and kept aside to judge a solution by.
        loss: the cost of one prediction; squared unless given.
        normalization: "sum" or "mean".

    Returns:
        The problem with y = 𝒜(W*) without noise, and W* as its target.

    Raises:
        DataError: when a shape disagrees or a value is not finite.
        SpecError: when the operator or `held_out` is no operator, or the normalization
            another word.

    Exactness: exact.
    """
    array = finite_array("measure(target)", target, ndim=2)
    checked_operator("measure(operator)", operator)
    checked_same_shape("measure(target)", array.shape, operator.shape)
    aside = None
    if held_out is not None:
        checked_operator("measure(held_out)", held_out)
        checked_same_shape("measure(held_out)", held_out.shape, operator.shape)
        aside = HeldOut(held_out, np.asarray(held_out.apply(array)))
    return SensingProblem(
        operator,
        np.asarray(operator.apply(array)),
        loss=loss,
        normalization=normalization,
        target=array,
        held_out=aside,
    )


def planted_completion(
    shape: tuple[int, int],
    *,
    rank: int,
    num_observed: int,
    seed: int,
    norm: float | None = None,
    num_held_out: int = 0,
    normalization: Literal["sum", "mean"] = "sum",
) -> SensingProblem:
    """Complete a Gaussian low-rank matrix from uniformly random entries.

    Args:
        shape: (rows, cols); arora2019 has (100, 100).
        rank: of the truth, in 1...min(rows, cols); arora2019 has 5 and 10.
        num_observed: distinct entries observed; arora2019 has 2000 and 5000.
        seed: of truth, observed and held-out entries, each drawn independently.
        norm: Frobenius norm of the truth; unless given, the mean squared entry is 1.
        num_held_out: other entries to keep aside, uniformly random; 0 for none.
        normalization: "sum" or "mean"; arora2019's code has the mean.

    Raises:
        SpecError: when the rank or a number of entries does not fit the shape.

    Exactness: exact; without noise.
    Cost: forms rows x cols numbers.
    Source: arora2019, figures 1 and 2.
    Differs: sampling without replacement, as its generator and not as its notebook.
    """
    operator = uniform_entries(shape, num_observed=num_observed, seed=seed)
    target = gaussian_truth(shape, rank=rank, seed=seed, norm=norm)
    held_out = None
    if num_held_out != 0:
        held_out = unobserved_entries(operator, num_entries=num_held_out, seed=seed)
    return measure(target, operator, held_out=held_out, normalization=normalization)


def planted_psd_completion(
    size: int,
    *,
    rank: int,
    num_observed: int,
    seed: int,
    norm: float | None = None,
    num_held_out: int = 0,
    normalization: Literal["sum", "mean"] = "sum",
) -> SensingProblem:
    """Complete a Gaussian low-rank p.s.d. matrix from uniformly random ordered entries.

    An entry and its mirror image are drawn apart: where both are observed they count
    twice in the loss. For entries drawn as unordered pairs, put `gaussian_psd_truth`
    and `uniform_symmetric_entries` together with `measure`.

    Args:
        size: rows and columns; li2021 has 20.
        rank: of the truth, in 1...size; li2021 has 3.
        num_observed: distinct ordered entries; li2021 has 30 % of them, 120.
        seed: of truth, observed and held-out entries, each drawn independently.
        norm: Frobenius norm of the truth; unless given, the mean squared entry is 1.
        num_held_out: other ordered entries to keep aside; 0 for none. The mirror image
            of one may be observed.
        normalization: "sum" or "mean".

    Raises:
        SpecError: when the rank or a number of entries does not fit the size.

    Exactness: exact; without noise.
    Cost: forms size x size numbers.
    Source: li2021, the experiments on matrix completion.
    Differs: that its entries are ordered ones is inferred from what it recovers.
    """
    shape = (size, size)
    operator = uniform_entries(shape, num_observed=num_observed, seed=seed)
    target = gaussian_psd_truth(size, rank=rank, seed=seed, norm=norm)
    held_out = None
    if num_held_out != 0:
        held_out = unobserved_entries(operator, num_entries=num_held_out, seed=seed)
    return measure(target, operator, held_out=held_out, normalization=normalization)


def planted_sensing(
    shape: tuple[int, int],
    *,
    rank: int,
    num_measurements: int,
    seed: int,
    scale: SensingScale = "unit_measurements",
    norm: float | None = None,
    num_held_out: int = 0,
    normalization: Literal["sum", "mean"] = "sum",
) -> SensingProblem:
    """Recover a Gaussian low-rank matrix from Gaussian measurements.

    Args:
        shape: (rows, cols); arora2019 has (100, 100).
        rank: of the truth, in 1...min(rows, cols).
        num_measurements: how many; arora2019 has 2000 and 5000.
        seed: of truth and measurements, each drawn independently.
        scale: standard deviation of the entries of A_k, see `gaussian_sensing`;
            arora2019's unless given.
        norm: Frobenius norm of the truth; unless given, the mean squared entry is 1.
        num_held_out: further measurements to keep aside, of the same scale; 0 for none.
        normalization: "sum" or "mean"; arora2019's code has the mean.

    Raises:
        SpecError: when the rank does not fit the shape or a number is out of range.

    Exactness: exact; without noise.
    Cost: forms num_measurements x rows x cols numbers.
    Source: arora2019, appendix on matrix sensing.
    Differs: as in the source.
    """
    target = gaussian_truth(shape, rank=rank, seed=seed, norm=norm)
    operator = gaussian_sensing(
        shape, num_measurements=num_measurements, scale=scale, seed=seed
    )
    held_out = None
    if num_held_out != 0:
        where = "planted_sensing(scale)"
        held_out = gaussian_sensing(
            shape,
            num_measurements=num_held_out,
            # "near_isometry" refers to the measurements made, not to those aside.
            scale=sensing_deviation(where, scale, num_measurements, target.size),
            seed=seed,
            part="held out",
        )
    return measure(target, operator, held_out=held_out, normalization=normalization)


def planted_psd_sensing(
    size: int,
    *,
    rank: int,
    num_measurements: int,
    seed: int,
    scale: SensingScale,
    norm: float | None = None,
    normalization: Literal["sum", "mean"] = "sum",
) -> SensingProblem:
    """Recover a Gaussian low-rank p.s.d. matrix from symmetric Gaussian measurements.

    Args:
        size: rows and columns; gunasekar2017 has 50.
        rank: of the truth, in 1...size; gunasekar2017 has 2.
        num_measurements: how many; gunasekar2017 has 3 x size x rank and
            size x rank / 4.
        seed: of truth and measurements, each drawn independently.
        scale: see `symmetric_gaussian_sensing`.
        norm: Frobenius norm of the truth; unless given, the mean squared entry is 1.
        normalization: "sum" or "mean".

    Raises:
        SpecError: when the rank does not fit the size or a number is out of range.

    Exactness: exact; without noise.
    Cost: forms num_measurements x size x size numbers.
    Source: gunasekar2017, figure 1.
    Differs: the paper does not say the norm of its truth or the scale of its A_k.
    """
    target = gaussian_psd_truth(size, rank=rank, seed=seed, norm=norm)
    operator = symmetric_gaussian_sensing(
        size, num_measurements=num_measurements, scale=scale, seed=seed
    )
    return measure(target, operator, normalization=normalization)
