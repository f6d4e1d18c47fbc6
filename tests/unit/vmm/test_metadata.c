/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"
#include "vmm/cli/metadata.h"
#include "vmm/load/ovmf.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static struct ovmf fw;

static int read_text(const char *text, struct err *e)
{
	char path[64];
	FILE *f;
	int ret;

	snprintf(path, sizeof(path), "metadata.%d.json", (int)getpid());
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	ret = metadata_read(&fw, path, e);
	unlink(path);
	return ret;
}

static void metadata_reads_sections_in_order(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(
		read_text(
			"{\"sections\":[{\"gpa\":8454144,\"size\":4096,\"section_type\":16},"
			"{\"gpa\":0,\"size\":0,\"section_type\":4},"
			"{\"gpa\":8388608,\"size\":8192,\"section_type\":1}],"
			"\"sev_hashes_table_gpa\":8457216,\"sev_es_reset_eip\":8433668,\"more\":1}",
			&e),
		0);
	assert_int_equal(fw.n_sections, 2);
	assert_int_equal(fw.sections[0].gpa.v, 0x810000);
	assert_int_equal(fw.sections[1].size, 0x2000);
	assert_int_equal(fw.hashes_gpa, 0x810c00);
	assert_int_equal(fw.reset_eip, 0x80b004);
	assert_true(fw.has_reset);
}

static void metadata_refuses_malformed_files(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{",
		"{}",
		"{\"sections\":{},\"sev_hashes_table_gpa\":0,\"sev_es_reset_eip\":0}",
		"{\"sections\":[],\"sev_es_reset_eip\":0}",
		"{\"sections\":[],\"sev_hashes_table_gpa\":0}",
		"{\"sections\":[],\"sev_hashes_table_gpa\":-1,\"sev_es_reset_eip\":0}",
		"{\"sections\":[],\"sev_hashes_table_gpa\":4294967296,\"sev_es_reset_eip\":0}",
		"{\"sections\":[],\"sev_hashes_table_gpa\":\"0\",\"sev_es_reset_eip\":0}",
		"{\"sections\":[],\"sections\":[],\"sev_hashes_table_gpa\":0,\"sev_es_reset_eip\":0}",
		"{\"sections\":[1],\"sev_hashes_table_gpa\":0,\"sev_es_reset_eip\":0}",
		"{\"sections\":[{\"gpa\":1,\"size\":4096,\"section_type\":1}],"
		"\"sev_hashes_table_gpa\":0,\"sev_es_reset_eip\":0}",
		"{\"sections\":[{\"gpa\":0,\"size\":4096}],"
		"\"sev_hashes_table_gpa\":0,\"sev_es_reset_eip\":0}",
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (read_text(bad[i], &e) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	assert_int_equal(metadata_read(&fw, "no/such.json", &e), -ENOENT);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(metadata_reads_sections_in_order),
	cmocka_unit_test(metadata_refuses_malformed_files),
};
UNIT_MAIN(tests)
