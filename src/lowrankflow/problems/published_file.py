"""Data that others published: given, in the cache, or inside a published wheel.

Such data are never part of this library. A file is looked for in this order: the path
given, an environment variable, the cache folder, and last a wheel of the Python package
index that happens to contain the official file. The wheel is opened as an archive;
nothing of it is installed, imported or run.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import filelock

from lowrankflow.errors import DataError
from lowrankflow.whole_file import write_whole

CACHE_VARIABLE = "LOWRANKFLOW_CACHE"
_SECONDS = 300.0


@dataclass(frozen=True, kw_only=True)
class PublishedFile:
    """One file of published data: its names, where it is got, and how it is known.

    Args:
        where: whose argument a path is, for messages.
        what: the data in a word or two, in the plural, for messages.
        names: of the file, as it is looked for in a folder given.
        path_variable: the environment variable that gives a path.
        cached: its place in the cache folder.
        wheel: a wheel that contains it, pinned.
        member: its path inside the wheel.
        kept: what is kept of the content of that file.
        fault: why a content is not the one meant; None where it is.
        by_hand: how to get it without the wheel.
    """

    where: str
    what: str
    names: tuple[str, ...]
    path_variable: str
    cached: str
    wheel: str
    member: str
    kept: Callable[[bytes], bytes]
    fault: Callable[[bytes], str | None]
    by_hand: str

    def path(self, given: str | os.PathLike[str] | None = None) -> Path:
        """Where the file is, downloaded once if it is nowhere.

        Args:
            given: a file, or a folder with one of the names in it. Without it the
                environment variable says the same, then the cache folder is looked
                into, then the file is downloaded into the cache.

        Returns:
            A file; one from the cache or a download has been checked.

        Raises:
            DataError: when the path given has no such file, or no file was given and
                the download fails; nothing is left half-written.
        """
        if given is not None:
            return self._given(self.where, Path(given))
        if os.environ.get(self.path_variable):
            return self._given(self.path_variable, Path(os.environ[self.path_variable]))
        cached = cache_folder() / self.cached
        if self._is_sound(cached):
            return cached
        try:
            cached.parent.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(cached.with_suffix(".lock")):
                if not self._is_sound(cached):
                    write_whole(cached, self._downloaded(cached.parent))
        except OSError as error:
            raise DataError(
                where=self.where,
                rule=f"{self.what} are kept in the cache folder {cached.parent}",
                got=f"{type(error).__name__}: {error}",
                fix=f"Set {CACHE_VARIABLE} to a folder that can be written to",
            ) from None
        return cached

    def read(self, file: Path) -> bytes:
        """The content of a file.

        Raises:
            DataError: when it cannot be read.
        """
        try:
            return file.read_bytes()
        except OSError as error:
            raise DataError(
                where=self.where,
                rule=f"the file with {self.what} can be read",
                got=f"{type(error).__name__}: {error}",
                fix="Correct its permissions, or give another path",
            ) from None

    def _given(self, where: str, path: Path) -> Path:
        for candidate in (path, *(path / name for name in self.names)):
            if candidate.is_file():
                return candidate
        found = "a folder without any" if path.is_dir() else "nothing there"
        *first, last = dict.fromkeys(Path(name).name for name in self.names)
        raise DataError(
            where=where,
            rule=f"this is the file {', '.join(first)} or {last}, or a folder that has "
            "it",
            got=f"{str(path)!r}, {found}",
            fix=f"Correct the path, or leave it out (and unset {self.path_variable})",
        )

    def _is_sound(self, path: Path) -> bool:
        return path.is_file() and self.fault(path.read_bytes()) is None

    def _downloaded(self, folder: Path) -> bytes:
        """What is kept of the wheel, which pip brings into a folder that is removed.

        pip runs in a process of its own, so that the user's own index and proxy
        settings hold, and only wheels are taken: no code of the package runs.
        """
        with tempfile.TemporaryDirectory(dir=folder, prefix="download-") as place:
            command = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
            command += ["download", "--quiet", "--no-deps", "--only-binary=:all:"]
            command += ["--dest", place, self.wheel]
            try:
                done = subprocess.run(
                    command,
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=_SECONDS,
                )
            except subprocess.TimeoutExpired:
                raise self._lost(f"no answer within {_SECONDS:.0f} seconds") from None
            if done.returncode != 0:
                said = done.stderr.strip().splitlines() or ["no message"]
                ended = (
                    f"pip was ended by signal {-done.returncode}"
                    if done.returncode < 0
                    else f"pip left with exit code {done.returncode}"
                )
                raise self._lost(f"{ended} ({said[-1]})")
            wheels = sorted(Path(place).glob("*.whl"))
            try:
                with zipfile.ZipFile(wheels[0]) as wheel:
                    content = self.kept(wheel.read(self.member))
            except (IndexError, KeyError, zipfile.BadZipFile) as error:
                raise self._lost(f"no wheel with that file ({error})") from None
        fault = self.fault(content)
        if fault is not None:
            raise self._lost(f"other content, {fault}")
        return content

    def _lost(self, got: str) -> DataError:
        return DataError(
            where=self.where,
            rule=(
                f"{self.what} were found neither by path nor in the cache, and are "
                f"then taken from the wheel {self.wheel}"
            ),
            got=got,
            fix=f"Try again with a network. Or: {self.by_hand}",
        )


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
