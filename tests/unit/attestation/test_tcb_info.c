/* SPDX-License-Identifier: Apache-2.0 */
/* The TCB info and the QE identity, whose levels are alike: one fault at a time. */
#include "attestation/tcb_info.h"

#include "attestation/qe_identity.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#define DATE    "\"tcbDate\":\"2024-01-01T00:00:00Z\""
#define ZEROS24 "000000000000000000000000000000000000000000000000"
#define SVN4    "{\"svn\":1},{\"svn\":2},{\"svn\":3},{\"svn\":4}"
#define SVN16   SVN4 "," SVN4 "," SVN4 "," SVN4
#define LEVEL(pce, status)                                                                         \
	"{\"tcb\":{\"sgxtcbcomponents\":[" SVN16 "],\"tdxtcbcomponents\":[" SVN16                  \
	"],\"pcesvn\":" pce "}," DATE ",\"tcbStatus\":\"" status "\"}"
#define MODULE                                                                                     \
	"\"mrsigner\":\"" ZEROS24 ZEROS24 "\",\"attributes\":\"0000000000000000\","                \
	"\"attributesMask\":\"FFFFFFFFFFFFFFFF\""
#define SVN_LEVELS "\"tcbLevels\":[{\"tcb\":{\"isvsvn\":4}," DATE ",\"tcbStatus\":\"UpToDate\"}]"

static const char tcb_info[] =
	"{\"id\":\"TDX\",\"version\":3,\"tcbType\":0,\"fmspc\":\"AABBCC000001\","
	"\"pceId\":\"0000\",\"tcbEvaluationDataNumber\":17,\"tdxModule\":{" MODULE "},"
	"\"tdxModuleIdentities\":[{\"id\":\"TDX_01\"," MODULE "," SVN_LEVELS "},"
	"{\"id\":\"tdx_fe\"," MODULE "," SVN_LEVELS "}],"
	"\"tcbLevels\":[" LEVEL("5", "OutOfDate") "," LEVEL("9", "UpToDate") "]}";

static const char qe_identity[] =
	"{\"id\":\"TD_QE\",\"version\":2,\"tcbEvaluationDataNumber\":18,"
	"\"miscselect\":\"00000000\",\"miscselectMask\":\"FFFFFFFF\","
	"\"attributes\":\"11000000000000000000000000000000\","
	"\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\",\"mrsigner\":\"" ZEROS24
	"0000000000000001\",\"isvprodid\":2," SVN_LEVELS "}";

/* replace() - the document with the first `what` replaced. Return: a new object. */
static json_t *replace(const char *document, const char *what, const char *with)
{
	const char *at = strstr(document, what);
	json_t *o;
	char *text;

	assert_non_null(at);
	assert_true(asprintf(&text, "%.*s%s%s", (int)(at - document), document, with,
			    at + strlen(what)) > 0);
	o = json_loads(text, 0, NULL);
	if (!o)
		fail_msg("not JSON: %s", text);
	free(text);
	return o;
}

static void tcb_info_reads_a_sound_document(void **state)
{
	static struct tcb_info info;
	json_t *o = replace(tcb_info, "{", "{");
	struct err e;

	(void)state;
	assert_int_equal(tcb_info_parse(&info, o, &e), 0);
	assert_int_equal(info.evaluation_number, 17);
	assert_memory_equal(info.fmspc, ((uint8_t[]){0xaa, 0xbb, 0xcc, 0, 0, 1}), 6);
	assert_int_equal(info.n_levels, 2);
	assert_int_equal(info.levels[0].pcesvn, 9); /* newest first */
	assert_int_equal(info.levels[0].status, TCB_UP_TO_DATE);
	assert_int_equal(info.levels[0].sgx[15], 4);
	assert_int_equal(info.levels[1].tdx[2], 3);
	assert_ptr_equal(tcb_info_module(&info, 0), &info.modules[0]);
	assert_ptr_equal(tcb_info_module(&info, 1), &info.modules[1]);
	assert_ptr_equal(tcb_info_module(&info, 0xfe), &info.modules[2]);
	assert_null(tcb_info_module(&info, 2));
	assert_null(tcb_svn_levels_find(&info.modules[1].levels, 3));
	assert_int_equal(tcb_svn_levels_find(&info.modules[1].levels, 5)->status, TCB_UP_TO_DATE);
	json_decref(o);
}

