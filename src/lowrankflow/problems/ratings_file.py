"""Where the ratings file is: given, in the cache, or inside a published wheel.

The ratings are never part of this library. They are looked for in this order: the path
given, the environment variable LOWRANKFLOW_ML100K, the cache folder, and last a wheel
of the Python package index that happens to contain the official file. The wheel is
opened as an archive; nothing of it is installed, imported or run.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import filelock

from lowrankflow.errors import DataError
from lowrankflow.whole_file import write_whole

MOVIELENS_100K_MD5 = "6e47046882bad158b0efbb84cd5cb987"
PATH_VARIABLE = "LOWRANKFLOW_ML100K"
CACHE_VARIABLE = "LOWRANKFLOW_CACHE"
HEADER = b"user_id:token\titem_id:token\trating:float\ttimestamp:float"

_WHEEL = "recbole==1.2.1"
_MEMBER = "recbole/dataset_example/ml-100k/ml-100k.inter"
_NAMES = ("u.data", "ml-100k.inter", "ml-100k/u.data", "ml-100k/ml-100k.inter")
_SECONDS = 300.0
_BY_HAND = (
    "Get u.data of MovieLens 100K from https://grouplens.org/datasets/movielens/100k "
    f"and set {PATH_VARIABLE} to its path"
)


def ratings_file(path: str | os.PathLike[str] | None = None) -> Path:
    """The path of the MovieLens 100K ratings, downloaded once if they are nowhere.

    Args:
        path: a file, or a folder with u.data or ml-100k.inter in it. Without it the
            environment variable LOWRANKFLOW_ML100K says the same, then the cache folder
            is looked into, then the file is downloaded into the cache.

    Returns:
        A file; one from the cache or a download has been checked by its md5.

    Raises:
        DataError: when the path given has no such file, or no file was given and the
            download fails; nothing is left half-written.
    """
    if path is not None:
        return _given("load_ratings(path)", Path(path))
    if os.environ.get(PATH_VARIABLE):
        return _given(PATH_VARIABLE, Path(os.environ[PATH_VARIABLE]))
    cached = cache_folder() / "movielens-100k" / "u.data"
    if _is_sound(cached):
        return cached
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(cached.with_suffix(".lock")):
            if not _is_sound(cached):
                write_whole(cached, _downloaded(cached.parent))
    except OSError as error:
        raise DataError(
            where="load_ratings(path)",
            rule=f"the ratings are kept in the cache folder {cached.parent}",
            got=f"{type(error).__name__}: {error}",
            fix=f"Set {CACHE_VARIABLE} to a folder that can be written to",
        ) from None
    return cached


def cache_folder() -> Path:
    """Where downloaded data are kept: LOWRANKFLOW_CACHE, or the platform's place."""
    given = os.environ.get(CACHE_VARIABLE)
    if given:
        return Path(given)
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return Path(local or Path.home() / "AppData/Local") / "lowrankflow" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "lowrankflow"
    base = os.environ.get("XDG_CACHE_HOME")
    return Path(base or Path.home() / ".cache") / "lowrankflow"


def without_header(content: bytes) -> bytes:
    """The rows of a ratings file with plain line ends: those of the official u.data."""
    body = content.replace(b"\r\n", b"\n")
    if body.startswith(HEADER.split(b"\t")[0]):
        _, _, body = body.partition(b"\n")
    return body


def md5_of(body: bytes) -> str:
    """The md5 of the rows, in hexadecimal: a checksum of integrity, not a secret."""
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def _given(where: str, path: Path) -> Path:
    for candidate in (path, *(path / name for name in _NAMES)):
        if candidate.is_file():
            return candidate
    found = "a folder without either" if path.is_dir() else "nothing there"
    raise DataError(
        where=where,
        rule="this is the file u.data or ml-100k.inter, or a folder that has it",
        got=f"{str(path)!r}, {found}",
        fix=f"Correct the path, or leave it out (and unset {PATH_VARIABLE})",
    )


def _is_sound(path: Path) -> bool:
    return path.is_file() and md5_of(path.read_bytes()) == MOVIELENS_100K_MD5


def _downloaded(folder: Path) -> bytes:
    """The rows out of the wheel, which pip brings into a folder that is then removed.

    pip runs in a process of its own, so that the user's own index and proxy settings
    hold, and only wheels are taken: no code of the package runs.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix="download-") as place:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
        command += ["download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command += ["--dest", place, _WHEEL]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise _no_download(f"no answer within {_SECONDS:.0f} seconds") from None
        if done.returncode != 0:
            said = done.stderr.strip().splitlines() or ["no message"]
            ended = (
                f"pip was ended by signal {-done.returncode}"
                if done.returncode < 0
                else f"pip left with exit code {done.returncode}"
            )
            raise _no_download(f"{ended} ({said[-1]})")
        wheels = sorted(Path(place).glob("*.whl"))
        try:
            with zipfile.ZipFile(wheels[0]) as wheel:
                body = without_header(wheel.read(_MEMBER))
        except (IndexError, KeyError, zipfile.BadZipFile) as error:
            raise _no_download(f"no wheel with that file ({error})") from None
    if md5_of(body) != MOVIELENS_100K_MD5:
        raise _no_download(f"other content, with md5 {md5_of(body)}")
    return body


def _no_download(got: str) -> DataError:
    return DataError(
        where="load_ratings(path)",
        rule=(
            "the ratings were found neither by path nor in the cache, and are then "
            f"taken from the wheel {_WHEEL}"
        ),
        got=got,
        fix=f"Try again with a network. Or: {_BY_HAND}",
    )
