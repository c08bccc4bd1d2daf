"""Row and column effects, and measurements kept aside: what completions begin with."""

from dataclasses import dataclass

import equinox as eqx
import numpy as np
from jaxtyping import Float, Int

from lowrankflow.errors import SpecError
from lowrankflow.problems.checks import real_number
from lowrankflow.problems.matrices import Numbers
from lowrankflow.problems.operators import EntrySampling, described
from lowrankflow.problems.problem import HeldOut, SensingProblem, checked_problem
from lowrankflow.seeds import generator


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
    problem: SensingProblem, *, penalty: float
) -> tuple[SensingProblem, Effects]:
    """The problem of what row and column effects leave, and the effects.

    The mean is that of the observed entries; the effects minimize
    sum (y - mean - row - col)^2 + penalty (||rows||^2 + ||cols||^2). A user who rates
    high and a film that is rated high then cost no rank.

    Args:
        problem: a completion. Its held-out measurements have the same effects
            subtracted; a target is dropped.
        penalty: > 0; as many observations as it takes to believe half of an effect.

    Raises:
        SpecError: when entries are not what is observed, or the penalty is not above 0.

    Exactness: within 1e-12, relatively.
    Cost: some tens of passes over the entries.
    Source: koren2009, section on baseline predictors.
    Differs: one penalty for rows and columns.
    """
    operator = _entries_of("remove_effects(problem)", problem)
    if not 0 < real_number(penalty) < np.inf:
        raise SpecError(
            where="remove_effects(penalty)",
            rule="this is a positive number of observations",
            got=f"{penalty!r}"[:200],
            fix="Give for example 5.0",
        )
    y = np.asarray(problem.measurements)
    mean = float(y.mean())
    rows, cols = np.asarray(operator.row_index), np.asarray(operator.col_index)
    effects = Effects(mean=mean, **_solve(rows, cols, y - mean, problem.shape, penalty))
    held_out = problem.held_out
    if held_out is not None:
        aside = _entries_of("remove_effects(problem.held_out)", held_out)
        seen = effects.at(aside.row_index, aside.col_index)
        held_out = HeldOut(aside, np.asarray(held_out.measurements) - seen)
    left = SensingProblem(
        operator,
        y - effects.at(rows, cols),
        loss=problem.loss,
        normalization=problem.normalization,
        held_out=held_out,
    )
    return left, effects


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


def _part(operator: EntrySampling, chosen: np.ndarray) -> EntrySampling:
    rows, cols = np.asarray(operator.row_index), np.asarray(operator.col_index)
    # A part of what was checked needs no check.
    return eqx.tree_at(
        lambda o: (o.row_index, o.col_index), operator, (rows[chosen], cols[chosen])
    )


def _entries_of(where: str, problem: SensingProblem | HeldOut) -> EntrySampling:
    if not isinstance(problem, HeldOut):
        problem = checked_problem(where, problem)
    if not isinstance(problem.operator, EntrySampling):
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
    shape: tuple[int, int],
    penalty: float,
) -> dict[str, np.ndarray]:
    """Conjugate gradients on the normal equations, scaled by their diagonal."""
    split = shape[0]
    diagonal = np.concatenate(
        [np.bincount(rows, minlength=split), np.bincount(cols, minlength=shape[1])]
    )
    diagonal = diagonal + float(penalty)

    def gathered(values: np.ndarray) -> np.ndarray:
        by_row = np.bincount(rows, values, minlength=split)
        return np.concatenate([by_row, np.bincount(cols, values, minlength=shape[1])])

    found = np.zeros(diagonal.size)
    left = gathered(y)
    direction = left / diagonal
    power = aim = float(left @ direction)
    while power > 1e-24 * aim:
        seen = direction[:split][rows] + direction[split:][cols]
        curved = gathered(seen) + penalty * direction
        length = power / float(direction @ curved)
        found += length * direction
        left -= length * curved
        towards = left / diagonal
        before, power = power, float(left @ towards)
        direction = towards + (power / before) * direction
    return {"rows": found[:split], "cols": found[split:]}
