"""A client of the reference EHR's FHIR server, as anybody might write it."""

from tests.reference.clients import in_process


class FhirClient:
    """Asks with the token it is given; everything in one process."""

    def __init__(self, ehr, token="FHIR_TOKEN") -> None:
        self.base = ehr.env["FHIR_BASE"]
        self.patient = ehr.env["FHIR_PATIENT"]
        self.token = ehr.env.get(token, token)
        self.http = in_process(ehr)

    def get(self, path, headers=None, **query):
        url = path if path.startswith("http") else f"{self.base}/{path}"
        return self.http.get(url, params=query, headers=self.headers(headers), timeout=5)

    def post(self, kind, data, headers=None):
        url = f"{self.base}/{kind}/_search"
        return self.http.post(url, data=data, headers=self.headers(headers), timeout=5)

    def headers(self, more=None):
        return {"Accept": "application/fhir+json", "Authorization": f"Bearer {self.token}"} | (more or {})

    def bundle(self, path, **query):
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def found(self, kind, mode="match", **query):
        """The resources of a search of one page, by mode."""
        return [one["resource"] for one in self.bundle(kind, **query).get("entry", ()) if one["search"]["mode"] == mode]

    def mine(self, kind, **query):
        """The same of the first patient."""
        return self.found(kind, patient=self.patient, **query)

    def pages(self, url, **query):
        """Every page of a search."""
        bundles = [self.bundle(url, **query)]
        while following := [one["url"] for one in bundles[-1]["link"] if one["relation"] == "next"]:
            bundles.append(self.bundle(following[0]))
        return bundles


def outcome(answer):
    """Status, and the code of the one issue."""
    told = answer.json()
    assert told["resourceType"] == "OperationOutcome"
    assert len(told["issue"]) == 1
    assert told["issue"][0]["diagnostics"].strip()
    return answer.status_code, told["issue"][0]["code"]
