#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long the way of a block request is: counts the functions of Cloister that one 4 KiB read enters.

    path.py PROGRAM         fails if there are more than 12 in more than 5 files

PROGRAM (blk_read.c and what it needs, built with -finstrument-functions) says which ones, inlined ones included. A
function is one with a body in a .c file; the inline helpers of headers are listed apart.
"""
import os
import re
import subprocess
import sys

MAX_FUNCTIONS, MAX_FILES = 12, 5


def symbols(program):
    """Return: {offset from main: (function, file)}."""
    out = subprocess.run(['nm', '-l', program], capture_output=True, text=True, check=True).stdout
    rows = re.findall(r'^([0-9a-f]+) [tT] (\w+)(?:\t(\S+):\d+)?$', out, re.M)
    main = next(int(at, 16) for at, name, _ in rows if name == 'main')
    return {int(at, 16) - main: (name, file) for at, name, file in rows}


def path(program, kind):
    """Return: the functions in the order of their first entry: [(name, file, times)]."""
    names = symbols(program)
    out = subprocess.run([program, kind], capture_output=True, text=True, check=True, timeout=30).stdout
    order = {}
    for line in out.split():
        name, file = names[int(line)]
        file = re.sub(r'^.*?((base|memory|devices)/)', r'\1', file or '?')
        order[name, file] = order.get((name, file), 0) + 1
    return [(name, file, n) for (name, file), n in order.items()]


def main():
    bad = False
    for kind in ('split', 'packed'):
        entered = path(os.path.abspath(sys.argv[1]), kind)
        own = [row for row in entered if row[1].endswith('.c')]
        helpers = [row for row in entered if not row[1].endswith('.c')]
        files = {row[1] for row in own}
        print(f'{kind} ring: {len(own)} functions in {len(files)} files')
        for name, file, n in own:
            print(f'  {name:24} {file:32} {n}')
        print('  helpers in headers:', ', '.join(f'{name} {n}' for name, _, n in helpers) or 'none')
        if kind == 'split' and (len(own) > MAX_FUNCTIONS or len(files) > MAX_FILES or len(own) < 8):
            bad = True
    if bad:
        print(f'FAIL: at most {MAX_FUNCTIONS} functions in at most {MAX_FILES} files')
    return bad


if __name__ == '__main__':
    sys.exit(main())
