"""Who candidates answer to: models are judged here, progress told, a stop asked for."""

import time
from collections.abc import Callable

import numpy as np

from lowrankflow.completion.model import CompletionModel
from lowrankflow.completion.observed_table import ObservedTable
from lowrankflow.completion.results import CandidateResult, PathPoint, SearchProgress
from lowrankflow.completion.validation import Split
from lowrankflow.dynamics import PathCertificate

_SECONDS_BETWEEN = 0.1
# Held-out errors below this share of that of one number for all are alike: nothing is
# left to be won.
EXACT = 1e-5


class StopSearch(Exception):  # noqa: N818, it is no error
    """The caller wants the best so far."""


class Watch:
    """Judge of one search.

    Errors below its `floor` are alike, and the first model that has one is the best;
    `mean_error` is that of one number for all.

    Args:
        split: the entries fitted to, and those kept aside.
        callback: told of progress; it answers True to end with the best so far.
    """

    def __init__(
        self, split: Split, callback: Callable[[SearchProgress], object] | None
    ):
        self.split = split
        self.best: CandidateResult | None = None
        self.floor, self.mean_error = 0.0, 0.0
        self._callback = callback
        self._begun = self._told = time.perf_counter()
        self._done, self._share = 0.0, 0.0

    def seconds(self) -> float:
        """Since the search began."""
        return time.perf_counter() - self._begun

    @property
    def best_error(self) -> float:
        """Held-out error of the best candidate so far; infinite before there is one."""
        return np.inf if self.best is None else self.best.held_out_error

    def consider(self, found: CandidateResult) -> None:
        """A candidate is finished: it is the best so far, or not."""
        if self.best is None or found.held_out_error < self.best_error:
            self.best = found

    def next_part(self, share: float) -> None:
        """A part of the expected work begins; the last one is over."""
        self._done = min(self._done + self._share, 1.0)
        self._share = share

    def held_out(self, model: CompletionModel) -> tuple[float, np.ndarray]:
        """Root mean square over the entries to choose by, and their residuals."""
        aside = self.split.selection
        if aside is None:
            return np.nan, np.zeros(0)
        residuals = model.at(aside.rows, aside.cols) - aside.values
        return float(np.sqrt(aside.mean_square(residuals))), residuals

    def training_error(self, model: CompletionModel) -> float:
        """Root mean square over the entries fitted to."""
        return root_mean_square(self.split.train, model)

    def tell(self, message: str, *, within: float = 0.0) -> None:
        """Say how far the present part is.

        Args:
            message: what is being done.
            within: 0 to 1, of the part.

        Raises:
            StopSearch: when the caller wants no more.
        """
        if self._callback is None:
            return
        now = time.perf_counter()
        done = min(self._done + within * self._share, 1.0)
        if now - self._told < _SECONDS_BETWEEN and done < 1:
            return
        self._told = now
        seconds = self.seconds()
        progress = SearchProgress(
            done=done,
            seconds=seconds,
            left=seconds * (1 - done) / done if done > 0.02 else None,
            message=message,
            best=self.best,
        )
        if self._callback(progress):
            raise StopSearch


class Trail:
    """The points of one candidate's path, and the best of them.

    Args:
        watch: the judge.
        method: the candidate's name.
    """

    def __init__(self, watch: Watch, method: str):
        self._watch, self._method = watch, method
        self._begun = time.perf_counter()
        self._points: list[PathPoint] = []
        self._best: tuple[float, int, CompletionModel, np.ndarray] | None = None

    def add(
        self,
        model: CompletionModel,
        setting: dict,
        *,
        certificate: PathCertificate | None = None,
        training_error: float | None = None,
    ) -> float:
        """Judge a model; its held-out error, or that of training without such."""
        held_out, residuals = self._watch.held_out(model)
        if training_error is None:
            training_error = self._watch.training_error(model)
        self._points.append(
            PathPoint(
                rank=model.rank,
                setting=setting,
                training_error=training_error,
                held_out_error=held_out,
                certificate=certificate,
                seconds=time.perf_counter() - self._begun,
            )
        )
        error = training_error if np.isnan(held_out) else held_out
        judged = max(error, self._watch.floor)
        if np.isfinite(error) and (self._best is None or judged < self._best[0]):
            self._best = judged, len(self._points) - 1, model, residuals
        return error

    @property
    def best_error(self) -> float:
        """The least error so far; infinite before there is one."""
        return np.inf if self._best is None else self._best[0]

    def result(self) -> CandidateResult | None:
        """The candidate at its best; None when nothing was tried."""
        if self._best is None:
            return None
        _, at, model, residuals = self._best
        point = self._points[at]
        found = CandidateResult(
            method=self._method,
            setting=point.setting,
            rank=point.rank,
            training_error=point.training_error,
            held_out_error=point.held_out_error,
            seconds=time.perf_counter() - self._begun,
            path=tuple(self._points),
            model=model,
            residuals=residuals,
        )
        self._watch.consider(found)
        return found


def root_mean_square(table: ObservedTable, model: CompletionModel) -> float:
    """Of a model's residuals at known entries."""
    residuals = model.at(table.rows, table.cols) - table.values
    return float(np.sqrt(table.mean_square(residuals)))
