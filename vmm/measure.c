/* SPDX-License-Identifier: Apache-2.0 */
/* Launch digests by mode; see vmm/measure.h. */
#include "vmm/measure.h"

#include "attestation/mrtd.h"
#include "attestation/sev_digest.h"
#include "attestation/snp_digest.h"
#include "attestation/vmsa.h"
#include "memory/image.h"
#include "vmm/load/igvm.h"
#include "vmm/load/ovmf.h"
#include "vmm/load/sev_hashes.h"
#include "vmm/load/snp_image.h"
#include "vmm/load/tdvf.h"

#include <errno.h>
#include <string.h>

_Static_assert(MEASURE_PAGE == VMSA_LEN, "a VMSA is one page");

struct measure_vmm {
	const char *name;
	enum vmsa_vmm vmsa;
	struct snp_image_rules rules;
};

const struct measure_vmm *measure_find_vmm(const char *name)
{
	static const struct measure_vmm vmms[] = {
		{"QEMU", VMSA_QEMU, {false, false}},
		{"QEMU-old", VMSA_QEMU_OLD, {false, false}},
		{"ec2", VMSA_EC2, {true, false}},
		{"ec2-old", VMSA_EC2_OLD, {true, false}},
		{"gce", VMSA_GCE, {false, true}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(vmms); i++)
		if (!strcasecmp(name, vmms[i].name))
			return &vmms[i];
	return NULL;
}

bool measure_needs_signature(const struct measure_vmm *vmm)
{
	return vmm->vmsa == VMSA_QEMU || vmm->vmsa == VMSA_QEMU_OLD;
}

/* measure_vmsas() - write the first register state of the BSP and of the APs into *out. */
static int measure_vmsas(const struct measure_spec *spec, uint64_t features, const struct ovmf *fw,
	struct measure_result *out, struct err *e)
{
	const struct vmsa_spec vmsa = {spec->vmm->vmsa, spec->signature, features};

	if (!fw->has_reset)
		return err_set(e, EINVAL, "firmware has no SEV-ES reset block: no start for APs");
	vmsa_write(out->bsp, &vmsa, true, VMSA_BSP_EIP);
	vmsa_write(out->ap, &vmsa, false, fw->reset_eip);
	out->has_vmsa = true;
	return 0;
}

/* measure_sev_bytes() - the bytes that SEV and SEV-ES encrypt, after the checks. */
static int measure_sev_bytes(struct sev_digest *d, const struct measure_spec *spec,
	const struct ovmf *fw, const struct measure_result *vmsa, struct err *e)
{
	uint8_t table[SEV_HASHES_TABLE];
	int ret = sev_digest_add(d, "firmware", gpa_of(OVMF_TOP - fw->file.left), fw->file, e);

	if (!ret && spec->hashes) {
		sev_hashes_write(table, spec->hashes);
		ret = sev_digest_add(
			d, "hash table", gpa_of(fw->hashes_gpa), bytes_of(table, sizeof(table)), e);
	}
	for (uint32_t i = 0; !ret && vmsa->has_vmsa && i < spec->vcpus; i++)
		ret = sev_digest_add(d, "VMSA", gpa_of(TRACE_NO_GPA),
			bytes_of(i ? vmsa->ap : vmsa->bsp, VMSA_LEN), e);
	return ret;
}

static int measure_sev(const struct measure_spec *spec, const struct ovmf *fw,
	struct measure_result *out, struct err *e)
{
	struct sev_digest d;
	int ret;

	if (!is_aligned(fw->file.left, PAGE_SIZE))
		return err_set(e, EINVAL, "firmware: not whole pages");
	if (spec->hashes && (!fw->hashes_gpa || fw->hashes_size < SEV_HASHES_TABLE))
		return err_set(e, EINVAL, "firmware has no place for the hashes of a kernel");
	ret = spec->mode == MEASURE_SEVES ? measure_vmsas(spec, 0, fw, out, e) : 0;
	if (!ret)
		ret = sev_digest_init(&d, spec->trace, e);
	if (ret)
		return ret;
	ret = measure_sev_bytes(&d, spec, fw, out, e);
	if (!ret)
		ret = sev_digest_value(&d, out->digest, e);
	sev_digest_fini(&d);
	out->len = SEV_DIGEST_LEN;
	return ret;
}

/* measure_snp_image() - measure an image, and after it the vCPUs if there are any. */
static int measure_snp_image(const struct measure_spec *spec, const struct image *image,
	struct measure_result *out, struct err *e)
{
	struct snp_digest d;
	int ret = snp_digest_init(&d, spec->seed, spec->trace, e);

	if (ret)
		return ret;
	ret = snp_digest_image(&d, image, e);
	if (!ret && out->has_vmsa)
		ret = snp_digest_vmsa(&d, out->bsp, 1, e);
	if (!ret && out->has_vmsa)
		ret = snp_digest_vmsa(&d, out->ap, spec->vcpus - 1, e);
	memcpy(out->digest, d.value, SNP_DIGEST_LEN);
	out->len = SNP_DIGEST_LEN;
	snp_digest_fini(&d);
	return ret;
}

/* measure_snp() - SNP with OVMF: the whole launch, or the firmware pages alone */
static int measure_snp(
	const struct measure_spec *spec, struct ovmf *fw, struct measure_result *out, struct err *e)
{
	const struct snp_image_spec build = {
		.fw = fw,
		.firmware = !spec->seed,
		.sections = spec->mode == MEASURE_SNP,
		.hashes = spec->hashes,
		.rules = spec->vmm->rules,
	};
	struct image image;
	int ret = spec->metadata ? 0 : ovmf_read_sections(fw, e);

	if (!ret && spec->mode == MEASURE_SNP)
		ret = measure_vmsas(spec, spec->features, fw, out, e);
	if (ret)
		return ret;
	image_init(&image);
	ret = snp_image_add(&image, &build, e);
	if (!ret)
		ret = measure_snp_image(spec, &image, out, e);
	image_fini(&image);
	return ret;
}

static int measure_svsm(const struct measure_spec *spec, const struct ovmf *fw,
	struct measure_result *out, struct err *e)
{
	const struct vmsa_spec vmsa = {spec->vmm->vmsa, spec->signature, spec->features};
	cleanup_free struct ovmf *svsm = malloc(sizeof(*svsm));
	struct image image;
	gpa_t entry = gpa_of(0);
	int ret;

	if (!svsm)
		return err_sys(e, ENOMEM, "SVSM");
	if (!measure_needs_signature(spec->vmm))
		return err_set(e, EINVAL, "an SVSM is known under QEMU only");
	ret = ovmf_parse(svsm, spec->svsm, e);
	if (!ret)
		ret = ovmf_read_sections(svsm, e);
	if (ret)
		return err_context(e, "SVSM");
	image_init(&image);
	ret = snp_image_add_svsm(
		&image, &(struct snp_image_svsm_spec){fw, svsm, spec->vars_size}, &entry, e);
	if (!ret) {
		vmsa_write_svsm(out->bsp, &vmsa, entry);
		memcpy(out->ap, out->bsp, VMSA_LEN);
		out->has_vmsa = true;
		ret = measure_snp_image(spec, &image, out, e);
	}
	image_fini(&image);
	return ret;
}

/* measure_td() - MRTD of an image */
static int measure_td(const struct measure_spec *spec, const struct image *image,
	struct measure_result *out, struct err *e)
{
	out->len = MRTD_LEN;
	return mrtd_of_image(image, spec->two_pass ? MRTD_TWO_PASS : MRTD_PAGE_BY_PAGE, spec->trace,
		out->digest, e);
}

static int measure_tdx(const struct measure_spec *spec, struct measure_result *out, struct err *e)
{
	struct tdvf fw;
	struct image image;
	int ret = tdvf_parse(&fw, spec->firmware, e);

	if (ret)
		return ret;
	image_init(&image);
	ret = tdvf_image_add(&image, &fw, e);
	if (!ret)
		ret = measure_td(spec, &image, out, e);
	image_fini(&image);
	return ret;
}

static int measure_igvm(const struct measure_spec *spec, struct measure_result *out, struct err *e)
{
	bool snp = spec->mode == MEASURE_IGVM_SNP;
	struct igvm_spec igvm = {snp ? IGVM_SNP : IGVM_TDX, spec->native_zero};
	struct image image;
	int ret;

	image_init(&image);
	ret = igvm_image_add(&image, spec->igvm, &igvm, e);
	if (!ret && spec->check_kvm)
		ret = igvm_check_kvm(&image, e);
	if (!ret)
		ret = snp ? measure_snp_image(spec, &image, out, e)
			  : measure_td(spec, &image, out, e);
	image_fini(&image);
	return ret;
}

/* measure_firmware() - modes that begin with the tables of an OVMF image */
static int measure_firmware(
	const struct measure_spec *spec, struct measure_result *out, struct err *e)
{
	cleanup_free struct ovmf *fw = malloc(sizeof(*fw));
	int ret = 0;

	if (!fw)
		return err_sys(e, ENOMEM, "firmware");
	if (spec->metadata)
		*fw = *spec->metadata;
	else
		ret = ovmf_parse(fw, spec->firmware, e);
	if (ret)
		return ret;
	if (spec->mode == MEASURE_SEV || spec->mode == MEASURE_SEVES)
		return measure_sev(spec, fw, out, e);
	if (spec->mode == MEASURE_SNP_SVSM)
		return measure_svsm(spec, fw, out, e);
	return measure_snp(spec, fw, out, e);
}

int measure_digest(const struct measure_spec *spec, struct measure_result *out, struct err *e)
{
	bool vcpus = spec->mode == MEASURE_SEVES || spec->mode == MEASURE_SNP ||
		spec->mode == MEASURE_SNP_SVSM;

	out->has_vmsa = false;
	if (vcpus && (!spec->vcpus || spec->vcpus > MEASURE_VCPUS_MAX))
		return err_set(e, EINVAL, "a guest has 1 to %u vCPUs", MEASURE_VCPUS_MAX);
	switch (spec->mode) {
	case MEASURE_TDX:
		return measure_tdx(spec, out, e);
	case MEASURE_IGVM_SNP:
	case MEASURE_IGVM_TDX:
		return measure_igvm(spec, out, e);
	default:
		return measure_firmware(spec, out, e);
	}
}
