/* SPDX-License-Identifier: Apache-2.0 */
/* TCB info; see attestation/tcb_info.h. Member names: PCS API v4, "TCB Info V3". */
#include "attestation/tcb_info.h"

#include "attestation/json_field.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SVN_MAX 65535

/* read_status() - "tcbStatus", "tcbDate" and "advisoryIDs" of a level. */
static int read_status(const json_t *o, unsigned int allowed, enum tcb_status *status,
	const json_t **advisories, struct err *e)
{
	const json_t *list = json_object_get(o, "advisoryIDs");
	const char *text;
	int64_t date;
	int ret = json_field_text(o, "tcbStatus", &text, e)
		?: json_field_date(o, "tcbDate", &date, e);

	if (ret)
		return ret;
	if (!tcb_status_parse(text, status) || !(allowed & TCB_SET(*status)))
		return err_set(e, EINVAL, "'tcbStatus' is not a status that may stand here");
	if (list && !json_is_array(list))
		return err_set(e, EINVAL, "'advisoryIDs' is not a list");
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!json_is_string(json_array_get(list, i)))
			return err_set(e, EINVAL, "'advisoryIDs' holds something else than text");
	*advisories = list;
	return 0;
}

/* read_components() - 16 objects with an "svn" each. */
static int read_components(
	const json_t *tcb, const char *name, uint8_t out[TCB_COMPONENTS], struct err *e)
{
	const json_t *list;
	int ret = json_field_list(tcb, name, TCB_COMPONENTS, &list, e);

	if (!ret && json_array_size(list) != TCB_COMPONENTS)
		ret = err_set(e, EINVAL, "'%s' does not have %d components", name, TCB_COMPONENTS);

	for (size_t i = 0; !ret && i < TCB_COMPONENTS; i++) {
		uint32_t svn = 0;

		ret = json_field_uint(json_array_get(list, i), "svn", UINT8_MAX, &svn, e);
		out[i] = (uint8_t)svn;
	}
	return ret;
}

static int read_level(struct tcb_level *l, const json_t *o, struct err *e)
{
	const json_t *tcb;

	return json_field_object(o, "tcb", &tcb, e)
		?: read_components(tcb, "sgxtcbcomponents", l->sgx, e)
		?: read_components(tcb, "tdxtcbcomponents", l->tdx, e)
		?: json_field_uint(tcb, "pcesvn", SVN_MAX, &l->pcesvn, e)
		?: read_status(o, TCB_SET_LEVEL, &l->status, &l->advisories, e);
}

/* level_order() - for qsort: newest first. */
static int level_order(const void *a, const void *b)
{
	const struct tcb_level *x = a, *y = b;
	int order = memcmp(y->sgx, x->sgx, TCB_COMPONENTS);

	if (!order)
		order = (y->pcesvn > x->pcesvn) - (y->pcesvn < x->pcesvn);
	return order ?: memcmp(y->tdx, x->tdx, TCB_COMPONENTS);
}

static int read_levels(struct tcb_info *info, const json_t *body, struct err *e)
{
	const json_t *list;
	int ret = json_field_list(body, "tcbLevels", TCB_LEVELS_MAX, &list, e);

	if (ret)
		return ret;
	for (size_t i = 0; i < json_array_size(list); i++) {
		ret = read_level(&info->levels[i], json_array_get(list, i), e);
		if (ret)
			return err_context(e, "TCB level %zu", i);
	}
	info->n_levels = (unsigned int)json_array_size(list);
	qsort(info->levels, info->n_levels, sizeof(info->levels[0]), level_order);
	for (unsigned int i = 1; i < info->n_levels; i++)
		if (!level_order(&info->levels[i - 1], &info->levels[i]))
			return err_set(e, EINVAL, "two TCB levels are equal");
	return 0;
}

/* svn_levels_insert() - keep newest first, whatever the order of the list; of equals the first. */
static void svn_levels_insert(struct tcb_svn_levels *l, const struct tcb_svn_level *level)
{
	unsigned int at = l->n++;

	for (; at && l->at[at - 1].isvsvn < level->isvsvn; at--)
		l->at[at] = l->at[at - 1];
	l->at[at] = *level;
}

