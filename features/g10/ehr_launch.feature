@g10 @authorization
Feature: Apps launched from within the EHR
  45 CFR 170.315(g)(10)(v)(A): a clinician opens an app on a patient's chart, and the app is authorized for what is in
  context there.

  @AUT-PAT-2
  Scenario: The EHR opens an app at its registered address
    When the symmetric app is launched from the EHR
    Then the EHR opened the app with its own address and a launch parameter

  @AUT-PAT-1
  Scenario: An app that the EHR opened is authorized
    When the symmetric app is launched from the EHR
    Then the app is given an access token

  @AUT-PAT-14
  Scenario: An app that the EHR opened is sent a code and the state of its request
    When the symmetric app is launched from the EHR
    Then the state of the request comes back with the code at the registered address

  @AUT-PAT-16 @AUT-PAT-35
  Scenario: The answer to an app that the EHR opened tells all it must
    When the symmetric app is launched from the EHR
    Then the answer is JSON that is not stored, with the type, life and scopes of a bearer token
    And there is a refresh token where offline access was granted
    And further resources in context are told as they must be

  @AUT-PAT-9 @AUT-PAT-28
  Scenario: Scopes of the clinician are granted, and the app learns of its surroundings
    When the symmetric app is launched from the EHR
    Then the scopes that were asked for are granted
    And the app is told whether a banner of the patient is needed
    And the app is told of a style it can fetch

  @AUT-PAT-19 @AUT-PAT-36
  Scenario: The token opens the patient whose chart was open
    When the symmetric app is launched from the EHR
    Then the token opens the Patient in context

  @AUT-PAT-32
  Scenario: The token opens the encounter that was open
    When the symmetric app is launched from the EHR
    Then the token opens the Encounter in context

  @AUT-PAT-29
  Scenario: Scopes of one patient are for the patient whose chart was open
    When an app is launched from the EHR for scopes of the patient
    Then the scopes for resources that were asked for are granted
    And the token opens the Patient in context
