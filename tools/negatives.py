#!/usr/bin/env python3
"""Gathers texts that describe no vulnerability, in many styles, as JSON Lines.

    python3 tools/negatives.py --out negatives.jsonl.gz --attack enterprise-attack.json.gz --crates REGISTRY/src
    python3 tools/negatives.py --foreign foreign.jsonl.gz

Each line of `--out` has `id`, `style` and `description`. The styles are manual, changelog, release-notes, readme, info,
attack, boilerplate and everyday; a style whose source is absent is left out, and the counts printed at the end say so.
Each line of `--foreign` has `id`, `lang` and `description`: the opening of a man page in a language other than English.
The same sources give the same files: everything is sorted, and what is drawn is drawn from a seed.
"""

import argparse
import gzip
import hashlib
import json
import os
import random
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

MOST_OF_A_STYLE = 4000
MOST_OF_A_PACKAGE = 6
# There are few texinfo manuals, each a book.
MOST_OF_A_BOOK = 60
MOST_OF_A_LANGUAGE = 150
FEWEST_WORDS, MOST_WORDS = 2, 300
# Some changelogs hold decades; the newest part is enough to choose from.
MOST_READ = 400_000

# A description of what a program does is left out only where it speaks of a vulnerability outright.
OUTRIGHT = re.compile(
    r"\bCVE\b|vulnerab|exploit|buffer over(?:flow|run)|(?:sql|command|code|shell) injection|cross.site|\bXSS\b|"
    r"denial.of.service|use.after.free|out.of.bounds|double.free|arbitrary (?:code|command)|memory corruption|"
    r"security (?:hole|risk|flaw|bug|issue|problem)|never use|malicious|attacker",
    re.I,
)
# A change is left out where it could repair a vulnerability, named or not.
SUSPECT = re.compile(
    OUTRIGHT.pattern
    + r"|secur|overflow|underflow|overrun|over-?read|over-?write|inject|privilege|bypass|saniti[sz]|crash|"
    r"leak|\brac(?:e|es|y|ing)\b|\bheap\b|corrupt|panic|seg(?:v| ?fault|mentation fault)|unsound|soundness|"
    r"undefined behaviou?r|\bUB\b|rustsec|\bDoS\b|infinite|endless|\bhangs?\b|deadlock|dereferenc|null pointer|"
    r"uninitiali[sz]ed|dangling|\bunsafe|off.by.one|bounds|travers|symlink|spoof|forge|escap(?:e|ing)|setuid|"
    r"permission|untrusted|credential|password|\bfuzz|valgrind|\b[CU]?[AM]San\b|abort|assert|"
    r"invalid (?:read|write|free|memory)|past the end|recursion|exhaust|"
    r"memory (?:usage|safety)|embargo|\bDSA\b|\bGHSA\b|harden|certificate|timing|predictable|temp(?:orary)? file",
    re.I,
)


def folded(text):
    """The text in lower case, its words only: two texts that fold alike are one."""
    return " ".join(re.findall(r"\w+", text.lower()))


def draw(text, ways):
    """A number below `ways` that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % ways


def evenly(items, most):
    """At most `most` of the items, at even distances."""
    if len(items) <= most:
        return items
    return [items[index * len(items) // most] for index in range(most)]


def read(path, most=MOST_READ):
    """The text of a file, compressed or not; None where it cannot be read as UTF-8 text."""
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            data = file.read(most)
        # The reading may have stopped inside a character.
        return data.decode("utf-8", "ignore" if len(data) == most else "strict")
    except (OSError, EOFError, UnicodeDecodeError):
        return None


def plain(text):
    return re.sub(r"\s+", " ", text).strip()


def sentences(text):
    return re.split(r"(?<=[.!?])\s+(?=[\"'(A-Z])", text)


def shortened(text, most):
    """The first sentences of a text, at most `most` of them."""
    return " ".join(sentences(text)[:most])


# --- Man pages ------------------------------------------------------------------------------------------------------

SPECIAL = {
    "aq": "'",
    "dq": '"',
    "lq": '"',
    "rq": '"',
    "oq": "'",
    "cq": "'",
    "em": "-",
    "en": "-",
    "hy": "-",
    "bu": "",
    "co": "©",
    "rg": "®",
    "tm": "™",
    "ha": "^",
    "ti": "~",
    "rs": "\\",
    "sl": "/",
    "ga": "`",
    "at": "@",
    "sh": "#",
    "Do": "$",
    "bv": "|",
    "ba": "|",
    "or": "|",
    "mu": "×",
    "pl": "+",
    "mi": "-",
    "eq": "=",
    "<=": "≤",
    ">=": "≥",
    "!=": "≠",
    "->": "→",
    "<-": "←",
    "mc": "µ",
    "ss": "ß",
    "aa": "'",
    "Fo": "«",
    "Fc": "»",
    "lB": "[",
    "rB": "]",
    "lC": "{",
    "rC": "}",
    "la": "<",
    "ra": ">",
    "+-": "±",
    "de": "°",
    "if": "∞",
    "pc": "·",
    "AE": "Æ",
    "ae": "æ",
    "oe": "œ",
    "OE": "Œ",
    "/L": "Ł",
    "/l": "ł",
    "/O": "Ø",
    "/o": "ø",
    "oA": "Å",
    "oa": "å",
    "Eu": "€",
    "S1": "¹",
    "S2": "²",
}
# The two-letter names of letters with accents: the accent, then the letter.
ACCENTS = {
    "'": dict(zip("AEIOUYaeiouyCc", "ÁÉÍÓÚÝáéíóúýĆć")), "`": dict(zip("AEIOUaeiou", "ÀÈÌÒÙàèìòù")),
    "^": dict(zip("AEIOUaeiou", "ÂÊÎÔÛâêîôû")), ":": dict(zip("AEIOUaeiouy", "ÄËÏÖÜäëïöüÿ")),
    "~": dict(zip("ANOano", "ÃÑÕãñõ")), ",": dict(zip("Cc", "Çç")), "v": dict(zip("SZsz", "ŠŽšž")),
}  # fmt: skip
# The strings that pod2man and man(7) define.
STRINGS = {"--": "-", "Aq": "'", "lq": '"', "rq": '"', 'L"': '"', 'R"': '"', "C`": '"', "C'": '"', "PI": "pi", "R": "®"}
ESCAPE = re.compile(
    r"""\\(?:
        f(?:\((?P<font2>..)|\[[^\]]*\]|.) | [mFM](?:\(..|\[[^\]]*\]) | s(?:[-+]?\d{1,2}|\[[^\]]*\]|'[^']*')
      | \((?P<special>..) | \[(?P<named>[^\]]*)\] | \*(?:\((?P<string2>..)|\[(?P<string>[^\]]*)\]|(?P<string1>.))
      | [nkgVY](?:\(..|\[[^\]]*\]|.) | [hvwlLDXZbBCRASHNox]'[^']*' | (?P<other>.) | $ )""",
    re.X,
)
ALTERNATING = {"BI", "BR", "IB", "IR", "RB", "RI", "SB"}
BREAKS = {"PP", "P", "LP", "sp", "Pp", "HP", "br", "TP", "IP", "TQ", "RS", "RE", "It", "UE", "ME", "in", "ti"}
# What stands between these is a table, a listing or a definition.
BLOCKS = {"nf": "fi", "EX": "EE", "TS": "TE", "Bl": "El", "Bd": "Ed", "Vb": "Ve", "de": ".", "ig": ".", "EQ": "EN"}
MDOC_AROUND = {"Dq": '"{}"', "Qq": '"{}"', "Sq": "'{}'", "Ql": "'{}'", "Pq": "({})", "Op": "[{}]", "Aq": "<{}>"}
MDOC_PLAIN = {
    "Ar", "Cm", "Ev", "Pa", "Em", "Sy", "Fa", "Va", "Dv", "Er", "Vt", "Ic", "Li", "Ad", "An", "No", "Tn", "In", "Nm",
    "Ux", "Bx", "Fx", "Nx", "Ox", "St", "Xr", "Fn", "Fl", "Nd", "Ns", "Ap", "Lk", "Mt", "Sx", "Lb", "Rs", "Ms",
}  # fmt: skip


