@g10
Feature: Provenance
  45 CFR 170.315(g)(10)(i) and (ii): who recorded the data and when is part of the data of every edition, and comes along
  with what was searched for by _revinclude.

  @SH-PAT-3
  Scenario Outline: Provenance comes along with <type>
    Given the server brings Provenance along
    When the app searches <type> and asks for its Provenance
    Then Provenance of what was found comes along, and of nothing else

    Examples:
      | type               |
      | AllergyIntolerance |
      | CarePlan           |
      | CareTeam           |
      | Condition          |
      | Coverage           |
      | Device             |
      | DiagnosticReport   |
      | DocumentReference  |
      | Encounter          |
      | Goal               |
      | Immunization       |
      | MedicationDispense |
      | MedicationRequest  |
      | Observation        |
      | Procedure          |
      | RelatedPerson      |
      | ServiceRequest     |
      | Patient            |

  @DAT-PAT-3
  Scenario: The data of each type have Provenance
    Given the server brings Provenance along
    When the app searches each type and asks for its Provenance
    Then each type has Provenance

  @DAT-PAT-3
  Scenario: Provenance keeps the rules of its profile
    Given the server brings Provenance along
    When the app searches each type and asks for its Provenance
    Then each Provenance has no error in form or vocabulary
