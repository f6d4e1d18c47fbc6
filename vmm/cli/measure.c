/* SPDX-License-Identifier: Apache-2.0 */
/* `cloister measure`: predict a launch digest. The flags are those of sev-snp-measure, and more. */
#include "vmm/measure.h"
#include "attestation/vmsa.h"
#include "base/base64.h"
#include "base/fd.h"
#include "base/file_map.h"
#include "base/hex.h"
#include "vmm/cli/bundle.h"
#include "vmm/cli/cli.h"
#include "vmm/cli/explain.h"
#include "vmm/cli/metadata.h"
#include "vmm/cli/options.h"
#include "vmm/load/ovmf.h"
#include "vmm/load/sev_hashes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
	"Usage: cloister measure --mode MODE [FLAGS]\n"
	"\n"
	"Predicts the launch digest of a confidential guest and prints it as one line. Needs no\n"
	"hardware and no network.\n"
	"\n"
	"  # SEV-SNP guest with 4 vCPUs under QEMU, kernel booted directly\n"
	"  cloister measure --mode snp --vcpus 4 --vcpu-type EPYC-v4 --ovmf OVMF.fd \\\n"
	"      --kernel vmlinuz --initrd initrd.img --append 'console=ttyS0'\n"
	"  # MRTD of a TD\n"
	"  cloister measure --mode tdx --ovmf OVMF.fd\n"
	"  # which page makes two digests differ?\n"
	"  cloister measure --mode tdx --ovmf a.fd --explain a.txt\n"
	"  cloister measure --mode tdx --ovmf b.fd --explain b.txt; diff a.txt b.txt | head\n"
	"  # without the firmware file: its digest once, then its section list\n"
	"  cloister measure --mode snp:ovmf-hash --ovmf OVMF.fd\n"
	"  cloister measure --mode snp --snp-ovmf-hash HEX --ovmf-metadata ovmf.json ...\n"
	"  # one signed file with the digests for 1 to 64 vCPUs (docs/reference-bundle.md)\n"
	"  cloister measure --mode snp --vcpu-type EPYC-Milan --ovmf OVMF.fd \\\n"
	"      --bundle vm.json --bundle-key key.pem --bundle-vcpus 1-64\n";

static const char notes[] =
	"Modes: sev, seves (SHA-256, 32 bytes); snp, snp:ovmf-hash, snp:svsm (48 bytes);\n"
	"tdx (MRTD, 48 bytes); igvm (digest or MRTD of the platform, 48 bytes).\n"
	"CPU types: EPYC, EPYC-IBPB, EPYC-Rome, EPYC-Milan, EPYC-Genoa, EPYC-Turin, and their\n"
	"versions (EPYC-v4). VMM types: QEMU, QEMU-old (host kernel before 6.10), ec2, ec2-old, gce.\n"
	"Exit status: 0, or 2 for bad usage and for firmware that the mode cannot launch.\n";

#define BOOT_FILE_MAX GIB(2) /* of a kernel or initrd: what fits below 4 GiB beside RAM holes */

/* What the flags say, and the files they name. */
struct args {
	const char *mode, *vcpu_type, *vmm_type, *ovmf, *kernel, *initrd, *append, *metadata;
	const char *svsm, *igvm, *platform, *format, *explain;
	const char *bundle, *bundle_key, *bundle_vcpus;
	bool have_vcpus, have_sig, have_family, have_model, have_stepping;
	bool have_vars, have_seed, have_kernel_hash, have_initrd_hash;
	uint32_t family, model, stepping;
	bool dump_vmsa;
	uint8_t seed[DIGEST_SHA384_LEN];
	struct sev_hashes hashes;
	struct measure_spec spec;
	struct file_map ovmf_map, svsm_map, igvm_map;
	struct ovmf fw; /* from a metadata file */
	struct explain trace;
};

