"""The figure of theorem 2: excess of the trace against the scale of the product."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.arora2019.legend import shared_legend
from lowrankflow.studies.arora2019.theorem2_jobs import PERTURBATION
from lowrankflow.studies.arora2019.theorem2_measures import (
    depths,
    excess,
    fixture_depths,
    fixture_formula,
    least_slacks,
    off_diagonal,
    predicted_excess,
    scales,
    signed_formula,
)
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.samples import Sample
from lowrankflow.studies.style import INK, depth_look, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_theorem2(collection: Collection) -> "Figure":
    """The fixture, random families; a slack above 1, perturbed starts."""
    figure, ((fixture, families), (signed, perturbed)) = panels(2, 2, height=5.4)
    for depth in depths(collection):
        if depth in fixture_depths(collection):
            _formula(fixture, collection, "fixture", depth)
        _families(families, collection, depth)
        _formula(signed, collection, "signed", depth)
        _perturbed(perturbed, collection, depth)
    if len(collection.select(case="perturbed")):
        perturbed.axhline(PERTURBATION, color=INK, linestyle=":", linewidth=1.0)
        perturbed.annotate(
            "at the start",
            (0.5, PERTURBATION),
            xycoords=("axes fraction", "data"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=7.5,
            color=INK,
        )
    for axes in (fixture, families, signed, perturbed):
        if axes.lines:
            axes.set(xscale="log", yscale="log")
    for axes in (signed, perturbed):
        axes.set_xlabel("scale of the product")
    for axes in (fixture, signed):
        axes.set_ylabel("excess of the trace")
    fixture.set_title("fixture, both slacks 1/2")
    families.set_title("random families, slacks below 1")
    signed.set_title("all slacks 3")
    perturbed.set(title="start perturbed by 1e-6", ylabel="off-diagonal part")
    shared_legend(figure, [signed], ncols=5)
    return figure


def _formula(axes: "Axes", collection: Collection, case: str, depth: int) -> None:
    x, look = np.array(scales(collection, case, depth)), depth_look(depth)
    if not len(collection.select(case=case, depth=depth)):
        return
    found = [_one(excess(collection, case, depth, scale)) for scale in x]
    axes.plot(
        x, found, color=look.color, marker=look.marker, linestyle="", label=look.label
    )
    formula = fixture_formula if case == "fixture" else signed_formula
    wanted = [formula(depth, scale) for scale in x]
    axes.plot(x, wanted, color=look.color, linestyle=":")


def _families(axes: "Axes", collection: Collection, depth: int) -> None:
    x, look = np.array(scales(collection, "family")), depth_look(depth)
    samples = [excess(collection, "family", depth, scale) for scale in x]
    if not all(len(sample) for sample in samples):
        return
    found = [_middle(sample) for sample in samples]
    axes.plot(x, found, color=look.color, marker=look.marker, linestyle="")
    seeds = samples[0].seeds
    if depth == 2:
        # Through the point of the smallest scale, with every seed's own exponent.
        slacks = least_slacks(seeds).values.mean()
        wanted = found[0] * (x / x[0]) ** slacks
    else:
        wanted = [
            _middle(predicted_excess(seeds, depth=depth, scale=scale)) for scale in x
        ]
    axes.plot(x, wanted, color=look.color, linestyle=":")


def _perturbed(axes: "Axes", collection: Collection, depth: int) -> None:
    look, at = depth_look(depth), scales(collection, "perturbed")
    samples = [off_diagonal(collection, depth, scale) for scale in at]
    for scale, sample in zip(at, samples, strict=True):
        count = len(sample)
        if not count:
            continue
        # Seeds and depths side by side.
        spread = 10 ** (0.12 * (depth - 3.5) + np.linspace(-0.05, 0.05, count))
        axes.plot(
            scale * spread,
            sample.values,
            color=look.color,
            marker=look.marker,
            linestyle="",
            markersize=3,
            alpha=0.7,
        )
    if all(len(sample) for sample in samples):
        axes.plot(
            np.array(at) * 10 ** (0.12 * (depth - 3.5)),
            [_middle(sample) for sample in samples],
            color=look.color,
            linewidth=1.0,
        )


def _middle(sample: Sample) -> float:
    """The geometric mean over seeds."""
    return float(np.exp(np.log(sample.values).mean()))


def _one(sample: Sample) -> float:
    return float(sample.values[0]) if len(sample) else float("nan")
