/* SPDX-License-Identifier: Apache-2.0 */
/* Reference bundles; see vmm/cli/bundle.h and docs/reference-bundle.md. */
#include "vmm/cli/bundle.h"

#include "attestation/jws.h"
#include "base/base64.h"
#include "base/fd.h"
#include "base/file_map.h"
#include "base/hex.h"
#include "vmm/load/sev_hashes.h"
#include "vmm/measure.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define BUNDLE_FORMAT "cloister-reference-bundle/1"
#define BUNDLE_MAX    1024 /* measurements in one bundle */

struct bundle {
	struct measure_spec measure;
	json_t *measurements; /* list of {"vcpus":N,"digest":HEX} */
	json_t *values;       /* list of digests, for verifiers */
	bool snp;
};

static json_t *bundle_hex(const uint8_t *data, size_t len)
{
	char text[HEX_TEXT_LEN(DIGEST_MAX_LEN)];

	hex_encode(text, data, len);
	return json_string(text);
}

/* bundle_add() - predict for one number of vCPUs; 0 where they do not count. */
static int bundle_add(struct bundle *b, uint32_t vcpus, struct err *e)
{
	char text[BASE64_TEXT_LEN(DIGEST_MAX_LEN)];
	struct measure_result r;
	json_t *row = json_object();
	int ret;

	b->measure.vcpus = vcpus;
	ret = measure_digest(&b->measure, &r, e);
	if (!ret && json_array_size(b->measurements) >= BUNDLE_MAX)
		ret = err_set(e, EINVAL, "more than %d numbers of vCPUs", BUNDLE_MAX);
	if (ret) {
		json_decref(row);
		return ret;
	}
	if (vcpus)
		json_object_set_new(row, "vcpus", json_integer(vcpus));
	json_object_set_new(row, "digest", bundle_hex(r.digest, r.len));
	json_array_append_new(b->measurements, row);
	json_array_append_new(b->values, bundle_hex(r.digest, r.len));
	if (b->snp) { /* some verifiers hold an SNP measurement as Base64 */
		base64_encode(text, r.digest, r.len);
		json_array_append_new(b->values, json_string(text));
	}
	return 0;
}

/* bundle_range() - read "N" or "N-M" and step over it. Return: 0 or -EINVAL. */
static int bundle_range(const char **at, uint32_t *first, uint32_t *last, struct err *e)
{
	unsigned int n = 0;

	if (sscanf(*at, "%5u%n", first, &n) != 1 || (*at)[0] < '0' || (*at)[0] > '9')
		return err_set(e, EINVAL, "'%s' is no list of numbers of vCPUs", *at);
	*at += n;
	*last = *first;
	if (**at == '-') {
		(*at)++;
		if ((*at)[0] < '0' || (*at)[0] > '9' || sscanf(*at, "%5u%n", last, &n) != 1)
			return err_set(e, EINVAL, "'%s' is no end of a range", *at);
		*at += n;
	}
	if (!*first || *last < *first || *last > MEASURE_VCPUS_MAX)
		return err_set(e, EINVAL, "%u to %u is no range of 1 to %u vCPUs", *first, *last,
			MEASURE_VCPUS_MAX);
	if (**at && (**at != ',' || !(*at)[1]))
		return err_set(e, EINVAL, "'%s' is no list of numbers of vCPUs", *at);
	*at += **at == ',';
	return 0;
}

/* bundle_predict() - predict for the whole list. */
static int bundle_predict(struct bundle *b, const char *list, struct err *e)
{
	struct measure_spec firmware = b->measure;
	struct measure_result seed;
	uint32_t first, last;
	int ret = 0;

	if (!list)
		return bundle_add(b, 0, e);
	if (!*list)
		return err_set(e, EINVAL, "an empty list of numbers of vCPUs");
	if (b->measure.mode == MEASURE_SNP && !b->measure.seed) {
		/* the firmware is the same for every number of vCPUs: measure it once */
		firmware.mode = MEASURE_SNP_OVMF_HASH;
		firmware.hashes = NULL;
		ret = measure_digest(&firmware, &seed, e);
		b->measure.seed = seed.digest;
	}
	while (!ret && *list) {
		ret = bundle_range(&list, &first, &last, e);
		for (uint32_t n = first; !ret && n <= last; n++)
			ret = bundle_add(b, n, e);
	}
	b->measure.seed = NULL;
	return ret;
}

