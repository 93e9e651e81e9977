"""`python -m diabetes_dataset`."""

import sys

from diabetes_dataset.cli import main

sys.exit(main())
