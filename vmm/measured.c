/* SPDX-License-Identifier: Apache-2.0 */
/* The launch measurement as JSON; see vmm/measured.h. */
#include "vmm/measured.h"

#include "attestation/vmsa.h"
#include "base/base64.h"
#include "base/hex.h"
#include "vmm/hv/sev_text.h"
#include "vmm/snp_plan.h"
#include "vmm/tdx_plan.h"
#include "vmm/vm.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static void set_hex(json_t *to, const char *key, const uint8_t *data, size_t len)
{
	char text[HEX_TEXT_LEN(LAUNCH_DIGEST_LEN)];

	assert(len <= LAUNCH_DIGEST_LEN);
	hex_encode(text, data, len);
	json_object_set_new(to, key, json_string(text));
}

static void set_number(json_t *to, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%#llx", (unsigned long long)value);
	json_object_set_new(to, key, json_string(text));
}

static void set_text(json_t *to, const char *key, const char *text)
{
	json_object_set_new(to, key, text ? json_string(text) : json_null());
}

static void set_base64(json_t *to, const char *key, const uint8_t *data, size_t len)
{
	char text[BASE64_TEXT_LEN(ID_BLOCK_AUTH_LEN)];

	if (!data) {
		json_object_set_new(to, key, json_null());
		return;
	}
	base64_encode(text, data, len);
	json_object_set_new(to, key, json_string(text));
}

static json_t *measured_inputs(const struct vm *vm)
{
	json_t *o = json_object();

	set_text(o, "firmware", vm->config->payload.firmware);
	set_text(o, "kernel", vm->config->payload.kernel);
	set_text(o, "initramfs", vm->config->payload.initramfs);
	set_text(o, "cmdline", vm->config->payload.cmdline);
	json_object_set_new(o, "vcpus", json_integer((json_int_t)vm->plan->n_vcpus));
	if (vm->snp) {
		set_number(o, "cpu_signature", vm->snp->signature);
		set_number(o, "sev_features", SNP_FEATURES);
	}
	return o;
}

/* measured_part() - what a page of this type is called by those who measure it */
static const char *measured_part(const struct vm *vm, enum image_page type)
{
	if (vm->snp)
		return sev_text_page(type);
	return type == IMAGE_NORMAL ? "added and measured" : "added";
}

/* measured_events() - what entered the digest, in its order: parts of the image, then SNP's vCPUs
 */
static json_t *measured_events(const struct vm *vm)
{
	const struct launch_plan *p = vm->plan;
	json_t *list = json_array(), *o;

	for (size_t i = 0; i < p->image.n_parts; i++) {
		const struct image_part *part = &p->image.parts[i];

		o = json_object();
		set_text(o, "type", measured_part(vm, part->type));
		set_number(o, "gpa", part->gpa.v);
		json_object_set_new(
			o, "pages", json_integer((json_int_t)(part->len >> PAGE_SHIFT)));
		json_array_append_new(list, o);
	}
	for (unsigned int i = 0; vm->snp && i < p->n_vcpus; i++) {
		o = json_object();
		set_text(o, "type", sev_text_page(IMAGE_VMSA));
		set_number(o, "gpa", VMSA_GPA);
		json_object_set_new(o, "vcpu", json_integer((json_int_t)i));
		json_array_append_new(list, o);
	}
	return list;
}

/* measured_snp() - what reports of an SNP guest say beside the digest */
static void measured_snp(json_t *o, const struct snp_plan *p)
{
	const struct snp_launch *l = &p->launch;

	set_number(o, "policy", l->policy);
	set_hex(o, "host_data", l->host_data, sizeof(l->host_data));
	set_base64(o, "id_block", l->id_block, ID_BLOCK_LEN);
	set_base64(o, "id_auth", l->id_block ? l->id_auth : NULL, ID_BLOCK_AUTH_LEN);
	json_object_set_new(o, "launch",
		json_pack("{s:I,s:i,s:i,s:i}", "pages", (json_int_t)p->counts.pages, "runs",
			(int)p->counts.runs, "commands", (int)p->counts.ioctls, "cpuid_corrections",
			(int)p->counts.corrections));
}

/* measured_tdx() - what quotes of a TD say beside MRTD */
static void measured_tdx(json_t *o, const struct tdx_plan *p)
{
	const struct tdx_identity *id = &p->identity;

	set_number(o, "attributes", id->attributes);
	set_hex(o, "config_id", id->config_id, TDX_ID_LEN);
	set_hex(o, "owner", id->owner, TDX_ID_LEN);
	set_hex(o, "owner_config", id->owner_config, TDX_ID_LEN);
	json_object_set_new(o, "launch",
		json_pack("{s:I,s:i,s:i}", "pages", (json_int_t)p->counts.pages, "runs",
			(int)p->counts.runs, "commands", (int)p->counts.ioctls));
}

json_t *measured_json(const struct vm *vm)
{
	json_t *o = json_object();

	set_text(o, "level", vm->type->name);
	set_hex(o, "digest", vm->plan->digest, LAUNCH_DIGEST_LEN);
	set_text(o, "expected_digest", vm->config->confidential.expected_digest);
	if (vm->snp)
		measured_snp(o, vm->snp);
	if (vm->tdx)
		measured_tdx(o, vm->tdx);
	json_object_set_new(o, "inputs", measured_inputs(vm));
	json_object_set_new(o, "events", measured_events(vm));
	return o;
}
