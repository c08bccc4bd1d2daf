"""Which entries are seen: uniform, power-law and symmetric samples of a matrix.

Equal seeds nest: with more entries asked for, those of the smaller sample are all there
again. A study over the number of measurements therefore adds entries and changes none.
Measurements run through the matrix row by row.
"""

import operator as python_operator

import numpy as np
from jaxtyping import Float, Int

from lowrankflow.errors import SpecError
from lowrankflow.problems.checks import checked_shape
from lowrankflow.problems.operators import (
    EntrySampling,
    SymmetricEntrySampling,
    described,
)
from lowrankflow.problems.truths import checked_exponent
from lowrankflow.seeds import generator


def uniform_entries(
    shape: tuple[int, int], *, num_observed: int, seed: int
) -> EntrySampling:
    """Distinct entries, every set of them equally likely.

    For a symmetric target these are ordered entries: (i, j) and (j, i) are drawn apart,
    which is how li2021's "30 % of the entries" of a 20 x 20 matrix recovers it.

    Args:
        shape: (rows, cols).
        num_observed: how many, in 1...rows x cols.
        seed: of the sample.

    Raises:
        SpecError: when there are not that many entries.

    Exactness: exactly `num_observed` entries.
    Cost: forms rows x cols indices.
    Source: arora2019, figures 1 and 2 (uniformly random observed entries).
    Differs: as in the source.
    """
    rows, cols = checked_shape("uniform_entries(shape)", shape)
    count = checked_count("uniform_entries(num_observed)", num_observed, rows * cols)
    order = generator(seed, "entries", "uniform").permutation(rows * cols)
    return _sampling(order[:count], (rows, cols))


def uniform_entries_with_replacement(
    shape: tuple[int, int], *, num_draws: int, seed: int
) -> EntrySampling:
    """Independent uniform draws, each entry that was hit observed once.

    About rows x cols x (1 - exp(-num_draws / (rows x cols))) distinct entries: near
    1813 for 2000 draws of 100 x 100. The stored notebook of arora2019 fits such sets.

    Args:
        shape: (rows, cols).
        num_draws: how many draws, >= 1.
        seed: of the draws.

    Raises:
        SpecError: when the number of draws is not a positive integer.

    Exactness: at most `num_draws` entries, distinct; how many hit one is forgotten.
    Source: arora2019, the notebook published with it.
    Differs: that it draws so is inferred from its numbers; its generator does not.
    """
    where = "uniform_entries_with_replacement"
    rows, cols, _ = repeated_draws(where, shape, num_draws=num_draws, seed=seed)
    return EntrySampling(rows, cols, checked_shape(f"{where}(shape)", shape))


def repeated_draws(
    where: str, shape: tuple[int, int], *, num_draws: int, seed: int
) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"], Int[np.ndarray, " m"]]:
    """(row, column, how often) of each entry hit by independent uniform draws.

    Args:
        where: who asks, for messages.
        shape: (rows, cols).
        num_draws: how many draws, >= 1.
        seed: of the draws.

    Raises:
        SpecError: when the number of draws is not a positive integer.

    Exactness: exact; the counts sum to `num_draws`.
    """
    rows, cols = checked_shape(f"{where}(shape)", shape)
    count = checked_count(f"{where}(num_draws)", num_draws, None)
    random = generator(seed, "entries", "replacement")
    drawn = random.integers(rows * cols, size=count)
    flat, counts = np.unique(drawn, return_counts=True)
    return *np.divmod(flat, cols), counts


def power_law_entries(
    shape: tuple[int, int], *, num_observed: int, exponent: float, seed: int
) -> EntrySampling:
    """Distinct entries drawn one by one, (i, j) with weight (i j)^-exponent.

    Indices count from one in the weight, so that the first rows and columns are seen
    most and the last hardly: the opposite of incoherent sampling.

    Args:
        shape: (rows, cols).
        num_observed: how many, in 1...rows x cols.
        exponent: >= 0; 0 is uniform sampling.
        seed: of the sample.

    Raises:
        SpecError: when there are not that many entries or the exponent is negative.

    Exactness: exactly `num_observed` entries.
    Cost: forms rows x cols numbers.
    Source: gunasekar2017, section 5 (power-law sampling); efraimidis2006.
    Differs: the paper does not say its exponent, nor whether rows are shuffled.
    """
    rows, cols = checked_shape("power_law_entries(shape)", shape)
    where = "power_law_entries(num_observed)"
    count = checked_count(where, num_observed, rows * cols)
    exponent = checked_exponent("power_law_entries", exponent)
    log_weight = -exponent * np.add.outer(_log_rank(rows), _log_rank(cols))
    return _sampling(_heaviest(log_weight.ravel(), count, seed), (rows, cols))


