@g10 @authorization
Feature: Authorization is refused where it must be
  45 CFR 170.315(g)(10)(v)(A) with RFC 6749, RFC 7636 and SMART App Launch: a wrong request is refused in the form that the
  standard has for it, and nothing comes back. Each is a right request with one thing wrong.

  @AUT-PAT-13 @AUT-PAT-37
  Scenario: A request for another server's data is refused
    When an app asks for authorization with the address of another FHIR server as its audience
    Then no code comes back, but an error or an error page

  @AUT-PAT-18
  Scenario Outline: A request with <what> is refused
    When an app asks for authorization with <what>
    Then no code comes back, but an error or an error page

    Examples:
      | what                                      |
      | a client id that nobody registered        |
      | a redirect address that nobody registered |
      | a redirect address on another host        |
      | a response type that nobody asks for      |

  @AUT-PAT-18
  Scenario: A launch that the EHR never gave out is refused
    When an app asks for authorization with a launch that the EHR never gave out
    Then no code comes back, but an error or an error page

  @AUT-PAT-18
  Scenario: A user who refuses is heard
    When the user refuses what an app asks for
    Then no code comes back, but an error or an error page

  @AUT-PAT-31
  Scenario Outline: A request for authorization with <what> is refused
    When an app asks for authorization with <what>
    Then no code comes back, but an error or an error page

    Examples:
      | what                   |
      | no PKCE challenge      |
      | a plain PKCE challenge |

  @AUT-PAT-31
  Scenario Outline: A code with <what> is refused
    When an app exchanges a code with <what>
    Then no token comes back, but an error

    Examples:
      | what                                |
      | another PKCE verifier               |
      | a blank PKCE verifier               |
      | no PKCE verifier                    |
      | the PKCE challenge as its verifier  |

  @AUT-PAT-18
  Scenario Outline: A code is refused, <which>
    When an app exchanges a code, <which>
    Then no token comes back, but an error

    Examples:
      | which                                     |
      | one that was never given out              |
      | one of another app                        |
      | one with another redirect address         |
      | one without the redirect address          |
      | one with a kind of grant that there is not |

  @AUT-PAT-18
  Scenario: A code is good once
    When an app exchanges a code twice
    Then no token comes back the second time, but an error
    And the token of the first time is good no more

  @AUT-PAT-18
  Scenario Outline: An app with <what> is refused
    When an app exchanges its code with <what>
    Then no token comes back, but an error

    Examples:
      | what                                 |
      | a wrong secret                       |
      | no secret                            |
      | a client id that nobody registered   |
      | an assertion signed with another key |
      | no assertion                         |

  @AUT-PAT-18 @assertions
  Scenario Outline: An app with an assertion <what> is refused
    When the app that signs exchanges its code with an assertion <what>
    Then no token comes back, but an error

    Examples:
      | what                                         |
      | that is not signed                           |
      | that is signed by a key that it brings along |
      | that is signed with the public key for a secret |
      | that says something else than was signed     |
      | that has run out                             |
      | that is meant for another server             |
      | that is issued by another client             |
      | that is about another client than its issuer |
      | that has another issuer than it is about     |

  @AUT-PAT-18 @assertions
  Scenario: An assertion is good once
    When the app that signs uses one assertion twice
    Then no token comes back, but an error

  @AUT-PAT-23
  Scenario Outline: A refresh token that is not valid is refused, <which>
    When an app refreshes with a refresh token, <which>
    Then no token comes back, but an error

    Examples:
      | which                        |
      | one that was never given out |
      | one of another app           |
      | an access token in its place |

  @AUT-PAT-23
  Scenario: A refresh token is worth nothing without the secret of its app
    When an app that keeps a secret refreshes without it
    Then no token comes back, but an error

  @AUT-PAT-23
  Scenario: A refresh token that was given back is refused
    When an app gives its refresh token back
    Then the token can be given back
    And the refresh token is good no more
