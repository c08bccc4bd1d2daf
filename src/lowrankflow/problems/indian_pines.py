"""Indian Pines: an airborne image of fields and woods in 200 bands, as a matrix."""

import dataclasses
import hashlib
import io
import os

import numpy as np
from jaxtyping import Float, Int

from lowrankflow.errors import DataError
from lowrankflow.problems.published_file import PublishedFile

INDIAN_PINES_SHA256 = "36468dd7336c8bd37a80cced54362ea426f226703f3797ba494556fd8134e77f"
PINES_PATH_VARIABLE = "LOWRANKFLOW_INDIAN_PINES"
INDIAN_PINES_LICENCE = (
    "Indian Pines is AVIRIS data of 12 June 1992, published by Purdue University under "
    "the Creative Commons Attribution 3.0 licence: it may be used and passed on when "
    "its source is named. It is not part of this library or of its results. Cite M. F. "
    "Baumgardner, L. L. Biehl and D. A. Landgrebe, 220 Band AVIRIS Hyperspectral Image "
    "Data Set: June 12, 1992 Indian Pine Test Site 3, Purdue University Research "
    "Repository, 2015, doi:10.4231/R7RX991C. The 200 bands are those left of 220 when "
    "bands of water absorption are taken out."
)
_WHERE = "load_indian_pines(path)"
_NPY, _MAT = "Indian_pines_corrected.npy", "Indian_pines_corrected.mat"
_MATLAB = b"MATLAB"  # how a .mat file begins


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class IndianPines:
    """The image, as it was published.

    Args:
        image: radiances in the sensor's units, one number for each pixel and band;
            integers between 955 and 9604.
        fingerprint: "sha256:" and the sha256 of the numbers.
        licence: what may be done with them.
    """

    image: Int[np.ndarray, "rows cols bands"]
    fingerprint: str
    licence: str

    @property
    def matrix(self) -> Float[np.ndarray, "pixels bands"]:
        """One row for each pixel, row by row of the image, one column for each band."""
        return self.image.reshape(-1, self.image.shape[2]).astype(np.float64)


def load_indian_pines(
    path: str | os.PathLike[str] | None = None,
    *,
    sha256: str | None = INDIAN_PINES_SHA256,
) -> IndianPines:
    """Indian Pines: 145 x 145 pixels of farmland and wood in 200 spectral bands.

    Args:
        path: the file Indian_pines_corrected as .npy or .mat, or a folder with one.
            Without it: LOWRANKFLOW_INDIAN_PINES, then the cache, then a download into
            the cache.
        sha256: what the sha256 of the numbers must be (16-bit, little-endian, pixel by
            pixel); None accepts any image of integers.

    Raises:
        DataError: when there is no such file and the download fails, it is damaged or
            no image, or the sha256 is another.

    Exactness: exact.
    Cost: a tenth of a second and 8 MB; the first download is 7 MB.
    """
    file = _FILE.path(path)
    content = _FILE.read(file)
    try:
        image = _image(content)
    except Exception as error:  # whatever a damaged file makes the readers raise
        raise DataError(
            where=_WHERE,
            rule="the file is a .npy or .mat of integers, rows x cols x bands",
            got=f"{type(error).__name__}: {error}"[:200] + f" in {str(file)!r}",
            fix="Get the file again; the path can be left out to download it",
        ) from None
    found = sha256_of(image)
    if sha256 is not None and found != sha256:
        raise DataError(
            where=_WHERE,
            rule=f"the numbers are those of Indian Pines, with sha256 {sha256}",
            got=f"sha256 {found} and shape {image.shape} in {str(file)!r}",
            fix="Copy the file again; load_indian_pines(path, sha256=None) takes other "
            "images",
        )
    return IndianPines(
        image=image, fingerprint=f"sha256:{found}", licence=INDIAN_PINES_LICENCE
    )


def sha256_of(image: Int[np.ndarray, "rows cols bands"]) -> str:
    """The sha256 of an image's numbers, in hexadecimal, whatever file they are from."""
    numbers = np.ascontiguousarray(image, dtype="<u2")
    return hashlib.sha256(numbers.tobytes()).hexdigest()


def _image(content: bytes) -> Int[np.ndarray, "rows cols bands"]:
    """The image in a file, or whatever a reader raises where there is none."""
    if content.startswith(_MATLAB):
        from scipy.io import loadmat

        variables = loadmat(io.BytesIO(content))
        image = np.asarray(variables["indian_pines_corrected"])
    else:
        image = np.load(io.BytesIO(content), allow_pickle=False)
    if image.ndim != 3 or image.dtype.kind not in "iu" or image.size == 0:
        raise ValueError(f"{image.dtype} of shape {image.shape}")
    if image.min() < 0 or image.max() > np.iinfo(np.uint16).max:
        raise ValueError(f"numbers from {image.min()} to {image.max()}")
    return np.ascontiguousarray(image, dtype=np.uint16)


def _fault(content: bytes) -> str | None:
    try:
        found = sha256_of(_image(content))
    except Exception as error:
        return f"no image ({type(error).__name__}: {error})"
    return None if found == INDIAN_PINES_SHA256 else f"with sha256 {found}"


_FILE = PublishedFile(
    where=_WHERE,
    what="the pixels of Indian Pines",
    names=(_NPY, _MAT),
    path_variable=PINES_PATH_VARIABLE,
    cached=f"indian-pines/{_NPY}",
    wheel="tensorly==0.10.0",
    member=f"tensorly/datasets/data/{_NPY}",
    kept=bytes,
    fault=_fault,
    by_hand=f"Get {_MAT} from https://www.ehu.eus/ccwintco/index.php/"
    f"Hyperspectral_Remote_Sensing_Scenes and set {PINES_PATH_VARIABLE} to its path",
)
