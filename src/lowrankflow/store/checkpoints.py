"""An unfinished run on disk: its records, part by part, and its last two states.

Part k is a file of the records of chunk k, never rewritten, and a file of the state
after it. A state counts only if it and all records up to it are whole, so a run that
was killed between any two writes goes on from the last part that is.
"""

import hashlib
import io
import json
import shutil
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
        parts: how many chunks are behind.
        seconds: wall time spent so far.
        peak: the most memory held so far, in bytes.
    """

    records: tuple[Record, ...]
    state: Any
    parts: int
    seconds: float
    peak: int


class Checkpoints:
    """The unfinished run of one digest.

    Args:
        folder: of this digest alone.
        digest: whose run it is.
        environment: all that may change the last bits; a run is continued only in an
            equal one.
    """

    def __init__(self, folder: Path, digest: str, environment: dict[str, str | int]):
        self.folder = folder
        self._said = {"digest": digest, "environment": environment}

    def save(
        self,
        part: int,
        records: Sequence[Record],
        state: Any,
        *,
        seconds: float,
        peak: int,
    ) -> None:
        """Keep one more chunk: its records, then the state after them.

        Raises:
            StoreError: when the disk is full or cannot be written.
        """
        names = records[0].keys() if records else ()
        columns = {name: np.stack([r[name] for r in records]) for name in names}
        write_atomically(self._records(part), _packed(columns, self._said))
        leaves, structure = jax.tree.flatten(state)
        arrays = {f"{i:04d}": np.asarray(leaf) for i, leaf in enumerate(leaves)}
        said = {
            **self._said,
            "structure": str(structure),
            "seconds": seconds,
            "peak": peak,
        }
        write_atomically(self._state(part), _packed(arrays, said))
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
                    return self._restored(part, template)
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
        if kinds != wanted:
            raise _UnusableError(f"a state of {kinds} where {wanted} is expected")
        return Resumed(
            records=tuple(records),
            state=jax.tree.unflatten(structure, [jnp.asarray(leaf) for leaf in found]),
            parts=part + 1,
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
