from onc_conformance.access import sessions
from onc_conformance.access.sessions import Login


def test_nobody_is_logged_in_at_first():
    assert not Login().alive


def test_a_login_keeps_its_captures_until_it_is_forgotten():
    login = Login()
    login.complete({"sid": "1"}, ("0001",))
    assert login.alive
    assert (login.captures, login.exchanges) == ({"sid": "1"}, ("0001",))
    login.forget()
    assert not login.alive
    assert (login.captures, login.exchanges) == ({}, ())


def test_a_login_without_captures_is_one_all_the_same():
    login = Login()
    login.complete({}, ())
    assert login.alive


def test_a_login_is_not_trusted_longer_than_it_lives(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(sessions.time, "monotonic", lambda: now[0])
    login = Login(ttl_s=10)
    login.complete({"sid": "1"}, ())
    now[0] = 109.0
    assert login.alive
    now[0] = 110.0
    assert not login.alive
