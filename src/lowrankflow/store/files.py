"""Files that are whole or not there: written beside, flushed, and moved into place."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from lowrankflow.errors import StoreError

PARTIAL = ".partial"


def write_atomically(*files: tuple[Path, bytes]) -> None:
    """Put contents at paths of one folder: after a crash each file is old or new.

    Each content is written to a file of its own beside its place and flushed to the
    disk; then they are moved into place in this order, and the folder is flushed.

    Raises:
        StoreError: when the disk is full, the folder cannot be written or the like;
            what was at the paths is then still there.
    """
    moves = [(path.with_name(f"{path.name}{PARTIAL}"), path) for path, _ in files]
    folder = files[0][0].parent
    with disk_errors(files[0][0]):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            for (partial, _), (_, content) in zip(moves, files, strict=True):
                with open(partial, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
            for partial, path in moves:
                os.replace(partial, path)
        except BaseException:
            for partial, _ in moves:
                with contextlib.suppress(OSError):
                    partial.unlink(missing_ok=True)
            raise
        sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Flush a folder's list of files, where the system can do that.

    Raises:
        OSError: when the disk fails.
    """
    if os.name != "posix":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """What the operating system says of a file, in four parts.

    Raises:
        StoreError: in place of an OSError inside.
    """
    try:
        yield
    except OSError as error:
        rule, fix = _REASONS.get(
            error.errno or 0,
            (
                "results can be read and written there",
                "Look at that folder, or give another",
            ),
        )
        raise StoreError(
            where=str(path), rule=rule, got=f"{error.strerror or error}", fix=fix
        ) from error


_FULL = (
    "there is room on the disk; what was stored before is intact",
    "Make room, or give another folder, and run the same again: finished runs are kept "
    "and a broken one goes on from its last checkpoint",
)
_REFUSED = (
    "the folder of results may be read and written",
    "Change its permissions, or give another folder",
)
_IN_THE_WAY = (
    "the folder of results is a folder",
    "Give another folder, or move away the file of that name",
)
_REASONS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EACCES: _REFUSED,
    errno.EPERM: _REFUSED,
    errno.EROFS: _REFUSED,
    errno.ENOTDIR: _IN_THE_WAY,
    errno.EEXIST: _IN_THE_WAY,
}
