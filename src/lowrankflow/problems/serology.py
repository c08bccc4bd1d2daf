"""Systems serology of COVID-19: how samples of serum bind, antigen by receptor."""

import os

from lowrankflow.errors import DataError
from lowrankflow.problems.published_table import (
    PublishedTable,
    product_labels,
    published_array,
    read_array,
)

SEROLOGY_SHA256 = "41e49bfe5642c103a8b9c5a8964fc4b043e71fbfaef36cc3098e79c191d35e6a"
SEROLOGY_LICENCE = (
    "Systems serology of COVID-19, as arranged by Tan, Murphy, Alpay, Taylor and "
    "Meyer: copyright 2022 The Regents of the University of California, under the MIT "
    "licence. It is not part of this library or of its results. Cite Z. C. Tan et al., "
    "Tensor-structured decomposition improves systems serology analysis, Molecular "
    "Systems Biology 17(9), e10243, 2021, and for the measurements T. Zohar et al., "
    "Compromised humoral functional evolution tracks with SARS-CoV-2 mortality, Cell "
    "183(6), 1508-1519, 2020."
)
ANTIGENS = ("S", "RBD", "N", "S1", "S2", "S1 Trimer")
RECEPTORS = (
    "IgG1",
    "IgG2",
    "IgG3",
    "IgA1",
    "IgA2",
    "IgM",
    "FcRalpha",
    "FcR2A",
    "FcR2B",
    "FcR3A",
    "FcR3B",
)
_WHERE = "load_serology(path)"


def load_serology(
    path: str | os.PathLike[str] | None = None,
    *,
    sha256: str | None = SEROLOGY_SHA256,
) -> PublishedTable:
    """438 samples of serum; 66 columns, one for each pair of antigen and receptor.

    Values are logarithms, and every column has mean zero, as published. Nothing is
    missing.

    Args:
        path: the file COVID19_data.npy, or a folder with it. Without it:
            LOWRANKFLOW_SEROLOGY, then the cache, then a download into the cache.
        sha256: what the sha256 of the numbers must be; None accepts any of this shape.

    Raises:
        DataError: when it cannot be had, is damaged or has another sha256.

    Exactness: exact.
    Cost: milliseconds; the first download is 7 MB.
    """
    array, found = read_array(_FILE, path, num_axes=3, sha256=sha256)
    if array.shape[1:] != (len(ANTIGENS), len(RECEPTORS)):
        raise DataError(
            where=_WHERE,
            rule="the array is samples x 6 antigens x 11 receptors",
            got=f"shape {array.shape}",
            fix="Get the file again",
        )
    return PublishedTable(
        values=array.reshape(len(array), -1),
        row_labels=tuple(f"sample {number}" for number in range(1, len(array) + 1)),
        col_labels=product_labels(ANTIGENS, RECEPTORS),
        unit="",
        fingerprint=f"sha256:{found}",
        licence=SEROLOGY_LICENCE,
    )


_FILE = published_array(
    where=_WHERE,
    what="the serology measurements",
    name="COVID19_data.npy",
    folder="serology",
    path_variable="LOWRANKFLOW_SEROLOGY",
    sha256=SEROLOGY_SHA256,
    by_hand="Take COVID19_data.npy out of any copy of tensorly and set "
    "LOWRANKFLOW_SEROLOGY to its path",
)
