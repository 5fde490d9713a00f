from pytest_bdd import scenarios

from onc_conformance import suite

scenarios("g10", features_base_dir=str(suite.root() / "features"))
