"""From which scale on the flow goes to rank one: the basin of the counter-example."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.dynamics import Stop
from lowrankflow.factorizations import AbstractStart, Escaped, Identity, RandomPSD
from lowrankflow.simulation import OnlyEnds, RunJob
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021 import basin_claims as judged
from lowrankflow.studies.li2021.basin_figure import draw_basin
from lowrankflow.studies.li2021.counterexample_jobs import FLOW, coordinates, instance
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# log10(1/scale) near the boundary, by a coarse bisection: where a profile looks.
_GRID = (2.0, 3.0, 5.0, 10.0, 20.0, 40.0, 60.0, 100.0, 200.0, 400.0)
_NEAR = {
    2: (4.9, 9.8, 25.5, 113.0, 630.0, 4140.0, 13000.0),
    3: (1.75, 2.2, 2.97, 4.25, 5.75, 7.5, 8.5, 10.0, 12.0, 14.06),
    4: (1.33, 1.6, 2.03, 2.7, 3.47, 4.4, 4.95, 5.72, 6.85, 8.01),
}
CENTRES: Mapping[int, Mapping[float, float]] = {
    depth: dict(zip(_GRID, near, strict=False)) for depth, near in _NEAR.items()
}
# Beyond the range asked for, where the leading order is to take over.
FAR, FAR_DECADES = _GRID[8:], (-0.2, 0.2)
# With R = 100 the boundary of depth 2 is below what units of 1e-150 can tell.
UNREACHABLE = (300.0, 1000.0, 3000.0, 10000.0, 27000.0)
# Below, the start is given by its logarithm.
_ESCAPED_BELOW = -40.0
# What the second unit may lose on the way of the first, in decades.
_LOSS = 135.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sweep:
    """What a profile runs.

    Args:
        parameters: R.
        factors: of log10(1/scale) at depth 2, times that of the centre.
        decades: the same beyond, added to it.
        far: R far beyond the paper's, for depths 3 and 4.
        random_parameters: R of the random starts.
        random_factors: theirs.
    """

    parameters: tuple[float, ...]
    factors: tuple[float, ...]
    decades: tuple[float, ...]
    far: tuple[float, ...]
    random_parameters: tuple[float, ...]
    random_factors: tuple[float, ...]


ALL = _GRID[:8]
SWEEPS = {
    "smoke": Sweep(
        parameters=(2.0, 20.0, 40.0),
        factors=(0.8, 1.2),
        decades=(-0.4, 0.4),
        far=FAR,
        random_parameters=(2.0,),
        random_factors=(0.25, 3.0),
    ),
    "quick": Sweep(
        parameters=ALL,
        factors=(0.1, 0.3, 0.8, 1.2, 3.0),
        decades=(-0.3, 0.3, 1.0),
        far=FAR,
        random_parameters=(2.0, 3.0, 5.0, 10.0),
        random_factors=(0.25, 0.5, 0.8, 1.2, 2.0, 3.0),
    ),
    "paper": Sweep(
        parameters=ALL,
        factors=(0.03, 0.06, 0.12, 0.25, 0.5, 0.8, 0.9, 1.0, 1.1, 1.2, 2.0, 3.0, 4.0),
        decades=(-3, -2, -1.5, -1, -0.6, -0.3, -0.1, 0.1, 0.3, 0.6, 1, 1.5, 2),
        far=FAR,
        random_parameters=(2.0, 3.0, 5.0, 10.0),
        random_factors=(0.25, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.5, 2.0, 3.0),
    ),
}
OWN = "own derivation, from li2021's theorems"


def _profile(name: str, seeds: int, seconds: float) -> Profile:
    sweep = SWEEPS[name]
    return Profile(
        settings={
            "R": ", ".join(f"{R:g}" for R in sweep.parameters),
            "init_scale": f"{len(sweep.factors)} scales around each boundary, at R = "
            "100 and depth 2 down to 1e-27000",
            "flow": "adaptive, rtol = atol = 1e-6, to a loss of 1e-10 R^2",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs="the paper has R = 100 and no scale at which the answer changes",
    )


class Basin(AbstractStudy):
    """The scale at which the counter-example's flow changes its answer."""

    key: ClassVar[str] = "li2021/basin"
    title: ClassVar[str] = "From which scale on the counter-example shows"
    question: ClassVar[str] = (
        "How small must the start be for the flow to end nearer to rank one than to "
        "the least nuclear norm, as R and the depth vary?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="limit",
            text="From W(0) = alpha I the flow's end tends to the completion of rank "
            "one as alpha tends to 0.",
            source="li2021, the theorem on ends after one stage",
        ),
        Statement(
            key="depth",
            text="Depth 3 and more depend on the start's scale far less.",
            source="li2021, the section on deep factorizations",
        ),
        Statement(
            key="traces",
            text="With R = 100 the trace is 1161 from 1e-1000 and 2181 from 1e-3000.",
            source="an independent computation",
            value="1161 and 2181",
        ),
        Statement(
            key="gap",
            text="The spectral gap at zero alone sets the scale: the first stage errs "
            "by alpha^(2 gamma), 2 gamma = 1/mu_1, so that ln(1/alpha) is "
            "proportional to R.",
            source="own guess, from the exponents of li2021's theorem on first stages",
            value="exponent 1",
        ),
        Statement(
            key="path",
            text="The slow path along rank one sets the scale: ln(1/alpha) = R^3 / 8 "
            "at depth 2, and 1/alpha grows as R^7 and R^4 at depths 3 and 4.",
            source=OWN,
            value="exponents 3, 7, 4",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 2, 12.0),
        "quick": _profile("quick", 3, 13.0),
        "paper": _profile("paper", 10, 70.0),
    }
    figure_text: ClassVar[str] = (
        "Left: the boundary of the basin of rank one, the power of ten below which the "
        "start must lie, against R, both logarithmic; depth 2 rises from 4 to 13,000 "
        "along the dotted line R^3 / (8 ln 10), depths 3 and 4 stay below 10. Right: "
        "how far the flow's end is on the way from the least nuclear norm to rank one, "
        "against the power of ten of the start, for R = 20."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        sweep = SWEEPS[profile]
        jobs = []
        for depth in (2, 3, 4):
            for R in sweep.parameters:
                for power in powers(sweep, R, depth):
                    jobs.append(_job(R, depth, -power, "identity", None))
        for depth in (3, 4):
            for R in sweep.far:
                for more in FAR_DECADES:
                    power = round(CENTRES[depth][R] + more, 3)
                    jobs.append(_job(R, depth, -power, "identity", None))
        jobs += [_job(100.0, 2, -power, "identity", None) for power in UNREACHABLE]
        for R in sweep.random_parameters:
            for factor in sweep.random_factors:
                power = round(CENTRES[2][R] * factor, 3)
                seeds = range(num_seeds)
                jobs += [_job(R, 2, -power, "random", seed) for seed in seeds]
        return jobs

    def claims(self, collection: Collection) -> list[Verdict]:
        return [
            judged.traces_of_the_papers_instance(self, collection),
            judged.smaller_is_further(self, collection),
            judged.gap_alone(self, collection),
            *(judged.grows_with(self, collection, depth) for depth in (2, 3, 4)),
            *(judged.grows_far_out(self, collection, depth) for depth in (3, 4)),
            *(judged.is_where_derived(self, collection, depth) for depth in (2, 3, 4)),
            judged.depth_needs_less(self, collection),
            judged.out_of_reach(self, collection),
            judged.random_starts_alike(self, collection),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_basin(collection)


def powers(sweep: Sweep, R: float, depth: int) -> list[float]:
    """log10(1/scale) of the runs of one R and depth."""
    if R not in CENTRES[depth]:
        return []
    centre = CENTRES[depth][R]
    if depth == 2:
        # The second unit, of W, is left at scale^(1/mu_1), mu_1 = R + 1/2.
        found = [centre * factor for factor in sweep.factors]
        found = [x for x in found if x / (2 * R + 1) < _LOSS]
    else:
        found = [centre + more for more in sweep.decades]
    return [round(x, 3) for x in found if x > 0.2]


def _job(
    R: float, depth: int, log10_scale: float, start: str, seed: int | None
) -> LabelledJob:
    axes = {"R": R, "depth": depth, "start": start, "log10_scale": log10_scale}
    return LabelledJob(
        axes=axes if seed is None else {**axes, "seed": seed},
        job=RunJob(
            problem=instance(R),
            factorization=coordinates(depth),
            dynamics=FLOW,
            start=_start(log10_scale, start, depth),
            seed=seed or 0,
            stop=Stop(loss=1e-10 * R**2, iterations=200_000),
            schedule=OnlyEnds(),
        ),
    )


def _start(log10_scale: float, start: str, depth: int) -> AbstractStart:
    def at(scale: float) -> AbstractStart:
        # ||W(0)||_F = 2 scale is the root-mean-square singular value.
        return Identity(scale) if start == "identity" else RandomPSD(2 * scale)

    if depth == 2 and log10_scale < _ESCAPED_BELOW:
        return Escaped(at(1.0), log10_scale)
    return at(10**log10_scale)
