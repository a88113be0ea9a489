"""Executes the blocks of CONTRIBUTING.md marked `region` in a copy of the tree.

usage: region.py COPY ROOT     the programs are those of ROOT/usr/bin
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "deploy"))
from runbook import Runbook  # noqa: E402

Runbook(sys.argv[1], sys.argv[2], "CONTRIBUTING.md").execute("region", None, 3)
