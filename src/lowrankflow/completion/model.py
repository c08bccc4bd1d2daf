"""A completed table as what it is made of: effects, thin factors, a scale."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from lowrankflow.completion.fold_in import fold_in
from lowrankflow.completion.observed_table import ObservedTable
from lowrankflow.problems import Effects, Factored, pair_products


@dataclass(frozen=True, kw_only=True, eq=False)
class CompletionModel:
    """scale_j (mean + row effect + column effect + left_i . right_j) of every cell.

    Args:
        effects: mean, row and column effects, of scaled values.
        effects_penalty: with which the effects were found, > 0.
        has_row_effects: whether new rows get an effect of their own.
        left: rows x rank.
        right: cols x rank.
        ridge: of a new row's factor, >= 0.
        by_count: whether that ridge is times the number of the row's entries.
        scale: of each column, > 0; None for 1.
        parts: of a weighted mean of models: these, with their weights. New rows are
            found for each of them.
    """

    effects: Effects
    effects_penalty: float
    has_row_effects: bool
    left: Float[np.ndarray, "rows rank"]
    right: Float[np.ndarray, "cols rank"]
    ridge: float = 0.0
    by_count: bool = False
    scale: Float[np.ndarray, " cols"] | None = None
    parts: tuple[tuple["CompletionModel", float], ...] = ()

    @property
    def rank(self) -> int:
        """How many columns the factors have."""
        return self.left.shape[1]

    def at(
        self, rows: Int[np.ndarray, " n"], cols: Int[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """The values of cells."""
        out = self.effects.at(rows, cols)
        if self.rank:
            out += pair_products(self.left, self.right, rows, cols)
        return out if self.scale is None else out * self.scale[cols]

    def dense(self) -> Float[np.ndarray, "rows cols"]:
        """All cells."""
        effects = self.effects
        out = self.left @ self.right.T
        out += (effects.mean + effects.rows)[:, None] + effects.cols
        return out if self.scale is None else out * self.scale

    def folded(self, table: ObservedTable) -> "CompletionModel":
        """The model of other rows, whose effects and factors are found for them.

        Args:
            table: known entries of these rows, in the model's columns. A row without
                any gets the mean and the column effects.

        Exactness: what the rows would have in the model with its columns held: each
            row by regularized least squares.
        """
        if self.parts:
            return self._folded_parts(table)
        count = table.shape[0]
        cols = self.effects.cols
        values = (
            table.in_units(self.scale).values - self.effects.mean - cols[table.cols]
        )
        effects = np.zeros(count)
        if self.has_row_effects:
            weights = np.ones(values.size) if table.weights is None else table.weights
            sums = np.bincount(table.rows, weights * values, minlength=count)
            counts = np.bincount(table.rows, weights, minlength=count)
            effects = sums / (counts + self.effects_penalty)
            values = values - effects[table.rows]
        left = fold_in(
            self.right,
            table.rows,
            table.cols,
            values,
            num_rows=count,
            ridge=self.ridge,
            by_count=self.by_count,
            weights=table.weights,
        )
        return dataclasses.replace(
            self,
            effects=Effects(mean=self.effects.mean, rows=effects, cols=cols),
            left=left,
        )

    def _folded_parts(self, table: ObservedTable) -> "CompletionModel":
        """Each part of a weighted mean folded, and their mean."""
        inside = table.in_units(self.scale)
        found = [(one.folded(inside), weight) for one, weight in self.parts]
        roots = [np.sqrt(weight) for _, weight in found]
        left, right = (
            np.concatenate(
                [root * side for side, root in zip(sides, roots, strict=True)], axis=1
            )
            for sides in (
                [one.left for one, _ in found],
                [one.right for one, _ in found],
            )
        )
        effects = Effects(
            mean=self.effects.mean,
            rows=np.asarray(sum(weight * one.effects.rows for one, weight in found)),
            cols=self.effects.cols,
        )
        return dataclasses.replace(
            self, effects=effects, left=left, right=right, parts=()
        )

    def in_units(self, scale: Float[np.ndarray, " cols"] | None) -> "CompletionModel":
        """The same with each column times its scale."""
        return dataclasses.replace(self, scale=scale)


def balanced(matrix: Factored) -> tuple[np.ndarray, np.ndarray]:
    """Left and right with left'left = right'right diagonal: W = left right'."""
    left, core, right = (
        np.asarray(part) for part in (matrix.left, matrix.core, matrix.right)
    )
    if core.shape[0] == 0:
        return left, right
    u, values, vt = np.linalg.svd(core)
    root = np.sqrt(values)
    return left @ (u * root), right @ (vt.T * root)
