"""Figures from maps, to read and to print: one row per sample, with titles and colour bars."""

from .frames import frames_figure as frames_figure
from .pictures import as_many as as_many
from .pictures import figure as figure
from .pictures import stacked as stacked
from .pictures import to_photos as to_photos
from .sheet import sheet as sheet
from .signals import signal_figure as signal_figure
from .unit import brightened as brightened
from .unit import in_unit as in_unit
from .volumes import volume_figure as volume_figure
from .words import tokens_of as tokens_of
from .words import word_figure as word_figure
