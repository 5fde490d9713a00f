"""What tests of the judges share."""

import pytest
from tests.judging.people import People


@pytest.fixture
def people(tmp_path):
    """Records by id, and a writer of the document of any patients file text."""
    return People(tmp_path)
