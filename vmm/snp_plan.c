/* SPDX-License-Identifier: Apache-2.0 */
/* What an SNP guest is launched with; see vmm/snp_plan.h. */
#include "vmm/snp_plan.h"

#include "attestation/vmsa.h"
#include "base/base64.h"
#include "base/hex.h"
#include "base/log.h"
#include "memory/layout.h"
#include "vmm/config.h"
#include "vmm/hv/vm_type.h"
#include "vmm/initdata_find.h"
#include "vmm/load/sev_hashes.h"
#include "vmm/load/snp_image.h"
#include "vmm/x86/map.h"

#include <errno.h>
#include <string.h>

/* plan_hash_file() - SHA-256 of a boot file; path NULL: of nothing */
static int plan_hash_file(uint8_t *out, const char *path, const char *flag, struct err *e)
{
	cleanup_file_map struct file_map map = FILE_MAP_INIT;

	if (path && file_map_open(&map, path, e))
		return err_context(e, "--%s", flag);
	return sev_hashes_file(out, path ? file_map_bytes(&map) : bytes_of("", 0), e);
}

/* plan_hashes() - of kernel, initramfs and command line, as given */
static int plan_hashes(struct sev_hashes *h, const struct vm_config *c, struct err *e)
{
	int rc = plan_hash_file(h->kernel, c->payload.kernel, "kernel", e);

	if (!rc)
		rc = plan_hash_file(h->initrd, c->payload.initramfs, "initramfs", e);
	return rc ? rc : sev_hashes_cmdline(h->cmdline, c->payload.cmdline ?: "", e);
}

static int plan_firmware(struct snp_plan *p, const struct vm_config *c, struct err *e)
{
	int rc = file_map_open(&p->firmware, c->payload.firmware, e);

	if (rc)
		return err_context(e, "--firmware");
	if (!is_aligned(p->firmware.len, PAGE_SIZE) || p->firmware.len > MAP_FIRMWARE_MAX)
		return err_set(e, EINVAL, "--firmware: %zu bytes are not whole pages, at most %llu",
			p->firmware.len, (unsigned long long)MAP_FIRMWARE_MAX);
	rc = ovmf_parse(&p->fw, file_map_bytes(&p->firmware), e);
	if (!rc)
		rc = ovmf_read_sections(&p->fw, e);
	if (!rc && !p->fw.has_reset)
		rc = err_set(e, EINVAL, "it has no SEV-ES reset block: no start for APs");
	return rc ? err_context(e, "--firmware") : 0;
}

static int plan_image(struct snp_plan *p, const struct vm_config *c, struct err *e)
{
	struct sev_hashes hashes;
	struct snp_image_spec spec = {.fw = &p->fw, .firmware = true, .sections = true};
	int rc = 0;

	if (c->payload.kernel) {
		rc = plan_hashes(&hashes, c, e);
		spec.hashes = &hashes;
	}
	return rc ? rc : snp_image_add(&p->image, &spec, e);
}

static int plan_digest(struct snp_plan *p, const struct trace *trace, struct err *e)
{
	const struct vmsa_spec spec = {VMSA_QEMU, p->signature, SNP_FEATURES};
	struct snp_digest d;
	uint8_t page[VMSA_LEN];
	int rc = snp_digest_init(&d, NULL, trace, e);

	if (rc)
		return rc;
	rc = snp_digest_image(&d, &p->image, e);
	vmsa_write(page, &spec, true, VMSA_BSP_EIP);
	if (!rc)
		rc = snp_digest_vmsa(&d, page, 1, e);
	vmsa_write(page, &spec, false, p->fw.reset_eip);
	if (!rc)
		rc = snp_digest_vmsa(&d, page, p->n_vcpus - 1, e);
	memcpy(p->digest, d.value, sizeof(p->digest));
	snp_digest_fini(&d);
	return rc;
}

/* plan_step() - one line of the log for each page that entered the digest */
static void plan_step(void *to, const struct trace_step *step)
{
	char running[HEX_TEXT_LEN(DIGEST_MAX_LEN)];

	(void)to;
	hex_encode(running, step->running, step->digest_len);
	log_info("measure", "%s %#llx %s", step->what, (unsigned long long)step->gpa.v, running);
}

/* plan_expect() - the digest that the user pins is the one of this launch, or there is none */
static int plan_expect(struct snp_plan *p, const char *expected, struct err *e)
{
	const struct trace trace = {.step = plan_step};
	uint8_t want[SNP_DIGEST_LEN];
	char have[HEX_TEXT_LEN(SNP_DIGEST_LEN)];

	if (!expected)
		return 0;
	if (hex_decode(expected, want, sizeof(want)))
		return err_set(e, EINVAL, "--confidential: expected_digest is not 96 hex digits");
	if (!memcmp(want, p->digest, sizeof(want)))
		return 0;
	hex_encode(have, p->digest, sizeof(p->digest));
	if (plan_digest(p, &trace, e))
		return -e->code;
	return err_set(e, EPERM,
		"--confidential: not launched: the digest would be %s, not the expected_digest; see "
		"each page with -v, or with cloister measure --explain",
		have);
}

/* plan_blob() - a file of exactly len bytes, or their Base64 */
static int plan_blob(uint8_t *out, size_t len, const char *path, const char *key, struct err *e)
{
	cleanup_file_map struct file_map map = FILE_MAP_INIT;
	size_t n = 0, text;

	if (file_map_open(&map, path, e))
		return err_context(e, "--confidential: %s", key);
	if (map.len == len) {
		memcpy(out, map.data, len);
		return 0;
	}
	for (text = map.len; text && map.data[text - 1] == '\n';)
		text--;
	if (base64_decode((const char *)map.data, text, out, len, &n) || n != len)
		return err_set(e, EINVAL,
			"--confidential: %s: '%s' is not %zu bytes, nor their Base64", key, path,
			len);
	return 0;
}

