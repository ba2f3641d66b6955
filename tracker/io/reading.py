"""Text, JSON, YAML and XML of whoever wrote them: read within limits, or refused in one sentence with file and line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

from tracker.errors import InputError

MAX_DEPTH = 100  # brackets, elements or blocks within each other
MAX_DIGITS = 4300  # of a whole number; more would take Python time that grows with their square
MAX_VALUES = 10_000_000  # of a YAML file, its aliases written out
MAX_NUMBER = 1e10  # pixels, scores and the like; float32 keeps areas of it finite
MAX_WHOLE = 2**53  # ids; float64 has gaps beyond
MAX_FRAMES = 10_000_000  # four days at 30 frames a second
MAX_CLASS = 9_999
_CHUNK = 2**22  # bytes whose brackets are counted at once
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)
_LINE_END = re.compile(r"\r\n|\r|\n")


def read_bytes(path: str | Path) -> bytes:
    """Return the content of a file.

    Raises:
        InputError: It cannot be read; says why.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:  # a name that no file can have
        raise InputError(f"cannot read {path}: {error}") from error


def is_file(path: Path) -> bool:
    """Tell whether there is such a file; not where no file can have the name, which may come from a label file."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Tell whether there is such a folder, as `is_file` does."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def read_text(path: str | Path) -> str:
    """Return a text file in UTF-8, with or without a byte order mark.

    Raises:
        InputError: It cannot be read, or is not such text; with the line.
    """
    content = read_bytes(path).removeprefix(b"\xef\xbb\xbf")
    zero = content.find(0)
    if zero >= 0:
        raise InputError(
            f"{path}:{_line(content, zero)}: expected text, found a byte of 0; is it another kind of file?"
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}:{_line(content, error.start)}: expected UTF-8 text, found the byte 0x{content[error.start]:02x}; "
            "save the file as UTF-8"
        ) from error


def read_lines(path: str | Path) -> list[str]:
    """Return the lines of a text file as editors count them, without their ends.

    Raises:
        InputError: As `read_text`.
    """
    return split_lines(read_text(path))


def split_lines(text: str) -> list[str]:
    r"""Split at line ends only, unlike `str.splitlines`, so that line numbers are those of an editor.

    >>> split_lines("a\r\nb\x0cc\n")
    ['a', 'b\x0cc']
    """
    lines = _LINE_END.split(text)
    return lines[:-1] if not lines[-1] else lines


def read_json(path: str | Path) -> Any:
    """Return what a JSON file holds. NaN and Infinity, which are no JSON, are read; `read_number` refuses them.

    Raises:
        InputError: It cannot be read, is no JSON, is nested too deeply or has a number too long; with the line.
    """
    return parse_json(read_text(path), str(path))


def parse_json(text: str, where: str, line: int = 0) -> Any:
    """Return what JSON text says.

    Args:
        text: One object.
        where: The file it is from.
        line: Where it begins, of a text that is one line of many; 0 for a whole file.

    Raises:
        InputError: As `read_json`.
    """
    import json

    _check_depth(text.encode(), where, line)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{where}:{line or error.lineno}: not valid JSON: {error.msg}") from error
    except RecursionError as error:
        raise _too_deep(f"{where}:{line or 1}") from error
    except ValueError as error:
        found = re.search(rf"\d{{{MAX_DIGITS + 1},}}", text)
        place = line or (text.count("\n", 0, found.start()) + 1 if found else 1)
        raise InputError(f"{where}:{place}: expected numbers of at most {MAX_DIGITS} digits") from error


def read_yaml(path: str | Path) -> Any:
    """Return what a YAML file holds: plain values only, no objects.

    Raises:
        InputError: It cannot be read, is no YAML, is nested too deeply, or its aliases multiply; with the line.
    """
    import yaml

    text = read_text(path)
    try:
        content = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = " ".join(filter(None, (error.context, error.problem)))
        raise InputError(f"{path}:{mark.line + 1 if mark else 1}: not valid YAML: {reason}") from error
    except RecursionError as error:
        raise _too_deep(f"{path}:1") from error
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:  # dates, sexagesimals, digits
        raise InputError(f"{path}: not valid YAML: one of its values cannot be read: {error}") from error
    _count_values(content, str(path), {}, 0)
    return content


def read_xml_elements(path: str | Path, tag: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Give the elements of one tag that lie directly in the root of an XML file.

    Args:
        path: The file.
        tag: Of the elements.

    Yields:
        Line of the element, and the texts in it by their place, such as `bndbox/xmin`.

    Raises:
        InputError: It cannot be read, is no XML, declares entities or is nested too deeply; with the line.
    """
    parser = expat.ParserCreate()
    stack: list[str] = []
    texts: dict[str, list[str]] = {}
    found: list[tuple[int, dict[str, str]]] = []
    start = 0

    def opened(name: str, attributes: dict[str, str]) -> None:
        nonlocal start
        stack.append(name)
        if name == tag and len(stack) == 2:
            start = parser.CurrentLineNumber
            texts.clear()

    def closed(name: str) -> None:
        if name == tag and len(stack) == 2:
            found.append((start, {place: "".join(parts) for place, parts in texts.items()}))
        stack.pop()

    def text(content: str) -> None:
        texts.setdefault("/".join(stack[2:]), []).append(content)

    parse_xml(parser, path, opened, closed, text)
    return iter(found)


