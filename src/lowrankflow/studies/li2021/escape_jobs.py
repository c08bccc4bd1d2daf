"""Runs that leave zero: to fixed times after the escape, to the end, step by step."""

import functools

import numpy as np
from jaxtyping import Float

from lowrankflow.dynamics import GradientFlow, Stop
from lowrankflow.factorizations import (
    AbstractStart,
    Identity,
    RandomPSD,
    SymmetricFactorization,
)
from lowrankflow.problems import to_dense
from lowrankflow.reference import escape_time
from lowrankflow.simulation import EveryIterations, OnlyEnds, Recipe, RunJob, build
from lowrankflow.studies.li2021.counterexample_jobs import coordinates, instance
from lowrankflow.studies.study import LabelledJob

FLOW = GradientFlow(rtol=1e-10, atol=1e-10, method="explicit")
# Near its end a flow is stiff.
_TO_THE_END = GradientFlow(rtol=1e-10, atol=1e-10)
# The clock of a deep flow runs to alpha^(1 - L/2), of which it is wrong by 1e-11.
DEEP_FLOW = GradientFlow(rtol=1e-11, atol=1e-11, method="explicit")
# When the paths are compared, after the escape: W has grown to order one.
OFFSET = -0.1
LIMIT = -120.0
# -log10 of alpha = scale^(2/L), and of the alpha that stands for the limit.
DEEP_LIMIT = {3: 5.5, 4: 4.5, 5: 3.5}
# Eigenvalues of the target of the diagonal toy; its path is left at 1/2 of the first.
TOY = (1.0, 0.7, 0.4)
_TOY_LOSS = 0.5 * (0.5**2 + 0.7**2 + 0.4**2)


@functools.cache
def growth(
    R: float,
) -> tuple[Float[np.ndarray, " size"], Float[np.ndarray, "size size"]]:
    """The eigenvalues of -grad f(0), descending, and their eigenvectors."""
    gradient = build(instance(R)).gradient(np.zeros((4, 4)))
    values, vectors = np.linalg.eigh(-np.asarray(to_dense(gradient)))
    return values[::-1], vectors[:, ::-1]


def gamma(R: float) -> float:
    """(mu_1 - mu_2) / (2 mu_1)."""
    (first, second), _ = growth(R)[0][:2], None
    return float((first - second) / (2 * first))


def shallow(R: float, log10_scale: float, seed: int | None) -> RunJob:
    """U U' from W(0), the identity or random, to its own escape and a little back."""
    scale = 10.0**log10_scale
    start: AbstractStart = (
        Identity(scale) if seed is None else RandomPSD(frobenius_norm=2 * scale)
    )
    factorization = SymmetricFactorization()
    (factor,) = start.factors(build(instance(R)), factorization, seed=seed or 0)
    values, vectors = growth(R)
    # <W(0), u u'> without its square root's square: 1e-120 twice is no number.
    overlap = 2 * np.log(np.linalg.norm(vectors[:, 0] @ factor))
    return RunJob(
        problem=instance(R),
        factorization=factorization,
        dynamics=FLOW,
        start=start,
        seed=seed or 0,
        stop=Stop(time=float(-overlap / (2 * values[0])) + OFFSET),
        schedule=OnlyEnds(),
    )


def to_the_end(R: float, log10_scale: float, seed: int | None) -> RunJob:
    """The same to the flow's end."""
    scale = 10.0**log10_scale
    return RunJob(
        problem=instance(R),
        factorization=SymmetricFactorization(),
        dynamics=_TO_THE_END,
        start=Identity(scale) if seed is None else RandomPSD(frobenius_norm=2 * scale),
        seed=seed or 0,
        stop=Stop(loss=1e-22, iterations=100_000),
        schedule=OnlyEnds(),
    )


def deep(R: float, depth: int, log10_alpha: float) -> RunJob:
    """Depth L from M(0) = alpha I to the time of escape."""
    scale = 10.0 ** (log10_alpha * depth / 2)
    rate = float(growth(R)[0][0])
    return RunJob(
        problem=instance(R),
        factorization=coordinates(depth),
        dynamics=DEEP_FLOW,
        start=Identity(scale),
        stop=Stop(time=escape_time(scale, growth_rate=rate, depth=depth)),
        schedule=OnlyEnds(),
    )


def leaving(depth: int, log10_scale: float) -> RunJob:
    """Every step out of zero, R = 2, until the loss has begun to fall."""
    return RunJob(
        problem=instance(2.0),
        factorization=coordinates(depth),
        dynamics=FLOW,
        start=Identity(10.0**log10_scale),
        stop=Stop(loss=5.0, iterations=10_000),
        schedule=EveryIterations(1),
    )


def toy(depth: int, log10_alpha: float) -> RunJob:
    """A diagonal target, all of it observed, until the first eigenvalue is half."""
    rows, cols = np.divmod(np.arange(9), 3)
    entries = {
        "rows": rows.tolist(),
        "cols": cols.tolist(),
        "values": np.diag(TOY).ravel().tolist(),
        "shape": [3, 3],
    }
    return RunJob(
        problem=Recipe("entries", entries),
        factorization=coordinates(depth),
        dynamics=FLOW,
        start=Identity(10.0 ** (log10_alpha * depth / 2)),
        stop=Stop(loss=_TOY_LOSS, iterations=100_000),
        schedule=OnlyEnds(),
    )


def labelled(job: RunJob, seed: int | None = None, **axes: str | float) -> LabelledJob:
    """A job with its axes."""
    own = dict(axes) if seed is None else {**axes, "seed": seed}
    return LabelledJob(axes=own, job=job)
