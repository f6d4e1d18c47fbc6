#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shape of the C code: sizes, names, clean-up, documentation. CONTRIBUTING.md lists the rules.

Needs universal-ctags (function starts and ends) and gcc (headers compile alone).
"""
import concurrent.futures
import json
import math
import os
import re
import statistics
import subprocess

import common

MAX_FUNCTION = 100
MEDIAN_FUNCTION = 15
P95_FUNCTION = 60
MAX_NESTING = 3
MAX_PARAMS = 5
MAX_C = 700
MAX_H = 120
MAX_SEEN = 15  # project headers above base/ that a .c sees, directly or not
MAX_OPS = 10
MIN_DOCUMENTED = 0.95
LABELS = {"fail"}
# a function that ends so needs one of the others beside it
PAIRS = {
    "_create": ["_destroy"],
    "_open": ["_close"],
    "_destroy": ["_create"],
    "_fini": ["_init", "_parse"],
}
ERR_RETURNS = {"typename:int", "typename:pid_t", "typename:ssize_t"}  # 0 or more, or -errno
RULES = {
    "function", "median", "p95", "nesting", "params", "file", "seen", "cycle", "prefix", "label",
    "pair", "err", "ops", "slots", "size", "documented", "head", "global", "alone",
}


def ctags(tree, paths):
    """Every tag that ctags finds, as dictionaries."""
    if not paths:
        return []
    command = [
        "ctags", "--options=NONE", "--languages=C", "--langmap=C:.c.h", "--kinds-C=+pLxm",
        "--fields=+neSzZtK", "--output-format=json", "--sort=no",
        "-I", "MUST_CHECK,UNUSED,PRINTF_LIKE+,CLEANUP+,cleanup_free,cleanup_fd",
        "-f", "-", *paths,
    ]
    out = subprocess.run(command, cwd=tree.root, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def param_count(signature):
    inner = signature.strip()[1:-1].strip()
    if not inner or inner == "void":
        return 0
    depth = count = 0
    for char in inner:
        depth += char in "([{"
        depth -= char in ")]}"
        count += char == "," and depth == 0
    return count + 1


def lines_of(tree, tag):
    return tree.text(tag["path"]).splitlines()[tag["line"] - 1:tag.get("end", tag["line"])]


def declaration_of(tree, tag):
    """The first line of a variable's declaration, up to its name where that is on the same line."""
    lines = tree.text(tag["path"]).splitlines()
    at = tag["line"] - 1
    while at > 0 and not re.match(r"[A-Za-z_]", lines[at]):
        at -= 1
    return lines[at]


def is_static(tree, tag):
    return tag.get("file", False) or "static" in lines_of(tree, tag)[0].split()


def check_sizes(tree, found, functions):
    lengths = []
    for tag in functions:
        path, name, line = tag["path"], tag["name"], tag["line"]
        length = tag.get("end", line) - line + 1
        lengths.append(length)
        subject = f"{path}:{name}"
        if length > MAX_FUNCTION:
            found.add("function", path, line, subject, f"{length} lines, at most {MAX_FUNCTION}")
        params = param_count(tag.get("signature", "()"))
        if params > MAX_PARAMS:
            found.add("params", path, line, subject, f"{params} parameters, at most {MAX_PARAMS}")
        check_nesting(tree, found, tag, subject)
    if lengths:
        lengths.sort()
        median = statistics.median(lengths)
        p95 = lengths[math.ceil(len(lengths) * 0.95) - 1]
        if median > MEDIAN_FUNCTION:
            found.add("median", ".", 0, "tree", f"the median function has {median} lines")
        if p95 > P95_FUNCTION:
            found.add("p95", ".", 0, "tree", f"one function in twenty has {p95} lines or more")


def check_nesting(tree, found, tag, subject):
    # The code is indented by tabs, and only statements begin with these words.
    body = common.code_only("\n".join(lines_of(tree, tag))).splitlines()
    for offset, text in enumerate(body):
        match = re.match(r"(\t*)(?:\} )?(?:if|for|while|do|switch|else)\b", text)
        if match and len(match.group(1)) > MAX_NESTING:
            line = tag["line"] + offset
            found.add("nesting", tag["path"], line, subject, f"nested deeper than {MAX_NESTING}")
            return


