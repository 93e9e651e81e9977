"""`python -m amlocal`."""

from amlocal.cli import main

main()
