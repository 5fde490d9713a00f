"""`validate`: documents wherever they lie, judged one by one, side by side or by a cluster, and told in a format."""

from onc_conformance.batch.archives import MAX_DEPTH, Source
from onc_conformance.batch.expectation import Expectation, expectation
from onc_conformance.batch.sources import Sources
from onc_conformance.batch.validating import FORMATS, validate
from onc_conformance.batch.work import OutOfReach

__all__ = ["FORMATS", "MAX_DEPTH", "Expectation", "OutOfReach", "Source", "Sources", "expectation", "validate"]
