"""Conformance suite for ONC's API criteria, 45 CFR 170.315(g)(7)-(g)(10)."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("onc-conformance")
except PackageNotFoundError:  # run from a checkout that was never installed
    __version__ = "0+checkout"
