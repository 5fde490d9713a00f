@g10 @authorization
Feature: Withdrawn access ends
  45 CFR 170.315(g)(10)(vi): a patient withdraws what an app was granted, and within an hour the app gets no more data.

  @PAR-1
  Scenario: A patient withdraws what an app was granted
    When a patient withdraws an app on the page that lists them
    Then the patient found the app there
    And the app can renew its access no more
    And the app gets no more data

  @beyond @PAR-1
  Scenario: A token that an app gives back is good no more
    When an app gives its access token back
    Then the token can be given back
    And the access token is good no more

  @beyond @PAR-1
  Scenario: A token is not withdrawn by an app that it was not given to
    When an app gives back the access token of another app
    Then the access token is still good
