"""Row and column effects, and measurements kept aside: what completions begin with."""

from dataclasses import dataclass
from typing import Literal, get_args

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float, Int

from lowrankflow.errors import SpecError
from lowrankflow.problems.checks import real_number
from lowrankflow.problems.matrices import Numbers
from lowrankflow.problems.operators import described
from lowrankflow.problems.problem import HeldOut, SensingProblem, checked_problem
from lowrankflow.problems.weighted_entries import EntryOperator, entry_scale
from lowrankflow.seeds import generator

Which = Literal["both", "rows", "columns"]
# Conjugate gradients end by themselves, unless rounding keeps them from it.
_MOST_STEPS = 1000


@dataclass(frozen=True, kw_only=True, eq=False)
class Effects:
    """mean + row effect + column effect, of every entry.

    Args:
        mean: of the observed entries.
        rows: one number per row; 0 for a row without observations.
        cols: one per column, likewise.
    """

    mean: float
    rows: Float[np.ndarray, " rows"]
    cols: Float[np.ndarray, " cols"]

    def at(
        self, row_index: Int[Numbers, " n"], col_index: Int[Numbers, " n"]
    ) -> Float[np.ndarray, " n"]:
        """Their sum at entries."""
        rows, cols = np.asarray(row_index), np.asarray(col_index)
        return self.mean + self.rows[rows] + self.cols[cols]


def remove_effects(
    problem: SensingProblem,
    *,
    penalty: float,
    which: Which = "both",
) -> tuple[SensingProblem, Effects]:
    """The problem of what row and column effects leave, and the effects.

    The mean is that of the observed entries; the effects minimize
    sum (y - mean - row - col)^2 + penalty (||rows||^2 + ||cols||^2). A user who rates
    high and a film that is rated high then cost no rank. Where entries have weights,
    the mean and the sum are weighted.

    Args:
        problem: a completion. Its held-out measurements have the same effects
            subtracted; a target is dropped.
        penalty: > 0; as many observations (of weight 1) as it takes to believe half of
            an effect. 0 is allowed where only one kind is removed: "columns" with 0 are
            the columns' own means.
        which: the effects that are removed; those of the other kind are 0.

    Returns:
        The problem that is left, of the same kind, and the effects; the effect of a row
        or column without observations is 0.

    Raises:
        SpecError: when entries are not what is observed, the penalty is out of its
            range, or `which` is another word.

    Exactness: within 1e-12, relatively; exact where one kind is removed.
    Cost: some tens of passes over the entries; two where one kind is removed.
    Source: koren2009, section on baseline predictors.
    Differs: one penalty for rows and columns; weights.
    """
    operator = _entries_of("remove_effects(problem)", problem)
    if which not in get_args(Which):
        raise SpecError(
            where="remove_effects(which)",
            rule='the effects of "rows", of "columns" or of "both" are removed',
            got=f"{which!r}"[:200],
            fix='Leave it out for "both"',
        )
    amount = real_number(penalty)
    if not (0 < amount < np.inf or (amount == 0 and which != "both")):
        raise SpecError(
            where="remove_effects(penalty)",
            rule="this is a positive number of observations"
            + (", which tells rows from columns" if which == "both" else ", or 0"),
            got=f"{penalty!r}"[:200],
            fix="Give for example 5.0",
        )
    y, weights = _values(operator, problem.measurements)
    mean = float(np.average(y, weights=weights))
    rows, cols = np.asarray(operator.row_index), np.asarray(operator.col_index)
    each = np.ones(y.size) if weights is None else weights
    left = y - mean
    if which == "both":
        found = _solve(rows, cols, left, each, problem.shape, amount)
    else:
        found = {"rows": np.zeros(problem.shape[0]), "cols": np.zeros(problem.shape[1])}
        name, index = ("rows", rows) if which == "rows" else ("cols", cols)
        size = found[name].size
        total = np.bincount(index, each * left, minlength=size)
        count = np.bincount(index, each, minlength=size) + amount
        np.divide(total, count, out=found[name], where=count > 0)
    effects = Effects(mean=mean, **found)
    held_out = problem.held_out
    if held_out is not None:
        aside = _entries_of("remove_effects(problem.held_out)", held_out)
        held_out = HeldOut(aside, _without(effects, aside, held_out.measurements))
    remaining = SensingProblem(
        operator,
        _without(effects, operator, problem.measurements),
        loss=problem.loss,
        normalization=problem.normalization,
        held_out=held_out,
    )
    return remaining, effects


