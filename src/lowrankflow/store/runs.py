"""The folder where results are kept, each under its digest."""

import contextlib
import json
import time
import traceback
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import filelock

from lowrankflow.errors import LowRankFlowError, StoreError
from lowrankflow.simulation import Job, job_to_json
from lowrankflow.store.archive import examined, read_result
from lowrankflow.store.files import PARTIAL, disk_errors, write_atomically
from lowrankflow.store.provenance import versions

if TYPE_CHECKING:
    import xarray

Status: TypeAlias = Literal["finished", "running", "interrupted", "failed", "absent"]
# Inside the class `list` is a method.
_Paths: TypeAlias = list[Path]
_HEXADECIMAL = set("0123456789abcdef")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One digest that a store knows.

    Args:
        digest: 64 hexadecimal digits.
        status: "finished", "running" (a process is at it), "interrupted" (it goes on
            from its last checkpoint when asked for again) or "failed".
        path: the file of the result, of the failure, or the folder of checkpoints.
        size: in bytes, of files.
        modified: seconds since 1970.
    """

    digest: str
    status: Status
    path: Path
    size: int
    modified: float


class Store:
    """Results on disk: found by what was asked for, whole or not at all.

    Nothing is written before the first result. Several processes may use one folder.

    Args:
        folder: where; made when it is first needed.

    Raises:
        StoreError: when something that is no folder has that name.
    """

    folder: Path

    def __init__(self, folder: str | Path):
        self.folder = Path(folder).expanduser().absolute()
        with disk_errors(self.folder):
            in_the_way = self.folder.exists() and not self.folder.is_dir()
        if in_the_way:
            raise StoreError(
                where=f"Store({str(folder)!r})",
                rule="the folder of results is a folder",
                got="a file",
                fix="Give another name, or move the file away",
            )

    def get(self, digest: str) -> "xarray.Dataset | None":
        """The result of a digest, in memory; None when there is none.

        Raises:
            StoreError: when the file that is there cannot be read, is damaged, of
                another program or of a newer version.
        """
        path = self.result_path(_checked(digest))
        with disk_errors(path):
            there = path.exists()
        return read_result(path, digest) if there else None

    def status(self, digest: str) -> Status:
        """What is known of a digest."""
        with disk_errors(self.folder):
            if self.result_path(_checked(digest)).exists():
                return "finished"
            if self._is_locked(digest):
                return "running"
            if self.working_folder(digest).exists():
                return "interrupted"
            return "failed" if self.failure_path(digest).exists() else "absent"

    def failure(self, digest: str) -> dict[str, str] | None:
        """Why a job failed the last time: the parts of the message and the traceback.

        Raises:
            StoreError: when the file cannot be read.
        """
        path = self.failure_path(_checked(digest))
        with disk_errors(path):
            if not path.exists():
                return None
            text = path.read_text(encoding="utf-8", errors="replace")
        try:
            return {str(name): str(value) for name, value in json.loads(text).items()}
        except (ValueError, AttributeError):
            return {"error": "unreadable", "message": text[:200]}

    def list(self) -> list[Entry]:
        """All digests that the store knows, by digest; one entry each.

        Raises:
            StoreError: when the folder cannot be read.
        """
        places = (("results", ".nc"), ("working", ""), ("failed", ".json"))
        found: dict[str, Entry] = {}
        with disk_errors(self.folder):
            for place, suffix in places:
                for path in sorted((self.folder / place).glob(f"*{suffix}")):
                    digest = path.name.removesuffix(suffix)
                    if not _is_digest(digest) or digest in found:
                        continue
                    files = list(path.iterdir()) if path.is_dir() else [path]
                    found[digest] = Entry(
                        digest=digest,
                        status=self.status(digest),
                        path=path,
                        size=sum(file.stat().st_size for file in files),
                        modified=path.stat().st_mtime,
                    )
        return [found[digest] for digest in sorted(found)]

    def resolve(self, beginning: str) -> str:
        """The one digest that begins so.

        Raises:
            StoreError: when none does, or several.
        """
        fitting = [e.digest for e in self.list() if e.digest.startswith(beginning)]
        if len(fitting) != 1:
            shown = ", ".join(digest[:12] for digest in fitting[:5])
            raise StoreError(
                where=f"{self.folder}: {beginning!r}",
                rule="this is the beginning of exactly one digest in the store",
                got=f"{len(fitting)} of them{': ' if shown else ''}{shown}",
                fix="Give more digits, as `lowrankflow store ls` shows them",
            )
        return fitting[0]

    def prune(
        self,
        *,
        keep: Collection[str] | None = None,
        unfinished: bool = True,
        dry_run: bool = False,
    ) -> _Paths:
        """Remove what is of no use; what a process is at work on stays.

        Damaged results go, and files half-written by a process that was killed. Files
        of other programs and of newer versions stay.

        Args:
            keep: digests of the finished results to keep; all of them without it.
            unfinished: whether checkpoints and failures go too.
            dry_run: only say what would go.

        Returns:
            What was removed, files and folders.

        Raises:
            StoreError: when something cannot be removed.
        """
        removed: _Paths = []
        with disk_errors(self.folder):
            for entry in self.list():
                with self._unless_locked(entry.digest) as free:
                    if free and self._is_of_no_use(entry, keep, unfinished):
                        removed.append(entry.path)
                        if not dry_run:
                            _remove(entry.path)
            for path in sorted(self.folder.glob(f"*/*{PARTIAL}")):
                with self._unless_locked(path.name.split(".")[0]) as free:
                    if free:
                        removed.append(path)
                        if not dry_run:
                            _remove(path)
        return removed

    def export(self, digest: str, path: str | Path) -> Path:
        """Copy a result to a NetCDF file of the caller's, once it is verified.

        Args:
            digest: of a finished job.
            path: a file to write, or an existing folder, where it is named after its
                digest.

        Returns:
            The file written.

        Raises:
            StoreError: when there is no such result, it is damaged, or the file cannot
                be written.
        """
        if self.get(digest) is None:
            raise StoreError(
                where=f"{self.folder}: {digest}",
                rule="only a finished result can be exported",
                got=f"one that is {self.status(digest)}",
                fix="Run it first",
            )
        target = Path(path).expanduser().absolute()
        source = self.result_path(digest)
        with disk_errors(target):
            target = target / source.name if target.is_dir() else target
        with disk_errors(source):
            content = source.read_bytes()
        write_atomically((target, content))
        return target

    def result_path(self, digest: str) -> Path:
        """The NetCDF file of a finished job."""
        return self.folder / "results" / f"{digest}.nc"

    def working_folder(self, digest: str) -> Path:
        """Where the checkpoints of an unfinished run are."""
        return self.folder / "working" / digest

    def failure_path(self, digest: str) -> Path:
        """Where the reason of a failure is."""
        return self.folder / "failed" / f"{digest}.json"

    def lock_path(self, digest: str) -> Path:
        """The file that the process at work on a digest holds."""
        return self.folder / "locks" / f"{digest}.lock"

    def record_failure(self, digest: str, job: Job, error: BaseException) -> None:
        """Keep why a job failed; its next attempt begins where it would have anyway.

        Raises:
            StoreError: when that cannot be written.
        """
        parts = {"error": type(error).__name__, "message": str(error)}
        if isinstance(error, LowRankFlowError):
            parts |= {k: getattr(error, k) for k in ("where", "rule", "got", "fix")}
        said = {
            "digest": digest,
            "label": job.label,
            "specification": job_to_json(job),
            **parts,
            "traceback": "".join(traceback.format_exception(error)),
            "versions": versions(),
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        text = json.dumps(said, indent=1)
        write_atomically((self.failure_path(_checked(digest)), text.encode()))

    def forget_failure(self, digest: str) -> None:
        """Remove the reason of a failure, if there is one.

        Raises:
            StoreError: when it cannot be removed.
        """
        path = self.failure_path(_checked(digest))
        with disk_errors(path):
            path.unlink(missing_ok=True)

    def _is_of_no_use(
        self, entry: Entry, keep: Collection[str] | None, unfinished: bool
    ) -> bool:
        if entry.status != "finished":
            return unfinished
        _, fault, _ = examined(entry.path.read_bytes(), entry.digest)
        if fault is not None:
            return fault == "damaged"
        return keep is not None and entry.digest not in keep

    def _is_locked(self, digest: str) -> bool:
        with self._unless_locked(digest) as free:
            return not free

    @contextlib.contextmanager
    def _unless_locked(self, digest: str) -> Iterator[bool]:
        """Whether no process is at work on a digest; none begins meanwhile."""
        path = self.lock_path(digest)
        if not path.exists():
            yield True
            return
        lock = filelock.FileLock(path)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()


def _remove(path: Path) -> None:
    if path.is_dir():
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
    else:
        path.unlink()


def _is_digest(text: str) -> bool:
    return len(text) == 64 and set(text) <= _HEXADECIMAL


def _checked(digest: str) -> str:
    if not isinstance(digest, str) or not _is_digest(digest):
        raise StoreError(
            where="digest",
            rule="a digest has 64 hexadecimal digits",
            got=f"{digest!r}"[:200],
            fix="Take it from execute(job, store), or from `lowrankflow store ls`",
        )
    return digest
