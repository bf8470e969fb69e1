from .answers import answers_of as answers_of
from .answers import class_count_of as class_count_of
from .answers import classes_of as classes_of
from .bases import ImageArguments as ImageArguments
from .bases import ImageExplainer as ImageExplainer
from .bases import ImageExplainerWithOptions as ImageExplainerWithOptions
from .bases import LayerArguments as LayerArguments
from .bases import LayerExplainer as LayerExplainer
from .bases import LayerExplainerWithOptions as LayerExplainerWithOptions
from .bases import NamedExplainer as NamedExplainer
from .bases import SharedArguments as SharedArguments
from .bases import WholeModelExplainerWithOptions as WholeModelExplainerWithOptions
from .cache import Programs as Programs
from .documentation import with_attributes as with_attributes
from .explainer import Explainer as Explainer
from .explanation import Explanation as Explanation
from .forward import compile_predictions as compile_predictions
from .program import Program as Program
from .randomized import Randomized as Randomized
from .records import Description as Description
from .result_folder import MANIFEST as MANIFEST
from .result_folder import ResultFolder as ResultFolder
from .result_folder import finite_or_none as finite_or_none
from .settings import settings_of as settings_of
from .steps import Progress as Progress
from .steps import conform_progress as conform_progress

__all__: list[str]
