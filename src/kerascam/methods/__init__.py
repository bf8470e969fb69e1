"""The named classes: an explainer bound to one method each, with its own documentation page."""

from .gradients import Deconvnet as Deconvnet
from .gradients import GradientTimesInput as GradientTimesInput
from .gradients import GuidedBackprop as GuidedBackprop
from .gradients import GuidedGradCAM as GuidedGradCAM
from .gradients import IntegratedGradients as IntegratedGradients
from .gradients import Saliency as Saliency
from .gradients import SmoothGrad as SmoothGrad
from .unpooled import EigenCAM as EigenCAM
from .unpooled import EigenGradCAM as EigenGradCAM
from .unpooled import ElementwiseGradCAM as ElementwiseGradCAM
from .unpooled import HiResCAM as HiResCAM
from .unpooled import LayerCAM as LayerCAM
from .weighted import CAM as CAM
from .weighted import GradCAM as GradCAM
from .weighted import GradCAMPlusPlus as GradCAMPlusPlus
from .weighted import XGradCAM as XGradCAM
