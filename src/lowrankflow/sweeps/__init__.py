from lowrankflow.sweeps.executors import (
    AbstractExecutor as AbstractExecutor,
    OnEvent as OnEvent,
    Outcome as Outcome,
    SerialExecutor as SerialExecutor,
    WorkerDiedError as WorkerDiedError,
)
from lowrankflow.sweeps.grid import grid as grid
from lowrankflow.sweeps.processes import ProcessExecutor as ProcessExecutor
