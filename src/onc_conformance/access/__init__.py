"""How a client proves itself and is let in: signatures, sessions, and the pieces of authorization by OAuth 2 and SMART.

Nothing here sends a request by itself or judges an answer. Requests are made as parameters that a caller may replace,
remove and add (`parameters.Change`): a conformance client must also send wrong ones. Answers are read as they are.
"""
