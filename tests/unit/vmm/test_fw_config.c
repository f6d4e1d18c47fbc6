/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/fw_config.h"

#include "base/bytes.h"
#include "devices/front/bus.h"
#include "devices/front/fw_cfg.h"
#include "memory/ledger.h"
#include "memory/ram.h"
#include "tests/unit/unit.h"
#include "vmm/config.h"
#include "vmm/x86/acpi_loader.h"
#include "vmm/x86/map.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SECTORS 2 /* of real-mode code, after the boot sector */
#define LEN     4000

struct fixture {
	struct bus *bus;
	struct ram ram;
	struct ledger *ledger;
	struct vm_config config;
	struct fw_config *fw;
	char kernel[32], initrd[32];
	uint8_t image[LEN];
};

static void put(char *path, const char *template, const void *data, size_t len)
{
	int fd;

	strcpy(path, template);
	fd = mkstemp(path);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static int setup(void **state)
{
	static struct fixture f;
	struct ram_desc desc = {.guest_memfd = -1};
	struct guest_io io = {&f.ram, NULL};
	struct err e = ERR_INIT;

	memset(&f, 0, sizeof(f));
	assert_int_equal(layout_init(&desc.layout, GIB(4), &e), 0);
	assert_int_equal(ram_init(&f.ram, &desc, &e), 0);
	assert_int_equal(ledger_create(&f.ledger, &f.ram.layout, true, 0, &e), 0);
	io.ledger = f.ledger;
	assert_int_equal(bus_create(&f.bus, &e), 0);
	for (size_t i = 0; i < LEN; i++)
		f.image[i] = (uint8_t)(i * 7);
	memcpy(f.image, "MZ", 2);
	memcpy(f.image + 0x1fe, "\x55\xaa", 2);
	memcpy(f.image + 0x202, "HdrS", 4);
	f.image[0x1f1] = SECTORS;
	put(f.kernel, "/tmp/test-fw-kernel-XXXXXX", f.image, LEN);
	put(f.initrd, "/tmp/test-fw-initrd-XXXXXX", "initrd", 6);
	config_init(&f.config);
	f.config.cpus.boot = 3;
	f.config.payload.kernel = strdup(f.kernel);
	f.config.payload.initramfs = strdup(f.initrd);
	f.config.payload.cmdline = strdup("a b");
	assert_int_equal(fw_config_create(&f.fw, f.bus, &io, &f.config, &e), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fw_config_destroy(f->fw);
	config_fini(&f->config);
	bus_destroy(f->bus);
	ledger_destroy(f->ledger);
	ram_fini(&f->ram);
	unlink(f->kernel);
	unlink(f->initrd);
	return 0;
}

static void take(struct fixture *f, uint16_t key, void *to, size_t n)
{
	bus_write(f->bus, BUS_PORT, MAP_PORT_FW_CFG, &key, 2);
	for (size_t i = 0; i < n; i++)
		bus_read(f->bus, BUS_PORT, MAP_PORT_FW_CFG + 1, (uint8_t *)to + i, 1);
}

static uint32_t number(struct fixture *f, uint16_t key, size_t len)
{
	uint32_t v = 0;

	take(f, key, &v, len);
	return v;
}

/* the file's key and length; 0 if there is none */
static uint16_t find(struct fixture *f, const char *name, uint32_t *len)
{
	uint8_t dir[4 + 16 * 64];

	take(f, FW_CFG_FILE_DIR, dir, sizeof(dir));
	for (uint32_t i = 0; i < __builtin_bswap32(load_le32(dir)); i++) {
		const uint8_t *entry = dir + 4 + 64 * i;

		*len = __builtin_bswap32(load_le32(entry));
		if (!strcmp((const char *)entry + 8, name))
			return __builtin_bswap16(load_le16(entry + 4));
	}
	return 0;
}

static void fw_config_gives_the_kernel_file_as_it_is(void **state)
{
	struct fixture *f = *state;
	uint32_t setup_len = number(f, FW_CFG_SETUP_SIZE, 4);
	uint32_t len = number(f, FW_CFG_KERNEL_SIZE, 4);
	uint8_t got[LEN];

	assert_int_equal(setup_len, 512 * (SECTORS + 1));
	assert_int_equal(setup_len + len, LEN);
	take(f, FW_CFG_SETUP_DATA, got, setup_len);
	take(f, FW_CFG_KERNEL_DATA, got + setup_len, len);
	assert_memory_equal(got, f->image, LEN);
	assert_int_equal(number(f, FW_CFG_INITRD_SIZE, 4), 6);
	take(f, FW_CFG_INITRD_DATA, got, 6);
	assert_memory_equal(got, "initrd", 6);
	assert_int_equal(number(f, FW_CFG_CMDLINE_SIZE, 4), 4);
	take(f, FW_CFG_CMDLINE_DATA, got, 4);
	assert_memory_equal(got, "a b", 4);
	assert_int_equal(number(f, FW_CFG_N_CPUS, 2), 3);
	assert_int_equal(number(f, FW_CFG_MAX_CPUS, 2), 3);
}

static void fw_config_lists_ram_and_tables(void **state)
{
	struct fixture *f = *state;
	uint8_t map[2 * 20];
	uint32_t len = 0;
	uint16_t key = find(f, "etc/e820", &len);

	assert_int_not_equal(key, 0);
	assert_int_equal(len, sizeof(map));
	take(f, key, map, sizeof(map));
	assert_int_equal(load_le64(map), 0);
	assert_int_equal(load_le64(map + 8), GIB(3));
	assert_int_equal(load_le32(map + 16), 1);
	assert_int_equal(load_le64(map + 20), GIB(4));
	assert_int_equal(load_le64(map + 28), GIB(1));
	assert_int_not_equal(find(f, ACPI_LOADER_RSDP, &len), 0);
	assert_int_equal(len, 36);
	assert_int_not_equal(find(f, ACPI_LOADER_TABLES, &len), 0);
	assert_int_not_equal(find(f, ACPI_LOADER_SCRIPT, &len), 0);
	assert_int_equal(len % ACPI_LOADER_COMMAND, 0);
	assert_int_equal(find(f, "etc/none", &len), 0);
}

static void fw_config_names_the_flag_when_a_file_is_missing(void **state)
{
	struct fixture *f = *state;
	struct guest_io io = {&f->ram, f->ledger};
	struct fw_config *other;
	struct err e = ERR_INIT;

	fw_config_destroy(f->fw);
	f->fw = NULL;
	unlink(f->initrd);
	assert_int_equal(fw_config_create(&other, f->bus, &io, &f->config, &e), -ENOENT);
	assert_non_null(strstr(e.text, "--initramfs"));
	assert_null(other);
	/* the ports are free again */
	free(f->config.payload.initramfs);
	f->config.payload.initramfs = NULL;
	assert_int_equal(fw_config_create(&f->fw, f->bus, &io, &f->config, &e), 0);
	assert_int_equal(number(f, FW_CFG_INITRD_SIZE, 4), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			fw_config_gives_the_kernel_file_as_it_is, setup, teardown),
		cmocka_unit_test_setup_teardown(fw_config_lists_ram_and_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(
			fw_config_names_the_flag_when_a_file_is_missing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
