from .dataset import explain_dataset as explain_dataset
from .studying import Study as Study
from .studying import study as study
from .survey import Survey as Survey
from .survey import read_survey as read_survey

__all__: list[str]
