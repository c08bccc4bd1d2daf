"""An unfinished run on disk: its records, part by part, and its last two states.

Part k is a file of the records since part k - 1, never rewritten, and a file of the
state after them. A state counts only if it and all records up to it are whole, so a run
that was killed between any two writes goes on from the last part that is.
"""

import hashlib
import io
import json
import shutil
import time
import warnings
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lowrankflow.precision import in_float64
from lowrankflow.simulation import Record
from lowrankflow.store.files import disk_errors, write_atomically

_MAGIC = b"lowrankflow checkpoint 1\n"
_KEPT_STATES = 2


class CheckpointWarning(UserWarning):
    """An unfinished run on disk cannot be continued and begins again."""


class _UnusableError(Exception):
    """Why a checkpoint cannot be used."""


@dataclass(frozen=True, kw_only=True)
class Resumed:
    """Where a run goes on.

    Args:
        records: all before.
        state: the dynamics' state.
        seconds: wall time spent so far.
        peak: the most memory held so far, in bytes.
    """

    records: tuple[Record, ...]
    state: Any
    seconds: float
    peak: int


class Checkpoints:
    """The unfinished run of one digest.

    Args:
        folder: of this digest alone.
        digest: whose run it is.
        environment: all that may change the last bits; a run is continued only in an
            equal one.
        seconds_between: of two parts, at least.
    """

    def __init__(
        self,
        folder: Path,
        digest: str,
        environment: dict[str, str | int],
        seconds_between: float = 0.0,
    ):
        self.folder = folder
        self._said = {"digest": digest, "environment": environment}
        self._seconds_between = seconds_between
        self._pending: list[Record] = []
        self._part, self._saved = 0, time.monotonic()

    def add(
        self, records: Sequence[Record], state: Any, *, seconds: float, peak: int
    ) -> None:
        """One more chunk; it is kept at once, or with the next if the last was just.

        Raises:
            StoreError: when the disk is full or cannot be written.
        """
        self._pending += records
        if time.monotonic() - self._saved < self._seconds_between:
            return
        names = self._pending[0].keys() if self._pending else ()
        columns = {name: np.stack([r[name] for r in self._pending]) for name in names}
        leaves, structure = jax.tree.flatten(state)
        arrays = {f"{i:04d}": np.asarray(leaf) for i, leaf in enumerate(leaves)}
        said = {
            **self._said,
            "structure": str(structure),
            "seconds": seconds,
            "peak": peak,
        }
        # Records first: a state counts only with all records before it.
        write_atomically(
            (self._records(self._part), _packed(columns, self._said)),
            (self._state(self._part), _packed(arrays, said)),
        )
        self._pending, self._part, self._saved = [], self._part + 1, time.monotonic()
        with disk_errors(self.folder):
            for old in self._states()[:-_KEPT_STATES]:
                self._state(old).unlink(missing_ok=True)

    def restore(self, template: Callable[[], Any]) -> Resumed | None:
        """The last part that is whole, or None when there is none.

        Args:
            template: makes the run's first state, whose structure the state must have.

        Raises:
            StoreError: when the disk cannot be read.
        """
        reasons = []
        with disk_errors(self.folder):
            for part in reversed(self._states()):
                try:
                    resumed = self._restored(part, template)
                    self._part = part + 1
                    return resumed
                except _UnusableError as error:
                    reasons.append(f"part {part}: {error}")
                    self._state(part).unlink(missing_ok=True)
        if reasons:
            warnings.warn(
                f"The unfinished run in {self.folder} begins again, because nothing of "
                f"it can be continued to the same bits: {'; '.join(reasons)}.",
                CheckpointWarning,
                stacklevel=2,
            )
        self.clear()
        self._part = 0
        return None

    def clear(self) -> None:
        """Remove all of it.

        Raises:
            StoreError: when the disk cannot be written.
        """
        with disk_errors(self.folder):
            if self.folder.exists():
                shutil.rmtree(self.folder)

    @in_float64
    def _restored(self, part: int, template: Callable[[], Any]) -> Resumed:
        arrays, said = self._unpacked(self._state(part))
        records: list[Record] = []
        for earlier in range(part + 1):
            columns, _ = self._unpacked(self._records(earlier))
            count = max((len(column) for column in columns.values()), default=0)
            records += [
                {name: column[i] for name, column in columns.items()}
                for i in range(count)
            ]
        expected, structure = jax.tree.flatten(template())
        if said["structure"] != str(structure):
            raise _UnusableError("a state of another structure")
        found = [arrays[name] for name in sorted(arrays)]
        kinds = [(leaf.shape, leaf.dtype) for leaf in found]
        wanted = [(np.shape(leaf), np.asarray(leaf).dtype) for leaf in expected]
        if len(kinds) != len(wanted) or not all(map(_fits, kinds, wanted)):
            raise _UnusableError(f"a state of {kinds} where {wanted} is expected")
        return Resumed(
            records=tuple(records),
            state=jax.tree.unflatten(structure, [jnp.asarray(leaf) for leaf in found]),
            seconds=float(said["seconds"]),
            peak=int(said["peak"]),
        )

    def _unpacked(self, path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        try:
            arrays, said = _unpacked(path.read_bytes())
        except FileNotFoundError:
            raise _UnusableError(f"{path.name} is missing") from None
        for name, value in self._said.items():
            if said.get(name) != value:
                raise _UnusableError(
                    f"{path.name} has the {name} {said.get(name)}, not {value}"
                )
        return arrays, said

    def _states(self) -> list[int]:
        names = [path.stem for path in self.folder.glob("state-*.part")]
        return sorted(int(n[6:]) for n in names if n[6:].isdigit())

    def _state(self, part: int) -> Path:
        return self.folder / f"state-{part:06d}.part"

    def _records(self, part: int) -> Path:
        return self.folder / f"records-{part:06d}.part"


def _fits(kind: tuple, wanted: tuple) -> bool:
    """Whether an array may have come of that of the first state.

    An axis that is empty in the first state is one that grows: a rank, a log.
    """
    (shape, dtype), (first, first_dtype) = kind, wanted
    return (
        dtype == first_dtype
        and len(shape) == len(first)
        and all(b in (0, a) for a, b in zip(shape, first, strict=True))
    )


def _packed(arrays: dict[str, np.ndarray], said: dict[str, Any]) -> bytes:
    """Arrays and a few words in one file, with a checksum before them."""
    file = io.BytesIO()
    np.savez(file, __said__=np.asarray(json.dumps(said)), **arrays)  # pyright: ignore[reportArgumentType]
    content = file.getvalue()
    return _MAGIC + hashlib.sha256(content).digest() + content


def _unpacked(content: bytes) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    start = len(_MAGIC) + 32
    if not content.startswith(_MAGIC):
        raise _UnusableError("a file of another format")
    if hashlib.sha256(content[start:]).digest() != content[len(_MAGIC) : start]:
        raise _UnusableError("a damaged file")
    try:
        with np.load(io.BytesIO(content[start:]), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return arrays, json.loads(str(arrays.pop("__said__")))
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise _UnusableError(f"a damaged file ({error})") from None
