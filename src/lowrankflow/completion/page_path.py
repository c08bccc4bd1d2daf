"""The path of a candidate: errors over rank, and over its penalty or time."""

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes as PlotAxes

from lowrankflow.completion.als_candidate import ALS
from lowrankflow.completion.effects_candidate import EFFECTS
from lowrankflow.completion.flow_candidate import FLOW
from lowrankflow.completion.greedy_candidate import GREEDY
from lowrankflow.completion.page_words import (
    CHOSEN,
    DATA,
    OTHER,
    Picture,
    picture,
    setting_words,
)
from lowrankflow.completion.polish import POLISHED
from lowrankflow.completion.results import CandidateResult, PathPoint
from lowrankflow.studies import panels, readable, slug, spectrum_colors

_RATIO = 30.0  # errors that differ by more than this are drawn in powers of ten
_ROOM = 1.6  # errors beyond so many times the first are cut off
_TELLING = 8  # lines that a legend can name

Line = tuple[str, list[tuple[float, PathPoint]]]


def path_picture(
    one: CandidateResult, *, key: str, effects_error: float, entries: str
) -> Picture:
    """Errors along a candidate's path; call it while `styled` is in force.

    Args:
        one: the candidate.
        key: of the picture.
        effects_error: held-out error of effects alone; NaN for none.
        entries: what the training error is of.
    """
    chosen = next((p for p in one.path if p.setting is one.setting), one.path[-1])
    views = [view for view in (_over_rank(one), _over_setting(one)) if view[1]]
    figure, axes = panels(1, len(views), height=2.9)
    for place, (name, lines, is_log) in zip(axes[0], views, strict=True):
        _draw(place, lines, chosen, effects_error)
        place.set_xlabel(name)
        if is_log:
            place.set_xscale("log")
        else:
            place.xaxis.get_major_locator().set_params(integer=name == "rank")
    axes[0, 0].set_ylabel("error (root mean square)")
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper left", ncols=4)
    over = " and over ".join(name for name, *_ in views)
    held = readable(chosen.held_out_error, 4)
    aside = not np.isnan(chosen.held_out_error)
    return picture(
        figure,
        f"path-{slug(key)}",
        shows=f"Error of {one.method} over {over}; chosen is rank {chosen.rank} with a "
        f"held-out error of {held}.",
        caption=f"{_what(one)} The ring is what was chosen: rank {chosen.rank}, "
        f"{setting_words(chosen.setting)}. "
        + (
            "Solid is the error on entries kept aside, dashed that on "
            f"{entries}: where the first rises while the second still falls, noise is "
            "being learnt."
            if aside
            else f"Nothing was kept aside: dashed is the error on {entries}, which says "
            "nothing of missing cells."
        ),
    )


def _what(one: CandidateResult) -> str:
    if one.method == GREEDY:
        return "Each line is a path of growing rank, at one penalty."
    if one.method == FLOW:
        return "The flow from a small start: rank grows with time."
    if one.method == EFFECTS:
        return "Kinds of effects, drawn towards zero by a penalty."
    if one.method == ALS:
        return "Each line is one rank, at several penalties."
    return "Penalties from large to small; rank follows."


def _over_rank(one: CandidateResult) -> tuple[str, list[Line], bool]:
    if one.method == EFFECTS:
        return "rank", [], False
    if one.method == GREEDY:
        lines = _grouped(one.path, "penalty", lambda point: float(point.rank))
        return "rank", [(f"penalty {name}", line) for name, line in lines], False
    best: dict[int, PathPoint] = {}
    for point in one.path:
        known = best.get(point.rank)
        if known is None or _error(point) < _error(known):
            best[point.rank] = point
    line = [(float(rank), best[rank]) for rank in sorted(best)]
    return "rank", [("best of each rank", line)], False


