"""What a program gave, read into trees of numbers and texts, and the first places where two of them differ.

Numbers are the same where their doubles have the same bits, or both are NaN. A tree is made of dictionaries, lists, numbers and three kinds
of text: `str`, which must be the same; `Words`, whose numbers must be; and `Loose`, which says the same in other words where it differs.
"""

import json
import math
import re
import struct

NUMBER = re.compile(r"[-+−]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|\b(?:nan|NaN|inf)\b")
VERSION = re.compile(r"eagleray \d+\.\d+\.\d+\S*")
WARNING = re.compile(r"eagleray: warning: ([A-Z0-9-]+): (.*?)(?: \((\d+) times\))?$", re.S)
CODE = re.compile(r"\bW-[A-Z0-9-]+")
ERROR = re.compile(r"(?:eagleray: )?error: ")
# Cards of FITS whose values tell the version, or when and from which bytes a file was made.
FREE_CARDS = {"CREATOR", "CHECKSUM", "DATE"}
COMPLEX = re.compile(r"\(\S+j\)$")
FORMATS = {"M": "2d", "D": "d", "E": "f", "K": "q", "J": "i", "I": "h", "B": "B", "L": "B"}


class Words(str):
    """A text whose numbers must agree."""


class Loose(str):
    """A text that may be put in other words."""


class Missing:
    def __repr__(self):
        return "nothing"


MISSING = Missing()


def same_number(a, b):
    if isinstance(a, int) and isinstance(b, int):
        return a == b
    a, b = float(a), float(b)
    return struct.pack(">d", a) == struct.pack(">d", b) or (a != a and b != b)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def numbers_of(text):
    return [float(found.replace("−", "-")) for found in NUMBER.findall(text)]


def differences(old, new, place=""):
    """(place, old, new, whether only words differ) wherever two trees are not the same, in the order of the old one."""
    if is_number(old) and is_number(new):
        if not same_number(old, new):
            yield place, old, new, False
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from differences(old.get(key, MISSING), new.get(key, MISSING), f"{place}, {key}" if place else str(key))
    elif isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            yield f"{place}, number of values", len(old), len(new), False
        # What is the same when it is written down is the same.
        elif repr(old) != repr(new):
            for i, pair in enumerate(zip(old, new)):
                yield from differences(*pair, f"{place}[{i}]")
    elif isinstance(old, (Words, Loose)) and isinstance(new, (Words, Loose)):
        if old != new:
            agree = isinstance(old, Loose) or all_same(numbers_of(old), numbers_of(new))
            yield place, str(old), str(new), agree
    elif type(old) is not type(new) or old != new:
        yield place, old, new, False


def all_same(a, b):
    return len(a) == len(b) and all(map(same_number, a, b))


def count(tree):
    """How many numbers there are in a tree."""
    if isinstance(tree, dict):
        return sum(map(count, tree.values()))
    if isinstance(tree, list):
        return sum(map(count, tree))
    if isinstance(tree, Words):
        return len(numbers_of(tree))
    return int(is_number(tree))


def mapped(tree, name, text, parent=""):
    """A tree with `name` applied to all keys, and to names of columns, each with the key that it stands under, and `text` to all texts."""
    if isinstance(tree, dict):
        return {name(key, parent): mapped(value, name, text, key) for key, value in tree.items()}
    if isinstance(tree, list):
        # Most lists are long columns of numbers.
        return tree if tree and all(map(is_number, tree)) else [mapped(value, name, text, parent) for value in tree]
    return type(tree)(text(tree)) if isinstance(tree, str) else tree


