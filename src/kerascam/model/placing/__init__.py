"""Where the cells of a layer lie on the image, found by arithmetic through the traced graph.

`atoms` is the language: what each axis of a tensor runs along. `layouts` reads a graph in it, by
the rules of `movements`, `joins`, `blocks`, `products` and `windows`. `cells` turns what it found
for a layer into the axes of a heatmap and the window of the image that it covers.
"""

from .atoms import Atom, Layout
from .cells import Cells, cells_of
from .joins import side_by_side
from .layouts import ELEMENTWISE, HANDING_ON, Layouts, layouts_of
from .rules import UNKNOWN, Known

__all__ = [
    "ELEMENTWISE",
    "HANDING_ON",
    "UNKNOWN",
    "Atom",
    "Cells",
    "Known",
    "Layout",
    "Layouts",
    "cells_of",
    "layouts_of",
    "side_by_side",
]
