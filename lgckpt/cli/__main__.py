"""The entry point of `lgckpt` and of `python -m lgckpt.cli`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, if what draws it is installed."""
    try:
        from lgckpt.cli.app import invoke  # noqa: PLC0415 - typer may be absent
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] not in ("typer", "rich", "click"):
            raise
        sys.stderr.write("lgckpt: the command line needs an extra: pip install 'lgckpt[cli]'\n")
        sys.exit(2)
    sys.exit(invoke(sys.argv[1:]))


if __name__ == "__main__":
    main()
