/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates for a guest's report; see vmm/certs.h. */
#include "vmm/certs.h"

#include "base/file_map.h"
#include "base/guid.h"

#include <errno.h>
#include <string.h>

/* certs_check() - AMD 56421, table "CERT_TABLE": each entry lies in the file, behind the table */
static int certs_check(struct bytes file, struct err *e)
{
	static const uint8_t zeros[GUID_LEN];
	struct bytes table = file;
	unsigned int n = 0;

	for (;; n++) {
		uint8_t guid[GUID_LEN];
		uint32_t offset, len;
		struct bytes blob;

		bytes_copy(&table, guid, sizeof(guid));
		offset = bytes_u32(&table);
		len = bytes_u32(&table);
		if (table.failed)
			return err_set(e, EINVAL, "its table of certificates has no end");
		if (!memcmp(guid, zeros, sizeof(guid)) && !offset && !len)
			break;
		blob = bytes_slice(&file, offset, len);
		if (blob.failed)
			return err_set(e, EINVAL,
				"certificate %u: %u bytes at %u are not in the file of %zu", n, len,
				offset, file.left);
	}
	return n ? 0 : err_set(e, EINVAL, "its table of certificates is empty");
}

int certs_init(struct certs *c, const char *path, struct err *e)
{
	cleanup_file_map struct file_map map = FILE_MAP_INIT;
	int rc = file_map_open(&map, path, e);

	*c = (struct certs){.table = NULL};
	if (!rc && map.len > CERTS_MAX_LEN)
		rc = err_set(e, EINVAL, "%zu bytes, at most %llu are allowed", map.len,
			(unsigned long long)CERTS_MAX_LEN);
	if (!rc)
		rc = certs_check(file_map_bytes(&map), e);
	if (rc)
		return err_context(e, "--confidential: certs: '%s'", path);
	c->len = align_up(map.len, PAGE_SIZE);
	c->table = calloc(1, c->len);
	if (!c->table)
		return err_sys(e, ENOMEM, "certificates");
	memcpy(c->table, map.data, map.len);
	return 0;
}

void certs_fini(struct certs *c)
{
	free(c->table);
	c->table = NULL;
}

uint64_t certs_pages(const struct certs *c)
{
	return c->len >> PAGE_SHIFT;
}

int certs_give(const struct certs *c, gpa_t gpa, uint64_t pages)
{
	if (pages < certs_pages(c))
		return -ENOSPC;
	return guest_io_write(&c->io, gpa, c->table, c->len);
}
