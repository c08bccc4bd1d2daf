from lowrankflow.store.checkpoints import CheckpointWarning as CheckpointWarning
from lowrankflow.store.digest import digest as digest
from lowrankflow.store.execution import Progress as Progress, execute as execute
from lowrankflow.store.progress import (
    Event as Event,
    Stage as Stage,
    fraction_done as fraction_done,
)
from lowrankflow.store.runs import Entry as Entry, Status as Status, Store as Store