def renewed(old, new):
    """An old tree in which the number of segments is called so, and a column `m` of one value is a number, where the new one has that."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return old
    old = dict(old)
    if "segments" in new and "segments" not in old and "m" in old:
        old["segments"] = old["m"]
        if "m" not in new:
            del old["m"]
        elif "nfreq" in new:
            # Values of a band of energy.
            old["m"] = old["m"] * new["nfreq"]
    if "m" in old.get("column", {}) and "m" not in new.get("column", {"m"}) and len(set(old["column"]["m"])) <= 1:
        for part in ("column", "names", "about"):
            old[part] = {key: value for key, value in old.get(part, {}).items() if key != "m"}
        for part in ("names", "about"):
            if part not in new:
                del old[part]
    return {key: renewed(value, new.get(key)) for key, value in old.items()}


def whole(columns):
    """Columns with complex ones, cells `(re+imj)`, in two parts."""
    parts = {}
    for name, cells in columns.items():
        if cells and all(isinstance(cell, str) and COMPLEX.match(cell) for cell in cells):
            values = [complex(cell) for cell in cells]
            parts |= {f"{name}_re": [value.real for value in values], f"{name}_im": [value.imag for value in values]}
        else:
            parts[name] = cells
    return parts


def of_json(value, free):
    """JSON with its warnings as a count for each code, and with loose texts; values of the keys `free` do not count."""
    if isinstance(value, list):
        if value and all(isinstance(w, dict) and set(w) == {"code", "count", "message"} for w in value):
            return warnings((w["code"], w["count"], w["message"]) for w in value)
        return [of_json(one, free) for one in value]
    if isinstance(value, dict):
        return {key: Loose(one) if key in free else of_json(one, free) for key, one in value.items()}
    return value


def warnings(found):
    """Code to counts, and to texts, in order of appearance."""
    tree = {}
    for code, number, message in found:
        entry = tree.setdefault(code, {"counts": [], "messages": []})
        entry["counts"].append(number)
        entry["messages"].append(Loose(message))
    return tree


def of_table(text, separator, free):
    """ECSV or CSV: metadata, columns with their units and types, and rows."""
    meta, described, rows = {}, [], []
    for line in text.splitlines():
        if not line.startswith("#"):
            rows.append(line.split(separator))
        elif line.startswith("# - {"):
            described.append(line[2:])
        elif found := re.match(r"#\s+(\w+): (.+)$", line):
            try:
                meta[found[1]] = json.loads(found[2])
            except ValueError:
                meta[found[1]] = found[2]
    names, *rows = rows or [[]]
    columns = {name: list(map(of_cell, column)) for name, column in zip(names, zip(*rows))} if rows else dict.fromkeys(names, [])
    about = {found[1]: found[2] for line in described if (found := re.match(r"- \{name: (\w+)(.*)\}$", line))}
    columns = whole(columns)
    names = [part for name in names for part in ([name] if name in columns else [f"{name}_re", f"{name}_im"])]
    for name in [name for name, said in about.items() if "complex128" in said and f"{name}_re" in columns]:
        said = about.pop(name).replace("complex128", "float64")
        about |= {f"{name}_re": said, f"{name}_im": said}
    return {"names": {name: i for i, name in enumerate(names)}, "about": about, "meta": of_json(meta, free), "column": columns}


def of_cell(text):
    try:
        return float(text)
    except ValueError:
        return text


def of_svg(text):
    """A picture: its lines without what is written, and what is written."""
    written = [Words(found.strip()) for found in re.findall(r"<text[^>]*>(.*?)</text>", text, re.S)]
    return {"line": re.sub(r"(<text[^>]*>).*?(</text>)", r"\1\2", text, flags=re.S).splitlines(), "text": written}


def of_text(data, free):
    """Standard output, or a file of text, by what it looks like."""
    text = data.decode("utf-8", "replace")
    if text.startswith(("{", "[")):
        value = json.loads(text)
        if isinstance(value, dict) and set(value) == {"meta", "columns"}:
            return {"meta": of_json(value["meta"], free), "column": value["columns"]}
        return of_json(value, free)
    if text.startswith("# %ECSV"):
        return of_table(text, " ", free)
    return {"line": VERSION.sub("eagleray", text).splitlines()}


def of_stderr(data, failed):
    """Codes and counts of warnings, the numbers of a summary, and messages of errors, which are loose."""
    told, said, lines = [], [], data.decode("utf-8", "replace").splitlines()
    for line in lines:
        if found := WARNING.match(line):
            told.append((found[1], int(found[3] or 1), found[2]))
        else:
            said.append(line)
    if failed:
        error = "\n".join(said)
        return {"warnings": warnings(told), "codes": CODE.findall(error), "is an error": any(map(ERROR.match, said)), "error": Loose(error)}
    return {"warnings": warnings(told), "line": [Words(line) for line in said]}


def of_file(path, free):
    data, kind = path.read_bytes(), path.suffix
    if kind in (".fits", ".evt", ".pha", ".rsp", ".lc"):
        return of_fits(data, free, kind == ".evt")
    if kind == ".csv":
        return of_table(data.decode(), ",", free)
    if kind == ".svg":
        return of_svg(data.decode())
    return of_text(data, free)


def of_card(card):
    """Keyword, value and comment."""
    keyword, rest = card[:8].strip(), card[8:]
    if not rest.startswith("= ") and keyword != "CONTINUE":
        return keyword, rest, ""
    rest = rest[2:].strip()
    if rest.startswith("'"):
        text = re.match(r"'((?:[^']|'')*)'\s*(?:/ ?(.*))?", rest)
        return keyword, text[1].replace("''", "'").rstrip(), text[2] or ""
    value, _, comment = rest.partition("/")
    value = value.strip()
    return keyword, {"T": True, "F": False}.get(value, of_cell(value.replace("D", "E"))), comment.strip()


def of_header(cards, of_metadata):
    """Keywords with values and comments; HISTORY in one piece, and the options in it."""
    values, comments, history = {}, {}, ""
    for keyword, value, comment in map(of_card, cards):
        if keyword == "CONTINUE":
            last = next(reversed(values))
            values[last] = values[last].removesuffix("&") + value
            continue
        if keyword == "HISTORY":
            history += value
            continue
        # Names of columns are compared as such.
        if re.fullmatch(r"TTYPE\d+", keyword):
            continue
        free = keyword in FREE_CARDS or (of_metadata and keyword in ("DATASUM", "NAXIS1", "TFORM1"))
        values[keyword] = Loose(value) if free else value
        comments[keyword] = Loose(comment)
    said, options, written = VERSION.sub("eagleray", history).partition("options {")
    return values, {"value": values, "comment": comments, "history": said, "options": json.loads(options[8:] + written) if written else {}}


def of_fits(data, free, events):
    """Units by name: header, columns or image, and all bytes of the data; in files of events the order of keywords, too."""
    tree, at = {}, 0
    while at < len(data):
        cards = []
        while not cards or cards[-1] != "END":
            block = data[at : at + 2880].decode("latin-1")
            if len(block) < 2880:
                raise ValueError("a header without END")
            cards += [block[i : i + 80].rstrip() if block[i : i + 8] != "HISTORY " else block[i : i + 80] for i in range(0, 2880, 80)]
            at += 2880
            cards = cards[: cards.index("END") + 1] if "END" in cards else cards
        raw = {card[0]: card[1] for card in map(of_card, cards)}
        name = raw.get("EXTNAME", "primary")
        values, unit = of_header(cards[:-1], name == "METADATA")
        shape = [int(raw[f"NAXIS{i + 1}"]) for i in range(int(raw["NAXIS"]))]
        size = abs(int(raw["BITPIX"])) // 8 * (math.prod(shape) if shape else 0) + int(raw.get("PCOUNT", 0))
        body = data[at : at + size]
        padded = -(-size // 2880) * 2880
        if name == "METADATA":
            unit["meta"] = of_json(json.loads(body), free)
        elif "TFIELDS" in raw:
            unit["column"] = of_rows(body, raw, shape)
            unit["names"] = {name: i for i, name in enumerate(unit["column"])}
            unit["heap and padding"] = data[at + shape[0] * shape[1] : at + padded].hex()
        elif shape:
            unit["image"] = list(struct.unpack(f">{math.prod(shape)}d", body)) if raw["BITPIX"] == -64 else body.hex()
        if events:
            unit["order of keywords"] = list(values)
        tree[name if name not in tree else f"{name} {len(tree)}"] = unit
        at += padded
    return tree


def of_rows(body, raw, shape):
    """The columns of a table: numbers, or what their bytes are."""
    width, rows = shape
    columns, offset = {}, 0
    for i in range(1, int(raw["TFIELDS"]) + 1):
        repeat, code = re.match(r"(\d*)([A-Z])", raw[f"TFORM{i}"]).groups()
        repeat = int(repeat or 1)
        form = FORMATS.get(code)
        size = repeat * struct.calcsize(">" + form) if form else (repeat + 7) // 8 if code == "X" else repeat
        cells = [body[row * width + offset : row * width + offset + size] for row in range(rows)]
        name = raw[f"TTYPE{i}"]
        if code == "M":
            values = struct.unpack(f">{2 * rows}d", b"".join(cells))
            columns |= {f"{name}_re": list(values[::2]), f"{name}_im": list(values[1::2])}
        else:
            columns[name] = list(struct.unpack(f">{rows * repeat}{form}", b"".join(cells))) if form else [cell.hex() for cell in cells]
        offset += size
    return columns
