"""One target under examination: its test patients, and every answer it gave, fetched once and judged many times."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from onc_conformance import judging, uscdi, windows
from onc_conformance.bulk.exports import Exports
from onc_conformance.bulk.service import Service
from onc_conformance.documentation import Page
from onc_conformance.exchange import Journal
from onc_conformance.fhir import tables
from onc_conformance.fhirwork import capability, sampling
from onc_conformance.fhirwork.asking import Got, Server
from onc_conformance.fhirwork.chart import Chart, whose
from onc_conformance.findings import Finding, Layer, NotApplicable, NotTested, OutOfTime, Severity
from onc_conformance.judging.inspection import Sheet, sheet
from onc_conformance.moments import Days
from onc_conformance.procedure import Edition
from onc_conformance.record import KINDS, Record
from onc_conformance.reply import Reply, Subject
from onc_conformance.smartwork.door import Smart
from onc_conformance.smartwork.launches import Chosen
from onc_conformance.smartwork.trials import Trials
from onc_conformance.targets import Answer, Client, Misuse, Session, Target
from onc_conformance.targets.client import Launched
from onc_conformance.targets.logins import AuthStep

DATED_PATIENTS = 2
"""Patients that each kind of request with dates is made for: a third shows nothing new."""


@dataclass
class Examination:
    """Asks one target on behalf of its test patients; nothing is asked twice unless a scenario means to."""

    target: Target
    journal: Journal
    records: Sequence[Record]
    edition: Edition
    used: list[str] = field(default_factory=list)
    """Ids of the exchanges the current scenario rests on."""
    sheets: list[Sheet] = field(default_factory=list)
    """What the current scenario leaves to a person's eyes."""
    _replies: dict[tuple[object, ...], Reply] = field(default_factory=dict)
    _pages: dict[str, Page] = field(default_factory=dict)
    _measurable: dict[tuple[str, str | None], bool] = field(default_factory=dict)
    _held: dict[tuple[str, str | None], Record] = field(default_factory=dict)
    _charts: dict[str, Chart] = field(default_factory=dict)

    @cached_property
    def client(self) -> Client:
        """What speaks to the target."""
        client = Client(self.target, self.journal)
        client.launcher = self._signed_in
        return client

    def _signed_in(self, step: AuthStep, stale: str) -> Launched:
        if self.target.recorded:  # nobody is asked, so nothing is launched
            return Launched("{token}", "", "", None)
        return self.smart.sign_in(step, stale)

    @cached_property
    def subjects(self) -> tuple[Subject, ...]:
        """The test patients in the order of their file."""
        return tuple(
            Subject(record, self.client.session(record.patient_variables(), record.vars)) for record in self.records
        )

    @property
    def searches(self) -> bool:
        """Whether patients are selected by a search rather than by their credentials."""
        return self.target.description.selection.kind == "search"

    def others(self, subject: Subject) -> tuple[Record, ...]:
        """Everybody else's record."""
        return tuple(record for record in self.records if record.id != subject.id)

    def trouble(self) -> str | None:
        """Why the target cannot be examined: it is out of reach, or nobody could log in."""
        try:
            return self._trouble()
        except OutOfTime:  # which every scenario will say of itself
            return None
        except NotTested as missing:  # from a recording
            return missing.reason

    def _trouble(self) -> str | None:
        for subject in self.subjects:
            answer = subject.session.login()
            if answer.ok and not answer.exchanges:  # nothing to log in to: a request shows what a credential is worth
                selected = self.resolve(subject).answer
                answer = selected if selected.kind in {"auth", "unreachable"} else answer
            if answer.ok:
                return None
            if answer.kind == "unreachable":
                break
        return f"{answer.kind}: {answer.message}"

    def forget(self) -> None:
        """Let go of every answer, once nothing more will be asked; the journal keeps the exchanges."""
        for kept in (self._replies, self._pages, self._measurable, self._held, self._charts):
            kept.clear()
        for name in ("fhir", "exports", "sample", "smart", "trials"):
            self.__dict__.pop(name, None)

    # asking

    def resolve(self, subject: Subject, **changed: str) -> Reply:
        """Select the patient, with some attributes changed where a scenario wants a bad request."""
        request = f"selecting {subject.id}"
        if changed:
            return self._noted(Reply(subject, request, subject.session.select(**changed)))
        return self._once(("select", subject.id), lambda: Reply(subject, request, subject.session.select()))

    def resolved(self) -> tuple[Subject, ...]:
        """The patients that could be selected, with an id or without; raises NotTested when there are none."""
        found = tuple(subject for subject in self.subjects if self.resolve(subject).processed)
        if not found:
            raise NotTested("no test patient could be selected", "G7-I-TLV-1")
        return found

    def identified(self) -> tuple[Subject, ...]:
        """The patients that an id or token came back for; raises NotTested when there are none."""
        found = tuple(subject for subject in self.resolved() if self.id_of(subject))
        if not found:
            raise NotTested("no id or token came back for any test patient", "G7-I-TLV-2")
        return found

    def category(self, subject: Subject, name: str, window: Days | None = None) -> Reply:
        """Ask for one category, within a window if one is given."""
        return self._once(
            ("category", subject.id, name, window),
            lambda: self._read(subject, subject.session.category(name, window), name, window),
        )

    def all_data(self, subject: Subject, window: Days | None = None) -> Reply:
        """Ask for all data, within a window if one is given."""
        return self._once(
            ("all_data", subject.id, window),
            lambda: self._read(subject, subject.session.all_data(window), None, window),
        )

    def data(self, subject: Subject) -> Reply:
        """The request for data that shows whether an id works: all data where there is such a request."""
        return self.all_data(subject) if self.offers("all_data") else self.category(subject, self._probe)

    def misuse(
        self, subject: Subject, op: str | None = None, *, whose: Subject | None = None, **change: object
    ) -> Reply:
        """A request for data after a normal selection with something wrong about it."""
        session: Session = subject.session.altered(**change)  # type: ignore[arg-type]
        if (op or ("all_data" if self.offers("all_data") else "category")) == "all_data":
            reply = self._read(subject, session.all_data(), None, None)
        else:
            reply = self._read(subject, session.category(self._probe), self._probe, None)
        return self._noted(replace(reply, whose=whose))

    def listed(self, misuse: Misuse, subject: Subject) -> Reply:
        """A misuse that the description lists, tried for one patient."""
        answer = subject.session.misuse(misuse, self._probe if misuse.op == "category" else "")
        changes = [*misuse.mutate.set, *misuse.mutate.unset, *misuse.mutate.drop_header]
        documents = tuple(judging.read(payload.data, payload.exchange) for payload in answer.documents)
        request = f"{misuse.op} with {', '.join(changes) or 'a delay'} spoiled for {subject.id}"
        return self._noted(Reply(subject, request, answer, documents))

    def offers(self, op: str) -> bool:
        """Whether the description has the operation."""
        return getattr(self.target.description.ops, op) is not None

    @property
    def _probe(self) -> str:
        supported = self.target.supported
        preferred = [name for name in ("problems", *supported) if name in supported]
        if not preferred:
            raise NotTested("the description has no request for data")
        return preferred[0]

    def id_of(self, subject: Subject) -> str:
        """The id or token the target gave for the patient."""
        return self.resolve(subject).answer.captures.get("pat_id", "")

    def token_name(self) -> str:
        """The variable that holds the session or access token; raises NotApplicable where there is none."""
        names = [
            name
            for step in self.target.description.auth.step
            for name, capture in step.captures.items()
            if capture.secret
        ]
        if not names:
            raise NotApplicable("access goes by neither a token nor a session")
        return names[-1]

    def policy(self) -> dict[str, str | None]:
        """The date policy of each fact class; None where the description says nothing."""
        return {kind: self.target.date_policy(kind) for kind in KINDS}

    def page(self, name: str) -> Page:
        """What anybody gets at the address of `api` or `terms`; raises NotTested where the description has none."""
        url = self.target.documentation(name)
        if url is None:
            missing = ", ".join(self.target.missing_optional.get(f"documentation.{name}", ()))
            raise NotTested(f"{missing} is not set" if missing else f"the description has no documentation.{name}")
        if url not in self._pages:
            chain = self.client.fetch(url, f"open documentation.{name}")
            self._pages[url] = Page(
                url=url,
                status=chain[-1].status,
                media_type=chain[-1].media_type,
                body=chain[-1].response_body,
                addresses=tuple(each.url for each in chain),
                exchange=chain[-1].id,
                trouble=chain[-1].error,
            )
        self.used.append(self._pages[url].exchange or "")
        return self._pages[url]

    # the FHIR server

    @cached_property
    def fhir(self) -> Server:
        """The FHIR server; raises NotTested where the description has none."""
        table = self.target.description.fhir
        if table is None:
            raise NotTested("the description has no [fhir]")
        return Server(table, self.target.bases[table.base], self.used.extend, self.id_of)

    def capabilities(self) -> Got:
        """What the FHIR server says of itself."""
        return self.fhir.read(self.identified()[0], "metadata")

    @cached_property
    def exports(self) -> Exports:
        """The exports of a population's data; raises NotTested where the description has none."""
        table = self.target.description.bulk
        if table is None:
            raise NotTested("the description has no [bulk]")
        rights = "read" if self.edition.smart.startswith("1.") else "rs"
        return Exports(Service(self.client, table, self.used.extend, rights))

    @cached_property
    def us_core(self) -> tables.Tables:
        """US Core in the version of the edition; raises NotTested where the server says it follows another alone."""
        wanted = self.edition.us_core
        try:
            followed = capability.versions(self.capabilities())
        except NotTested:
            # nobody to ask for: exports are judged all the same
            followed = []
        if followed and wanted not in followed:
            told = f"the server says that it follows US Core {', '.join(followed)}"
            raise NotTested(f"{told}; the edition {self.edition.id} asks for {wanted}")
        return tables.load(wanted)

    def charts(self) -> tuple[Chart, ...]:
        """What the FHIR server tells of each patient that an id came back for."""
        return tuple(self._chart(subject) for subject in self.identified())

    @cached_property
    def sample(self) -> tuple[Chart, ...]:
        """The fewest patients whose data let every search be made, and two at least where there are two."""
        return sampling.smallest(self.charts())

    def _chart(self, subject: Subject) -> Chart:
        if subject.id not in self._charts:
            self._charts[subject.id] = Chart(self.fhir, subject, self.us_core)
        return self._charts[subject.id]

    @cached_property
    def smart(self) -> Smart:
        """Apps authorized at the FHIR server; raises NotTested where the description has no [smart]."""
        table = self.target.description.smart
        if table is None:
            raise NotTested("the description has no [smart]")
        if self.target.recorded:
            raise NotTested("a recording holds no codes and tokens, so that authorization is not judged from it")
        searched = tables.load(self.edition.us_core).searches.items()
        types = [kind for kind, told in searched if told["strength"] == "SHALL" and kind not in self.fhir.table.without]
        version = self.edition.smart
        if table.version and table.version[0] == version[0]:  # the steps of the edition are about 1, or about 2
            version = table.version
        return Smart(self.client, table, self.fhir.base, version, types, self.used.extend, self._chosen)

    @cached_property
    def trials(self) -> Trials:
        """Launches that are made to be spoiled."""
        return Trials(self.smart)

    def _chosen(self, person: str | None, encounter: bool) -> Chosen:
        """A patient of the file, or the first, with the first encounter that a search finds."""
        found = [each for each in self.identified() if person in (None, each.id)]
        if not found:
            raise NotTested(f"no id came back for the test patient {person}", "SH-PAT-2")
        subject, patient = found[0], self.id_of(found[0])
        if not encounter:
            return Chosen(subject, patient)
        visits = self.fhir.search(subject, "Encounter", (("patient", patient),)).matches
        own = (visit for visit in visits if whose(visit.resource) == patient)
        return Chosen(subject, patient, next((visit.key[1] for visit in own), ""))

    # whose it is, and what it can be measured by

    def belongs(self, reply: Reply, rule: str) -> list[Finding]:
        """Objections to an answer that is somebody else's; one that names nobody is judged by what it says."""
        subject = reply.whose or reply.subject
        others = self.others(subject)
        findings: list[Finding] = []
        for document in reply.documents:
            if document.people or document.is_whole:
                findings += judging.whose(document, subject.record, others, rule=rule)
            elif not judging.any_present([document], subject.record):
                strangers = (other for other in others if judging.any_present([document], other))
                findings += [
                    reply.objection(
                        rule,
                        "the answer holds another patient's data",
                        layer=Layer.CONTENT,
                        expected=f"data of {subject.id}",
                        found=f"data of {stranger.id}",
                    )
                    for stranger in itertools.islice(strangers, 1)
                ]
        return [
            each
            if each.message.startswith(reply.request)
            else replace(each, message=f"{reply.request}: {each.message}")
            for each in findings
        ]

    def inspect(self, reply: Reply) -> None:
        """Leave the narrative of an answer to a person's eyes, where somebody wrote down what to expect."""
        if reply.subject.record.facts:
            self.sheets += (sheet(doc, reply.subject.record) for doc in reply.documents if doc.sections)

    def measurable(self, whole: Reply) -> bool:
        """Whether the answer to a request without dates is good enough to measure requests with dates by."""
        key = (whole.subject.id, whole.category)
        if key not in self._measurable:
            self._measurable[key] = whole.readable and not any(
                each.severity is Severity.ERROR for each in self.belongs(whole, "")
            )
        return self._measurable[key]

    def held(self, whole: Reply) -> Record:
        """The patient's record with those facts alone that the answer to a request without dates holds.

        Where the record has no facts, they are what the answer itself tells.
        """
        key = (whole.subject.id, whole.category)
        if key not in self._held:
            record = whole.subject.record
            if record.facts:
                record = replace(record, facts=tuple(judging.present(whole.documents, record, whole.kinds)))
            else:
                record = judging.learned(whole.documents, record)
            self._held[key] = record
        return self._held[key]

    # choosing

    def dated(
        self, records: Mapping[str, Record], kinds: Iterable[str] | None = None, *, by_encounter: bool = False
    ) -> list[tuple[Subject, Record]]:
        """Patients on whom a window of facts of `kinds` shows: three days at least if there are any, and few facts.

        `records` are the patients' records by id, as expected or as learned. Where every encounter is a request
        (`by_encounter`), it is the one with the fewest: another would cost more requests than all the rest.
        """
        wanted = None if kinds is None else frozenset(kinds)
        subjects = [each for each in self.identified() if each.id in records]
        days = {each.id: len(windows.exact_days(windows.dated(records[each.id], wanted))) for each in subjects}
        visits = {each.id: sum(fact.kind == "encounters" for fact in each.record.facts) for each in subjects}
        ranked = sorted(
            (each for each in subjects if days[each.id] > 1),
            key=lambda each: (by_encounter and visits[each.id], days[each.id] < 3, len(records[each.id].facts)),
        )
        return [(each, records[each.id]) for each in ranked][: 1 if by_encounter else DATED_PATIENTS]

    @property
    def expected(self) -> dict[str, Record]:
        """The records that have facts, by patient."""
        return {record.id: record for record in self.records if record.facts}

    def learned(self) -> dict[str, Record]:
        """Records with the facts that the answers to the requests for data themselves tell, by patient.

        Raises NotApplicable where somebody wrote down what to expect.
        """
        if self.expected:
            raise NotApplicable("there is an expected record to ask by")
        wholes = {subject.id: self.data(subject) for subject in self.identified()}
        return {name: self.held(whole) for name, whole in wholes.items() if self.measurable(whole)}

    def _read(self, subject: Subject, answer: Answer, category: str | None, window: Days | None) -> Reply:
        what = f"the category {category}" if category else "all data"
        when = f" of {window}" if window else ""
        kinds = frozenset(uscdi.categories()[category].kinds) if category else None
        op = self.target.description.ops.category if category else self.target.description.ops.all_data
        place = op.document if op else None
        carrier = "json" if place and place.from_ == "json" else ""
        documents = tuple(judging.read(payload.data, payload.exchange) for payload in answer.documents)
        return Reply(
            subject, f"{what}{when} for {subject.id}", answer, documents, window, category, kinds, carrier=carrier
        )

    def _once(self, key: tuple[object, ...], ask: Callable[[], Reply]) -> Reply:
        if key not in self._replies:
            self._replies[key] = ask()
        return self._noted(self._replies[key])

    def _noted(self, reply: Reply) -> Reply:
        self.used.extend(reply.answer.exchanges)
        return reply
