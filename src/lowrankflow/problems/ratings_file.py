"""The ratings file of MovieLens 100K: where it is, and how its rows are known."""

import hashlib

from lowrankflow.problems.published_file import PublishedFile

MOVIELENS_100K_MD5 = "6e47046882bad158b0efbb84cd5cb987"
PATH_VARIABLE = "LOWRANKFLOW_ML100K"
HEADER = b"user_id:token\titem_id:token\trating:float\ttimestamp:float"


def without_header(content: bytes) -> bytes:
    """The rows of a ratings file with plain line ends: those of the official u.data."""
    body = content.replace(b"\r\n", b"\n")
    if body.startswith(HEADER.split(b"\t")[0]):
        _, _, body = body.partition(b"\n")
    return body


def md5_of(body: bytes) -> str:
    """The md5 of the rows, in hexadecimal: a checksum of integrity, not a secret."""
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def _fault(body: bytes) -> str | None:
    found = md5_of(body)
    return None if found == MOVIELENS_100K_MD5 else f"with md5 {found}"


RATINGS_FILE = PublishedFile(
    where="load_ratings(path)",
    what="the ratings",
    names=("u.data", "ml-100k.inter", "ml-100k/u.data", "ml-100k/ml-100k.inter"),
    path_variable=PATH_VARIABLE,
    cached="movielens-100k/u.data",
    wheel="recbole==1.2.1",
    member="recbole/dataset_example/ml-100k/ml-100k.inter",
    kept=without_header,
    fault=_fault,
    by_hand="Get u.data of MovieLens 100K from "
    f"https://grouplens.org/datasets/movielens/100k and set {PATH_VARIABLE} to its "
    "path",
)
