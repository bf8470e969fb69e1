"""What a status says of an image's map: "ok", or why the map shows no evidence."""

#: By their codes, as a graph computes them.
STATUSES = (
    "ok",
    "no positive evidence",
    "zero gradient",
    "zero activations",
    "not finite",
    "evidence lost in scaling",
)
OK, NO_EVIDENCE, ZERO_GRADIENT, ZERO_ACTIVATIONS, NOT_FINITE, LOST = range(len(STATUSES))
