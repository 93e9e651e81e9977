"""`python -m diabetes.dataset`."""

import sys

from diabetes.dataset.cli import main

sys.exit(main())
