/* SPDX-License-Identifier: Apache-2.0 */
/* The launch measurement as JSON; see vmm/measured.h. */
#include "vmm/measured.h"

#include "attestation/vmsa.h"
#include "base/base64.h"
#include "base/hex.h"
#include "vmm/hv/sev_text.h"
#include "vmm/snp_plan.h"
#include "vmm/vm.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static void set_hex(json_t *to, const char *key, const uint8_t *data, size_t len)
{
	char text[HEX_TEXT_LEN(SNP_DIGEST_LEN)];

	assert(len <= SNP_DIGEST_LEN);
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
	const struct snp_plan *p = vm->snp;
	json_t *o = json_object();

	set_text(o, "firmware", vm->config->payload.firmware);
	set_text(o, "kernel", vm->config->payload.kernel);
	set_text(o, "initramfs", vm->config->payload.initramfs);
	set_text(o, "cmdline", vm->config->payload.cmdline);
	json_object_set_new(o, "vcpus", json_integer((json_int_t)p->common.n_vcpus));
	set_number(o, "cpu_signature", p->signature);
	set_number(o, "sev_features", SNP_FEATURES);
	return o;
}

/* measured_events() - what entered the digest, in its order: parts of the image, then the vCPUs */
static json_t *measured_events(const struct snp_plan *p)
{
	json_t *list = json_array(), *o;

	for (size_t i = 0; i < p->common.image.n_parts; i++) {
		const struct image_part *part = &p->common.image.parts[i];

		o = json_object();
		set_text(o, "type", sev_text_page(part->type));
		set_number(o, "gpa", part->gpa.v);
		json_object_set_new(
			o, "pages", json_integer((json_int_t)(part->len >> PAGE_SHIFT)));
		json_array_append_new(list, o);
	}
	for (unsigned int i = 0; i < p->common.n_vcpus; i++) {
		o = json_object();
		set_text(o, "type", sev_text_page(IMAGE_VMSA));
		set_number(o, "gpa", VMSA_GPA);
		json_object_set_new(o, "vcpu", json_integer((json_int_t)i));
		json_array_append_new(list, o);
	}
	return list;
}

json_t *measured_json(const struct vm *vm)
{
	const struct snp_plan *p = vm->snp;
	const struct snp_launch *l = &p->launch;
	json_t *o = json_object();

	set_text(o, "level", vm->type->name);
	set_hex(o, "digest", p->common.digest, sizeof(p->common.digest));
	set_text(o, "expected_digest", vm->config->confidential.expected_digest);
	set_number(o, "policy", l->policy);
	set_hex(o, "host_data", l->host_data, sizeof(l->host_data));
	set_base64(o, "id_block", l->id_block, ID_BLOCK_LEN);
	set_base64(o, "id_auth", l->id_block ? l->id_auth : NULL, ID_BLOCK_AUTH_LEN);
	json_object_set_new(o, "inputs", measured_inputs(vm));
	json_object_set_new(o, "events", measured_events(p));
	json_object_set_new(o, "launch",
		json_pack("{s:I,s:i,s:i,s:i}", "pages", (json_int_t)p->counts.pages, "runs",
			(int)p->counts.runs, "commands", (int)p->counts.ioctls, "cpuid_corrections",
			(int)p->counts.corrections));
	return o;
}
