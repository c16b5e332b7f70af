#include "engine/validation/check_stage.h"

#include "engine/base/span.h"
#include "engine/consensus/check_block.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"

namespace headrace {

void ParseBlock(BlockJob& job) {
  const Span span(SpanKind::kParse);
  if (DecodeBlock(job.raw.bytes, job.columns) != DecodeError::kNone) {
    job.verdict.rule = Rule::kMalformed;
    return;
  }
  HashTransactions(job.columns);
  job.stage = BlockStage::kParsed;
}

void CheckJob(BlockJob& job, const ChainParams& params) {
  const Span span(SpanKind::kCheck);
  job.verdict = CheckBlock(job.columns, params);
  if (job.verdict.ok()) job.verdict = CheckBlockContext(job.columns, job.context);
  job.stage = BlockStage::kChecked;
}

}  // namespace headrace
