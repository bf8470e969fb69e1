"""Where the cells of a layer lie on the image, found by arithmetic through the traced graph.

`atoms` is the language: what each axis of a tensor runs along. `layouts` reads a graph in it, by
the rules of `movements`, `joins`, `blocks`, `products` and `windows`. `cells` turns what it found
for a layer into the axes of a heatmap and the window of the image that it covers.
"""

from .atoms import Layout
from .cells import Cells, cells_of
from .layouts import Layouts, layouts_of
from .rules import UNKNOWN

__all__ = ["UNKNOWN", "Cells", "Layout", "Layouts", "cells_of", "layouts_of"]
