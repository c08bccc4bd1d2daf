"""The estimator: complete a table, without a rank or a penalty to choose."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from lowrankflow.completion.candidates.bases import Kind
from lowrankflow.completion.completer_checks import checked_cells, checked_settings
from lowrankflow.completion.completer_input import rows_of, table_of
from lowrankflow.completion.learning import Learnt, learn
from lowrankflow.completion.observed_table import ObservedTable
from lowrankflow.completion.results import SearchProgress
from lowrankflow.completion.validation import Scheme, split_entries
from lowrankflow.errors import DataError
from lowrankflow.problems import Numbers


class MatrixCompleter(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Complete a half-empty table by effects and a low-rank part chosen on the data.

    A tenth of the known entries is kept aside. Row and column effects, the path of
    greedy low-rank learning, the deep flow stopped in time, soft-impute, alternating
    least squares and variational Bayes are fitted to the rest and compared on it, and
    so is a weighted mean of them; the best is fitted again to all entries.
    `comparison_` has all of them, and by how much the winner won.

    Args:
        method: "auto", or one of "effects", "greedy path", "flow", "soft-impute",
            "als", "bayes", or a tuple of these to be compared, with "blend" for their
            weighted mean.
        depth: of the flow, >= 2; None tries 2 and 3.
        init_scale: of the flow's start, > 0, in units of the table; None for 1e-5 of
            the first direction's weight.
        max_rank: the largest rank, >= 1; None for at most 100.
        penalty: of the nuclear norm (with "als": of a row's squared factor, for each of
            its entries), >= 0; None chooses it.
        effects: "auto" chooses; "none", "mean" (one number), "rows", "columns" or
            "both".
        scale: "auto" divides columns by their standard deviation where there are at
            most 64 of them and these differ by more than a factor of ten, as in columns
            of different units; "columns" always does; None never. With it all errors
            are in units of columns.
        validation: the share of the known entries that is kept aside, in [0, 1); 0 for
            none, which leaves "auto" with effects alone.
        validation_scheme: how: "random", the same share of all "rows" or "columns", or
            "block"s of rows and columns. Keep aside what is like what is missing.
        refit: whether the winner is fitted again to all known entries.
        smooth: whether known entries, too, are replaced by the model's values.
        clip: (low, high) that no completed entry leaves; None for no bounds.
        random_state: seed of what is kept aside and of starts, >= 0; a NumPy
            RandomState, or None for another one each time.
        verbose: 1 prints a line for each candidate.

    Attributes:
        method_: the winner.
        setting_: its effects, penalty, depth, time, ...
        rank_: of its low-rank part.
        factors_: left (rows x rank) and right (cols x rank): the low-rank part is left
            right', in units of `scale_`.
        effects_: mean, row and column effects, likewise.
        scale_: of each column; None for 1.
        path_: the winner's path: rank, setting, errors, certificate of each point.
        comparison_: all candidates, best first.
        validation_: what was kept aside, and the errors there.
        coverage_: share of entries kept aside that intervals of 90 % hold, measured;
            NaN when there are too few.
        unobserved_rows_, unobserved_cols_: those without any known entry; they are
            filled by effects.
        n_iter_: points that were judged, over all candidates.
        interrupted_: whether the search was ended by its callback.
        n_features_in_: how many columns there are.
        feature_names_in_: their names, of a data frame.

    Exactness: that of the candidates; which one wins is decided by chance where they
        are alike (`comparison_` has standard errors).
    Cost: `docs/completion.md` has time and memory for each million entries.
    Source: li2021, algorithm 1 (greedy path); arora2019 (flow); mazumder2010
        (soft-impute); zhou2008 (als); lim2007 (bayes).
    Differs: held-out entries choose among them.

    Examples:
        >>> import numpy as np
        >>> from lowrankflow.completion import MatrixCompleter
        >>> table = np.outer([1.0, 2.0, 3.0, 4.0, 5.0], np.arange(1.0, 25.0))
        >>> table[0, 3] = table[2, 7] = np.nan
        >>> completer = MatrixCompleter()
        >>> completed = completer.fit_transform(table)
        >>> bool(abs(completed[2, 7] - 24) < 1e-4)
        True
    """

    def __init__(
        self,
        method: str | tuple[str, ...] = "auto",
        *,
        depth: int | None = None,
        init_scale: float | None = None,
        max_rank: int | None = None,
        penalty: float | None = None,
        effects: Literal["auto"] | Kind = "auto",
        scale: Literal["auto", "columns"] | None = "auto",
        validation: float = 0.1,
        validation_scheme: Scheme = "random",
        refit: bool = True,
        smooth: bool = False,
        clip: tuple[float, float] | None = None,
        random_state: int | np.random.RandomState | None = 0,
        verbose: int = 0,
    ):
        self.method = method
        self.depth = depth
        self.init_scale = init_scale
        self.max_rank = max_rank
        self.penalty = penalty
        self.effects = effects
        self.scale = scale
        self.validation = validation
        self.validation_scheme = validation_scheme
        self.refit = refit
        self.smooth = smooth
        self.clip = clip
        self.random_state = random_state
        self.verbose = verbose

    def fit(
        self,
        X: Any,  # noqa: N803, scikit-learn's name
        y: object = None,
        *,
        shape: tuple[int, int] | None = None,
        entry_weight: Numbers | None = None,
        callback: Callable[[SearchProgress], object] | None = None,
        checkpoint: str | Path | None = None,
    ) -> "MatrixCompleter":
        """Learn a completion of a table.

        Args:
            X: an array or data frame with NaN where nothing is known; a SciPy sparse
                array, **in which what is not stored is not known, and a stored zero is
                a zero**; a tuple (rows, cols, values); an `ObservedTable`.
            y: not used.
            shape: (rows, cols), for a tuple.
            entry_weight: how much each known entry counts, > 0: of the table's shape,
                or one for each.
            callback: told of progress; answers True to end with the best so far.
            checkpoint: a folder in which candidates are kept as soon as each is
                finished; a fit of the same table with the same settings that was killed
                goes on from them, and finds what it would have found. It is left there.

        Raises:
            DataError: when the table is none, has an infinite entry or no known one, or
                the folder cannot be written.
            SpecError: when a setting is out of its range.
        """
        del y
        settings = checked_settings(self.get_params(deep=False))
        table = table_of(self, X, reset=True, shape=shape, entry_weight=entry_weight)
        folder = None if checkpoint is None else Path(checkpoint)
        self._keep(table, learn(table, settings, callback, folder))
        return self

    def fit_transform(
        self,
        X: Any,  # noqa: N803
        y: object = None,
        **fit_params: Any,
    ) -> Float[np.ndarray, "rows cols"]:
        """Learn a completion of a table, and complete it.

        Args:
            X: as for `fit`.
            y: not used.
            fit_params: as for `fit`.
        """
        return self.fit(X, y, **fit_params).complete()

    def transform(self, X: Any) -> Float[np.ndarray, "rows cols"]:  # noqa: N803
        """Complete other rows of the same columns, or the same rows again.

        Effects and factors of each row are found from its known entries by regularized
        least squares, with the columns as they were learnt. A row without known entries
        gets the mean and the column effects.

        Args:
            X: as for `fit`, with as many columns.

        Raises:
            DataError: when it is no table of as many columns.
        """
        check_is_fitted(self)
        table = rows_of(self, X)
        return self._filled(self.model_.folded(table).dense(), table)

    def complete(self) -> Float[np.ndarray, "rows cols"]:
        """The whole table: known entries as they were (unless `smooth`), others filled.

        Raises:
            DataError: when it does not fit into memory.
        """
        check_is_fitted(self)
        rows, cols = self.table_.shape
        try:
            dense = self.model_.dense()
            return self._filled(dense, self.table_)
        except MemoryError:
            raise DataError(
                where="MatrixCompleter.complete",
                rule="the whole table fits into memory",
                got=f"{rows} x {cols}, {8e-9 * rows * cols:.3g} GB",
                fix="Use predict(rows, cols) for the cells that you need",
            ) from None

    def predict(self, rows: Any, cols: Numbers | None = None) -> Float[np.ndarray, "*"]:
        """The model's values of cells, whether they were known or not.

        Args:
            rows: 0-based rows of the table that was fitted. Without `cols` it is a
                table, as for `transform`, and the values of all of its cells come back.
            cols: 0-based columns, one for each row.

        Raises:
            DataError: when a position is out of range, or the table has other columns.
        """
        check_is_fitted(self)
        if cols is None:
            table = rows_of(self, rows)
            return self._clipped(self.model_.folded(table).dense())
        row_index, col_index = checked_cells(rows, cols, self.table_.shape)
        return self._clipped(self.model_.at(row_index, col_index))

    def interval(
        self, rows: Numbers, cols: Numbers, *, level: float = 0.9
    ) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """Intervals around predictions that hold the truth with a probability.

        Split-conformal: they hold for cells that are missing in the way in which
        entries were kept aside, whatever the distribution, for the model before it was
        fitted again; the model fitted to all entries is no worse.

        Args:
            rows: as for `predict`.
            cols: as for `predict`.
            level: the probability, in (0, 1).

        Returns:
            Lower and upper ends.

        Raises:
            DataError: when too few entries were kept aside for this level.
            SpecError: when the level is out of its range.
        """
        check_is_fitted(self)
        row_index, col_index = checked_cells(rows, cols, self.table_.shape)
        if self.conformal_ is None:
            raise DataError(
                where="MatrixCompleter.interval",
                rule="entries are kept aside to measure how far predictions are off",
                got=f"{self.validation_.num_calibration} of "
                f"{self.table_.num_entries} known entries",
                fix="Give validation=0.3, or a table with more known entries",
            )
        half = self.conformal_.quantile(level) * self.conformal_.spread(
            row_index, col_index
        )
        if self.scale_ is not None:
            half = half * self.scale_[col_index]
        middle = self.model_.at(row_index, col_index)
        return self._clipped(middle - half), self._clipped(middle + half)

    def score(self, X: Any, y: object = None) -> float:  # noqa: N803
        """Minus the root mean square error on entries that are hidden from the model.

        Args:
            X: a tuple (rows, cols, values) of cells of the fitted table; or a table of
                any form and of as many columns, of which the share `validation` is
                hidden, the rows are found from the rest, and the hidden are predicted.
            y: not used.

        Raises:
            DataError: when X is no such table, or too small to hide anything of it.
        """
        del y
        check_is_fitted(self)
        if isinstance(X, tuple):
            table = ObservedTable.of(X, shape=self.table_.shape)
            found = self.predict(table.rows, table.cols)
            return -float(np.sqrt(np.mean(np.square(found - table.values))))
        table = table_of(self, X, reset=False)
        settings = checked_settings(self.get_params(deep=False))
        split = split_entries(
            table,
            fraction=settings.validation or 0.1,
            scheme=settings.validation_scheme,
            seed=settings.seed,
            fewest=1,
        )
        if split.selection is None:
            raise DataError(
                where="MatrixCompleter.score(X)",
                rule="there are enough known entries to hide some of them",
                got=f"{table.num_entries} known entries, of which the share "
                f"{settings.validation:g} is hidden",
                fix="Give more rows, or (rows, cols, values) of cells that were hidden",
            )
        hidden = split.selection
        model = self.model_.folded(split.train)
        found = self._clipped(model.at(hidden.rows, hidden.cols))
        return -float(np.sqrt(hidden.mean_square(found - hidden.values)))

    def _keep(self, table: ObservedTable, learnt: Learnt) -> None:
        """What was learnt, as attributes."""
        candidates = learnt.found.candidates
        winner = candidates[0]
        self.table_, self.model_ = table.copied(), learnt.model
        self.scale_, self.conformal_ = learnt.scale, learnt.conformal
        self.method_, self.setting_ = winner.method, winner.setting
        self.rank_, self.effects_ = self.model_.rank, self.model_.effects
        self.factors_ = self.model_.left, self.model_.right
        self.path_, self.comparison_ = winner.path, candidates
        self.n_iter_ = max(sum(len(one.path) for one in candidates), 1)
        self.validation_ = learnt.validation
        self.interrupted_ = learnt.found.interrupted
        self.coverage_ = np.nan
        if self.conformal_ is not None:
            self.coverage_ = self.conformal_.coverage(0.9)
        self.unobserved_rows_, self.unobserved_cols_ = (
            np.flatnonzero(np.bincount(index, minlength=size) == 0)
            for index, size in zip((table.rows, table.cols), table.shape, strict=True)
        )
        if self.verbose:
            for one in candidates:
                print(one.sentence)

    def _filled(
        self, dense: Float[np.ndarray, "rows cols"], table: ObservedTable
    ) -> Float[np.ndarray, "rows cols"]:
        """A completed table: bounds kept, known entries put back, of their kind."""
        dense = self._clipped(dense)
        if not self.smooth:
            dense[table.rows, table.cols] = table.values
        return dense.astype(table.values.dtype, copy=False)

    def _clipped(self, values: np.ndarray) -> np.ndarray:
        if self.clip is None:
            return values
        return np.clip(values, self.clip[0], self.clip[1], out=values)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
