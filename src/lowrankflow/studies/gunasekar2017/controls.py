r"""Without commuting: the time-ordered exponential beside the formula of the commuting.

Where the A_k do not commute, X is the time-ordered exponential (12) of its control, and
exp(A*(s)) X_0 exp(A*(s)), formula (7), is another matrix. The paper argues that for
smooth controls what separates them is of lower order as the start falls to zero, says
that this was checked for the flow's own residual and for random smooth controls, and
shows no figure. Both are run here, and two readings of "lower order" are judged: the
distance of the matrices, relative to X, and that of their logarithms, relative to that
of the exponent 2 A*(s), which grows like log(1 / alpha).
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.dynamics import PushedFlow, Stop
from lowrankflow.factorizations import Identity, RandomPSD, SymmetricFactorization
from lowrankflow.simulation import OnlyEnds, Recipe, RunJob
from lowrankflow.studies.collection import Axes, Collection
from lowrankflow.studies.commuting import family
from lowrankflow.studies.gunasekar2017 import controls_claims as judged
from lowrankflow.studies.gunasekar2017.controls_picture import draw_controls
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEP = 0.02
SMOOTH_STEPS = 500
LOOP_TIME = 4.0
SCALES = {
    "smoke": (1e-1, 1e-4, 1e-8),
    "quick": (1e-1, 1e-2, 1e-4, 1e-6, 1e-8),
    "paper": (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8, 1e-10, 1e-12),
}
LOOPS = {
    "smoke": (16, 64, 256),
    "quick": (16, 32, 64, 128, 256, 512),
    "paper": (16, 32, 64, 128, 256, 512, 1024, 2048, 4096),
}
WHERE = "gunasekar2017, section 4"


def _profile(name: str, seeds: int, seconds: float) -> Profile:
    return Profile(
        settings={
            "problem": "5 x 5, rank 2, 4 symmetric Gaussian measurements",
            "init_scale": ", ".join(f"{scale:g}" for scale in SCALES[name]),
            "step": f"{STEP:g}, and half of it",
            "smooth controls": "four random cosines over a time of 2 log(1 / alpha)",
            "loops": "n = 4, " + ", ".join(map(str, LOOPS[name])) + " steps, time 4",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs="the paper names neither sizes nor its smooth controls; own reading",
    )


class Controls(AbstractStudy):
    """What controls do when measurements do not commute."""

    key: ClassVar[str] = "gunasekar2017/controls"
    title: ClassVar[str] = "Non-commuting terms, loops and the Lie algebra"
    question: ClassVar[str] = (
        "As the start falls, do the terms that commuting would remove become of lower "
        "order, and where else can a control go?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="lower-order",
            text="As the start falls to zero the non-commuting terms of the "
            "time-ordered exponential are of lower order, for the flow's own residual "
            "and for random smooth controls.",
            source=f"{WHERE} (argued, reported as checked, no figure)",
        ),
        Statement(
            key="lie",
            text="Two generic symmetric n x n matrices generate all n^2 directions.",
            source=f"{WHERE}, the remark on the Lie algebra",
            value="4, 9 and 16 for n = 2, 3 and 4",
        ),
        Statement(
            key="loops",
            text="Along a commutator a control moves by loops only, whose way in a "
            "given time falls like one over the number of steps.",
            source=f"{WHERE}, quantified here",
        ),
        Statement(
            key="formula",
            text="Without commuting, formula (7) is not the solution.",
            source="gunasekar2017, equation (12)",
        ),
        Statement(
            key="elsewhere",
            text="Without commuting, the end depends on the control: a push that fades "
            "before the fit leads elsewhere.",
            source=WHERE,
        ),
        Statement(
            key="method",
            text="The step is small enough not to show.",
            source="own check",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 2, 8.0),
        "quick": _profile("quick", 12, 20.0),
        "paper": _profile("paper", 50, 120.0),
    }
    figure_text: ClassVar[str] = (
        "Left: distance of formula (7) from the time-ordered exponential, relative to "
        "the matrix, against the scale of the start, for the flow's residual, random "
        "smooth controls and a 3 x 3 completion; it grows as the scale falls. Middle: "
        "the same of the logarithms, relative to the exponent, which does not fall "
        "either. Right: the way along the commutator in loops of a given time falls "
        "like one over the number of steps."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        jobs = []
        for scale in SCALES[profile]:
            jobs.append(
                _run(
                    {"case": "3x3", "init_scale": scale},
                    Recipe("named", {"name": "gunasekar2017-3x3"}),
                    PushedFlow(step=STEP),
                    scale,
                )
            )
            for seed in range(num_seeds):
                jobs += _pair(scale, seed)
        jobs += [
            _run(
                {
                    "case": "residual, half the step",
                    "init_scale": SCALES[profile][-1],
                    "seed": seed,
                },
                _problem(seed),
                PushedFlow(step=STEP / 2),
                SCALES[profile][-1],
            )
            for seed in range(num_seeds)
        ]
        for seed in range(num_seeds):
            jobs += [_loops(steps, seed) for steps in LOOPS[profile]]
            jobs += [_lie(size, seed) for size in (2, 3, 4)]
            jobs.append(_commuting_lie(seed))
        return jobs

    def claims(self, collection: Collection) -> list[Verdict]:
        cases = ("residual", "smooth")
        return [
            *(judged.lie_dimension(self, collection, size) for size in (2, 3, 4)),
            judged.commuting_dimension(self, collection),
            judged.loops_are_slow(self, collection),
            judged.formula_fails(self, collection),
            *(judged.matrices_approach(self, collection, case) for case in cases),
            *(judged.exponents_approach(self, collection, case) for case in cases),
            judged.exponents_approach(self, collection, "3x3"),
            judged.push_leads_elsewhere(self, collection),
            judged.step_does_not_show(self, collection),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_controls(collection)


def _problem(seed: int) -> Recipe:
    sizes = {"size": 5, "rank": 2, "num_measurements": 4}
    options = {"scale": "near_isometry", "norm": 1.0, "seed": seed}
    return Recipe("planted_psd_sensing", {**sizes, **options})


def _run(
    axes: Axes, problem: Recipe, dynamics: PushedFlow, scale: float
) -> LabelledJob:
    """A run from scale x I to a fit."""
    job = RunJob(
        problem=problem,
        factorization=SymmetricFactorization(),
        dynamics=dynamics,
        start=Identity(scale),
        seed=int(axes.get("seed", 0)),
        stop=Stop(loss=1e-12, iterations=400_000),
        schedule=OnlyEnds(),
    )
    return LabelledJob(axes=axes, job=job)


def _pair(scale: float, seed: int) -> list[LabelledJob]:
    """The residual's control, the same with a push, and a smooth control alone."""
    problem, time = _problem(seed), 2 * math.log(1 / scale)
    # X grows from the scale to about one, whatever the scale, in such a time.
    smooth = RunJob(
        problem=problem,
        factorization=SymmetricFactorization(),
        dynamics=PushedFlow(
            step=time / SMOOTH_STEPS, follow=0.0, push=1.0, horizon=time
        ),
        start=Identity(scale),
        seed=seed,
        stop=Stop(iterations=SMOOTH_STEPS),
        schedule=OnlyEnds(),
    )
    places = {"init_scale": scale, "seed": seed}
    pushed = PushedFlow(step=STEP, push=1.0, horizon=20.0)
    return [
        _run({"case": "residual", **places}, problem, PushedFlow(step=STEP), scale),
        _run({"case": "pushed", **places}, problem, pushed, scale),
        LabelledJob(axes={"case": "smooth", **places}, job=smooth),
    ]


