@g9
Feature: Documentation of the all data request
  45 CFR 170.315(g)(9)(ii): the API's documentation says how to call it, what an app needs to do so, and under which
  terms; it stands behind a public hyperlink that opens for everybody.

  @G9-IIB-SUT-1 @G9-IIB-TLV-1
  Scenario: The documentation of the all data request opens without a login or any other gate
    When anybody opens the link to the documentation
    Then the documentation is there

  @beyond @G9-IIB-TLV-1
  Scenario: The link to the documentation of the all data request is secure
    When anybody opens the link to the documentation
    Then the link is secured by TLS

  @G9-IIA1-SUT-1 @G9-IIA1-TLV-1
  Scenario Outline: The documentation of the all data request covers <item>
    Given the documentation opens for everybody
    Then it covers "<name>"

    Examples:
      | name       | item                                |
      | syntax     | the syntax                          |
      | functions  | the function names                  |
      | parameters | the parameters and their types      |
      | returns    | what is returned                    |
      | exceptions | exceptions and their handling       |
      | dates      | requests by date and range of dates |

  @G9-IIA2-SUT-1 @G9-IIA2-TLV-1
  Scenario Outline: The documentation of the all data request covers <item>, as an app needs it
    Given the documentation opens for everybody
    Then it covers "<name>"

    Examples:
      | name         | item                             |
      | components   | software components and settings |
      | registration | the registration of an app       |

  @G9-IIA3-SUT-1 @G9-IIA3-TLV-1
  Scenario: The terms of use of the all data request are there to read
    Then the terms of use open for everybody
