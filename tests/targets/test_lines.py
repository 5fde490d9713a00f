import tomllib

import pytest

from onc_conformance.targets.lines import key_lines, line_of

EVERYTHING = '''# a comment with [brackets] and = signs
title = "x # no comment"
[target]
id = 'a'   # comment
base.cgi = "u"
base."quo.ted" = "v"

[[auth.step]]
url = "one"
capture.sid = { from = "cookie", path = "/x]}/" }
[[auth.step]]
url = """two
lines ] = {
"""
form = { a = "1", b = { c = 2 } }
[auth.step.capture.late]
from = "json"
[sign.eyw]
parts = [
  ["host", "{req.host}"], # first
  [
    "date", 1979-05-27T07:32:00Z ],
]
numbers = [1, 2.5,
  -3]
[[error]]
class = \'\'\'auth\'\'\'
status = [401]
[[error]]
json = { "$.meta.status" = "!/^2/" }
[ spaced . out ]
"dotted"."key" = true
'''

WHERE = {
    ("title",): 2,
    ("target",): 3,
    ("target", "id"): 4,
    ("target", "base"): 5,
    ("target", "base", "cgi"): 5,
    ("target", "base", "quo.ted"): 6,
    ("auth", "step"): 8,
    ("auth", "step", 0): 8,
    ("auth", "step", 0, "url"): 9,
    ("auth", "step", 0, "capture", "sid", "path"): 10,
    ("auth", "step", 1): 11,
    ("auth", "step", 1, "url"): 12,
    ("auth", "step", 1, "form", "b", "c"): 15,
    ("auth", "step", 1, "capture", "late", "from"): 17,
    ("sign", "eyw", "parts"): 19,
    ("sign", "eyw", "parts", 0, 1): 20,
    ("sign", "eyw", "parts", 1): 21,
    ("sign", "eyw", "parts", 1, 1): 22,
    ("sign", "eyw", "numbers", 2): 25,
    ("error", 0, "class"): 27,
    ("error", 1): 29,
    ("error", 1, "json", "$.meta.status"): 30,
    ("spaced", "out"): 31,
    ("spaced", "out", "dotted", "key"): 32,
}


@pytest.mark.parametrize("path", WHERE, ids=lambda path: ".".join(map(str, path)))
def test_a_key_is_found_in_whatever_form_it_is_written(path):
    assert key_lines(EVERYTHING)[path] == WHERE[path]


def test_every_path_of_the_file_has_a_line():
    def paths(value, path=()):
        yield path
        inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in inner:
            yield from paths(item, (*path, key))

    lines = key_lines(EVERYTHING)
    assert [path for path in paths(tomllib.loads(EVERYTHING)) if path and path not in lines] == []


def test_what_is_not_there_is_looked_for_where_it_should_stand():
    lines = key_lines(EVERYTHING)
    assert line_of(lines, ("auth", "step", 1, "method")) == 11
    assert line_of(lines, ("nowhere",)) is None
