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
    simulate as simulate,
    simulate_chunks as simulate_chunks,
)
from lowrankflow.simulation.specification import (
    from_json as from_json,
    from_plain as from_plain,
    to_json as to_json,
    to_plain as to_plain,
)
