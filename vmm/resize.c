/* SPDX-License-Identifier: Apache-2.0 */
/* Other sizes for a VM; see vmm/resize.h. */
#include "vmm/resize.h"

#include "vmm/config.h"
#include "vmm/mem_resize.h"
#include "vmm/plug.h"
#include "vmm/policy.h"
#include "vmm/removals.h"
#include "vmm/vcpu_plug.h"
#include "vmm/vm.h"

#include <errno.h>

/* --- vCPUs --- */

static uint64_t vcpus_now(const struct plug_board *b)
{
	return b->config->cpus.boot;
}

static int vcpus_check(const struct plug_board *b, uint64_t want, struct err *e)
{
	if (!want || want > b->config->cpus.max)
		return err_set(e, EINVAL, "%llu is not 1 to %llu, as cpus.max_vcpus says",
			(unsigned long long)want, (unsigned long long)b->config->cpus.max);
	if (b->vm && vcpu_plug_leaving(b->vm))
		return err_set(e, EAGAIN, "the guest has not let go of all vCPUs yet");
	return 0;
}

static void vcpus_note(const struct plug_board *b, uint64_t n)
{
	b->config->cpus.boot = n;
	json_object_set_new(
		json_object_get(b->echo, "cpus"), "boot_vcpus", json_integer((json_int_t)n));
}

static int vcpus_apply(const struct plug_board *b, uint64_t want, struct err *e)
{
	int rc = 0;

	if (b->vm) {
		rc = vcpu_plug_resize(b->vm, (unsigned int)want, e);
		want = vcpu_plug_count(b->vm);
		if (vcpu_plug_leaving(b->vm))
			removals_await(b->removals, RESIZE_VCPUS);
	}
	vcpus_note(b, want);
	return rc;
}

void resize_done(const struct plug_board *b)
{
	if (!vcpu_plug_leaving(b->vm))
		removals_done(b->removals, RESIZE_VCPUS);
}

uint64_t resize_late(const struct plug_board *b)
{
	vcpu_plug_keep(b->vm);
	vcpus_note(b, vcpu_plug_count(b->vm));
	return b->config->cpus.boot;
}

/* --- memory --- */

static uint64_t ram_now(const struct plug_board *b)
{
	return mem_resize_now(b->config);
}

static int ram_check(const struct plug_board *b, uint64_t want, struct err *e)
{
	return mem_resize_check(b->vm, b->config, want, e);
}

static void ram_note(const struct plug_board *b, const char *key, uint64_t bytes)
{
	json_object_set_new(
		json_object_get(b->echo, "memory"), key, json_integer((json_int_t)bytes));
}

static int ram_apply(const struct plug_board *b, uint64_t want, struct err *e)
{
	int rc = mem_resize_apply(b->vm, b->config, want, e);

	ram_note(b, "size", b->config->memory.size);
	ram_note(b, "hotplugged_size", b->config->memory.hotplugged_size);
	return rc;
}

static uint64_t balloon_now(const struct plug_board *b)
{
	return b->config->balloon.size == BALLOON_NONE ? 0 : b->config->balloon.size;
}

static int balloon_may(const struct plug_board *b, uint64_t want, struct err *e)
{
	struct balloon_wish wish = {.size = want};

	if (b->config->balloon.size == BALLOON_NONE)
		return err_set(e, EINVAL, "the VM has no balloon");
	return balloon_check(&wish, mem_resize_now(b->config), e);
}

static int balloon_apply(const struct plug_board *b, uint64_t want, struct err *e)
{
	b->config->balloon.size = want;
	json_object_set_new(
		json_object_get(b->echo, "balloon"), "size", json_integer((json_int_t)want));
	return b->vm ? balloon_ask(b->vm->machine.balloon, want, e) : 0;
}

/* --- the table --- */

static const struct part {
	const char *key;
	enum policy_feature feature;
	uint64_t (*now)(const struct plug_board *b);
	/* May it become that, which is another value? Nothing changes; messages lack the key. */
	int (*check)(const struct plug_board *b, uint64_t want, struct err *e);
	int (*apply)(const struct plug_board *b, uint64_t want, struct err *e);
} parts[] = {
	{"desired_vcpus", POLICY_VCPU_RESIZE, vcpus_now, vcpus_check, vcpus_apply},
	{"desired_ram", POLICY_MEMORY_RESIZE, ram_now, ram_check, ram_apply},
	{"desired_balloon", POLICY_BALLOON, balloon_now, balloon_may, balloon_apply},
};

/* part_check() - Return: 1 if there is something to do, 0 if not, -errno */
static int part_check(const struct plug_board *b, const struct part *part, const json_t *v,
	enum level level, struct err *e)
{
	int rc;

	if (!v || json_is_null(v))
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return err_set(e, EINVAL, "%s: must be an integer from 0 up", part->key);
	if ((uint64_t)json_integer_value(v) == part->now(b))
		return 0;
	rc = policy_check(level, part->feature, e);
	if (rc)
		return rc;
	rc = part->check(b, (uint64_t)json_integer_value(v), e);
	return rc ? err_context(e, "%s", part->key) : 1;
}

static int resize_all(
	const struct plug_board *b, const json_t *want, enum level level, struct err *e)
{
	bool todo[ARRAY_SIZE(parts)];
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts) && rc >= 0; i++) {
		rc = part_check(b, &parts[i], json_object_get(want, parts[i].key), level, e);
		todo[i] = rc > 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(parts) && rc >= 0; i++)
		if (todo[i] &&
			parts[i].apply(b,
				(uint64_t)json_integer_value(json_object_get(want, parts[i].key)),
				e))
			rc = err_context(e, "%s", parts[i].key);
	return rc < 0 ? rc : 0;
}

int resize_vm(
	const struct plug_board *b, const struct plug_body *body, enum level level, struct err *e)
{
	json_t *want = json_loadb(body->json, body->len, JSON_REJECT_DUPLICATES, NULL);
	int rc = json_is_object(want) ? resize_all(b, want, level, e)
				      : err_set(e, EINVAL, "the body is not a JSON object");

	json_decref(want);
	return rc;
}
