@g10
Feature: The data of one patient
  45 CFR 170.315(g)(10)(i)(A): the data of the edition's USCDI come back as resources of US Core: in form, complete, and
  with everything they refer to.

  @DAT-PAT-1 @DAT-PAT-18
  Scenario: Each resource is read by its id
    When the app reads each resource of each test patient by its id
    Then each read brings the resource that was found

  @DAT-PAT-2
  Scenario Outline: <type> has no error in form or vocabulary
    When the app has gathered the <type> of each test patient
    Then each resource has no error in form or vocabulary

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
      | Patient            |
      | Procedure          |
      | RelatedPerson      |
      | ServiceRequest     |
      | Specimen           |
      | Location           |
      | Medication         |
      | Organization       |
      | Practitioner       |
      | PractitionerRole   |

  @DAT-PAT-2
  Scenario: Every profile has a resource that shows it
    When the app has gathered the data of each test patient
    Then each profile that US Core demands is shown by a resource

  @DAT-PAT-2
  Scenario: Every must-support element is shown
    When the app has gathered the data of each test patient
    Then each must-support element is shown by a resource of its profile

  @DAT-PAT-2
  Scenario: Everything that is referred to can be fetched
    When the app follows each reference in the data of each test patient
    Then each leads to what it names

  @DAT-PAT-2
  Scenario: What was entered is told as it was entered
    Given there is an expected record
    When the app has gathered the data of each test patient
    Then what resources tell of it is as the record has it

  @DAT-PAT-4
  Scenario: Every kind of clinical note and report is there
    When the app has gathered the data of each test patient
    Then each kind of note and report that the guide demands is there

  @DAT-PAT-4
  Scenario: Notes and reports can be opened
    When the app has gathered the data of each test patient
    Then the attachment of each note and report can be opened

  @DAT-PAT-4
  Scenario: Narrative reports are documents too
    When the app has gathered the data of each test patient
    Then the attachment of each narrative report is that of a document too

  @DAT-PAT-5
  Scenario: Medications that are resources of their own can be had
    When the app has gathered the data of each test patient
    Then each medication that is referred to is a Medication in form

  @DAT-PAT-5
  Scenario Outline: Medications that are resources of their own come along with <type>
    When the app searches <type> and asks for the medications it names
    Then all that was referred to comes along

    Examples:
      | type               |
      | MedicationRequest  |
      | MedicationDispense |

  @DAT-PAT-6
  Scenario: Data that are missing are said to be so by an extension
    When the app has gathered the data of each test patient
    Then some element says by an extension why its data are missing

  @DAT-PAT-6
  Scenario: Coded data that are missing are said to be so by a code
    When the app has gathered the data of each test patient
    Then some element says by a code that its data are missing
