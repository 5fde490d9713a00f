"""Lines out of pieces, however they are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onc_conformance.bulk.lines import Lines
from onc_conformance.transport import Halt


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line)), st.lists(st.integers(1, 30)))
def test_however_the_bytes_are_cut_the_lines_are_the_same(lines, cuts):
    data = b"".join(line + b"\n" for line in lines) + b"the rest"
    cutter, found, at = Lines(1000), [], 0
    for cut in cuts:
        found += cutter(data[at : at + cut])
        at += cut
    found += cutter(data[at:])
    assert found == lines
    assert cutter.rest() == b"the rest"


def test_a_line_that_does_not_end_in_time_is_not_waited_for():
    cutter = Lines(10)
    assert list(cutter(b"short\nlonger li")) == [b"short"]
    with pytest.raises(Halt, match="longer than 10 bytes"):
        list(cutter(b"ne"))


def test_a_long_line_that_has_ended_is_a_line():
    assert list(Lines(10)(b"a line of more than ten bytes\n")) == [b"a line of more than ten bytes"]
