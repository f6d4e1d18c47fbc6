/* SPDX-License-Identifier: Apache-2.0 */
/* The PCK certificate's SGX extension; see attestation/pck.h. */
#include "attestation/pck.h"

#include "attestation/cert.h"
#include "attestation/der.h"

#include <errno.h>
#include <string.h>

/* Intel SGX PCK Certificate and CRL Profile Specification, section 1.3.5, "SGX extensions":
 * 1.2.840.113741.1.13.1; its members are this with one or two numbers more */
static const uint8_t sgx_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

enum { SGX_PPID = 1, SGX_TCB = 2, SGX_PCEID = 3, SGX_FMSPC = 4 };
enum { TCB_PCESVN = 17, TCB_CPUSVN = 18, TCB_MEMBERS = 18 };

/*
 * take_member() - the next SEQUENCE {OID, value} of seq, whose OID is sgx_oid and `depth` numbers
 * more; the last of them comes back.
 * Return: 0 and its value's bytes in *value, or -EINVAL.
 */
static int take_member(
	struct bytes *seq, const uint8_t *parent, size_t depth, uint8_t *last, struct bytes *value)
{
	struct bytes member, oid;

	if (der_take(seq, DER_SEQUENCE, &member) || der_take(&member, DER_OID, &oid))
		return -EINVAL;
	if (oid.left != sizeof(sgx_oid) + depth || memcmp(oid.at, sgx_oid, sizeof(sgx_oid)) != 0)
		return -EINVAL;
	if (depth == 2 && oid.at[sizeof(sgx_oid)] != *parent)
		return -EINVAL;
	*last = oid.at[oid.left - 1];
	*value = member;
	return 0;
}

/* parse_tcb() - members .2.1 to .2.18, each once, in any order. */
static int parse_tcb(struct pck *p, struct bytes value)
{
	const uint8_t parent = SGX_TCB;
	struct bytes seq, v;
	uint32_t seen = 0, svn;
	uint8_t n;

	if (der_take(&value, DER_SEQUENCE, &seq) || value.left)
		return -EINVAL;
	while (seq.left) {
		if (take_member(&seq, &parent, 2, &n, &v) || n < 1 || n > TCB_MEMBERS ||
			seen & 1u << n)
			return -EINVAL;
		seen |= 1u << n;
		if (n == TCB_CPUSVN) {
			if (der_octets(&v, p->cpusvn, sizeof(p->cpusvn)))
				return -EINVAL;
		} else if (der_uint(&v, n == TCB_PCESVN ? UINT16_MAX : UINT8_MAX, &svn)) {
			return -EINVAL;
		} else if (n == TCB_PCESVN) {
			p->pcesvn = svn;
		} else {
			p->sgx_svn[n - 1] = (uint8_t)svn;
		}
		if (v.left)
			return -EINVAL;
	}
	return seen == ((1u << TCB_MEMBERS) - 1) << 1 ? 0 : -EINVAL;
}

/* parse_member() - one member of the extension; those that no rule here needs are stepped over. */
static int parse_member(struct pck *p, uint8_t n, struct bytes value)
{
	int ret = 0;

	if (n == SGX_TCB)
		return parse_tcb(p, value);
	if (n == SGX_PCEID)
		ret = der_octets(&value, p->pceid, sizeof(p->pceid));
	else if (n == SGX_FMSPC)
		ret = der_octets(&value, p->fmspc, sizeof(p->fmspc));
	else
		return 0;
	return ret || value.left ? -EINVAL : 0;
}

static int parse_extension(struct pck *p, struct bytes value)
{
	const uint32_t needed = 1u << SGX_TCB | 1u << SGX_PCEID | 1u << SGX_FMSPC;
	struct bytes seq, v;
	uint32_t seen = 0;
	uint8_t n;

	if (der_take(&value, DER_SEQUENCE, &seq) || value.left)
		return -EINVAL;
	while (seq.left) {
		if (take_member(&seq, NULL, 1, &n, &v) || n < SGX_PPID || n > 31 ||
			seen & 1u << n || parse_member(p, n, v))
			return -EINVAL;
		seen |= 1u << n;
	}
	return (seen & needed) == needed ? 0 : -EINVAL;
}

int pck_parse(struct pck *p, X509 *cert, struct err *e)
{
	struct bytes value;

	*p = (struct pck){.cert = cert};
	if (cert_extension(cert, sgx_oid, sizeof(sgx_oid), &value) || parse_extension(p, value))
		return err_set(
			e, EINVAL, "the PCK certificate's SGX extension is absent or damaged");
	return 0;
}
