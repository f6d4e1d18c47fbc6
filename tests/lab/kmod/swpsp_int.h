/* SPDX-License-Identifier: GPL-2.0 */
/* LAB ONLY: what the parts of the software PSP share. */
#ifndef SWPSP_INT_H
#define SWPSP_INT_H
#include "swpsp.h"
#include <linux/moduleparam.h>
#include <linux/seq_file.h>
#include <linux/version.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define SWPSP_SIG
#endif

#define PAR(t, n, v, m) static t swpsp_##n = v; module_param(swpsp_##n, t, m)

/* swpsp.c: the RMP, pfn -> value; 0 is a page of the hypervisor */
enum { R_ASSIGNED = 1, R_IMMUT = 2, R_VALID = 4, R_VMSA = 8, R_2M = 16, R_CTX = 32 };
#define R_ASID(v) (((v) >> 8) & 0xffff)
#define R_GFN(v) ((v) >> 24)
unsigned long swpsp_rget(u64 pfn);
int swpsp_rset(u64 pfn, unsigned long v);
void swpsp_rmpadjust(u64 gpa, u32 asid);

/* swpsp_fw.c: the firmware */
void swpsp_show_last(struct seq_file *s);
void swpsp_show_guests(struct seq_file *s);
unsigned int swpsp_commands(void);

/* swpsp_crypto.c: SHA-384 and ECDSA P-384 of the kernel */
int swpsp_crypto_init(void);
void swpsp_crypto_exit(void);
int swpsp_digest(const void *p, unsigned int n, u8 *out);
int swpsp_ecdsa(const u8 *sig, const u8 *key, const void *msg, unsigned int len);

/* swpsp_guest.c: the scripted guest's files in debugfs */
void swpsp_guest_files(struct dentry *dir);
#endif