def unescaped(line):
    """A line of troff without its escapes."""

    def replaced(found):
        name = found["special"] or found["named"]
        if name:
            if unicode := re.fullmatch(r"u([0-9A-Fa-f]{4,6})", name):
                return chr(int(unicode[1], 16)) if int(unicode[1], 16) < 0x110000 else ""
            return SPECIAL.get(name) or ACCENTS.get(name[0], {}).get(name[1:], "")
        string = found["string2"] or found["string"] or found["string1"]
        if string:
            return STRINGS.get(string, "")
        return {
            "-": "-",
            "e": "\\",
            " ": " ",
            "~": " ",
            "0": " ",
            "'": "'",
            "`": "`",
            "\\": "\\",
            ".": ".",
            "t": " ",
        }.get(found["other"] or "", "")

    return ESCAPE.sub(replaced, re.sub(r'\\["#].*', "", line))


def arguments(rest):
    """The arguments of a macro: words, or texts in quotes."""
    # A blank after a backslash does not part two arguments.
    found = re.findall(r'"((?:[^"]|"")*)"?|((?:\\.|[^\s\\])+)', rest)
    return [unescaped(quoted or word) for quoted, word in found]


def mdoc(macro, words, name):
    """The text of an mdoc(7) line."""
    text, glue = "", True
    queue = [macro, *words]
    closing = ""
    while queue:
        word = queue.pop(0)
        if word in MDOC_AROUND:
            before, after = MDOC_AROUND[word].split("{}")
            text, glue, closing = text + ("" if glue else " ") + before, True, after + closing
            continue
        if word == "Ns":
            glue = True
            continue
        if word == "Nm":
            word = queue.pop(0) if queue and re.match(r"\w", queue[0]) else name
        elif word == "Fl":
            word = "-" + (queue.pop(0) if queue and re.match(r"[\w-]", queue[0]) else "")
        elif word == "Xr" and len(queue) > 1:
            word = f"{queue.pop(0)}({queue.pop(0)})"
        elif word == "Fn" and queue:
            word = queue.pop(0) + "()"
        elif word in MDOC_PLAIN:
            continue
        elif word in {".", ",", ";", ":", ")"}:
            text, closing = text + closing + word, ""
            continue
        text, glue = text + ("" if glue else " ") + word, word == "("
    return text + closing


def sections(source):
    """The sections of a man page, in order: the title and its paragraphs of running text."""
    found, name, ends = [], "", None
    lines = iter(source.split("\n"))
    for line in lines:
        control = re.match(r"[.']\s*([A-Za-z]{1,3}|\.)(?![A-Za-z])\s*(.*)", line)
        if ends:
            if control and control[1] == ends:
                ends = None
                if found:
                    found[-1][1].append("")
            continue
        if not line.startswith((".", "'")):
            text = unescaped(line)
            if found:
                # A line that begins with a blank belongs to a listing.
                found[-1][1][-1:] = [f"{found[-1][1][-1]} {text}"] if text.strip() else [found[-1][1][-1], ""]
            continue
        if not control:
            continue
        macro, rest = control[1], control[2]
        if macro in {"if", "ie", "el"}:
            depth = line.count("\\{") - line.count("\\}")
            while depth > 0 and (line := next(lines, None)) is not None:
                depth += line.count("\\{") - line.count("\\}")
            continue
        if macro in BLOCKS:
            ends = BLOCKS[macro]
            if found:
                found[-1][1].append("")
            continue
        if macro in {"SH", "Sh"}:
            found.append((plain(" ".join(arguments(rest))) if rest else plain(unescaped(next(lines, ""))), [""]))
            continue
        if not found:
            continue
        if macro in {"SS", "Ss"} | BREAKS:
            if macro in {"TP", "TQ"}:
                next(lines, None)
            found[-1][1].append("")
            continue
        words = arguments(rest)
        if macro in {"B", "I", "SM", "R"}:
            text = " ".join(words)
        elif macro in ALTERNATING:
            text = "".join(words)
        elif macro in MDOC_PLAIN or macro in MDOC_AROUND:
            if macro == "Nm" and words and not name:
                name = words[0]
            text = "- " + " ".join(words) if macro == "Nd" else mdoc(macro, words, name)
        else:
            continue
        found[-1][1][-1] += " " + text
    for title, paragraphs in found:
        yield title, [text for text in map(plain, paragraphs) if text]


