/* SPDX-License-Identifier: Apache-2.0 */
/* OVMF's tables as JSON; see vmm/cli/metadata.h. */
#include "vmm/cli/metadata.h"

#include "base/file_map.h"
#include "vmm/load/ovmf.h"
#include "vmm/load/sev_hashes.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#define METADATA_MAX (1u << 20) /* bytes */

/* metadata_number() - read a number of 0 to UINT32_MAX. Return: 0 or -EINVAL. */
static int metadata_number(const json_t *object, const char *key, uint32_t *out, struct err *e)
{
	const json_t *v = json_object_get(object, key);

	if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > UINT32_MAX)
		return err_set(e, EINVAL, "'%s' must be a number of 0 to 0xffffffff", key);
	*out = (uint32_t)json_integer_value(v);
	return 0;
}

static int metadata_section(struct ovmf *fw, const json_t *section, struct err *e)
{
	uint32_t gpa, size, type;
	int ret = metadata_number(section, "gpa", &gpa, e);

	if (!ret)
		ret = metadata_number(section, "size", &size, e);
	if (!ret)
		ret = metadata_number(section, "section_type", &type, e);
	return ret ? ret : ovmf_add_section(fw, gpa, size, type, e);
}

static int metadata_root(struct ovmf *fw, const json_t *root, struct err *e)
{
	const json_t *sections = json_object_get(root, "sections");
	int ret = 0;

	if (!json_is_array(sections))
		return err_set(e, EINVAL, "'sections' must be a list");
	for (size_t i = 0; !ret && i < json_array_size(sections); i++)
		ret = metadata_section(fw, json_array_get(sections, i), e);
	if (!ret)
		ret = metadata_number(root, "sev_hashes_table_gpa", &fw->hashes_gpa, e);
	if (!ret)
		ret = metadata_number(root, "sev_es_reset_eip", &fw->reset_eip, e);
	fw->hashes_size = SEV_HASHES_TABLE; /* the file does not say; the page's end is checked */
	fw->has_reset = true;
	return ret;
}

int metadata_read(struct ovmf *fw, const char *path, struct err *e)
{
	cleanup_file_map struct file_map map = FILE_MAP_INIT;
	int ret = file_map_open(&map, path, e);
	json_error_t why;
	json_t *root;

	if (ret)
		return ret;
	if (map.len > METADATA_MAX)
		return err_set(e, EINVAL, "%s: %zu bytes are too many", path, map.len);
	memset(fw, 0, sizeof(*fw));
	fw->file = bytes_of("", 0);
	root = json_loadb((const char *)map.data, map.len, JSON_REJECT_DUPLICATES, &why);
	if (!root)
		return err_set(e, EINVAL, "%s: line %d: %s", path, why.line, why.text);
	ret = metadata_root(fw, root, e);
	json_decref(root);
	return ret ? err_context(e, "%s", path) : 0;
}
