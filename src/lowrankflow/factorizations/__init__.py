from lowrankflow.factorizations.deep import (
    DeepFactorization as DeepFactorization,
    positive_int as positive_int,
)
from lowrankflow.factorizations.escaped import Escaped as Escaped
from lowrankflow.factorizations.factorization import (
    AbstractFactorization as AbstractFactorization,
    Factors as Factors,
    largest_rank as largest_rank,
    to_host as to_host,
)
from lowrankflow.factorizations.frames import (
    balanced_factors as balanced_factors,
    random_frame as random_frame,
    rescaled as rescaled,
)
from lowrankflow.factorizations.initial import (
    Aligned as Aligned,
    Balanced as Balanced,
    Gaussian as Gaussian,
    Identity as Identity,
    Orthogonal as Orthogonal,
)
from lowrankflow.factorizations.prescribed import (
    GivenFactors as GivenFactors,
    RandomPSD as RandomPSD,
    SpectralOptimum as SpectralOptimum,
)
from lowrankflow.factorizations.start import (
    AbstractStart as AbstractStart,
    positive as positive,
)
from lowrankflow.factorizations.start_frames import (
    StartFrames as StartFrames,
    start_frames as start_frames,
)
from lowrankflow.factorizations.symmetric import (
    SymmetricFactorization as SymmetricFactorization,
)
