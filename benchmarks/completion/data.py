"""Tables to complete: what is seen of each, and what judges the answer.

A draw is one division of one table: the entries that are seen, a tenth of which is
named as the one to tune by (the same for every method), and the entries that judge.
Everything follows from the table's name and the number of the draw.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from lowrankflow.problems import (
    gaussian_truth,
    indian_pines_problem,
    load_air_quality,
    load_fluorescence,
    load_il2_response,
    load_picture,
    load_ratings,
    load_serology,
    official_test_set,
)
from lowrankflow.seeds import generator

ASIDE = 0.1  # of the seen entries, to tune by


@dataclass(frozen=True)
class Draw:
    """What a method is given of a table, and what it is judged by.

    Args:
        shape: of the table.
        rows, cols, values: the entries seen.
        test_rows, test_cols, truth: the entries that judge.
        bounds: what values can be, or None; predictions are clipped to it.
        aside: of the entries seen, those to tune by.
    """

    shape: tuple[int, int]
    rows: np.ndarray
    cols: np.ndarray
    values: np.ndarray
    test_rows: np.ndarray
    test_cols: np.ndarray
    truth: np.ndarray
    bounds: tuple[float, float] | None
    aside: np.ndarray

    def save(self, file: Path) -> None:
        """What a method may see, without the truth."""
        np.savez(
            file,
            shape=self.shape,
            rows=self.rows,
            cols=self.cols,
            values=self.values,
            aside=self.aside,
            test_rows=self.test_rows,
            test_cols=self.test_cols,
            bounds=self.bounds or (-np.inf, np.inf),
        )

    def judged(self, predicted: np.ndarray) -> dict[str, float]:
        """Errors, and what they can be divided by: all of them root mean squares.

        "of norm" divides by the truth's, "of deviation" by that of the truth less its
        mean, "of columns" by that of the truth less the mean of each column as seen.
        """
        kept = np.clip(predicted, *self.bounds) if self.bounds else predicted
        miss = kept - self.truth
        count = np.bincount(self.cols, minlength=self.shape[1])
        sums = np.bincount(self.cols, self.values, minlength=self.shape[1])
        mean = self.values.mean()
        means = np.where(count > 0, sums / np.maximum(count, 1), mean)
        return {
            "error": _rms(miss),
            "absolute": float(np.abs(miss).mean()),
            "of norm": _rms(miss) / _rms(self.truth),
            "of deviation": _rms(miss) / _rms(self.truth - self.truth.mean()),
            "of columns": _rms(miss) / _rms(self.truth - means[self.test_cols]),
            "unclipped": _rms(predicted - self.truth),
        }


@dataclass(frozen=True)
class Table:
    """A table with a rule that divides it.

    Args:
        name: as in the results.
        group: whose tables stand together.
        draws: how many divisions there are.
        build: the division of a number.
        seen: what is seen, in words.
    """

    name: str
    group: str
    draws: int
    build: Callable[[int], Draw]
    seen: str


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _draw(
    name: str,
    draw: int,
    shape: tuple[int, int],
    seen: tuple[np.ndarray, np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray, np.ndarray],
    bounds: tuple[float, float] | None = None,
) -> Draw:
    count = seen[0].size
    aside = np.zeros(count, bool)
    random = generator(draw, "completion benchmark", name, "aside")
    aside[random.permutation(count)[: round(ASIDE * count)]] = True
    return Draw(shape, *seen, *test, bounds, aside)


def _hidden(
    name: str,
    draw: int,
    values: np.ndarray,
    hidden: np.ndarray,
    bounds: tuple[float, float] | None = None,
) -> Draw:
    """A table of which the measured entries that are hidden judge."""
    measured = np.isfinite(values)
    parts = [np.nonzero(measured & ~hidden), np.nonzero(measured & hidden)]
    seen, test = ((*part, values[part]) for part in parts)
    return _draw(name, draw, values.shape, seen, test, bounds)


def _at_random(
    name: str, values: np.ndarray, share: float, bounds=None
) -> Callable[[int], Draw]:
    """Hide a share of the measured entries, every set of them equally likely."""

    def build(draw: int) -> Draw:
        random = generator(draw, "completion benchmark", name)
        measured = np.flatnonzero(np.isfinite(values))
        hidden = np.zeros(values.size, bool)
        chosen = random.permutation(measured)[: round(share * measured.size)]
        hidden[chosen] = True
        return _hidden(name, draw, values, hidden.reshape(values.shape), bounds)

    return build


def _blocks(
    name: str, values: np.ndarray, pieces: list[tuple[slice, slice]], share: float
) -> Callable[[int], Draw]:
    """Hide a share of given pieces of the table, each as a whole."""

    def build(draw: int) -> Draw:
        random = generator(draw, "completion benchmark", name)
        hidden = np.zeros(values.shape, bool)
        for at in random.permutation(len(pieces))[: round(share * len(pieces))]:
            hidden[pieces[at]] = True
        return _hidden(name, draw, values, hidden)

    return build


@cache
def _ratings():
    return load_ratings()


def _official(splits: tuple[str, ...]) -> Callable[[int], Draw]:
    def build(draw: int) -> Draw:
        aside = official_test_set(_ratings(), splits[draw])
        return _rated(splits[draw], draw, aside)

    return build


def _few_ratings(draw: int) -> Draw:
    order = generator(draw, "ratings", "observed").permutation(_ratings().num_ratings)
    aside = np.ones(order.size, bool)
    aside[order[:10_000]] = False
    return _rated("few ratings", draw, aside)


def _rated(name: str, draw: int, test: np.ndarray) -> Draw:
    ratings = _ratings()
    columns = ratings.users, ratings.items, ratings.values
    seen, judging = (tuple(c[part] for c in columns) for part in (~test, test))
    return _draw(name, draw, ratings.shape, seen, judging, (1.0, 5.0))


def _pines(share: float) -> Callable[[int], Draw]:
    def build(draw: int) -> Draw:
        problem = indian_pines_problem(fraction_observed=share, seed=draw)
        hidden = np.ones(problem.shape, bool)
        operator = problem.operator
        hidden[operator.row_index, operator.col_index] = False
        return _hidden(f"pines {share}", draw, np.asarray(problem.target), hidden)

    return build


def _planted(shape, rank, count, noise) -> Callable[[int], Draw]:
    """Gaussian low rank, entries of unit variance; judged by the noiseless truth."""
    name = f"planted {shape} {rank} {count} {noise}"

    def build(draw: int) -> Draw:
        truth = np.asarray(gaussian_truth(shape, rank=rank, seed=draw))
        truth = truth / truth.std()
        random = generator(draw, "completion benchmark", *map(str, shape), rank)
        order = random.permutation(truth.size)
        errors = noise * random.standard_normal(truth.size)
        parts = []
        for flat, factor in ((order[:count], 1), (order[count:], 0)):
            rows, cols = np.divmod(flat, shape[1])
            parts.append((rows, cols, truth[rows, cols] + factor * errors[flat]))
        return _draw(name, draw, shape, *parts)

    return build


def tables() -> list[Table]:
    """All tables, the quick ones first."""
    found = []

    def add(group, name, draws, build, seen):
        found.append(Table(name, group, draws, build, seen))

    for count in (1200, 1500, 1800, 2100, 2400, 3000):
        add(
            "planted, no noise",
            f"rank 5, {count:,} of 10,000",
            3,
            _planted((100, 100), 5, count, 0.0),
            f"{count / 975:.2f} entries a degree of freedom",
        )
    for count in (1500, 2100, 3000):
        add(
            "planted, noise",
            f"rank 5, {count:,} of 10,000, noise 0.1",
            3,
            _planted((100, 100), 5, count, 0.1),
            f"{count / 975:.2f} entries a degree of freedom",
        )
    for noise in (0.0, 0.1, 0.5):
        add(
            "planted, no noise" if noise == 0 else "planted, noise",
            f"1,000 x 500, rank 10, noise {noise:g}",
            3,
            _planted((1000, 500), 10, 30_000, noise),
            "30,000: 2.0 entries a degree of freedom",
        )
    found += _measured_tables()
    ratings = ("MovieLens 100K",)
    add(*ratings, "u1 to u5", 5, _official(("u1", "u2", "u3", "u4", "u5")), "80,000")
    add(*ratings, "ua and ub", 2, _official(("ua", "ub")), "90,570")
    add(*ratings, "10,000 seen", 3, _few_ratings, "10,000 at random")
    for share in (0.05, 0.1, 0.2):
        add(
            "Indian Pines",
            f"Indian Pines, {share:.0%}",
            3,
            _pines(share),
            f"{share:.0%} at random",
        )
    return found


def _measured_tables() -> list[Table]:
    found = []

    def at_random(name, load, shares, draws, bounds=None):
        for share in shares:
            whole = f"{name}, {1 - share:.0%} seen"
            found.append(
                Table(
                    whole,
                    "measured tables",
                    draws,
                    lambda draw, n=whole, s=share: _at_random(n, load(), s, bounds)(
                        draw
                    ),
                    f"{1 - share:.0%} at random",
                )
            )

    def in_blocks(name, load, pieces, share, seen):
        found.append(
            Table(
                name,
                "measured tables",
                3,
                lambda draw: _blocks(name, load(), pieces(load()), share)(draw),
                seen,
            )
        )

    at_random("Serology", _serology, (0.2, 0.7), 3)
    in_blocks(
        "Serology, antigens missing",
        _serology,
        lambda v: [
            (slice(i, i + 1), slice(11 * j, 11 * j + 11))
            for i in range(len(v))
            for j in range(6)
        ],
        0.3,
        "a sample lacks 30 % of its antigens, with all receptors",
    )
    at_random("IL-2", _il2, (0.2, 0.7), 3)
    in_blocks(
        "IL-2, times missing",
        _il2,
        lambda v: [
            (slice(12 * i, 12 * i + 12), slice(8 * j, 8 * j + 8))
            for i in range(13)
            for j in range(4)
        ],
        0.2,
        "a ligand lacks 20 % of its times, with all cells and doses",
    )
    at_random("Air quality", _air, (0.2, 0.7), 3)
    in_blocks(
        "Air quality, runs missing",
        _air,
        lambda v: [
            (slice(i, i + 1), slice(12 * j, 12 * j + 12))
            for i in range(len(v))
            for j in range(4)
        ],
        0.2,
        "half days of a site missing, 20 %",
    )
    at_random("Fluorescence", _fluorescence, (0.95, 0.8), 3)
    for name in ("china", "flower"):
        at_random(
            f"Photograph {name}",
            lambda name=name: _picture(name),
            (0.5, 0.8),
            3,
            (0.0, 255.0),
        )
    return found


@cache
def _serology():
    return load_serology().values


@cache
def _il2():
    return load_il2_response().values


@cache
def _air():
    return load_air_quality().values


@cache
def _fluorescence():
    return load_fluorescence().values


@cache
def _picture(name):
    return load_picture(name).values
