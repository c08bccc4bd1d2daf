"""Draw the pictures of the README and the first page: depth separates singular values.

The fourth panel is the conjecture. The README has the panels in a row, the first page
of the site two by two, which a phone can show. Colours are those of all figures.
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np

import lowrankflow as lrf

mpl.use("Agg")
import matplotlib.pyplot as plt

from lowrankflow.studies import depth_look

COLOURS = {depth: depth_look(depth).color for depth in (1, 2, 3)}


def singular_values(axes) -> None:
    """The ten leading singular values along the flow, at depths 1, 2 and 3."""
    problem = lrf.planted_completion((100, 100), rank=5, num_observed=2000, seed=0)
    for axis, depth in zip(axes, (1, 2, 3), strict=True):
        run = lrf.simulate(
            problem,
            lrf.DeepFactorization(depth),
            lrf.GradientFlow(rtol=1e-4, atol=1e-4),
            start=lrf.Identity(init_scale=1e-3),
            stop=lrf.Stop(loss=1e-3),
        )
        data = run.dataset
        times = data.time / float(data.time[-1])
        axis.semilogx(times, data.singular_values[:, :10], color=COLOURS[depth], lw=1.2)
        error = float(data.relative_error[-1])
        axis.set_title(f"depth {depth}: error {error:.1g}", fontsize=10)
        axis.set_xlabel("flow time / end")
        axis.set_xlim(1e-2, 1)
        axis.set_ylim(0, 60)
    axes[0].set_ylabel("ten leading singular values")


def counter_example(axis) -> None:
    """The trace reached on the 4 x 4 instance, against the start's scale."""
    instance = lrf.named("li2021-4x4", {"R": 2.0})
    reference = lrf.min_nuclear_norm(instance.problem, psd=True, gap_tolerance=1e-8)
    scales = 10.0 ** -np.arange(1, 25, dtype=float)
    traces = []
    for scale in scales:
        run = lrf.simulate(
            instance.problem,
            lrf.SymmetricFactorization(),
            lrf.GradientFlow(rtol=1e-6, atol=1e-6),
            start=lrf.Identity(init_scale=scale),
            stop=lrf.Stop(loss=1e-14),
            schedule=lrf.OnlyEnds(),
        )
        traces.append(np.trace(run.matrix))
    axis.semilogx(scales, traces, "o-", color=COLOURS[2], ms=3, lw=1)
    minimum = float(np.trace(reference.matrix))
    greedy = instance.known["greedy_limit_trace"].value
    for height, text in ((minimum, "certified minimum"), (greedy, "greedy limit")):
        axis.axhline(height, color="0.4", lw=0.8, ls="--")
        axis.annotate(
            text,
            (1e-9 if text.startswith("cert") else 1e0, height),
            xytext=(2, 4),
            textcoords="offset points",
            fontsize=9,
            color="0.3",
        )
    axis.set_ylim(7.8, 10.4)
    axis.invert_xaxis()
    axis.set_xlabel("init_scale")
    axis.set_ylabel("trace reached")
    axis.set_title("4 x 4 counter-example, R = 2", fontsize=10)


def main() -> None:
    """Write readme.png and index.png beside this file."""
    for name, shape, size in (
        ("readme", (1, 4), (12, 3.1)),
        ("index", (2, 2), (7.4, 5.6)),
    ):
        figure, grid = plt.subplots(*shape, figsize=size, layout="constrained")
        axes = grid.ravel()
        singular_values(axes[:3])
        counter_example(axes[3])
        for axis in axes:
            axis.spines[["top", "right"]].set_visible(False)
        axes[2 if shape == (2, 2) else 0].set_ylabel("ten leading singular values")
        figure.savefig(Path(__file__).with_name(f"{name}.png"), dpi=110)


if __name__ == "__main__":
    main()
