@g10 @authorization
Feature: Who logged in
  45 CFR 170.315(g)(10)(v)(A): an app learns by OpenID Connect who uses it, from a token that it can verify.

  @AUT-PAT-17
  Scenario: The OpenID provider publishes its configuration
    When the symmetric app is launched by itself
    Then the OpenID configuration of the issuer has all that apps must know

  @AUT-PAT-17
  Scenario: The OpenID provider publishes its keys
    When the symmetric app is launched by itself
    Then the key set of the issuer has a public key to verify with

  @AUT-PAT-17
  Scenario Outline: The id_token of a launch <how> can be verified
    When the symmetric app is launched <how>
    Then the answer has an id_token
    And the id_token is signed with a published key
    And the id_token is of this issuer, for this app and this launch, and good now

    Examples:
      | how          |
      | by itself    |
      | from the EHR |

  @AUT-PAT-17
  Scenario Outline: The id_token of a launch <how> says who logged in
    When the symmetric app is launched <how>
    Then the fhirUser of the id_token can be read

    Examples:
      | how          |
      | by itself    |
      | from the EHR |
