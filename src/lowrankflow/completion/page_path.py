"""The path of a candidate: errors over rank, and over its penalty or time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes as PlotAxes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from lowrankflow.completion.candidates.als_candidate import ALS
from lowrankflow.completion.candidates.bayes_candidate import BAYES
from lowrankflow.completion.candidates.effects_candidate import EFFECTS
from lowrankflow.completion.candidates.flow_candidate import FLOW
from lowrankflow.completion.candidates.greedy_candidate import GREEDY
from lowrankflow.completion.candidates.polish import POLISHED
from lowrankflow.completion.page_words import (
    CHOSEN,
    DATA,
    OTHER,
    Picture,
    picture,
    setting_words,
)
from lowrankflow.completion.results import CandidateResult, PathPoint
from lowrankflow.studies import panels, readable, slug, spectrum_colors

_RATIO = 30.0  # errors that differ by more than this are drawn in powers of ten
_ROOM = 0.4  # above the first error, of what lies below it; what is higher is cut off
# Lines that a legend can name; ranks that an axis can.
_TELLING, _TICKS = 6, 12


@dataclass(frozen=True, kw_only=True)
class View:
    """Errors over one thing.

    Args:
        name: of what they are drawn over.
        lines: each with a name and its points, from left to right.
        is_log: whether that thing is drawn in powers of ten.
        is_path: whether points of a line follow one another; else each is the best of
            several, and their training errors say nothing side by side.
    """

    name: str
    lines: list[tuple[str, list[tuple[float, PathPoint]]]]
    is_log: bool
    is_path: bool


def chosen_point(one: CandidateResult) -> PathPoint:
    """The point of a path that is the candidate."""
    return next((p for p in one.path if p.setting is one.setting), one.path[-1])


def path_picture(
    one: CandidateResult, *, key: str, effects_error: float
) -> Picture | None:
    """Errors along a candidate's path; call it while `styled` is in force.

    Args:
        one: the candidate.
        key: of the picture.
        effects_error: held-out error of effects alone; NaN for none.

    Returns:
        None where there is but one point.
    """
    if len(one.path) < 2:
        return None
    if one.method == EFFECTS:
        return _effects_picture(one, key)
    chosen = chosen_point(one)
    views = [view for view in (_over_rank(one), _over_setting(one)) if view]
    figure, axes = panels(1, len(views), height=2.9)
    for place, view in zip(axes[0], views, strict=True):
        _draw(place, view, chosen, effects_error)
    axes[0, 0].set_ylabel("error (root mean square)")
    named: dict[str, object] = {}
    for place in axes[0]:
        handles, names = place.get_legend_handles_labels()
        named |= dict(zip(names, handles, strict=True))
    figure.legend(
        list(named.values()),  # pyright: ignore[reportArgumentType]
        list(named),
        loc="outside upper left",
        ncols=4,
    )
    over = " and over ".join(view.name for view in views)
    return picture(
        figure,
        f"path-{slug(key)}",
        shows=f"Error of {one.method} over {over}; chosen is rank {chosen.rank}, with "
        f"an error of {readable(_error(chosen), 4)}.",
        caption=f"{_what(one)} The ring is what was chosen: rank {chosen.rank}, "
        f"{setting_words(chosen.setting)}. {_reading(chosen)}",
    )


def certificate_words(one: CandidateResult) -> str:
    """What the certificate of the chosen point proves; empty where there is none."""
    certificate = chosen_point(one).certificate
    if certificate is None:
        return ""
    return (
        f"{certificate} This is of the entries fitted to: whether it pays on others is "
        "what the entries kept aside say."
    )


def _what(one: CandidateResult) -> str:
    if one.method == GREEDY:
        return (
            "Left: each line is a path of growing rank at one penalty, from orange "
            "(small) to blue (large). Right, if several were tried: the best of each."
        )
    if one.method == FLOW:
        return "Left: the best of each rank. Right: the flow, whose rank grows."
    if one.method == ALS:
        return "Left: the best of each rank. Right: its penalties, a line for each."
    if one.method == BAYES:
        return (
            "Left: the best of each rank. Right: the sweeps, a line for each largest "
            "rank that was allowed."
        )
    return "Left: the best of each rank. Right: the best of each penalty."


def _reading(chosen: PathPoint) -> str:
    if np.isnan(chosen.held_out_error):
        return (
            "Nothing was kept aside: dashed is the error on the entries fitted to, "
            "which says nothing of missing cells."
        )
    return (
        "Solid is the error on entries kept aside, dashed that on the entries fitted "
        "to: where the first rises while the second still falls, noise is being learnt."
    )


def _over_rank(one: CandidateResult) -> View | None:
    if one.method == GREEDY:
        return View(
            name="rank",
            lines=_grouped(one.path, "penalty", lambda point: float(point.rank)),
            is_log=False,
            is_path=True,
        )
    return _best_over("rank", {p.rank: [] for p in one.path}, one, lambda p: p.rank)


def _over_setting(one: CandidateResult) -> View | None:
    if one.method == FLOW:
        line = [(p.setting["time"], p) for p in one.path if POLISHED not in p.setting]
        if len(line) < 2:
            return None
        lines = [("kept aside", line)]
        return View(name="time of the flow", lines=lines, is_log=False, is_path=True)
    if one.method == BAYES:
        lines = _grouped(one.path, "largest_rank", lambda p: float(p.setting["sweeps"]))
        return View(name="sweeps", lines=lines, is_log=False, is_path=True)
    # Effects, as a part of a blend, have none.
    values = [p.setting.get("penalty") for p in one.path]
    penalties = {value: [] for value in values if value}
    if len(penalties) < 2:
        return None
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
        return View(name="penalty", lines=lines, is_log=True, is_path=True)
    return _best_over("penalty", penalties, one, lambda p: p.setting["penalty"])


def _best_over(
    name: str,
    places: dict[float, list[PathPoint]],
    one: CandidateResult,
    at: Callable[[PathPoint], float],
) -> View | None:
    """The best point at each place, if there are several places."""
    if len(places) < 2:
        return None
    for point in one.path:
        if at(point) in places:
            places[at(point)].append(point)
    line = [(float(x), min(places[x], key=_error)) for x in sorted(places)]
    return View(
        name=name, lines=[("kept aside", line)], is_log=name != "rank", is_path=False
    )


def _grouped(
    path: Sequence[PathPoint], name: str, x: Callable[[PathPoint], float]
) -> list[tuple[str, list[tuple[float, PathPoint]]]]:
    groups: dict[float, list[tuple[float, PathPoint]]] = {}
    for point in path:
        groups.setdefault(point.setting[name], []).append((x(point), point))
    return [
        (
            f"{name.replace('_', ' ')} {readable(value)}",
            sorted(groups[value], key=lambda pair: pair[0]),
        )
        for value in sorted(groups)
    ]


def _error(point: PathPoint) -> float:
    held = point.held_out_error
    return point.training_error if np.isnan(held) else held


def _draw(place: PlotAxes, view: View, chosen: PathPoint, effects_error: float) -> None:
    """Lines, the training error of the chosen one, and the chosen point."""
    lines = view.lines
    colors = spectrum_colors(len(lines)) if len(lines) > 1 else [DATA]
    aside = not np.isnan(chosen.held_out_error)
    for (name, line), color in zip(lines, colors, strict=True):
        at = [x for x, _ in line]
        main = any(point is chosen for _, point in line)
        known = name if len(lines) <= _TELLING else "kept aside" if main else None
        if aside:
            place.plot(
                at,
                [point.held_out_error for _, point in line],
                color=color,
                marker="o" if len(at) < 60 else "",
                markersize=3,
                linewidth=1.8 if main else 0.9,
                label=known,
            )
        if (main and view.is_path) or not aside:
            place.plot(
                at,
                [point.training_error for _, point in line],
                color=color,
                linestyle="--",
                linewidth=1.1,
                label="fitted to",
            )
        if main:
            place.plot(
                [x for x, point in line if point is chosen],
                [_error(chosen)],
                marker="o",
                markersize=10,
                markerfacecolor="none",
                markeredgecolor=CHOSEN,
                markeredgewidth=1.8,
                linestyle="",
                label="chosen",
            )
    _limit(place, view, chosen)
    if np.isfinite(effects_error) and effects_error > 0:
        place.axhline(
            effects_error,
            color=OTHER,
            linewidth=0.9,
            linestyle=":",
            label="effects alone",
        )
    place.set_xlabel(view.name)
    _mark(place, view)


def _mark(place: PlotAxes, view: View) -> None:
    """Ticks: of ranks that were tried where they are few, of penalties 1, 2, 5."""
    at = sorted({x for _, line in view.lines for x, _ in line})
    if view.is_log:
        place.set_xscale("log")
        near = at[-1] < 100 * at[0]
        place.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if near else (1,)))
        place.xaxis.set_major_formatter(lambda x, _: readable(float(x), 1))
        place.xaxis.set_minor_formatter(NullFormatter())
    elif view.name == "rank" and len(at) <= _TICKS:
        place.set_xticks(at)
    else:
        whole = view.name == "rank"
        place.xaxis.set_major_locator(MaxNLocator("auto", integer=whole))


def _limit(place: PlotAxes, view: View, chosen: PathPoint) -> None:
    """What is shown of the errors: paths may end far off."""
    shown = [
        error
        for _, line in view.lines
        for _, p in line
        for error in (p.held_out_error, p.training_error if view.is_path else np.nan)
        if np.isfinite(error) and error > 0
    ]
    if not shown:
        return
    first = max(_error(line[0][1]) for _, line in view.lines)
    if max(first, _error(chosen)) > _RATIO * min(shown):
        place.set_yscale("log")
        return
    low, highest = min(shown), max(first, _error(chosen))
    top = min(1.03 * max(shown), 1.03 * highest + _ROOM * (highest - low))
    place.set_ylim(min(low - 0.06 * (top - low), 0.97 * low), top)


def _effects_picture(one: CandidateResult, key: str) -> Picture:
    """Kinds of effects, and how strongly they are drawn towards zero."""
    chosen = chosen_point(one)
    figure, axes = panels(1, 1, height=0.8 + 0.25 * len(one.path))
    place = axes[0, 0]
    points = sorted(one.path, key=_error)
    for k, point in enumerate(points):
        main = point is chosen
        place.plot([_error(point)], [k], marker="o", color=CHOSEN if main else DATA)
    place.set_yticks(
        range(len(points)), [setting_words(point.setting) for point in points]
    )
    place.set_ylim(len(points) - 0.5, -0.5)
    place.grid(axis="y", visible=False)
    place.set_xlabel("error on entries kept aside (root mean square)")
    return picture(
        figure,
        f"path-{slug(key)}",
        shows=f"Held-out errors of {len(points)} kinds of effects.",
        caption="Kinds of effects and the penalty that draws them towards zero: as "
        "many entries as it takes to believe half of an effect. Orange was chosen: "
        f"{setting_words(chosen.setting)}.",
    )
