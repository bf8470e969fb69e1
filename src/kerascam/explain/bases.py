"""What the named classes of one kind have in common: how they are made."""

from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from .._types import Target
from ..maps import Normalization
from ..registry import METHODS
from .documentation import document
from .explainer import Explainer


class NamedExplainer(Explainer):
    """An explainer that is bound to a method, and documented in full."""

    _method: ClassVar[str]

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if "_method" in vars(cls):
            cls.__doc__ = document(cls, METHODS.registered(cls._method), Explainer)


class LayerExplainer(NamedExplainer):
    """An explainer whose method draws its maps on a layer's grid."""

    def __init__(
        self,
        model: keras.Model,
        layer: Any = None,
        *,
        target: Target | None = None,
        output: int | str | None = None,
        call_index: int | None = None,
        normalize: Normalization = "max",
        class_names: Sequence[str] | None = None,
        grid: tuple[int, int] | None = None,
        freeze: bool = False,
    ) -> None:
        super().__init__(
            model,
            self._method,
            layer,
            target=target,
            output=output,
            call_index=call_index,
            normalize=normalize,
            class_names=class_names,
            grid=grid,
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
        normalize: Normalization = "max",
        class_names: Sequence[str] | None = None,
        freeze: bool = False,
    ) -> None:
        super().__init__(
            model,
            self._method,
            target=target,
            output=output,
            normalize=normalize,
            class_names=class_names,
            freeze=freeze,
        )
