from lowrankflow.simulation.agreement_job import (
    AgreementJob as AgreementJob,
    Path as Path,
    compared as compared,
)
from lowrankflow.simulation.completion_job import (
    CompletionJob as CompletionJob,
    Method as Method,
)
from lowrankflow.simulation.fingerprint import fingerprint as fingerprint
from lowrankflow.simulation.greedy_curve import (
    GREEDY_PATH as GREEDY_PATH,
    GREEDY_PATH_STOP as GREEDY_PATH_STOP,
    GreedyCurve as GreedyCurve,
    greedy_curve as greedy_curve,
)
from lowrankflow.simulation.grid_job import GridJob as GridJob
from lowrankflow.simulation.job import (
    Job as Job,
    ReferenceJob as ReferenceJob,
    RunJob as RunJob,
    job_from_json as job_from_json,
    job_from_plain as job_from_plain,
    job_to_json as job_to_json,
    job_to_plain as job_to_plain,
)
from lowrankflow.simulation.observers import (
    named_observers as named_observers,
    observer_names as observer_names,
)
from lowrankflow.simulation.plain import (
    Plain as Plain,
    canonical_json as canonical_json,
)
from lowrankflow.simulation.recipes import (
    Recipe as Recipe,
    build as build,
    recipe_kinds as recipe_kinds,
)
from lowrankflow.simulation.records import Record as Record
from lowrankflow.simulation.run import Run as Run
from lowrankflow.simulation.schedule import (
    AbstractSchedule as AbstractSchedule,
    AtTimes as AtTimes,
    EveryIterations as EveryIterations,
    GeometricIterations as GeometricIterations,
    OnlyEnds as OnlyEnds,
)
from lowrankflow.simulation.simulate import (
    Chunk as Chunk,
    RunFailedError as RunFailedError,
    first_state as first_state,
    simulate as simulate,
    simulate_chunks as simulate_chunks,
)
from lowrankflow.simulation.specification import (
    from_json as from_json,
    from_plain as from_plain,
    to_json as to_json,
    to_plain as to_plain,
)
