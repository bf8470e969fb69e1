"""The front door: from a model and images to an explanation, by the method's name."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .. import targets
from .._types import Target
from ..arguments import (
    check_class_names,
    check_flag,
    check_target,
    conform_class_names,
    conform_classes,
    conform_grid,
    whole_number,
)
from ..errors import DoesNotFitError, brief, reason
from ..maps import STATUSES, check_normalization
from ..model import Question, Site, check_copyable, check_model, custom_classes, input_specs, run
from ..model.inputs import conform
from ..registry import METHODS
from .cache import Programs, find_sites
from .explanation import Description, Explanation
from .program import Program, Recipe
from .steps import Progress, conform_progress


class Explainer:
    """Explain one model with one method; compiled at the first call, fast from then on.

    The named classes (`GradCAM`, ...) are explainers bound to a method. Explainers can be pickled
    and copied, with their models; a copy compiles again at its first call.

    Args:
        model: Any built Keras 3 model on TensorFlow. It is never changed; weights that are
            updated later are seen, unless `freeze` is set.
        method: A registered method's name, as in "grad_cam".
        layer: Where a class activation map is drawn: a path ("resnet50/conv5_block3_out"), a
            unique name, a layer object, or a list of these whose maps are fused. None takes the
            last features on a grid; `suggest_layers(model)` shows the choice.
        target: Which number to explain, a function (outputs, classes) -> scores; see
            `kerascam.targets`. None is the class's logit.
        output: The name or index of the output to explain, for a model with several.
        call_index: Which run of the layer, where it runs several times.
        normalize: How a heatmap is scaled, each image's on its own: "max" (evidence for, divided
            by its maximum), "minmax", "signed" (divided by the largest magnitude, in [-1, 1]) or
            "none" (of several layers, each is scaled before they are fused).
        class_names: The class names in order; then classes may be given by name.
        grid: The (rows, columns) of a transformer's tokens, where they cannot be inferred.
        freeze: Take a snapshot of the weights as constants at the first call (for each form of
            input), so that TensorFlow folds batch normalisation into the convolutions: faster on
            a CPU. It costs a longer first call and several copies of the weights in memory, and
            later weight updates are not seen.
        **options: The method's own options, such as `steps` of integrated gradients.

    Raises:
        TypeError: If `model` is not a Keras model, or an option or argument does not fit the
            method.
        ValueError: If `model` is not built, or a name or value is unknown.

    Example:
        >>> import keras
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> explanation = Explainer(model, "layer_cam")(np.ones((5, 8, 8, 3)))
        >>> explanation.heatmaps.shape
        (5, 8, 8)
    """

    def __init__(
        self,
        model: keras.Model,
        method: str = "grad_cam",
        layer: Any = None,
        *,
        target: Target | None = None,
        output: int | str | None = None,
        call_index: int | None = None,
        normalize: str = "max",
        class_names: Sequence[str] | None = None,
        grid: tuple[int, int] | None = None,
        freeze: bool = False,
        **options: Any,
    ) -> None:
        check_model(model)
        check_normalization(normalize)
        check_flag("freeze", freeze)
        if target is not None:
            check_target(target)
        self.model = model
        self.method = METHODS[method]
        self._check_arguments({"layer": layer, "call_index": call_index, "grid": grid}, options)
        self.output = output
        self.class_names = conform_class_names(class_names)
        question = Question(
            targets.logit if target is None else target,
            output,
            conform_grid(grid),
            self.method.relu_rule,
            self._needs(options),
        )
        call_index = None if call_index is None else whole_number("call_index", call_index)
        sites: list[Site] | None = None
        if layer is not None or not self.method.of_layers:
            sites = [] if layer is None else find_sites(model, _as_list(layer), call_index)
        recipe = Recipe(self.method, question, normalize, options)
        self.programs = Programs(model, recipe, sites, call_index, freeze)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model.name!r}, layer={self.layer!r})"

    def __getstate__(self) -> dict[str, Any]:
        check_copyable(self.model)
        return {"classes": custom_classes(self.model), **vars(self)}  # in this order

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update({name: value for name, value in state.items() if name != "classes"})

    def __copy__(self) -> "Explainer":
        """Explain the same model with the same compiled programs."""
        copied = object.__new__(type(self))
        vars(copied).update(vars(self))
        return copied

    @property
    def layer(self) -> str | None:
        """The path of the layer, " + " between several; None before the first call chose it."""
        if not self.method.of_layers:
            return "images"
        sites = self.programs.sites
        return None if sites is None else " + ".join(site.path for site in sites)

    def __call__(
        self, images: Any, classes: Any = None, *, progress: Progress | bool | None = None
    ) -> Explanation:
        """Explain a batch in one pass.

        Args:
            images: Shape (batch, *size, channels), in the values that the model takes: nothing
                is preprocessed here. A list or dict of such for a model of several inputs.
            classes: An index or class name, or one per image; None explains the predicted class.
            progress: For a method that asks the model many times, such as SmoothGrad: it is then
                run in steps, Ctrl-C ends it between two of them, and the numbers are the same.
                True shows a progress bar; a function is called after each step with the steps
                made and all that there are. None runs it as one graph, a little faster.

        Returns:
            The heatmaps, and what they explain.

        Raises:
            KeyboardInterrupt: After Ctrl-C.
            TypeError: If images are not numbers, classes neither integers nor names, or progress
                is neither a function nor True.
            ValueError: If a shape, a value, a class or the layer does not fit the model.
        """
        show = conform_progress(progress)
        specs = input_specs(self.model, images)
        arrays = conform(images, specs)
        program = self.programs.of(specs, images, arrays)
        check_class_names(self.class_names, program.class_count)
        wanted = conform_classes(classes, len(arrays[0]), program.class_count, self.class_names)
        try:
            found = self._run(program, images, arrays, wanted, show)
        except tf.errors.InvalidArgumentError as error:
            raise DoesNotFitError(
                f"images of shape {arrays[0].shape} do not fit the model, or the target does not "
                f"fit {len(wanted)} images: {reason(error)}"
            ) from error
        self._check_scores(found["scores"], len(wanted))
        return self._explanation(program, arrays, found)

    def _run(
        self,
        program: Program,
        images: Any,
        arrays: Sequence[np.ndarray],
        classes: np.ndarray,
        show: Progress | None,
    ) -> dict[str, Any]:
        tensors = [*map(tf.constant, arrays), tf.constant(classes)]
        if show is not None:
            specs = input_specs(self.model, images)
            stepwise = self.programs.in_steps(specs, images, arrays)
            if stepwise is not None:
                return stepwise.run(tensors, show)
        found = run(program.run, *tensors)
        if show is not None:
            show(1, 1)
        return found

    def _check_scores(self, scores: tf.Tensor, batch: int) -> None:
        if len(scores) != batch:
            raise ValueError(
                f"target must give one score an image, shape ({batch},); it gave {len(scores)}"
            )

    @property
    def keeps_sign(self) -> bool:
        """Whether heatmaps hold evidence against the target too, as negative values."""
        normalize = self.programs.recipe.normalize
        return normalize == "signed" or (normalize == "none" and self.method.signed)

    @property
    def scales(self) -> bool:
        """Whether heatmaps are scaled; not with `normalize="none"`."""
        return self.programs.recipe.normalize != "none"

    def _check_arguments(self, of_layers: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        given = [name for name, value in of_layers.items() if value is not None]
        if given and not self.method.of_layers:
            raise TypeError(
                f"{given[0]}={brief(of_layers[given[0]])} does not go with {self.method.title}: it "
                f"looks at the images; leave {given[0]} out"
            )
        unknown = sorted(set(options) - set(self.method.options))
        if unknown:
            known = ", ".join(self.method.options) or "none"
            raise TypeError(
                f"{self.method.title} has no option {unknown[0]!r}; its options: {known}"
            )
        if self.method.check is not None:
            self.method.check(**{**self.method.options, **options})

    def _needs(self, options: Mapping[str, Any]) -> frozenset[str]:
        """Collect what the graph must supply: to the method, and to the one that localizes."""
        needs = set(self.method.needs)
        if "localization" in needs:
            localizer = METHODS[{**self.method.options, **options}["localizer"]]
            if not localizer.of_each_layer or localizer.relu_rule is not None:
                raise ValueError(
                    f"localizer must be a method that draws its map on a layer's grid, such as "
                    f"'grad_cam', not {localizer.name!r}"
                )
            needs |= set(localizer.needs)
        return frozenset(needs)

    def _explanation(
        self, program: Program, arrays: Sequence[np.ndarray], found: Mapping[str, Any]
    ) -> Explanation:
        maps = [each.numpy() for each in found["maps"]]
        fits = found["fits"].numpy()
        if not fits.all():
            condition = (inspect.getdoc(self.method.requires) or "").splitlines()[0]
            raise ValueError(f"layer {self.layer!r} does not suit {self.method.title}: {condition}")
        place = program.image_place
        # A copy: the caller may fill the same array with the next batch.
        images = None if place is None else arrays[place].copy()
        if images is not None and program.channels_first:
            images = np.moveaxis(images, 1, -1)
        return Explanation(
            heatmaps=found["heatmaps"].numpy(),
            maps=maps[0] if len(maps) == 1 else tuple(maps),
            classes=found["classes"].numpy(),
            scores=found["scores"].numpy(),
            probabilities=found["probabilities"].numpy(),
            layer=self.layer or "",
            method=self.method.name,
            statuses=tuple(STATUSES[code] for code in found["statuses"].numpy()),
            class_names=self.class_names,
            notes=self.programs.notes + program.notes,
            signed=self.keeps_sign,
            scaled=self.scales,
            images=images,
            described=Description(self.method.title, self.method.of_pixels),
        )


def _as_list(layer: Any) -> list[Any]:
    layers = list(layer) if isinstance(layer, (list, tuple)) else [layer]
    if not layers:
        raise ValueError("layer must name at least one layer; received an empty list")
    return layers
