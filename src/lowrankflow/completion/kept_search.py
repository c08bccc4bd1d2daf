"""Finished candidates of a search, in a folder: a killed search goes on from them."""

import dataclasses
import hashlib
import io
import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from lowrankflow.completion.completer_checks import CompleterSettings
from lowrankflow.completion.model import CompletionModel
from lowrankflow.completion.observed_table import ObservedTable
from lowrankflow.completion.results import CandidateResult, PathPoint
from lowrankflow.dynamics import PathCertificate
from lowrankflow.errors import DataError
from lowrankflow.problems import Effects
from lowrankflow.version import __version__
from lowrankflow.whole_file import write_whole

# Raised when candidates would come out otherwise, or are written in another way.
_SCHEME = 1
_NOTE = "search.json"


class KeptSearch:
    """The candidates of one search that are finished.

    A candidate is written when it is, whole or not at all; the next search of the same
    table with the same settings takes it from there. What belongs to another table,
    other settings or another version is no longer of use, and is removed.

    Args:
        folder: made if it is not there.
        key: of `search_key`.

    Raises:
        DataError: when the folder cannot be written, or has other files in it.
    """

    def __init__(self, folder: Path, key: str):
        self._folder = folder
        note = folder / _NOTE
        try:
            if note.exists() and note.read_text(encoding="utf-8") != key:
                forget_search(folder)
            if folder.exists() and not note.exists() and any(folder.iterdir()):
                raise _error(folder, "it is new, or has the candidates of a search")
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(note, key.encode())
        except OSError as error:
            raise _error(folder, "it can be written", error) from None

    def get(self, number: int, name: str) -> CandidateResult | None:
        """A finished candidate; None where it is not finished.

        Args:
            number: of the trial, from 0.
            name: of the candidate, which it must have.
        """
        path = self._path(number)
        try:
            found = _read(path.read_bytes())
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
            return None  # not there, or no longer whole
        if found.method != name:
            return None
        return found

    def put(self, number: int, result: CandidateResult) -> None:
        """Keep a finished candidate; where the disk refuses, warn, and go on."""
        try:
            write_whole(self._path(number), _written(result))
        except OSError as error:
            said = _error(self._folder, "it can be written", error)
            warnings.warn(f"{said}", RuntimeWarning, stacklevel=2)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:03d}.npz"


def num_kept(folder: Path) -> int:
    """How many candidates of a search are kept in a folder, whatever it was about."""
    return len(list(folder.glob("[0-9][0-9][0-9].npz")))


def forget_search(folder: Path) -> None:
    """Remove the candidates kept in a folder, and it, if nothing else is there.

    Raises:
        OSError: when the disk refuses.
    """
    if not (folder / _NOTE).exists():
        return
    for path in (*folder.glob("[0-9][0-9][0-9].npz"), folder / _NOTE):
        path.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()


def search_key(table: ObservedTable, settings: CompleterSettings) -> str:
    """What decides a search, as text: the table, what was asked for, the version.

    Args:
        table: the known entries.
        settings: what was asked for; how the model is used afterwards is left out.
    """
    digest = hashlib.sha256()
    for array in (table.rows, table.cols, table.values, table.weights):
        if array is not None:
            digest.update(str(array.dtype).encode())
            digest.update(np.ascontiguousarray(array).data)
    asked = dataclasses.asdict(settings)
    del asked["clip"], asked["refit"]
    said = {
        "scheme": _SCHEME,
        "version": __version__,
        "shape": list(table.shape),
        "entries": digest.hexdigest(),
        "settings": asked,
    }
    return json.dumps(said, sort_keys=True)


def _written(result: CandidateResult) -> bytes:
    model = result.model
    arrays = {
        "effect_rows": model.effects.rows,
        "effect_cols": model.effects.cols,
        "left": model.left,
        "right": model.right,
        "residuals": result.residuals,
    }
    said = {
        "result": _plain(result, leave=("path", "model", "residuals")),
        "path": [
            _plain(point, leave=("certificate",))
            | {
                "certificate": None
                if point.certificate is None
                else _plain(point.certificate)
            }
            for point in result.path
        ],
        "model": _plain(model, leave=("effects", "left", "right", "scale", "parts")),
        "mean": float(model.effects.mean),
    }
    assert model.scale is None, "the search is in units of columns"
    assert not model.parts, "a blend is no trial"
    text = json.dumps(said, default=_number)
    file = io.BytesIO()
    arrays["said"] = np.frombuffer(text.encode(), np.uint8)
    np.savez(file, **arrays)  # pyright: ignore[reportArgumentType], a mode is not meant
    return file.getvalue()


def _read(content: bytes) -> CandidateResult:
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        said = json.loads(file["said"].tobytes())
        arrays = {name: file[name] for name in file.files if name != "said"}
    effects = Effects(
        mean=said["mean"], rows=arrays["effect_rows"], cols=arrays["effect_cols"]
    )
    model = CompletionModel(
        effects=effects, left=arrays["left"], right=arrays["right"], **said["model"]
    )
    path = tuple(
        PathPoint(**point | {"certificate": _certificate(point["certificate"])})
        for point in said["path"]
    )
    return CandidateResult(
        model=model, path=path, residuals=arrays["residuals"], **said["result"]
    )


def _certificate(said: dict[str, Any] | None) -> PathCertificate | None:
    return None if said is None else PathCertificate(**said)


def _plain(record: Any, leave: tuple[str, ...] = ()) -> dict[str, Any]:
    names = (field.name for field in dataclasses.fields(record))
    return {name: getattr(record, name) for name in names if name not in leave}


def _number(value: Any) -> Any:
    """A number of NumPy as one of Python."""
    return value.item()


def _error(folder: Path, rule: str, error: OSError | None = None) -> DataError:
    got = f"{folder}" + ("" if error is None else f": {error.strerror or error}")
    return DataError(
        where="MatrixCompleter.fit(checkpoint)",
        rule=f"finished candidates are kept in a folder: {rule}",
        got=got,
        fix="Give a folder that is not there yet, on a disk with room",
    )
