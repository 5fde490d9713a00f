@g10
Feature: Everything of one patient and nothing of another
  45 CFR 170.315(g)(10)(i)(A) and (ii)(A): the app gets all data of the patient it asks for, and of that patient alone.

  @DAT-PAT-7
  Scenario: Everything that was entered comes back
    Given there is an expected record
    When the app has gathered the data of each test patient
    Then each fact of the record is told by a resource

  @DAT-PAT-7
  Scenario: Whatever others refer to is found by searches too
    When the app has gathered the data of each test patient
    Then no resource of the patient is known by reference alone

  @DAT-PAT-9
  Scenario: The patient that comes back is the one that was selected
    When the app has gathered the data of each test patient
    Then each Patient has the name and date of birth of the test patient

  @DAT-PAT-9
  Scenario: An id that nobody has brings no data
    When the app searches each type for an id that was never issued
    Then no data come back for it

  @DAT-PAT-9
  Scenario: The id asked for decides whose data come back
    Given patients are selected by a search
    When the app searches each type for another test patient
    Then each answer holds data of the patient asked for alone

  @DAT-PAT-9
  Scenario: A token for one patient opens no other patient's data
    Given credentials are bound to one patient
    When the app searches each type for another test patient
    Then no data come back for it

  @beyond @DAT-PAT-7
  Scenario: The document and the resources tell the same facts
    Given there is an expected record
    And the API answers a request for all data
    When the app asks for all data of each test patient
    Then each fact of the record that one of them tells is told by the other too
