"""Starts the command line."""

import gc

# What is imported stays to the end: looking through it for garbage time and again takes a third of the start.
gc.disable()

from dispatcher.cli import main  # noqa: E402 - see above

gc.freeze()
gc.enable()

if __name__ == "__main__":
    main()