static int args_parse(struct args *a, struct options *o, int argc, char **argv, struct err *e)
{
	struct measure_spec *s = &a->spec;
	const struct option_row rows[] = {
		{"--mode", OPTION_TEXT, &a->mode, NULL, 0, "MODE", "what to predict, see below"},
		{"--vcpus", OPTION_U32, &s->vcpus, &a->have_vcpus, 0, "N", "number of vCPUs"},
		{"--vcpu-type", OPTION_TEXT, &a->vcpu_type, NULL, 0, "TYPE", "CPU model of QEMU"},
		{"--vcpu-sig", OPTION_U32, &s->signature, &a->have_sig, 0, "N", "CPUID 1 EAX"},
		{"--vcpu-family", OPTION_U32, &a->family, &a->have_family, 0, "N",
			"CPU family, with the next two"},
		{"--vcpu-model", OPTION_U32, &a->model, &a->have_model, 0, "N", "CPU model"},
		{"--vcpu-stepping", OPTION_U32, &a->stepping, &a->have_stepping, 0, "N",
			"CPU stepping"},
		{"--vmm-type", OPTION_TEXT, &a->vmm_type, NULL, 0, "VMM", "default QEMU"},
		{"--guest-features", OPTION_U64, &s->features, NULL, 0, "N",
			"SEV_FEATURES, default 0x1 (host kernels 6.6 to 6.8: 0x21)"},
		{"--ovmf", OPTION_TEXT, &a->ovmf, NULL, 0, "FILE", "firmware"},
		{"--kernel", OPTION_TEXT, &a->kernel, NULL, 0, "FILE", "kernel booted directly"},
		{"--initrd", OPTION_TEXT, &a->initrd, NULL, 0, "FILE", "needs a kernel"},
		{"--append", OPTION_TEXT, &a->append, NULL, 0, "TEXT",
			"command line, needs a kernel"},
		{"--kernel-hash", OPTION_HEX, a->hashes.kernel, &a->have_kernel_hash,
			SEV_HASHES_LEN, "HEX", "SHA-256 in place of --kernel"},
		{"--initrd-hash", OPTION_HEX, a->hashes.initrd, &a->have_initrd_hash,
			SEV_HASHES_LEN, "HEX", "SHA-256 in place of --initrd"},
		{"--snp-ovmf-hash", OPTION_HEX, a->seed, &a->have_seed, DIGEST_SHA384_LEN, "HEX",
			"snp: digest after the firmware pages"},
		{"--ovmf-metadata", OPTION_TEXT, &a->metadata, NULL, 0, "FILE",
			"snp with --snp-ovmf-hash: section list in place of --ovmf"},
		{"--svsm", OPTION_TEXT, &a->svsm, NULL, 0, "FILE", "snp:svsm: the SVSM"},
		{"--vars-size", OPTION_U64, &s->vars_size, &a->have_vars, 0, "N",
			"snp:svsm: bytes between SVSM and firmware"},
		{"--dump-vmsa", OPTION_SWITCH, &a->dump_vmsa,
			.help = "write vmsa<N>.bin files here"},
		{"--two-pass-add-pages", OPTION_SWITCH, &s->two_pass,
			.help = "tdx: per section all adds, then all extends (QEMU 8.2)"},
		{"--igvm", OPTION_TEXT, &a->igvm, NULL, 0, "FILE", "igvm: the file"},
		{"--platform", OPTION_TEXT, &a->platform, NULL, 0, "P", "igvm: snp or tdx"},
		{"--native-zero", OPTION_SWITCH, &s->native_zero,
			.help = "igvm: pages without data are ZERO pages"},
		{"--check-kvm", OPTION_SWITCH, &s->check_kvm,
			.help = "igvm: refuse what KVM cannot launch"},
		{"--output-format", OPTION_TEXT, &a->format, NULL, 0, "F", "hex (default), base64"},
		{"--explain", OPTION_TEXT, &a->explain, NULL, 0, "FILE",
			"write every page that enters the digest; - for stdout"},
		{"--bundle", OPTION_TEXT, &a->bundle, NULL, 0, "FILE",
			"write a signed reference bundle in place of the digest; - for stdout"},
		{"--bundle-key", OPTION_TEXT, &a->bundle_key, NULL, 0, "PEM",
			"bundle: private key on P-256 or P-384"},
		{"--bundle-vcpus", OPTION_TEXT, &a->bundle_vcpus, NULL, 0, "LIST",
			"bundle: numbers of vCPUs, such as 1,2,4-8"},
	};

	o->rows = rows;
	o->n_rows = ARRAY_SIZE(rows);
	return options_parse(o, argc, argv, e);
}

