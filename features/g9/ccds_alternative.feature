@g9
Feature: All data request for the Common Clinical Data Set
  45 CFR 170.315(g)(9)(i)(A)(2) in its 2015 numbering: the Common Clinical Data Set at one time, as a CCD of
  C-CDA R2.1 without a companion guide. In the law until the end of 2022.

  @G9-IA2-SUT-1
  Scenario: One request brings the Common Clinical Data Set as a CCD
    When the app asks for all data of each test patient
    Then each document has the CCD template and the LOINC code 34133-9
    And each document has the sections of the edition's data classes

  @G9-IA2-TLV-1
  Scenario: The document with the Common Clinical Data Set is the right patient's and complete
    When the app asks for all data of each test patient
    Then each document belongs to the patient asked for
    And each document holds what the patient's record has and nothing else

  @G9-IA2-TLV-1
  Scenario: The document with the Common Clinical Data Set is without error in form and vocabulary
    When the app asks for all data of each test patient
    Then each document is valid against the CDA schema
    And each document keeps the rules of the templates it declares
    And each document has its codes, units and times from the vocabularies required
