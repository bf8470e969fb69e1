"""The methods: one file a family, each function beside the class that is bound to it."""

from .eigen import EigenCAM as EigenCAM
from .eigen import EigenGradCAM as EigenGradCAM
from .guided import Deconvnet as Deconvnet
from .guided import GuidedBackprop as GuidedBackprop
from .guided import GuidedGradCAM as GuidedGradCAM
from .input_gradient import GradientTimesInput as GradientTimesInput
from .input_gradient import Saliency as Saliency
from .input_gradient import SmoothGrad as SmoothGrad
from .one_weight import CAM as CAM
from .one_weight import GradCAM as GradCAM
from .one_weight import GradCAMPlusPlus as GradCAMPlusPlus
from .one_weight import XGradCAM as XGradCAM
from .path import IntegratedGradients as IntegratedGradients
from .pixelwise import ElementwiseGradCAM as ElementwiseGradCAM
from .pixelwise import HiResCAM as HiResCAM
from .pixelwise import LayerCAM as LayerCAM
