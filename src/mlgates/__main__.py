"""`python -m mlgates` is the command `mlgates`."""

from mlgates.cli import main

if __name__ == "__main__":
    main()
