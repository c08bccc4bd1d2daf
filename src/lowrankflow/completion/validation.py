"""Which known entries are kept aside, to choose by and to be honest with."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Float

from lowrankflow.completion.observed_table import ObservedTable
from lowrankflow.errors import SpecError
from lowrankflow.seeds import generator

Scheme: TypeAlias = Literal["random", "rows", "columns", "block"]
SCHEMES = ("random", "rows", "columns", "block")
# With fewer entries kept aside nothing can be chosen, or no interval be given.
FEWEST_TO_CHOOSE, FEWEST_TO_CALIBRATE = 10, 30
# A third of what is kept aside calibrates intervals, but no more than is of use.
_CALIBRATION, _MOST_TO_CALIBRATE = 1 / 3, 5000
_BLOCKS = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """The known entries in up to three parts.

    Args:
        train: what models are fitted to.
        selection: what they are compared on; None when there are too few.
        calibration: what intervals are measured on, never used to choose; None
            likewise.
    """

    train: ObservedTable
    selection: ObservedTable | None
    calibration: ObservedTable | None

    def in_units(self, scale: Float[np.ndarray, " cols"] | None) -> "Split":
        """The same parts, each entry divided by its column's scale."""
        parts = (self.train, self.selection, self.calibration)
        train, *aside = (part and part.in_units(scale) for part in parts)
        assert train is not None, "there is always something to fit to"
        return Split(train=train, selection=aside[0], calibration=aside[1])


def split_entries(
    table: ObservedTable,
    *,
    fraction: float,
    scheme: Scheme,
    seed: int,
    fewest: int = FEWEST_TO_CHOOSE,
) -> Split:
    """Keep a part of the known entries aside.

    Args:
        table: the known entries.
        fraction: of them, in [0, 1); 0 keeps none aside.
        scheme: "random" takes every entry alike; "rows" the same share of every row,
            "columns" of every column; "block" the entries where some rows meet some
            columns, both chosen at random: for tables whose gaps are blocks.
        seed: of the choice.
        fewest: entries to keep aside, or none.

    Raises:
        SpecError: when the fraction or the scheme is no such thing.
    """
    if scheme not in SCHEMES:
        raise SpecError(
            where="MatrixCompleter(validation_scheme)",
            rule=f"it is one of {', '.join(map(repr, SCHEMES))}",
            got=f"{scheme!r}",
            fix='Give validation_scheme="random"',
        )
    if not 0 <= fraction < 1:
        raise SpecError(
            where="MatrixCompleter(validation)",
            rule="it is the share of the known entries to keep aside, in [0, 1)",
            got=f"{fraction!r}",
            fix="Give validation=0.1, or 0 to keep none aside",
        )
    rng = generator(seed, "completion", "validation", scheme)
    aside = np.zeros(table.num_entries, bool)
    wanted = round(fraction * table.num_entries)
    if wanted >= fewest:
        aside = _CHOICES[scheme](table, fraction, rng)
    places = np.flatnonzero(aside)
    if places.size < fewest:
        return Split(train=table, selection=None, calibration=None)
    places = rng.permutation(places)
    count = min(int(_CALIBRATION * places.size), _MOST_TO_CALIBRATE)
    count = count if count >= FEWEST_TO_CALIBRATE else 0
    calibration = np.sort(places[:count])
    return Split(
        train=table.part(~aside),
        selection=table.part(np.sort(places[count:])),
        calibration=table.part(calibration) if count else None,
    )


def _random(
    table: ObservedTable, fraction: float, rng: np.random.Generator
) -> Bool[np.ndarray, " m"]:
    m = table.num_entries
    aside = np.zeros(m, bool)
    aside[rng.permutation(m)[: round(fraction * m)]] = True
    return aside


def _of_lines(
    index: np.ndarray, fraction: float, rng: np.random.Generator
) -> Bool[np.ndarray, " m"]:
    """The same share of every row (column); what is left of rounding by chance."""
    key = rng.random(index.size)
    order = np.lexsort((key, index))
    _, start, counts = np.unique(index[order], return_index=True, return_counts=True)
    within = np.arange(index.size) - np.repeat(start, counts)
    share = np.repeat(fraction * counts + rng.random(counts.size), counts)
    aside = np.zeros(index.size, bool)
    aside[order] = within < np.minimum(np.floor(share), np.repeat(counts - 1, counts))
    return aside


def _of_rows(
    table: ObservedTable, fraction: float, rng: np.random.Generator
) -> Bool[np.ndarray, " m"]:
    return _of_lines(table.rows, fraction, rng)


def _of_cols(
    table: ObservedTable, fraction: float, rng: np.random.Generator
) -> Bool[np.ndarray, " m"]:
    return _of_lines(table.cols, fraction, rng)


def _blocks(
    table: ObservedTable, fraction: float, rng: np.random.Generator
) -> Bool[np.ndarray, " m"]:
    """Several blocks of rows x columns, each a part of the share."""
    aside = np.zeros(table.num_entries, bool)
    side = np.sqrt(fraction / _BLOCKS)
    for _ in range(4 * _BLOCKS):
        if aside.sum() >= fraction * table.num_entries:
            break
        of_rows, of_cols = (
            rng.permutation(size)[: max(round(side * size), 1)] for size in table.shape
        )
        inside = np.isin(table.rows, of_rows) & np.isin(table.cols, of_cols)
        if (aside | inside).sum() > 2 * fraction * table.num_entries:
            continue
        aside |= inside
    return aside


_CHOICES = {"random": _random, "rows": _of_rows, "columns": _of_cols, "block": _blocks}
