@g8
Feature: Data category request
  45 CFR 170.315(g)(8)(i)(A): the API answers requests for each of the categories of the Common Clinical Data Set
  with the category's full set of data, in computable form. In the law until the end of 2022.

  @G8-IA-SUT-1
  Scenario: The categories together cover the Common Clinical Data Set
    Then the API documents a request for every category of the list

  @G8-IA-SUT-1 @G8-IA-TLV-1
  Scenario Outline: A request for <title> is answered in computable form
    When the app asks for the category "<category>" of each test patient
    Then each answer is computable

    Examples:
      | category             | title                            |
      | patient_name         | the patient's name               |
      | sex                  | sex                              |
      | birth_date           | date of birth                    |
      | race                 | race                             |
      | ethnicity            | ethnicity                        |
      | preferred_language   | preferred language               |
      | smoking_status       | smoking status                   |
      | problems             | problems                         |
      | medications          | medications                      |
      | medication_allergies | medication allergies             |
      | laboratory_tests     | laboratory tests                 |
      | laboratory_results   | laboratory values and results    |
      | vital_signs          | vital signs                      |
      | procedures           | procedures                       |
      | care_team            | care team members                |
      | immunizations        | immunizations                    |
      | udi                  | unique device identifiers        |
      | assessment_plan      | assessment and plan of treatment |
      | goals                | goals                            |
      | health_concerns      | health concerns                  |

  @G8-IA-TLV-1
  Scenario Outline: The answer to a request for <title> is the patient's own
    When the app asks for the category "<category>" of each test patient
    Then each answer belongs to the patient asked for

    Examples:
      | category             | title                            |
      | patient_name         | the patient's name               |
      | sex                  | sex                              |
      | birth_date           | date of birth                    |
      | race                 | race                             |
      | ethnicity            | ethnicity                        |
      | preferred_language   | preferred language               |
      | smoking_status       | smoking status                   |
      | problems             | problems                         |
      | medications          | medications                      |
      | medication_allergies | medication allergies             |
      | laboratory_tests     | laboratory tests                 |
      | laboratory_results   | laboratory values and results    |
      | vital_signs          | vital signs                      |
      | procedures           | procedures                       |
      | care_team            | care team members                |
      | immunizations        | immunizations                    |
      | udi                  | unique device identifiers        |
      | assessment_plan      | assessment and plan of treatment |
      | goals                | goals                            |
      | health_concerns      | health concerns                  |

  @G8-IA-TLV-2
  Scenario Outline: What is entered under <title> comes back complete and accurate
    When the app asks for the category "<category>" of each test patient
    Then each answer holds what the patient's record has in that category

    Examples:
      | category             | title                            |
      | patient_name         | the patient's name               |
      | sex                  | sex                              |
      | birth_date           | date of birth                    |
      | race                 | race                             |
      | ethnicity            | ethnicity                        |
      | preferred_language   | preferred language               |
      | smoking_status       | smoking status                   |
      | problems             | problems                         |
      | medications          | medications                      |
      | medication_allergies | medication allergies             |
      | laboratory_tests     | laboratory tests                 |
      | laboratory_results   | laboratory values and results    |
      | vital_signs          | vital signs                      |
      | procedures           | procedures                       |
      | care_team            | care team members                |
      | immunizations        | immunizations                    |
      | udi                  | unique device identifiers        |
      | assessment_plan      | assessment and plan of treatment |
      | goals                | goals                            |
      | health_concerns      | health concerns                  |

  @G8-IA-TLV-2
  Scenario: What comes back as C-CDA is valid against the CDA schema
    When the app asks for every category of the list of each test patient
    Then each C-CDA among the answers is valid against the CDA schema

  @G8-IA-TLV-2
  Scenario: What comes back as C-CDA keeps the rules of its templates
    When the app asks for every category of the list of each test patient
    Then each C-CDA among the answers keeps the rules of the templates it declares

  @G8-IA-TLV-2
  Scenario: What comes back as C-CDA is coded to the vocabularies the criterion names
    When the app asks for every category of the list of each test patient
    Then each C-CDA among the answers has its codes, units and times from the vocabularies required
