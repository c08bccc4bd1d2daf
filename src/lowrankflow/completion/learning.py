"""From known entries to a model: keep some aside, search, fit the winner again."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from lowrankflow.completion.candidates.bases import KINDS
from lowrankflow.completion.candidates.search import Found, search
from lowrankflow.completion.candidates.sizes import Sizes
from lowrankflow.completion.candidates.watch import root_mean_square
from lowrankflow.completion.completer_checks import CompleterSettings
from lowrankflow.completion.intervals import Conformal
from lowrankflow.completion.kept_search import KeptSearch, search_key
from lowrankflow.completion.model import CompletionModel
from lowrankflow.completion.observed_table import ObservedTable
from lowrankflow.completion.results import SearchProgress, Validation
from lowrankflow.completion.units import column_scale
from lowrankflow.completion.validation import Split, split_entries


@dataclass(frozen=True, kw_only=True, eq=False)
class Learnt:
    """What was learnt of a table.

    Args:
        model: the winner, fitted to all entries, in units of the table.
        found: the candidates.
        validation: how they were compared.
        conformal: what intervals are made of; None when there are too few entries.
        scale: of each column; None for 1.
    """

    model: CompletionModel
    found: Found
    validation: Validation
    conformal: Conformal | None
    scale: Float[np.ndarray, " cols"] | None


def learn(
    table: ObservedTable,
    settings: CompleterSettings,
    callback: Callable[[SearchProgress], object] | None,
    checkpoint: Path | None = None,
) -> Learnt:
    """Search for the completion of a table.

    Args:
        table: the known entries.
        settings: what was asked for.
        callback: told of progress; True ends the search with the best so far.
        checkpoint: folder of finished candidates; None to keep none.
    """
    split = split_entries(
        table,
        fraction=settings.validation,
        scheme=settings.validation_scheme,
        seed=settings.seed,
    )
    scale = column_scale(split.train, settings.scale)
    inside = split.in_units(scale)
    sizes = Sizes.of(
        split.train,
        max_rank=settings.max_rank,
        penalty=settings.penalty,
        depth=settings.depth,
        init_scale=settings.init_scale,
        seed=settings.seed,
    )
    kinds = KINDS if settings.effects == "auto" else (settings.effects,)
    if settings.effects == "auto" and sizes.is_large:
        kinds = ("none", "both")
    kept = None
    if checkpoint is not None:
        kept = KeptSearch(checkpoint, search_key(table, settings))
    found = search(
        inside,
        methods=settings.methods,
        is_auto=settings.is_auto,
        kinds=kinds,
        sizes=sizes,
        callback=callback,
        kept=kept,
    )
    model = found.candidates[0].model
    conformal = Conformal.of(model, inside)
    validation = _validation(inside, settings, found)
    if settings.refit and inside.selection is not None:
        model = found.refitted(table.in_units(scale), sizes)
    return Learnt(
        model=model.in_units(scale),
        found=found,
        validation=validation,
        conformal=conformal,
        scale=scale,
    )


def _validation(split: Split, settings: CompleterSettings, found: Found) -> Validation:
    counts = [
        0 if part is None else part.num_entries
        for part in (split.selection, split.calibration)
    ]
    winner, error = found.candidates[0], np.nan
    if split.calibration is not None:
        error = root_mean_square(split.calibration, winner.model)
    return Validation(
        scheme=settings.validation_scheme,
        fraction=settings.validation,
        num_selection=counts[0],
        num_calibration=counts[1],
        held_out_error=winner.held_out_error,
        calibration_error=error,
        effects_error=found.effects_error,
        mean_error=found.mean_error,
        skipped=found.skipped,
    )
