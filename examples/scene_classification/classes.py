"""The six classes of the Intel scene data set, in the order of the model's outputs."""

CLASSES = ("buildings", "forest", "glacier", "mountain", "sea", "street")
