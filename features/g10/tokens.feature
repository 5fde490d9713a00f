@g10 @authorization
Feature: The life of tokens
  45 CFR 170.315(g)(10)(v)(A) and (vii) with RFC 6749, RFC 7009 and RFC 7662: tokens are refreshed for what was granted and
  no more, they can be asked about, and they end.

  @AUT-PAT-20
  Scenario: A token is refreshed for fewer scopes
    When an app refreshes for the scope of the Patient alone
    Then an access token comes that opens the Patient and nothing else

  @AUT-PAT-20
  Scenario: A token is not refreshed for more than was granted
    When an app refreshes for more than it was granted
    Then it is given no more than it was granted

  @AUT-PAT-20
  Scenario: A refresh token is good again, or another comes in its place
    When an app uses its refresh token twice
    Then it is good both times, or another came and it is refused

  @AUT-PAT-21
  Scenario: A native app is given a refresh token for three months
    When the server is asked about the refresh token of the public app
    Then it is good for three months at least

  @AUT-PAT-22
  Scenario: A refresh token that is used is good for three months more
    When the server is asked about the refresh token of an app that used it
    Then it is good for three months at least

  @TOK-INTRO-1
  Scenario: A good token is told of
    When a resource server asks about an access token that is good
    Then it is told that it is active, for whom, for what and until when

  @TOK-INTRO-1
  Scenario Outline: A token <what> is not told of
    When a resource server asks about a token <what>
    Then it is told that a token <what> is not active

    Examples:
      | what                     |
      | that was never given out |
      | that has run out         |
      | that was withdrawn       |

  @TOK-INTRO-1
  Scenario Outline: No stranger is told of a token: <who>
    When <who> asks about an access token that is good
    Then <who> is told nothing

    Examples:
      | who                          |
      | nobody in particular         |
      | somebody with a wrong secret |

  @AUT-PAT-18 @waiting
  Scenario: A code that was not used in time is refused
    When an app exchanges a code that has run out
    Then no token comes back, but an error
