"""Profile smoke of the studies of completion, run for real, in one store."""

import pytest

from lowrankflow.store import Store
from lowrankflow.studies import Collection, Outcome, draw
from lowrankflow.studies.arora2019 import Completion, Figure1, Figure2, WhichNorm
from lowrankflow.sweeps import SerialExecutor


@pytest.mark.slow
def test_smoke_from_end_to_end(tmp_path):
    store, computed = Store(tmp_path), []
    for study in (Figure1(), Figure2(), Completion(), WhichNorm()):
        plan = study.plan("smoke")
        outcomes = SerialExecutor().run([planned.job for planned in plan], store)
        assert not [outcome.reason for outcome in outcomes if not outcome.is_success]
        finished = {o.digest for o in outcomes if o.status == "finished"}
        computed.append(len(finished))
        found = [store.get(outcome.digest) for outcome in outcomes]
        runs = Collection(
            (planned.axes, dataset)
            for planned, dataset in zip(plan, found, strict=True)
        )
        verdicts = {verdict.claim: verdict for verdict in study.claims(runs)}
        # A tiny problem of one seed decides nothing about the paper, but for what must
        # hold at any size.
        for claim in {"converged", "certified", "descent-ends-alike"} & set(verdicts):
            assert verdicts[claim].outcome is Outcome.SUPPORTED
        assert draw(study, runs).startswith("<svg")
    # What several ask for was computed once, however often it is asked for.
    assert computed == [11, 5, 13, 0]
