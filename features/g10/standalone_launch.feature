@g10 @authorization
Feature: Apps launched by themselves
  45 CFR 170.315(g)(10)(v)(A): an app asks for authorization, a patient logs in and agrees, and a code comes back that is
  exchanged for a token. Each launch is made once and judged by many scenarios.

  @AUT-PAT-1 @AUT-PAT-3
  Scenario: An app that keeps a secret is authorized
    When the symmetric app is launched by itself
    Then the app is given an access token

  @AUT-PAT-4
  Scenario: An app that can keep no secret is authorized
    When the public app is launched by itself
    Then the app is given an access token

  @AUT-PAT-8 @AUT-PAT-26
  Scenario Outline: A request for authorization of the <kind> app is taken
    When the <kind> app is launched by itself
    Then a code comes back

    Examples:
      | kind       |
      | public     |
      | symmetric  |
      | asymmetric |

  @AUT-PAT-27
  Scenario: A request for authorization is taken by GET and by POST
    When the symmetric app is launched by itself
    Then a code comes back
    When the symmetric app is launched by itself with a request by POST
    Then a code comes back

  @AUT-PAT-14
  Scenario Outline: The <kind> app is sent a code and the state of its request
    When the <kind> app is launched by itself
    Then the state of the request comes back with the code at the registered address

    Examples:
      | kind       |
      | public     |
      | symmetric  |
      | asymmetric |

  @AUT-PAT-15 @AUT-PAT-30
  Scenario Outline: The <kind> app exchanges its code for a token
    When the <kind> app is launched by itself
    Then the token endpoint gives an access token for the code

    Examples:
      | kind       |
      | public     |
      | symmetric  |
      | asymmetric |

  @AUT-PAT-16 @AUT-PAT-35
  Scenario Outline: The answer with the token of the <kind> app tells all it must
    When the <kind> app is launched by itself
    Then the answer is JSON that is not stored, with the type, life and scopes of a bearer token
    And there is a refresh token where offline access was granted

    Examples:
      | kind       |
      | public     |
      | symmetric  |
      | asymmetric |

  @AUT-PAT-9 @AUT-PAT-28
  Scenario Outline: Scopes of version <form> that the user agrees to are granted
    When an app is launched by itself for scopes of version <form>
    Then the scopes that were asked for are granted

    Examples:
      | form |
      | 1    |
      | 2    |

  @AUT-PAT-28 @AUT-PAT-33
  Scenario: Scopes for parts of resources that the user agrees to are granted
    When an app is launched by itself for parts of Conditions and Observations
    Then the scopes for resources that were asked for are granted

  @AUT-PAT-33
  Scenario: Scopes for parts of resources open their doors
    When an app is launched by itself for parts of Conditions and Observations
    Then each granted scope opens its door

  @AUT-PAT-10 @AUT-PAT-33
  Scenario: A user grants single types of resources
    When an app is launched by itself by a user who grants little
    Then what the user granted is granted
    And each granted scope opens its door

  @AUT-PAT-19 @AUT-PAT-36
  Scenario Outline: The token of the <kind> app opens the patient's own record
    When the <kind> app is launched by itself
    Then the token opens the Patient in context

    Examples:
      | kind       |
      | public     |
      | symmetric  |
      | asymmetric |

  @AUT-PAT-19 @AUT-PAT-36
  Scenario: The token opens the record that a clinician chose
    When an app is launched by itself by a clinician who chooses a patient
    Then the token opens the Patient in context

  @AUT-PAT-19 @AUT-PAT-36
  Scenario: A token that was got by hand opens the patient's own record
    When a token was got by hand
    Then it opens the Patient it was given for

  @AUT-PAT-20
  Scenario Outline: A refresh token of the <kind> app gives another access token
    When the <kind> app is launched by itself
    And the app uses its refresh token
    Then another access token is given for the same scopes and context
    And it opens the Patient in context

    Examples:
      | kind       |
      | public     |
      | symmetric  |
      | asymmetric |
