@g10 @bulk
Feature: The data of a group of patients
  45 CFR 170.315(g)(10)(i)(B), (ii)(B) and (iv)(B) with 170.215(d): a group is exported as Bulk Data Access has it, from
  the kick-off to the deletion, and the files hold everything of the group's patients and of nobody else.

  @SH-PAT-4
  Scenario: The capability statement declares the export of groups
    When the service asks the FHIR server what it is capable of
    Then the export of groups is declared

  @SH-PAT-5 @DAT-PAT-10
  Scenario: The export of a group is accepted
    When the service asks for the export of the group
    Then it is accepted, with the address of its status

  @DAT-PAT-13
  Scenario: The status is told until the export is complete
    When the service waits for the export of the group
    Then each answer on the way says how far it is, and the last that it is complete

  @DAT-PAT-13
  Scenario: The manifest says what there is
    When the export of the group is complete
    Then its manifest has every field of its version

  @SEC-CNN-1
  Scenario: Files on other servers are behind TLS as well
    When the export of the group is complete
    Then every other server that files come from is behind TLS 1.2 or later

  @DAT-PAT-13
  Scenario: The status is for those alone who may export
    When somebody asks for the status without a token
    Then they are turned away

  @DAT-PAT-14
  Scenario: Every line of every file is a resource
    When the service reads every line of every file
    Then each file comes whole, each line a resource of the type announced, as many as are announced

  @DAT-PAT-14
  Scenario: Files that need a token are not there without one
    When somebody asks for a file without a token
    Then they are turned away

  @DAT-PAT-15
  Scenario: The export holds the group's patients and nobody else
    When the service has read the export of the group
    Then it has data of each patient of the group and of nobody else

  @DAT-PAT-15
  Scenario: Another group is another group
    When the service asks for the export of the other group
    Then it is refused, or holds the patients of the other group alone

  @DAT-PAT-8 @DAT-PAT-17
  Scenario: Each exported resource has no error in form or vocabulary
    When the service has read the export of the group
    Then each line of it has no error in form or vocabulary

  @DAT-PAT-8 @DAT-PAT-17
  Scenario: What is told of a single patient is exported alike
    When the service has read the export of the group
    Then it has each resource of each single patient, told alike

  @DAT-PAT-8 @DAT-PAT-17
  Scenario: Every profile is shown by an exported resource
    When the service has read the export of the group
    Then each profile that US Core demands is shown by an exported resource

  @DAT-PAT-8 @DAT-PAT-17
  Scenario: Every must-support element is shown by an exported resource
    When the service has read the export of the group
    Then each must-support element is shown by an exported resource

  @SH-PAT-5
  Scenario: Types that are asked for are all that is exported
    When the service asks for the export of two types
    Then there are files of these types alone

  @DAT-PAT-10
  Scenario: What changed since a moment is exported
    When the service asks for what changed since a moment
    Then everything that changed is exported, and nothing that did not

  @DAT-PAT-10
  Scenario: The format is known by each of its names
    When the service asks for the export of the group by each name of the format
    Then each of them is accepted

  @DAT-PAT-11
  Scenario: An export is not for whoever has no token
    When somebody asks for an export without a token
    Then they are turned away

  @DAT-PAT-11
  Scenario: An export is not for whoever has a token that was never issued
    When somebody asks for an export with a token that was never issued
    Then they are turned away

  @DAT-PAT-11
  Scenario: A group that there is not is not exported
    When the service asks for the export of a group that there is not
    Then it is refused, and the reason is told

  @DAT-PAT-11
  Scenario: A format that nobody writes is refused
    When the service asks for an export in a format that there is not
    Then it is refused, and the reason is told

  @DAT-PAT-11
  Scenario: An export is never the answer to its kick-off
    When the service asks for an export without asking for it asynchronously
    Then it is refused or begun, and not answered at once

  @DAT-PAT-11
  Scenario: A token opens no type beyond its scope
    When the service asks for Condition with a token for another type
    Then no Condition is exported

  @DAT-PAT-12
  Scenario: An export that is under way is stopped
    When the service deletes an export that has just begun
    Then the deletion is accepted, and the export is not there any longer

  @DAT-PAT-12
  Scenario: An export that is complete is deleted
    When the service deletes the export of the group
    Then the deletion is accepted, and the export is not there any longer