static void tcb_info_refuses_faults(void **state)
{
	static const char *const rows[][3] = {
		{"\"TDX\"", "\"SGX\"", "something else"},
		{"\"TDX\"", "5", "'id'"},
		{"\"version\":3", "\"version\":2", "version 2"},
		{"\"version\":3", "\"version\":4", "version 4"},
		{"\"tcbType\":0", "\"tcbType\":1", "'tcbType'"},
		{"AABBCC000001", "AABBCC0000", "'fmspc'"},
		{"AABBCC000001", "AABBCC00000g", "'fmspc'"},
		{"\"pceId\":\"0000\",", "", "'pceId'"},
		{"17", "-1", "'tcbEvaluationDataNumber'"},
		{"17", "17.0", "'tcbEvaluationDataNumber'"},
		{"17", "4294967296", "'tcbEvaluationDataNumber'"},
		{"\"tdxModule\":", "\"module\":", "'tdxModule'"},
		{"\"attributesMask\":\"FF", "\"attributesMask\":\"F", "'attributesMask'"},
		{"TDX_01", "TDX_1", "'id'"},
		{"TDX_01", "TDX_00", "'id'"},
		{"TDX_01", "TDX_FE", "two TDX modules"},
		{"\"isvsvn\":4", "\"isvsvn\":65536", "'isvsvn'"},
		{"\"UpToDate\"}]},", "\"SWHardeningNeeded\"}]},", "status"},
		{"2024-01-01T", "2024-13-01T", "'tcbDate'"},
		{"2024-01-01T00:00:00Z", "2024-01-01 00:00:00Z", "'tcbDate'"},
		{"\"OutOfDate\"", "\"OutOfDate\",\"advisoryIDs\":\"SA\"", "not a list"},
		{"\"OutOfDate\"", "\"OutOfDate\",\"advisoryIDs\":[1]", "than text"},
		{"\"OutOfDate\"", "\"Obsolete\"", "status"},
		{"\"OutOfDate\"", "\"TDRelaunchAdvised\"", "status"},
		{"\"sgxtcbcomponents\":[{\"svn\":1},", "\"sgxtcbcomponents\":[", "components"},
		{"\"sgxtcbcomponents\":[", "\"sgxtcbcomponents\":[{\"svn\":1},", "1 to 16"},
		{"\"sgxtcbcomponents\":[{\"svn\":1}", "\"sgxtcbcomponents\":[{\"svn\":256}",
			"'svn'"},
		{"\"tdxtcbcomponents\":[{\"svn\":1}", "\"tdxtcbcomponents\":[1", "'svn'"},
		{"\"pcesvn\":5", "\"pcesvn\":9", "two TCB levels"},
		{"\"tcbLevels\":[{\"tcb\":{\"sgx", "\"tcbLevels\":[{\"tcb\":[],\"no\":{\"sgx",
			"'tcb'"},
	};
	static struct tcb_info info;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *o = replace(tcb_info, rows[i][0], rows[i][1]);
		struct err e = ERR_INIT;
		int ret = tcb_info_parse(&info, o, &e);

		if (ret != -EINVAL || !strstr(e.text, rows[i][2]))
			fail_msg("row %zu: %d '%s'", i, ret, e.text);
		json_decref(o);
	}
}

static void qe_identity_refuses_faults(void **state)
{
	static const char *const rows[][3] = {
		{"TD_QE", "QE", "another enclave"},
		{"\"version\":2", "\"version\":3", "version 3"},
		{"\"miscselect\":\"00", "\"miscselect\":\"", "'miscselect'"},
		{"miscselectMask", "Mask", "'miscselectMask'"},
		{"\"11000000", "\"1100", "'attributes'"},
		{"\"FBFF", "\"FFFBFF", "'attributesMask'"},
		{"\"mrsigner\":\"00", "\"mrsigner\":\"", "'mrsigner'"},
		{"\"isvprodid\":2", "\"isvprodid\":65536", "'isvprodid'"},
		{"18", "\"18\"", "'tcbEvaluationDataNumber'"},
		{"\"tcbLevels\":[", "\"tcbLevels\":[],\"more\":[", "'tcbLevels'"},
		{"\"UpToDate\"", "\"Up\"", "status"},
	};
	static struct qe_identity id;
	struct err e = ERR_INIT;
	json_t *o = replace(qe_identity, "{", "{");

	(void)state;
	assert_int_equal(qe_identity_parse(&id, o, &e), 0);
	json_decref(o);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int ret;

		o = replace(qe_identity, rows[i][0], rows[i][1]);
		ret = qe_identity_parse(&id, o, &e);
		if (ret != -EINVAL || !strstr(e.text, rows[i][2]))
			fail_msg("row %zu: %d '%s'", i, ret, e.text);
		json_decref(o);
	}
}

static void qe_identity_compares_the_report(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *reason; /* NULL: accepted */
	} rows[] = {
		{0, 0xff, NULL},             /* CPUSVN does not count */
		{16, 1, "MISCSELECT"},       /* mask FF */
		{48, 0x15, NULL},            /* outside of the mask */
		{48, 0x13, "ATTRIBUTES"},    /* DEBUG */
		{56, 0xff, NULL},            /* XFRM: mask 0 */
		{64, 1, NULL},               /* MRENCLAVE changes with versions */
		{128 + 31, 2, "MRSIGNER"},   /**/
		{256, 1, "ISVPRODID"},       /**/
		{257, 1, "ISVPRODID"},       /**/
		{258, 3, "below every TCB"}, /* ISVSVN */
		{259, 1, NULL},              /* 0x104 */
	};
	static struct qe_identity id;
	const struct tcb_svn_level *level;
	struct err e = ERR_INIT;
	json_t *o = replace(qe_identity, "{", "{");

	(void)state;
	assert_int_equal(qe_identity_parse(&id, o, &e), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t report[384] = {[48] = 0x11, [128 + 31] = 1, [256] = 2, [258] = 4};
		int ret;

		report[rows[i].at] = rows[i].value;
		ret = qe_identity_check(&id, report, &level, &e);
		if (rows[i].reason ? ret != -EBADMSG || !strstr(e.text, rows[i].reason) : ret)
			fail_msg("row %zu: %d '%s'", i, ret, e.text);
	}
	json_decref(o);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(tcb_info_reads_a_sound_document),
	cmocka_unit_test(tcb_info_refuses_faults),
	cmocka_unit_test(qe_identity_refuses_faults),
	cmocka_unit_test(qe_identity_compares_the_report),
};
UNIT_MAIN(tests)
