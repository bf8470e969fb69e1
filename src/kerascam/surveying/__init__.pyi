from .dataset import explain_dataset as explain_dataset
from .figures import figures_of as figures_of
from .photos import Photos as Photos
from .row_explainer import RowExplainer as RowExplainer
from .studying import Study as Study
from .studying import study as study
from .survey import Survey as Survey
from .survey import read_survey as read_survey
from .thumbnails import draw_mean as draw_mean
from .workers import RayWorkers as RayWorkers

__all__: list[str]
