/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware configuration; see devices/front/fw_cfg.h. */
#include "devices/front/fw_cfg.h"

#include "base/bytes.h"
#include "base/num.h"
#include "devices/front/bus.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#define ID_PORTS 1u
#define ID_DMA   2u

/* Control word of a DMA request; the key of FW_DMA_SELECT is in its upper half. */
#define DMA_ERROR  1u
#define DMA_READ   2u
#define DMA_SKIP   4u
#define DMA_SELECT 8u
#define DMA_WRITE  16u

#define DMA_LEN 16 /* of a request: control, length, address, all big endian */

#define DIR_HEAD  4
#define DIR_ENTRY 64

struct fw_cfg_item {
	uint32_t key;
	const uint8_t *data;
	size_t len;
	uint8_t number[4]; /* where data points to for small ones */
};

struct fw_cfg {
	struct bus *bus;
	struct guest_io io;
	struct bus_region region;
	pthread_mutex_t lock; /* guards what a guest changes */
	uint16_t key;         /* selected */
	uint64_t at;          /* the next byte of it */
	uint8_t dma[8];       /* the address register, as written */
	struct fw_cfg_item items[FW_CFG_MAX_ITEMS];
	unsigned int n_items, n_files;
	uint8_t dir[DIR_HEAD + FW_CFG_MAX_ITEMS * DIR_ENTRY];
};

static uint32_t load_be32(const uint8_t *at)
{
	return __builtin_bswap32(load_le32(at));
}

static uint64_t load_be64(const uint8_t *at)
{
	return __builtin_bswap64(load_le64(at));
}

static void store_be32(uint8_t *at, uint32_t v)
{
	store_le32(at, __builtin_bswap32(v));
}

static const struct fw_cfg_item *item_of(const struct fw_cfg *f, uint32_t key)
{
	for (unsigned int i = 0; i < f->n_items; i++)
		if (f->items[i].key == key)
			return &f->items[i];
	return NULL;
}

/* item_rest() - Return: the selected item's bytes from f->at on, *len of them */
static const uint8_t *item_rest(const struct fw_cfg *f, size_t *len)
{
	const struct fw_cfg_item *item = item_of(f, f->key);

	*len = item && f->at < item->len ? item->len - (size_t)f->at : 0;
	return *len ? item->data + f->at : NULL;
}

static void item_select(struct fw_cfg *f, uint16_t key)
{
	f->key = key;
	f->at = 0;
}

static uint8_t item_byte(struct fw_cfg *f)
{
	size_t left;
	const uint8_t *at = item_rest(f, &left);

	f->at++;
	return left ? *at : 0;
}

/* dma_read() - the item's next bytes to the guest, zeros behind its end */
static int dma_read(struct fw_cfg *f, gpa_t to, uint32_t len)
{
	size_t left;
	const uint8_t *at = item_rest(f, &left);
	uint32_t n = (uint32_t)min_u64(left, len);
	int rc = guest_io_write(&f->io, to, at, n);

	if (!rc && len > n)
		rc = to.v + n < to.v ? -EFAULT : guest_io_fill(&f->io, gpa_of(to.v + n), len - n);
	return rc;
}

/* dma_request() - Return: the control word that answers it */
static uint32_t dma_request(struct fw_cfg *f, uint32_t control, uint32_t len, gpa_t gpa)
{
	int rc = 0;

	if (control & DMA_SELECT)
		item_select(f, (uint16_t)(control >> 16));
	if (control & DMA_READ)
		rc = dma_read(f, gpa, len);
	else if (control & DMA_WRITE)
		rc = -EROFS;
	if (control & (DMA_READ | DMA_SKIP | DMA_WRITE))
		f->at += len;
	return rc ? DMA_ERROR : 0;
}

/* dma_start() - a request that can't be read or answered is dropped: nothing of it is shared */
static void dma_start(struct fw_cfg *f)
{
	gpa_t at = gpa_of(load_be64(f->dma));
	uint8_t request[DMA_LEN], answer[4];

	memset(f->dma, 0, sizeof(f->dma));
	if (guest_io_read(&f->io, at, request, sizeof(request)))
		return;
	store_be32(answer,
		dma_request(f, load_be32(request), load_be32(request + 4),
			gpa_of(load_be64(request + 8))));
	if (guest_io_write(&f->io, at, answer, sizeof(answer)))
		return;
}

static uint64_t fw_cfg_read(void *ctx, uint64_t off, unsigned int len)
{
	struct fw_cfg *f = ctx;
	static const char magic[] = "QEMU CFG"; /* in the address register */
	uint64_t value = 0;

	if (off == FW_CFG_PORT_DATA && len == 1) {
		pthread_mutex_lock(&f->lock);
		value = item_byte(f);
		pthread_mutex_unlock(&f->lock);
		return value;
	}
	if (off >= FW_CFG_PORT_DMA)
		memcpy(&value, magic + (off - FW_CFG_PORT_DMA), len);
	return value;
}

