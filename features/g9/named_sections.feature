@g9
Feature: Data classes with a place of their own
  45 CFR 170.315(g)(9)(i)(A)(3): assessment and plan of treatment, goals, health concerns and unique device
  identifiers have to stand in the sections and entries the paragraph names.

  @G9-IA3I-SUT-1 @G9-IA3I-TLV-1
  Scenario: Assessment and plan of treatment stand in one of the two allowed arrangements
    When the app asks for all data of each test patient
    Then each document has an Assessment and Plan Section, or an Assessment and a Plan of Treatment Section

  @G9-IA3I-TLV-1
  Scenario: The assessment and the plan hold what was entered
    When the app asks for all data of each test patient
    Then each document holds what the record has under "assessment_plan"

  @G9-IA3II-SUT-1 @G9-IA3II-TLV-1
  Scenario: Goals stand in a Goals Section
    When the app asks for all data of each test patient
    Then each document has a Goals Section

  @G9-IA3II-TLV-1
  Scenario: The Goals Section holds what was entered
    When the app asks for all data of each test patient
    Then each document holds what the record has under "goals"

  @G9-IA3III-SUT-1 @G9-IA3III-TLV-1
  Scenario: Health concerns stand in a Health Concerns Section
    When the app asks for all data of each test patient
    Then each document has a Health Concerns Section

  @G9-IA3III-TLV-1
  Scenario: The Health Concerns Section holds what was entered
    When the app asks for all data of each test patient
    Then each document holds what the record has under "health_concerns"

  @G9-IA3IV-SUT-1 @G9-IA3IV-TLV-1
  Scenario: A device identifier stands in a Product Instance of a Procedure Activity Procedure
    When the app asks for all data of each test patient
    Then each implant of the record is in a Product Instance of a Procedure Activity Procedure

  @G9-IA3IV-TLV-1
  Scenario: The device identifiers have the values that were entered
    When the app asks for all data of each test patient
    Then each document holds what the record has under "udi"
