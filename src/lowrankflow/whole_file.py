"""Files that are there whole or not at all."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


def write_whole(path: Path, content: bytes) -> None:
    """Put this content at this path; whatever happens, old or new is there whole.

    Args:
        path: in a folder that exists.
        content: written beside it, flushed to the disk, and moved into place.

    Raises:
        OSError: when the disk is full or refuses; what was there is still there.
    """
    with whole_file(path) as file:
        file.write(content)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to be written piece by piece, at this path once it is whole.

    Args:
        path: in a folder that exists. The pieces go beside it and are moved into place
            when the block ends; if it raises, what was there is still there.

    Raises:
        OSError: when the disk is full or refuses.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}-")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # A temporary file is its owner's alone; this one is what any new file would be.
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
