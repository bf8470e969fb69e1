"""The front door: from a model and images to an explanation, by the method's name."""

from collections.abc import Iterator, Sequence
from typing import Any, overload

import keras

from .._host_types import HostScores
from .._types import Target
from ..arguments import (
    check_flag,
    conform_class_names,
    whole_number,
)
from ..errors import brief
from ..given import is_dataset
from ..maps import Normalization, check_normalization
from ..model import (
    OwnObjects,
    check_copyable,
    check_input,
    check_model,
)
from ..placement import Place
from ..registry import METHODS
from .answering import explanation_of
from .asking import Batches, check_one_class
from .cache import Programs
from .explanation import Explanation
from .options import array_notes, check_arguments, question_of
from .program import Recipe
from .progress import Progress, conform_progress
from .running import Running
from .stopping import find_sites, stops_at
from .values import value_notes


class Explainer(Running):
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
        input: The name or index of the input to explain, for a model with several. None takes that
            which the layer looks at, or the first of the most axes; a note says which.
        call_index: Which run of the layer, if it runs several times.
        normalize: How a heatmap is scaled, each image's on its own: "max" (evidence for, divided
            by its maximum), "minmax", "signed" (divided by the largest magnitude, in [-1, 1]) or
            "none" (of several layers, each is scaled before they are fused). None is the method's
            own way: "max", or "minmax" for RISE and Recipro-CAM.
        class_names: The class names in order; then classes may be given by name.
        grid: The (rows, columns) of a transformer's tokens, if they cannot be inferred.
        place: Where a layer's cells are drawn. "stretch": each on its part of the image.
            "effective": where it looks, by its derivative, measured once on the images of the first
            call (give it sixteen); pads on one side and strides shift that by some pixels.
        axes: A letter for each axis of the input, if the model does not show it: time t, depth d,
            height h, width w, frequency f, channels c, as in "chw" or "tc". A guess is noted.
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
        >>> import keras, numpy as np
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
        input: int | str | None = None,
        call_index: int | None = None,
        normalize: Normalization | None = None,
        class_names: Sequence[str] | None = None,
        grid: tuple[int, int] | None = None,
        place: Place = "stretch",
        axes: str | None = None,
        freeze: bool = False,
        **options: Any,
    ) -> None:
        check_model(model)
        if normalize is not None:
            check_normalization(normalize)
        check_flag("freeze", freeze)
        check_input(model, input, None)
        self.model = model
        self.method = METHODS[method]
        moved = None if place == "stretch" else place
        of_layers = {"layer": layer, "call_index": call_index, "grid": grid, "place": moved}
        if stops_at(self.method, model, layer):
            of_layers |= {"layer": None, "call_index": None}
        check_arguments(self.method, of_layers, options)
        self.output = output
        self.class_names = conform_class_names(class_names)
        question = question_of(
            self.method, options, target, output=output, input=input, grid=grid, axes=axes,
            place=place,
        )  # fmt: skip
        call_index = None if call_index is None else whole_number("call_index", call_index)
        sites, notes = find_sites(model, self.method, layer, call_index)
        recipe = Recipe(self.method, question, normalize or self.method.normalize, options)
        notes += array_notes(options)
        self.programs = Programs(model, recipe, sites, call_index, freeze, notes)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model.name!r}, layer={self.layer!r})"

    def __getstate__(self) -> dict[str, Any]:
        check_copyable(self.model)
        return {"own": OwnObjects(self.model), **vars(self)}  # in this order

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update({name: value for name, value in state.items() if name != "own"})

    def __copy__(self) -> "Explainer":
        """Explain the same model with the same compiled programs."""
        copied = object.__new__(type(self))
        vars(copied).update(vars(self))
        return copied

    @property
    def layers(self) -> tuple[str, ...]:
        """The paths of the layers; none for a method of images, or before a call chose one."""
        return tuple(site.name for site in self.programs.sites or ())

    @property
    def layer(self) -> str | None:
        """The path of the layer, " + " between several; None before the first call chose it."""
        sites = self.programs.sites
        if not self.method.of_layers and not sites:
            return "images"
        return None if sites is None else " + ".join(site.name for site in sites)

    @overload
    def __call__(
        self, images: Batches, classes: Any = None, *, progress: Any = None
    ) -> Iterator[Explanation]: ...

    @overload
    def __call__(
        self, images: Any, classes: Any = None, *, progress: Any = None
    ) -> Explanation: ...

    def __call__(
        self, images: Any, classes: Any = None, *, progress: Progress | bool | None = None
    ) -> Explanation | Iterator[Explanation]:
        """Explain a batch in one pass.

        Args:
            images: Shape (batch, *size, channels), in the values that the model takes: nothing
                is preprocessed here. An image alone, without the batch axis, is a batch of one;
                PIL images are taken too. A list or dict of such for a model of several inputs.
                For a `tf.data.Dataset` of such, or of (images, labels), the result is a
                generator with one explanation per batch.
            classes: An index or class name, or one per image; None explains the predicted class.
            progress: For a method that asks the model many times, such as SmoothGrad. A function
                is called after each pass with the passes made and all that there are; True shows
                a progress bar. The method is then run in steps, so that Ctrl-C ends it between
                two passes; the numbers are the same. False runs it as one graph, which compiles
                and runs a little faster. None shows a bar after two seconds on a terminal or in a
                notebook, and is False elsewhere.

        Returns:
            The heatmaps, and what they explain.

        Raises:
            KeyboardInterrupt: After Ctrl-C; in steps it says how many passes were made.
            TypeError: If images are not numbers, classes neither integers nor names, or progress
                is neither a function nor a bool.
            ValueError: If a shape, a value, a class or the layer does not fit the model.
        """
        show = conform_progress(progress)
        if is_dataset(images):
            check_one_class(classes)
            batches = map(keras.utils.unpack_x_y_sample_weight, images)
            return (self(inputs, classes, progress=progress) for inputs, *_ in batches)
        asked, found = self._answered(images, classes, self.programs.of, show)
        program, arrays, place = asked.compiled, asked.arrays, asked.compiled.image_place
        notes = () if place is None else value_notes(self.programs.scaling_layers, arrays[place])
        return explanation_of(self, program, arrays, found, self.programs.doubts + notes)

    def score(self, images: Any, classes: Any = None) -> HostScores:
        """Compute the target's scores alone: by default each class's logit.

        Only the forward pass runs, compiled at the first call.

        Args:
            images: One batch, as for a call of the explainer.
            classes: As for a call of the explainer.

        Returns:
            Shape (batch,), what `explanation.scores` would hold.

        Raises:
            TypeError: If images are not numbers, or classes neither integers nor names.
            ValueError: If a shape, a value or a class does not fit the model.

        Example:
            >>> import keras, numpy as np
            >>> model = keras.Sequential([
            ...     keras.Input((4, 4, 1)), keras.layers.GlobalAveragePooling2D(),
            ...     keras.layers.Dense(2, kernel_initializer="ones")])
            >>> Explainer(model, "saliency").score(np.full((2, 4, 4, 1), 3.0), [0, 1]).tolist()
            [3.0, 3.0]
        """
        _, found = self._answered(images, classes, self.programs.scoring, None)
        return found["scores"].numpy()

    def probabilities(self, images: Any, classes: Any = None) -> HostScores:
        """Compute the probabilities of classes alone: what `explanation.probabilities` would hold.

        Only the forward pass runs, compiled at the first call.

        Args:
            images: One batch, as for a call of the explainer.
            classes: As for a call of the explainer.

        Returns:
            Shape (batch,); NaN if the model does not end in a softmax or sigmoid.

        Raises:
            TypeError: If images are not numbers, or classes neither integers nor names.
            ValueError: If a shape, a value or a class does not fit the model.

        Example:
            >>> import keras, numpy as np
            >>> model = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten(),
            ...     keras.layers.Dense(4, "softmax", kernel_initializer="ones")])
            >>> Explainer(model, "saliency").probabilities(np.ones((2, 2, 2, 1)), [0, 1]).tolist()
            [0.25, 0.25]
        """
        _, found = self._answered(images, classes, self.programs.scoring, None)
        return found["probabilities"].numpy()

    @property
    def keeps_sign(self) -> bool:
        """Whether heatmaps hold evidence against the target too, as negative values."""
        normalize = self.programs.recipe.normalize
        return normalize == "signed" or (normalize == "none" and self.method.signed)

    @property
    def scales(self) -> bool:
        """Whether heatmaps are scaled; not with `normalize="none"`."""
        return self.programs.recipe.normalize != "none"


def check_explainer(explainer: Any, hint: str = "") -> None:
    """Raise a TypeError if it is no explainer.

    Args:
        explainer: What a user gave.
        hint: What else is to be said then.
    """
    if not isinstance(explainer, Explainer):
        raise TypeError(
            f"explainer must be an explainer such as GradCAM(model), not {brief(explainer)}{hint}"
        )