def check_files(tree, found, paths):
    for path in paths:
        lines = tree.text(path).splitlines()
        limit = MAX_H if path.endswith(".h") else MAX_C
        if len(lines) > limit:
            found.add("file", path, 1, path, f"{len(lines)} lines, at most {limit}")
        if len(lines) < 2 or not lines[1].startswith("/*"):
            found.add("head", path, 1, path, "no comment after the licence says what the file is")


def check_headers_seen(tree, found, paths):
    includes = {}
    known = set(tree.paths)
    for path in paths:
        text = common.code_only(tree.text(path), keep_strings=True)
        named = re.findall(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', text, re.M)
        includes[path] = [h for h in named if h in known]

    def closure(start):
        seen, todo = set(), list(includes[start])
        while todo:
            header = todo.pop()
            if header not in seen:
                seen.add(header)
                todo.extend(includes.get(header, []))
        return seen

    for path in paths:
        seen = closure(path)
        if path.endswith(".h") and path in seen:
            found.add("cycle", path, 1, path, "includes itself")
        above = sum(not h.startswith("base/") for h in seen)
        if path.endswith(".c") and above > MAX_SEEN:
            found.add("seen", path, 1, path, f"sees {above} headers above base/, at most {MAX_SEEN}")


def leading_parts(name):
    words = name.split("_")
    return {"_".join(words[:n]) for n in range(1, len(words) + 1)}


def prefixes_of(path):
    """Prefixes of the external symbols of a file: its name, in the plural too, or its folder's."""
    folder, _, stem = path[:-2].rpartition("/")
    last = folder.rpartition("/")[2]
    return leading_parts(stem) | leading_parts(f"{last}_{stem}") | {stem + "s"}


def check_names(tree, found, functions):
    external = [t for t in functions if t["path"].endswith(".c") and not is_static(tree, t)]
    names = {t["name"] for t in external}
    for tag in external:
        path, name, line = tag["path"], tag["name"], tag["line"]
        fits = any(name == p or name.startswith(p + "_") for p in prefixes_of(path))
        if not fits and not (name == "main" and path.endswith("/main.c")):
            want = ", ".join(sorted(prefixes_of(path)))
            found.add("prefix", path, line, f"{path}:{name}", f"{name}() begins with none of {want}")
    every = names | {t["name"] for t in functions if t["path"].endswith(".h")}
    for tag in external:
        name = tag["name"]
        for mine, others in PAIRS.items():
            stem = name[:-len(mine)]
            if name.endswith(mine) and not any(stem + other in every for other in others):
                text = f"{name}() has no {' or '.join(stem + other for other in others)}()"
                found.add("pair", tag["path"], tag["line"], f"{tag['path']}:{name}", text)


def check_cleanup(tree, found, tags):
    labels = {}
    for tag in tags:
        if tag["kind"] != "label":
            continue
        subject = f"{tag['path']}:{tag.get('scope', '')}"
        if tag["name"] not in LABELS:
            found.add("label", tag["path"], tag["line"], subject, f"label {tag['name']}")
        labels.setdefault(subject, []).append(tag)
    for subject, tags_of in labels.items():
        if len(tags_of) > 1:
            last = tags_of[-1]
            found.add("label", last["path"], last["line"], subject, "more than one label")


def check_errors(tree, found, functions):
    for tag in functions:
        if not re.search(r"(?<!const )struct err \*", tag.get("signature", "")):
            continue
        kind = tag.get("typeref", "typename:int")
        pointer = kind.endswith("*") and is_static(tree, tag)  # NULL then says that *e is set
        if not pointer and kind not in ERR_RETURNS:
            subject = f"{tag['path']}:{tag['name']}"
            found.add("err", tag["path"], tag["line"], subject, "takes struct err * but is not int")


def check_ops(tree, found, tags):
    slots = {}
    headers = "\n".join(tree.text(p) for p in tree.sources(ends=(".h",)))
    for tag in tags:
        table = re.search(r"\bstruct[ :]\w+_ops$", tag.get("typeref", ""))
        if tag["kind"] == "variable" and table:
            words = declaration_of(tree, tag).partition("=")[0].split()
            # an ops table of one row in another file's table of variants is declared in a header
            shown = re.search(rf"\bextern const struct \w+ {tag['name']};", headers)
            if "const" not in words or ("static" not in words and not shown):
                subject = f"{tag['path']}:{tag['name']}"
                found.add("ops", tag["path"], tag["line"], subject, "not static const")
        if tag["kind"] == "member" and tag.get("scope", "").endswith("_ops"):
            if "(*" in tag.get("typeref", "") or "(*" in lines_of(tree, tag)[0]:
                slots.setdefault((tag["path"], tag["scope"]), []).append(tag["line"])
    for (path, name), where in slots.items():
        if len(where) > MAX_OPS:
            text = f"{len(where)} slots, at most {MAX_OPS}"
            found.add("slots", path, where[0], f"{path}:{name}", text)


def check_wire(tree, found, paths):
    for path in paths:
        text = common.code_only(tree.text(path))
        wanted = {}
        for match in re.finditer(r"\bstruct\s+(\w+)\s*\{", text):
            body_end = text.find("\n}", match.end())
            tail = text[body_end:text.find(";", body_end) + 1] if body_end >= 0 else ""
            if path.startswith("devices/wire/") or "packed" in tail:
                wanted[match.group(1)] = match.start()
        for match in re.finditer(r"\bstruct\s+__attribute__\(\(packed\)\)\s+(\w+)", text):
            wanted[match.group(1)] = match.start()
        for name, at in wanted.items():
            if not re.search(rf"tatic_assert\s*\(\s*sizeof\s*\(\s*struct\s+{name}\s*\)", text):
                line = common.line_of(text, at)
                found.add("size", path, line, f"{path}:{name}", f"struct {name}: no static_assert")


def check_documented(tree, found, tags):
    wanted = missing = 0
    where = []
    for tag in tags:
        if not tag["path"].endswith(".h") or tag["kind"] not in ("prototype", "function"):
            continue
        if is_static(tree, tag) or not tag["path"].startswith(common.PRODUCT):
            continue
        wanted += 1
        lines = tree.text(tag["path"]).splitlines()
        at = tag["line"] - 2
        while at >= 0 and lines[at].strip() and "*/" not in lines[at]:
            at -= 1  # other declarations of the same group
        top = at
        while top >= 0 and "/*" not in lines[top]:
            top -= 1
        comment = "\n".join(lines[max(top, 0):at + 1])
        if at < 0 or "*/" not in lines[at] or not re.search(r"\w\(\)", comment):
            missing += 1
            where.append(f"{tag['path']}:{tag['line']}: {tag['name']}()")
    if wanted and 1 - missing / wanted < MIN_DOCUMENTED:
        text = f"{missing} of {wanted} functions in headers have no comment: " + ", ".join(where)
        found.add("documented", ".", 0, "tree", text)


def check_globals(tree, found, tags):
    for tag in tags:
        if tag["kind"] != "variable" or tag.get("scopeKind") == "function":
            continue
        head = declaration_of(tree, tag)
        if not re.search(r"\bconst\b", head.partition("=")[0]):
            subject = f"{tag['path']}:{tag['name']}"
            found.add("global", tag["path"], tag["line"], subject, "a global that can change")


def check_alone(tree, found, headers):
    def compile_one(path):
        command = ["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-DCLOISTER_VERSION=\"\"", "-Wall",
                   "-Wno-unused", "-I.", "-fsyntax-only", "-x", "c", path]
        done = subprocess.run(command, cwd=tree.root, capture_output=True, text=True, check=False)
        return path, done.returncode or "warning:" in done.stderr, done.stderr

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for path, bad, text in pool.map(compile_one, headers):
            if bad:
                first = next((row for row in text.splitlines() if "error" in row or "warning" in row), text)
                found.add("alone", path, 1, path, "does not compile alone: " + first)


def check(tree, found):
    product = tree.sources()
    paths = product + tree.sources(("tests/", "guests/"))
    tags = ctags(tree, paths)
    ours = [t for t in tags if t["path"].startswith(common.PRODUCT)]
    functions = [t for t in ours if t["kind"] == "function"]
    check_sizes(tree, found, [t for t in tags if t["kind"] == "function"])
    check_files(tree, found, product + tree.sources(("guests/",)))
    check_headers_seen(tree, found, product)
    check_names(tree, found, functions)
    check_cleanup(tree, found, tags)
    check_errors(tree, found, functions)
    check_ops(tree, found, ours)
    check_wire(tree, found, paths)
    check_documented(tree, found, tags)
    check_globals(tree, found, ours)
    check_alone(tree, found, [p for p in product if p.endswith(".h")])


if __name__ == "__main__":
    common.main(check, RULES, "shape")
