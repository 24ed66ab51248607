"""How a run of a pool is asked for: Celery's message, unless one waits, by one command of Redis.

See docs/adr/0010-a-run-is-asked-for-once.md.

`task.delay` is right everywhere else. Here a customer's ticket waits for it, and it costs about 1 ms of Python, several times
what the rest of the asking does. So Celery makes the message once a process and
pool, and later ones are that one with new ids. A test compares them with what Celery sends itself.
"""

import base64
import json
import threading
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from celery import Task
from kombu import Connection
from redis.exceptions import RedisError

from tickets.redis import Command, answered, client

KEPT_SECONDS = 3600  # Redis forgets a pool that nobody has asked for
# Keys: where to keep the message, list of the queue, where those lie that make this one needless while they wait. Arguments:
# seconds, message. A message lies in the list until a worker takes it, so whether the last one still waits can be seen, and
# nobody has to say that it was heard.
ASK = """
for place = 3, #KEYS do
    local last = redis.call('GET', KEYS[place])
    if last and redis.call('LPOS', KEYS[2], last) then
        return 0
    end
end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[1])
redis.call('LPUSH', KEYS[2], ARGV[2])
return 1
"""

# Headers that Celery itself writes (celery.app.amqp: task_message). Others are of traces and go no further than their message.
CELERYS = frozenset(
    {
        "lang", "task", "id", "shadow", "eta", "expires", "group", "group_index", "retries", "timelimit", "root_id",
        "parent_id", "argsrepr", "kwargsrepr", "origin", "ignore_result", "replaced_task_nesting", "stamped_headers", "stamps",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Letter:
    """A message as kombu's Redis transport stores it in the list `queue`, and the two ids in it that each has for itself."""

    queue: str
    text: str
    task_id: str
    tag: str

    body: str  # as it stands in it
    pool_id: int

    def again(self, coming: Any = None) -> str:
        """The same with new ids. `coming`: to be the task's second argument."""
        text = self.text.replace(self.task_id, str(uuid.uuid4())).replace(self.tag, str(uuid.uuid4()))
        return text if coming is None else text.replace(self.body, _body([self.pool_id, coming]))


def ask(task: "Task[Any, Any]", pool_id: int) -> bool:
    """Send `task(pool_id)` unless the last one still waits; returns whether it was sent. One command of Redis.

    Raises redis.exceptions.RedisError or OSError when Redis does not answer.
    """
    return bool(answered(command(task, pool_id)))


def command(task: "Task[Any, Any]", pool_id: int, coming: Any = None) -> Command:
    """What ask() says to Redis. `coming`: the ticket that asks, to be the task's second argument.

    The run of a ticket that is coming may read nothing else, so it is none for those who ask after it; but while one of these
    waits, further tickets need not be told of, since whoever is not ask()s after its commit.
    """
    letter = _letter(task, pool_id)
    asked, told = f"run-asked:{pool_id}", f"run-told:{pool_id}"
    if coming is None:
        return "EVAL", ASK, 3, asked, letter.queue, asked, KEPT_SECONDS, letter.again()
    return "EVAL", ASK, 4, told, letter.queue, asked, told, KEPT_SECONDS, letter.again(coming)


def again_say(pool_id: int) -> None:
    """Whoever runs the pool now shall ask for one more run. Without Redis nobody hears it; the tick finds what waits."""
    with suppress(RedisError, OSError):
        client().set(_again(pool_id), 1, ex=KEPT_SECONDS)


def again_heard(pool_id: int) -> bool:
    """Whether somebody has said so since the last time."""
    with suppress(RedisError, OSError):
        return client().getdel(_again(pool_id)) is not None
    return False


def _again(pool_id: int) -> str:
    return f"run-again:{pool_id}"


_letters: dict[tuple[str, int], Letter] = {}
_lock = threading.Lock()


def _letter(task: "Task[Any, Any]", pool_id: int) -> Letter:
    name = (task.name, pool_id)
    if name not in _letters:
        with _lock:  # the memory transport's lists are the process's
            _letters[name] = _written(task, pool_id)
    return _letters[name]


def _written(task: "Task[Any, Any]", pool_id: int) -> Letter:
    """Have Celery send the task into a list in memory, and take it out: kombu's transports make the same message of it."""
    with Connection("memory://") as connection, connection.Producer() as producer:
        task_id = str(uuid.uuid4())
        task.apply_async((pool_id,), task_id=task_id, producer=producer)
        queue = task.app.amqp.router.route({}, task.name)["queue"].name
        channel: Any = producer.channel
        message = channel._get(queue)
    # It is kept, and what it is first asked within, a task or a trace, is no parent of the later ones.
    written = {name: what for name, what in message["headers"].items() if name in CELERYS}
    message["headers"] = written | {"root_id": task_id, "parent_id": None}
    if message["body"] != _body([pool_id]):
        raise RuntimeError(f"this is no body of a task of ours: {message['body']}")
    tag = message["properties"]["delivery_tag"]
    return Letter(queue, json.dumps(message), task_id, tag, message["body"], pool_id)


def _body(args: list[Any]) -> str:
    """Arguments as Celery's JSON serializer and kombu's Redis transport write them."""
    nothing_else = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    return base64.b64encode(json.dumps([args, {}, nothing_else]).encode()).decode()
