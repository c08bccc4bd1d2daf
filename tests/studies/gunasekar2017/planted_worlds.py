"""Runs of figures 1 and 2 that were never made: worlds in which claims hold or fail."""

import math

import numpy as np
import xarray

from lowrankflow.studies import Collection, Failure

LEAST = {"rank 2": 1.4, "decaying": 1.6, "too few": 0.55}
ERROR = {"rank 2": 0.001, "decaying": 0.25, "too few": 1.05}


def ended(numbers):
    """A run, or a reference, that ends at these numbers."""
    matrix = numbers["matrix"] * np.diag([2.0, 1.0])
    names = ("loss", "relative_error", "nuclear_norm")
    return xarray.Dataset(
        {
            "matrix": (("rows", "cols"), matrix),
            **{name: ("record", [9.0, numbers[name]]) for name in names},
        },
        attrs={"certificate_relative_gap": numbers["gap"]},
    )


def is_wide(axes):
    """Whether the measurements can be fitted at this width."""
    return axes.get("width", 50) >= (7 if axes["panel"] == "decaying" else 2)


def as_the_paper_says(axes):
    """The numbers of a run in a world where all that the paper says holds."""
    panel, method = axes["panel"], axes["method"]
    norm = axes.get("norm", 1e-4)
    numbers = {
        "loss": 5e-7 if is_wide(axes) else 0.05,
        "relative_error": ERROR[panel],
        "nuclear_norm": LEAST[panel] * 1.001,
        "matrix": 1.0,
        "gap": 1e-8,
    }
    if not is_wide(axes):
        return {**numbers, "relative_error": 0.9, "nuclear_norm": LEAST[panel] / 2}
    if method == "min_nuclear_norm":
        numbers["nuclear_norm"] = LEAST[panel]
    elif method == "smaller start":
        numbers["nuclear_norm"] = LEAST[panel] * (1 + 0.001 * norm)
    elif axes["width"] > 2 and (method in ("line search", "spectral") or norm == 1.0):
        numbers["relative_error"] = max(0.5, ERROR[panel])
        numbers["nuclear_norm"] = LEAST[panel] * 1.6
    return numbers


def as_nothing_says(axes):
    """The same where every claim fails, and smaller starts are closer."""
    panel, method = axes["panel"], axes["method"]
    norm = axes.get("norm", 1e-4)
    numbers = {
        "loss": 0.05,
        "relative_error": 0.45,
        "nuclear_norm": LEAST[panel] * 1.3,
        "matrix": 2.0 if method == "descent" else 1.0,
        "gap": 1e-3,
    }
    if method == "min_nuclear_norm":
        numbers |= {"nuclear_norm": LEAST[panel], "relative_error": 0.25}
    elif method == "smaller start":
        numbers["nuclear_norm"] = LEAST[panel] * (1.3 + 0.001 * math.log10(norm))
    elif method in ("line search", "spectral") or norm == 1.0:
        numbers |= {"relative_error": 0.15, "nuclear_norm": LEAST[panel] * 1.1}
    return numbers


def collection(study, world, *, profile="quick", num_seeds=3, fails=None):
    """The study's planned runs with a world's numbers; `fails(axes)` are missing."""
    runs, failures = [], []
    for labelled in study.plan(profile, num_seeds):
        axes = dict(labelled.axes)
        if fails is not None and fails(axes):
            failures.append(Failure(axes=axes, reason="no memory"))
            continue
        numbers = world(axes)
        wobble = 1 + 1e-6 * axes["seed"]
        numbers = {**numbers, "relative_error": numbers["relative_error"] * wobble}
        runs.append((axes, ended(numbers)))
    return Collection(runs, failures)


def outcomes(study, runs):
    """The outcome of each claim."""
    return {verdict.claim: verdict.outcome for verdict in study.claims(runs)}
