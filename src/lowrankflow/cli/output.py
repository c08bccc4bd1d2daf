"""Files for the user: asked for before anything is computed, and never half-written."""

import contextlib
import os
import tempfile
from pathlib import Path

from lowrankflow.errors import DataError
from lowrankflow.whole_file import write_whole as write_file_whole


def writable_folder(option: str, folder: Path) -> Path:
    """The folder, once tried: hours of work are not to end at a closed door.

    A folder that is not there is not made: the nearest one above it is tried.

    Args:
        option: as the user typed it, for the message.
        folder: where files will be written.

    Raises:
        DataError: when no file can be written there.
    """
    folder = folder.expanduser()
    with on_disk(option, folder):
        near = folder.absolute()
        while not near.exists():
            near = near.parent
        if not near.is_dir():
            raise NotADirectoryError(None, f"{near.name} is a file")
        handle, name = tempfile.mkstemp(dir=near, prefix=".lowrankflow-")
        os.close(handle)
        os.unlink(name)
    return folder


def writable_file(
    option: str, path: Path, suffixes: tuple[str, ...], *, force: bool = True
) -> Path:
    """The path of a file that can be written, of one of these kinds.

    Args:
        option: as the user typed it, for the message.
        path: of the file.
        suffixes: that its name may end in.
        force: whether it may be there already, and be lost.

    Raises:
        DataError: when it is of another kind, is there, or cannot be written there.
    """
    path = path.expanduser()
    if not path.name.lower().endswith(suffixes):
        raise DataError(
            where=option,
            rule=f"the file's name ends in {' or '.join(suffixes)}",
            got=f"{str(path)!r}",
            fix=f"Give for example {option} {path.stem or 'completed'}{suffixes[0]}",
        )
    with on_disk(option, path):
        if path.is_dir():
            raise IsADirectoryError(None, "this is a folder")
    if not force and path.exists():
        raise DataError(
            where=option,
            rule="a file that is there is not written over",
            got=repr(str(path)),
            fix="Give another name, or --force to lose what is in it",
        )
    writable_folder(option, path.parent)
    return path


def write_whole(option: str, path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all; its folder is made.

    Raises:
        DataError: when the disk is full or refuses.
    """
    with on_disk(option, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file_whole(path, content)


@contextlib.contextmanager
def on_disk(option: str, path: Path):
    """What the disk refuses inside, as an error that names the option.

    Raises:
        DataError: in place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise DataError(
            where=option,
            rule="files can be written there",
            got=f"{str(path)!r}: {error.strerror or error}",
            fix="Give another place, change its permissions, or free some space",
        ) from None
