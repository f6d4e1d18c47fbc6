/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON of vm.create: bodies of Kata's kind, the texts of refusals, the echo. */
#include "base/num.h"
#include "tests/unit/unit.h"
#include "vmm/config.h"
#include "vmm/config_json.h"
#include "vmm/hv/vm_type.h"

#include <errno.h>
#include <string.h>

static void read_good(struct vm_config *c, json_t **echo, const char *text)
{
	struct err e = ERR_INIT;

	if (config_json_read(c, echo, text, strlen(text), &e))
		fail_msg("%s", e.text);
}

static void config_json_takes_what_the_go_runtime_sends(void **state)
{
	static const char body[] =
		"{\"balloon\":{\"free_page_reporting\":true,\"size\":0},"
		"\"console\":{\"iommu\":false,\"mode\":\"Off\"},"
		"\"cpus\":{\"boot_vcpus\":2,\"kvm_hyperv\":false,\"max_vcpus\":4,\"nested\":true,"
		"\"topology\":{\"cores_per_die\":4,\"dies_per_package\":1,\"packages\":1,"
		"\"threads_per_core\":1}},"
		"\"disks\":[{\"backing_files\":false,\"direct\":false,\"image_type\":\"Raw\","
		"\"iommu\":false,\"num_queues\":1,\"path\":\"/d.img\",\"queue_size\":128,"
		"\"readonly\":true,\"sparse\":true,\"vhost_user\":false}],\"iommu\":false,"
		"\"landlock_enable\":false,\"memory\":{\"hotplug_method\":\"Acpi\","
		"\"hotplug_size\":2147483648,\"hugepages\":false,\"mergeable\":false,"
		"\"prefault\":false,\"shared\":false,\"size\":536870912,\"thp\":true},"
		"\"payload\":{\"cmdline\":\"root=/dev/vda1 a=b,c\",\"kernel\":\"/k\"},"
		"\"platform\":{\"num_pci_segments\":2,\"sev_snp\":false,\"tdx\":false},"
		"\"pvpanic\":false,\"rng\":{\"iommu\":false,\"src\":\"/dev/urandom\"},"
		"\"serial\":{\"iommu\":false,\"mode\":\"Tty\"},\"watchdog\":false}\n";
	struct vm_config c;
	json_t *echo;

	(void)state;
	read_good(&c, &echo, body);
	assert_int_equal(c.cpus.boot, 2);
	assert_int_equal(c.cpus.max, 4);
	assert_int_equal(c.memory.size, MIB(512));
	assert_string_equal(c.payload.kernel, "/k");
	assert_string_equal(c.payload.cmdline, "root=/dev/vda1 a=b,c");
	assert_int_equal(c.n_disks, 1);
	assert_true(c.disks[0].readonly);
	assert_string_equal(c.disks[0].id, "_disk0");
	assert_int_equal(c.serial.mode, STREAM_TTY);
	assert_int_equal(c.console.mode, STREAM_OFF);
	assert_int_equal(c.confidential.level, LEVEL_OFF + 1);
	json_decref(echo);
	config_fini(&c);
}

static void config_json_takes_nulls_empty_lists_and_unknown_keys(void **state)
{
	struct vm_config c;
	json_t *echo;

	(void)state;
	read_good(&c, &echo,
		"{\"payload\":{\"kernel\":\"k\",\"firmware\":null,\"host_data\":null},\"fs\":[],"
		"\"devices\":[],\"net\":null,\"vsock\":null,\"colour\":\"red\",\"disks\":[{\"path\":\"d\","
		"\"id\":null,\"vhost_socket\":null,\"image_type\":\"Unknown\",\"shape\":1}],"
		"\"platform\":null,\"confidential\":{\"level\":\"soft\",\"require\":\"soft\","
		"\"shared_max\":67108864}}");
	assert_int_equal(c.confidential.level, LEVEL_SOFT + 1);
	assert_int_equal(c.require, LEVEL_SOFT);
	assert_int_equal(c.memory.shared_max, MIB(64));
	assert_null(json_object_get(echo, "colour"));
	json_decref(echo);
	config_fini(&c);
}

