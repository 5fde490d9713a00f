@g10 @authorization
Feature: What is published about authorization
  45 CFR 170.315(g)(10)(v)(A): anybody learns from the FHIR server, without a token, where and how apps are authorized.

  @AUT-PAT-5 @AUT-PAT-24
  Scenario: The SMART configuration is published below the FHIR server
    When an app fetches the SMART configuration
    Then a JSON object comes back

  @AUT-PAT-24
  Scenario: Apps that live in a browser alone may read what is published
    When a script in a browser fetches what is published
    Then it may read it wherever it comes from

  @AUT-PAT-6 @AUT-PAT-25
  Scenario: The SMART configuration has all that apps must know
    When an app fetches the SMART configuration
    Then it has the fields that its version of SMART App Launch demands
    And it lists the capabilities of the criterion

  @AUT-PAT-5 @AUT-PAT-7
  Scenario: The capability statement names the endpoints
    When an app fetches the capability statement without a token
    Then its security extension has the addresses of authorization and token
    And they are those of the SMART configuration
