/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a VmConfig that stand for nothing of ours; see vmm/config_rows.h. */
#include "vmm/config_rows.h"

#include "base/attr.h"

#include <stddef.h>

#define SECTION(k, r, ...)                                                                         \
	{                                                                                          \
		.keyval = (k), .rows = (r), .n_rows = ARRAY_SIZE(r), __VA_ARGS__                   \
	}

#define NONE    "[]" /* no value but null */
#define EMPTY   "[[]]"
#define ONLY_NO "[false]"
#define NO      "false"
#define IOMMU_ROW                                                                                  \
	{                                                                                          \
		"iommu", ONLY_NO, NULL, NULL                                                       \
	}

static const struct config_row topology_rows[] = {
	{"threads_per_core", "[1]", "1", NULL},
	{"cores_per_die", "int", "1", NULL},
	{"dies_per_package", "[1]", "1", NULL},
	{"packages", "[1]", "1", NULL},
};
static const struct config_rows topology = SECTION(NULL, topology_rows, .absent = true);

static const struct config_row feature_rows[] = {{"amx", ONLY_NO, NO, NULL}};
static const struct config_rows features = SECTION(NULL, feature_rows);

static const struct config_row cpus_rows[] = {
	{"topology", NULL, NULL, &topology},
	{"kvm_hyperv", ONLY_NO, NO, NULL},
	{"max_phys_bits", "int", "46", NULL},
	{"affinity", EMPTY, NULL, NULL},
	{"features", NULL, NULL, &features},
	{"nested", "bool", "true", NULL},
	{"core_scheduling", "[\"Vm\", \"Off\"]", "\"Off\"", NULL},
	{"profile", "[\"Host\"]", "\"Host\"", NULL},
};
static const struct config_rows cpus = SECTION("cpus", cpus_rows);

static const struct config_row memory_rows[] = {
	{"mergeable", ONLY_NO, NO, NULL},
	{"shared", "bool", NO, NULL},
	{"hugepages", ONLY_NO, NO, NULL},
	{"hugepage_size", NONE, NULL, NULL},
	{"prefault", ONLY_NO, NO, NULL},
	{"reserve", ONLY_NO, NO, NULL},
	{"zones", EMPTY, NULL, NULL},
	{"thp", "bool", "true", NULL},
};
static const struct config_rows memory = SECTION("memory", memory_rows);

static const struct config_row payload_rows[] = {
	{"igvm", NONE, NULL, NULL},
	{"fw_cfg_config", NONE, NULL, NULL},
};
static const struct config_rows payload = SECTION("payload", payload_rows);

static const struct config_row rng_rows[] = {IOMMU_ROW, {"id", NONE, NULL, NULL}};
static const struct config_rows rng = SECTION("rng", rng_rows);

static const struct config_row stream_rows[] = {IOMMU_ROW};
static const struct config_rows serial = SECTION("serial", stream_rows);
static const struct config_rows console = SECTION("console", stream_rows);

static const struct config_row vsock_rows[] = {
	IOMMU_ROW,
	{"pci_segment", "[0]", "0", NULL},
	{"pci_device_id", NONE, NULL, NULL},
};
const struct config_rows config_rows_vsock = SECTION("vsock", vsock_rows, .absent = true);

/* The level itself is in the section `confidential`; these two are cloud-hypervisor's way to ask.
 */
static const struct config_row platform_rows[] = {
	{"num_pci_segments", "int", "1", NULL}, /* further segments stay empty */
	{"iommu_segments", EMPTY, NULL, NULL},
	{"iommu_address_width_bits", "int", NULL, NULL},
	{"tdx", "bool", NO, NULL},
	{"sev_snp", "bool", NO, NULL},
	{"iommufd", ONLY_NO, NULL, NULL},
	{"iommufd_fd", "[-1]", NULL, NULL},
	{"vfio_p2p_dma", "bool", NULL, NULL},
	{"serial_number", NONE, NULL, NULL},
	{"system_serial_number", NONE, NULL, NULL},
	{"uuid", NONE, NULL, NULL},
	{"system_uuid", NONE, NULL, NULL},
	{"oem_strings", EMPTY, NULL, NULL},
	{"system_manufacturer", NONE, NULL, NULL},
	{"system_product_name", NONE, NULL, NULL},
	{"system_version", NONE, NULL, NULL},
	{"system_family", NONE, NULL, NULL},
	{"system_sku_number", NONE, NULL, NULL},
	{"chassis_asset_tag", NONE, NULL, NULL},
};
static const struct config_rows platform = SECTION(NULL, platform_rows, .strict = true);
static const struct config_rows confidential = {.keyval = "confidential", .strict = true};
static const struct config_rows sandbox = {.keyval = "sandbox"};

static const struct config_rows balloon = {.keyval = "balloon", .absent = true};