static int args_mode(struct args *a, struct err *e)
{
	static const struct {
		const char *name;
		enum measure_mode mode;
	} modes[] = {
		{"sev", MEASURE_SEV},
		{"seves", MEASURE_SEVES},
		{"snp", MEASURE_SNP},
		{"snp:ovmf-hash", MEASURE_SNP_OVMF_HASH},
		{"snp:svsm", MEASURE_SNP_SVSM},
		{"tdx", MEASURE_TDX},
		{"igvm", MEASURE_IGVM_SNP},
	};

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (a->mode && !strcmp(a->mode, modes[i].name)) {
			a->spec.mode = modes[i].mode;
			return 0;
		}
	return err_set(
		e, EINVAL, "--mode must be sev, seves, snp, snp:ovmf-hash, snp:svsm, tdx or igvm");
}

/* args_has_vcpus() - Return: true if vCPUs enter the digest of the mode. */
static bool args_has_vcpus(const struct args *a)
{
	return a->spec.mode == MEASURE_SEVES || a->spec.mode == MEASURE_SNP ||
		a->spec.mode == MEASURE_SNP_SVSM;
}

/* args_signature() - one of the three ways to name a CPU, if the VMM shows it to the guest */
static int args_signature(struct args *a, struct err *e)
{
	bool by_number = a->have_family || a->have_model || a->have_stepping;

	if (!!a->vcpu_type + a->have_sig + by_number > 1)
		return err_set(e, EINVAL, "give one of --vcpu-type, --vcpu-sig, --vcpu-family");
	if (by_number) {
		if (!a->have_family || !a->have_model || !a->have_stepping)
			return err_set(
				e, EINVAL, "--vcpu-family, -model and -stepping go together");
		if (a->family > 0x10e || a->model > 0xff || a->stepping > 0xf)
			return err_set(e, EINVAL, "no such CPU family, model or stepping");
		a->spec.signature = vmsa_signature(a->family, a->model, a->stepping);
	}
	if (a->vcpu_type) {
		a->spec.signature = vmsa_cpu_signature(a->vcpu_type);
		if (!a->spec.signature)
			return err_set(e, EINVAL, "unknown CPU type '%s'", a->vcpu_type);
	}
	if (!a->vcpu_type && !a->have_sig && !by_number && args_has_vcpus(a) &&
		measure_needs_signature(a->spec.vmm))
		return err_set(e, EINVAL, "give --vcpu-type, --vcpu-sig or --vcpu-family");
	return 0;
}

static int args_cpus(struct args *a, struct err *e)
{
	a->spec.vmm = measure_find_vmm(a->vmm_type ?: "QEMU");
	if (!a->spec.vmm)
		return err_set(e, EINVAL, "unknown VMM type '%s'", a->vmm_type);
	if (args_has_vcpus(a) && !a->have_vcpus && !a->bundle)
		return err_set(e, EINVAL, "--mode %s needs --vcpus", a->mode);
	if (a->have_vcpus && (!a->spec.vcpus || a->spec.vcpus > MEASURE_VCPUS_MAX))
		return err_set(e, EINVAL, "--vcpus must be 1 to %u", MEASURE_VCPUS_MAX);
	if (a->dump_vmsa && !args_has_vcpus(a))
		return err_set(e, EINVAL, "--mode %s has no VMSA to dump", a->mode);
	return args_signature(a, e);
}

/* args_hash_file() - hash a file that boots with the guest. */
static int args_hash_file(const char *path, uint8_t *out, struct err *e)
{
	cleanup_file_map struct file_map map = FILE_MAP_INIT;
	int ret = file_map_open(&map, path, e);

	if (!ret && map.len > BOOT_FILE_MAX)
		ret = err_set(e, EFBIG, "%s: %zu bytes are too many", path, map.len);
	return ret ? ret : sev_hashes_file(out, file_map_bytes(&map), e);
}

