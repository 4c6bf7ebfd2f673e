"""The measurements; `tests/bench/run` starts them. Standard library only."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/doubles"))
