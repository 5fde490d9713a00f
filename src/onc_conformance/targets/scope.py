"""Which names a description may use where: a variable used before its capture is an error, found before any request."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from onc_conformance.targets.logins import AuthStep
from onc_conformance.targets.smart import LAUNCH_NAMES
from onc_conformance.targets.steps import Op, Request, Step
from onc_conformance.targets.target import PAGES, texts_within
from onc_conformance.targets.templates import parse
from onc_conformance.targets.terms import strings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from onc_conformance.targets.lines import Path
    from onc_conformance.targets.models import Description, Sign

PATIENT = ("id", "family", "given", "middle", "prefix", "suffix", "dob", "sex")
"""What `{patient.NAME}` offers."""
_ALWAYS = {"now", "uuid", *(f"patient.{name}" for name in PATIENT)}
_REQUEST = {f"req.{name}" for name in ("method", "path", "host", "body", "length")}
_RESERVED = {"now", "uuid", "category", "signature"}
_BODIES = {"form": "form", "body": "json"}


class Problem(Exception):  # noqa: N818 - becomes a UsageError with file and line
    """What is wrong with a description, and the path of the key."""

    def __init__(self, path: Path, message: str) -> None:
        self.path = path
        super().__init__(message)


def templates(request: Request) -> Iterator[tuple[Path, str]]:
    """Every template of a request with its place, `let` first, as they are evaluated."""
    yield from _tabled("let", request.let)
    if isinstance(request, AuthStep):
        yield from (((key,), text) for key, text in request.credentials)
    yield ("url",), request.url
    for name in ("query", "headers", "form"):
        yield from _tabled(name, getattr(request, name) or {})
    if request.json_ is not None:
        yield from ((("json",), text) for text in strings(request.json_))
    for name in ("xml", "raw"):
        if (text := request.body(name)) is not None:
            yield (name,), text


def applied(description: Description) -> Iterator[tuple[Path, str]]:
    """Every template of [auth.apply] with its place."""
    for name in ("headers", "cookies", "query", "form", "body", "xml"):
        yield from _tabled(name, getattr(description.auth.apply, name))


def signing(sign: Sign) -> Iterator[tuple[Path, str]]:
    """Every template of a [sign.NAME] with its place."""
    yield ("key",), sign.key
    for index, (_, value) in enumerate(sign.parts):
        yield ("parts", index), value
    yield from _tabled("set_headers", sign.set_headers)


def used(description: Description, request: Request, *, with_apply: bool) -> set[str]:
    """Every name a request depends on, through `let`, [vars], [auth.apply] and its signature."""
    texts = [text for _, text in templates(request)]
    texts += [pattern for place in request.capture.values() for pattern in place.where.values()]
    if with_apply:
        texts += [text for _, text in applied(description)]
    if request.sign and request.sign in description.sign:
        texts += [text for _, text in signing(description.sign[request.sign])]
    names: set[str] = {request.foreach} if isinstance(request, Step) and request.foreach else set()
    while texts:
        new = set(parse(texts.pop()).names) - names
        names |= new
        texts += [description.vars[name] for name in new if name in description.vars]
    return names


def check(description: Description) -> None:
    """Raise Problem for the first thing that cannot work."""
    _Check(description).run()


def _tabled(name: str, table: dict[str, str]) -> Iterator[tuple[Path, str]]:
    return (((name, key), text) for key, text in table.items())


class _Check:
    def __init__(self, description: Description) -> None:
        self.description = description
        self.bases = {f"base.{name}" for name in description.target.base}
        self.lists: set[str] = set()

    def run(self) -> None:
        description = self.description
        for path, text in _tabled("base", description.target.base):
            self.names(("target", *path), text, set(), only_env=True)
        for path, text in self.documentation():
            self.names(("documentation", *path), text, set(), only_env=True)
        if description.fhir and description.fhir.base not in description.target.base:
            raise Problem(("fhir", "base"), f"target.base has no {description.fhir.base}")
        self.launches()
        self.launched()
        for name in description.vars:
            self.acyclic(name, ())
        login = self.requests(("auth", "step"), description.auth.step, set())
        self.session(login)
        ops = description.ops
        selected = login | self.op("select_patient", ops.select_patient, login)
        if ops.select_patient and ops.select_patient.plugin:
            selected |= {"pat_id"}
        if "pat_id" not in selected:
            how = "ops.select_patient" if description.selection.kind == "search" else "an auth step"
            raise Problem(("selection", "kind"), f"no step captures pat_id, the patient's id; expected it in {how}")
        listed = self.op("list_encounters", ops.list_encounters, selected)
        self.categories(listed)
        dates = {description.dates.start, description.dates.end} if description.dates.as_ == "var" else set()
        self.op("category", ops.category, selected | dates | {"category", "encounter_id"}, listed)
        self.op("all_data", ops.all_data, selected | dates, listed)
        self.negatives(selected)

    def documentation(self) -> Iterator[tuple[Path, str]]:
        table = self.description.documentation
        return (((key,), text) for key in PAGES if (text := getattr(table, key)) is not None)

    def launches(self) -> None:
        """The pages of a login know the launch; all else of [smart] and [bulk] goes by the environment alone."""
        smart, bulk = self.description.smart, self.description.bulk
        for name, table in (("smart", smart), ("bulk", bulk)):
            if table and self.description.fhir is None:
                raise Problem((name,), "there is no [fhir] that apps could be authorized for")
            for path, text in texts_within(
                table.model_dump(by_alias=True, exclude_unset=True) if table else {}, (name,)
            ):
                on_page = (
                    path[:2] == ("smart", "login") and path[3:4] in {("page",), ("step",)} and "fields" not in path
                )
                self.names(path, text, set(LAUNCH_NAMES) if on_page else set(), only_env=not on_page)
        verify = self.description.target.tls_verify
        if isinstance(verify, str):
            self.names(("target", "tls_verify"), verify, set(), only_env=True)

    def launched(self) -> None:
        """Whether [smart] has the app and the login of each step that launches one."""
        smart = self.description.smart
        for index, step in enumerate(self.description.auth.step):
            if step.kind != "smart" or step.client is None or step.login is None:
                continue
            if smart is None or getattr(smart.client, step.client) is None:
                raise Problem(("auth", "step", index, "client"), f"there is no [smart.client.{step.client}]")
            if step.login not in smart.login:
                raise Problem(("auth", "step", index, "login"), f"there is no [smart.login.{step.login}]")

    def acyclic(self, name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise Problem(("vars", name), f"refers to itself by way of {' -> '.join((*above, name))}")
        for inner in parse(self.description.vars[name]).names:
            if inner in self.description.vars:
                self.acyclic(inner, (*above, name))

    def session(self, login: set[str]) -> None:
        for path, text in applied(self.description):
            self.names(("auth", "apply", *path), text, login)

    def categories(self, listed: set[str]) -> None:
        wanting = [name for name, entry in self.description.categories.items() if entry.scope == "encounter"]
        if ops_list := self.description.ops.list_encounters:
            listed |= {"encounter_ids"} if ops_list.plugin else set()
            self.lists |= {"encounter_ids"} if ops_list.plugin else set()
        if wanting and "encounter_ids" not in listed & self.lists:
            message = 'scope = "encounter" needs ops.list_encounters to capture encounter_ids with pick = "all"'
            raise Problem(("categories", wanting[0], "scope"), message)
        if self.description.categories and self.description.ops.category is None:
            raise Problem(("categories",), "there is no ops.category to ask for them with")

    def op(self, name: str, op: Op | None, known: set[str], lists: Iterable[str] = ()) -> set[str]:
        if op is None:
            return set()
        if op.plugin:
            return set()
        path = ("ops", name, "step")
        with_document = [index for index, step in enumerate(op.step) if step.document]
        if name in {"category", "all_data"} and with_document != [len(op.step) - 1]:
            raise Problem((*path, len(op.step) - 1), "the last step, and no other, says where the document is")
        if name in {"select_patient", "list_encounters"} and with_document:
            raise Problem((*path, with_document[0], "document"), f"{name} yields no document; expected capture")
        found = self.requests(path, op.step, known, set(lists))
        self.dated(path, op)
        return found

    def dated(self, path: Path, op: Op) -> None:
        dates = self.description.dates
        for index, step in enumerate(op.step):
            body = _BODIES.get(dates.as_)
            takes = step.dates if step.dates is not None else step.document is not None
            if dates.style != "none" and takes and body and step.body(body) is None:
                message = f'dates.as = "{dates.as_}" puts the dates into {body}, which this step has not'
                raise Problem((*path, index), message)

    def requests(
        self, path: Path, steps: Iterable[Request], known: set[str], lists: set[str] | None = None
    ) -> set[str]:
        """Check steps in order; the names they capture."""
        captured: set[str] = set()
        for index, step in enumerate(steps):
            here = (*path, index)
            names = known | captured
            if isinstance(step, Step) and step.foreach and step.as_:
                if step.foreach not in self.lists & (names | (lists or set())):
                    message = f'{step.foreach!r} is no list captured before; expected a capture with pick = "all"'
                    raise Problem((*here, "foreach"), message)
                names = names | {step.as_}
            for place, text in templates(step):
                self.names((*here, *place), text, names)
                if place[0] == "let":
                    names = names | {self.free((*here, *place), str(place[1]))}
            self.sign(here, step, names)
            for name, wanted in (step.captures if isinstance(step, AuthStep) else step.capture).items():
                for field, text in wanted.where.items():
                    self.names((*here, "capture", name, "where", field), text, names)
                captured.add(self.free((*here, "capture", name), name))
                if wanted.pick == "all":
                    self.lists.add(name)
        return captured

    def free(self, path: Path, name: str) -> str:
        if name in _RESERVED or name in self.description.vars:
            raise Problem(path, f"{name!r} means something else already; choose another name")
        return name

    def sign(self, path: Path, step: Request, known: set[str]) -> None:
        if step.sign is None:
            return
        if step.sign not in self.description.sign:
            found = ", ".join(self.description.sign) or "none"
            raise Problem((*path, "sign"), f"there is no [sign.{step.sign}]; found {found}")
        sign = self.description.sign[step.sign]
        where = ("sign", step.sign)
        parts = {"part.names"}
        self.names((*where, "key"), sign.key, known)
        for index, (name, value) in enumerate(sign.parts):
            self.names((*where, "parts", index), value, known | parts | _REQUEST)
            parts.add(f"part.{name}")
        for name, value in sign.set_headers.items():
            self.names((*where, "set_headers", name), value, known | parts | _REQUEST | {"signature"})

    def names(self, path: Path, text: str, known: set[str], *, only_env: bool = False) -> None:
        """Check every name of a template, through [vars]."""
        for name in parse(text).names:
            if name.startswith("env.") and "." not in name[4:]:
                continue
            if not only_env and name in self.description.vars:
                self.names(path, self.description.vars[name], known)
                continue
            allowed = set() if only_env else known | _ALWAYS | self.bases
            if name not in allowed:
                raise Problem(path, self.unknown(name, allowed, only_env=only_env))
            if name in self.lists and name in known:
                raise Problem(path, f"{{{name}}} is a list; use it with foreach")

    def unknown(self, name: str, allowed: set[str], *, only_env: bool) -> str:
        if only_env:
            return f"{{{name}}} cannot be used here; expected {{env.NAME}}"
        ops: list[list[Request]] = [list(op.step) for op in self.all_ops()]
        logins: list[Request] = list(self.description.auth.step)
        somewhere = {captured for steps in (logins, *ops) for step in steps for captured in step.capture}
        if name in somewhere:
            return f"{{{name}}} is used before its capture"
        near = get_close_matches(name, [*allowed, *self.description.vars], n=1)
        hint = f"did you mean {{{near[0]}}}?" if near else "capture it in an earlier step, or put it into [vars]"
        return f"nothing is called {{{name}}} here; {hint}"

    def all_ops(self) -> list[Op]:
        ops = self.description.ops
        return [op for op in (ops.select_patient, ops.list_encounters, ops.category, ops.all_data) if op]

    def negatives(self, known: set[str]) -> None:
        for index, negative in enumerate(self.description.negative):
            path: Path = ("negative", index)
            steps = steps_of(self.description, negative.op)
            if not steps and mutated_step(self.description, negative.op, set()) is None:
                raise Problem((*path, "op"), f"there is no ops.{negative.op}")
            for name, text in negative.mutate.set.items():
                self.names((*path, "mutate", "set", name), text, known)
            for name in (*negative.mutate.set, *negative.mutate.unset):
                if mutated_step(self.description, negative.op, {name}) is None:
                    raise Problem((*path, "mutate"), f"no step of {negative.op} uses {name!r}")


def steps_of(description: Description, op: str) -> list[Request]:
    """The requests behind an operation; selecting with bound credentials is logging in."""
    found: Any = getattr(description.ops, op)
    if found is None:
        return list(description.auth.step) if op == "select_patient" else []
    return list(found.step)


def mutated_step(description: Description, op: str, names: set[str]) -> int | None:
    """The last step of an operation that depends on any of `names`; with none given, the last. A plugin's is 0."""
    if (found := getattr(description.ops, op)) is not None and found.plugin:
        return 0
    steps = steps_of(description, op)
    with_apply = getattr(description.ops, op) is not None
    for index in range(len(steps) - 1, -1, -1):
        uses = used(description, steps[index], with_apply=with_apply)
        uses |= {name.removeprefix("env.") for name in uses}
        if not names or names & uses or ("signature" in names and steps[index].sign):
            return index
    return None
