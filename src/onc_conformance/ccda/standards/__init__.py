"""Rule files of HL7's that a user imported, and documents judged by them instead of by the tables of this project."""
