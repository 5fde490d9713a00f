"""Facts of template rules read out of an official Schematron file: what is required where, never how it is said there."""
