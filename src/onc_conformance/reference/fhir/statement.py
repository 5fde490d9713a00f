"""The CapabilityStatement: what the server can do; of given resources, what is there and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onc_conformance.reference.fhir.catalog import Kind, kind_of, kinds
from onc_conformance.reference.fhir.parts import profile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onc_conformance.reference.fhir.parts import Resource
    from onc_conformance.reference.fhir.records import Records

_GUIDE = "http://hl7.org/fhir/us/core"
_EXTENSIONS = "http://hl7.org/fhir/StructureDefinition"
_SECURITY = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_DATE = "2026-11-01"


def written(base: str, issuer: str, records: Records, version: str, *, charted: bool) -> Resource:
    """The statement of a server at `base` that believes `issuer`; `charted` if it writes its resources itself."""
    uris = [
        {"url": name, "valueUri": f"{issuer}/{name}"}
        for name in ("authorize", "token", "introspect", "revoke", "manage")
    ]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _DATE,
        "kind": "instance",
        "software": {"name": "onc-conformance reference EHR"},
        "implementation": {"description": "The embedded reference EHR", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "instantiates": [f"{_GUIDE}/CapabilityStatement/us-core-server|{version}"],
        "implementationGuide": [f"{_GUIDE}/ImplementationGuide/hl7.fhir.us.core|{version}"],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "extension": [
                        {
                            "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
                            "extension": uris,
                        }
                    ],
                    "service": [{"coding": [{"system": _SECURITY, "code": "SMART-on-FHIR"}]}],
                },
                "resource": [
                    _resource(kind_of(name, version), None if charted else records.profiles(name), charted=charted)
                    for name in (sorted({*kinds(version), *records.kinds()}) if charted else records.kinds())
                ],
            }
        ],
    }


def exporting(statement: Resource) -> Resource:
    """The same statement, with the operations of Bulk Data Access."""
    guide = "http://hl7.org/fhir/uv/bulkdata"
    operation = {"name": "export", "definition": f"{guide}/OperationDefinition/group-export"}
    everybody = {"name": "export", "definition": f"{guide}/OperationDefinition/patient-export"}
    added = {"Group": operation, "Patient": everybody}
    resources = [
        entry | {"operation": [*entry.get("operation", ()), added[entry["type"]]]} if entry["type"] in added else entry
        for entry in statement["rest"][0]["resource"]
    ]
    return statement | {
        "instantiates": [*statement["instantiates"], f"{guide}/CapabilityStatement/bulk-data"],
        "rest": [statement["rest"][0] | {"resource": resources}, *statement["rest"][1:]],
    }


def _resource(kind: Kind, claimed: Sequence[str] | None, *, charted: bool) -> Resource:
    told = [profile(name) for name in kind.profiles]
    entry: Resource = {"type": kind.name}
    if supported := [name for name in told if claimed is None or name in claimed]:
        entry["supportedProfile"] = supported
    entry["interaction"] = [{"code": "read"}] + ([{"code": "search-type"}] if kind.searchable else [])
    entry |= {"versioning": "no-version", "referencePolicy": ["literal", "resolves"]}
    if kind.include:
        entry["searchInclude"] = list(kind.include)
    if kind.revinclude:
        entry["searchRevInclude"] = list(kind.revinclude)
    if kind.searchable:
        entry["searchParam"] = [
            {"name": parameter.name, "type": parameter.kind} for parameter in kind.parameters.values()
        ]
    if charted and kind.name == "DocumentReference":
        entry["operation"] = [{"name": "docref", "definition": f"{_GUIDE}/OperationDefinition/docref"}]
    if kind.combinations:
        entry["extension"] = [_combination(each) for each in kind.combinations]
    return entry


def _combination(names: str) -> Resource:
    required = [{"url": "required", "valueString": name} for name in names.split("+")]
    return {"url": f"{_EXTENSIONS}/capabilitystatement-search-parameter-combination", "extension": required}
