"""The runs of the counter-example: flows from ever smaller starts, greedy, minimum."""

from collections.abc import Mapping, Sequence

from lowrankflow.dynamics import (
    ConstantStep,
    GradientDescent,
    GradientFlow,
    GreedyLowRank,
    Stop,
)
from lowrankflow.factorizations import (
    AbstractFactorization,
    DeepFactorization,
    Gaussian,
    Identity,
    RandomPSD,
    SymmetricFactorization,
)
from lowrankflow.simulation import (
    GeometricIterations,
    OnlyEnds,
    Recipe,
    ReferenceJob,
    RunJob,
)
from lowrankflow.studies.study import LabelledJob

# The loss of a run ends far below the squares of what separates the solutions.
FLOW = GradientFlow(rtol=1e-6, atol=1e-6)
LOSS = 1e-12
GREEDY = GreedyLowRank(
    rtol=1e-6,
    atol=1e-6,
    seed_scale=1e-12,
    stage_tolerance=1e-9,
    optimality_tolerance=1e-8,
)
# Ends within 0.2 % of the flow, which the claim "method" measures.
LEARNING_RATE = 5e-3
DESCENT_SCALE = 1e-4


def instance(R: float) -> Recipe:
    """The 4 x 4 instance with its parameter."""
    return Recipe("named", {"name": "li2021-4x4", "parameters": {"R": float(R)}})


def block(R: float) -> Recipe:
    """The 2 x 2 rectangle-to-be whose lifting the instance is: [[1, R], [R, ?]]."""
    entries = {"rows": [0, 0, 1], "cols": [0, 1, 0], "values": [1.0, R, R]}
    return Recipe("entries", {**entries, "shape": [2, 2]})


def coordinates(depth: int) -> AbstractFactorization:
    """U U' for depth 2, as in the paper; the deep factorization above."""
    return SymmetricFactorization() if depth == 2 else DeepFactorization(depth)


def flows(
    R: float, depth: int, scales: Sequence[float], *, loss: float = LOSS
) -> list[LabelledJob]:
    """Flows from multiples of the identity."""
    return [
        LabelledJob(
            axes={
                "method": "flow",
                "start": "identity",
                "R": R,
                "depth": depth,
                "init_scale": scale,
            },
            job=RunJob(
                problem=instance(R),
                factorization=coordinates(depth),
                dynamics=FLOW,
                start=Identity(scale),
                stop=Stop(loss=loss, iterations=100_000),
                schedule=GeometricIterations(1.1),
            ),
        )
        for scale in scales
    ]


def random_flows(
    R: float, scales: Sequence[float], num_seeds: int
) -> list[LabelledJob]:
    """Flows of U U' from random p.s.d. matrices of full rank."""
    return [
        LabelledJob(
            axes={
                "method": "flow",
                "start": "random",
                "R": R,
                "depth": 2,
                "init_scale": scale,
                "seed": seed,
            },
            job=RunJob(
                problem=instance(R),
                factorization=SymmetricFactorization(),
                dynamics=FLOW,
                # ||W(0)||_F = 2 scale is the root-mean-square singular value.
                start=RandomPSD(frobenius_norm=2 * scale),
                seed=seed,
                stop=Stop(loss=LOSS, iterations=100_000),
                schedule=GeometricIterations(1.1),
            ),
        )
        for scale in scales
        for seed in range(num_seeds)
    ]


def rectangles(R: float, scales: Sequence[float], num_seeds: int) -> list[LabelledJob]:
    """The 2 x 2 block itself, factored as W_2 W_1 from Gaussian factors."""
    return [
        LabelledJob(
            axes={
                "method": "flow",
                "start": "rectangle",
                "R": R,
                "depth": 2,
                "init_scale": scale,
                "seed": seed,
            },
            job=RunJob(
                problem=block(R),
                factorization=DeepFactorization(2),
                dynamics=FLOW,
                start=Gaussian(scale),
                seed=seed,
                stop=Stop(loss=LOSS, iterations=100_000),
                schedule=OnlyEnds(),
            ),
        )
        for scale in scales
        for seed in range(num_seeds)
    ]


def fixed(parameters: Sequence[float]) -> list[LabelledJob]:
    """Greedy learning and the certified minimum, for each parameter."""
    jobs = []
    for R in parameters:
        greedy = RunJob(
            problem=instance(R),
            factorization=SymmetricFactorization(),
            dynamics=GREEDY,
            stop=Stop(iterations=200_000),
        )
        least = ReferenceJob(problem=instance(R), psd=True, gap_tolerance=1e-8)
        jobs.append(LabelledJob(axes={"method": "greedy", "R": R}, job=greedy))
        jobs.append(LabelledJob(axes={"method": "min_nuclear_norm", "R": R}, job=least))
    return jobs


def descent(R: float) -> LabelledJob:
    """The paper's own method at one point of the sweep: descent of a fixed step."""
    axes: Mapping[str, str | float | int] = {
        "method": "descent",
        "start": "identity",
        "R": R,
        "depth": 2,
        "init_scale": DESCENT_SCALE,
    }
    job = RunJob(
        problem=instance(R),
        factorization=SymmetricFactorization(),
        dynamics=GradientDescent(ConstantStep(learning_rate=LEARNING_RATE)),
        start=Identity(DESCENT_SCALE),
        stop=Stop(loss=LOSS, iterations=1_000_000),
    )
    return LabelledJob(axes=axes, job=job)
