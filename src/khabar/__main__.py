"""python -m khabar: the same as the command `khabar`."""

import sys

from khabar.cli import main

sys.exit(main())