def _values(
    operator: EntryOperator, measurements: Numbers
) -> tuple[np.ndarray, np.ndarray | None]:
    """The entries themselves, and their weights."""
    y, scale = np.asarray(measurements), entry_scale(operator)
    return (y, None) if scale is None else (y / scale, scale**2)


def _without(
    effects: Effects, operator: EntryOperator, measurements: Numbers
) -> np.ndarray:
    """The measurements of what the effects leave."""
    seen = effects.at(operator.row_index, operator.col_index)
    scale = entry_scale(operator)
    return np.asarray(measurements) - (seen if scale is None else scale * seen)


def hold_out(problem: SensingProblem, *, fraction: float, seed: int) -> SensingProblem:
    """The problem with a random part of its observed entries kept aside instead.

    Args:
        problem: a completion; what it held out before is dropped.
        fraction: of the observed entries, between 0 and 1.
        seed: of the choice.

    Raises:
        SpecError: when entries are not what is observed, or the fraction leaves nothing
            on one side.

    Exactness: round(fraction x m) entries, every set of them equally likely.
    """
    operator = _entries_of("hold_out(problem)", problem)
    m = operator.num_measurements
    share = real_number(fraction)
    count = round(share * m) if 0 < share < 1 else 0
    if not 0 < count < m:
        raise SpecError(
            where="hold_out(fraction)",
            rule=f"a part of the {m} entries is kept aside, and a part is left",
            got=f"{fraction!r}"[:200],
            fix="Give a number between 0 and 1, for example 0.1",
        )
    chosen = np.zeros(m, bool)
    chosen[generator(seed, "hold out").permutation(m)[:count]] = True
    y = np.asarray(problem.measurements)
    aside = HeldOut(_part(operator, chosen), y[chosen])
    return eqx.tree_at(
        lambda p: (p.operator, p.measurements, p.held_out),
        problem,
        (_part(operator, ~chosen), y[~chosen], aside),
        is_leaf=lambda leaf: leaf is None,
    )


def _part(operator: EntryOperator, chosen: np.ndarray) -> EntryOperator:
    # A part of what was checked needs no check.
    return eqx.tree_at(
        jax.tree.leaves,
        operator,
        [np.asarray(leaf)[chosen] for leaf in jax.tree.leaves(operator)],
    )


def _entries_of(where: str, problem: SensingProblem | HeldOut) -> EntryOperator:
    if not isinstance(problem, HeldOut):
        problem = checked_problem(where, problem)
    if not isinstance(problem.operator, EntryOperator):
        raise SpecError(
            where=where,
            rule="entries are observed, one by one",
            got=described(problem.operator),
            fix="Give a problem from SensingProblem.from_entries or from_matrix",
        )
    return problem.operator


def _solve(
    rows: np.ndarray,
    cols: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray,
    shape: tuple[int, int],
    penalty: float,
) -> dict[str, np.ndarray]:
    """Conjugate gradients on the normal equations, scaled by their diagonal."""
    split = shape[0]

    def gathered(values: np.ndarray) -> np.ndarray:
        by_row = np.bincount(rows, values, minlength=split)
        return np.concatenate([by_row, np.bincount(cols, values, minlength=shape[1])])

    diagonal = gathered(weights) + penalty
    found = np.zeros(diagonal.size)
    left = gathered(weights * y)
    direction = left / diagonal
    power = aim = float(left @ direction)
    for _ in range(_MOST_STEPS):
        if not power > 1e-24 * aim:
            break
        seen = direction[:split][rows] + direction[split:][cols]
        curved = gathered(weights * seen) + penalty * direction
        length = power / float(direction @ curved)
        found += length * direction
        left -= length * curved
        towards = left / diagonal
        before, power = power, float(left @ towards)
        direction = towards + (power / before) * direction
    return {"rows": found[:split], "cols": found[split:]}
