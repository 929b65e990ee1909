"""``python -m confmig``."""

from confmig.cli import main

main()
