"""One function of every kind. What they saw goes to the queue `seen`, one JSON line each."""

import asyncio
import json
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, List  # noqa: UP035

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
STORE = "AzureWebJobsStorage"
SEEN = "%PREFIX%seen"
busy = 0
lock = threading.Lock()


def line(**values: object) -> str:
    return "seen " + json.dumps({"at": datetime.now(UTC).isoformat(), **values})


@app.event_grid_trigger(arg_name="event")
@app.queue_output(arg_name="seen", queue_name=SEEN, connection=STORE)
def on_event(event: func.EventGridEvent, seen: func.Out[str]) -> None:
    if event.subject == "bad":
        raise RuntimeError("this event is bad")
    seen.set(line(event=event.id, data=event.get_json(), time=str(event.event_time)))


@app.queue_trigger(arg_name="message", queue_name="%PREFIX%work", connection=STORE)
@app.queue_output(arg_name="seen", queue_name=SEEN, connection=STORE)
def on_work(message: func.QueueMessage, seen: func.Out[str]) -> None:
    body = message.get_body()
    what, _, argument = body.decode("utf-8", "replace").partition(" ")
    if what == "fail":
        print(f"attempt {message.dequeue_count} at {time.time()}", flush=True)
        raise RuntimeError("asked to fail")
    parallel = WORK[what](float(argument)) if what in WORK else None
    times = [str(moment) for moment in (message.insertion_time, message.expiration_time, message.time_next_visible)]
    seen.set(line(body=repr(body), id=message.id, count=message.dequeue_count, times=times, parallel=parallel))


def count_parallel(seconds: float) -> int:
    global busy
    with lock:
        busy += 1
    time.sleep(seconds)
    with lock:
        running, busy = busy, busy - 1
    return running


def sleep_in_helpers(seconds: float) -> None:
    with ThreadPoolExecutor(2) as helpers:
        list(helpers.map(time.sleep, (seconds, seconds)))


def spin(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(1000))


def sleep_beside_spinner(seconds: float) -> None:
    spinner = threading.Thread(target=spin, args=(1.0,))
    spinner.start()
    time.sleep(seconds)
    spinner.join()


WORK: dict[str, Any] = {
    "sleep": count_parallel,
    "helpers": sleep_in_helpers,
    "spin": spin,
    "beside": sleep_beside_spinner,
}


@app.queue_trigger(arg_name="message", queue_name="%PREFIX%work-poison", connection=STORE)
@app.queue_output(arg_name="seen", queue_name=SEEN, connection=STORE)
def on_work_poison(message: func.QueueMessage, seen: func.Out[str]) -> None:
    body = message.get_body().decode()
    if body == "fail badly":
        raise RuntimeError("poison that fails")
    seen.set(line(poison=body))


@app.queue_trigger(arg_name="message", queue_name="%PREFIX%async", connection=STORE)
@app.queue_output(arg_name="$return", queue_name=SEEN, connection=STORE)
async def on_async(message: str) -> str:
    await asyncio.sleep(float(message))
    return line(asynchronous=message)


@app.queue_trigger(arg_name="message", queue_name="%PREFIX%many", connection=STORE)
@app.queue_output(arg_name="out", queue_name="%PREFIX%results", connection=STORE)
def on_many(message: str, out: func.Out[List[str]]) -> None:  # noqa: UP006 - Azure refuses list[str]
    values: dict[str, Any] = {"list": ["a", '{"b":1}'], "json": '{"a":[1]}', "text": "é"}
    out.set(values.get(message, message))


@app.queue_trigger(arg_name="message", queue_name="%PREFIX%retried", connection=STORE)
@app.queue_output(arg_name="seen", queue_name=SEEN, connection=STORE)
@app.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="00:00:01")
def on_retried(message: str, context: func.Context, seen: func.Out[str]) -> None:
    if context.retry_context.retry_count < 2:
        raise RuntimeError("not yet")
    seen.set(line(retried=context.retry_context.retry_count))


@app.timer_trigger(arg_name="timer", schedule="%HOURLY%")
@app.queue_output(arg_name="seen", queue_name=SEEN, connection=STORE)
def hourly(timer: func.TimerRequest, seen: func.Out[str]) -> None:
    seen.set(line(timer="hourly", past_due=timer.past_due))


@app.timer_trigger(arg_name="timer", schedule="0 0 3 * * *", run_on_startup=True)
@app.queue_output(arg_name="seen", queue_name=SEEN, connection=STORE)
def at_startup(timer: func.TimerRequest, seen: func.Out[str]) -> None:
    seen.set(line(timer="startup", past_due=timer.past_due))


@app.timer_trigger(arg_name="timer", schedule="%MISSING%")
def in_error(timer: func.TimerRequest) -> None:
    raise AssertionError("a timer without a schedule never fires")


@app.route(route="hello/{name:alpha?}", methods=["GET", "POST"])
def hello(req: func.HttpRequest) -> func.HttpResponse:
    told = {"name": req.route_params.get("name"), "query": dict(req.params), "body": req.get_body().decode()}
    told["headers"] = {name: value for name, value in req.headers.items() if name.startswith("x-")}
    return func.HttpResponse(json.dumps(told), mimetype="application/json", status_code=201)


@app.route(route="open", auth_level=func.AuthLevel.ANONYMOUS)
def anonymous(req: func.HttpRequest) -> str:
    return str(req.params.get("say", "open"))


@app.route(route="secret", auth_level=func.AuthLevel.ADMIN)
def secret(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("secret", headers={"Set-Cookie": "a=b; Path=/; HttpOnly", "X-Made": "1"})


@app.route(route="broken", auth_level=func.AuthLevel.ANONYMOUS)
def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("broken")


@app.route(route="switched_off", auth_level=func.AuthLevel.ANONYMOUS)
def switched_off(req: func.HttpRequest) -> str:
    return "on"


def wsgi(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("418 Teapot", [("Content-Type", "text/plain"), ("X-Path", environ["PATH_INFO"])])
    size = int(environ.get("CONTENT_LENGTH") or 0)
    return [
        environ["REQUEST_METHOD"].encode(),
        b" ",
        environ["QUERY_STRING"].encode(),
        environ["wsgi.input"].read(size),
    ]


@app.route(route="{*route}", auth_level=func.AuthLevel.ANONYMOUS, methods=["GET", "PUT"])
def web(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    response: func.HttpResponse = func.WsgiMiddleware(wsgi).handle(req, context)  # type: ignore[no-untyped-call]
    return response