def _over_setting(one: CandidateResult) -> tuple[str, list[Line], bool]:
    if one.method == FLOW:
        line = [(p.setting["time"], p) for p in one.path if POLISHED not in p.setting]
        return "time of the flow", [("", line)] if len(line) > 1 else [], False
    if one.method == EFFECTS:
        lines = _grouped(
            one.path, "effects", lambda point: point.setting["effects_penalty"]
        )
        return "penalty (entries it takes to believe half of an effect)", lines, True
    if one.method == ALS:
        lines = [
            (
                f"rank {rank}",
                sorted(
                    ((p.setting["penalty"], p) for p in one.path if p.rank == rank),
                    key=lambda pair: pair[0],
                ),
            )
            for rank in sorted({p.rank for p in one.path})
        ]
        return "penalty", lines, _spread(x for _, line in lines for x, _ in line)
    best: dict[float, PathPoint] = {}
    for point in one.path:
        penalty = point.setting.get("penalty")
        known = best.get(penalty)  # pyright: ignore[reportArgumentType]
        if penalty and (known is None or _error(point) < _error(known)):
            best[penalty] = point
    if len(best) < 2:
        return "penalty", [], False
    return "penalty", [("", [(x, best[x]) for x in sorted(best)])], True


def _spread(numbers: Iterable[float]) -> bool:
    found = [x for x in numbers if x > 0]
    return len(set(found)) > 1


def _grouped(path: Sequence[PathPoint], name: str, x) -> list[Line]:
    groups: dict[object, list[tuple[float, PathPoint]]] = {}
    for point in path:
        groups.setdefault(point.setting[name], []).append((x(point), point))
    return [
        (
            readable(float(value)) if isinstance(value, float) else str(value),
            sorted(groups[value], key=lambda pair: pair[0]),
        )
        for value in sorted(groups, key=lambda v: (isinstance(v, str), v))
    ]


def _error(point: PathPoint) -> float:
    held = point.held_out_error
    return point.training_error if np.isnan(held) else held


def _draw(
    place: PlotAxes, lines: list[Line], chosen: PathPoint, effects_error: float
) -> None:
    """Lines, the training error of the chosen one, and the chosen point."""
    of_chosen = [
        k for k, (_, line) in enumerate(lines) if any(p is chosen for _, p in line)
    ]
    colors = spectrum_colors(len(lines)) if len(lines) > 1 else [DATA]
    for k, (name, line) in enumerate(lines):
        at = [x for x, _ in line]
        main = k in of_chosen
        held = [p.held_out_error for _, p in line]
        if not np.isnan(held).all():
            place.plot(
                at,
                held,
                color=colors[k],
                marker="o" if len(at) < 60 else "",
                markersize=3,
                linewidth=1.8 if main else 0.9,
                label=name if name and len(lines) <= _TELLING else None,
            )
        if main:
            trained = [p.training_error for _, p in line]
            words = {"color": colors[k], "linestyle": "--", "linewidth": 1.1}
            if len(at) == 1:
                words["marker"] = "_"
            place.plot(at, trained, **words, label="training")  # pyright: ignore
    shown = [
        error
        for _, line in lines
        for _, p in line
        for error in (p.held_out_error, p.training_error)
        if np.isfinite(error) and error > 0
    ]
    if shown and max(shown) > _RATIO * min(shown):
        place.set_yscale("log")
    elif shown:
        # Paths may end far off: what matters is below where they begin.
        first = max(_error(line[0][1]) for _, line in lines)
        top = min(1.05 * max(shown), _ROOM * max(first, _error(chosen)))
        place.set_ylim(min(0.97 * min(shown), 0.9 * top), top)
    if np.isfinite(effects_error) and effects_error > 0:
        place.axhline(
            effects_error,
            color=OTHER,
            linewidth=0.9,
            linestyle=":",
            label="effects alone",
        )
    for k in of_chosen:
        x = next(x for x, p in lines[k][1] if p is chosen)
        place.plot(
            [x],
            [_error(chosen)],
            marker="o",
            markersize=10,
            markerfacecolor="none",
            markeredgecolor=CHOSEN,
            markeredgewidth=1.8,
            linestyle="",
            label="chosen",
        )


def certificate_words(one: CandidateResult) -> str:
    """What the certificate of the chosen point proves; empty where there is none."""
    chosen = next((p for p in one.path if p.setting is one.setting), None)
    if chosen is None or chosen.certificate is None:
        return ""
    return (
        f"{chosen.certificate} This is of the training entries: whether it pays on "
        "others is what the entries kept aside say."
    )
