"""A population's data at work: tokens of a backend service, exports from kick-off to deletion, files line by line."""
