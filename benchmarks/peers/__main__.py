"""Runs the comparison, prints it, and writes it into a page: see the package's own words."""

import argparse
import json
import sys
import time
from pathlib import Path

from . import asking, kinds, measuring, once, turns
from .cases import (
    FORWARD,
    LAYERS,
    MEASURED_IMAGES,
    MEASURING,
    METHODS,
    asking_cases,
    cases,
    measuring_cases,
)
from .page import SECTION, around, page, write


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="rounds of a case, at most")
    parser.add_argument(
        "--seconds", type=float, default=20, help="a case begins no round after this, beyond three"
    )
    parser.add_argument("--starts", type=int, default=3, help="fresh processes for the first call")
    parser.add_argument("--models", nargs="+", choices=LAYERS, default=list(LAYERS))
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--skip", nargs="+", choices=("times", "once", "kinds"), default=[])
    parser.add_argument(
        "--asking", action="store_true", help="only the methods that ask the model again"
    )
    parser.add_argument("--measuring", action="store_true", help="only the metrics")
    parser.add_argument(
        "--images", type=int, default=MEASURED_IMAGES, help="for --measuring, a multiple of 4"
    )
    parser.add_argument("--quick", action="store_true", help="few rounds, and MobileNetV2 alone")
    parser.add_argument("--json", type=Path, help="write all numbers here")
    parser.add_argument("--write", type=Path, help="a page with the markers of this benchmark")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.models, arguments.rounds, arguments.seconds = ["MobileNetV2"], 3, 0

    section, words, names = SECTION, page, turns.ALL
    if arguments.asking:
        section, words = asking.SECTION, asking.asking_page
    elif arguments.measuring:
        section, words = measuring.SECTION, measuring.measuring_page
        names = (FORWARD["keras"], *MEASURING)
    if arguments.write:
        around(arguments.write, section)  # raises now, and not when all is measured
    start = time.monotonic()
    chosen = [
        case
        for case in cases()
        if case.model in arguments.models and case.method in arguments.methods
    ]
    skip = arguments.skip
    if arguments.asking or arguments.measuring:
        chosen = asking_cases() if arguments.asking else measuring_cases(arguments.images)
        skip = ["once", "kinds"]
    times, reasons = ({}, {}) if "times" in skip else turns.measure(
        chosen, arguments.rounds, arguments.seconds, names
    )  # fmt: skip
    report = {
        "times": times,
        "reasons": reasons,
        "once": {} if "once" in skip else once.measure(arguments.starts),
        "kinds": {} if "kinds" in skip else kinds.measure(),
        "rounds": arguments.rounds,
        "starts": arguments.starts,
        "quick": arguments.quick,
        "minutes": (time.monotonic() - start) / 60,
        "command": " ".join(["python -m benchmarks.peers", *asked(sys.argv[1:])]),
    }
    if arguments.json:
        plain = report | {
            "times": [[*case, each] for case, each in times.items()],
            "reasons": [[*case, each] for case, each in reasons.items()],
        }
        arguments.json.write_text(json.dumps(plain, indent=1) + "\n")
    text = words(report)
    print(text)
    if arguments.write:
        write(arguments.write, text, section)


def asked(words: list[str]) -> list[str]:
    """Leave out where this run's numbers went."""
    places = [index for index, word in enumerate(words) if word in ("--json", "--write")]
    return [word for index, word in enumerate(words) if not {index, index - 1} & set(places)]


if __name__ == "__main__":
    main()
