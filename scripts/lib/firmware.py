# SPDX-License-Identifier: Apache-2.0
"""Debian's OVMF builds for confidential guests, from their packages in the cache."""
import debian
from paths import CACHE, made_once

PACKAGES = {"amdsev": ("ovmf-amdsev", "usr/share/ovmf/OVMF.amdsev.fd")}


def get(name):
    """get() - the firmware `name` of PACKAGES. Return: its path"""
    package, file = PACKAGES[name]
    return made_once(CACHE / "firmware" / package,
                     lambda to: debian.unpack(to, package)) / file
