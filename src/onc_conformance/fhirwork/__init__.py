"""A FHIR server at work: what it is asked for, what it answers, and what is to be said of it. Knows no scenario."""
