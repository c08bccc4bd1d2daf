"""Whole trajectories W(t) of completions, with the gradient, and measured derivatives.

A run records numbers, not matrices; the matrix is recorded entry by entry. Derivatives
are measured around given times: five records, a step apart, with no record beside them.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Float

from lowrankflow.dynamics import GradientFlow, Stop
from lowrankflow.factorizations import (
    AbstractStart,
    DeepFactorization,
    GivenFactors,
    balanced_factors,
    random_frame,
)
from lowrankflow.metrics import AnalyticSVD, central_derivative, follow_svd
from lowrankflow.problems import to_dense
from lowrankflow.seeds import generator
from lowrankflow.simulation import AtTimes, Recipe, RunJob, build
from lowrankflow.studies.collection import AxisValue, Collection
from lowrankflow.studies.samples import Sample

FLOW = GradientFlow(rtol=1e-11, atol=1e-11, method="explicit")
SHAPES = {"square": (5, 5), "tall": (6, 4), "wide": (4, 6)}
# A derivative takes this many records.
POINTS = 5
_REACH = POINTS // 2
# Which of them, as first and step.
ALL, NEAR = (0, 1), (1, 1)
# A turn per step above which five points resolve nothing to 1e-7: (2 turn)^4.
_TURN = 0.01


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class RecordedPath:
    """One run: where it was, and the gradient there.

    Args:
        seed: of the run.
        depth: N.
        time: of the records; the first is 0.
        matrices: W at each.
        gradients: grad l(W) at each.
    """

    seed: int
    depth: int
    time: Float[np.ndarray, " records"]
    matrices: Float[np.ndarray, "records rows cols"]
    gradients: Float[np.ndarray, "records rows cols"]

    def followed(self) -> AnalyticSVD:
        """The analytic decomposition of all records but the first.

        At time 0 singular values may be equal.
        """
        return follow_svd(self.matrices[1:])


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """A decomposition and its measured derivatives, at the middles of the stencils.

    Args:
        depth: N.
        step: of time between the five.
        time: of the middles.
        left: U, sorted by the values.
        values: S, descending.
        right: V.
        left_velocity: U', measured.
        value_velocity: S', measured.
        right_velocity: V', measured.
        gradients: grad l(W).
    """

    depth: int
    step: float
    time: Float[np.ndarray, " centres"]
    left: Float[np.ndarray, "centres rows k"]
    values: Float[np.ndarray, "centres k"]
    right: Float[np.ndarray, "centres cols k"]
    left_velocity: Float[np.ndarray, "centres rows k"]
    value_velocity: Float[np.ndarray, "centres k"]
    right_velocity: Float[np.ndarray, "centres cols k"]
    gradients: Float[np.ndarray, "centres rows cols"]

    @property
    def resolved(self) -> Bool[np.ndarray, " centres"]:
        """The times at which vectors turn by at most 0.01 in a step.

        Near a gap of two values, or near zero in a rectangle, derivatives of values and
        vectors of every order grow with the speed of the vectors.
        """
        sides = self.left_velocity, self.right_velocity
        speeds = [np.linalg.norm(side, axis=(1, 2)) for side in sides]
        return np.maximum(*speeds) * self.step <= _TURN

    @property
    def inner(self) -> Float[np.ndarray, "centres k k"]:
        """U' grad l(W) V."""
        return np.swapaxes(self.left, 1, 2) @ self.gradients @ self.right


