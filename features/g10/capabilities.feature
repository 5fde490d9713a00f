@g10
Feature: What the FHIR server says of itself
  45 CFR 170.315(g)(10)(ii) with 170.215(a) and (b)(1): the server answers the capabilities interaction of FHIR R4 and
  supports what the server capability statement of US Core demands.

  @SH-PAT-1
  Scenario: The server publishes a capability statement
    When the app asks the FHIR server what it is capable of
    Then a capability statement of FHIR R4 in JSON comes back

  @SH-PAT-1
  Scenario: The capability statement declares what US Core demands
    When the app asks the FHIR server what it is capable of
    Then it declares the types, profiles, reads and searches of US Core

  @beyond @SH-PAT-1
  Scenario: The capability statement says that it is a US Core server's
    When the app asks the FHIR server what it is capable of
    Then it instantiates the server capability statement of US Core
