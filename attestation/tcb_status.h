/* SPDX-License-Identifier: Apache-2.0 */
/* TCB statuses of Intel's Provisioning Certification Service, and sets of them. */
#ifndef ATTESTATION_TCB_STATUS_H
#define ATTESTATION_TCB_STATUS_H

#include <stdbool.h>

enum tcb_status {
	TCB_UP_TO_DATE,
	TCB_SW_HARDENING_NEEDED,
	TCB_CONFIGURATION_NEEDED,
	TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED,
	TCB_OUT_OF_DATE,
	TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
	TCB_TD_RELAUNCH_ADVISED, /* this and the next are verdicts, no document has them */
	TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
	TCB_REVOKED,
	TCB_STATUS_NUM,
};

#define TCB_SET(status) (1u << (status))
#define TCB_SET_ALL     ((1u << TCB_STATUS_NUM) - 1)

/* The statuses that a TCB level may have, and that one of a TDX module may have. */
#define TCB_SET_LEVEL                                                                              \
	(TCB_SET_ALL &                                                                             \
		~(TCB_SET(TCB_TD_RELAUNCH_ADVISED) |                                               \
			TCB_SET(TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED)))
#define TCB_SET_MODULE (TCB_SET(TCB_UP_TO_DATE) | TCB_SET(TCB_OUT_OF_DATE) | TCB_SET(TCB_REVOKED))

/* tcb_status_name() - Return: as the PCS and CLI write it: "UpToDate". */
const char *tcb_status_name(enum tcb_status status);

/* tcb_status_parse() - by name. Return: true and the status in *out, or false. */
bool tcb_status_parse(const char *name, enum tcb_status *out);

/* tcb_status_needs_configuration() - Return: true for the four statuses that say so. */
bool tcb_status_needs_configuration(enum tcb_status status);

#endif
