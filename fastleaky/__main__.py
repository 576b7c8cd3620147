"""``python -m fastleaky``: see cli/main.py."""

import sys

from fastleaky.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
