@g10 @bulk
Feature: Backend services
  45 CFR 170.315(g)(10)(v)(B) with 170.215(c) and (d): a service without a person in front of it proves itself with a
  signed assertion and is given a token for system scopes, and whoever does not prove it is given none.

  @AUT-SYS-1 @AUT-SYS-2
  Scenario: A registered service is given a token
    When the service asks for a token
    Then a token is given

  @AUT-SYS-1 @AUT-SYS-3
  Scenario Outline: An assertion signed with <algorithm> is taken
    When the service asks for a token with an assertion signed with <algorithm>
    Then a token is given

    Examples:
      | algorithm |
      | RS384     |
      | ES384     |

  @AUT-SYS-9
  Scenario: The answer says what the token is good for
    When the service asks for a token
    Then the answer has the fields and headers of a token response

  @AUT-SYS-2
  Scenario Outline: A request that <fault> is not answered with a token
    When the service asks for a token with a request that <fault>
    Then no token is given

    Examples:
      | fault                             |
      | has no grant_type                 |
      | has another grant_type            |
      | has no client_assertion_type      |
      | has another client_assertion_type |
      | has no client_assertion           |
      | has an assertion that is none     |

  @AUT-SYS-3
  Scenario Outline: An assertion that <fault> is not taken
    When the service asks for a token with a request that <fault>
    Then no token is given

    Examples:
      | fault      |
      | has no iss |
      | has no sub |
      | has no aud |
      | has no exp |
      | has no jti |

  @AUT-SYS-6
  Scenario Outline: An assertion that <fault> is not believed
    When the service asks for a token with a request that <fault>
    Then no token is given

    Examples:
      | fault                                     |
      | is not signed                             |
      | is signed by a key that nobody registered |
      | is signed by a key that it brings along   |
      | is signed with the public key for a secret |
      | says something else than was signed       |
      | has run out                               |
      | is good for a day                         |
      | is meant for another server               |
      | is issued by another client               |
      | is about another client than its issuer   |
      | has another issuer than it is about       |

  @AUT-SYS-6
  Scenario: An assertion is worth one token
    When the service asks for two tokens with one assertion
    Then the second is not given

  @AUT-SYS-7
  Scenario: Whoever does not prove themselves is told invalid_client
    When the service asks for tokens with every assertion that must not be believed
    Then each error fits what was wrong

  @AUT-SYS-10
  Scenario: Other faults have errors of their own
    When the service asks for tokens with every other fault
    Then each error fits what was wrong

  @AUT-SYS-10
  Scenario Outline: A request that <fault> is refused
    When the service asks for a token with a request that <fault>
    Then no token is given

    Examples:
      | fault                              |
      | asks for a scope that nobody knows |
      | asks for no scope                  |

  @AUT-SYS-8
  Scenario: No scope is granted beyond those registered
    When the service asks for a scope that it is not registered for
    Then that scope is not granted

  @AUT-SYS-4
  Scenario: A key at the address that the service registered is used
    When the service proves itself with keys at its own address
    Then a token is given for the key found there

  @AUT-SYS-5
  Scenario: A key that was exchanged is not believed any longer
    When the service proves itself with keys at its own address
    Then the key that came after it is known, and the one taken away is not
