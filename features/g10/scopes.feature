@g10 @authorization
Feature: Scopes are what the user chose, and open what they say
  45 CFR 170.315(g)(10)(v)(A) and (i) with the scopes of SMART App Launch and US Core: the user decides which data an app
  gets, each scope opens the data it names, and nothing else comes back.

  @AUT-PAT-10 @AUT-PAT-33
  Scenario: The user grants single types of resources
    When the user chooses a few types of resources of those an app asks for
    Then the app is granted what the user chose

  @AUT-PAT-12 @AUT-PAT-34
  Scenario: What the user did not choose is refused
    When the user chooses a few types of resources of those an app asks for
    Then what the user did not choose does not open

  @AUT-PAT-11
  Scenario: The user is told of offline access
    When the user is asked what an app may do
    Then the user decides on offline access or is told of it

  @AUT-PAT-11 @AUT-PAT-12 @AUT-PAT-34
  Scenario: Offline access that the user refused is not given
    When the user chooses a few types of resources of those an app asks for
    Then the app is given nothing for later

  @AUT-PAT-34 @matrix
  Scenario: A scope for a part of a resource opens that part alone
    When an app is authorized for one category of Conditions or Observations at a time
    Then what is of another category does not open

  @DAT-PAT-9 @matrix
  Scenario: Each scope opens its door and no other
    When an app is authorized for one type of resource at a time
    Then each type opens with its own scope alone

  @DAT-PAT-9
  Scenario: A token for one patient opens nobody else's data
    When an app that is authorized for one patient asks for another
    Then no data of the other come back

  @DAT-PAT-9
  Scenario Outline: A request with <what> is refused
    When somebody asks for a Patient with <what>
    Then somebody with <what> is turned away

    Examples:
      | what                           |
      | no token                       |
      | a token that was never given out |
      | a token that has run out       |
