"""One function of every kind; what they saw goes to the queue `seen`, one line each."""

import json
import logging
import time
from datetime import UTC, datetime

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
SEEN = {"arg_name": "seen", "queue_name": "seen", "connection": "AzureWebJobsStorage"}


def _line(**values: object) -> str:
    return "seen " + json.dumps({"at": datetime.now(UTC).isoformat(), **values})


@app.event_grid_trigger(arg_name="event")
@app.queue_output(**SEEN)
def on_event(event: func.EventGridEvent, seen: func.Out[str]) -> None:
    if event.subject == "bad":
        raise RuntimeError("this event is bad")
    seen.set(_line(event=event.id, data=event.get_json(), when=event.event_time.isoformat()))


@app.queue_trigger(arg_name="message", queue_name="work", connection="AzureWebJobsStorage")
@app.queue_output(**SEEN)
def on_work(message: func.QueueMessage, seen: func.Out[str]) -> None:
    text = message.get_body().decode()
    logging.info("work %s", text)
    if text == "fail":
        raise RuntimeError("asked to fail")
    if text.startswith("sleep "):
        time.sleep(float(text.split()[1]))
    seen.set(_line(message=text, id=message.id, count=message.dequeue_count))


@app.queue_trigger(arg_name="message", queue_name="work-poison", connection="AzureWebJobsStorage")
@app.queue_output(**SEEN)
def on_work_poison(message: func.QueueMessage, seen: func.Out[str]) -> None:
    seen.set(_line(poison=message.get_body().decode()))


@app.timer_trigger(arg_name="timer", schedule="%HOURLY%", run_on_startup=False)
@app.queue_output(**SEEN)
def hourly(timer: func.TimerRequest, seen: func.Out[str]) -> None:
    seen.set(_line(timer=timer.past_due, status=timer.schedule_status))


@app.route(route="hello/{name:alpha?}", methods=["GET", "POST"])
def hello(req: func.HttpRequest) -> func.HttpResponse:
    body = {"name": req.route_params.get("name"), "query": dict(req.params), "body": req.get_body().decode()}
    return func.HttpResponse(json.dumps(body), mimetype="application/json", status_code=201)
