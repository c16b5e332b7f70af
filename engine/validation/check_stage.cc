#include "engine/validation/check_stage.h"

#include "engine/consensus/check_block.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"

namespace headrace {

void ParseBlock(BlockJob& job) {
  if (DecodeBlock(job.raw.bytes, job.columns) != DecodeError::kNone) {
    job.verdict.rule = Rule::kMalformed;
    return;
  }
  HashTransactions(job.columns);
  job.stage = BlockStage::kParsed;
}

void CheckJob(BlockJob& job, const ChainParams& params) {
  job.verdict = CheckBlock(job.columns, params);
  if (job.verdict.ok()) job.verdict = CheckBlockContext(job.columns, job.context);
  job.stage = BlockStage::kChecked;
}

}  // namespace headrace
