"""How one supervisor gives way to the next, as two tables (pure).

    old                                       new
    CHECKING   starts the new one             WARMING   reads settings and rules, starts its data
                                                        plane on the inherited sockets
               <------------------ READY ---  WAITING   its workers accept, and so do the old ones
    ENDING     ends its controller and
               shadow workers
    HANDING    frees the roles  --- YOURS -->  STARTING  claims the roles, starts its controller
               <------------------- DONE ---  OWNING    it is the service now
    HANDED     retires its workers

The one step that cannot be taken back, to retire the old workers, is the last. Until then the old
supervisor goes on as if nothing had been whenever the new one fails, dies or is late: its data
plane has never stopped, and its controller begins anew from what it wrote down. In between nobody
judges for a moment, as when a controller is restarted: the data plane serves by its snapshot, and
what operators ask waits in the queue of the API's socket.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class Old(Enum):
    """Where the old supervisor stands."""

    CHECKING = "checking"
    ENDING = "ending"
    HANDING = "handing"
    HANDED = "handed"
    KEPT = "kept"


class OldEvent(Enum):
    """What it learns."""

    READY = "ready"
    ENDED = "ended"  # controller and shadow workers are gone
    DONE = "done"
    FAILED = "failed"  # the new one said so, or died
    LATE = "late"


class OldAct(Enum):
    """What it does then."""

    END_REST = "end the controller and the shadow workers"
    FREE_ROLES = "free the roles and say so"
    RETIRE = "retire the data plane"
    TAKE_BACK = "take the roles back and start what was ended"


class New(Enum):
    """Where the new supervisor stands."""

    WARMING = "warming"
    WAITING = "waiting"
    STARTING = "starting"
    OWNING = "owning"
    GONE = "gone"


class NewEvent(Enum):
    """What it learns."""

    SERVING = "serving"  # its data plane accepts connections
    YOURS = "yours"
    ORPHANED = "orphaned"  # the old one has died: nobody else will serve
    COMPLETE = "complete"  # its controller is ready, too
    FAILED = "failed"  # one of its processes ended


class NewAct(Enum):
    """What it does then."""

    SAY_READY = "say that it accepts connections"
    TAKE_OVER = "claim the roles and start the rest"
    OWN = "be the service, and say so"
    RETREAT = "end what it has started, without touching the sockets"


OLD: Final[Mapping[tuple[Old, OldEvent], tuple[Old, OldAct]]] = {
    (Old.CHECKING, OldEvent.READY): (Old.ENDING, OldAct.END_REST),
    (Old.ENDING, OldEvent.ENDED): (Old.HANDING, OldAct.FREE_ROLES),
    (Old.HANDING, OldEvent.DONE): (Old.HANDED, OldAct.RETIRE),
    **{
        (stage, event): (Old.KEPT, OldAct.TAKE_BACK)
        for stage in (Old.CHECKING, Old.ENDING, Old.HANDING)
        for event in (OldEvent.FAILED, OldEvent.LATE)
    },
}

NEW: Final[Mapping[tuple[New, NewEvent], tuple[New, NewAct]]] = {
    (New.WARMING, NewEvent.SERVING): (New.WAITING, NewAct.SAY_READY),
    (New.WAITING, NewEvent.YOURS): (New.STARTING, NewAct.TAKE_OVER),
    (New.WAITING, NewEvent.ORPHANED): (New.STARTING, NewAct.TAKE_OVER),
    (New.STARTING, NewEvent.COMPLETE): (New.OWNING, NewAct.OWN),
    # A controller that fails is restarted by whoever is the only one left.
    (New.STARTING, NewEvent.ORPHANED): (New.OWNING, NewAct.OWN),
    **{
        (stage, NewEvent.FAILED): (New.GONE, NewAct.RETREAT)
        for stage in (New.WARMING, New.WAITING, New.STARTING)
    },
}