static void config_json_echoes_the_defaults(void **state)
{
	struct vm_config c;
	json_t *echo, *want;

	(void)state;
	read_good(&c, &echo,
		"{\"payload\":{\"kernel\":\"/k\"},\"disks\":[{\"path\":\"/d\"}],"
		"\"memory\":{\"hotplug_size\":7}}");
	want = json_loads(
		"{\"cpus\":{\"boot_vcpus\":1,\"max_vcpus\":1,\"kvm_hyperv\":false,"
		"\"max_phys_bits\":46,\"features\":{\"amx\":false},\"nested\":true,"
		"\"core_scheduling\":\"Off\",\"profile\":\"Host\"},\"memory\":{\"size\":536870912,"
		"\"overcommit\":false,\"mergeable\":false,\"hotplug_method\":\"Acpi\","
		"\"hotplug_size\":7,\"hotplugged_size\":0,\"shared\":false,\"hugepages\":false,\"prefault\":false,"
		"\"reserve\":false,\"thp\":true},\"payload\":{\"kernel\":\"/k\"},"
		"\"rng\":{\"src\":\"/dev/urandom\"},\"serial\":{\"mode\":\"Null\"},"
		"\"console\":{\"mode\":\"Tty\"},\"platform\":{\"num_pci_segments\":1,\"tdx\":false,"
		"\"sev_snp\":false},\"confidential\":{\"level\":\"off\",\"require\":\"off\","
		"\"policy\":196608,\"shared_max\":0},\"sandbox\":{\"mode\":\"strict\"},\"iommu\":false,"
		"\"watchdog\":false,\"pvpanic\":false,\"landlock_enable\":false,"
		"\"disks\":[{\"path\":\"/d\",\"readonly\":false,\"direct\":false,\"num_queues\":1,"
		"\"queue_size\":128,\"packed\":false,\"id\":\"_disk0\",\"vhost_user\":false,"
		"\"disable_io_uring\":false,\"disable_aio\":false,\"pci_segment\":0,"
		"\"backing_files\":false,\"sparse\":true,\"image_type\":\"Raw\","
		"\"lock_granularity\":\"Full\"}],\"net\":[],\"fs\":[]}",
		0, NULL);
	assert_non_null(want);
	if (!json_equal(echo, want))
		fail_msg("%s", json_dumps(echo, 0));
	json_decref(want);
	json_decref(echo);
	config_fini(&c);
}

#define K "\"payload\":{\"kernel\":\"k\"}"

