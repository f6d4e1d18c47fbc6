# SPDX-License-Identifier: Apache-2.0
"""Counting test results of every kind into one sum."""
import time


class Tally:
    """Results of tests; each is printed when it is added."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def passes(self, name, seconds=None, count=1):
        self.passed += count
        self._print("ok", name, seconds, f"{count} cases" if count > 1 else "")

    def fails(self, name, why, seconds=None, count=1):
        self.failed += count
        self._print("FAIL", name, seconds, why)

    def skips(self, name, why, count=1):
        self.skipped += count
        self._print("skip", name, None, why)

    @staticmethod
    def _print(word, name, seconds, more):
        spent = "" if seconds is None else f" ({seconds:.1f} s)"
        print(f"{word:<4} {name}{spent}{': ' if more else ''}{more}", flush=True)

    def end(self):
        """Print the sum. Return: the exit status."""
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        return 1 if self.failed or not self.passed else 0


def timed(function, *arguments):
    """timed() - Return: (what the function returned, seconds it took)"""
    began = time.monotonic()
    value = function(*arguments)
    return value, time.monotonic() - began
