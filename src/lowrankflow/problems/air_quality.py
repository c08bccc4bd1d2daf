"""Nitrogen dioxide hour by hour at two sites: a day is a row, with real gaps."""

import gzip
import hashlib
import os

import numpy as np

from lowrankflow.errors import DataError
from lowrankflow.problems.published_file import PublishedFile
from lowrankflow.problems.published_table import PublishedTable, require_sha256

AIR_QUALITY_SHA256 = "a9a857add005795eb4d5b80687d388dbf7cc94e3b45c84d3fe7bde5b52c73591"
AIR_QUALITY_LICENCE = (
    "Hourly nitrogen dioxide of the data set aq.data of the R package AQEval (K. "
    "Ropkins, A. Walker and J. Tate), under the GNU General Public Licence, version 3 "
    "or later, as that package is. It is not part of this library or of its results. "
    "Cite the package, doi:10.32614/CRAN.package.AQEval, and K. Ropkins and J. E. "
    "Tate, Early observations on the impact of the COVID-19 lockdown on air quality "
    "trends across the UK, Science of the Total Environment 754, 142374, 2021."
)
_SERIES = ("no2", "bg.no2")
_SITES = ("site", "background")
_WHERE = "load_air_quality(path)"
_GZIP = b"\x1f\x8b"  # how a compressed file begins


def load_air_quality(
    path: str | os.PathLike[str] | None = None,
    *,
    sha256: str | None = AIR_QUALITY_SHA256,
) -> PublishedTable:
    """1,095 days of 2001 to 2003; 48 columns, 24 hours at a site and its background.

    Concentrations of nitrogen dioxide in micrograms per cubic metre. Instruments
    failed: 3.9 % of the site's hours and 10.4 % of the background's are NaN, most of
    them in runs of hours or days.

    Args:
        path: the file aq_data.csv, plain or compressed, or a folder with it. Without
            it: LOWRANKFLOW_AIR_QUALITY, then the cache, then a download into it.
        sha256: what the sha256 of the uncompressed text must be; None accepts any
            hourly table with the columns date, no2 and bg.no2 and whole days.

    Raises:
        DataError: when it cannot be had, is damaged or has another sha256.

    Exactness: exact.
    Cost: a tenth of a second; the first download is half a megabyte.
    """
    file = _FILE.path(path)
    content = _FILE.read(file)
    try:
        text = _text(content)
        days, values = _days(text)
    except Exception as error:  # whatever a damaged file makes the readers raise
        raise DataError(
            where=_WHERE,
            rule="the file has a line for every hour of whole days, with the columns "
            "date, no2 and bg.no2",
            got=f"{type(error).__name__}: {error}"[:200] + f" in {str(file)!r}",
            fix="Get the file again; the path can be left out to download it",
        ) from None
    found = hashlib.sha256(text).hexdigest()
    require_sha256(_FILE, found, sha256, f"{len(days)} days in {str(file)!r}")
    return PublishedTable(
        values=values,
        row_labels=tuple(days),
        col_labels=tuple(
            f"{site} {hour:02d}:00" for site in _SITES for hour in range(24)
        ),
        unit="micrograms per cubic metre",
        fingerprint=f"sha256:{found}",
        licence=AIR_QUALITY_LICENCE,
    )


def _text(content: bytes) -> bytes:
    return gzip.decompress(content) if content.startswith(_GZIP) else content


def _days(text: bytes) -> tuple[list[str], np.ndarray]:
    """The days' names and their hours, or whatever a reader raises."""
    header, *lines = text.decode("utf-8").splitlines()
    names = header.split(",")
    date, *places = (names.index(name) for name in ("date", *_SERIES))
    fields = [line.split(",") for line in lines]
    stamps = [row[date] for row in fields]
    days = [stamp[:10] for stamp in stamps[::24]]
    due = [f"{day} {hour:02d}" for day in days for hour in range(24)]
    if [stamp[:13] for stamp in stamps] != due or len(set(days)) < len(days):
        raise ValueError("hours that are not those of whole days, in order")
    series = [
        np.array([float(row[at] or "nan") for row in fields]).reshape(-1, 24)
        for at in places
    ]
    return days, np.hstack(series)


def _fault(content: bytes) -> str | None:
    try:
        found = hashlib.sha256(_text(content)).hexdigest()
    except Exception as error:
        return f"no compressed text ({type(error).__name__}: {error})"
    return None if found == AIR_QUALITY_SHA256 else f"with sha256 {found}"


_FILE = PublishedFile(
    where=_WHERE,
    what="the hours of nitrogen dioxide",
    names=("aq_data.csv.gz", "aq_data.csv"),
    path_variable="LOWRANKFLOW_AIR_QUALITY",
    cached="air-quality/aq_data.csv.gz",
    wheel="aqeval==0.7.3",
    member="aqeval/data/aq_data.csv.gz",
    kept=bytes,
    fault=_fault,
    by_hand="Write aq.data of the R package AQEval as aq_data.csv and set "
    "LOWRANKFLOW_AIR_QUALITY to its path",
)
