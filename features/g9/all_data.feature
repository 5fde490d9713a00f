@g9
Feature: All data request
  45 CFR 170.315(g)(9)(i)(A)(1): the API answers a request for all data classes of the edition at one time with
  a summary record formatted as a Continuity of Care Document (CCD) of C-CDA R2.1.

  @G9-IA-SUT-1 @G9-IA-TLV-1
  Scenario: One request brings a readable document for each test patient
    When the app asks for all data of each test patient
    Then each answer holds a document that can be read

  @G9-IA-SUT-2 @G9-IA-TLV-1
  Scenario: The document is a Continuity of Care Document
    When the app asks for all data of each test patient
    Then each document has the CCD template and the LOINC code 34133-9

  @G9-IA-TLV-1
  Scenario: The document is the right patient's
    When the app asks for all data of each test patient
    Then each document belongs to the patient asked for

  @G9-IA-SUT-2
  Scenario: The document has a section for every data class
    When the app asks for all data of each test patient
    Then each document has the sections of the edition's data classes

  @G9-IA-TLV-2
  Scenario: The document is complete and accurate
    When the app asks for all data of each test patient
    Then each document holds what the patient's record has and nothing else

  @G9-IA-TLV-2
  Scenario: The document is valid against the CDA schema
    When the app asks for all data of each test patient
    Then each document is valid against the CDA schema

  @G9-IA-TLV-2
  Scenario: The document keeps the rules of its templates
    When the app asks for all data of each test patient
    Then each document keeps the rules of the templates it declares

  @G9-IA-TLV-2
  Scenario: The document is coded to the vocabularies required
    When the app asks for all data of each test patient
    Then each document has its codes, units and times from the vocabularies required

  @G9-IA-TLV-2
  Scenario: The document states what is always demanded, in the code systems of the edition
    When the app asks for all data of each test patient
    Then each document states the patient's sex and its author, and codes each data element in a system it may use

  @G9-IA-TLV-3
  Scenario: Every section with entries can be read by a person
    When the app asks for all data of each test patient
    Then each section with entries has a narrative
