"""`python -m kamlab` is the command line."""

from kamlab.cli import main

main()
