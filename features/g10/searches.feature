@g10
Feature: Searches for one patient's data
  45 CFR 170.315(g)(10)(ii): each search and each combination that US Core's server capability statement demands is
  answered. What a value finds is known from the patient's own data, so that a row too many or too few shows.

  @SH-PAT-2
  Scenario Outline: <type> is found by every search US Core demands
    When the app searches <type> in every way US Core demands
    Then each search is answered with Bundles of search results
    And each answer holds what was searched for and nothing else
    And each answer holds everything that matches

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

  @SH-PAT-2
  Scenario: A search by POST brings what it brings by GET
    Given the server is searched by POST too
    When the app makes the first search of each type by GET and by POST
    Then the two answers hold the same resources

  @SH-PAT-2
  Scenario: Dates are compared as the app asks
    When the app searches before, after, until and since a day and moment of each type
    Then each search is answered with Bundles of search results
    And each answer holds what was searched for and nothing else
    And each answer holds everything that matches

  @SH-PAT-2
  Scenario: A search for two values brings what fits either
    When the app searches for two values at once wherever US Core demands it
    Then each search is answered with Bundles of search results
    And each answer holds what was searched for and nothing else
    And each answer holds everything that matches

  @SH-PAT-2
  Scenario: The patient may be named by type and id
    When the app makes the first search of each type with the patient as a reference
    Then the two answers hold the same resources

  @SH-PAT-2
  Scenario: A code may be named without its system
    When the app makes each search with codes alone
    Then each answer holds everything that matches

  @SH-PAT-2
  Scenario: An id that nobody has is not found
    When the app reads an id of each type that was never issued
    Then each of them is not found

  @SH-PAT-2
  Scenario: A date that is none is refused
    When the app searches by a date that is none
    Then each of them is a bad request

  @beyond @SH-PAT-2
  Scenario: A date may be a year alone, and two dates bound a period
    When the app searches by the year, and from the middlemost day to the same
    Then each search is answered with Bundles of search results
    And each answer holds what was searched for and nothing else
    And each answer holds everything that matches

  @beyond @SH-PAT-2
  Scenario: What the server says comes along does so
    When the app asks for what the server says comes along
    Then all that was referred to comes along

  @beyond @SH-PAT-2
  Scenario: A parameter that the server does not know does no harm
    When the app searches each type with a parameter that nobody knows
    Then each is refused with a reason, or answered with the patient's own data

  @beyond @SH-PAT-2
  Scenario: Short pages bring what long ones bring
    When the app asks for the first search of each type in pages of two
    Then the two answers hold the same resources
