"""A completer's model in a file: what every cell can be computed from."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from lowrankflow.completion.files.table import Table
from lowrankflow.whole_file import whole_file


def write_model(path: Path | str, completer: Any, table: Table) -> None:
    """Write factors, effects and labels as .npz, whole or not at all.

    The cell (i, j) is scale[j] (mean + row_effects[i] + col_effects[j]
    + left[i] @ right[j]); `about` is JSON with method, setting and errors.

    Args:
        path: ends in .npz, in a folder that exists.
        completer: a fitted `MatrixCompleter`.
        table: that it was fitted to.

    Raises:
        OSError: when the disk is full or refuses; what was there is still there.
    """
    left, right = completer.factors_
    effects = completer.effects_
    scale = completer.scale_
    about = {
        "method": completer.method_,
        "setting": completer.setting_,
        "rank": int(completer.rank_),
        "held_out_error": completer.validation_.held_out_error,
        "clip": completer.clip,
    }
    arrays: dict[str, np.ndarray] = {
        "left": left,
        "right": right,
        "mean": np.asarray(effects.mean),
        "row_effects": effects.rows,
        "col_effects": effects.cols,
        "scale": np.ones(table.shape[1]) if scale is None else scale,
        "about": np.array(json.dumps(about, default=str)),
    }
    if table.row_labels is not None:
        arrays["row_labels"] = table.row_labels.astype(str)
    if table.col_labels is not None:
        arrays["col_labels"] = table.col_labels.astype(str)
    with whole_file(Path(path)) as file:
        np.savez(file, allow_pickle=False, **arrays)
