"""`python -m scene_classification`."""

import sys

from scene_classification.cli import main

sys.exit(main())