/* plan_id_block() - what the owner signed; the firmware would refuse what is refused here, later */
static int plan_id_block(struct snp_plan *p, const struct vm_config *c, struct err *e)
{
	int rc;

	if (!c->confidential.id_block)
		return 0;
	rc = plan_blob(p->id_block, sizeof(p->id_block), c->confidential.id_block, "id_block", e);
	if (!rc)
		rc = plan_blob(
			p->id_auth, sizeof(p->id_auth), c->confidential.id_auth, "id_auth", e);
	if (rc)
		return rc;
	p->launch.id_block = p->id_block;
	p->launch.id_auth = p->id_auth;
	/* ID authentication information: AUTHOR_KEY_ALGO at 4, 0 without an author key */
	p->launch.author_key = load_le32(p->id_auth + 4) != 0;
	return 0;
}

/* plan_host_data() - what the config says (Kata's Rust runtime in Base64), else of init data */
static int plan_host_data(struct snp_plan *p, const struct vm_config *c, struct err *e)
{
	const char *text = c->payload.host_data;
	uint8_t *out = p->launch.host_data;
	struct initdata initdata;
	size_t n = 0;
	int rc;

	if (text && hex_decode(text, out, SNP_HOST_DATA_LEN) &&
		(base64_decode(text, strlen(text), out, SNP_HOST_DATA_LEN, &n) ||
			n != SNP_HOST_DATA_LEN))
		return err_set(e, EINVAL, "--host-data: not 64 hex digits, nor 32 bytes in Base64");
	if (text)
		return 0;
	rc = initdata_find(&initdata, c, e);
	if (rc > 0) {
		initdata_fit(&initdata, out, SNP_HOST_DATA_LEN);
		log_info("snp", "host data: the %s of init data", initdata.algorithm);
	}
	return rc < 0 ? err_context(e, "--disk") : 0;
}

static int plan_launch(struct snp_plan *p, const struct vm_config *c, struct err *e)
{
	int rc = plan_host_data(p, c, e);

	if (rc)
		return rc;
	p->launch.policy = c->confidential.policy;
	p->launch.exact_cpuid = c->require >= (int)LEVEL_SNP;
	if (c->confidential.certs && certs_init(&p->certs, c->confidential.certs, e))
		return -e->code;
	return plan_id_block(p, c, e);
}

static int plan_cpu(struct snp_plan *p, const struct vm_config *c, uint32_t host, struct err *e)
{
	const char *type = c->confidential.vcpu_type;

	p->n_vcpus = (unsigned int)c->cpus.boot;
	p->signature = type ? vmsa_cpu_signature(type) : host;
	if (type && !p->signature)
		return err_set(e, EINVAL, "--confidential: vcpu_type '%s' is not known", type);
	return 0;
}

static int plan_make(struct snp_plan *p, const struct vm_config *c, uint32_t host, struct err *e)
{
	char text[HEX_TEXT_LEN(SNP_DIGEST_LEN)];
	int rc = plan_cpu(p, c, host, e);

	if (!rc)
		rc = plan_launch(p, c, e);
	if (!rc)
		rc = plan_firmware(p, c, e);
	if (!rc)
		rc = plan_image(p, c, e);
	if (!rc)
		rc = plan_digest(p, NULL, e);
	if (rc)
		return rc;
	hex_encode(text, p->digest, sizeof(p->digest));
	log_info("measure", "launch digest %s, CPU signature %#x, policy %#llx", text, p->signature,
		(unsigned long long)p->launch.policy);
	return plan_expect(p, c->confidential.expected_digest, e);
}

int snp_plan_create(
	struct snp_plan **out, const struct vm_config *config, uint32_t signature, struct err *e)
{
	struct snp_plan *p = calloc(1, sizeof(*p));
	int rc;

	*out = NULL;
	if (!p)
		return err_sys(e, ENOMEM, "launch plan");
	image_init(&p->image);
	rc = plan_make(p, config, signature, e);
	if (rc)
		snp_plan_destroy(p);
	else
		*out = p;
	return rc;
}

void snp_plan_destroy(struct snp_plan *plan)
{
	if (!plan)
		return;
	image_fini(&plan->image);
	file_map_close(&plan->firmware);
	certs_fini(&plan->certs);
	free(plan);
}

uint64_t snp_plan_rom(const struct snp_plan *plan)
{
	return plan->firmware.len;
}

int snp_plan_check(const struct snp_plan *plan, const struct layout *layout, struct err *e)
{
	uint64_t rom = OVMF_TOP - snp_plan_rom(plan);

	for (size_t i = 0; i < plan->image.n_parts; i++) {
		const struct image_part *part = &plan->image.parts[i];
		bool in_rom = part->gpa.v >= rom && part->gpa.v + part->len <= OVMF_TOP;

		if (!in_rom && !layout_contains(layout, part->gpa, part->len))
			return err_set(e, EINVAL,
				"--memory: the firmware needs %llu bytes at %#llx, where no RAM is",
				(unsigned long long)part->len, (unsigned long long)part->gpa.v);
	}
	return 0;
}

struct x86_entry snp_plan_entry(const struct snp_plan *plan, unsigned int index)
{
	return (struct x86_entry){
		.mode = X86_RESET,
		.rip = index ? plan->fw.reset_eip : VMSA_BSP_EIP,
		.rdx = plan->signature,
	};
}
