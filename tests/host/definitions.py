"""App definitions and what Azure's language worker says of each: it loads, or no function of it does."""

from dataclasses import dataclass

HEADER = """
import json, typing
from typing import Any, Callable, Dict, List, Optional, Union
import azure.functions as func
app = func.FunctionApp()
QUEUE = dict(arg_name="m", queue_name="q", connection="AzureWebJobsStorage")
OUT = dict(arg_name="o", queue_name="o", connection="AzureWebJobsStorage")
HTTP = dict(route="x")
"""


@dataclass(frozen=True, slots=True)
class Definition:
    """One app: an id for the test's name, its source and the verdict."""

    name: str
    source: str
    loads: bool

    @property
    def whole(self) -> str:
        return self.source if self.source.startswith("#!") else HEADER + self.source


def _queue(signature: str, extra: str = "") -> str:
    return f"{extra}\n@app.queue_trigger(**QUEUE)\ndef f{signature}:\n    pass\n".lstrip("\n")


def _out(signature: str) -> str:
    return f"@app.queue_output(**OUT)\n@app.queue_trigger(**QUEUE)\ndef f{signature}:\n    pass\n"


def _http(signature: str) -> str:
    return f"@app.route(**HTTP)\ndef f{signature}:\n    pass\n"


def _grid(signature: str) -> str:
    return f'@app.event_grid_trigger(arg_name="e")\ndef f{signature}:\n    pass\n'


def _timer(signature: str) -> str:
    return f'@app.timer_trigger(arg_name="t", schedule="0 * * * * *")\ndef f{signature}:\n    pass\n'


def _retry(arguments: str) -> str:
    return f"@app.retry({arguments})\n" + _timer("(t)")


GOOD = {
    "an app without functions": "",
    "queue message": _queue("(m: func.QueueMessage)"),
    "queue message with None return": _queue("(m: func.QueueMessage) -> None"),
    "queue as str": _queue("(m: str)"),
    "queue as bytes": _queue("(m: bytes)"),
    "queue without annotation": _queue("(m)"),
    "queue with context": _queue("(m: str, context: func.Context)"),
    "context without annotation": _queue("(m: str, context)"),
    "any return annotation without a return binding": _queue("(m: str) -> List[int]"),
    "annotations as strings": _queue("(m: 'func.QueueMessage') -> 'None'"),
    "async": "@app.queue_trigger(**QUEUE)\nasync def f(m: func.QueueMessage) -> None:\n    pass\n",
    "parameter with a default": _queue("(m: str = 'x')"),
    "out of str": _out("(m: str, o: func.Out[str])"),
    "out of bytes": _out("(m: str, o: func.Out[bytes])"),
    "out of List[str]": _out("(m: str, o: func.Out[List[str]])"),
    "out of Dict, which is iterable": _out("(m: str, o: func.Out[Dict[str, int]])"),
    "out of queue message": _out("(m: str, o: func.Out[func.QueueMessage])"),
    "out without annotation": _out("(m: str, o)"),
    "http": _http("(req: func.HttpRequest) -> func.HttpResponse"),
    "http returning str": _http("(req: func.HttpRequest) -> str"),
    "http without annotations": _http("(req)"),
    "http request as str": _http("(req: str) -> str"),
    "http with an own binding name": (
        '@app.route(route="x", binding_arg_name="o")\ndef f(req: func.HttpRequest, o: func.Out[str]):\n    pass\n'
    ),
    "queue returned": (
        '@app.queue_output(arg_name="$return", queue_name="o", connection="C")\n' + _queue("(m: str) -> str")
    ),
    "event": _grid("(e: func.EventGridEvent)"),
    "cloud event": _grid("(e: func.CloudEvent)"),
    "event as str": _grid("(e: str)"),
    "timer": _timer("(t: func.TimerRequest) -> None"),
    "a schedule nobody can read": '@app.timer_trigger(arg_name="t", schedule="nonsense")\ndef f(t):\n    pass\n',
    "fixed retry": _retry('strategy="fixed_delay", max_retry_count="3", delay_interval="00:00:05"'),
    "exponential retry": _retry('strategy="exponential_backoff", max_retry_count="-1", minimum_interval="00:00:01"'),
    "registered blueprint": (
        "bp = func.Blueprint()\n@bp.queue_trigger(**QUEUE)\ndef f(m: str):\n    pass\napp.register_functions(bp)\n"
    ),
    "unregistered blueprint": "bp = func.Blueprint()\n@bp.queue_trigger(**QUEUE)\ndef f(m: int):\n    pass\n",
    "wsgi app": (
        '#!\nimport azure.functions as func\napp = func.WsgiFunctionApp(app=lambda e, s: [], function_name="api")\n'
    ),
    "a binding type without converter": (
        '@app.generic_trigger(arg_name="m", type="strangeTrigger")\ndef f(m: str) -> str:\n    pass\n'
    ),
    "named function": '@app.function_name(name="other")\n' + _queue("(m: str)"),
}