static const struct config_row debug_rows[] = {
	{"mode", "[\"Off\"]", "\"Off\"", NULL},
	{"iobase", "int", NULL, NULL},
	{"file", NONE, NULL, NULL},
};
static const struct config_rows debug_console = SECTION(NULL, debug_rows, .absent = true);

static const struct config_rows disk_bandwidth = {.keyval = "disk-bandwidth"};
static const struct config_rows disk_ops = {.keyval = "disk-ops"};
static const struct config_row disk_limiter_rows[] = {
	{"bandwidth", NULL, NULL, &disk_bandwidth},
	{"ops", NULL, NULL, &disk_ops},
};
static const struct config_rows disk_limiter = SECTION(NULL, disk_limiter_rows, .absent = true);

static const struct config_row disk_rows[] = {
	IOMMU_ROW,
	{"rate_limit_group", NONE, NULL, NULL},
	{"rate_limiter_config", NULL, NULL, &disk_limiter},
	{"queue_affinity", EMPTY, NULL, NULL},
	{"disable_io_uring", ONLY_NO, NO, NULL},
	{"disable_aio", "bool", NO, NULL},
	{"pci_segment", "[0]", "0", NULL},
	{"pci_device_id", NONE, NULL, NULL},
	{"backing_files", ONLY_NO, NO, NULL},
	{"sparse", "bool", "true", NULL},
	{"image_type", "[\"Raw\", \"Unknown\"]", "\"Raw\"", NULL},
	{"fds", CONFIG_ROW_FDS, NULL, NULL},
	{"lock_granularity", "[\"Full\", \"ByteRange\"]", "\"Full\"", NULL},
};
const struct config_rows config_rows_disk = SECTION("disk", disk_rows);

static const struct config_rows net_bandwidth = {.keyval = "net-bandwidth"};
static const struct config_rows net_ops = {.keyval = "net-ops"};
static const struct config_row net_limiter_rows[] = {
	{"bandwidth", NULL, NULL, &net_bandwidth},
	{"ops", NULL, NULL, &net_ops},
};
static const struct config_rows net_limiter = SECTION(NULL, net_limiter_rows, .absent = true);

static const struct config_row net_rows[] = {
	IOMMU_ROW,
	{"ip", "string", "\"0.0.0.0\"",
		NULL}, /* clients want to see one, also where there is none */
	{"mask", "string", "\"0.0.0.0\"", NULL},
	{"vhost_mode", "[\"Client\"]", "\"Client\"", NULL},
	{"rate_limiter_config", NULL, NULL, &net_limiter},
	{"pci_segment", "[0]", "0", NULL},
	{"pci_device_id", NONE, NULL, NULL},
	{"fds", CONFIG_ROW_FDS, NULL, NULL},
};
const struct config_rows config_rows_net = SECTION("net", net_rows);

static const struct config_row fs_rows[] = {
	IOMMU_ROW,
	{"pci_segment", "[0, 1]", "0", NULL}, /* all are on segment 0 */
	{"pci_device_id", NONE, NULL, NULL},
};
const struct config_rows config_rows_fs = SECTION("fs", fs_rows);

static const struct config_row top_rows[] = {
	{"cpus", NULL, NULL, &cpus},
	{"memory", NULL, NULL, &memory},
	{"payload", NULL, NULL, &payload},
	{"rng", NULL, NULL, &rng},
	{"serial", NULL, NULL, &serial},
	{"console", NULL, NULL, &console},
	{"platform", NULL, NULL, &platform},
	{"confidential", NULL, NULL, &confidential},
	{"sandbox", NULL, NULL, &sandbox},
	{"balloon", NULL, NULL, &balloon},
	{"debug_console", NULL, NULL, &debug_console},
	{"rate_limit_groups", EMPTY, NULL, NULL},
	{"pmem", EMPTY, NULL, NULL},
	{"generic_vhost_user", EMPTY, NULL, NULL},
	{"devices", EMPTY, NULL, NULL},
	{"user_devices", EMPTY, NULL, NULL},
	{"vdpa", EMPTY, NULL, NULL},
	{"vsock", NULL, NULL, &config_rows_vsock},
	{"ivshmem", NONE, NULL, NULL},
	{"rtc", NONE, NULL, NULL},
	{"tpm", NONE, NULL, NULL},
	{"numa", EMPTY, NULL, NULL},
	{"pci_segments", EMPTY, NULL, NULL},
	{"iommu", ONLY_NO, NO, NULL},
	{"watchdog", ONLY_NO, NO, NULL},
	{"pvpanic", ONLY_NO, NO, NULL},
	{"gdb", ONLY_NO, NULL, NULL},
	{"landlock_enable", ONLY_NO, NO, NULL},
	{"landlock_rules", EMPTY, NULL, NULL},
};
const struct config_rows config_rows_top = SECTION(NULL, top_rows);
