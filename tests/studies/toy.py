"""A study of nothing, with datasets like those of runs."""

import numpy as np
import xarray

from lowrankflow.studies import (
    AbstractStudy,
    Collection,
    Failure,
    LabelledJob,
    Profile,
    Statement,
    at_most,
    depth_look,
    draw_samples,
    method_look,
    panels,
    smaller_than,
)

PROFILE = Profile(
    settings={"shape": "10 x 8", "init_scale": 1e-3},
    num_seeds=3,
    expected_seconds=2.0,
    differs="smaller than in the paper",
)


def dataset(final, rank=2):
    """Ten records that fall to a final error, with three singular values."""
    time = np.linspace(0, 9, 10)
    values = np.array([3.0, 2.0, 0.5][:rank] + [0.0] * (3 - rank))
    return xarray.Dataset(
        {
            "error": ("record", final + np.exp(-time)),
            "singular_values": (("record", "sv"), np.outer(time / 9, values)),
        },
        {"time": ("record", time)},
    )


def reference(value):
    return xarray.Dataset({"error": ((), value)})


def collection(finals, failures=()):
    """`finals[depth]` are the final errors of seeds 0, 1, ..."""
    runs = [
        ({"method": "flow", "depth": depth, "seed": seed}, dataset(value))
        for depth, values in finals.items()
        for seed, value in enumerate(values)
    ]
    runs.append(({"method": "nuclear norm"}, reference(0.5)))
    return Collection(runs, [Failure(axes=a, reason=r) for a, r in failures])


class Toy(AbstractStudy):
    """Depth helps, by construction."""

    key = "arora2019/toy"
    title = "Depth and error on a toy"
    question = "Does depth lower the error where no experiment was made?"
    statements = (
        Statement(
            key="deep-is-low",
            text="Depth 3 reaches a low error <by construction>.",
            source="arora2019, figure 1",
            value="2.9e-5, printed",
        ),
        Statement(
            key="deep-beats-shallow",
            text="Depth 3 has a lower error than depth 2.",
            source="arora2019, figure 1",
        ),
    )
    profiles = {"smoke": PROFILE, "quick": PROFILE, "paper": PROFILE}
    figure_text = "Error against time for depths 2 and 3; depth 3 ends lower."
    data_licence = "Made up; do with it what you like."

    def jobs(self, profile, num_seeds):
        return [
            LabelledJob(axes={"depth": depth, "seed": seed}, job=(profile, depth))
            for depth in (2, 3)
            for seed in range(num_seeds)
        ]

    def claims(self, collection):
        deep = collection.last("error", method="flow", depth=3)
        shallow = collection.last("error", method="flow", depth=2)
        return [
            at_most(
                deep,
                0.1,
                claim="deep-is-low",
                sentence="The error of depth 3 is low.",
                statement=self.statement("deep-is-low"),
                quantity="mean squared error",
                note="a tenth of the start",
            ),
            smaller_than(
                deep,
                shallow,
                claim="deep-beats-shallow",
                sentence="Depth 3 ends below depth 2.",
                statement=self.statement("deep-beats-shallow"),
                quantity="mean squared error",
            ),
        ]

    def figure(self, collection):
        figure, ((left, right),) = panels(1, 2)
        depths = collection.select(method="flow").axis("depth")
        for depth in depths:
            look = depth_look(depth)
            runs = collection.trajectory("error", method="flow", depth=depth)
            for run, trajectory in enumerate(runs):
                words = look.keywords(markers=False)
                words["label"] = look.label if run == 0 else "_"
                left.semilogy(trajectory.time, trajectory.values, **words)
            samples = [collection.last("error", method="flow", depth=depth)]
            draw_samples(right, [depth], samples, look)
        level = collection.last("error", method="nuclear norm").values[0]
        words = method_look("min_nuclear_norm").keywords(markers=False)
        right.axhline(level, **words)
        left.set(xlabel="time", ylabel="mean squared error")
        right.set(xlabel="depth", ylabel="mean squared error", xticks=depths)
        right.set_yscale("log")
        left.legend()
        right.legend()
        return figure
