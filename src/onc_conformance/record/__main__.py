"""`python -m onc_conformance.record > schemas/record.schema.json` after the form of a record has changed."""

import json
import sys

from onc_conformance.record import schema

json.dump(schema(), sys.stdout, indent=2)
sys.stdout.write("\n")
