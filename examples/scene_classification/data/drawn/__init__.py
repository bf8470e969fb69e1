"""Drawn scenes: pictures of the six classes with a mask of the evidence in each."""

from scene_classification.data.drawn.folder import UNLABELLED, write_drawn_scenes
from scene_classification.data.drawn.scene import Scene, draw_scene

__all__ = ["UNLABELLED", "Scene", "draw_scene", "write_drawn_scenes"]
