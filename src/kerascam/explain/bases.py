"""What the named classes of one kind have in common: how they are made."""

import inspect
from collections.abc import Sequence
from typing import Any, ClassVar, TypedDict

import keras

from .._types import Target, Unpack
from ..maps import Normalization
from ..placement import Place
from ..registry import METHODS
from .documentation import document
from .explainer import Explainer
from .options import check_arguments


class SharedArguments(TypedDict, total=False):
    """What every constructor takes by name, beside its method's options."""

    target: Target | None
    output: int | str | None
    input: int | str | None
    normalize: Normalization | None
    class_names: Sequence[str] | None
    axes: str | None
    freeze: bool


class ImageArguments(SharedArguments, total=False):
    """What the constructors of methods of the images take by name."""

    layer: Any


class LayerArguments(SharedArguments, total=False):
    """What the constructors of methods that look at layers take by name."""

    call_index: int | None
    grid: tuple[int, int] | None
    place: Place


def _whole_signature(made: type) -> inspect.Signature:
    """Return how a class is made, with what its constructor hands on written out.

    Args:
        made: The class. What its constructor takes as `**shared` or `**options` is replaced by the
            keyword-only parameters of the nearest class above that names them.
    """
    parameters: dict[str, inspect.Parameter] = {}
    for each in made.__mro__:
        if each is Explainer or "__init__" not in vars(each):
            continue
        own = list(inspect.signature(vars(each)["__init__"]).parameters.values())[1:]
        open_ended = [one for one in own if one.kind is one.VAR_KEYWORD]
        for one in own:
            if one.kind is not one.VAR_KEYWORD:
                parameters.setdefault(one.name, one)
        if not open_ended or open_ended[0].name == "options":
            break
    method = getattr(made, "_method", None)
    if method is not None and "normalize" in parameters:  # None is the method's own way
        usual = METHODS.registered(method).normalize
        parameters["normalize"] = parameters["normalize"].replace(default=usual)
    return inspect.Signature(list(parameters.values()))


class NamedExplainer(Explainer):
    """An explainer that is bound to a method, and documented in full."""

    _method: ClassVar[str]
    __signature__: ClassVar[inspect.Signature]

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        cls.__signature__ = whole = _whole_signature(cls)
        if "__init__" in vars(cls):  # who looks at the constructor itself sees the same
            taken = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
            vars(cls)["__init__"].__signature__ = whole.replace(
                parameters=[*taken, *whole.parameters.values()]
            )
        if "_method" in vars(cls):
            cls.__doc__ = document(cls, METHODS.registered(cls._method), Explainer)

    def __new__(cls, *arguments: Any, **named: Any) -> Any:
        """Refuse an argument that the constructor does not have, with what was likely meant."""
        others = {name: named[name] for name in named if name not in cls.__signature__.parameters}
        if others:
            of_layers = {
                name: others.pop(name, None) for name in ("layer", "call_index", "grid", "place")
            }
            check_arguments(METHODS[cls._method], of_layers, others)
        return super().__new__(cls)


class LayerExplainerWithOptions(NamedExplainer):
    """An explainer whose method draws its maps on a layer's grid, and has options of its own."""

    def __init__(
        self,
        model: keras.Model,
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
        super().__init__(
            model,
            self._method,
            layer,
            target=target,
            output=output,
            input=input,
            call_index=call_index,
            normalize=normalize,
            class_names=class_names,
            grid=grid,
            place=place,
            axes=axes,
            freeze=freeze,
            **options,
        )


class LayerExplainer(LayerExplainerWithOptions):
    """An explainer whose method draws its maps on a layer's grid."""

    def __init__(
        self, model: keras.Model, layer: Any = None, **shared: Unpack[LayerArguments]
    ) -> None:
        super().__init__(model, layer, **shared)


class ImageExplainerWithOptions(NamedExplainer):
    """An explainer whose method draws its maps on the images, and has options of its own."""

    def __init__(
        self,
        model: keras.Model,
        *,
        target: Target | None = None,
        output: int | str | None = None,
        input: int | str | None = None,
        normalize: Normalization | None = None,
        class_names: Sequence[str] | None = None,
        axes: str | None = None,
        layer: Any = None,
        freeze: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(
            model,
            self._method,
            target=target,
            output=output,
            input=input,
            normalize=normalize,
            class_names=class_names,
            axes=axes,
            layer=layer,
            freeze=freeze,
            **options,
        )


class ImageExplainer(ImageExplainerWithOptions):
    """An explainer whose method draws its maps on the images themselves."""

    def __init__(self, model: keras.Model, **shared: Unpack[ImageArguments]) -> None:
        super().__init__(model, **shared)


class WholeModelExplainerWithOptions(NamedExplainer):
    """As `ImageExplainerWithOptions`, of a method that runs the whole model: no layer is named."""

    def __init__(
        self,
        model: keras.Model,
        *,
        target: Target | None = None,
        output: int | str | None = None,
        input: int | str | None = None,
        normalize: Normalization | None = None,
        class_names: Sequence[str] | None = None,
        axes: str | None = None,
        freeze: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(
            model,
            self._method,
            target=target,
            output=output,
            input=input,
            normalize=normalize,
            class_names=class_names,
            axes=axes,
            freeze=freeze,
            **options,
        )
