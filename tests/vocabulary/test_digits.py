"""Check digits agree with computations made another way."""

from hypothesis import given
from hypothesis import strategies as st

from onc_conformance.vocabulary import digits, snomed

numbers = st.text("0123456789", min_size=1, max_size=25)


def by_the_book(number):
    """Luhn as ISO/IEC 7812-1 puts it: double every other digit from the right, add the digits of the products."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(number[::-1])]
    return sum(int(digit) for value in doubled for digit in str(value)) % 10 == 0


def multiplied(a, b):
    """The dihedral group D5: rotations 0 to 4, reflections 5 to 9."""
    if a < 5:
        return (a + b) % 5 if b < 5 else 5 + (a + b - 5) % 5
    return 5 + (a - 5 - b) % 5 if b < 5 else (a - b) % 5


def dihedral(number):
    """Verhoeff out of the group and powers of one permutation, without tables of products."""
    once = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
    check = 0
    for place, digit in enumerate(number[::-1]):
        value = int(digit)
        for _ in range(place % 8):
            value = once[value]
        check = multiplied(check, value)
    return check == 0


@given(numbers)
def test_luhn_agrees(number):
    assert digits.luhn(number) is by_the_book(number)


@given(numbers)
def test_verhoeff_agrees(number):
    assert digits.verhoeff(number) is dihedral(number)


@given(numbers)
def test_exactly_one_digit_completes_a_number(number):
    assert sum(digits.luhn(number + digit) for digit in "0123456789") == 1
    assert sum(digits.verhoeff(number + digit) for digit in "0123456789") == 1


@given(st.text("0123456789", min_size=2, max_size=18), st.data())
def test_verhoeff_sees_a_wrong_digit_and_neighbours_exchanged(number, data):
    whole = next(number + digit for digit in "0123456789" if digits.verhoeff(number + digit))
    place = data.draw(st.integers(0, len(whole) - 2))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != whole[place]]))
    assert not digits.verhoeff(whole[:place] + other + whole[place + 1 :])
    exchanged = whole[:place] + whole[place + 1] + whole[place] + whole[place + 2 :]
    assert exchanged == whole or not digits.verhoeff(exchanged)


def test_an_npi_is_ten_digits_under_its_prefix():
    assert digits.npi("1234567893")
    assert not digits.npi("1234567897")
    assert not digits.npi("12345678938")
    assert not digits.npi("9234567893")
    assert not digits.npi("123456789٣")


@given(st.text(max_size=60))
def test_any_text_gets_an_answer(text):
    assert snomed.objection(text) is None or isinstance(snomed.objection(text), str)
    assert digits.npi(text) in {True, False}


def test_a_concept_is_told_from_what_is_none():
    assert snomed.objection("77176002") is None
    assert snomed.objection("446151000124109") is None
    assert "check digit" in snomed.objection("77176003")
    assert "description" in snomed.objection("1234011")
    assert "relationship" in snomed.objection("1234024")
    assert "begin with 0" in snomed.objection("077176002")
    assert "6 to 18" in snomed.objection("1" * 19)
    assert "namespace" in snomed.objection("1234105")
    assert "partition" in snomed.objection(next(f"1234565{n}" for n in range(10) if digits.verhoeff(f"1234565{n}")))


def test_an_expression_is_as_good_as_its_concepts():
    good = "284196006 |Burn of skin| : 363698007 |Finding site| = 113179006"
    assert snomed.objection(good) is None
    assert "check digit" in snomed.objection(good.replace("113179006", "113179007"))
    assert "names at least one concept" in snomed.objection("a = b")
    assert snomed.objection("(" * 20_000) is not None
