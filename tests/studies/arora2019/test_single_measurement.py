"""The study of a single measurement: missing runs leave its claims undecided."""

from lowrankflow.studies import Collection, Failure, Outcome, draw
from lowrankflow.studies.arora2019 import SingleMeasurement

STUDY = SingleMeasurement()


def test_missing_runs_leave_every_claim_undecided():
    plan = STUDY.plan("smoke", 1)
    missing = Collection([], [Failure(axes=job.axes, reason="none") for job in plan])
    found = {verdict.outcome for verdict in STUDY.claims(missing)}
    assert found == {Outcome.UNDECIDED}
    assert draw(STUDY, missing).startswith("<svg")