def parse_xml(
    parser: expat.XMLParserType,
    path: str | Path,
    opened: Callable[[str, dict[str, str]], None],
    closed: Callable[[str], None],
    text: Callable[[str], object],
) -> None:
    """Parse an XML file, calling a function at every start of an element, end of one, and text.

    Raises:
        InputError: It cannot be read, is no XML, declares entities or is nested too deeply; with the line.
    """
    depth = 0

    def down(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise _too_deep(f"{path}:{parser.CurrentLineNumber}")
        opened(name, attributes)

    def up(name: str) -> None:
        nonlocal depth
        depth -= 1
        closed(name)

    def entity(*declaration: Any) -> None:
        raise InputError(
            f"{path}:{parser.CurrentLineNumber}: expected XML without entities; write out what they stand for"
        )

    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = down, up, text
    parser.EntityDeclHandler = entity
    content = "\n".join(read_lines(path))
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise InputError(f"{path}:{error.lineno}: not valid XML: {expat.ErrorString(error.code)}") from error
    except UnicodeEncodeError as error:
        raise InputError(f"{path}: not valid XML: {error}") from error


def to_float(field: str) -> float:
    """Read a number, but not the underscores that Python allows in one.

    Raises:
        ValueError: It is none.
    """
    if "_" in field:
        raise ValueError(f"no number: {field}")
    return float(field)


def read_number(value: Any, where: str, what: str, least: float = -MAX_NUMBER, most: float = MAX_NUMBER) -> float:
    """Return a value of a file as a number.

    Args:
        value: A number, or text that is one.
        where: Its `file:line` or other place.
        what: What it is, for the error.
        least: Smallest allowed.
        most: Largest allowed.

    Raises:
        InputError: It is none, not finite, or outside the limits.

    >>> read_number("0.5", "rows.txt:3", "a score")
    0.5
    """
    try:
        number = float(value) if _may_be_number(value) else float("nan")
    except (ValueError, OverflowError):
        number = float("nan")
    if not least <= number <= most:
        raise InputError(f"{where}: expected {what} from {least:.12g} to {most:.12g}, got {_short(value)}")
    return number


def read_whole(value: Any, where: str, what: str, least: int = -MAX_WHOLE, most: int = MAX_WHOLE) -> int:
    """Return a value of a file as a whole number; the arguments are those of `read_number`.

    >>> read_whole("12", "rows.txt:3", "a frame"), read_whole(3.0, "rows.txt:3", "a frame")
    (12, 3)
    """
    try:
        whole = int(value)
        is_whole = _may_be_number(value) and (isinstance(value, str) or whole == value)
    except (TypeError, ValueError, OverflowError):
        whole, is_whole = 0, False
    if not is_whole or not least <= whole <= most:
        raise InputError(f"{where}: expected {what} from {least} to {most}, a whole number, got {_short(value)}")
    return whole


def read_box(value: Any, where: str, what: str) -> tuple[float, float, float, float]:
    """Return a list of four numbers, as `read_number` reads them.

    Raises:
        InputError: It is none, or a number is not finite or beyond the limits.
    """
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise InputError(f"{where}: expected {what}, four numbers, got {_short(value)}")
    first, second, third, fourth = (read_number(number, where, f"numbers in {what}") for number in value)
    return first, second, third, fourth


def _may_be_number(value: Any) -> bool:
    if isinstance(value, str):
        return "_" not in value  # which Python reads in numbers
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(value: Any) -> str:
    """Show a value that may be anything, of any size."""
    if isinstance(value, int) and abs(value) > 10**40:
        return "a number of more than 40 digits"
    if isinstance(value, list | tuple | dict):
        return f"a {'mapping' if isinstance(value, dict) else 'list'} of {len(value)}"
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else f"{text[:60]}..."


def _line(content: bytes, place: int) -> int:
    before = content[:place]
    return before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n") + 1


def _too_deep(where: str) -> InputError:
    return InputError(f"{where}: nested too deeply: expected at most {MAX_DEPTH} levels within each other")


def _check_depth(content: bytes, where: str, line: int) -> None:
    """Count brackets; only where there may be too many, again without those in strings."""
    import numpy as np  # late: it takes longer to import than most files to read

    depth = 0
    for start in range(0, len(content), _CHUNK):
        part = np.frombuffer(content, np.uint8, min(_CHUNK, len(content) - start), start) | 0x20  # [ as {, ] as }
        steps = (part == ord("{")).astype(np.int8) - (part == ord("}"))
        depths = steps.cumsum(dtype=np.int32)
        if depth + int(depths.max(initial=0)) > MAX_DEPTH:
            _check_depth_exactly(content, where, line)
            return
        depth += int(depths[-1])


def _check_depth_exactly(content: bytes, where: str, line: int) -> None:
    depth = 0
    for token in _TOKENS.finditer(content):
        if token[0] in (b"[", b"{"):
            depth += 1
            if depth > MAX_DEPTH:
                raise _too_deep(f"{where}:{line or _line(content, token.start())}")
        elif token[0] in (b"]", b"}"):
            depth -= 1


def _count_values(value: Any, path: str, known: dict[int, int], depth: int) -> int:
    """Return how many values there are with all aliases written out."""
    if not isinstance(value, list | dict | set):
        return 1
    if depth > MAX_DEPTH or known.get(id(value)) == 0:  # 0: it contains itself
        raise _too_deep(path)
    if id(value) not in known:
        known[id(value)] = 0
        parts: list[Any] = [*value.keys(), *value.values()] if isinstance(value, dict) else list(value)
        known[id(value)] = 1 + sum(_count_values(part, path, known, depth + 1) for part in parts)
    if known[id(value)] > MAX_VALUES:
        raise InputError(f"{path}: its aliases stand for more than {MAX_VALUES} values; write out what is meant")
    return known[id(value)]
