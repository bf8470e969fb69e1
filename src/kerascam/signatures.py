"""The names under which a model server takes images and answers: who exports and who asks agree.

A signature is one function of an exported model. Every tensor has the batch as its first axis, so
that a server may answer row by row.
"""

#: Images as the model takes them, to its predictions; what a server runs by default.
PREDICT = "serving_default"
#: Images as the model takes them, to its predictions and their explanation.
EXPLAIN = "explain"
#: Any numbers, to the manifest, once for each: what was exported.
MANIFEST = "manifest"
#: Appended to PREDICT and EXPLAIN: the same for encoded files, JPEG, PNG or WebP of any size.
BYTES = "_bytes"

# What a request holds. A model of several inputs has their own names instead of IMAGE.
IMAGE = "image"  # (batch, *size, channels), as the model takes it
IMAGE_BYTES = "image_bytes"  # (batch,) encoded files
CLASS_INDEX = "class_index"  # (batch,) int32, or one for all: -1 asks for the predicted class
INDEX = "index"  # (batch,) int32 of any value, for MANIFEST

# What every answer holds.
PROBABILITIES = "probabilities"  # (batch, [*grid,] classes); of the last softmax or sigmoid
OUTPUTS = "outputs"  # (batch, ...) instead of PROBABILITIES if the model returns none
MANIFEST_ID = "manifest_id"  # (batch,) text: which manifest tells of this answer
# CLASS_INDEX: (batch,) int32, the predicted class, or the one that was asked for
CLASS_NAME = "class_name"  # (batch,) text, if class names were given at export

# What an explanation adds.
PROBABILITY = "probability"  # (batch,) of the explained class; NaN if the model returns none
SCORE = "score"  # (batch,) the target's value, by default the class's logit
STATUS = "status"  # (batch,) "ok", or why the map shows no evidence
HEATMAP = "heatmap"  # (batch, *size) on the images' grid
MAP = "map"  # (batch, *grid), on request; MAP_0, MAP_1, ... if several layers are fused
OVERLAY_BYTES = "overlay_bytes"  # (batch,) PNG files, as large as the photographs up to a limit

#: Where the requests are, below a version's folder, that a server asks itself when it loads it.
WARM_UP_REQUESTS = "assets.extra/tf_serving_warmup_requests"
#: What servers count the versions of a model in.
HIGHEST_VERSION = 2**63 - 1

#: How many hexadecimal digits of the manifest's SHA-256 are its id.
ID_LENGTH = 16
