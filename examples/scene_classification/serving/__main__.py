"""`python -m scene_classification.serving`."""

import sys

from scene_classification.serving.command import main

sys.exit(main())
