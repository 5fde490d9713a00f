"""The gate: attestations and excuses, the outcome of each step, and the exit code of a run."""

from onc_conformance.exits import Exit
from onc_conformance.gate.attestations import Attestation, load_attestations
from onc_conformance.gate.excuses import Excuse, load_excuses
from onc_conformance.gate.scenarios import ScenarioResult
from onc_conformance.gate.settlement import Settlement, StepResult, TargetOutcome, settle
from onc_conformance.gate.verdict import exit_code

__all__ = [
    "Attestation",
    "Excuse",
    "Exit",
    "ScenarioResult",
    "Settlement",
    "StepResult",
    "TargetOutcome",
    "exit_code",
    "load_attestations",
    "load_excuses",
    "settle",
]