def residue(text):
    """Whether troff that we do not read is left in the text."""
    return bool(re.search(r"\\[f(*\[]|(?:^|\s)\.[A-Z]{2}\s|\\n\[", text))


def manuals(folder):
    for number in range(1, 9):
        for path in sorted((folder / f"man{number}").glob("*.gz")):
            if path.is_symlink() or not (source := read(path)) or source.startswith(".so"):
                continue
            page = path.name.removesuffix(".gz")
            parts = list(sections(source))
            name = next((" ".join(texts) for title, texts in parts if title.upper() == "NAME"), "")
            body = next((texts for title, texts in parts if title.upper().startswith("DESCRIPTION")), [])
            body = [text for text in body if len(text.split()) > 5 and not text.endswith(":") and text[0].isalnum()]
            if not body:
                continue
            # From one sentence to five, and now and then everything.
            way = draw(page, 12)
            text = " ".join(body) if way == 11 else shortened(" ".join(body[: 1 + way // 4]), 1 + way % 5)
            if way % 3 == 0 and len(name.split()) > 2:
                text = f"{name.rstrip('.')}. {text}"
            if not OUTRIGHT.search(text) and not residue(text):
                yield re.split(r"[-_.:]", page)[0], f"{page}", text


ENGLISH = frozenset("the of and to is in for a that this are be by with or on from it as if".split())


def foreign(folder):
    """The openings of the man pages in other languages, by language."""
    for home in sorted(folder.iterdir()):
        language = home.name.split(".")[0]
        if home.name.startswith("man") or not home.is_dir() or language.startswith(("en", "cat")):
            continue
        for path in sorted(home.glob("man*/*.gz")):
            if path.is_symlink() or not (source := read(path)) or source.startswith(".so"):
                continue
            # The titles are translated too; the description follows the name and the synopsis.
            for _, texts in list(sections(source))[2:4]:
                text = next(
                    (text for text in texts if len(text) > (20 if language[:2] in {"zh", "ja", "ko"} else 60)), ""
                )
                words = re.findall(r"\w+", text.lower())
                english = sum(word in ENGLISH for word in words) > len(words) / 8
                if text and not english and not residue(text) and not re.search(r":$|：$|^\S+\(\d\w*\)[,.]", text):
                    yield language, f"{language}:{path.name.removesuffix('.gz')}", text
                    break


# --- Changelogs, release notes, introductions, books ----------------------------------------------------------------

ENTRY = re.compile(
    r"^(?:\S+ \(\S+\) .*;.*|\d{4}-\d\d-\d\d\s.*|\w{3} \w{3} +\d+ .*\d{4}.*|Version .*|v?\d+\.\d[\w.]*:?.*)$", re.M
)
BULLET = re.compile(r"^\s*[*+•-]\s+", re.M)


def items(entry):
    """The items of an entry of a changelog."""
    lines = []
    for line in entry.split("\n"):
        # Signatures, authors, rules and addresses say nothing of the change.
        if re.match(r"\s*(--|\[|=|-{3}|#)", line) or re.search(r"\S+@\S+|<.*>$|commit [0-9a-f]{20}", line):
            lines.append("")
        else:
            lines.append(line)
    for block in re.split(r"\n\s*\n", "\n".join(lines)):
        for item in BULLET.split(block):
            text = plain(item)
            # A change has words; a list of files or names has not.
            if len(re.findall(r"(?<![\w./-])[a-z]{2,}(?![\w./-])", text)) >= 2 and not re.search(
                r"\([<>=]+ [\w.-]+\)$", text
            ):
                yield text


def changes(entries, package):
    """One text of each entry: an item or, one time in four, all of them."""
    for number, entry in enumerate(entries):
        if SUSPECT.search(entry):
            continue
        texts = list(items(entry))
        if not texts:
            continue
        way = draw(f"{package}{number}", 4)
        text = " ".join(texts) if way == 0 else texts[draw(f"{number}{package}", len(texts))]
        if len(text.split()) > MOST_WORDS:
            text = texts[0]
        yield package, f"{package}.{number}", text


def changelogs(folder):
    for path in sorted(folder.glob("*/[cC]hange[lL]og*.gz")):
        if path.is_symlink() or path.parent.is_symlink() or ".html" in path.name or not (source := read(path)):
            continue
        yield from changes(ENTRY.split(source), path.parent.name)


def without_markdown(text):
    """Markdown without its links, pictures, tags, rules and marks."""
    text = re.sub(r"```.*?(?:```|\Z)|<!--.*?-->", "", text, flags=re.S)
    text = re.sub(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])|<[^>\n]+>", "", text)
    text = re.sub(r"\[([^\[\]]*)\](?:\([^)]*\)|\[[^\]]*\])?", r"\1", text)
    return re.sub(r"\*\*|__|^\s*[-=*_]{3,}\s*$|^\s*\S+:\s+https?://\S+$|\(?https?://[^\s)]+\)?", "", text, flags=re.M)


def crates(folder, names):
    for path in sorted(folder.glob("**/Cargo.toml")):
        for home in sorted(path.parent.iterdir()):
            if home.is_file() and re.fullmatch(names, home.name, re.I) and (source := read(home)):
                yield re.sub(r"-\d+\.\d.*", "", path.parent.name), source


def release_notes(folder):
    for crate, source in crates(
        folder, r"(changelog|changes|releases|release-notes|news|history)(\.(md|txt|markdown))?"
    ):
        parts = re.split(r"^#{1,3}\s+.*$|^v?\d+\.\d.*\n[-=]+$", source, flags=re.M)
        yield from changes([without_markdown(part) for part in parts], crate)


def readmes(folder):
    for crate, source in crates(folder, r"readme(\.(md|txt|markdown))?"):
        number = 0
        for block in re.split(r"\n\s*\n", without_markdown(source)):
            text = plain(re.sub(r"^[>]\s?", "", block, flags=re.M))
            if len(text.split()) < 6 or re.match(r"[#|\[*+=-]|\d+\.|licensed|unless you|at your option", text, re.I):
                continue
            if text.endswith(":") or SUSPECT.search(text):
                continue
            yield crate, f"{crate}.{number}", text
            number += 1


def books(folder):
    for path in sorted(folder.glob("*.gz")):
        if path.name == "dir.gz" or not (source := read(path, 4_000_000)):
            continue
        book = path.name.split(".")[0]
        for number, block in enumerate(re.split(r"\n\s*\n|\x1f", source)):
            # Paragraphs begin at the margin or three blanks from it; deeper ones are examples.
            if re.match(r"(?: {0,3})[A-Z]", block) and not re.search(
                r"^ {6}|[*=._-]{4}|^\* |\bNode:|\x7f|::", block, re.M
            ):
                text = plain(re.sub(r"\*[Nn]ote ([^:]*)::?", r"\1", block))
                if len(text.split()) > 7 and text[-1] in ".!?" and not SUSPECT.search(text):
                    yield book, f"{path.name.removesuffix('.gz')}.{number}", text


# --- ATT&CK ---------------------------------------------------------------------------------------------------------

ATTACK_TYPES = {
    "malware", "tool", "intrusion-set", "campaign", "course-of-action", "x-mitre-data-component", "x-mitre-data-source",
}  # fmt: skip


def attack(path):
    """The descriptions of the software, groups, campaigns, mitigations and data of ATT&CK, not of its techniques."""
    source = read(path, -1)
    if source is None:
        sys.exit(f"{path}: not readable as text; give MITRE's enterprise-attack.json, compressed with gzip or not")
    for item in sorted(json.loads(source)["objects"], key=lambda item: item["id"]):
        if item["type"] not in ATTACK_TYPES or item.get("revoked") or not item.get("description"):
            continue
        text = re.sub(r"\(Citation: [^)]*\)", "", item["description"].strip().split("\n")[0])
        text = plain(re.sub(r"</?code>|\*\*", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)))
        name = next(
            (ref["external_id"] for ref in item.get("external_references", []) if "external_id" in ref), item["id"]
        )
        if not re.search(r"\bCVE-|vulnerab|exploit|zero.day", text, re.I):
            yield item["id"], f"{item['type']}.{name}", text


# --- Written texts --------------------------------------------------------------------------------------------------

# What stands between braces is a slot; `filled` draws a value for each.
SLOTS = {
    "product": "Arbolia Server|the Quillon CMS|NetHarbor 400|Perigee Mail|OpenTalus|Kestrel Gateway|LumenDB|Ferrite OS|"
    "the Brackwater plugin|Vantor Office|libmorrow|Sablefish|Cobaltic Player|the Onyxa app|Hollin Router R7|Tarnwerk",
    "vendor": "Arbolia Systems|the Quillon project|NetHarbor Inc.|the maintainers|the OpenTalus team|Kestrel Networks|"
    "the vendor|upstream|Ferrite GmbH|the developers|our engineering team",
    "version": "4.2.1|2.3|10.0.7|1.18.0|7.1.4|0.9.12|2024.2|3.11.2-rc1|5.0|12.4 SP1|8.2.0.5|6.6.30",
    "older": "4.1|2.2.9|10.0.0|1.17.3|7.0|0.9.1|2023.4|3.10|4.9.8|12.3|8.1|6.1",
    "date": "3 March|14 June 2022|2023-11-08|the second Tuesday of May|January 9, 2024|12 October|last Friday",
    "month": "January|February|March|April|May|June|July|August|September|October|November|December",
    "year": "2018|2019|2020|2021|2022|2023|2024|2025",
    "person": "Maya Lindqvist|J. Okafor|Tomás Herrera|Wen-Li Zhao|an external researcher|Priya Raman|Anders Holm|"
    "a member of the community|Sofia Conti|K. Yamada",
    "link": "https://support.example.com/notes/4711|the download page|the customer portal|https://example.org/releases|"
    "the knowledge base|the product documentation|https://lists.example.net/announce",
    "system": "Windows|Linux|macOS|Debian 12|Ubuntu 22.04 LTS|Fedora 39|SUSE Linux Enterprise 15|FreeBSD 14|Android",
    "number": "2|3|7|12|24|30|45|60|90|150",
    "city": "Lisbon|Oslo|Nairobi|Kyoto|Toronto|Ghent|Lima|Auckland|Kraków|Austin|Cork|Hanoi",
    "name": "Anna|Ben|Carla|David|Elif|Femi|Grace|Hiro|Ines|Jonas|Kim|Luca",
    "day": "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday",
    "hour": "8:15|9:30|10 o'clock|noon|14:00|half past three|5 pm|19:45",
    "food": "lentil soup|apple pie|mushroom risotto|flat bread|potato salad|carrot cake|bean stew|lemon tart",
    "team": "Rovers|United|the Falcons|the visitors|the home side|Dynamo|the Harriers|City",
    "thing": "kettle|desk lamp|backpack|pair of headphones|office chair|garden hose|bicycle pump|coffee grinder",
    "weather": "Sunny spells|Light rain|Fog at first|Strong westerly wind|Scattered showers|Snow above 900 metres",
}

# What advisories, bulletins and announcements say around the vulnerability.
AROUND = """\
Users are advised to upgrade to version {version}.
All users of {product} should update to {version} or later.
We recommend that customers install the latest release of {product} from {link}.
The vendor was notified on {date} and released a patch.
{vendor} was contacted on {date} and answered within {number} days.
Affected versions: all before {version}.
Versions {older} through {version} are affected.
Affected product: {product}, versions {older} and earlier on {system}.
{product} {older} is not affected.
Fixed in {version}.
Fixed versions: {older} and {version}.
The problem is corrected in {product} {version}.
This advisory will be updated as more information becomes available.
No workaround is known at this time.
There are no workarounds that address this issue.
As a workaround, please contact {vendor} and ask for instructions.
This issue was reported by {person}.
Discovered by {person} and coordinated through {vendor}.
We would like to thank {person} for reporting this to us and for working with {vendor} on a coordinated release.
Credit: {person}.
Acknowledgements: {person} and {person}.
The first version of this advisory was published on {date}.
Revision 1.{number}: corrected the list of affected versions.
Last updated: {date}.
Timeline: {date}: reported to {vendor}. {date}: fix available. {date}: public disclosure.
{date}: {vendor} confirms receipt of the report.
For the stable distribution, this problem has been fixed in version {version}-1+deb12u1.
For the oldstable distribution, this problem has been fixed in version {older}-3.
We recommend that you upgrade your {product} packages.
For the detailed status of {product} please refer to its tracker page.
Updated packages for {product} are now available for {system}.
An update for {product} is now available for {system}.
The following package has been updated: {product} {version}.
After a standard system update you need to restart {product} to make all the necessary changes.
To install this update, use the package manager of {system} and reboot.
In general, a standard system update will make all the necessary changes.
This bulletin covers the {month} {year} updates of {product}.
This bulletin covers issues in {product} and its components that were addressed in {month} {year}.
The {month} {year} bulletin contains details of all updates for {system} devices.
Our monthly update for {month} {year} includes {number} fixes across {number} products.
This is a summary of the updates that {vendor} published in {month} {year}.
Partners are notified of all issues at least a month before publication.
Source code patches will be released within {number} hours of this bulletin.
Severity: Medium.
CVSS v3.1 base score: 7.5.
Impact: see details below.
Status: resolved. Resolution: fixed. Target release: {version}.
Priority: P{number}. Component: {product}. Assigned to: {person}.
References: {link}
See {link} for the full list of changes.
Additional information can be found at {link}.
For further details, see the original report at {link}.
If you have questions about this notice, please contact {vendor} through {link}.
Customers with a support contract can obtain the update through their usual channels.
Customers without a contract should contact the support centre and give the serial number of their device.
{product} {older} reaches the end of support on {date} and will receive no further updates.
Support for {product} on {system} ended on {date}.
{product} has reached end of life; customers are encouraged to migrate to {version}.
The information in this document is provided as is, without warranty of any kind.
The names of companies and products mentioned here are trademarks of their respective owners.
In no event shall {vendor} be liable for any damages arising from the use of this document.
Copyright {year} {vendor}. All rights reserved. Redistribution in electronic form is permitted if it is not altered.
This notice may be reproduced in whole, provided that {vendor} is credited.
{vendor} reserves the right to change or update this document at any time.
Hi all, the release candidate of {product} {version} is ready for testing. Please report results by {date}.
Hello list, please find below the announcement for {product} {version}. Regards, {person}
Dear customers, we have published version {version} of {product}. You can download it from {link}.
We are pleased to announce the release of {product} {version}.
{product} {version} is a maintenance release and contains only bug fixes.
{product} {version} was released on {date}. It adds support for {system} and drops support for {older}.
Hi, could a moderator please forward this to the list? Thanks, {person}
Forwarding on behalf of {person}. Original message follows.
Please reply to this list or open a ticket at {link}.
The signature of the tarball can be checked with the key published at {link}.
SHA-256 checksums of the packages are listed at {link}.
The reporter asked to remain anonymous.
{vendor} is not aware of any public announcement of this issue.
No customer reports have been received.
We do not know whether other versions are affected.
It is not known whether versions older than {older} are affected, since they are no longer supported.
Please see the FAQ section below.
A request for an identifier has been made and this page will be amended once it is assigned.
** RESERVED ** This candidate has been reserved. When it has been publicized, the details will be provided.
** REJECT ** This candidate was withdrawn by its assigner. Further investigation showed that it was a duplicate.
This candidate was not assigned to any issue during {year}.
Details are withheld until {date} so that users have time to update.
Details to follow.
Description to be added.
No details are available.
This page is a translation of the notice that {vendor} published on {date}; the original is authoritative.
The following products have been evaluated and are not affected: {product}, {product}.
{product} is a popular application for {system}, used by more than {number},000 organisations.
{product} is developed by {vendor} in {city} and distributed under an open-source licence.
{product} is a lightweight server written in Go that many companies in {city} use.
The update is rolled out in stages and should reach all devices within {number} days.
Automatic updates are enabled by default; no action is required by most users.
Cloud customers need take no action; the hosted service was updated on {date}.
Administrators of on-premises installations should schedule a maintenance window of {number} minutes.
Scheduled maintenance: {product} will be unavailable on {date} from {hour}.
Package: {product}. Version: {version}. Architecture: amd64. Maintainer: {person}.
Backport of the fix to the {older} branch is planned for {month}.
The pull request was merged on {date} and is part of {version}.
Commit 3f{number}ab9 contains the fix; it was cherry-picked into the {older} branch.
Tested on {system} with {product} {version}.
Tested versions: {older}, {version}. Tested platform: {system}.
Vendor homepage: {link}. Software link: {link}. Date: {date}. Author: {person}.
Business recommendation: {vendor} provides a patch that should be installed immediately.
Solution: update {product} to {version}. Until then, contact {vendor}.
About {vendor}: founded in {year}, it makes {product} and employs {number} people in {city}.
This entry will be analysed when further details are published.
Subscribe at {link} to receive these notices by mail.
Language: en. Category: product notice. Publisher: {vendor}. Revision: {number}.
Full release notes for {product} {version} are at {link}; the upgrade guide is in the same place."""

# Everyday texts with slots.
DAILY = """\
Dear {name}, the meeting on {day} is moved to {hour}. Best, {name}
Hi {name}, could you send me the slides for {day}? Thanks!
{name} will be out of the office until {day}.
Reminder: the timesheets for {month} are due on {day}.
The train from {city} to {city} leaves at {hour} from platform {number}.
We spent {number} days in {city} and would go again at once.
{weather} in {city} on {day}, with highs near {number} degrees.
{weather} is expected until {day} evening.
{team} beat {team} on {day} after extra time.
{team} signed a striker from {city} for the season of {year}.
The coach of {team} praised the crowd in {city}.
For the {food}, soak everything for {number} minutes and season well.
Serve the {food} warm with a spoonful of yoghurt.
My grandmother's {food} needs {number} minutes in the oven.
I bought this {thing} in {month} and it still works well. Four stars.
The {thing} arrived late and the colour is not the one shown.
Great {thing} for the price; {name} uses it every {day}.
Inflation fell to {number} tenths of a percent in {month}, the statistics office in {city} said.
The parliament in {city} votes on the budget for {year} on {day}.
Researchers in {city} counted {number} new species of beetle.
Mayor of {city} opens a bridge for cyclists after {number} months of work.
Unemployment in {month} {year} was lower than a year before.
Happy birthday, {name}! See you on {day}.
{name}, don't forget the milk.
Flat to let in {city}, {number} square metres, quiet, from {month}.
Flight to {city} delayed; new departure at {hour}.
The museum in {city} is closed on {day}.
INFO {year}-04-12 08:15:02 worker-{number} started in {number} ms
DEBUG connection pool size={number} idle=3
[{year}/07/01 10:22:13] GET /index.html 200 {number}ms
{{"name": "{name}", "city": "{city}", "visits": {number}}}
{{"version": "{version}", "enabled": true, "retries": {number}}}
timeout = {number}
color: #3a{number}ff; margin: 0 {number}px;
for i in range({number}): print(i)
# TODO({name}): rename this after the {month} release
// Returns the mean of the last {number} samples.
SELECT city, COUNT(*) FROM visits WHERE year = {year} GROUP BY city;
version: "{version}"
Order no. 10{number}4 was shipped to {city} on {date}.
Your invoice for {month} {year} is attached.
The choir rehearses every {day} at {hour}.
Room {number} has a view of the harbour.
{number} + {number}
{city}, {month} {year}
{name} and {name} moved to {city} in {year}.
The printer on floor {number} is out of paper again.
Lunch on {day}: {food}."""

# Everyday texts as they are.
HAND = """\
hello world
Hello, World!
hello
hi there
good morning
test
testing 1 2 3
asdf
foo bar baz
lorem ipsum
Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore.
42
3.14159
1, 2, 3, 4, 5
0
2024-05-17
yes
no
maybe
ok, thanks
n/a
none
unknown
todo
banana
bicycle
computer
software
weather
server
network
database
library
window
browser
kernel
update
password reset link
user manual
The quick brown fox jumps over the lazy dog.
To be, or not to be, that is the question.
It was raining when we reached the coast, and the ferry had already left.
The cat slept on the windowsill all afternoon.
She plays the cello in a small orchestra that meets on Thursdays.
My neighbour grows tomatoes on the roof of his garage.
He could not remember where he had parked the car.
The children built a house of cardboard boxes and painted it blue.
Please close the door quietly.
What time does the pharmacy open?
Where can I find a good dentist near the station?
How do I boil an egg so that the yolk stays soft?
How many planets are there in the solar system?
Why is the sky blue?
What is the capital of Mongolia?
Can you translate this letter into Portuguese?
Write a short poem about the sea.
Mix the flour, the sugar and a pinch of salt. Rub in the butter until the mixture looks like crumbs.
Heat the oil in a heavy pan, add the onions and cook them slowly for twenty minutes.
Bake at 180 degrees for forty minutes, then let the cake cool on a rack.
Peel and slice the apples, sprinkle them with lemon juice and set them aside.
Bring a large pot of salted water to the boil and cook the pasta until it is just tender.
Rain will spread from the west during the night, clearing by the morning.
A ridge of high pressure brings dry and mild days until the weekend.
Gale warning for the northern sea areas.
The first snow of the year fell in the mountains yesterday.
The match ended in a draw after both goalkeepers had an excellent evening.
She won the marathon in two hours and twenty-four minutes.
The defence was weak in the second half and the visitors scored twice.
He attacked from the left wing and hit the post.
The rider broke away on the last climb and finished alone.
The referee stopped play because of the fog.
The central bank left interest rates unchanged on Thursday.
Exports of machinery rose for the third quarter in a row.
The two parties agreed on a coalition after six weeks of talks.
Voters go to the polls on Sunday to elect a new council.
The minister presented a plan to renew the railways by the end of the decade.
Shares of the carmaker rose after it published its results.
Farmers fear for the harvest after a dry spring.
Astronomers have measured the mass of a distant planet by watching the light of its star.
The new telescope will observe the southern sky every third night.
A study of bird song shows that city birds sing at a higher pitch.
Chemists have found a way to recycle the plastic of drink bottles at room temperature.
The enzyme folds into a shape that fits the sugar like a key fits a lock.
Water expands when it freezes, which is why ice floats.
The treaty of 1648 ended thirty years of war.
The cathedral was begun in the twelfth century and never finished.
The river rises in the hills and flows north for two hundred kilometres.
Take the second street on the left and walk until you see the fountain.
The hostel has bunk beds, a shared kitchen and bicycles for hire.
Bring warm clothes, since the nights in the desert are cold.
Check-in closes forty minutes before departure.
Please find attached the minutes of our last meeting.
As discussed, I will prepare a draft and send it round by Friday.
Thank you for your order. We will write to you when it has been sent.
Could we move our call to the afternoon? My morning is full.
Welcome to the team! Your desk is on the second floor next to the kitchen.
The coffee machine will be repaired tomorrow.
I am writing to apply for the post of librarian advertised in the local paper.
The quarterly report is late because two departments have not sent their numbers.
Very comfortable shoes, but they run one size small.
The battery lasts two days and the screen is bright enough in the sun.
Sturdy table, easy to assemble, and the instructions are clear.
The book is well written, though the middle part drags a little.
Not worth the money; the handle came off in the first week.
An excellent film with a quiet ending that stays with you.
The restaurant is small, the service friendly and the fish very fresh.
// increment the counter
/* see the header for the meaning of the fields */
# load the settings before the plugins
# This function returns the sum of two numbers.
def add(a, b): return a + b
int main(void) { return 0; }
fn main() { println!("hello"); }
print("Hello")
console.log("done");
import os
SELECT name FROM customers ORDER BY name;
git commit -m "fix typo in the readme"
ls -la /tmp
sudo apt update && sudo apt upgrade
cargo build --release
npm install
docker run -it debian
<html><body><h1>My page</h1></body></html>
body { font-family: serif; color: black; }
{"a": 1, "b": [2, 3]}
{}
[]
key=value
[server] port = 8080
port: 443
name: build, on: push, jobs: test
<config><theme>dark</theme></config>
127.0.0.1 localhost
Mar 14 09:12:55 host systemd[1]: Started Daily apt download activities.
Listening on 0.0.0.0:3000
Compiling serde v1.0.197
404 Not Found
200 OK
Build succeeded in 12.4 s
All 214 tests passed.
warning: unused variable: `x`
Everything up to date
Downloading 3 of 17 files
https://www.example.com/
user@example.com
+1 555 0100
ISBN 978-3-16-148410-0
C:\\Users\\Public\\Documents
/usr/local/share/doc
v1.0.0
Release 2.1
Click OK to continue.
Drag the file into the window to open it.
The printer driver can be installed from the settings menu.
The new version has a dark theme and a faster search.
You can change the language in the preferences.
The program stores its settings in a file in your home directory.
To create an account, enter your name and your e-mail address.
The dashboard shows the temperature of each room over the past week.
A hash table maps keys to values.
A compiler translates source text into machine code.
TCP is a protocol that delivers bytes in order.
The server answers each request with a status line, headers and a body.
The memory of the machine was extended to 64 GB last summer.
We use a queue so that slow consumers do not delay the others.
The team has moved the build from one server to another.
This course introduces students to linear algebra and its uses.
Exercise 4: show that the sum of two even numbers is even.
Let x be a positive integer. Then x squared is positive too.
The patient was given ten milligrams twice a day and recovered within a week.
Wash your hands before you eat.
Turn off the power before you open the case.
Injection of the vaccine takes a few seconds and hardly hurts.
The overflow of the reservoir attracts many hikers in spring.
A leak in the roof was repaired by the caretaker.
The bus was late because of a race through the old town.
She has a memory for faces and forgets every name.
The execution of the sonata was flawless.
The bank by the river is overgrown with willows.
The escape from the island is the best chapter of the novel.
He was denied a visa and stayed at home.
The stack of plates in the sink reached the tap.
The heap of leaves in the yard is for the hedgehogs.
The key is under the flower pot.
The guard at the gate waved us through.
The attack of the string section in the first bar was too soft.
Keep the root ball moist after planting the tree.
Security at the airport took only ten minutes.
The bug on the leaf turned out to be a ladybird.
A virus gave half the class a cold.
The thread of the story is lost in the third act.
Our shop sells fishing rods, nets and bait.
Patch the knee of the trousers with a piece of denim.
The string broke in the middle of the concert.
The path leads through a gorge and over two wooden bridges.
Format the page with wide margins and print it on thick paper.
The pointer on the dial stands at noon.
The buffer at the end of the track is painted red.
Integers are whole numbers; fractions are not.
The cross on the summit can be seen from the valley.
The crash of the waves kept us awake.
The session of the committee lasted until midnight.
The script of the play was found in an attic.
Cookies keep for two weeks in a tin.
Once upon a time there was a miller who had three sons and a donkey. When he died, the eldest got the mill.
Dear diary, today we learned to row. The lake was calm, my hands hurt, and we saw a heron stand in the reeds.
The agenda: welcome, minutes, budget, new members, any other business.
Bread, milk, eggs, onions, soap
red green blue
north, east, south, west
Mon Tue Wed Thu Fri
A B C D E F G
?
!!!
:-)
...and then they lived happily ever after.
This page was intentionally left blank.
See you soon
Sorry for the late reply.
No problem at all.
I don't know.
Let me think about it.
It's Tuesday."""


def filled(template, source):
    """The template with a value drawn for each slot."""
    text = re.sub(r"(?<!\{)\{(\w+)\}(?!\})", lambda slot: source.choice(SLOTS[slot[1]].split("|")), template)
    text = re.sub(
        r"\{(\w+)\}", lambda slot: source.choice(SLOTS[slot[1]].split("|")) if slot[1] in SLOTS else slot[0], text
    )
    text = text.replace("{{", "{").replace("}}", "}")
    return text[0].upper() + text[1:] if re.match(r"\{(product|vendor|person)\}", template) else text


def boilerplate():
    """Sentences from advisories, each template filled several ways, and paragraphs of two to six of them."""
    source = random.Random(1)
    templates = AROUND.split("\n")
    for number, template in enumerate(templates):
        for way in range(5):
            yield "sentences", f"{number}.{way}", filled(template, source)
    for number in range(300):
        picked = source.sample(templates, source.randint(2, 6))
        yield "paragraphs", f"p{number}", " ".join(filled(template, source) for template in picked)


def everyday():
    """Texts of everyday life and work: as they are, and from templates filled several ways."""
    source = random.Random(2)
    hand, daily = HAND.split("\n"), DAILY.split("\n")
    for number, text in enumerate(hand):
        yield "hand", f"h{number}", text
    for number, template in enumerate(daily):
        for way in range(6):
            yield "templates", f"{number}.{way}", filled(template, source)
    # Some texts are long: letters and pages of several sentences.
    prose = [text for text in hand if len(text.split()) > 8 and text[0].isalpha()]
    for number in range(60):
        yield "pages", f"p{number}", " ".join(source.sample(prose, source.randint(3, 14)))


# --- The whole ------------------------------------------------------------------------------------------------------


def chosen(style, texts, most_of_a_package, seen):
    """The texts of one style: none twice, few of one package, all packages in turn until there are enough."""
    packages, taken = defaultdict(list), Counter()
    for package, name, text in texts:
        text = text.strip()
        key = folded(text)
        words = len(text.split())
        few = 1 if style == "everyday" else FEWEST_WORDS
        if not key or key in seen or words > MOST_WORDS or words < few:
            continue
        seen.add(key)
        # A package may have several changelogs, and a crate several versions.
        taken[name] += 1
        unique = name if taken[name] == 1 else f"{name}-{taken[name]}"
        packages[package].append({"id": f"{style}:{unique}", "style": style, "description": text})
    rounds = [evenly(found, most_of_a_package) for _, found in sorted(packages.items())]
    turns = [found[turn] for turn in range(most_of_a_package) for found in rounds if turn < len(found)]
    # The last turn that does not fit whole is thinned evenly, not cut at a letter of the alphabet.
    whole = 0
    for turn in range(most_of_a_package):
        size = sum(len(found) > turn for found in rounds)
        if whole + size > MOST_OF_A_STYLE:
            return turns[:whole] + evenly(turns[whole : whole + size], MOST_OF_A_STYLE - whole)
        whole += size
    return turns


def write(path, rows):
    """Writes the rows aside, then renames: a file is there whole or not at all."""
    aside = path.with_name(path.name + ".part")
    with open(aside, "wb") as file:
        # Neither the hour nor the name of the file goes into the archive.
        packed = gzip.GzipFile("", "wb", fileobj=file, mtime=0) if path.suffix == ".gz" else file
        for row in rows:
            packed.write((json.dumps(row, ensure_ascii=False) + "\n").encode())
        if packed is not file:
            packed.close()
    os.replace(aside, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the texts go (.gz: compressed)")
    parser.add_argument("--foreign", type=Path, metavar="FILE", help="where the openings in other languages go")
    parser.add_argument("--attack", type=Path, metavar="FILE", help="MITRE's enterprise-attack.json, compressed or not")
    parser.add_argument("--crates", type=Path, metavar="FOLDER", help="a folder of unpacked crates")
    parser.add_argument("--doc", type=Path, metavar="FOLDER", default=Path("/usr/share/doc"))
    parser.add_argument("--man", type=Path, metavar="FOLDER", default=Path("/usr/share/man"))
    parser.add_argument("--info", type=Path, metavar="FOLDER", default=Path("/usr/share/info"))
    given = parser.parse_args()
    if not given.out and not given.foreign:
        parser.error("nothing to write: give --out FILE, --foreign FILE or both")
    if given.out:
        sources = [
            ("manual", manuals, given.man, MOST_OF_A_PACKAGE),
            ("changelog", changelogs, given.doc, MOST_OF_A_PACKAGE),
            ("release-notes", release_notes, given.crates, MOST_OF_A_PACKAGE),
            ("readme", readmes, given.crates, MOST_OF_A_PACKAGE),
            ("info", books, given.info, MOST_OF_A_BOOK),
            ("attack", attack, given.attack, MOST_OF_A_PACKAGE),
        ]
        seen, rows = set(), []
        for style, gather, source, most in sources:
            if source and source.exists():
                rows += chosen(style, gather(source), most, seen)
        for style, gather in (("boilerplate", boilerplate), ("everyday", everyday)):
            rows += chosen(style, gather(), MOST_OF_A_STYLE, seen)
        write(given.out, rows)
        counts = Counter(row["style"] for row in rows)
        for style in [*(source[0] for source in sources), "boilerplate", "everyday"]:
            print(f"{style:14} {counts[style]:6}" + ("" if counts[style] else "  (no source)"))
    if given.foreign:
        languages = defaultdict(list)
        for language, name, text in foreign(given.man):
            languages[language].append({"id": name, "lang": language, "description": text})
        rows = [row for _, found in sorted(languages.items()) for row in evenly(found, MOST_OF_A_LANGUAGE)]
        write(given.foreign, rows)
        print("foreign", dict(Counter(row["lang"] for row in rows)))


if __name__ == "__main__":
    main()