static void config_json_names_the_field_at_fault(void **state)
{
	static const struct {
		const char *body, *text;
	} cases[] = {
		{"[]", "the body: must be an object"},
		{"{\"cpus\":{}}", "payload.kernel: is missing; give a bzImage or an ELF vmlinux"},
		{"{\"cpus\":1}", "cpus: must be an object"},
		{"{\"cpus\":{\"boot_vcpus\":0}}", "cpus.boot_vcpus: 0 is out of range (1 to 64)"},
		{"{\"cpus\":{\"boot_vcpus\":-1}}", "cpus.boot_vcpus: -1 is out of range (1 to 64)"},
		{"{\"cpus\":{\"boot_vcpus\":\"1\"}}", "cpus.boot_vcpus: must be an integer"},
		{"{" K ",\"cpus\":{\"boot_vcpus\":2,\"max_vcpus\":1}}",
			"cpus: max=1 is less than boot=2"},
		{"{\"cpus\":{\"topology\":{\"threads_per_core\":2}}}",
			"cpus.topology.threads_per_core: this value is not supported; one of [1] is"},
		{"{\"cpus\":{\"kvm_hyperv\":true}}",
			"cpus.kvm_hyperv: this value is not supported; one of [false] is"},
		{"{\"memory\":{\"hotplug_size\":\"1G\"}}",
			"memory.hotplug_size: must be an integer"},
		{"{\"memory\":{\"zones\":[{\"id\":\"a\"}]}}", "memory.zones: is not supported yet"},
		{"{\"payload\":{\"kernel\":1}}", "payload.kernel: must be a string"},
		{"{\"payload\":{\"firmware\":\"f\"}}",
			"payload.firmware: goes with level snp or tdx alone"},
		{"{" K ",\"confidential\":{\"vcpu_type\":\"EPYC\"}}",
			"confidential.vcpu_type: goes with level snp alone"},
		{"{" K ",\"platform\":{\"sev_snp\":true}}",
			"payload.firmware: is missing; level snp needs OVMF for SEV-SNP"},
		{"{\"disks\":{}}", "disks: must be a list"},
		{"{\"disks\":[1]}", "disks[0]: must be an object"},
		{"{\"disks\":[{\"path\":\"a\"},{\"readonly\":1}]}",
			"disks[1].readonly: must be true or false"},
		{"{" K ",\"disks\":[{}]}", "disks: disk 0 has no path=F"},
		{"{\"disks\":[{\"image_type\":\"Qcow2\"}]}",
			"disks[0].image_type: this value is not supported; one of [\"Raw\", "
			"\"Unknown\"] is"},
		{"{\"serial\":{\"mode\":\"Vt\"}}",
			"serial.mode: must be one of: Off, Null, Tty, File, Pty, Socket"},
		{"{" K ",\"net\":[{\"mac\":\"x\"}]}", "net: mac=x is no address of one station"},
		{"{" K ",\"vsock\":{\"cid\":3}}", "vsock: needs socket=PATH"},
		{"{" K ",\"vsock\":{\"socket\":\"s\"}}", "vsock: needs cid=N, from 3 up"},
		{"{\"vsock\":{\"cid\":2}}", "vsock.cid: 2 is out of range (3 to 4294967294)"},
		{"{\"vsock\":{\"iommu\":true}}",
			"vsock.iommu: this value is not supported; one of [false] is"},
		{"{" K ",\"balloon\":{\"size\":1}}",
			"balloon: size=1 is no multiple of 4096, or more than the VM has"},
		{"{" K ",\"balloon\":{\"deflate_on_oom\":true}}", "balloon: size is missing"},
		{"{" K ",\"memory\":{\"hotplug_method\":\"VirtioMem\",\"hotplug_size\":1}}",
			"memory: hotplug_size and hotplugged_size are multiples of 128 MiB "
			"with virtio-mem"},
		{"{" K ",\"memory\":{\"hotplugged_size\":1}}",
			"memory: hotplugged_size is more than hotplug_size"},
		{"{\"platform\":{\"sev\":true}}", "platform.sev: unknown key"},
		{"{\"platform\":{\"tdx\":1}}", "platform.tdx: must be true or false"},
		{"{\"platform\":{\"tdx\":true,\"sev_snp\":true}}",
			"platform: tdx and sev_snp are both true"},
		{"{\"platform\":{\"tdx\":true},\"confidential\":{\"level\":\"soft\"}}",
			"platform.tdx: confidential.level says something else"},
		{"{\"confidential\":{\"lvl\":\"soft\"}}", "confidential.lvl: unknown key"},
		{"{\"confidential\":{\"level\":\"hard\"}}",
			"confidential.level: must be one of: auto, off, soft, sw-protected, snp, tdx"},
		{"{" K ",\"confidential\":{\"level\":\"soft\",\"require\":\"snp\"}}",
			"confidential.level: level soft is weaker than --require snp"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vm_config c;
		struct err e = ERR_INIT;
		json_t *echo;

		assert_int_equal(
			config_json_read(&c, &echo, cases[i].body, strlen(cases[i].body), &e),
			-EINVAL);
		assert_string_equal(e.text, cases[i].text);
		assert_null(echo);
	}
}

static void config_json_refuses_what_is_no_json(void **state)
{
	static const char *const bodies[] = {"", "{", "{\"a\":1,\"a\":2}", "{} x", "\xff", "nul"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		struct vm_config c;
		struct err e = ERR_INIT;
		json_t *echo;

		assert_int_equal(
			config_json_read(&c, &echo, bodies[i], strlen(bodies[i]), &e), -EINVAL);
		assert_int_equal(strncmp(e.text, "the body is not JSON: ", 22), 0);
	}
}

static void config_json_refuses_an_id_twice(void **state)
{
	static const char body[] = "{" K ",\"disks\":[{\"path\":\"a\",\"id\":\"x\"},"
				   "{\"path\":\"b\",\"id\":\"x\"}]}";
	struct vm_config c;
	struct err e = ERR_INIT;
	json_t *echo;

	(void)state;
	assert_int_equal(config_json_read(&c, &echo, body, sizeof(body) - 1, &e), -EEXIST);
	assert_string_equal(e.text, "disks[1].id: 'x' is there twice");
}

static void config_json_asks_for_a_level_as_others_do(void **state)
{
	struct vm_config c;
	json_t *echo;

	(void)state;
	read_good(&c, &echo, "{\"payload\":{\"firmware\":\"fd\"},\"platform\":{\"tdx\":true}}");
	assert_int_equal(c.confidential.level, LEVEL_TDX + 1);
	json_decref(echo);
	config_fini(&c);
	read_good(&c, &echo,
		"{\"payload\":{\"firmware\":\"fd\",\"host_data\":\"00ff\"},"
		"\"platform\":{\"sev_snp\":true},\"confidential\":{\"policy\":720896}}");
	assert_int_equal(c.confidential.level, LEVEL_SNP + 1);
	assert_string_equal(c.payload.firmware, "fd");
	assert_string_equal(c.payload.host_data, "00ff");
	assert_int_equal(c.confidential.policy, 0xb0000);
	json_decref(echo);
	config_fini(&c);
}

#define TEXT(kind, body, n_fds)                                                                    \
	{                                                                                          \
		(kind), (body), sizeof(body) - 1, (n_fds)                                          \
	}

static int add(struct vm_config *c, json_t *echo, struct config_text what, struct err *e)
{
	*e = (struct err)ERR_INIT;
	return config_json_add(c, echo, &what, e);
}

static void config_json_adds_and_removes_devices(void **state)
{
	struct vm_config c;
	struct err e;
	json_t *echo, *before;

	(void)state;
	read_good(&c, &echo, "{\"payload\":{\"kernel\":\"k\"},\"disks\":[{\"path\":\"d\"}]}");
	before = json_deep_copy(echo);
	assert_int_equal(
		add(&c, echo, (struct config_text)TEXT("disk", "{\"path\":\"e\"}", 0), &e), 0);
	assert_string_equal(config_json_last_id(&c, "disk"), "_disk1");
	assert_int_equal(
		add(&c, echo, (struct config_text)TEXT("net", "{\"mac\":\"02:00:00:00:00:01\"}", 0),
			&e),
		0);
	assert_string_equal(config_json_last_id(&c, "net"), "_net2");
	assert_int_equal(
		add(&c, echo, (struct config_text)TEXT("vsock", "{\"cid\":3,\"socket\":\"s\"}", 0),
			&e),
		0);
	assert_int_equal(json_array_size(json_object_get(echo, "disks")), 2);
	assert_int_equal(
		add(&c, echo, (struct config_text)TEXT("vsock", "{\"cid\":4,\"socket\":\"t\"}", 0),
			&e),
		-EINVAL);
	assert_int_equal(config_json_remove(&c, echo, "_disk1"), 0);
	assert_int_equal(config_json_remove(&c, echo, "_net2"), 0);
	assert_int_equal(config_json_remove(&c, echo, "vsock0"), 0);
	assert_int_equal(config_json_remove(&c, echo, "vsock0"), -ENOENT);
	assert_true(json_equal(echo, before));
	json_decref(before);
	json_decref(echo);
	config_fini(&c);
}

static void config_json_leaves_all_as_it_was_when_an_addition_fails(void **state)
{
	static const struct {
		struct config_text what;
		const char *text;
		int rc;
	} cases[] = {
		{TEXT("disk", "[", 0),
			"the body is not JSON: line 1: ']' expected near end of file", -EINVAL},
		{TEXT("disk", "{}", 0), "disks: disk 1 has no path=F", -EINVAL},
		{TEXT("disk", "{\"path\":1}", 0), "disk.path: must be a string", -EINVAL},
		{TEXT("disk", "{\"path\":\"e\",\"id\":\"_disk0\"}", 0),
			"disk.id: '_disk0' is there twice", -EEXIST},
		{TEXT("disk", "{}", 2), "a disk has one descriptor, not 2", -EBADF},
		{TEXT("net", "{\"id\":\"_disk0\"}", 0), "net.id: '_disk0' is there twice", -EEXIST},
		{TEXT("net", "{}", 2), "2 descriptors for num_queues 2, two for each", -EBADF},
		{TEXT("net", "{\"fds\":3}", 0), "net.fds: must be a list", -EINVAL},
		{TEXT("vsock", "{\"cid\":3}", 0), "vsock.socket: is missing", -EINVAL},
	};
	struct vm_config c;
	struct err e;
	json_t *echo, *before;

	(void)state;
	read_good(&c, &echo, "{\"payload\":{\"kernel\":\"k\"},\"disks\":[{\"path\":\"d\"}]}");
	before = json_deep_copy(echo);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(add(&c, echo, cases[i].what, &e), cases[i].rc);
		assert_string_equal(e.text, cases[i].text);
		assert_true(json_equal(echo, before));
		assert_int_equal(c.n_disks, 1);
		assert_int_equal(c.n_nics, 0);
		assert_null(c.vsock.socket);
	}
	json_decref(before);
	json_decref(echo);
	config_fini(&c);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(config_json_adds_and_removes_devices),
	cmocka_unit_test(config_json_leaves_all_as_it_was_when_an_addition_fails),
	cmocka_unit_test(config_json_takes_what_the_go_runtime_sends),
	cmocka_unit_test(config_json_takes_nulls_empty_lists_and_unknown_keys),
	cmocka_unit_test(config_json_echoes_the_defaults),
	cmocka_unit_test(config_json_names_the_field_at_fault),
	cmocka_unit_test(config_json_refuses_what_is_no_json),
	cmocka_unit_test(config_json_refuses_an_id_twice),
	cmocka_unit_test(config_json_asks_for_a_level_as_others_do),
};

UNIT_MAIN(tests)
