"""How a client proves itself: signatures and sessions."""
