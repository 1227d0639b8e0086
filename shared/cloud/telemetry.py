"""Telemetry by OpenTelemetry: to Azure Monitor, or to a file. Built by wiring where the settings ask for it.

The one place that knows the library, which is an extra (`tagback[telemetry]`): without it nothing is told, and
everything else goes on. Ids and times are the spans' own, so that processes agree on them; all text is redacted.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricExportResult,
    MetricReader,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from shared.cloud.redaction import one_line, redacted
from shared.cloud.traces import woken
from shared.decide.traces import is_told
from shared.model.account import Telling
from shared.model.telemetry import Count, Level, Span
from shared.ports import Clock

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

SERVICE = Resource({"service.name": "tagback"})
SAMPLED = TraceFlags(TraceFlags.SAMPLED)
MINUTE = 60_000  # milliseconds between two reports of figures
LONGEST = 256  # of a text in a span


class OpenTelemetry:
    """ports.Telemetry"""

    def __init__(self, spans: SpanProcessor, reader: MetricReader, share: float, clock: Clock) -> None:
        self._spans = spans
        self._share = share
        self._clock = clock
        self._provider = MeterProvider([reader], SERVICE, shutdown_on_exit=False)
        meter = self._provider.get_meter("tagback")
        self._counts = {count: meter.create_counter(count.value) for count in Count}
        self._levels = {level: meter.create_gauge(level.value) for level in Level}

    def spans(self, spans: Sequence[Span]) -> None:
        for span in spans:
            if is_told(span, self._share):
                self._spans.on_end(_readable(span))

    def count(self, count: Count, about: str) -> None:
        self._counts[count].add(1, {"about": _clean(about)})

    def level(self, level: Level, about: str, value: float) -> None:
        self._levels[level].set(value, {"about": _clean(about)})

    def woken(self, queue: str, text: str, queued: datetime | None) -> AbstractContextManager[None]:
        return woken(queue, text, queued, self._clock.now())

    def close(self) -> None:
        """Tell what was not told yet."""
        self._spans.shutdown()
        self._provider.shutdown()


def opened(telling: Telling, credential: TokenCredential, clock: Clock) -> OpenTelemetry:
    """Telemetry to where the settings say."""
    if telling.file:
        return to_file(Path(telling.file), telling.share, clock)
    return to_azure(telling.connection, credential, telling.share, clock)


def to_file(path: Path, share: float, clock: Clock) -> OpenTelemetry:
    """One JSON object a line, for whoever looks at one machine."""
    lines = Lines(path)
    figures = PeriodicExportingMetricReader(FileFigures(lines), export_interval_millis=MINUTE / 6)
    return OpenTelemetry(SimpleSpanProcessor(FileSpans(lines)), figures, share, clock)


def to_azure(connection: str, credential: TokenCredential, share: float, clock: Clock) -> OpenTelemetry:
    """Application Insights, as this identity. Nothing is kept on disk, and the library tells nobody of itself."""
    for figures_of_its_own in ("STATSBEAT_DISABLED_ALL", "OPENTELEMETRY_RESOURCE_METRIC_DISABLED"):
        os.environ.setdefault(f"APPLICATIONINSIGHTS_{figures_of_its_own}", "true")
    logging.getLogger("azure.monitor.opentelemetry.exporter").setLevel(logging.ERROR)
    from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter, AzureMonitorTraceExporter

    options: Mapping[str, Any] = {
        "connection_string": connection,
        "credential": credential,
        "disable_offline_storage": True,
    }
    provider = TracerProvider(resource=SERVICE, shutdown_on_exit=False)
    traces = BatchSpanProcessor(AzureMonitorTraceExporter(**options, tracer_provider=provider))
    figures = PeriodicExportingMetricReader(AzureMonitorMetricExporter(**options), export_interval_millis=MINUTE)
    return OpenTelemetry(traces, figures, share, clock)


def _readable(span: Span) -> ReadableSpan:
    """The span as the library has it."""
    failed = Status(StatusCode.ERROR, _clean(span.failed)) if span.failed else Status()
    return ReadableSpan(
        name=_clean(span.name),
        context=_context(span.trace, span.id),
        parent=_context(span.trace, span.parent) if span.parent else None,
        resource=SERVICE,
        attributes={name: _clean(fact) if isinstance(fact, str) else fact for name, fact in span.facts.items()},
        kind=SpanKind.CLIENT if "status" in span.facts else SpanKind.INTERNAL,
        status=failed,
        start_time=_nanoseconds(span.began),
        end_time=_nanoseconds(span.ended),
    )


def _context(trace: str, span: str) -> SpanContext:
    return SpanContext(int(trace, 16), int(span, 16), is_remote=False, trace_flags=SAMPLED)


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1e6) * 1000


def _clean(text: str) -> str:
    return one_line(redacted(text))[:LONGEST]


class Lines:
    """A file that several threads append to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def write(self, documents: Sequence[Mapping[str, object]]) -> None:
        text = "".join(json.dumps(document, separators=(",", ":")) + "\n" for document in documents)
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(text)


class FileSpans(SpanExporter):
    """Spans as lines."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self._lines.write([_line(span) for span in spans])
        return SpanExportResult.SUCCESS


class FileFigures(MetricExporter):
    """The newest value of every figure as a line."""

    def __init__(self, lines: Lines) -> None:
        super().__init__()
        self._lines = lines

    def export(self, metrics_data: MetricsData, timeout_millis: float = 0, **kwargs: Any) -> MetricExportResult:
        self._lines.write(_figures(json.loads(metrics_data.to_json())))
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 0) -> bool:
        return True

    def shutdown(self, timeout_millis: float = 0, **kwargs: Any) -> None:
        return


def _line(span: ReadableSpan) -> Mapping[str, object]:
    assert span.context is not None
    assert span.start_time is not None
    assert span.end_time is not None
    at = datetime.fromtimestamp(span.start_time / 1e9, tz=UTC)
    parent = {"parent": f"{span.parent.span_id:016x}"} if span.parent else {}
    failed = {"failed": span.status.description} if span.status.description else {}
    return {
        "trace": f"{span.context.trace_id:032x}",
        "span": f"{span.context.span_id:016x}",
        **parent,
        "name": span.name,
        "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "ms": (span.end_time - span.start_time) // 1_000_000,
        **(span.attributes or {}),
        **failed,
    }


def _figures(document: Mapping[str, Any]) -> list[Mapping[str, object]]:
    return [
        {"figure": metric["name"], "value": point["value"], **point["attributes"]}
        for resource in document["resource_metrics"]
        for scope in resource["scope_metrics"]
        for metric in scope["metrics"]
        for point in metric["data"]["data_points"]
    ]
