"""Figures from maps, to read and to print: a row a sample, with titles and colour bars."""

from .pictures import figure as figure
from .signals import signal_figure as signal_figure
from .volumes import volume_figure as volume_figure
