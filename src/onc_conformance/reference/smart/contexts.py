"""What a token's answer says of the launch: patient, visit, style, and what else is on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onc_conformance.reference.smart.asked import Asked
    from onc_conformance.reference.smart.charted import Charted

STYLE = "style.json"
STYLES = {
    "color_background": "#ffffff",
    "color_error": "#a4262c",
    "color_highlight": "#0b5c8a",
    "color_modal_backdrop": "#1d2733",
    "color_success": "#1a7f37",
    "color_text": "#1d2733",
    "dim_border_radius": "6px",
    "dim_font_size": "16px",
    "dim_spacing_size": "20px",
    "font_family_body": "system-ui, sans-serif",
    "font_family_heading": "system-ui, sans-serif",
}
"""How an app looks at home in this EHR."""


class Contexts:
    """Finds the context of a request that was consented to."""

    def __init__(self, charted: Charted, faults: frozenset[str]) -> None:
        self._charted = charted
        self._faults = faults

    def patient(self, asked: Asked) -> str:
        """The patient in context; empty for nobody."""
        if asked.patient and "smart-patient-of-another" in self._faults:
            return self._charted.another_patient(asked.patient)
        return asked.patient

    def told(self, asked: Asked, scopes: tuple[str, ...], patient: str, style: str) -> dict[str, Any]:
        """The parameters of the token's answer; `style` is the address of the styles."""
        context: dict[str, Any] = {"patient": patient} if patient else {}
        visit = self._visit(asked, scopes, patient)
        if visit:
            context["encounter"] = self._charted.another_visit(visit) if self._elsewhere else visit
        if asked.launch or patient:
            context |= {"need_patient_banner": asked.launch is None, "smart_style_url": style}
        if asked.launch and (place := self._charted.practice()):
            shown = {"reference": place, "type": place.partition("/")[0]}
            context["fhirContext"] = [place if "smart-fhir-context-as-text" in self._faults else shown]
        return context

    @property
    def _elsewhere(self) -> bool:
        return "smart-encounter-of-another" in self._faults

    def _visit(self, asked: Asked, scopes: tuple[str, ...], patient: str) -> str:
        if asked.launch:
            return asked.launch.encounter if {"launch", "launch/encounter"} & set(scopes) else ""
        if "launch/encounter" in scopes and patient:
            return next((one.id for one in self._charted.visits(patient)), "")
        return ""