static void fw_cfg_write(void *ctx, uint64_t off, unsigned int len, uint64_t value)
{
	struct fw_cfg *f = ctx;

	pthread_mutex_lock(&f->lock);
	if (off == FW_CFG_PORT_SELECT && len == 2)
		item_select(f, (uint16_t)value);
	if (off >= FW_CFG_PORT_DMA) {
		memcpy(f->dma + (off - FW_CFG_PORT_DMA), &value, len);
		if (off + len == FW_CFG_PORTS) /* its last byte starts the request */
			dma_start(f);
	}
	pthread_mutex_unlock(&f->lock);
}

static const struct bus_ops fw_cfg_ops = {.read = fw_cfg_read, .write = fw_cfg_write};

static int add(struct fw_cfg *f, uint32_t key, struct fw_cfg_item **out, struct err *e)
{
	if (item_of(f, key))
		return err_set(e, EEXIST, "fw_cfg: item %#x is there already", key);
	if (f->n_items == FW_CFG_MAX_ITEMS)
		return err_set(e, ENOSPC, "fw_cfg: more than %u items", FW_CFG_MAX_ITEMS);
	*out = &f->items[f->n_items++];
	(*out)->key = key;
	return 0;
}

int fw_cfg_add(struct fw_cfg *f, enum fw_cfg_key key, const void *data, size_t len, struct err *e)
{
	struct fw_cfg_item *item;
	int rc = len > UINT32_MAX ? err_set(e, EFBIG, "fw_cfg: item %#x is too large", key)
				  : add(f, key, &item, e);

	if (rc)
		return rc;
	item->data = data;
	item->len = len;
	return 0;
}

int fw_cfg_add_number(
	struct fw_cfg *f, enum fw_cfg_key key, uint32_t value, size_t len, struct err *e)
{
	struct fw_cfg_item *item;
	int rc = add(f, key, &item, e);

	if (rc)
		return rc;
	store_le32(item->number, value);
	item->data = item->number;
	item->len = len;
	return 0;
}

int fw_cfg_add_file(struct fw_cfg *f, const char *name, const void *data, size_t len, struct err *e)
{
	uint16_t key = (uint16_t)(FW_CFG_FILE_FIRST + f->n_files);
	uint8_t *entry = f->dir + DIR_HEAD + f->n_files * DIR_ENTRY;
	int rc;

	if (strlen(name) > FW_CFG_NAME_MAX)
		return err_set(e, ENAMETOOLONG, "fw_cfg: the name '%s' is too long", name);
	rc = fw_cfg_add(f, key, data, len, e);
	if (rc)
		return rc;
	store_be32(entry, (uint32_t)len);
	store_le16(entry + 4, __builtin_bswap16(key));
	memcpy(entry + 8, name, strlen(name));
	store_be32(f->dir, ++f->n_files);
	return 0;
}

/* fw_cfg_init() - what every device has, and its ports */
static int fw_cfg_init(struct fw_cfg *f, struct err *e)
{
	int rc = fw_cfg_add(f, FW_CFG_SIGNATURE, "QEMU", 4, e);

	if (!rc)
		rc = fw_cfg_add_number(f, FW_CFG_ID, ID_PORTS | ID_DMA, 4, e);
	if (!rc)
		rc = fw_cfg_add(f, FW_CFG_FILE_DIR, f->dir, sizeof(f->dir), e);
	return rc ? rc : bus_add(f->bus, &f->region, e);
}

int fw_cfg_create(struct fw_cfg **out, const struct fw_cfg_desc *desc, struct err *e)
{
	struct fw_cfg *f = calloc(1, sizeof(*f));
	int rc;

	*out = NULL;
	if (!f)
		return err_sys(e, ENOMEM, "fw_cfg");
	f->bus = desc->bus;
	f->io = desc->io;
	f->region = (struct bus_region){
		.space = BUS_PORT,
		.base = desc->port,
		.len = FW_CFG_PORTS,
		.ops = &fw_cfg_ops,
		.ctx = f,
	};
	pthread_mutex_init(&f->lock, NULL);
	rc = fw_cfg_init(f, e);
	if (rc) {
		fw_cfg_destroy(f);
		return rc;
	}
	*out = f;
	return 0;
}

void fw_cfg_destroy(struct fw_cfg *f)
{
	if (!f)
		return;
	bus_remove(f->bus, &f->region);
	pthread_mutex_destroy(&f->lock);
	free(f);
}
