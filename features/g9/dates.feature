@g9
Feature: All data requests by date
  45 CFR 170.315(g)(9)(i)(B): the API answers all data requests for one specific date and for a range of dates with
  one or several CCDs. Calendar dates count, not times; the whole record is no answer to a request with dates.

  @G9-IB-SUT-1
  Scenario: An all data request for one day is answered
    When the app asks for all data of a day with data
    Then each of these requests is answered with data

  @G9-IB-TLV-1
  Scenario: An all data request for one day brings the data of that day
    When the app asks for all data of a day with data
    Then each answer holds the data of its dates and not the whole record

  @G9-IB-SUT-2
  Scenario: An all data request for a range is answered
    When the app asks for all data of a range with data
    Then each of these requests is answered with data

  @G9-IB-TLV-2
  Scenario: An all data request for a range brings the data within it
    When the app asks for all data of a range with data
    Then each answer holds the data of its dates and not the whole record

  @beyond @G9-IB-TLV-1
  Scenario Outline: An all data request for <window> brings nothing from outside it
    When the app asks for all data of <window>
    Then no answer holds data from outside its dates

    Examples:
      | window                |
      | the day before a fact |
      | the day after a fact  |

  @beyond @G9-IB-TLV-2
  Scenario Outline: An all data request over <window> brings nothing from outside it
    When the app asks for all data of <window>
    Then no answer holds data from outside its dates

    Examples:
      | window                       |
      | a range with an open end     |
      | a range with an open start   |
      | a window without data        |
      | a range with reversed bounds |

  @beyond @G9-IB-TLV-1
  Scenario: An all data request for a day of the answers' own facts brings nothing from outside it
    Given nobody wrote down what facts to expect
    When the app asks for all data of a day with data of the answers' own
    Then no answer holds data from outside its dates

  @beyond @G9-IB-TLV-2
  Scenario: An all data request for a range of the answers' own facts brings nothing from outside it
    Given nobody wrote down what facts to expect
    When the app asks for all data of a range with data of the answers' own
    Then no answer holds data from outside its dates

  @beyond @G9-IB-TLV-2
  Scenario: Two ranges that follow each other tell together what the whole record tells
    When the app asks for all data of two ranges that follow each other
    Then the two answers together tell what the whole record tells
