"""Facts of template rules read out of an official Schematron file: what it requires where, never how it says so."""
