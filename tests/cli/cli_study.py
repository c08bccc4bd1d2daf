"""A small study with real runs, for the command line."""

import sys

from lowrankflow import studies
from lowrankflow.cli import main
from lowrankflow.dynamics import ConstantStep, GradientDescent, Stop
from lowrankflow.factorizations import (
    DeepFactorization,
    Gaussian,
    SymmetricFactorization,
)
from lowrankflow.simulation import EveryIterations, Recipe, ReferenceJob, RunJob
from lowrankflow.studies import (
    AbstractStudy,
    LabelledJob,
    Profile,
    Statement,
    at_most,
    depth_look,
    panels,
)

PROBLEM = Recipe(
    "entries",
    {
        "rows": [0, 0, 1, 2],
        "cols": [0, 1, 0, 1],
        "values": [1.0, 2.0, 2.0, 1.0],
        "shape": [3, 2],
    },
)
REFERENCE = ReferenceJob(PROBLEM)


def profile(seconds, seeds=2):
    return Profile(
        settings={"shape": "3 x 2"},
        num_seeds=seeds,
        expected_seconds=seconds,
        differs="no such experiment is in the paper",
    )


def descent(seed, *, iterations=20, factorization=None, every=10, rate=0.1):
    return RunJob(
        problem=PROBLEM,
        factorization=factorization or DeepFactorization(2),
        dynamics=GradientDescent(ConstantStep(rate)),
        start=Gaussian(init_scale=0.5),
        stop=Stop(iterations=iterations),
        schedule=EveryIterations(every),
        seed=seed,
    )


class Tiny(AbstractStudy):
    """Descent on four entries; the profile `paper` is long enough to interrupt."""

    key = "arora2019/tiny"
    title = "Four entries"
    question = "Does descent lower the loss of four entries?"
    statements = (
        Statement(
            key="low",
            text="The loss falls below one.",
            source="arora2019, figure 1",
        ),
    )
    profiles = {
        "smoke": profile(1.0),
        "quick": profile(2.0, seeds=3),
        "paper": profile(60.0, seeds=1),
    }
    figure_text = "The loss against time."

    def jobs(self, profile, num_seeds):
        long = {"iterations": 100_000_000, "every": 20_000, "rate": 1e-7}
        runs = [
            LabelledJob(
                axes={"method": "descent", "seed": seed},
                job=descent(seed, **(long if profile == "paper" else {})),
            )
            for seed in range(num_seeds)
        ]
        return [*runs, LabelledJob(axes={"method": "nuclear norm"}, job=REFERENCE)]

    def claims(self, collection):
        return [
            at_most(
                collection.last("loss", method="descent"),
                1.0,
                claim="low",
                sentence="The loss of descent ends below one.",
                statement=self.statement("low"),
                quantity="loss",
            )
        ]

    def figure(self, collection):
        figure, ((axes,),) = panels(1, 1)
        for run in collection.trajectory("loss", method="descent"):
            axes.plot(run.time, run.values, **depth_look(2).keywords())
        axes.set(xlabel="time", ylabel="loss")
        return figure


class Broken(Tiny):
    """One of its runs cannot be made, and its figure does not know that."""

    key = "li2021/broken"
    title = "A run that fails"

    def jobs(self, profile, num_seeds):
        bad = descent(0, factorization=SymmetricFactorization())
        return [
            *super().jobs(profile, 1),
            LabelledJob(axes={"method": "symmetric"}, job=bad),
        ]


class Bug(Tiny):
    """Neither its claims nor its figure work."""

    key = "gunasekar2017/bug"

    def claims(self, collection):
        raise KeyError("a mistake in the claims")

    def figure(self, collection):
        raise ZeroDivisionError


if __name__ == "__main__":
    studies.STUDIES = studies.Registry((Tiny(),))
    sys.argv[0] = "lowrankflow"
    main()
