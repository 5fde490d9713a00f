@g10
Feature: Documentation of the standardized API
  45 CFR 170.315(g)(10)(viii): the API's documentation says how to call it, what an app needs to do so, and how an app is
  registered; it stands behind a public hyperlink that opens for everybody.

  @API-DOC-2
  Scenario: The documentation of the standardized API opens without a login or any other gate
    When anybody opens the link to the documentation
    Then the documentation is there

  @beyond @API-DOC-2
  Scenario: The link to the documentation of the standardized API is secure
    When anybody opens the link to the documentation
    Then the link is secured by TLS

  @API-DOC-3
  Scenario: The base addresses of the service are published for machines to read
    When anybody opens the list of service base addresses
    Then it is a Bundle with this server's address and whom it serves

  @API-DOC-1
  Scenario Outline: The documentation of the standardized API covers <item>
    Given the documentation opens for everybody
    Then it covers "<name>"

    Examples:
      | name         | item                             |
      | syntax       | the syntax                       |
      | functions    | the function names               |
      | parameters   | the parameters and their types   |
      | returns      | what is returned                 |
      | exceptions   | exceptions and their handling    |
      | components   | software components and settings |
      | registration | the registration of an app       |

  @APP-REG-1 @APP-REG-2
  Scenario: The page on which an app is registered is there
    When anybody opens the page on which an app is registered
    Then it opens
