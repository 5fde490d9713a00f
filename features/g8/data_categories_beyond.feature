@g8 @beyond
Feature: Data category requests under odd circumstances
  Good practice around 45 CFR 170.315(g)(8)(i)(A), beyond the stated steps. How data are grouped is the vendor's
  choice, so a category that brings more than was asked for is a warning; only another person's data fail the step.

  @G8-IA-TLV-2
  Scenario: Each category brings only what belongs to it
    When the app asks for every category of each test patient
    Then no category brings the facts of another

  @G8-IA-TLV-1
  Scenario: A category with nothing in it is answered without facts
    When the app asks each test patient for the categories in which nothing is entered
    Then these requests are answered without facts

  @G8-IA-TLV-1
  Scenario: A category beyond the Common Clinical Data Set is the patient's own
    Given the API offers categories beyond the list
    When the app asks for each of them
    Then each answer belongs to the patient asked for

  @G8-IA-TLV-1
  Scenario: An id that was never issued brings no category
    When the app asks for a category with an id that was never issued
    Then no data come back

  @G8-IA-TLV-1
  Scenario: The id asked for decides whose category comes back
    Given patients are selected by a search
    When the app asks for one patient's category with another patient's id
    Then the data are the ones of the id that was asked for

  @G8-IA-TLV-1
  Scenario: One patient's credentials do not open another patient's category
    Given credentials are bound to one patient
    When the app asks for another patient's category with them
    Then no data come back

  @G8-IA-TLV-1
  Scenario: The misuses of the category request that the description lists are refused
    Given the description lists misuses of the category request
    When the app tries each of them
    Then each is refused as the description expects
