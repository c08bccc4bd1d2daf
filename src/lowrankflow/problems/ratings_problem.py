"""Ratings as a problem: which of them are observed, and which judge the solution."""

import os
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from lowrankflow.errors import SpecError
from lowrankflow.problems.operators import EntrySampling
from lowrankflow.problems.problem import HeldOut, SensingProblem
from lowrankflow.problems.ratings import Ratings, load_ratings
from lowrankflow.problems.sampling import checked_count
from lowrankflow.seeds import generator

OFFICIAL_SPLITS = ("u1", "u2", "u3", "u4", "u5", "ua", "ub")


def ratings_problem(
    *,
    seed: int,
    num_observed: int | None = None,
    num_held_out_per_user: int | None = None,
    split: str | None = None,
    num_users: int | None = None,
    num_items: int | None = None,
    cut: Literal["densest", "first"] = "densest",
    center: Literal["none", "mean"] = "none",
    normalization: Literal["sum", "mean"] = "sum",
    path: str | os.PathLike[str] | None = None,
) -> SensingProblem:
    """Complete MovieLens 100K: users are rows, films are columns.

    First the table is cut to `num_users` x `num_items`, then its ratings are divided
    into observed and held out, by at most one of the three ways below; without any all
    are observed. arora2019 observes 10,000 ratings of the whole table and holds out
    the other 90,000: `ratings_problem(num_observed=10_000, seed=0)`. gunasekar2017
    holds out ten ratings per user: `ratings_problem(num_held_out_per_user=10, seed=0)`.

    Args:
        seed: of the division; the official splits ignore it.
        num_observed: observe so many, every set of them equally likely; sets of equal
            seeds nest.
        num_held_out_per_user: hold out so many of every user with more ratings than
            that; a user with fewer keeps all.
        split: one of GroupLens's own, "u1" to "u5", "ua", "ub".
        num_users: rows kept; all without it.
        num_items: columns kept; all without it.
        cut: keep those with the most ratings ("densest", the lower number first among
            equals) or those with the lowest numbers ("first"). The order stays.
        center: "mean" subtracts the mean of the observed ratings from all.
        normalization: "sum" or "mean".
        path: where the ratings are; see `load_ratings`.

    Returns:
        The problem, with the held-out ratings and no target. Measurements run through
        the matrix row by row. The held-out part is None when all are observed.

    Raises:
        DataError: when the ratings cannot be had.
        SpecError: when a count is out of range, two ways of dividing are given, or a
            word is none of those above.

    Exactness: exact.
    Source: arora2019, figure 3; gunasekar2017, section 5.
    Differs: the 10,000 ratings of arora2019 are the first in a file of its own, whose
        order is not that of the official file (held-out mean square 13.7281 at W = 0
        against 13.6992); a random set is the same experiment. The official file's
        first 10,000 rows are not: they know 385 of the 943 users.
    """
    _check_words(cut, center)
    given = (num_observed, num_held_out_per_user, split)
    if sum(way is not None for way in given) > 1:
        raise SpecError(
            where="ratings_problem(num_observed, num_held_out_per_user, split)",
            rule="the ratings are divided in one way",
            got=f"{num_observed!r}, {num_held_out_per_user!r} and {split!r}",
            fix="Give one of the three, for example num_observed=10_000",
        )
    ratings = load_ratings(path)
    users = _kept("num_users", num_users, ratings.users, ratings.shape[0], cut)
    items = _kept("num_items", num_items, ratings.items, ratings.shape[1], cut)
    aside = _held_out(ratings, split)
    inside = np.isin(ratings.users, users) & np.isin(ratings.items, items)
    rows = np.searchsorted(users, ratings.users[inside])
    cols = np.searchsorted(items, ratings.items[inside])
    values, aside = ratings.values[inside], aside[inside]
    if num_observed is not None:
        where = "ratings_problem(num_observed)"
        count = checked_count(where, num_observed, values.size)
        order = generator(seed, "ratings", "observed").permutation(values.size)
        aside = np.ones(values.size, bool)
        aside[order[:count]] = False
    if num_held_out_per_user is not None:
        where = "ratings_problem(num_held_out_per_user)"
        count = checked_count(where, num_held_out_per_user, None)
        aside = _some_of_each(rows, count, seed)
    if aside.all() or values.size == 0:
        raise SpecError(
            where="ratings_problem(num_users, num_items, split)",
            rule="at least one rating is observed",
            got=f"{values.size} ratings in the cut, all held out",
            fix="Keep more users and items",
        )
    shift = values[~aside].mean() if center == "mean" else 0.0
    shape = (users.size, items.size)
    operator, measurements = _part(rows, cols, values - shift, ~aside, shape)
    held_out = None
    if aside.any():
        held_out = HeldOut(*_part(rows, cols, values - shift, aside, shape))
    return SensingProblem(
        operator, measurements, normalization=normalization, held_out=held_out
    )


