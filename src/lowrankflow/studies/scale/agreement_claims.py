"""What the pairs of runs say of the flow at its current rank."""

from lowrankflow.studies.claims import at_least, at_most, monotone
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.scale import agreement_measures as measures
from lowrankflow.studies.scale.agreement_jobs import SWEEP_SCALES
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.verdict import Verdict

_BEFORE = "bound set before the runs"
# Start, bound on the ends.
_ENDS = (("aligned", 1e-3), ("identity", 1e-3), ("balanced", 1e-2))
_FEW = 1.5  # directions followed, in units of the truth's rank


def curves_agree(study: AbstractStudy, runs: Collection) -> list[Verdict]:
    return [
        at_most(
            measures.worst(runs, measures.cells(runs, start), measures.curve),
            0.01,
            claim=f"{start}-curve",
            sentence=f"Start {start}: nowhere is the path farther than 1 % from the "
            "dense flow's.",
            statement=study.statement("same"),
            quantity="largest distance from the dense path over the end's norm",
            note=_BEFORE,
        )
        for start, _ in _ENDS
    ]


def ends_agree(study: AbstractStudy, runs: Collection) -> list[Verdict]:
    return [
        at_most(
            measures.worst(runs, measures.cells(runs, start), measures.end),
            bound,
            claim=f"{start}-end",
            sentence=f"Start {start}: both flows end within {100 * bound:g} % of each "
            "other.",
            statement=study.statement("same"),
            quantity="largest distance of the ends, relative",
            note=_BEFORE,
        )
        for start, bound in _ENDS
    ]


def errors_agree(study: AbstractStudy, runs: Collection) -> list[Verdict]:
    return [
        at_most(
            measures.worst(runs, measures.cells(runs, start), measures.errors_apart),
            0.01,
            claim=f"{start}-errors",
            sentence=f"Start {start}: at equal losses the errors of both flows differ "
            "by at most 0.01.",
            statement=study.statement("errors"),
            quantity="largest difference of the relative errors",
            note=_BEFORE,
        )
        for start, _ in _ENDS
    ]


def tightening_helps(study: AbstractStudy, runs: Collection) -> list[Verdict]:
    return [
        monotone(
            measures.swept(runs, depth, variable),
            "rising",
            claim=f"tightened-{name}-{depth}",
            sentence=f"Depth {depth}: the distance of the {words} falls from an "
            "admission tolerance of 1e-3 to 1e-4 and on to 1e-5.",
            statement=study.statement("tolerance"),
            quantity=f"distance of the {words}",
            note=f"from a start of {SWEEP_SCALES[depth]:g}, where each of the three "
            "decides when directions come in (at depth 3 the last lets in all at once)",
        )
        for depth in SWEEP_SCALES
        for name, variable, words in (
            ("curve", "curve_distance", "paths"),
            ("end", "end_distance", "ends"),
        )
    ]


def stages_are_the_same(study: AbstractStudy, runs: Collection) -> list[Verdict]:
    return [
        at_most(
            measures.farthest_passage(runs, "adaptive"),
            0.01,
            claim="stages",
            sentence="Depth 3 from the identity: the path passes every critical point "
            "of greedy learning within 1 %.",
            statement=study.statement("stages"),
            quantity="largest closest approach over the end's norm",
            note="how near it can come depends on the start, for the dense flow too; "
            + _BEFORE,
        ),
        at_most(
            measures.passages_apart(runs),
            0.01,
            claim="stages-dense",
            sentence="The dense flow passes each of them as near, to 1 %.",
            statement=study.statement("same"),
            quantity="largest difference of closest approaches over the end's norm",
            note="added when the two agreed and both were far from a point",
        ),
        at_least(
            measures.least_gap(runs, "adaptive"),
            1.0,
            claim="order",
            sentence="It passes them in the order of greedy learning.",
            statement=study.statement("stages"),
            quantity="fewest steps from one to the next",
        ),
    ]


def few_are_followed(study: AbstractStudy, runs: Collection) -> list[Verdict]:
    deep = [
        cell
        for start in ("aligned", "identity")
        for cell in measures.cells(runs, start)
        if cell[2] > 2 and cell[3] <= 1e-4
    ]
    rank = measures.rank(runs)
    return [
        at_most(
            measures.worst(runs, deep, measures.followed),
            _FEW * rank,
            claim="few",
            sentence="Beyond depth 2, from starts of 1e-4 and less, at most half as "
            f"many directions again are followed as the truth has: {rank}.",
            statement=study.statement("few"),
            quantity="directions followed at most",
            note="aligned and identity",
        )
    ]