def _two_measurements(size: int, seed: int) -> Recipe:
    sizes = {"size": size, "rank": 1, "num_measurements": 2}
    return Recipe(
        "planted_psd_sensing", {**sizes, "scale": "unit_measurements", "seed": seed}
    )


def _loops(steps: int, seed: int) -> LabelledJob:
    """Loops of e_1, e_2, -e_1, -e_2 in a given time."""
    # From a multiple of the identity a commutator, which turns, would not be seen.
    job = RunJob(
        problem=_two_measurements(4, seed),
        factorization=SymmetricFactorization(),
        dynamics=PushedFlow(
            step=LOOP_TIME / steps, follow=0.0, push=1.0, shape="loops"
        ),
        start=RandomPSD(frobenius_norm=1.0),
        seed=seed,
        stop=Stop(iterations=steps),
        schedule=OnlyEnds(),
    )
    return LabelledJob(axes={"case": "loops", "steps": steps, "seed": seed}, job=job)


def _looked_at(problem: Recipe, axes: Axes) -> LabelledJob:
    """A run of one step, for what its first record says of the measurements."""
    job = RunJob(
        problem=problem,
        factorization=SymmetricFactorization(),
        dynamics=PushedFlow(step=STEP),
        start=Identity(0.1),
        stop=Stop(iterations=1),
        schedule=OnlyEnds(),
        observe=("lie_dimension",),
    )
    return LabelledJob(axes=axes, job=job)


def _lie(size: int, seed: int) -> LabelledJob:
    axes = {"case": "lie", "size": size, "seed": seed}
    return _looked_at(_two_measurements(size, seed), axes)


def _commuting_lie(seed: int) -> LabelledJob:
    return _looked_at(family(seed), {"case": "lie, commuting", "seed": seed})
