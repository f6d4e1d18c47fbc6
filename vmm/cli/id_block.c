/* SPDX-License-Identifier: Apache-2.0 */
/* `cloister id-block create|verify`: what an owner signs about an SNP guest. */
#include "attestation/id_block.h"

#include "base/base64.h"
#include "base/file_map.h"
#include "base/hex.h"
#include "vmm/cli/cli.h"
#include "vmm/cli/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
	"Usage: cloister id-block create --measurement M --idkey PEM --authorkey PEM [FLAGS]\n"
	"       cloister id-block verify --id-block FILE --id-auth FILE\n"
	"\n"
	"Signs, or checks, the ID block of an SEV-SNP guest: the firmware then launches nothing but\n"
	"the guest with this digest and policy, and puts the digests of both keys into every report.\n"
	"\n"
	"  openssl ecparam -name secp384r1 -genkey -noout -out id.pem   # and author.pem\n"
	"  cloister id-block create --idkey id.pem --authorkey author.pem --guest-svn 2 \\\n"
	"      --measurement $(cloister measure --mode snp ...) > id.json\n"
	"  jq -r .id_block id.json | base64 -d > id_block.bin\n"
	"  jq -r .id_auth id.json | base64 -d > id_auth.bin\n"
	"  cloister id-block verify --id-block id_block.bin --id-auth id_auth.bin\n";

static const char notes[] =
	"Exit status: 0; 1 if verify refuses; 2 for bad usage and malformed input.\n";

/* id_block_measurement() - read a launch digest as hex or Base64. Return: 0 or -EINVAL. */
static int id_block_measurement(const char *text, uint8_t out[DIGEST_SHA384_LEN], struct err *e)
{
	size_t len;

	if (!text)
		return err_set(e, EINVAL, "--measurement is needed");
	if (!hex_decode(text, out, DIGEST_SHA384_LEN))
		return 0;
	if (!base64_decode(text, strlen(text), out, DIGEST_SHA384_LEN, &len) &&
		len == DIGEST_SHA384_LEN)
		return 0;
	return err_set(e, EINVAL, "--measurement: not 96 hex digits or 64 Base64 characters");
}

static void id_block_print(const struct id_block *b)
{
	char block[BASE64_TEXT_LEN(ID_BLOCK_LEN)], auth[BASE64_TEXT_LEN(ID_BLOCK_AUTH_LEN)];
	char id_key[HEX_TEXT_LEN(ID_BLOCK_KEY_LEN)], author_key[HEX_TEXT_LEN(ID_BLOCK_KEY_LEN)];

	base64_encode(block, b->block, ID_BLOCK_LEN);
	base64_encode(auth, b->auth, ID_BLOCK_AUTH_LEN);
	hex_encode(id_key, b->id_key_digest, ID_BLOCK_KEY_LEN);
	hex_encode(author_key, b->author_key_digest, ID_BLOCK_KEY_LEN);
	printf("{\"id_block\":\"%s\",\"id_auth\":\"%s\",\"id_key_digest\":\"%s\","
	       "\"author_key_digest\":\"%s\"}\n",
		block, auth, id_key, author_key);
}

/* id_block_open() - map the files of two flags that are both needed. */
static int id_block_open(const struct option_row rows[2], struct file_map map[2], struct err *e)
{
	for (size_t i = 0; i < 2; i++) {
		const char *path = *(const char **)rows[i].to;
		int ret = path ? file_map_open(&map[i], path, e)
			       : err_set(e, EINVAL, "%s is needed", rows[i].name);

		if (ret)
			return ret;
	}
	return 0;
}

static int id_block_run_create(int argc, char **argv)
{
	const char *measurement = NULL, *id_key = NULL, *author_key = NULL;
	struct id_block_spec spec = {.policy = 0x30000}; /* SMT allowed, and the bit that is 1 */
	const struct option_row rows[] = {
		{"--idkey", OPTION_TEXT, &id_key, .value = "PEM",
			.help = "P-384 key: signs the block"},
		{"--authorkey", OPTION_TEXT, &author_key, .value = "PEM",
			.help = "P-384 key: signs the ID key"},
		{"--measurement", OPTION_TEXT, &measurement, .value = "M",
			.help = "launch digest, hex or Base64"},
		{"--family-id", OPTION_HEX, spec.family_id, .len = ID_BLOCK_ID_LEN, .value = "HEX",
			.help = "16 bytes, default 0"},
		{"--image-id", OPTION_HEX, spec.image_id, .len = ID_BLOCK_ID_LEN, .value = "HEX",
			.help = "16 bytes, default 0"},
		{"--guest-svn", OPTION_U32, &spec.guest_svn, .value = "N", .help = "default 0"},
		{"--policy", OPTION_U64, &spec.policy, .value = "N", .help = "default 0x30000"},
	};
	const struct options o = {"id-block create", usage, notes, rows, ARRAY_SIZE(rows)};
	struct file_map keys[2] = {FILE_MAP_INIT, FILE_MAP_INIT};
	struct id_block block;
	struct err e = ERR_INIT;
	int ret = options_parse(&o, argc, argv, &e);

	if (ret > 0)
		return CLI_OK;
	if (!ret)
		ret = id_block_measurement(measurement, spec.launch_digest, &e);
	if (!ret)
		ret = id_block_open(rows, keys, &e);
	if (!ret)
		ret = id_block_sign(
			&block, &spec, file_map_bytes(&keys[0]), file_map_bytes(&keys[1]), &e);
	file_map_close(&keys[0]);
	file_map_close(&keys[1]);
	if (ret)
		return options_fail(&o, &e);
	id_block_print(&block);
	return options_done(&o);
}

static int id_block_run_verify(int argc, char **argv)
{
	const char *block = NULL, *auth = NULL;
	const struct option_row rows[] = {
		{"--id-block", OPTION_TEXT, &block, .value = "FILE", .help = "96 bytes"},
		{"--id-auth", OPTION_TEXT, &auth, .value = "FILE", .help = "4096 bytes"},
	};
	const struct options o = {"id-block verify", usage, notes, rows, ARRAY_SIZE(rows)};
	struct file_map files[2] = {FILE_MAP_INIT, FILE_MAP_INIT};
	struct err e = ERR_INIT;
	int ret = options_parse(&o, argc, argv, &e);

	if (ret > 0)
		return CLI_OK;
	if (!ret)
		ret = id_block_open(rows, files, &e);
	if (!ret)
		ret = id_block_verify(file_map_bytes(&files[0]), file_map_bytes(&files[1]), &e);
	file_map_close(&files[0]);
	file_map_close(&files[1]);
	if (ret && ret != -EBADMSG)
		return options_fail(&o, &e);
	if (!ret) {
		puts("{\"valid\":true,\"reason\":null}");
		return options_done(&o);
	}
	printf("{\"valid\":false,\"reason\":\"%s\"}\n", e.text);
	options_fail(&o, &e);
	return CLI_REFUSED;
}

int cli_id_block(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "create"))
		return id_block_run_create(argc - 1, argv + 1);
	if (!strcmp(what, "verify"))
		return id_block_run_verify(argc - 1, argv + 1);
	if (!strcmp(what, "--help") || !strcmp(what, "-h")) {
		fputs(usage, stdout);
		return CLI_OK;
	}
	fputs("cloister id-block: say create or verify; see `cloister id-block --help`\n", stderr);
	return CLI_USAGE;
}
