// verified: script checks, in batches of inputs, any order, on the executor. Pure but for the job that each batch
// belongs to; batches of one job may run at once.
#pragma once

#include "engine/validation/block_job.h"

namespace headrace {

// Cuts a resolved job's inputs into batches, at transaction boundaries where they allow, and sets the countdown.
void CutScriptBatches(BlockJob& job);

// Checks one batch; the earliest failing input of the job is kept. True when this was the job's last batch: the job may
// then be handed back.
bool VerifyScriptBatch(const ScriptBatch& batch);

// The verdict when all batches are done.
Verdict ScriptVerdict(const BlockJob& job);

}  // namespace headrace
