/* SPDX-License-Identifier: Apache-2.0 */
/* Small kernels; see make_kernel.h. */
#include "tests/unit/load/make_kernel.h"

#include <assert.h>
#include <lz4hc.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define ROOM    (1u << 20)
#define NOTE_AT 1024 /* in an ELF file, behind the headers */
#define DATA_AT 2048

static void add_phdr(uint8_t *file, const Elf64_Phdr *phdr)
{
	Elf64_Ehdr *ehdr = (Elf64_Ehdr *)file;

	memcpy(file + MADE_PHDR + ehdr->e_phnum++ * sizeof(*phdr), phdr, sizeof(*phdr));
}

static void add_note(uint8_t *file, uint32_t pvh_entry)
{
	/* another owner's note first, of odd size */
	static const uint8_t note[] = "\x04\0\0\0\x05\0\0\0\x01\0\0\0GNU\0abcde\0\0\0"
				      "\x04\0\0\0\x04\0\0\0\x12\0\0\0Xen";
	Elf64_Phdr phdr = {.p_type = PT_NOTE,
		.p_offset = NOTE_AT,
		.p_filesz = sizeof(note) + 4,
		.p_memsz = sizeof(note) + 4,
		.p_align = 4};

	memcpy(file + NOTE_AT, note, sizeof(note));
	store_le32(file + NOTE_AT + sizeof(note), pvh_entry);
	add_phdr(file, &phdr);
}

struct made make_elf(const struct make_elf *desc)
{
	struct made made = {calloc(1, ROOM), DATA_AT};
	Elf64_Ehdr ehdr = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = desc->entry,
		.e_phoff = MADE_PHDR,
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr)};

	assert(made.at);
	memcpy(made.at, &ehdr, sizeof(ehdr));
	for (const struct make_segment *s = desc->segments; s->mem_len; s++) {
		size_t len = s->text ? strlen(s->text) + 1 : 0;
		Elf64_Phdr phdr = {.p_type = PT_LOAD,
			.p_offset = made.len,
			.p_filesz = len,
			.p_paddr = s->addr,
			.p_vaddr = s->addr + 0x1000,
			.p_memsz = s->mem_len};

		if (len)
			memcpy(made.at + made.len, s->text, len);
		made.len += len;
		add_phdr(made.at, &phdr);
	}
	if (desc->pvh_entry)
		add_note(made.at, desc->pvh_entry);
	return made;
}

static size_t compress_zstd(uint8_t *out, const void *data, size_t len, bool big_window)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	ZSTD_outBuffer dst = {out, ROOM, 0};
	ZSTD_inBuffer src = {data, len, 0};

	assert(c);
	if (big_window) {
		ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, 27);
		ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 0);
	}
	/* in two calls: else the size would be known and a smaller window chosen */
	src.size = len / 2;
	ZSTD_compressStream2(c, &dst, &src, big_window ? ZSTD_e_continue : ZSTD_e_flush);
	src.size = len;
	while (ZSTD_compressStream2(c, &dst, &src, ZSTD_e_end))
		;
	ZSTD_freeCCtx(c);
	return dst.pos;
}

static size_t compress_gzip(uint8_t *out, const void *data, size_t len)
{
	z_stream z = {.next_in = (Bytef *)data,
		.avail_in = (uInt)len,
		.next_out = out,
		.avail_out = ROOM};
	int rc;

	deflateInit2(&z, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
	rc = deflate(&z, Z_FINISH);
	assert(rc == Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

/* compress_xz() - as Linux does: CRC32 and a filter for x86 code */
static size_t compress_xz(uint8_t *out, const void *data, size_t len)
{
	lzma_options_lzma options;
	lzma_filter filters[] = {
		{LZMA_FILTER_X86, NULL}, {LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
	size_t n = 0;
	lzma_ret rc;

	lzma_lzma_preset(&options, 6);
	options.dict_size = 32u << 20;
	rc = lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, data, len, out, &n, ROOM);
	assert(rc == LZMA_OK);
	return n;
}

static size_t compress_lz4(uint8_t *out, const void *data, size_t len)
{
	int n = LZ4_compress_HC(data, (char *)out + 8, (int)len, ROOM - 8, 9);

	assert(n > 0 && len <= 8u << 20);
	store_le32(out, 0x184c2102);
	store_le32(out + 4, (uint32_t)n);
	return (size_t)n + 8;
}

struct made make_payload(const void *data, size_t len, enum make_codec codec)
{
	struct made made = {calloc(1, ROOM + 4), 0};

	assert(made.at);
	if (codec == MAKE_GZIP)
		made.len = compress_gzip(made.at, data, len);
	else if (codec == MAKE_XZ)
		made.len = compress_xz(made.at, data, len);
	else if (codec == MAKE_LZ4)
		made.len = compress_lz4(made.at, data, len);
	else
		made.len = compress_zstd(made.at, data, len, codec == MAKE_ZSTD_BIG_WINDOW);
	if (codec != MAKE_GZIP) {
		store_le32(made.at + made.len, (uint32_t)len);
		made.len += 4;
	}
	return made;
}

struct made make_bzimage(const struct make_bzimage *desc)
{
	const char *version = desc->version ? desc->version : "6.9.0-test (builder) #1";
	struct made elf = make_elf(&desc->elf);
	struct made payload = make_payload(elf.at, elf.len, desc->codec);
	size_t code_len = (MADE_PAYLOAD + payload.len + 15) / 16 * 16;
	struct made made = {calloc(1, MADE_CODE + code_len), MADE_CODE + code_len};
	uint8_t *h = made.at;

	assert(made.at && strlen(version) < 128);
	h[0x1f1] = 1; /* sectors of set-up code */
	store_le32(h + 0x1f4, (uint32_t)(code_len / 16));
	store_le16(h + 0x1fe, 0xaa55);
	h[0x201] = 0x6a;
	memcpy(h + 0x202, "HdrS", 4);
	store_le16(h + 0x206, 0x20f);
	store_le16(h + 0x20e, 0x300 - 0x200);
	strcpy((char *)h + 0x300, version);
	h[0x211] = 1; /* loaded high */
	store_le32(h + 0x22c, 0x7fffffff);
	store_le16(h + 0x236, 1); /* 64-bit entry */
	store_le32(h + 0x238, 2047);
	store_le32(h + 0x248, MADE_PAYLOAD);
	store_le32(h + 0x24c, (uint32_t)payload.len);
	store_le64(h + 0x258, 0x1000000);
	store_le32(h + 0x260, 0x200000);
	memcpy(h + MADE_CODE + MADE_PAYLOAD, payload.at, payload.len);
	free(payload.at);
	free(elf.at);
	return made;
}
