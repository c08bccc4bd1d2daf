from lowrankflow.metrics.alignment import (
    Alignment as Alignment,
    gradient_alignment as gradient_alignment,
    imbalance as imbalance,
    is_balanced as is_balanced,
)
from lowrankflow.metrics.analytic_svd import (
    AnalyticSVD as AnalyticSVD,
    follow_svd as follow_svd,
)
from lowrankflow.metrics.curves import Polyline as Polyline
from lowrankflow.metrics.differences import central_derivative as central_derivative
from lowrankflow.metrics.manifold import manifold_distance as manifold_distance
from lowrankflow.metrics.recovery import (
    held_out_rmse as held_out_rmse,
    mean_squared_error as mean_squared_error,
    relative_error as relative_error,
    rms_error as rms_error,
    unobserved_error as unobserved_error,
)
from lowrankflow.metrics.spectrum import (
    effective_rank as effective_rank,
    log_det_surrogate as log_det_surrogate,
    nuclear_norm as nuclear_norm,
    numerical_rank as numerical_rank,
    schatten_power as schatten_power,
    singular_values as singular_values,
    stable_rank as stable_rank,
)
