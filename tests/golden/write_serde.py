"""Write the golden file of this release: `python -m tests.golden.write_serde`.

A file that exists is never written again.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import lgckpt.core
from lgckpt.serde import CODECS, Serializer
from tests.golden.values import values

FOLDER = Path(__file__).parent / "serde"


def main() -> None:
    """Write every value, plain and compressed."""
    path = FOLDER / f"{lgckpt.core.core.__version__}.json"
    rows = []
    for name, value in values().items():
        for codec in (None, *CODECS):
            tag, data = Serializer(codec).dumps_typed(value)
            if codec is None or tag.endswith(codec):
                rows.append([name, tag, base64.b64encode(data).decode()])
    with path.open("x") as file:
        json.dump(rows, file, indent=0)
        file.write("\n")


if __name__ == "__main__":
    main()