def uniform_symmetric_entries(
    size: int, *, num_observed: int, include_diagonal: bool, seed: int
) -> SymmetricEntrySampling:
    """Distinct entries of a symmetric matrix; (i, j) and (j, i) are one.

    Args:
        size: rows and columns.
        num_observed: how many of the size (size + 1) / 2 entries, or of the
            size (size - 1) / 2 off the diagonal.
        include_diagonal: whether diagonal entries are drawn, as likely as the others.
        seed: of the sample.

    Raises:
        SpecError: when there are not that many entries.

    Exactness: exactly `num_observed` entries.
    Cost: forms size^2 / 2 indices.
    Source: gunasekar2017, section 5 (matrix completion).
    Differs: as in the source.
    """
    where = "uniform_symmetric_entries"
    pairs = _upper_pairs(where, size, 0 if include_diagonal else 1)
    count = checked_count(f"{where}(num_observed)", num_observed, len(pairs))
    order = generator(seed, "entries", "uniform").permutation(len(pairs))
    rows, cols = pairs[np.sort(order[:count])].T
    return SymmetricEntrySampling(rows, cols, size)


def power_law_symmetric_entries(
    size: int, *, num_observed: int, exponent: float, seed: int
) -> SymmetricEntrySampling:
    """Distinct entries i <= j of a symmetric matrix with weight (i j)^-exponent.

    Args:
        size: rows and columns.
        num_observed: how many, in 1...size (size + 1) / 2; the diagonal takes part.
        exponent: >= 0; 0 is uniform sampling.
        seed: of the sample.

    Raises:
        SpecError: when there are not that many entries or the exponent is negative.

    Exactness: exactly `num_observed` entries.
    Cost: forms size^2 / 2 numbers.
    Source: gunasekar2017, section 5 (power-law sampling); efraimidis2006.
    Differs: the paper does not say its exponent, nor whether rows are shuffled.
    """
    where = "power_law_symmetric_entries"
    pairs = _upper_pairs(where, size, 0)
    count = checked_count(f"{where}(num_observed)", num_observed, len(pairs))
    exponent = checked_exponent(where, exponent)
    log_weight = -exponent * _log_rank(size)[pairs].sum(axis=1)
    rows, cols = pairs[np.sort(_heaviest(log_weight, count, seed))].T
    return SymmetricEntrySampling(rows, cols, size)


def unobserved_entries(
    operator: EntrySampling, *, num_entries: int, seed: int
) -> EntrySampling:
    """Distinct entries that an operator does not observe, to hold out.

    Args:
        operator: what is observed.
        num_entries: how many others, in 1...rows x cols - num_measurements.
        seed: of the sample.

    Raises:
        SpecError: when the operator observes no entries, or there are not that many
            left.

    Exactness: exactly `num_entries` entries, every set of them equally likely.
    Cost: forms rows x cols indices.
    """
    if not isinstance(operator, EntrySampling):
        raise SpecError(
            where="unobserved_entries(operator)",
            rule="only an EntrySampling says which entries it observes",
            got=described(operator),
            fix="Give the operator of a completion problem, problem.operator",
        )
    rows, cols = operator.shape
    free = np.ones((rows, cols), bool)
    free[np.asarray(operator.row_index), np.asarray(operator.col_index)] = False
    left = np.flatnonzero(free)
    count = checked_count("unobserved_entries(num_entries)", num_entries, left.size)
    order = generator(seed, "entries", "held out").permutation(left.size)
    return _sampling(left[order[:count]], (rows, cols))


def checked_count(where: str, count: int, largest: int | None) -> int:
    """How many measurements, as a Python int in 1...largest.

    Raises:
        SpecError: when it is not.
    """
    try:
        number = python_operator.index(count)
    except TypeError:
        number = 0
    if isinstance(count, bool) or number < 1:
        raise SpecError(
            where=where,
            rule="this is an integer >= 1",
            got=f"{count!r}",
            fix="Give for example 100",
        )
    if largest is not None and number > largest:
        raise SpecError(
            where=where,
            rule=f"there are {largest} entries to choose from, each taken once",
            got=f"{number}",
            fix=f"Give at most {largest}",
        )
    return number


def _sampling(flat: Int[np.ndarray, " m"], shape: tuple[int, int]) -> EntrySampling:
    rows, cols = np.divmod(np.sort(flat), shape[1])
    return EntrySampling(rows, cols, shape)


def _upper_pairs(where: str, size: int, first: int) -> Int[np.ndarray, "pairs 2"]:
    size, _ = checked_shape(f"{where}(size)", (size, size))
    return np.stack(np.triu_indices(size, first), axis=1)


def _log_rank(count: int) -> Float[np.ndarray, " count"]:
    return np.log(np.arange(1.0, count + 1))


def _heaviest(
    log_weight: Float[np.ndarray, " n"], count: int, seed: int
) -> Int[np.ndarray, " count"]:
    """A weighted draw without replacement: the first `count` of an exponential race.

    Item k finishes at a time of rate w_k; logarithms keep the smallest weights from
    underflowing, and the finishing order is that of draws one after the other.
    """
    random = generator(seed, "entries", "power law")
    finish = np.log(random.standard_exponential(log_weight.size)) - log_weight
    return np.argsort(finish, kind="stable")[:count]
