/* SPDX-License-Identifier: Apache-2.0 */
/* What an SNP guest is launched with; see vmm/snp_plan.h. */
#include "vmm/snp_plan.h"

#include "attestation/vmsa.h"
#include "base/base64.h"
#include "base/hex.h"
#include "base/log.h"
#include "vmm/config.h"
#include "vmm/hv/vm_type.h"
#include "vmm/load/sev_hashes.h"
#include "vmm/load/snp_image.h"
#include "vmm/owner_data.h"

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

static int plan_firmware(struct snp_plan *p, struct err *e)
{
	int rc = ovmf_parse(&p->fw, file_map_bytes(&p->common.firmware), e);

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
	return rc ? rc : snp_image_add(&p->common.image, &spec, e);
}

static int plan_digest(void *ctx, const struct trace *trace, struct err *e)
{
	struct snp_plan *p = ctx;
	const struct vmsa_spec spec = {VMSA_QEMU, p->signature, SNP_FEATURES};
	struct snp_digest d;
	uint8_t page[VMSA_LEN];
	int rc = snp_digest_init(&d, NULL, trace, e);

	if (rc)
		return rc;
	rc = snp_digest_image(&d, &p->common.image, e);
	vmsa_write(page, &spec, true, VMSA_BSP_EIP);
	if (!rc)
		rc = snp_digest_vmsa(&d, page, 1, e);
	vmsa_write(page, &spec, false, p->fw.reset_eip);
	if (!rc)
		rc = snp_digest_vmsa(&d, page, p->common.n_vcpus - 1, e);
	memcpy(p->common.digest, d.value, sizeof(p->common.digest));
	snp_digest_fini(&d);
	return rc;
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

static int plan_launch(struct snp_plan *p, const struct vm_config *c, struct err *e)
{
	const struct owner_data data = {
		"host-data", c->payload.host_data, p->launch.host_data, SNP_HOST_DATA_LEN};
	int rc = owner_data_read(&data, c, e);

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

	p->signature = type ? vmsa_cpu_signature(type) : host;
	if (type && !p->signature)
		return err_set(e, EINVAL, "--confidential: vcpu_type '%s' is not known", type);
	return 0;
}

static int plan_make(struct snp_plan *p, const struct vm_config *c, uint32_t host, struct err *e)
{
	char text[HEX_TEXT_LEN(SNP_DIGEST_LEN)];
	int rc = launch_plan_init(&p->common, c, e);

	if (!rc)
		rc = plan_cpu(p, c, host, e);

	if (!rc)
		rc = plan_launch(p, c, e);
	if (!rc)
		rc = plan_firmware(p, e);
	if (!rc)
		rc = plan_image(p, c, e);
	if (!rc)
		rc = plan_digest(p, NULL, e);
	if (rc)
		return rc;
	hex_encode(text, p->common.digest, sizeof(p->common.digest));
	log_info("measure", "launch digest %s, CPU signature %#x, policy %#llx", text, p->signature,
		(unsigned long long)p->launch.policy);
	return launch_plan_expect(&p->common, plan_digest, p, e);
}

int snp_plan_create(
	struct snp_plan **out, const struct vm_config *config, uint32_t signature, struct err *e)
{
	struct snp_plan *p = calloc(1, sizeof(*p));
	int rc;

	*out = NULL;
	if (!p)
		return err_sys(e, ENOMEM, "launch plan");
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
	launch_plan_fini(&plan->common);
	certs_fini(&plan->certs);
	free(plan);
}

struct x86_entry snp_plan_entry(const struct snp_plan *plan, unsigned int index)
{
	return (struct x86_entry){
		.mode = X86_RESET,
		.rip = index ? plan->fw.reset_eip : VMSA_BSP_EIP,
		.rdx = plan->signature,
	};
}
