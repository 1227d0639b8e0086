"""The app whose functions `calls` are made to; kept as text because both workers load it into their own process."""

from tests.host.definitions import HEADER

SOURCE = (
    HEADER
    + """
import http, time
RETURN = dict(arg_name="$return", queue_name="o", connection="C")
class Odd: pass
VALUES = {
    "none": None, "text": "x", "empty": "", "bytes": b"\\xff", "int": 5, "true": True, "float": 1.5, "dict": {"a": 1},
    "list": ["a", "b"], "ints": [1, 2], "object": Odd(), "message": func.QueueMessage(id="1", body="b"),
    "messages": [func.QueueMessage(body="b"), "c"], "tuple": ("a",),
    "generator": (x for x in "ab"), "bytearray": bytearray(b"x"),
}

def describe(value):
    if isinstance(value, (str, bytes)) or value is None:
        return [type(value).__name__, repr(value)]
    names = ["id", "subject", "topic", "event_type", "event_time", "data_version", "dequeue_count", "insertion_time",
             "expiration_time", "time_next_visible", "pop_receipt", "past_due", "schedule", "schedule_status", "method",
             "url", "params", "route_params", "source", "type", "time", "specversion"]
    found = {name: repr(getattr(value, name)) for name in names if hasattr(value, name)}
    for name in ("headers",):
        if hasattr(value, name): found[name] = repr(sorted(dict(getattr(value, name)).items()))
    for name in ("get_body", "get_json"):
        if hasattr(value, name):
            try: found[name] = repr(getattr(value, name)())
            except Exception as error: found[name] = type(error).__name__
    return [type(value).__name__, found]

def told(*values):
    return json.dumps([describe(value) for value in values])

@app.queue_output(**OUT)
@app.queue_trigger(**QUEUE)
def queue_message(m: func.QueueMessage, o: func.Out[str]): o.set(told(m))

@app.queue_output(**OUT)
@app.queue_trigger(**QUEUE)
def queue_plain(m, o: func.Out[str]): o.set(told(m))

@app.queue_output(**OUT)
@app.queue_trigger(**QUEUE)
def queue_str(m: str, o: func.Out[str]): o.set(told(m))

@app.queue_output(**OUT)
@app.queue_trigger(**QUEUE)
async def queue_async(m: func.QueueMessage, o: func.Out[str]): o.set(told(m))

@app.queue_output(**OUT)
@app.queue_trigger(**QUEUE)
def sets_str(m: str, o: func.Out[str]): o.set(VALUES[m])

@app.queue_output(**OUT)
@app.queue_trigger(**QUEUE)
def sets_plain(m: str, o): o.set(VALUES[m])

@app.queue_output(**OUT)
@app.queue_trigger(**QUEUE)
def sets_list(m: str, o: func.Out[List[str]]): o.set(VALUES[m])

@app.queue_output(**OUT)
@app.queue_trigger(**QUEUE)
def sets_nothing(m: str, o: func.Out[str]): pass

@app.queue_output(**OUT)
@app.queue_trigger(**QUEUE)
def sets_and_fails(m: str, o: func.Out[str]):
    o.set("x")
    raise ValueError("no")

@app.queue_trigger(**QUEUE)
def returns(m: str): return VALUES[m]

@app.queue_trigger(**QUEUE)
async def returns_async(m: str): return VALUES[m]

@app.queue_output(**RETURN)
@app.queue_trigger(**QUEUE)
def returns_bound(m: str): return VALUES[m]

@app.queue_output(**RETURN)
@app.queue_trigger(**QUEUE)
async def returns_bound_async(m: str) -> str: return VALUES[m]

@app.queue_trigger(**QUEUE)
def fails(m: str): raise {"k": KeyError, "s": StopIteration, "l": LookupError}[m]("gone")

@app.queue_trigger(**QUEUE)
async def fails_async(m: str): raise KeyError("gone")

@app.queue_output(**OUT)
@app.queue_trigger(**QUEUE)
def with_context(m: str, context: func.Context, o: func.Out[str]):
    o.set(json.dumps([context.function_name, context.invocation_id, context.retry_context.retry_count,
        context.retry_context.max_retry_count, context.thread_local_storage.invocation_id,
        context.trace_context.trace_parent]))

@app.queue_output(**OUT)
@app.event_grid_trigger(arg_name="e")
def event(e: func.EventGridEvent, o: func.Out[str]): o.set(told(e))

@app.queue_output(**OUT)
@app.event_grid_trigger(arg_name="e")
def event_str(e: str, o: func.Out[str]): o.set(told(e))

@app.queue_output(**OUT)
@app.timer_trigger(arg_name="t", schedule="0 * * * * *")
def timer(t: func.TimerRequest, o: func.Out[str]): o.set(told(t))

@app.route(route="told")
def http_told(req: func.HttpRequest) -> func.HttpResponse: return func.HttpResponse(told(req))

RESPONSES = {
    "plain": lambda: func.HttpResponse("x"),
    "created": lambda: func.HttpResponse(b"\\xff", status_code=http.HTTPStatus.CREATED, mimetype="image/png"),
    "headers": lambda: func.HttpResponse("x", headers={"A": "1", "Content-Type": "text/x"}),
    "cookie": lambda: func.HttpResponse("x", headers={"Set-Cookie": "a=b; Path=/; HttpOnly"}),
    "empty": lambda: func.HttpResponse(status_code=204),
    "text": lambda: "plain text",
    "none": lambda: None,
    "dict": lambda: {"body": "x"},
    "bytes": lambda: b"x",
    "tuple": lambda: ("x", 200),
}

@app.route(route="answers")
def http_answers(req: func.HttpRequest): return RESPONSES[req.params["how"]]()

@app.route(route="out", binding_arg_name="o")
def http_out(req: func.HttpRequest, o: func.Out[func.HttpResponse]): o.set(RESPONSES[req.params["how"]]())
"""
)
