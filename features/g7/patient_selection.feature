@g7
Feature: Patient selection
  45 CFR 170.315(g)(7)(i): the API takes a request with enough information to identify one patient and
  answers with an ID or another token that an app can use in its next requests for that patient's data.

  @G7-I-SUT-1 @G7-I-TLV-1
  Scenario: Each test patient is singled out by the attributes the API asks for
    When the app asks for each test patient
    Then each request is processed and resolves one patient

  @G7-I-SUT-2 @G7-I-TLV-2
  Scenario: Each answer carries an id or token for the patient
    Given the test patients have been resolved
    Then each answer carries an id or a token

  @G7-I-TLV-1
  Scenario: Different patients get different ids
    Given the test patients have been resolved
    Then no two patients share an id

  @G7-I-SUT-2 @G7-I-TLV-2
  Scenario: The id or token works in the next request for that patient's data
    Given the test patients have been resolved
    When the app asks for data with each id
    Then each of these requests is answered with data

  @G7-I-TLV-1
  Scenario: The data fetched with an id belong to the patient it was asked for
    Given the test patients have been resolved
    When the app asks for data with each id
    Then the data belong to the patient meant and to nobody else
