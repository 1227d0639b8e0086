"""Curves over the number of machines, both axes by decades, as SVG. Used by page.py."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 640, 360, 70, 30, 320
RIGHT = 610
FEWEST, MACHINES = 1.5, 3.8  # decades of machines: where the first lies, and how many there is room for
DASHED = {"stroke-dasharray": "6 4"}
COLOURS = ("#06c", "#b50", "#383", "#777")


@dataclass(frozen=True, slots=True)
class Scale:
    """What is drawn, its unit, and from which power of ten to which."""

    title: str
    unit: str
    lowest: int
    highest: int

    def y(self, value: float) -> float:
        share = (math.log10(max(value, 10.0**self.lowest)) - self.lowest) / (self.highest - self.lowest)
        return BOTTOM - share * (BOTTOM - TOP)

    def told(self, value: float) -> str:
        return f"{self.unit}{value:,.2f}" if value < 10 else f"{self.unit}{value:,.0f}"


@dataclass(frozen=True, slots=True)
class Curve:
    """Values by machines; up to `measured` machines they were measured, beyond they are reckoned."""

    name: str
    values: Mapping[int, float]
    measured: int


def drawing(scale: Scale, curves: Sequence[Curve]) -> str:
    """The curves above each other, the first with its values."""
    size = {"width": str(WIDTH), "height": str(HEIGHT), "viewBox": f"0 0 {WIDTH} {HEIGHT}"}
    root = ElementTree.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size, "font-family": "sans-serif"})
    ElementTree.SubElement(root, "rect", {"width": "100%", "height": "100%", "fill": "white"})
    for power in range(scale.lowest, scale.highest + 1):
        height = scale.y(10.0**power)
        _line(root, [(LEFT, height), (RIGHT, height)], {"stroke": "#ddd"})
        _text(root, LEFT - 6, height + 4, f"{scale.unit}{10.0**power:,.10g}", "end")
    for machines in sorted({machines for curve in curves for machines in curve.values}):
        _text(root, _x(machines), BOTTOM + 18, f"{machines:,}", "middle")
    for number, (curve, colour) in enumerate(zip(curves, COLOURS, strict=False)):
        _drawn(root, scale, curve, colour)
        _text(root, LEFT + 12, TOP + 20 + 16 * number, curve.name, "start", colour)
    _values(root, scale, curves[-1:])
    _text(root, (LEFT + RIGHT) / 2, 18, scale.title, "middle")
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _drawn(root: ElementTree.Element, scale: Scale, curve: Curve, colour: str) -> None:
    """Solid as far as it was measured, dashed from the last of these on."""
    spots = [(machines, (_x(machines), scale.y(value))) for machines, value in sorted(curve.values.items())]
    known = [place for machines, place in spots if machines <= curve.measured]
    beyond = [place for machines, place in spots if machines > curve.measured]
    style = {"stroke": colour, "stroke-width": "2"}
    if known:
        _line(root, known, style)
    _line(root, [*known[-1:], *beyond], {**style, **DASHED})
    for machines, (x, y) in spots:
        fill = colour if machines <= curve.measured else "white"
        circle = {"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": "4", "fill": fill, "stroke": colour}
        ElementTree.SubElement(root, "circle", circle)


def _values(root: ElementTree.Element, scale: Scale, curves: Sequence[Curve]) -> None:
    for curve in curves:
        for machines, value in curve.values.items():
            _text(root, _x(machines), scale.y(value) - 10, scale.told(value), "middle")


def _x(machines: int) -> float:
    return LEFT + (math.log10(machines) - FEWEST) / MACHINES * (RIGHT - LEFT)


def _line(root: ElementTree.Element, points: Sequence[tuple[float, float]], style: Mapping[str, str]) -> None:
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    ElementTree.SubElement(root, "polyline", {"points": places, "fill": "none", **style})


def _text(root: ElementTree.Element, x: float, y: float, words: str, anchor: str, colour: str = "#333") -> None:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "font-size": "12", "text-anchor": anchor, "fill": colour}
    ElementTree.SubElement(root, "text", place).text = words
