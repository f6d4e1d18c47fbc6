# SPDX-License-Identifier: Apache-2.0
"""The launch digest of an SNP guest with OVMF, computed once more from the published rules.

Shares nothing with the project's own prediction, so that the two can be compared.
"""
import hashlib
import struct
import uuid

PAGE = 4096
NORMAL, VMSA, ZERO, UNMEASURED, SECRETS, CPUID = 1, 2, 3, 4, 5, 6
TYPES = {1: ZERO, 2: SECRETS, 3: CPUID, 4: ZERO, 0x10: ZERO}
FOOTER = "96b582de-1fb2-45f7-baea-a366c55a082d"
METADATA = "dc886566-984a-4798-a75e-5585a7bf67cc"
RESET = "00f771de-1a7e-4fcb-890e-68c77e2fb44e"
HASHES = "7255371f-3a3b-4b04-927b-1da6efa8d454"


def guid(text):
    return uuid.UUID(text).bytes_le


def footer(image):
    """{GUID: data} of the table at the end of the image."""
    end = len(image) - 32
    assert image[end - 16:end] == guid(FOOTER)
    left = struct.unpack_from("<H", image, end - 18)[0] - 18
    at, found = end - 18, {}
    while left > 0:
        length = struct.unpack_from("<H", image, at - 18)[0]
        found[str(uuid.UUID(bytes_le=image[at - 16:at]))] = image[at - length:at - 18]
        at, left = at - length, left - length
    return found


def sections(image, offset):
    at = len(image) - offset
    magic, _, _, count = struct.unpack_from("<4sIII", image, at)
    assert magic == b"ASEV"
    return [struct.unpack_from("<III", image, at + 16 + 12 * i) for i in range(count)]


def hash_page(table_at, kernel, initrd, cmdline):
    """The page with the hashes of what boots; table_at: offset in it."""
    def entry(name, data):
        return guid(name) + struct.pack("<H", 50) + hashlib.sha256(data).digest()
    table = guid("9438d606-4f22-4cc9-b479-a793d411fd21") + struct.pack("<H", 168)
    table += entry("97d02dd8-bd20-4c94-aa78-e7714d36ab2a", cmdline.encode() + b"\0")
    table += entry("44baf731-3a2f-4bd7-9af1-41e29169781d", initrd)
    table += entry("4de79437-abd2-427f-b835-d5b172d2045b", kernel)
    return (bytes(table_at) + table).ljust(PAGE, b"\0")


def save_area(eip, signature):
    """The page with a vCPU's first state."""
    page = bytearray(PAGE)
    for at, attributes in ((0, 0x93), (0x20, 0x93), (0x30, 0x93), (0x40, 0x93), (0x50, 0x93),
                           (0x60, 0), (0x70, 0x82), (0x80, 0), (0x90, 0x8b)):
        struct.pack_into("<HHIQ", page, at, 0, attributes, 0xffff, 0)
    struct.pack_into("<HHIQ", page, 0x10, 0xf000, 0x9b, 0xffff, eip & 0xffff0000)
    for at, value in ((0xd0, 0x1000), (0x148, 0x40), (0x158, 0x10), (0x160, 0x400),
                      (0x168, 0xffff0ff0), (0x170, 2), (0x178, eip & 0xffff),
                      (0x268, 0x0007040600070406), (0x310, signature), (0x3b0, 1), (0x3e8, 1),
                      (0x408, 0x1f80)):
        struct.pack_into("<Q", page, at, value)
    struct.pack_into("<H", page, 0x410, 0x37f)
    return bytes(page)


class Digest:
    def __init__(self):
        self.value = bytes(48)

    def page(self, kind, gpa, contents=None):
        measured = hashlib.sha384(contents).digest() if contents is not None else bytes(48)
        self.value = hashlib.sha384(self.value + measured + struct.pack(
            "<HBBIQ", 0x70, kind, 0, 0, gpa)).digest()


def launch_digest(image, vcpus, signature, boot=None):
    """launch_digest() - of the firmware `image`; boot: (kernel, initrd, cmdline). Return: hex"""
    table, d = footer(image), Digest()
    for at in range(0, len(image), PAGE):
        d.page(NORMAL, (1 << 32) - len(image) + at, image[at:at + PAGE])
    hashes_at = struct.unpack_from("<I", table[HASHES])[0]
    for gpa, length, kind in sections(image, struct.unpack("<I", table[METADATA])[0]):
        if kind == 0x10 and boot:
            d.page(NORMAL, gpa, hash_page(hashes_at - gpa, *boot))
            continue
        for at in range(0, length, PAGE):
            d.page(TYPES[kind], gpa + at)
    for index in range(vcpus):
        eip = struct.unpack("<I", table[RESET])[0] if index else 0xfffffff0
        d.page(VMSA, 0xfffffffff000, save_area(eip, signature))
    return d.value.hex()
