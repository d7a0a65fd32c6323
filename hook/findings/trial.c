// SPDX-License-Identifier: GPL-2.0-or-later
/* What apply --try is waiting for, or came to; see findings.h. */
#include <stdio.h>
#include <string.h>

#include "config/copies.h"
#include "config/trial.h"
#include "findings/find.h"

static void add_unconfirmed(struct search *search, const struct trial *trial)
{
	const struct root *root = &search->host->root;
	long long left = trial_deadline(root);
	char boot[TRIAL_BOOT_ID], text[32];

	/* Of an earlier boot: this one is none that is watched, and vfio-early-trial.service should know. */
	if (left < 0 || strcmp(trial->boot, trial_boot(root, boot)) != 0) {
		finding_add(search->findings, FINDING_TRIAL_MISSED, "", NULL);
		return;
	}
	left -= trial_now();
	snprintf(text, sizeof(text), "%lld min %lld s", left > 0 ? left / 60 : 0,
		 left > 0 ? left % 60 : 0);
	finding_add(search->findings, FINDING_TRIAL_UNCONFIRMED, "", text,
		    trial_can_confirm(root) ? COMMAND_CONFIRM :
					      "wait until it is, or end the trial: " COMMAND_APPLY
					      ", or " COMMAND_UNDO,
		    NULL);
}

void find_trial(struct search *search)
{
	struct findings *findings = search->findings;
	struct trial trial;
	char text[16];

	/* What is wrong was said. */
	if (trial_read(&search->host->root, &trial))
		return;
	snprintf(text, sizeof(text), "%u", trial.minutes);
	switch (trial.state) {
	case TRIAL_NONE:
		break;
	case TRIAL_PENDING:
		finding_add(findings, FINDING_TRIAL_PENDING, "", text, NULL);
		break;
	case TRIAL_UNCONFIRMED:
		add_unconfirmed(search, &trial);
		break;
	case TRIAL_RESTORING:
		finding_add(findings, FINDING_TRIAL_RESTORING, "", NULL);
		break;
	case TRIAL_FAILED:
		finding_add(findings, FINDING_TRIAL_FAILED, "", NULL);
		break;
	case TRIAL_RESTORED:
		finding_add(findings, FINDING_TRIAL_RESTORED, "", "/" COPIES_DIR, trial.tried,
			    NULL);
		break;
	case TRIAL_EXPIRED:
		finding_add(findings, FINDING_TRIAL_EXPIRED, "", NULL);
		break;
	}
}