def completion(shape: str, seed: int) -> Recipe:
    """A planted rank-2 completion of norm 2, two thirds of its entries observed."""
    rows, cols = SHAPES[shape]
    arguments = {"rank": 2, "num_observed": 2 * rows * cols // 3, "norm": 2.0}
    size = {"shape": [rows, cols], "seed": seed}
    return Recipe("planted_completion", {**size, **arguments})


@functools.cache
def completions(shape: str) -> Callable[[int], Recipe]:
    """`completion` of one shape, by seed; the same function every time."""
    return functools.partial(completion, shape)


def balanced_start(
    shape: tuple[int, int],
    depth: int,
    values: Sequence[float] | Float[np.ndarray, " k"],
    seed: int,
    *,
    frames: tuple[np.ndarray, np.ndarray] | None = None,
) -> GivenFactors:
    """Balanced factors with these singular values, in random frames or given ones."""
    rank = len(values)
    if frames is None:
        frames = (
            random_frame(generator(seed, "path", "left"), shape[0], rank),
            random_frame(generator(seed, "path", "right"), shape[1], rank),
        )
    left, right = frames
    spectrum = np.asarray(values, float)
    factors = DeepFactorization(depth)
    return GivenFactors(balanced_factors(factors, left, spectrum, right, None))


def small_spectrum(shape: tuple[int, int], scale: float) -> Float[np.ndarray, " k"]:
    """Distinct singular values around a scale, from half of it to one and a half."""
    return scale * np.linspace(1.5, 0.5, min(shape))


def stencil_times(centres: np.ndarray, step: float) -> Float[np.ndarray, " records"]:
    """Five times around each centre.

    The centres are ascending, further than four steps apart.
    """
    offsets = step * np.arange(-_REACH, _REACH + 1)
    return (np.asarray(centres)[:, None] + offsets).ravel()


def path_job(
    problem: Recipe,
    shape: tuple[int, int],
    depth: int,
    start: AbstractStart,
    times: np.ndarray,
    seed: int,
) -> RunJob:
    """The flow of the factors, with W recorded at the times."""
    rows, cols = shape
    return RunJob(
        problem=problem,
        factorization=DeepFactorization(depth),
        dynamics=FLOW,
        start=start,
        seed=seed,
        stop=Stop(time=float(times[-1])),
        schedule=AtTimes(times),
        observe=tuple(f"entry_{i}_{j}" for i in range(rows) for j in range(cols)),
    )


@functools.lru_cache(maxsize=64)
def paths(
    collection: Collection,
    problem: Callable[[int], Recipe],
    size: tuple[int, int],
    depth: int,
    **axes: AxisValue,
) -> tuple[list[RecordedPath], Sample]:
    """The runs with these axes, and a sample that knows which seeds are missing.

    Many claims look at the same runs: what was last asked for is kept.
    """
    known = collection.last("loss", depth=depth, **axes)
    names = [f"entry_{i}_{j}" for i in range(size[0]) for j in range(size[1])]
    runs = collection.select(depth=depth, **axes).runs
    found = []
    for own, dataset in sorted(runs, key=lambda run: int(run[0]["seed"])):
        seed = int(own["seed"])
        entries = np.stack([dataset[name].values for name in names], axis=1)
        matrices = entries.reshape(-1, *size)
        found.append(
            RecordedPath(
                seed=seed,
                depth=depth,
                time=np.asarray(dataset["time"].values, float),
                matrices=matrices,
                gradients=gradients(problem(seed), matrices),
            )
        )
    return found, known


def over_paths(
    found: tuple[list[RecordedPath], Sample],
    measure: Callable[[RecordedPath], float],
) -> Sample:
    """One number of every path."""
    runs, known = found
    values = [measure(path) for path in runs]
    return Sample(
        values=np.array(values, float), seeds=known.seeds, missing=known.missing
    )


def gradients(
    recipe: Recipe, matrices: Float[np.ndarray, "records rows cols"]
) -> Float[np.ndarray, "records rows cols"]:
    """Of the loss of a completion: W less y on the observed entries, affine in W."""
    at_zero, weights = _affine(recipe)
    return at_zero + weights * matrices


@functools.lru_cache(maxsize=400)
def measured(path: RecordedPath, *, points: tuple[int, int] = ALL) -> Measured:
    """The decomposition at the middles of a path's stencils, and its derivatives.

    Args:
        path: recorded at time 0 and at `stencil_times`.
        points: of the five those that are used; `NEAR` for three, a step apart.
    """
    stencils = path.matrices[1:].reshape(-1, POINTS, *path.matrices.shape[1:])
    times = path.time[1:].reshape(-1, POINTS)
    first, stride = points
    chosen = slice(first, POINTS - first, stride)
    step = float(np.median(np.diff(times[:, chosen], axis=1)))
    parts = [follow_svd(stencil[chosen]) for stencil in stencils]
    middle = len(parts[0].values) // 2

    def here(name: str) -> np.ndarray:
        # One sign for a whole stencil makes the values positive.
        return np.stack([_positive(part, middle, name)[middle] for part in parts])

    def speed(name: str) -> np.ndarray:
        rows = [_positive(part, middle, name) for part in parts]
        return np.stack([central_derivative(row, step=step) for row in rows])

    return Measured(
        depth=path.depth,
        step=step,
        time=times[:, _REACH],
        left=here("left"),
        values=here("values"),
        right=here("right"),
        left_velocity=speed("left"),
        value_velocity=speed("values"),
        right_velocity=speed("right"),
        gradients=path.gradients[1:].reshape(stencils.shape)[:, _REACH],
    )


def largest_or_nan(values: Float[np.ndarray, "..."]) -> float:
    """The largest of some numbers; not a number when there is none."""
    return float(np.max(values)) if np.size(values) else float("nan")


def _positive(part: AnalyticSVD, middle: int, name: str) -> np.ndarray:
    """One part of a decomposition with values made positive by the signs of U."""
    signs = np.where(part.values[middle] < 0, -1.0, 1.0)
    array = getattr(part, name)
    return array if name == "right" else array * signs


@functools.cache
def _affine(recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    """The gradient at zero, and what it grows by per entry of W."""
    problem = build(recipe)
    shape = problem.shape
    at_zero = np.asarray(to_dense(problem.gradient(np.zeros(shape))))
    at_one = np.asarray(to_dense(problem.gradient(np.ones(shape))))
    return at_zero, at_one - at_zero
