"""Two photographs that come with scikit-learn, in gray: a matrix of pixels."""

import hashlib
import importlib.util
import os
from pathlib import Path
from typing import Literal

import numpy as np

from lowrankflow.errors import DataError, SpecError
from lowrankflow.problems.published_table import PublishedTable

PICTURES_SHA256 = {
    "china": "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29",
    "flower": "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
}
PICTURES_LICENCE = (
    "The photographs china.jpg (by danielbuechele) and flower.jpg (by vultilion) come "
    "with scikit-learn under the Creative Commons Attribution 2.0 licence: they may be "
    "used and passed on when their authors are named. They are not part of this "
    "library or of its results."
)
_GRAY = (0.299, 0.587, 0.114)  # luma of ITU-R BT.601


def load_picture(
    name: Literal["china", "flower"],
    path: str | os.PathLike[str] | None = None,
) -> PublishedTable:
    """A photograph of 427 x 640 pixels in gray, from 0 to 255. Nothing is missing.

    Args:
        name: "china", a temple, or "flower".
        path: the file, or a folder with name.jpg. Without it: the folder of the
            scikit-learn that is installed.

    Raises:
        SpecError: when the name is another.
        DataError: when the file cannot be had, is no picture or has another sha256.

    Exactness: the file is exact; readers of its format may differ by one grey level.
    Cost: a hundredth of a second.
    Source: scikit-learn's load_sample_image has the same in colour.
    Differs: 0.299 red + 0.587 green + 0.114 blue, not rounded.
    """
    if name not in PICTURES_SHA256:
        raise SpecError(
            where="load_picture(name)",
            rule="the photographs are " + " and ".join(PICTURES_SHA256),
            got=f"{name!r}"[:200],
            fix='Give for example "china"',
        )
    from PIL import Image

    file = _place(name, path)
    try:
        content = file.read_bytes()
        with Image.open(file) as picture:
            pixels = np.asarray(picture.convert("RGB"), np.float64)
    except Exception as error:  # whatever a damaged file makes the reader raise
        raise DataError(
            where="load_picture(path)",
            rule="the file is a picture",
            got=f"{type(error).__name__}: {error}"[:200],
            fix="Correct the path, or leave it out: scikit-learn has the photographs",
        ) from None
    found = hashlib.sha256(content).hexdigest()
    if found != PICTURES_SHA256[name]:
        raise DataError(
            where="load_picture(path)",
            rule=f"this is the photograph {name}.jpg, with sha256 "
            f"{PICTURES_SHA256[name]}",
            got=f"sha256 {found} in {str(file)!r}",
            fix="Copy the file again, or leave the path out",
        )
    values = pixels @ np.array(_GRAY)
    return PublishedTable(
        values=values,
        row_labels=tuple(f"line {number}" for number in range(1, len(values) + 1)),
        col_labels=tuple(f"pixel {number}" for number in range(1, len(values[0]) + 1)),
        unit="grey level",
        fingerprint=f"sha256:{found}",
        licence=PICTURES_LICENCE,
    )


def _place(name: str, path: str | os.PathLike[str] | None) -> Path:
    """Where the file is: given, or where scikit-learn is installed."""
    if path is not None:
        given = Path(path)
        return given / f"{name}.jpg" if given.is_dir() else given
    found = importlib.util.find_spec("sklearn")
    for folder in (found and found.submodule_search_locations) or ():
        return Path(folder) / "datasets" / "images" / f"{name}.jpg"
    return Path("sklearn") / "datasets" / "images" / f"{name}.jpg"
