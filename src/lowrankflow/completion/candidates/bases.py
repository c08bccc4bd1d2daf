"""What a low-rank part is added to: nothing, a mean, row and column effects."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from lowrankflow.completion.model import CompletionModel
from lowrankflow.completion.observed_table import ObservedTable
from lowrankflow.problems import Effects, remove_effects

Kind: TypeAlias = Literal["none", "mean", "rows", "columns", "both"]
KINDS = ("none", "mean", "rows", "columns", "both")


@dataclass(frozen=True, kw_only=True, eq=False)
class Base:
    """Effects, and the table that they leave.

    Args:
        kind: which effects.
        penalty: with which they were found, as many entries as it takes to believe
            half of an effect.
        effects: mean, rows, columns.
        left_over: the entries less the effects.
    """

    kind: Kind
    penalty: float
    effects: Effects
    left_over: ObservedTable

    def model(
        self,
        left: np.ndarray | None = None,
        right: np.ndarray | None = None,
        *,
        ridge: float = 0.0,
        by_count: bool = False,
    ) -> CompletionModel:
        """The effects plus left right', or the effects alone."""
        none = (np.zeros((size, 0)) for size in self.left_over.shape)
        left, right = none if left is None or right is None else (left, right)
        return CompletionModel(
            effects=self.effects,
            effects_penalty=self.penalty,
            has_row_effects=self.kind in ("rows", "both"),
            left=left,
            right=right,
            ridge=ridge,
            by_count=by_count,
        )

    def again(self, table: ObservedTable) -> "Base":
        """The same effects of more entries."""
        return base_of(table, kind=self.kind, penalty=self.penalty)


def base_of(table: ObservedTable, *, kind: Kind, penalty: float) -> Base:
    """Find effects and take them away.

    Args:
        table: the entries.
        kind: which effects; "mean" is one number for all.
        penalty: > 0.
    """
    rows, cols = (np.zeros(size) for size in table.shape)
    mean = 0.0
    if kind != "none":
        mean = float(np.average(table.values, weights=table.weights))
    effects = Effects(mean=mean, rows=rows, cols=cols)
    if kind in ("rows", "columns", "both"):
        _, effects = remove_effects(table.problem(), penalty=penalty, which=kind)
    left = table.values - effects.at(table.rows, table.cols)
    left = left.astype(table.values.dtype, copy=False)
    return Base(
        kind=kind,
        penalty=penalty,
        effects=effects,
        left_over=table.with_values(left),
    )
