import base64
import gzip
import io
import json
import zipfile

import pytest

from onc_conformance.targets import decode as module
from onc_conformance.targets.decode import DecodeError, decode

XML = "<a>é</a>"


def zipped(**files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "/") + ".xml", content)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "steps", "result"),
    [
        (XML, [], [XML.encode()]),
        (b"\xef\xbb\xbf<a/>", ["strip_bom", "utf8"], [b"<a/>"]),
        ("\ufeff<a/>", ["strip_bom"], [b"<a/>"]),
        (b"<a>\xe9</a>", ["strip_bom", "utf8"], [b"<a>\xe9</a>"]),
        (base64.b64encode(XML.encode()), ["base64"], [XML.encode()]),
        (base64.urlsafe_b64encode(b"\xfb\xff").decode().rstrip("="), ["base64"], [b"\xfb\xff"]),
        ("PGE+\r\nPC9hPg==\n", ["base64"], [b"<a></a>"]),
        (json.dumps(XML), ["json_string"], [XML.encode()]),
        ("&lt;a&gt;é&lt;/a&gt;", ["xml_unescape"], [XML.encode()]),
        (gzip.compress(XML.encode(), mtime=0), ["gzip"], [XML.encode()]),
        (zipped(a_1="one", b="two", a_2="three"), ["zip:a/*.xml"], [b"one", b"three"]),
        (b'<r xmlns="urn:x"><b/><ClinicalDocument>1</ClinicalDocument>t</r>', ["xml_child:ClinicalDocument"],
         [b'<ClinicalDocument xmlns="urn:x">1</ClinicalDocument>']),
        (base64.b64encode(gzip.compress(b"\xef\xbb\xbfx", mtime=0)), ["base64", "gzip", "strip_bom"], [b"x"]),
    ],
)  # fmt: skip
def test_a_document_is_taken_out_of_its_wrappings(data, steps, result):
    assert decode(data, steps) == result


def test_a_text_is_written_in_the_encoding_its_declaration_promises():
    text = '<?xml version="1.0" encoding="{}"?><a>é\N{SNOWMAN}</a>'
    assert decode(text.format("ISO-8859-1"), []) == [
        text.format("ISO-8859-1").replace("☃", "&#9731;").encode("latin-1")
    ]
    assert decode(text.format("utf-16"), [])[0].decode("utf-16") == text.format("utf-16")
    assert decode(text.format("nosuch"), []) == [text.format("nosuch").encode()]


@pytest.mark.parametrize(
    ("data", "step"),
    [
        ("no base64!", "base64"),
        (b"\xff", "base64"),
        ("{}", "json_string"),
        ("no json", "json_string"),
        (b"no gzip", "gzip"),
        (gzip.compress(b"x" * 100, mtime=0)[:-8], "gzip"),
        (b"no zip", "zip:*"),
        (zipped(a="x"), "zip:*.txt"),
        ("no xml", "xml_child:a"),
        ("<b/>", "xml_child:a"),
    ],
)
def test_what_is_not_wrapped_as_described_is_said_so(data, step):
    with pytest.raises(DecodeError, match=f"^{step.partition(':')[0]}"):
        decode(data, [step])


def test_a_bomb_is_not_unpacked(monkeypatch):
    monkeypatch.setattr("onc_conformance.targets.decode._LARGEST", 1000)
    with pytest.raises(DecodeError, match="larger than"):
        decode(gzip.compress(b"0" * 2000), ["gzip"])
    with pytest.raises(DecodeError, match="larger than"):
        decode(zipped(a="0" * 2000), ["zip:*"])


@pytest.mark.parametrize("files", [1, 5])
def test_a_zip_is_unpacked_no_further_than_an_answer_may_be(files, monkeypatch):
    monkeypatch.setattr(module, "_LARGEST", 1 << 20)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(files):
            archive.writestr(f"{number}.xml", bytes((1 << 20) // files + 9))
    with pytest.raises(DecodeError, match="zip: larger than 1 MB unpacked"):
        decode(packed.getvalue(), ["zip:*.xml"])