/* bundle_input() - add the SHA-256 of an input file, if there is one. */
static int bundle_input(json_t *inputs, const char *name, struct bytes file, struct err *e)
{
	uint8_t hash[DIGEST_SHA256_LEN];
	int ret;

	if (!file.left)
		return 0;
	ret = digest_of(DIGEST_SHA256, file.at, file.left, hash, e);
	if (!ret)
		json_object_set_new(inputs, name, bundle_hex(hash, sizeof(hash)));
	return ret;
}

/* bundle_inputs() - what was measured, so that a reader can tell bundles apart */
static int bundle_inputs(const struct bundle_spec *spec, json_t *inputs, struct err *e)
{
	const struct measure_spec *m = spec->measure;
	int ret = bundle_input(inputs, "firmware_sha256", m->firmware, e);

	if (!ret)
		ret = bundle_input(inputs, "svsm_sha256", m->svsm, e);
	if (!ret)
		ret = bundle_input(inputs, "igvm_sha256", m->igvm, e);
	if (m->hashes) {
		json_object_set_new(
			inputs, "kernel_sha256", bundle_hex(m->hashes->kernel, SEV_HASHES_LEN));
		json_object_set_new(
			inputs, "initrd_sha256", bundle_hex(m->hashes->initrd, SEV_HASHES_LEN));
		json_object_set_new(
			inputs, "cmdline_sha256", bundle_hex(m->hashes->cmdline, SEV_HASHES_LEN));
	}
	if (spec->vcpus) {
		json_object_set_new(inputs, "vmm_type", json_string(spec->vmm));
		json_object_set_new(inputs, "vcpu_sig", json_integer(m->signature));
		json_object_set_new(
			inputs, "guest_features", json_integer((json_int_t)m->features));
	}
	return ret;
}

/* bundle_payload() - the text that gets signed. Return: 0 with *out to free, or -errno. */
static int bundle_payload(const struct bundle_spec *spec, char **out, struct err *e)
{
	struct bundle b = {*spec->measure, json_array(), json_array(), false};
	json_t *root = json_object(), *inputs = json_object(), *values = json_object();
	bool tdx = b.measure.mode == MEASURE_TDX || b.measure.mode == MEASURE_IGVM_TDX;
	bool sev = b.measure.mode == MEASURE_SEV || b.measure.mode == MEASURE_SEVES;
	int ret;

	b.snp = !tdx && !sev;
	json_object_set_new(root, "format", json_string(BUNDLE_FORMAT));
	json_object_set_new(root, "mode", json_string(spec->mode));
	json_object_set_new(root, "inputs", inputs);
	json_object_set_new(root, "measurements", b.measurements);
	json_object_set_new(root, "reference_values", values);
	json_object_set_new(values,
		tdx           ? "mr_td"
			: sev ? "sev_launch_digest"
			      : "snp_launch_measurement",
		b.values);
	ret = bundle_inputs(spec, inputs, e);
	if (!ret)
		ret = bundle_predict(&b, spec->vcpus, e);
	*out = ret ? NULL : json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(root);
	if (!ret && !*out)
		ret = err_sys(e, ENOMEM, "bundle");
	return ret;
}

static int bundle_save(const char *path, const char *text, struct err *e)
{
	cleanup_fd int fd = -1;
	int ret;

	if (!strcmp(path, "-"))
		return puts(text) < 0 || fflush(stdout) ? err_sys(e, EIO, "stdout") : 0;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ret = fd < 0 ? -errno : fd_write_full(fd, text, strlen(text));
	if (!ret)
		ret = fd_write_full(fd, "\n", 1);
	return ret ? err_sys(e, -ret, "%s", path) : 0;
}

int bundle_write(const struct bundle_spec *spec, struct err *e)
{
	cleanup_file_map struct file_map key = FILE_MAP_INIT;
	cleanup_free char *payload = NULL, *text = NULL;
	int ret = file_map_open(&key, spec->key, e);

	if (!ret)
		ret = bundle_payload(spec, &payload, e);
	if (!ret)
		ret = jws_sign(&text, bytes_of(payload, strlen(payload)), file_map_bytes(&key), e);
	return ret ? ret : bundle_save(spec->path, text, e);
}
