"""Row and column effects as a candidate, and what others are added to."""

from collections.abc import Sequence

from lowrankflow.completion.candidates.bases import Base, Kind, base_of
from lowrankflow.completion.candidates.watch import Trail, Watch
from lowrankflow.completion.results import CandidateResult

EFFECTS = "effects"
# As many entries as it takes to believe half of an effect.
_PENALTIES, PENALTY = (1.0, 16.0), 4.0


def effects_candidate(
    watch: Watch, kinds: Sequence[Kind]
) -> tuple[CandidateResult, Base]:
    """The best effects, and the table that they leave.

    Args:
        watch: the judge.
        kinds: which to try; without entries to choose by it is the last of them.
    """
    table, trail = watch.split.train, Trail(watch, EFFECTS)
    choose = watch.split.selection is not None
    kinds = kinds if choose else kinds[-1:]
    bases: dict[tuple[str, float], Base] = {}

    def add(kind: Kind, penalty: float) -> float:
        base = base_of(table, kind=kind, penalty=penalty)
        bases[kind, penalty] = base
        setting = {"effects": kind, "effects_penalty": penalty}
        return trail.add(base.model(), setting)

    errors = {kind: add(kind, PENALTY) for kind in kinds}
    best = min(kinds, key=lambda kind: errors[kind])
    if choose and best not in ("none", "mean"):
        for penalty in _PENALTIES:
            add(best, penalty)
    found = trail.result()
    assert found is not None, "effects can always be found"
    setting = found.setting
    return found, bases[setting["effects"], setting["effects_penalty"]]
