r"""Flows of U U' and greedy learning for very many 3 x 3 completion problems at once.

The problems share what is observed and differ in the values, as in the exhaustive grid
of gunasekar2017. Preparation (the closed first phase, graded hidden units; see
`first_phase`) works on all of them together; the flow itself is compiled and goes
through them one by one (`small_flow_kernel`), each with its own steps, so that none
waits for another.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from lowrankflow.errors import DataError, SpecError
from lowrankflow.factorizations import positive
from lowrankflow.problems import finite_array
from lowrankflow.result import Result
from lowrankflow.seeds import generator

_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
# What the compiled loop says of its end, in the order of its codes.
_ENDS = (
    Result.converged,
    Result.stationary,
    Result.iterations_reached,
    Result.step_too_small,
)
_MAX_STEPS = 20_000
# Entries of eigenvectors below this are rounding; where H falls into blocks, they would
# carry a unit into a block that it does not belong to.
_ROUNDING = 1e-15
# The last stage of greedy learning goes on to a pace slower by this.
_LAST = 1e-3


@dataclass(frozen=True, kw_only=True, eq=False)
class SmallCompletions:
    """Symmetric 3 x 3 completion problems with the same entries observed.

    The loss is 1/2 sum (X_ij - value)^2 over the observed pairs i <= j, so that an
    off-diagonal entry counts once.

    Args:
        pairs: the observed (row, column), row <= column, distinct.
        values: of the observed entries, one row per problem; finite, none all zero.

    Raises:
        SpecError: when the pairs are no such.
        DataError: when the values do not fit them or are not finite.
    """

    pairs: Int[np.ndarray, "measurements 2"]
    values: Float[np.ndarray, "problems measurements"]

    def __post_init__(self):
        pairs = [tuple(pair) for pair in np.asarray(self.pairs).tolist()]
        if len(set(pairs)) != len(pairs) or not set(pairs) <= set(_PAIRS):
            raise SpecError(
                where="SmallCompletions(pairs)",
                rule="these are distinct entries of the upper triangle of 3 x 3",
                got=f"{pairs}",
                fix="Give for example ExhaustiveGrid().masks[0]",
            )
        rule = f"one row per problem, with a number for each of {len(pairs)} pairs"
        values = _fitting("SmallCompletions(values)", self.values, (len(pairs),), rule)
        object.__setattr__(self, "pairs", np.array(pairs, int))
        object.__setattr__(self, "values", values)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def weights(self) -> Float[np.ndarray, " 6"]:
        """1 for the observed entries of the upper triangle, row by row; 0 elsewhere."""
        observed = set(map(tuple, self.pairs.tolist()))
        return np.array([float(pair in observed) for pair in _PAIRS])

    @property
    def targets(self) -> Float[np.ndarray, "problems 6"]:
        """The values in the same order; 0 where nothing is observed."""
        targets = np.zeros((len(self), 6))
        for pair, column in zip(self.pairs.tolist(), self.values.T, strict=True):
            targets[:, _PAIRS.index(tuple(pair))] = column
        return targets

    @property
    def sizes(self) -> Float[np.ndarray, " problems"]:
        """||y|| of each."""
        return np.linalg.norm(self.values, axis=1)

    def pull(
        self, matrices: Float[np.ndarray, "problems 3 3"]
    ) -> Float[np.ndarray, "problems 3 3"]:
        """-sym grad f of each problem at its matrix."""
        pulls = np.zeros((len(self), 3, 3))
        for (i, j), value in zip(self.pairs.tolist(), self.values.T, strict=True):
            force = value - matrices[:, i, j]
            pulls[:, i, j] = pulls[:, j, i] = force if i == j else force / 2
        return pulls

    def residuals(
        self, matrices: Float[np.ndarray, "problems 3 3"]
    ) -> Float[np.ndarray, " problems"]:
        """||A(X) - y|| / ||y|| of each."""
        rows, cols = self.pairs.T
        return (
            np.linalg.norm(matrices[:, rows, cols] - self.values, axis=1) / self.sizes
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class SmallEnds:
    """Where flows of many small problems ended.

    Args:
        matrix: U U' of each.
        residual: ||A(X) - y|| / ||y||.
        time: of the flow; for greedy learning that of all stages together.
        steps: of the solver, refused ones too.
        result: why each ended; names of `Result`.
        rank: hidden units let in by greedy learning; 3 for a flow of full rank.
        margin: how clearly the directions of greedy learning were decided: the least,
            over its stages, of (first - second rate) / first; 1 for a flow.
    """

    matrix: Float[np.ndarray, "problems 3 3"]
    residual: Float[np.ndarray, " problems"]
    time: Float[np.ndarray, " problems"]
    steps: Int[np.ndarray, " problems"]
    result: np.ndarray
    rank: Int[np.ndarray, " problems"]
    margin: Float[np.ndarray, " problems"]


def random_small_starts(
    count: int, *, frobenius_norm: float, seed: int
) -> Float[np.ndarray, "problems 3 3"]:
    """Factors U with independent normal entries, scaled to ||U||_F, one per problem.

    Equal seeds give equal directions at every norm, and the first of more problems are
    those of fewer.

    Raises:
        SpecError: when the norm is not positive or the seed negative.
    """
    positive("random_small_starts(frobenius_norm)", frobenius_norm)
    factors = generator(seed, "start", "small").standard_normal((count, 3, 3))
    norms = np.linalg.norm(factors, axis=(1, 2), keepdims=True)
    return frobenius_norm * (factors / norms)


def small_flows(
    problems: SmallCompletions,
    starts: Float[np.ndarray, "problems 3 3"],
    *,
    rtol: float,
    atol: float,
    residual_tolerance: float,
) -> SmallEnds:
    r"""The ends of U' = -sym(grad f(U U')) U, each problem from its own start.

    Args:
        problems: what is observed.
        starts: U of each, of any size > 0; one as small as 1e-100 begins with the
            closed first phase.
        rtol: error allowed per step, relative to each hidden unit's size; > 0.
        atol: the same in units of the hidden unit's size where the solver begins; > 0.
        residual_tolerance: a flow ends where ||A(U U') - y|| <= this times ||y||; > 0.

    Returns:
        The ends. A problem without a completion ends as `stationary` or
        `iterations_reached`.

    Raises:
        SpecError: when a tolerance is not positive.
        DataError: when the starts do not fit the problems.

    Exactness: within `rtol` per step, order 4; the final matrix within some 1e-5 of a
        solution with a thousandth of the tolerance at rtol = 1e-6.
    Cost: 100 to 500 steps of some 1000 operations per problem, down to scale 1e-16;
        compiled by Numba at the first call, and kept on the disk.
    Source: gunasekar2017, equation (3); hairer1996, section IV.7 (RODAS).
    Differs: clock as in the documentation; the linear first phase is left out.
    """
    _require_positive("small_flows", rtol, atol, residual_tolerance)
    rule = "a factor of 3 x 3 for each problem"
    starts = _fitting("small_flows(starts)", starts, (3, 3), rule, len(problems))
    points, times = _after_first_phase(problems, starts, rtol)
    floors = atol * np.linalg.norm(points, axis=2)
    goals = residual_tolerance * problems.sizes
    steps, codes = _integrate(problems, points, times, rtol, floors, goals, 0.0)
    matrices = np.einsum("nci,ncj->nij", points, points)
    return SmallEnds(
        matrix=matrices,
        residual=problems.residuals(matrices),
        time=times,
        steps=steps,
        result=_named(codes),
        rank=np.full(len(problems), 3),
        margin=np.ones(len(problems)),
    )


def small_greedy(
    problems: SmallCompletions,
    *,
    rtol: float,
    atol: float,
    seed_scale: float,
    stage_tolerance: float,
    optimality_tolerance: float,
    residual_tolerance: float,
) -> SmallEnds:
    """Greedy low-rank learning on each problem; see `GreedyLowRank`.

    Args:
        problems: what is observed.
        rtol: error allowed per step, relative to each hidden unit's size; > 0.
        atol: the same in units of its size when its stage begins; > 0.
        seed_scale: size at which a direction enters, as a singular value of W; > 0.
        stage_tolerance: a stage ends when no hidden unit changes by more than this part
            of itself per unit of time; > 0. A stage whose infimum is at infinity ends
            the later, and the larger, the smaller this is.
        optimality_tolerance: the end, relative to the top rate at zero; > 0.
        residual_tolerance: or where ||A(W) - y|| <= this times ||y||; > 0.

    Returns:
        The ends; `margin` near 0 where two directions compete and chance, not the
        method, decides.

    Raises:
        SpecError: when a tolerance is not positive.

    Exactness: heuristic in the limit `seed_scale` -> 0; the flow within `rtol`.
    Cost: three flows for each problem.
    Source: li2021, algorithm 1.
    Differs: the flow replaces descent with a small step.
    """
    _require_positive("small_greedy", rtol, atol, residual_tolerance)
    for name, number in (
        ("seed_scale", seed_scale),
        ("stage_tolerance", stage_tolerance),
        ("optimality_tolerance", optimality_tolerance),
    ):
        positive(f"small_greedy({name})", number)
    count = len(problems)
    points, times = np.zeros((count, 3, 3)), np.zeros(count)
    steps, codes = np.zeros(count, int), np.ones(count, int)
    ranks, margins = np.zeros(count, int), np.ones(count)
    going, first_rate = np.ones(count, bool), np.zeros(count)
    for stage in range(3):
        matrices = np.einsum("nci,ncj->nij", points, points)
        rates, directions = np.linalg.eigh(problems.pull(matrices))
        if stage == 0:
            first_rate = rates[:, 2]
        going &= rates[:, 2] > optimality_tolerance * first_rate
        going &= codes != 0
        if not going.any():
            break
        margin = (rates[:, 2] - rates[:, 1])[going] / rates[going, 2]
        margins[going] = np.minimum(margins[going], margin)
        part = SmallCompletions(pairs=problems.pairs, values=problems.values[going])
        own, own_times = points[going], times[going]
        own[:, stage] = np.sqrt(seed_scale) * directions[going, :, 2]
        floors = atol * np.linalg.norm(own, axis=2)
        goals = residual_tolerance * part.sizes
        taken, codes[going] = _integrate(
            part, own, own_times, rtol, floors, goals, stage_tolerance
        )
        points[going], times[going] = own, own_times
        steps[going] += taken
        ranks[going] = stage + 1
    left_over = codes != 0
    if left_over.any():
        # Nothing is left to let in; what remains is to come closer.
        part = SmallCompletions(pairs=problems.pairs, values=problems.values[left_over])
        own, own_times = points[left_over], times[left_over]
        floors, goals = atol * np.linalg.norm(own, axis=2), part.sizes
        taken, codes[left_over] = _integrate(
            part,
            own,
            own_times,
            rtol,
            floors,
            residual_tolerance * goals,
            _LAST * stage_tolerance,
        )
        points[left_over], times[left_over] = own, own_times
        steps[left_over] += taken
    matrices = np.einsum("nci,ncj->nij", points, points)
    return SmallEnds(
        matrix=matrices,
        residual=problems.residuals(matrices),
        time=times,
        steps=steps,
        result=_named(codes),
        rank=ranks,
        margin=margins,
    )


def _after_first_phase(
    problems: SmallCompletions, starts: Float[np.ndarray, "problems 3 3"], rtol: float
) -> tuple[Float[np.ndarray, "problems 3 3"], Float[np.ndarray, " problems"]]:
    """Units (rows) where the linear phase ends, graded, and the flow time there.

    As `first_phase.linear_phase` and `advance_linear` do it for one problem.
    """
    generators = problems.pull(np.zeros_like(starts))
    rates, basis = np.linalg.eigh(generators)
    rates, basis = rates[:, ::-1], basis[:, :, ::-1]
    basis = np.where(np.abs(basis) < _ROUNDING, 0.0, basis)
    triangle = np.linalg.qr(np.swapaxes(starts, 1, 2) @ basis)[1]
    lower = np.swapaxes(triangle, 1, 2)
    sizes = np.linalg.norm(lower, axis=2)
    # The size of W at which H has changed by a hundredth of the tolerance.
    reach = 0.01 * rtol * rates[:, :1]
    grows = (rates > 0) & (sizes > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = (np.log(reach) / 2 - np.log(sizes)) / rates
    time = np.maximum(np.where(grows, ends, np.inf).min(axis=1), 0.0)
    time = np.where(np.isfinite(time), time, 0.0)
    grown = np.exp(rates * time[:, None])[:, :, None] * lower
    units = np.swapaxes(basis @ grown, 1, 2)
    return np.ascontiguousarray(units), time


def _integrate(
    problems: SmallCompletions,
    points: Float[np.ndarray, "problems 3 3"],
    times: Float[np.ndarray, " problems"],
    rtol: float,
    floors: Float[np.ndarray, "problems 3"],
    goals: Float[np.ndarray, " problems"],
    still: float,
) -> tuple[Int[np.ndarray, " problems"], Int[np.ndarray, " problems"]]:
    """Steps taken and codes; points and times are overwritten."""
    # Numba takes half a second to import; few need it.
    from lowrankflow.dynamics.small_flow_kernel import integrate_all

    count = len(problems)
    steps, codes = np.zeros(count, np.int64), np.zeros(count, np.int64)
    integrate_all(
        problems.weights,
        problems.targets,
        points.reshape(count, 9),
        float(rtol),
        np.ascontiguousarray(floors),
        goals,
        float(still),
        _MAX_STEPS,
        times,
        steps,
        codes,
    )
    return steps, codes


def _fitting(
    where: str,
    array: np.ndarray,
    shape: tuple[int, ...],
    rule: str,
    count: int | None = None,
) -> np.ndarray:
    """The numbers, one part of this shape for each of `count` problems."""
    numbers = finite_array(where, array, ndim=1 + len(shape))
    if numbers.shape[1:] != shape or count not in (None, len(numbers)):
        raise DataError(
            where=where,
            rule=f"there is {rule}",
            got=f"shape {numbers.shape}",
            fix="Reshape it, or leave out what has no partner",
        )
    return numbers


def _named(codes: Int[np.ndarray, " problems"]) -> np.ndarray:
    return np.array([result.name for result in _ENDS])[codes]


def _require_positive(
    where: str, rtol: float, atol: float, residual_tolerance: float
) -> None:
    positive(f"{where}(rtol)", rtol)
    positive(f"{where}(atol)", atol)
    positive(f"{where}(residual_tolerance)", residual_tolerance)
