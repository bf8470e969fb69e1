from .dataset import explain_dataset as explain_dataset
from .row_explainer import RowExplainer as RowExplainer
from .studying import Study as Study
from .studying import study as study
from .survey import Survey as Survey
from .survey import read_survey as read_survey
from .workers import RayWorkers as RayWorkers

__all__: list[str]
