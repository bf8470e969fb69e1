"""What the named classes of one kind have in common: how they are made."""

from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from .._types import Target
from .explainer import Explainer


class LayerExplainer(Explainer):
    """An explainer whose method draws its maps on a layer's grid."""

    _method: ClassVar[str]

    def __init__(
        self,
        model: keras.Model,
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
            **options,
        )


class ImageExplainer(Explainer):
    """An explainer whose method draws its maps on the images themselves."""

    _method: ClassVar[str]

    def __init__(
        self,
        model: keras.Model,
        *,
        target: Target | None = None,
        output: int | str | None = None,
        normalize: str = "max",
        class_names: Sequence[str] | None = None,
        freeze: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(
            model,
            self._method,
            target=target,
            output=output,
            normalize=normalize,
            class_names=class_names,
            freeze=freeze,
            **options,
        )
