from . import metrics as metrics
from . import targets as targets
from .callback import ExplainCallback as ExplainCallback
from .evaluating.comparing import evaluate as evaluate
from .evaluating.evaluation import Evaluation as Evaluation
from .explain.augmented import AugmentedExplainer as AugmentedExplainer
from .explain.explainer import Explainer as Explainer
from .explain.explanation import Explanation as Explanation
from .explain.noisy import NoiseTunnel as NoiseTunnel
from .explain.sess import SESS as SESS
from .exporting import export as export
from .loading import LoadedImages as LoadedImages
from .loading import load_images as load_images
from .model.black_box import black_box as black_box
from .model.suggest import find_target_layer as find_target_layer
from .model.suggest import suggest_layers as suggest_layers
from .pictures.render import overlay as overlay
from .pictures.superpixels import superpixels as superpixels

# The methods. Tables, documentation and the command line list them in this order.
# isort: off
from .methods.one_weight import GradCAM as GradCAM
from .methods.one_weight import GradCAMPlusPlus as GradCAMPlusPlus
from .methods.pixelwise import HiResCAM as HiResCAM
from .methods.pixelwise import LayerCAM as LayerCAM
from .methods.one_weight import XGradCAM as XGradCAM
from .methods.smooth_grad_cam import SmoothGradCAMPlusPlus as SmoothGradCAMPlusPlus
from .methods.shapley_cam import ShapleyCAM as ShapleyCAM
from .methods.pixelwise import ElementwiseGradCAM as ElementwiseGradCAM
from .methods.eigen import EigenCAM as EigenCAM
from .methods.eigen import EigenGradCAM as EigenGradCAM
from .methods.eigen import EigenSmoothedGradCAM as EigenSmoothedGradCAM
from .methods.kernel_eigen import KPCACAM as KPCACAM
from .methods.fem import FEM as FEM
from .methods.refine import RefineCAM as RefineCAM
from .methods.one_weight import CAM as CAM
from .methods.score_cam import ScoreCAM as ScoreCAM
from .methods.score_cam import FasterScoreCAM as FasterScoreCAM
from .methods.score_cam_averaged import SSCAM as SSCAM
from .methods.score_cam_averaged import ISCAM as ISCAM
from .methods.poly_cam import PolyCAM as PolyCAM
from .methods.ablation import AblationCAM as AblationCAM
from .methods.ablation import ReciproCAM as ReciproCAM
from .methods.guided import GuidedGradCAM as GuidedGradCAM
from .methods.guided import GuidedBackprop as GuidedBackprop
from .methods.guided import Deconvnet as Deconvnet
from .methods.input_gradient import Saliency as Saliency
from .methods.input_gradient import GradientTimesInput as GradientTimesInput
from .methods.input_gradient import SmoothGrad as SmoothGrad
from .methods.noise_moments import SmoothGradSquared as SmoothGradSquared
from .methods.noise_moments import VarGrad as VarGrad
from .methods.deep_lift import DeepLIFT as DeepLIFT
from .methods.full_grad import FullGrad as FullGrad
from .methods.path import IntegratedGradients as IntegratedGradients
from .methods.guided_path import GuidedIG as GuidedIG
from .methods.blur_path import BlurIG as BlurIG
from .methods.xrai import XRAI as XRAI
from .methods.expected_gradients import ExpectedGradients as ExpectedGradients
from .methods.occlusion import Occlusion as Occlusion
from .methods.rise import RISE as RISE
from .methods.lime import LIME as LIME
from .methods.kernel_shap import KernelSHAP as KernelSHAP
from .methods.sensitivity import SobolAttribution as SobolAttribution
from .methods.sensitivity import HSICAttribution as HSICAttribution

__version__: str
__all__: list[str]
