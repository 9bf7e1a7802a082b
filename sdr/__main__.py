"""``python -m sdr`` is the same program as ``omsdr``."""

import sys

from sdr.cli import main

if __name__ == "__main__":
    sys.exit(main())
