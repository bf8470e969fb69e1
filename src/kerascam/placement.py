"""The ways to place the cells of a layer; no library is needed to know them."""

from typing import Literal, TypeAlias

#: Where the cells of a layer are drawn: each on its part of the image, or where it looks in effect.
Place: TypeAlias = Literal["stretch", "effective"]
