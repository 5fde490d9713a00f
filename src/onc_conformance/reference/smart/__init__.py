"""The reference EHR's authorization server: SMART App Launch, with pages for people, and backend services."""
