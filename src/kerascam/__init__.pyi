from . import targets as targets
from .callback import ExplainCallback as ExplainCallback
from .explain import Explainer as Explainer
from .explanation import Explanation as Explanation
from .methods import CAM as CAM
from .methods import Deconvnet as Deconvnet
from .methods import EigenCAM as EigenCAM
from .methods import EigenGradCAM as EigenGradCAM
from .methods import ElementwiseGradCAM as ElementwiseGradCAM
from .methods import GradCAM as GradCAM
from .methods import GradCAMPlusPlus as GradCAMPlusPlus
from .methods import GradientTimesInput as GradientTimesInput
from .methods import GuidedBackprop as GuidedBackprop
from .methods import GuidedGradCAM as GuidedGradCAM
from .methods import HiResCAM as HiResCAM
from .methods import IntegratedGradients as IntegratedGradients
from .methods import LayerCAM as LayerCAM
from .methods import Saliency as Saliency
from .methods import SmoothGrad as SmoothGrad
from .methods import XGradCAM as XGradCAM
from .render import overlay as overlay
from .saved_model import export as export
from .suggest import find_target_layer as find_target_layer
from .suggest import suggest_layers as suggest_layers

__version__: str
__all__: list[str]
