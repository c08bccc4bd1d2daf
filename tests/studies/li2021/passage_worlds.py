"""Made-up flows past critical points, as the paper has them and otherwise."""

import numpy as np
import xarray

from lowrankflow.studies.li2021.figure2_claims import ANCHORS
from lowrankflow.studies.li2021.passages_measures import rates

GREEDY_LOSSES = {0: (10.53, 3.298), 1: (15.29, 0.6754), 2: (9.947, 1.876)}


def greedy(seed, *, exact=True):
    losses = GREEDY_LOSSES.get(seed, (10.0, 2.0))
    if not exact:
        losses = tuple(2 * loss for loss in losses)
    return xarray.Dataset(
        {
            "stage": ("record", [1, 2, 3]),
            "loss": ("record", [*losses, 1e-14]),
            "relative_error": ("record", [0.5, 0.3, 1e-8 if exact else 0.1]),
        },
        coords={"time": ("record", [1.0, 2.0, 3.0])},
    )


def flow(rises, distances, errors, *, greedy_distance=None):
    """A flow whose k-th singular value rises at the k-th time."""
    times = np.concatenate(
        [[0.0], *([t * (1 - 1e-9), t * (1 + 1e-9)] for t in rises), [2 * rises[-1]]]
    )
    values = np.full((times.size, 5), 1e-9)
    for number, t in enumerate(rises):
        values[times >= t, number] = 5.0
    variables = {
        "singular_values": (("record", "sv"), values),
        "relative_error": ("record", np.interp(np.arange(times.size), *errors)),
    }
    for stage, distance in enumerate(distances, start=1):
        path = np.full(times.size, distance + 1.0)
        path[2 * stage] = distance
        variables[f"greedy_point_distance_{stage}"] = ("record", path)
    if greedy_distance is not None:
        variables["greedy_distance"] = ("record", np.full(times.size, greedy_distance))
    coords = {
        "time": ("record", times),
        "iteration": ("record", np.arange(times.size)),
    }
    return xarray.Dataset(variables, coords=coords)


def as_the_paper_says(axes):
    """A run of these axes in the paper's world."""
    seed = axes["seed"]
    if axes["method"] == "greedy":
        return greedy(seed)
    if "norm" in axes:
        norm = axes["norm"]
        return flow([1.0, 2.0, 3.0], [], ([0, 7], [1, 1e-6]), greedy_distance=_by(norm))
    w, depth = axes["init_scale"], axes["depth"]
    stay = np.log(1 / w) / (2 * rates(seed)[0]) if depth == 2 else w ** (2 / depth - 1)
    # Instances differ, the deep ones much.
    stay = stay + 0.01 * seed if depth == 2 else stay * (1.0, 1.5, 8.0)[seed % 3]
    rises = np.cumsum([stay, stay, stay])
    near = {2: w**0.05, 3: w**1.1, 4: w**1.3}[depth]
    known = ANCHORS[depth].get(w, (near, near))
    last = 0.1 if depth == 2 else 1e-3
    path = (
        ([0, 4, 5, 7], [1.0, 0.5, 0.05, last])
        if depth > 2 or w < 1e-6
        else (
            [0, 7],
            [1.0, last],
        )
    )
    return flow(rises, (*known, near), path)


def as_it_might_be(axes):
    """Depth of no use, plateaus of no law, paths that do not come closer."""
    seed = axes["seed"]
    if axes["method"] == "greedy":
        return greedy(seed, exact=False)
    if "norm" in axes:
        far = 0.5 if axes["norm"] == 1.0 else 1.0 + 1e-3 * _by(1 / axes["norm"])
        return flow([1.0, 2.0, 3.0], [], ([0, 7], [1, 1e-6]), greedy_distance=far)
    depth = axes["depth"]
    rises = np.cumsum([1.0, 1.0, 1.0]) * (1 + (0.5 * seed if depth == 2 else 0.0))
    last = 0.005 if depth == 2 else 0.05
    data = flow(rises, (9.0, 9.0, 9.0), ([0, 6, 7], [1.0, 0.5, last]))
    values = data["singular_values"].values.copy()
    values[:, 1:] = np.maximum(values[:, 1:], 0.5)
    values[:, 0] = np.maximum(values[:, 0], 0.6)
    return data.assign(singular_values=(("record", "sv"), values))


def _by(norm):
    """A distance that falls with the start as a power, from 3."""
    return 3.0 * norm**0.2
