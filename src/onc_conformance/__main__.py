"""`python -m onc_conformance` is the command."""

import sys

from onc_conformance.cli import main

sys.exit(main())