def official_test_set(ratings: Ratings, split: str) -> Bool[np.ndarray, " ratings"]:
    """Which ratings an official split holds out, from the order of the rows.

    Args:
        ratings: in the order of the official file.
        split: "u1" to "u5" hold out one fifth of the rows each, in order; "ua" holds
            out the first ten rows of every user, "ub" the second ten.

    Raises:
        SpecError: when the split is another word.

    Exactness: exact, as GroupLens's scripts mku.sh and allbut.pl cut the file.
    """
    if split not in OFFICIAL_SPLITS:
        raise SpecError(
            where="official_test_set(split)",
            rule="an official split is one of " + ", ".join(OFFICIAL_SPLITS),
            got=f"{split!r}",
            fix='Give for example split="u1"',
        )
    row = np.arange(ratings.num_ratings)
    if split in ("ua", "ub"):
        first = 0 if split == "ua" else 10
        order = np.argsort(ratings.users, kind="stable")
        counts = np.bincount(ratings.users)
        ordinal = np.empty_like(row)
        ordinal[order] = row - np.repeat(np.cumsum(counts) - counts, counts)
        return (ordinal >= first) & (ordinal < first + 10)
    return row * 5 // ratings.num_ratings == int(split[1]) - 1


def _check_words(cut: str, center: str) -> None:
    for name, word, known in (
        ("cut", cut, ("densest", "first")),
        ("center", center, ("none", "mean")),
    ):
        if word not in known:
            raise SpecError(
                where=f"ratings_problem({name})",
                rule=f'this is "{known[0]}" or "{known[1]}"',
                got=f"{word!r}",
                fix=f'Give {name}="{known[0]}"',
            )


def _kept(
    name: str,
    count: int | None,
    index: Int[np.ndarray, " ratings"],
    size: int,
    cut: str,
) -> Int[np.ndarray, " kept"]:
    if count is None:
        return np.arange(size)
    count = checked_count(f"ratings_problem({name})", count, size)
    if cut == "first":
        return np.arange(count)
    popular = np.argsort(-np.bincount(index, minlength=size), kind="stable")
    return np.sort(popular[:count])


def _held_out(ratings: Ratings, split: str | None) -> Bool[np.ndarray, " ratings"]:
    if split is None:
        return np.zeros(ratings.num_ratings, bool)
    return official_test_set(ratings, split)


def _some_of_each(
    rows: Int[np.ndarray, " ratings"], count: int, seed: int
) -> Bool[np.ndarray, " ratings"]:
    aside = np.zeros(rows.size, bool)
    for user in np.unique(rows):
        own = np.flatnonzero(rows == user)
        if own.size > count:
            random = generator(seed, "ratings", "held out", int(user))
            aside[random.permutation(own)[:count]] = True
    return aside


def _part(
    rows: Int[np.ndarray, " ratings"],
    cols: Int[np.ndarray, " ratings"],
    values: Float[np.ndarray, " ratings"],
    chosen: Bool[np.ndarray, " ratings"],
    shape: tuple[int, int],
) -> tuple[EntrySampling, Float[np.ndarray, " m"]]:
    order = np.lexsort((cols[chosen], rows[chosen]))
    operator = EntrySampling(rows[chosen][order], cols[chosen][order], shape)
    return operator, values[chosen][order]
