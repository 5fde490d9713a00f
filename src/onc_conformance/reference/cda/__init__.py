"""The reference EHR's own way of writing C-CDA R2.1: markup, header, sections and entries."""