/* args_kernel() - the hashes of kernel, initrd and command line, if there is a kernel */
static int args_kernel(struct args *a, struct err *e)
{
	bool kernel = a->kernel || a->have_kernel_hash;
	int ret = 0;

	if ((a->kernel && a->have_kernel_hash) || (a->initrd && a->have_initrd_hash))
		return err_set(e, EINVAL, "give a file or its hash, not both");
	if (!kernel && (a->initrd || a->have_initrd_hash || (a->append && *a->append)))
		return err_set(e, EINVAL, "--initrd and --append need a kernel");
	if (!kernel || a->spec.mode == MEASURE_SNP_OVMF_HASH)
		return 0;
	if (a->spec.mode != MEASURE_SEV && a->spec.mode != MEASURE_SEVES &&
		a->spec.mode != MEASURE_SNP)
		return err_set(e, EINVAL, "--mode %s does not measure a kernel", a->mode);
	if (a->kernel)
		ret = args_hash_file(a->kernel, a->hashes.kernel, e);
	if (!ret && a->initrd)
		ret = args_hash_file(a->initrd, a->hashes.initrd, e);
	if (!ret && !a->initrd && !a->have_initrd_hash)
		ret = sev_hashes_file(a->hashes.initrd, bytes_of("", 0), e);
	if (!ret)
		ret = sev_hashes_cmdline(a->hashes.cmdline, a->append ?: "", e);
	a->spec.hashes = &a->hashes;
	return ret;
}

/* args_map() - map the file of a flag that the mode needs. */
static int args_map(
	const char *flag, const char *path, struct file_map *map, struct bytes *out, struct err *e)
{
	int ret;

	if (!path)
		return err_set(e, EINVAL, "%s is needed", flag);
	ret = file_map_open(map, path, e);
	*out = file_map_bytes(map);
	return ret;
}

static int args_igvm(struct args *a, struct err *e)
{
	bool tdx = a->platform && !strcmp(a->platform, "tdx");

	if (!tdx && (!a->platform || strcmp(a->platform, "snp") != 0))
		return err_set(e, EINVAL, "--platform must be snp or tdx");
	if (tdx && (a->spec.native_zero || a->spec.check_kvm))
		return err_set(e, EINVAL, "--native-zero and --check-kvm are for --platform snp");
	if (tdx)
		a->spec.mode = MEASURE_IGVM_TDX;
	return args_map("--igvm", a->igvm, &a->igvm_map, &a->spec.igvm, e);
}

/* args_files() - map what the mode reads. */
static int args_files(struct args *a, struct err *e)
{
	int ret;

	if (a->have_seed && a->spec.mode != MEASURE_SNP)
		return err_set(e, EINVAL, "--snp-ovmf-hash is for --mode snp");
	if (a->metadata && (!a->have_seed || a->ovmf))
		return err_set(
			e, EINVAL, "--ovmf-metadata goes with --snp-ovmf-hash, without --ovmf");
	if (a->spec.mode == MEASURE_SNP_SVSM && !a->have_vars)
		return err_set(e, EINVAL, "--vars-size is needed");
	if (a->have_seed)
		a->spec.seed = a->seed;
	if (a->spec.mode == MEASURE_IGVM_SNP)
		return args_igvm(a, e);
	if (a->metadata) {
		a->spec.metadata = &a->fw;
		return metadata_read(&a->fw, a->metadata, e);
	}
	ret = args_map("--ovmf", a->ovmf, &a->ovmf_map, &a->spec.firmware, e);
	if (!ret && a->spec.mode == MEASURE_SNP_SVSM)
		ret = args_map("--svsm", a->svsm, &a->svsm_map, &a->spec.svsm, e);
	return ret;
}

