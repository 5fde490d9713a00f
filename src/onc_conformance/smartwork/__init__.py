"""SMART App Launch at work: apps launched and authorized at one target, and what their answers are objected to for."""
