@g9 @beyond
Feature: All data requests under odd circumstances
  Good practice around 45 CFR 170.315(g)(9)(i)(A), beyond the stated steps. Only wrong data or another
  person's fail the step.

  @G9-IA-TLV-1
  Scenario: An id that was never issued brings no document
    When the app asks for all data with an id that was never issued
    Then no data come back

  @G9-IA-TLV-1
  Scenario: The id asked for decides whose document comes back
    Given patients are selected by a search
    When the app asks for all of one patient's data with another patient's id
    Then the data are the ones of the id that was asked for

  @G9-IA-TLV-1
  Scenario: One patient's credentials do not open another patient's document
    Given credentials are bound to one patient
    When the app asks for all of another patient's data with them
    Then no data come back

  @G9-IA-TLV-1
  Scenario: The same request brings the same facts twice
    When the app asks twice for all data of a test patient
    Then both answers hold the same facts

  @G9-IA-TLV-1
  Scenario: The misuses of the all data request that the description lists are refused
    Given the description lists misuses of the all data request
    When the app tries each of them
    Then each is refused as the description expects

  @G9-IA-TLV-2
  Scenario: The document tells what the categories tell
    Given the API answers requests for categories
    When the app asks for all data of each test patient
    Then each document and the categories together tell the same facts

  @G9-IA-TLV-2
  Scenario: The document tells what the FHIR server tells
    Given the API has a FHIR server too
    When the app asks for all data of each test patient
    Then each document and the resources of its patient tell the same facts
