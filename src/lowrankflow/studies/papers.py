"""The papers that studies are of, and what they say."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Paper:
    """A paper that studies reproduce, or work of our own that extends them.

    Args:
        key: as in docs/references.bib; own work has none there.
        authors: family names, for a reader.
        year: of the version cited.
        title: of the paper.
        url: where it can be read; empty for own work.
    """

    key: str
    authors: str
    year: int
    title: str
    url: str


PAPERS = {
    paper.key: paper
    for paper in (
        Paper(
            key="gunasekar2017",
            authors="Gunasekar, Woodworth, Bhojanapalli, Neyshabur and Srebro",
            year=2017,
            title="Implicit Regularization in Matrix Factorization",
            url="https://arxiv.org/abs/1705.09280",
        ),
        Paper(
            key="arora2019",
            authors="Arora, Cohen, Hu and Luo",
            year=2019,
            title="Implicit Regularization in Deep Matrix Factorization",
            url="https://arxiv.org/abs/1905.13655",
        ),
        Paper(
            key="li2021",
            authors="Li, Luo and Lyu",
            year=2021,
            title=(
                "Towards Resolving the Implicit Bias of Gradient Descent for Matrix "
                "Factorization: Greedy Low-Rank Learning"
            ),
            url="https://arxiv.org/abs/2012.09839",
        ),
        Paper(
            key="razin2020",
            authors="Razin and Cohen",
            year=2020,
            title=(
                "Implicit Regularization in Deep Learning May Not Be Explainable by "
                "Norms"
            ),
            url="https://arxiv.org/abs/2005.06398",
        ),
        Paper(
            key="scale",
            authors="The lowrankflow developers",
            year=2026,
            title=(
                "The flow of a deep factorization at the cost of its current rank: own "
                "work, which extends arora2019 and li2021"
            ),
            url="",
        ),
    )
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Statement:
    """Something that can be true or false, and who says so.

    Args:
        key: short and unique in its study, for example "depth-3-recovers".
        text: the statement, in a sentence of our own.
        source: the paper's key and the place, for example "arora2019, figure 2"; or
            "own check" for what only this reproduction needs.
        value: the paper's number, with how it is known; empty when it gives none.
    """

    key: str
    text: str
    source: str
    value: str = ""
