#!/usr/bin/env python3
"""Lists circles of Rust files that import each other, and fails on those that are too large.

    python3 tools/circles.py [--all] [CRATE ...]

A file imports another one when a path in it (`crate::…`, `super::…`, `self::…`, a child's name, or a name that a
re-export brought in) leads to an item that the other one defines; re-exports are followed to the file that defines the
item. Declaring or re-exporting a child is not an import by itself, and tests are left out. A circle is a set of files
each of which reaches every other one by imports. A circle that crosses folders, or that has more than three files, is
an error (exit code 1); smaller ones are listed with --all.
"""

import re
import sys
from pathlib import Path

LARGEST = 3

COMMENT_OR_TEXT = re.compile(
    r"""//[^\n]*|/\*.*?\*/|b?r(\#*)".*?"\1|b?"(?:\\.|[^"\\])*"|b?'(?:\\(?:u\{[^}]*\}|x..|.)|[^\\'\n])'""", re.S
)
DEFINED = re.compile(
    r"^[ \t]*(?:pub(?:\([^)]*\))?\s+)?(?:default\s+|const\s+|async\s+|unsafe\s+|extern\s+)*"
    r"(?:struct|enum|union|trait|fn|const|static(?:\s+mut)?|type|macro_rules!)\s+([A-Za-z_]\w*)",
    re.M,
)
CHILD = re.compile(r"^[ \t]*(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+)\s*;", re.M)
USE = re.compile(r"(?P<public>\bpub(?:\([^)]*\))?\s+)?\buse\s+(?P<tree>[^;]+);")
PATH = re.compile(r"(?<![\w:.$])((?:crate|self|super|[A-Za-z_]\w*)(?:\s*::\s*[A-Za-z_]\w*)+)")
NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*")


def without_comments(text):
    """The code with comments and texts blanked, so that neither braces nor paths in them count."""

    def blank(match):
        return "\n" * match.group().count("\n") if match.group().startswith(("/", "//")) else '""'

    return COMMENT_OR_TEXT.sub(blank, text)


