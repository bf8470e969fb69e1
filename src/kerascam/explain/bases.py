"""What the named classes of one kind have in common: how they are made."""

import inspect
from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from .._types import Target
from ..maps import Normalization
from ..placement import Place
from ..registry import METHODS
from .documentation import document
from .explainer import Explainer
from .options import check_arguments


class NamedExplainer(Explainer):
    """An explainer that is bound to a method, and documented in full."""

    _method: ClassVar[str]
    __signature__: ClassVar[inspect.Signature]

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        signature = inspect.signature(cls.__init__)
        cls.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])
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


class LayerExplainer(NamedExplainer):
    """An explainer whose method draws its maps on a layer's grid."""

    def __init__(
        self,
        model: keras.Model,
        layer: Any = None,
        *,
        target: Target | None = None,
        output: int | str | None = None,
        input: int | str | None = None,
        call_index: int | None = None,
        normalize: Normalization = "max",
        class_names: Sequence[str] | None = None,
        grid: tuple[int, int] | None = None,
        place: Place = "stretch",
        axes: str | None = None,
        freeze: bool = False,
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
        )


class ImageExplainer(NamedExplainer):
    """An explainer whose method draws its maps on the images themselves."""

    def __init__(
        self,
        model: keras.Model,
        *,
        target: Target | None = None,
        output: int | str | None = None,
        input: int | str | None = None,
        normalize: Normalization = "max",
        class_names: Sequence[str] | None = None,
        axes: str | None = None,
        layer: Any = None,
        freeze: bool = False,
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
        )
