"""What the runs of the warm-up say of spans and manifolds."""

from lowrankflow.studies.claims import at_most, smaller_than, trend
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.commuting import apart
from lowrankflow.studies.samples import Sample, largest
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.verdict import Verdict


def steps(collection: Collection) -> list[float]:
    """The steps in the factors, ascending."""
    return [float(step) for step in collection.select(case="factors").axis("step")]


def distance(collection: Collection, method: str, step: float) -> Sample:
    """How far from the manifold a run in the factors ends."""
    # The observer's name has the scale of the start in it.
    return collection.last(
        "manifold_distance_0.01", case="factors", method=method, step=step
    )


def ends_at_least_norm(
    study: AbstractStudy, collection: Collection, method: str
) -> Verdict:
    ends = collection.last("matrix", case="matrix", method=method)
    least = collection.last("matrix", case="matrix", method="minimum")
    return at_most(
        apart(ends, least),
        1e-6,
        claim=f"span-{method.replace(' ', '-')}",
        sentence=f"In W, from 0, {method} ends at the least Frobenius norm.",
        statement=study.statement("span"),
        quantity="relative distance from the solution of least norm",
        note="residuals are 1e-10 at the end",
    )


def first_order(study: AbstractStudy, collection: Collection) -> Verdict:
    points = {
        step: distance(collection, "descent", step)
        for step in steps(collection)
        if step <= 0.1
    }
    return trend(
        points,
        log_x=True,
        log_y=True,
        lower=0.9,
        upper=1.1,
        claim="order",
        sentence="In U descent leaves the manifold to first order in the step.",
        statement=study.statement("steps"),
        quantity="distance from the manifold against the step, logarithms",
        note="1 by theory",
    )


def large_steps_leave(study: AbstractStudy, collection: Collection) -> Verdict:
    return smaller_than(
        distance(collection, "descent", 0.01),
        distance(collection, "descent", 0.2),
        factor=0.1,
        claim="large-steps",
        sentence="Descent with steps of 0.2 ends ten times further from the manifold "
        "than with 0.01.",
        statement=study.statement("steps"),
        quantity="distance from the manifold",
    )


def momentum_leaves(
    study: AbstractStudy, collection: Collection, method: str
) -> Verdict:
    return smaller_than(
        distance(collection, "descent", 0.1),
        distance(collection, method, 0.1),
        factor=0.1,
        claim=f"momentum-{method.replace(' ', '-')}",
        sentence=f"At a step of 0.1 {method} ends ten times further from the manifold "
        "than descent.",
        statement=study.statement("momentum"),
        quantity="distance from the manifold of descent to that with momentum",
    )


def momentum_leaves_at_equal_speed(
    study: AbstractStudy, collection: Collection
) -> Verdict:
    return smaller_than(
        distance(collection, "descent", 0.1),
        distance(collection, "heavy ball", 0.01),
        claim="momentum-speed",
        sentence="At equal speed (descent 0.1, heavy ball 0.01 with momentum 0.9) "
        "heavy ball still ends further from the manifold.",
        statement=study.statement("momentum"),
        quantity="distance from the manifold of descent to that with momentum",
    )


def control_stays(study: AbstractStudy, collection: Collection) -> Verdict:
    found = [distance(collection, "push", step) for step in steps(collection)]
    return at_most(
        largest(found),
        1e-8,
        claim="control",
        sentence="A pushed control stays on the manifold, whatever the step.",
        statement=study.statement("control"),
        quantity="largest distance from the manifold",
        note="rounding of 1e-16 over the smallest singular value of U",
    )
