"""What processes of the tests do with a document; here, so that they can import it."""

import os
import signal
import time
from pathlib import Path

from onc_conformance.batch.work import Told


def told(verdict, text):
    return Told(verdict, text, frozenset())


class Labour:
    """Does what the document says: die, hang, leave, meet another, or tell the process that judged it."""

    def __call__(self, source):
        word = source.data.decode()
        if word == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "leave":
            os._exit(3)
        if word == "hang":
            time.sleep(3600)
        if word.startswith("meet "):
            place = Path(word.removeprefix("meet "))
            (place / str(os.getpid())).touch()
            while len(list(place.iterdir())) < 2:
                time.sleep(0.01)
        return told("pass", source.refusal.rule if source.refusal else f"{source.path} {os.getpid()}")

    def lost(self, path, said):
        return told("error", f"{path} {said}")


class Unwilling(Labour):
    """Cannot be sent to a process."""

    def __reduce__(self):
        return (os._exit, (7,))
