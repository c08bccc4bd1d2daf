"""Runs of figures 1 and 2 that were never made: worlds in which claims hold or fail."""

import xarray

from lowrankflow.studies import Collection, Failure
from lowrankflow.studies.arora2019.completion import SWEEPS


def ended(numbers):
    """What a run that ends at these numbers leaves."""
    names = ("mean_squared_error", "nuclear_norm", "effective_rank", "loss")
    return xarray.Dataset(
        {name: ("record", [1.0, numbers[name]]) for name in names},
        {"time": ("record", [0.0, 1.0])},
    )


def certified(numbers):
    """What a reference solution with these numbers leaves."""
    names = ("mean_squared_error", "nuclear_norm", "effective_rank")
    return xarray.Dataset({name: ((), numbers[name]) for name in names}).assign_attrs(
        certificate_relative_gap=numbers["gap"],
        certificate_primal_residual=1e-12,
        certificate_dual_norm=1.0,
    )


def as_the_paper_says(axes):
    """The numbers of a run in a world where all that the paper says holds."""
    true_norm, true_rank = 44.0 * axes["rank"], 0.98 * axes["rank"]
    numbers = {
        "mean_squared_error": 1e-5 * (1 + 0.2 * axes["seed"]),
        "nuclear_norm": true_norm,
        "effective_rank": true_rank,
        "loss": 4.9e-7,
        "gap": 1e-9,
    }
    if axes["method"] == "truth":
        return {**numbers, "mean_squared_error": 0.0}
    few = axes["num_observed"] < max(SWEEPS["quick"].observed[axes["rank"]])
    if axes["method"] == "min_nuclear_norm":
        lost = 0.05 * (1 + 0.1 * axes["seed"]) if few else 1e-9
        numbers["mean_squared_error"] = 4 * lost
        numbers["nuclear_norm"] -= lost * true_norm
        numbers["effective_rank"] += 100 * lost
    elif axes["depth"] == 2 and few:
        share = (axes["init_scale"] / 1e-3) ** 0.25
        numbers["mean_squared_error"] = 0.1 * share
        numbers["effective_rank"] += 4 * share
    return numbers


def collection(study, world, *, profile="quick", num_seeds=3, fails=None):
    """The study's planned runs with a world's numbers; `fails(axes)` are missing."""
    runs, failures = [], []
    for labelled in study.plan(profile, num_seeds):
        axes = dict(labelled.axes)
        if fails is not None and fails(axes):
            failures.append(Failure(axes=axes, reason="no memory"))
            continue
        reference = axes["method"] in ("min_nuclear_norm", "truth")
        runs.append((axes, (certified if reference else ended)(world(axes))))
    return Collection(runs, failures)


def but(changes, base=as_the_paper_says, **where):
    """A world, the paper's unless another is given, changed in runs with these axes.

    Args:
        changes: by name, the new number or a function of axes and the old one.
        base: the world that is changed.
        where: values of axes, or tests of them.
    """

    def world(axes):
        numbers = dict(base(axes))
        for name, wanted in where.items():
            if name not in axes:
                return numbers
            met = wanted(axes[name]) if callable(wanted) else axes[name] == wanted
            if not met:
                return numbers
        for name, change in changes.items():
            old = numbers[name]
            numbers[name] = change(axes, old) if callable(change) else change
        return numbers

    return world