int tcb_svn_levels_parse(
	struct tcb_svn_levels *l, const json_t *o, unsigned int allowed, struct err *e)
{
	const json_t *list, *tcb;
	int ret = json_field_list(o, "tcbLevels", TCB_SVN_LEVELS_MAX, &list, e);

	l->n = 0;
	for (size_t i = 0; !ret && i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		struct tcb_svn_level level;

		ret = json_field_object(one, "tcb", &tcb, e)
			?: json_field_uint(tcb, "isvsvn", SVN_MAX, &level.isvsvn, e)
			?: read_status(one, allowed, &level.status, &level.advisories, e);
		if (!ret)
			svn_levels_insert(l, &level);
	}
	return ret;
}

const struct tcb_svn_level *tcb_svn_levels_find(const struct tcb_svn_levels *l, uint32_t svn)
{
	for (unsigned int i = 0; i < l->n; i++)
		if (svn >= l->at[i].isvsvn)
			return &l->at[i];
	return NULL;
}

static int read_module(struct tcb_module *m, const json_t *o, struct err *e)
{
	uint8_t mask[sizeof(m->attributes)];

	return json_field_hex(o, "mrsigner", m->mrsigner, sizeof(m->mrsigner), e)
		?: json_field_hex(o, "attributes", m->attributes, sizeof(m->attributes), e)
		?: json_field_hex(o, "attributesMask", mask, sizeof(mask), e);
}

/* read_module_id() - "TDX_01": two hex digits, in either case, and not zero. */
static int read_module_id(struct tcb_module *m, const json_t *o, struct err *e)
{
	const char *id, *hex = "0123456789ABCDEF";
	char text[16];
	int ret = json_field_text(o, "id", &id, e);

	if (ret)
		return ret;
	for (int v = 1; v <= UINT8_MAX; v++) {
		snprintf(text, sizeof(text), "TDX_%c%c", hex[v >> 4], hex[v & 15]);
		if (!strcasecmp(text, id)) {
			m->version = (uint8_t)v;
			return 0;
		}
	}
	return err_set(e, EINVAL, "'id' of a TDX module is not like TDX_01");
}

static int read_modules(struct tcb_info *info, const json_t *body, struct err *e)
{
	const json_t *list, *module;
	int ret = json_field_object(body, "tdxModule", &module, e)
		?: read_module(&info->modules[0], module, e);

	info->n_modules = 1;
	if (ret || !json_object_get(body, "tdxModuleIdentities"))
		return ret;
	ret = json_field_list(body, "tdxModuleIdentities", TCB_MODULES_MAX, &list, e);
	for (size_t i = 0; !ret && i < json_array_size(list); i++) {
		struct tcb_module *m = &info->modules[info->n_modules];

		module = json_array_get(list, i);
		ret = read_module_id(m, module, e) ?: read_module(m, module, e)
			?: tcb_svn_levels_parse(&m->levels, module, TCB_SET_MODULE, e);
		if (!ret && tcb_info_module(info, m->version))
			ret = err_set(e, EINVAL, "two TDX modules have one id");
		info->n_modules++;
	}
	return ret;
}

int tcb_info_parse(struct tcb_info *info, const json_t *body, struct err *e)
{
	uint32_t version, type;
	const char *id;
	int ret;

	memset(info, 0, sizeof(*info));
	ret = json_field_text(body, "id", &id, e);
	if (!ret && strcmp(id, "TDX") != 0)
		ret = err_set(e, EINVAL, "TCB info for something else than TDX");
	ret = ret ?: json_field_uint(body, "version", UINT32_MAX, &version, e);
	if (!ret && version != 3)
		ret = err_set(e, EINVAL, "TCB info of version %u, not 3", version);
	ret = ret ?: json_field_uint(body, "tcbType", 0, &type, e);
	return ret ?: json_field_hex(body, "fmspc", info->fmspc, sizeof(info->fmspc), e)
		?: json_field_hex(body, "pceId", info->pceid, sizeof(info->pceid), e)
		?: json_field_uint(body, "tcbEvaluationDataNumber", UINT32_MAX,
			&info->evaluation_number, e)
		?: read_modules(info, body, e)
		?: read_levels(info, body, e);
}

const struct tcb_module *tcb_info_module(const struct tcb_info *info, uint8_t version)
{
	for (unsigned int i = 0; i < info->n_modules; i++)
		if (info->modules[i].version == version)
			return &info->modules[i];
	return NULL;
}
