"""The command line, as ``python -m vulnlens`` or ``vulnlens``."""

from __future__ import annotations

import signal
import sys

from . import _native


def main() -> None:
    """Runs the command line, and ends with its exit code."""
    # Python turns Ctrl-C into an exception of its own. The command ends by the signal, as programs do.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_native.run_command(["vulnlens", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