def block_end(text, start):
    """Where the block that opens at or after `start` ends."""
    depth = 0
    for at in range(text.index("{", start), len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at + 1
    return len(text)


def without_tests(text):
    """The code without modules that stand under `#[cfg(test)]`."""
    while match := re.search(r"#\[cfg\(test\)\]\s*(?:#\[[^\]]*\]\s*)*mod\s+\w+\s*(\{|;)", text):
        end = match.end() if match.group(1) == ";" else block_end(text, match.start())
        text = text[: match.start()] + text[end:]
    return text


def leaves(tree, prefix=()):
    """The paths of a use tree, each with the name that it brings in (`*` for a glob)."""
    tree = tree.strip()
    if "{" in tree:
        head, rest = tree.split("{", 1)
        inner, depth, part = rest.rsplit("}", 1)[0], 0, ""
        prefix += tuple(p.strip() for p in head.split("::") if p.strip())
        for character in inner + ",":
            depth += {"{": 1, "}": -1}.get(character, 0)
            if character == "," and depth == 0:
                if part.strip():
                    yield from leaves(part, prefix)
                part = ""
            else:
                part += character
        return
    path, _, alias = tree.partition(" as ")
    path = prefix + tuple(p.strip() for p in path.split("::") if p.strip())
    if path[-1] == "self":
        path = path[:-1]
    yield path, alias.strip() or path[-1]


class Module:
    """A file: what it defines, brings in and re-exports, and the paths in its code."""

    def __init__(self, file, path):
        self.file, self.path = file, path
        text = without_tests(without_comments(file.read_text(encoding="utf-8")))
        self.children = set(CHILD.findall(text))
        self.uses, self.exports = {}, {}
        self.globs, self.public_globs = [], []
        for match in USE.finditer(text):
            for path_, name in leaves(match["tree"]):
                if name == "*":
                    (self.public_globs if match["public"] else self.globs).append(path_[:-1])
                elif match["public"]:
                    self.exports[name] = path_
                else:
                    self.uses[name] = path_
        code = USE.sub("", text)
        self.defined = set(DEFINED.findall(code))
        self.paths = [tuple(p.strip() for p in match.split("::")) for match in PATH.findall(code)]
        self.names = set(NAME.findall(code))


class Crate:
    """The modules of a crate, by their paths."""

    def __init__(self, folder):
        self.folder = folder
        self.modules = {}
        for root in ("lib.rs", "main.rs"):
            if (folder / "src" / root).is_file():
                self.add(folder / "src" / root, ())
                break

    def add(self, file, path):
        module = self.modules[path] = Module(file, path)
        is_root = file.name in ("mod.rs", "lib.rs", "main.rs")
        home = file.parent if is_root else file.with_suffix("")
        for child in sorted(module.children):
            for candidate in (home / f"{child}.rs", home / child / "mod.rs"):
                if candidate.is_file():
                    self.add(candidate, path + (child,))

    def resolve(self, module, path, seen=()):
        """The module whose file defines what `path` names as seen from `module`, or None for another crate."""
        key = (module.path, path)
        if key in seen or not path:
            return None
        seen += (key,)
        first, rest = path[0], path[1:]
        if first == "crate":
            return self.item(self.modules[()], rest, seen)
        if first == "self":
            return self.item(module, rest, seen)
        if first == "super":
            return self.super(module, rest, seen)
        if first in module.children:
            return self.item(module, path, seen)
        if first in module.uses:
            return self.resolve(module, module.uses[first] + rest, seen)
        return self.item(module, path, seen) if first in module.exports else None

    def super(self, module, rest, seen):
        return self.item(self.modules[module.path[:-1]], rest, seen) if module.path else None

    def item(self, module, path, seen):
        """What `path` names as seen from within `module`."""
        if not path:
            return module
        first, rest = path[0], path[1:]
        if first == "super":
            return self.super(module, rest, seen)
        if first in module.children:
            child = self.modules.get(module.path + (first,))
            return self.item(child, rest, seen) if child else None
        if first in module.defined:
            return module
        for names in (module.exports, module.uses):
            if first in names:
                target = self.resolve(module, names[first], seen)
                return target if not rest or target is None else self.item_of(target, rest, seen)
        for glob in module.public_globs + module.globs:
            target = self.resolve(module, glob, seen)
            found = target and target is not module and (
                first in target.defined or first in target.exports or first in target.children
            )
            if found:
                return self.item(target, path, seen)
        return None

    def item_of(self, target, rest, seen):
        """A path that goes on behind a re-exported name: into a module, or to what belongs to an item."""
        if rest[0] in target.children or rest[0] in target.exports:
            return self.item(target, rest, seen) or target
        return target

    def imports(self, module):
        """The paths of the modules whose items `module` uses, each with the names of the items."""
        uses = list(module.uses.values())
        uses += [path for name, path in module.exports.items() if name in module.names]
        targets = {}
        for number, path in enumerate(uses + module.paths):
            target = self.resolve(module, path)
            # To bring in a module is not yet to use an item of it.
            is_module = target and path[-1] in target.path[-1:] and path[-1] not in target.defined
            if target and target is not module and not (is_module and number < len(uses)):
                targets.setdefault(target.path, set()).add(path[-1])
        for glob in module.globs:
            target = self.resolve(module, glob)
            if target and target is not module and (names := module.names & target.defined):
                targets.setdefault(target.path, set()).update(names)
        return targets


def circles(crate):
    """The strongly connected sets of more than one file (Tarjan's algorithm)."""
    edges = {path: crate.imports(module) for path, module in crate.modules.items()}
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in edges[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            circle = []
            while not circle or circle[-1] != node:
                circle.append(stack.pop())
            if len(circle) > 1:
                found.append(sorted(circle))

    sys.setrecursionlimit(10_000)
    for node in edges:
        if node not in index:
            visit(node)
    return found, edges


def main(arguments):
    shows_all = "--all" in arguments
    names = [argument for argument in arguments if not argument.startswith("--")]
    root = Path(__file__).resolve().parent.parent
    manifests = sorted((root / "crates").glob("**/Cargo.toml"))
    folders = [manifest.parent for manifest in manifests if (manifest.parent / "src").is_dir()]
    if names:
        folders = [folder for folder in folders if folder.name in names]
    bad = 0
    for folder in folders:
        crate = Crate(folder)
        if not crate.modules:
            continue
        found, edges = circles(crate)
        for circle in found:
            files = [crate.modules[path].file for path in circle]
            is_bad = len(circle) > LARGEST or len({file.parent for file in files}) > 1
            bad += is_bad
            if is_bad or shows_all:
                kind = "error" if is_bad else "small"
                print(f"{kind}: {folder.relative_to(root)}: {len(circle)} files import each other")
                for path, file in zip(circle, files):
                    for target, items in sorted(edges[path].items()):
                        if target in circle:
                            other = crate.modules[target].file.relative_to(folder / "src")
                            print(f"    {file.relative_to(folder / 'src')} -> {other}: {', '.join(sorted(items))}")
    if bad:
        sys.exit(f"{bad} circles of files are too large: none may cross folders or have more than {LARGEST} files")
    print(f"no circle of files crosses folders or has more than {LARGEST} files")


main(sys.argv[1:])
