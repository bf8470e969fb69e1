from .coco import coco_masks as coco_masks
from .fiftyone import fiftyone_samples as fiftyone_samples
from .png import write_heatmaps as write_heatmaps
from .quantus import quantus_explain_func as quantus_explain_func
from .trackers import track_survey as track_survey
from .virelay import write_virelay as write_virelay

__all__: list[str]
