"""``python -m fastleaky doctor``: the leaky ReLUs and PReLUs of a model file, in a table or as JSON."""

import json
import sys
from argparse import Namespace
from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fastleaky.cli.console import print_text, shown
from fastleaky.doctor import cost, files, firmware
from fastleaky.doctor.model import ModelError
from fastleaky.doctor.report import Report, report
from fastleaky.doctor.slopes import FOLLOWS

DEFAULT_CORE = "cortex-m4"
WIDTH = 110  # columns of a file or a pipe
KEPT = "look_up_i8"  # the kernel for a table that is kept


def doctor(console: Console, options: Namespace) -> int:
    """Run the command; the result is the exit status."""
    try:
        model = files.read(options.path)
        found = report(model, cost.known(options.core or DEFAULT_CORE))
        if options.emit_c:
            options.emit_c.write_text(firmware.header(model, options.path.name, options.emit_c.stem, options.rounding))
    except (ModelError, cost.CoreError, ImportError, OSError) as error:
        wrong = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else str(error)
        print_text(Console(stderr=True, highlight=False), wrong, "red")
        return 2
    if options.json:
        sys.stdout.write(json.dumps({"model": str(options.path), **found}, indent=2) + "\n")
    else:
        show(console, found)
    return 0


def show(console: Console, found: Report) -> None:
    """Print the table, and beneath it what is to be said of some of its rows."""
    if not console.is_terminal:
        console.width = max(console.width, WIDTH)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for heading in ("activation", "array", "slopes\nscales (zero points)", "instructions", "other integers"):
        table.add_column(heading, overflow="fold", min_width=9)
    for number, activation in enumerate(found["activations"]):
        names = [activation["name"], activation["operator"], activation["place"]]
        lines = "\n".join(shown(console, name) for name in names)
        table.add_row(str(number), Text(lines), *map(Text, _cells(activation)))
    if found["activations"]:
        console.print(table)
        console.print(f"Instructions: on {found['core']}, as the cross-check counted them; in brackets of an element.")
    else:
        console.print("There is no leaky ReLU and no PReLU in it.")
    for text in _remarks(found):
        print_text(console, text)


def _cells(activation: Report) -> list[str]:
    """Return the other cells of a row, of several lines each."""
    scales = map(_scales, (activation["input"], activation["output"]))
    counted = activation["instructions"].items()
    lines = (
        [_sizes(activation["shape"]), activation["type"]],
        [_slopes(activation["slopes"]), " to\n".join(filter(None, scales))],
        [_instructions(kernel, number, activation["elements"]) for kernel, number in counted],
        _integers(activation["integers"]),
    )
    return ["\n".join(cell) for cell in lines]


def _sizes(shape: list[int | None] | None) -> str:
    return "unknown" if shape is None else "x".join("?" if size is None else str(size) for size in shape)


def _slopes(slopes: Report | None) -> str:
    if slopes is None:
        return "unknown"
    values = sorted(map(float, slopes["values"]))
    if len(values) == 1:
        return f"{values[0]:.6g}"
    return f"{len(values)}: {values[0]:.4g} ... {values[-1]:.4g}"


def _scales(scales: Report | None) -> str:
    if scales is None:
        return ""
    scale, zero_point = scales["scale"], scales["zero_point"]
    return f"{float(scale[0]):.6g} ({zero_point[0]})" if len(scale) == 1 else f"{len(scale)} scales"


def _instructions(kernel: str, number: float | None, elements: int) -> str:
    by = "table: " if kernel == KEPT else ""
    return f"{by}not counted" if number is None else f"{by}{number:,.0f} ({number / max(elements, 1):.3g})"


def _integers(compared: Report | None) -> list[str]:
    if not compared or not compared["of"]:
        return []
    return [*(f"{name}: {count}" for name, count in compared["different"].items()), f"of {compared['of']}"]


def _remarks(found: Report) -> list[str]:
    """What is to be said of some activations, each once, with their numbers and those of the slopes concerned."""
    said: dict[str, list[tuple[int, int, int]]] = {}
    for number, activation in enumerate(found["activations"]):
        slopes = activation["slopes"] or {"values": [], "unusual": {}}
        for remark, count in _remarks_of(activation, slopes["unusual"]):
            said.setdefault(remark, []).append((number, count, len(slopes["values"])))
    skipped = [f"Skipped: {one}" for one in found["skipped"]]
    return [f"{_numbers(concerned)}: {remark}." for remark, concerned in said.items()] + skipped


def _numbers(concerned: list[tuple[int, int, int]]) -> str:
    """Return ranges of activations; where some have several slopes, also how many of these are concerned."""
    numbers, counts, slopes = zip(*concerned, strict=True)
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][-1] == number - 1:
            ranges[-1].append(number)
        else:
            ranges.append([number])
    text = ", ".join(str(one[0]) if len(one) == 1 else f"{one[0]}-{one[-1]}" for one in ranges)
    return f"{text} ({sum(counts)} of {sum(slopes)} slopes)" if any(counts) and max(slopes) > 1 else text


def _remarks_of(activation: Report, unusual: Report) -> Iterator[tuple[str, int]]:
    """Yield what is to be said of an activation, with the number of slopes concerned, or 0 for all of it."""
    for kind, count in unusual.items():
        yield f"slopes that are {kind}: {FOLLOWS[kind]}", count
    for runtime, inputs in activation["disagreements"].items():
        yield f"{runtime}: other bits than ours where x is {', '.join(inputs)}", max(inputs.values())
    yield from ((hint, 0) for hint in activation["hints"])
    reasons: dict[str, list[str]] = {}
    for rounding, reason in (activation["integers"] or {"impossible": {}})["impossible"].items():
        reasons.setdefault(reason, []).append(rounding)
    for reason, roundings in reasons.items():
        yield f"not in {', '.join(roundings)}: {reason}", 0
    if None in (activation["shape"] or [None]):
        yield "sizes that are not known count as 1", 0