BAD = {
    "parameter without binding": _queue("(m: str, extra: str)"),
    "binding without parameter": _queue("()"),
    "other parameter name": _queue("(message: str)"),
    "star arguments": _queue("(m: str, *args)"),
    "queue as int": _queue("(m: int)"),
    "queue as dict": _queue("(m: dict)"),
    "queue as Optional": _queue("(m: Optional[func.QueueMessage])"),
    "queue as new union": _queue("(m: func.QueueMessage | None)"),
    "queue as List": _queue("(m: List[func.QueueMessage])"),
    "queue as list": _queue("(m: list[str])"),
    "queue as Any": _queue("(m: Any)"),
    "queue as Callable": _queue("(m: Callable[[], int])"),
    "queue as http request": _queue("(m: func.HttpRequest)"),
    "queue as text": _queue("(m: 'Unknown')"),
    "queue annotated with a value": _queue("(m: 5)"),
    "queue annotated Out": _queue("(m: func.Out[str])"),
    "context of another type": _queue("(m: str, context: dict)"),
    "context as Optional": _queue("(m: str, context: Optional[func.Context])"),
    "out binding not annotated Out": _out("(m: str, o: str)"),
    "Out without argument": _out("(m: str, o: func.Out)"),
    "out of int": _out("(m: str, o: func.Out[int])"),
    "out of list": _out("(m: str, o: func.Out[list[str]])"),
    "out of List[int]": _out("(m: str, o: func.Out[List[int]])"),
    "out of Optional": _out("(m: str, o: func.Out[Optional[str]])"),
    "http returning None": _http("(req: func.HttpRequest) -> None"),
    "http returning int": _http("(req: func.HttpRequest) -> int"),
    "http returning List[str]": _http("(req: func.HttpRequest) -> List[str]"),
    "http returning bytes": _http("(req: func.HttpRequest) -> bytes"),
    "http returning Optional": _http("(req: func.HttpRequest) -> Optional[func.HttpResponse]"),
    "http returning Out": _http("(req: func.HttpRequest) -> func.Out[str]"),
    "http request as dict": _http("(req: dict) -> str"),
    "queue returned as List[str]": (
        '@app.queue_output(arg_name="$return", queue_name="o", connection="C")\n' + _queue("(m: str) -> List[str]")
    ),
    "queue returned as None": (
        '@app.queue_output(arg_name="$return", queue_name="o", connection="C")\n' + _queue("(m: str) -> None")
    ),
    "event as dict": _grid("(e: dict)"),
    "event as a list of events": _grid("(e: List[func.EventGridEvent])"),
    "event as a union": _grid("(e: Union[func.EventGridEvent, func.CloudEvent])"),
    "timer as dict": _timer("(t: dict)"),
    "no trigger": "@app.queue_output(**OUT)\ndef f(o: func.Out[str]):\n    pass\n",
    "two triggers": '@app.timer_trigger(arg_name="t", schedule="0 * * * * *")\n' + _queue("(m: str, t)"),
    "two functions of one name": _queue("(m: str)") + _queue("(m: bytes)"),
    "two names for one app": "again = app\n" + _queue("(m: str)"),
    "two apps": "second = func.FunctionApp()\n" + _queue("(m: str)"),
    "no app": "#!\nimport azure.functions as func\n",
    "only a blueprint": "#!\nimport azure.functions as func\napp = func.Blueprint()\n",
    "import error": "import there_is_no_such_module\n",
    "syntax error": "def f(:\n",
    "error at import": "1 / 0\n",
    "retry without its interval": _retry('strategy="fixed_delay", max_retry_count="3"'),
    "retry with a bad interval": _retry('strategy="fixed_delay", max_retry_count="3", delay_interval="soon"'),
    "retry with a bad count": _retry('strategy="fixed_delay", max_retry_count="often", delay_interval="00:00:05"'),
    "inout binding": (
        '@app.generic_input_binding(arg_name="o", type="strange")\n' + _queue("(m: str, o: func.Out[str])")
    ),
    "one bad function among good ones": _grid("(e: func.EventGridEvent)") + _queue("(m: int)"),
}

DEFINITIONS = [Definition(name, source, True) for name, source in GOOD.items()]
DEFINITIONS += [Definition(name, source, False) for name, source in BAD.items()]
