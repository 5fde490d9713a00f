"""A description of an invented vendor, small enough to be changed in one place per test."""

ENV = {"ACME_URL": "http://127.0.0.1:9", "ACME_USER": "u", "ACME_PASS": "correct horse"}

ACME = """
[target]
id = "acme"
base.api = "{env.ACME_URL}"

[[auth.step]]
id = "login"
method = "POST"
url = "{base.api}/login"
form = { user = "{env.ACME_USER}", pw = "{env.ACME_PASS}" }
capture.token = { from = "json", path = "$.token", secret = true }

[auth.apply]
headers = { Authorization = "Bearer {token}" }

[auth.refresh]
on = ["auth"]
max = 1

[selection]
kind = "search"

[dates]
style = "pair"
start = "from"
end = "to"

[[ops.select_patient.step]]
url = "{base.api}/patients"
query = { family = "{patient.family}" }
capture.pat_id = { from = "json", path = "$.rows[*].id", pick = "only", where = { dob = "{patient.dob}" } }

[[ops.list_encounters.step]]
url = "{base.api}/encounters"
query = { patient = "{pat_id}" }
capture.encounter_ids = { from = "json", path = "$.rows[*].id", pick = "all" }

[[ops.category.step]]
url = "{base.api}/category"
query = { patient = "{pat_id}", name = "{category}", encounter = "{encounter_id}" }
omit_empty = true
document = { from = "text" }

[[ops.all_data.step]]
url = "{base.api}/all"
query = { patient = "{pat_id}" }
document = { from = "json", path = "$.document", decode = ["base64"] }

[categories]
problems = "Problems"
goals = { name = "Goals", scope = "encounter" }
assessment_plan = ["Assessment", "Plan"]
vital_signs = { name = ["Weight", "Height"], join = "+", assumed = true }

[[error]]
class = "auth"
status = [401]

[[error]]
class = "no_data"
status = [204]

[[error]]
class = "bad_request"
json = { "$.error" = "/./" }
"""


def with_line(after, line):
    """The description with a line more, behind the first one that starts with `after`."""
    lines = ACME.splitlines()
    place = next(at for at, each in enumerate(lines) if each.startswith(after))
    return "\n".join([*lines[: place + 1], line, *lines[place + 1 :]])


def with_other(old, new):
    """The description with a part replaced."""
    assert old in ACME
    return ACME.replace(old, new, 1)
