@g8
Feature: Data category requests by date
  45 CFR 170.315(g)(8)(i)(B): the API answers requests for the data of one specific date and for the data within
  a range of dates. Calendar dates count, not times; the whole record is no answer to a request with dates.

  @G8-IB-SUT-1
  Scenario: A category request for one day is answered
    When the app asks for each dated category on a day with data
    Then each of these requests is answered with data

  @G8-IB-TLV-1
  Scenario: A category request for one day brings the data of that day
    When the app asks for each dated category on a day with data
    Then each answer holds the data of its dates and not the whole record

  @G8-IB-SUT-2
  Scenario: A category request for a range is answered
    When the app asks for each dated category over a range with data
    Then each of these requests is answered with data

  @G8-IB-TLV-2
  Scenario: A category request for a range brings the data within it
    When the app asks for each dated category over a range with data
    Then each answer holds the data of its dates and not the whole record

  @beyond @G8-IB-TLV-1
  Scenario Outline: A category request for <window> brings nothing from outside it
    When the app asks for each dated category over <window>
    Then no answer holds data from outside its dates

    Examples:
      | window                |
      | the day before a fact |
      | the day after a fact  |

  @beyond @G8-IB-TLV-2
  Scenario Outline: A category request over <window> brings nothing from outside it
    When the app asks for each dated category over <window>
    Then no answer holds data from outside its dates

    Examples:
      | window                       |
      | a range with an open end     |
      | a range with an open start   |
      | a window without data        |
      | a range with reversed bounds |

  @beyond @G8-IB-TLV-1
  Scenario: A category request for a day of the answers' own facts brings nothing from outside it
    Given nobody wrote down what facts to expect
    When the app asks for each dated category over a day with data of the answers' own
    Then no answer holds data from outside its dates

  @beyond @G8-IB-TLV-2
  Scenario: A category request for a range of the answers' own facts brings nothing from outside it
    Given nobody wrote down what facts to expect
    When the app asks for each dated category over a range with data of the answers' own
    Then no answer holds data from outside its dates
