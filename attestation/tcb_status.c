/* SPDX-License-Identifier: Apache-2.0 */
/* Names of TCB statuses; see attestation/tcb_status.h. */
#include "attestation/tcb_status.h"

#include <string.h>

static const char *const names[TCB_STATUS_NUM] = {
	[TCB_UP_TO_DATE] = "UpToDate",
	[TCB_SW_HARDENING_NEEDED] = "SWHardeningNeeded",
	[TCB_CONFIGURATION_NEEDED] = "ConfigurationNeeded",
	[TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED] = "ConfigurationAndSWHardeningNeeded",
	[TCB_OUT_OF_DATE] = "OutOfDate",
	[TCB_OUT_OF_DATE_CONFIGURATION_NEEDED] = "OutOfDateConfigurationNeeded",
	[TCB_TD_RELAUNCH_ADVISED] = "TDRelaunchAdvised",
	[TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED] = "TDRelaunchAdvisedConfigurationNeeded",
	[TCB_REVOKED] = "Revoked",
};

const char *tcb_status_name(enum tcb_status status)
{
	return names[status];
}

bool tcb_status_parse(const char *name, enum tcb_status *out)
{
	for (int i = 0; i < TCB_STATUS_NUM; i++)
		if (!strcmp(names[i], name)) {
			*out = (enum tcb_status)i;
			return true;
		}
	return false;
}

bool tcb_status_needs_configuration(enum tcb_status status)
{
	return status == TCB_CONFIGURATION_NEEDED ||
		status == TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED ||
		status == TCB_OUT_OF_DATE_CONFIGURATION_NEEDED ||
		status == TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED;
}
