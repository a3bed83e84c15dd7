"""The local stack: every server of the worked case, started privately and without containers.

`stack` composes the parts; `process` and `server` say what a part is; one file per server.
"""

from deploy.stack.database import Database as Database
from deploy.stack.errors import StackError as StackError
from deploy.stack.ports import Ports as Ports
from deploy.stack.stack import Options as Options
from deploy.stack.stack import Stack as Stack
