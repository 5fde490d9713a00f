@g10 @authorization
Feature: Connections are secure
  45 CFR 170.315(g)(10)(iv) with the security considerations of SMART App Launch and FHIR: every endpoint in use is behind
  TLS 1.2 or later with a certificate that stands, and serves nothing without.

  @SEC-CNN-1
  Scenario: Every endpoint is behind TLS
    When the endpoints in use are gathered
    Then the address of each is one of TLS

  @SEC-CNN-1
  Scenario: Every endpoint speaks TLS 1.2 or later and proves who it is
    When a client that checks certificates shakes hands with each endpoint
    Then TLS 1.2 or later is agreed on, and the certificate stands

  @SEC-CNN-1
  Scenario Outline: <version> is refused
    When a client that knows <version> alone speaks to each endpoint
    Then it is refused

    Examples:
      | version |
      | TLS 1.0 |
      | TLS 1.1 |

  @SEC-CNN-1
  Scenario: Nothing is served without TLS
    When a client that knows no TLS asks at the port of each endpoint
    Then nothing is served