/* args_bundle() - what a bundle needs, and what does not go with one */
static int args_bundle(struct args *a, struct err *e)
{
	if (!a->bundle)
		return a->bundle_key || a->bundle_vcpus
			? err_set(e, EINVAL, "--bundle-key and -vcpus go with --bundle")
			: 0;
	if (!a->bundle_key)
		return err_set(e, EINVAL, "--bundle needs --bundle-key");
	if (a->have_vcpus || a->dump_vmsa || a->explain || a->format)
		return err_set(e, EINVAL,
			"--vcpus, --dump-vmsa, --explain and --output-format do not go with --bundle");
	if (a->spec.mode == MEASURE_SNP_OVMF_HASH)
		return err_set(e, EINVAL, "no report states the digest of --mode %s", a->mode);
	if (args_has_vcpus(a) != !!a->bundle_vcpus)
		return err_set(e, EINVAL, "--bundle-vcpus is %s in --mode %s",
			a->bundle_vcpus ? "not used" : "needed", a->mode);
	return 0;
}

static int args_output(struct args *a, struct err *e)
{
	if (a->format && strcmp(a->format, "hex") != 0 && strcmp(a->format, "base64") != 0)
		return err_set(e, EINVAL, "--output-format must be hex or base64");
	if (!a->explain)
		return 0;
	a->spec.trace = &a->trace.trace;
	return explain_open(&a->trace, a->explain, e);
}

static void args_fini(struct args *a)
{
	explain_close(&a->trace);
	file_map_close(&a->ovmf_map);
	file_map_close(&a->svsm_map);
	file_map_close(&a->igvm_map);
}

/* measure_dump() - write the VMSA of every vCPU into the working directory. */
static int measure_dump(const struct args *a, const struct measure_result *r, struct err *e)
{
	for (uint32_t i = 0; i < a->spec.vcpus; i++) {
		cleanup_fd int fd = -1;
		char name[32];
		int ret;

		snprintf(name, sizeof(name), "vmsa%u.bin", i);
		fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		ret = fd < 0 ? -errno : fd_write_full(fd, i ? r->ap : r->bsp, MEASURE_PAGE);
		if (ret)
			return err_sys(e, -ret, "%s", name);
	}
	return 0;
}

static void measure_print(const struct args *a, const struct measure_result *r)
{
	char text[HEX_TEXT_LEN(DIGEST_MAX_LEN)];

	if (a->format && !strcmp(a->format, "base64"))
		base64_encode(text, r->digest, r->len);
	else
		hex_encode(text, r->digest, r->len);
	puts(text);
}

/* measure_run() - everything between the flags and the line on stdout. */
static int measure_run(struct args *a, struct measure_result *r, struct err *e)
{
	int (*const steps[])(struct args *, struct err *) = {
		args_mode, args_bundle, args_cpus, args_kernel, args_files, args_output};
	const struct bundle_spec bundle = {&a->spec, a->mode, a->vmm_type ?: "QEMU",
		a->bundle_vcpus, a->bundle_key, a->bundle};
	int ret = 0;

	for (size_t i = 0; !ret && i < ARRAY_SIZE(steps); i++)
		ret = steps[i](a, e);
	if (!ret && a->bundle)
		return bundle_write(&bundle, e);
	if (!ret)
		ret = measure_digest(&a->spec, r, e);
	if (!ret && a->dump_vmsa)
		ret = measure_dump(a, r, e);
	if (!ret && a->explain)
		ret = explain_finish(&a->trace, e);
	return ret;
}

int cli_measure(int argc, char **argv)
{
	struct options o = {.verb = "measure", .usage = usage, .notes = notes};
	cleanup_free struct args *a = calloc(1, sizeof(*a));
	struct measure_result result;
	struct err e = ERR_INIT;
	int ret;

	if (!a)
		return CLI_USAGE;
	a->spec.features = 1;
	ret = args_parse(a, &o, argc, argv, &e);
	if (!ret)
		ret = measure_run(a, &result, &e);
	if (!ret && !a->bundle)
		measure_print(a, &result);
	args_fini(a);
	return ret < 0 ? options_fail(&o, &e) : options_done(&o);
}
