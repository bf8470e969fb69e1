from . import targets as targets
from .callback import ExplainCallback as ExplainCallback
from .explain.explainer import Explainer as Explainer
from .explain.explanation import Explanation as Explanation
from .exporting import export as export
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
from .model.suggest import find_target_layer as find_target_layer
from .model.suggest import suggest_layers as suggest_layers
from .pictures.render import overlay as overlay

__version__: str
__all__: list[str]
