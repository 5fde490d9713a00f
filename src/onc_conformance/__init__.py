"""Conformance suite for ONC's API criteria, 45 CFR 170.315(g)(7)-(g)(10)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    __version__: str


def __getattr__(name: str) -> str:
    # Metadata are looked up when asked for: most commands never say their version, and looking takes 50 ms
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("onc-conformance")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "0+checkout"
