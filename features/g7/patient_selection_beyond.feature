@g7 @beyond
Feature: Patient selection under odd requests
  Good practice around 45 CFR 170.315(g)(7)(i), beyond the stated steps: a request that fits nobody, or more
  than one, names nobody; a name is found as it is written. Only another person's data fail the step.

  @G7-I-TLV-1
  Scenario: A name that nobody bears resolves nobody
    Given patients are selected by a search
    When the app asks for a test patient under a name nobody bears
    Then nobody is resolved

  @G7-I-TLV-1
  Scenario: A near name resolves nobody
    Given patients are selected by a search
    When the app asks for a test patient under a name one letter off
    Then nobody is resolved

  @G7-I-TLV-1
  Scenario: A wrong birth date resolves nobody
    Given patients are selected by a search
    When the app asks for a test patient with another birth date
    Then nobody is resolved

  @G7-I-TLV-1
  Scenario: A name that two patients share resolves neither of them without more
    Given patients are selected by a search
    And two test patients share a name
    When the app asks for that name without a birth date
    Then nobody is resolved

  @G7-I-TLV-1
  Scenario Outline: A name with <mark> is found as it is written
    Given patients are selected by a search
    And a test patient's name has <mark>
    When the app asks for that patient
    Then that patient is resolved

    Examples:
      | mark          |
      | an apostrophe |
      | a hyphen      |
      | a diacritic   |

  @G7-I-TLV-2
  Scenario: An altered id is refused
    Given the test patients have been resolved
    When the app asks for data with an altered id
    Then no data come back

  @G7-I-TLV-2
  Scenario: An id that was never issued is refused
    Given the test patients have been resolved
    When the app asks for data with an id that was never issued
    Then no data come back

  @G7-I-TLV-2
  Scenario: A missing id is refused
    Given the test patients have been resolved
    When the app asks for data without an id
    Then no data come back

  @G7-I-TLV-2
  Scenario: An altered token is refused
    Given access goes by a token or a session
    When the app asks for data with an altered token
    Then no data come back

  @G7-I-TLV-2
  Scenario: A token that was never issued is refused
    Given access goes by a token or a session
    When the app asks for data with a token that was never issued
    Then no data come back

  @G7-I-TLV-2
  Scenario: A missing token is refused
    Given access goes by a token or a session
    When the app asks for data without a token
    Then no data come back

  @G7-I-TLV-2
  Scenario: One patient's credentials do not open another patient's data
    Given credentials are bound to one patient
    When the app asks for another patient's data with them
    Then no data come back

  @G7-I-TLV-2
  Scenario: Another patient's token does not go with one's own id
    Given credentials are bound to one patient
    And access goes by a token or a session
    When the app asks for data with another patient's token
    Then no data come back

  @G7-I-TLV-2
  Scenario: The id asked for decides whose data come back
    Given patients are selected by a search
    When the app asks for one patient's data with another patient's id
    Then the data are the ones of the id that was asked for

  @G7-I-TLV-2
  Scenario: The misuses of patient selection that the description lists are refused
    Given the description lists misuses of patient selection
    When the app tries each of them
    Then each is refused as the description expects
