"""When directions come in, at depth 2 and beyond it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How exactly the growth outside has to be known, and what comes in with what.

    Args:
        unseen: the share of the way to the threshold that is gone without a look.
        near: the share of the threshold at which a direction comes in.
        ahead: directions of at least this share come in with it.
        runaway: no direction is left out beyond so many times its start.
        rtol: of the top growth, when it is looked for.
        shared: directions looked for, for each one followed.
    """

    unseen: float
    near: float
    ahead: float
    runaway: float
    rtol: float
    shared: float


# Hidden units come in as they would be had they been followed from the start, so that
# it matters little when: in few lots, each growing what is followed by a half.
_BROUGHT = Rules(
    unseen=1.0,
    near=0.7,
    ahead=0.1,
    runaway=float("inf"),
    rtol=1e-2,
    shared=0.5,
)
# Directions come in with the size of the law, which is about to run away. An error of
# 1e-4 in a growth of five would be one of 1e-3 in the size.
_BY_LAW = Rules(
    unseen=0.3,
    near=0.96,
    ahead=0.5,
    runaway=40.0,
    rtol=1e-5,
    shared=0.0,
)


def rules(depth: int) -> Rules:
    """What holds at this depth."""
    return _BROUGHT if depth == 2 else _BY_LAW
