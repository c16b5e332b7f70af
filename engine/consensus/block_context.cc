#include "engine/consensus/block_context.h"

namespace headrace {

namespace {

ScriptFlags ScriptFlagsAt(uint32_t height, const Hash256& hash, const ChainParams& params) {
  // These three hold for the whole history but for the blocks that the parameters name.
  ScriptFlags flags = kVerifyP2sh | kVerifyWitness | kVerifyTaproot;
  for (const ScriptFlagException& exception : params.script_flag_exceptions) {
    if (exception.block == hash) flags = exception.flags;
  }
  if (height >= params.bip66_height) flags |= kVerifyDerSignatures;
  if (height >= params.bip65_height) flags |= kVerifyCheckLockTimeVerify;
  if (height >= params.csv_height) flags |= kVerifyCheckSequenceVerify;
  // BIP147 came with segwit.
  if (height >= params.segwit_height) flags |= kVerifyNullDummy;
  return flags;
}

}  // namespace

BlockContext MakeBlockContext(const BlockHeader& header, const Hash256& hash, const Ancestry& parent_chain,
                              const ChainParams& params) {
  BlockContext context;
  context.height = parent_chain.height() + 1;
  context.median_time_past = parent_chain.median_time_past(parent_chain.height());
  context.bip34 = context.height >= params.bip34_height;
  context.csv = context.height >= params.csv_height;
  context.segwit = context.height >= params.segwit_height;
  context.lock_time_cutoff = context.csv ? context.median_time_past : int64_t{header.time_s};
  context.script_flags = ScriptFlagsAt(context.height, hash, params);
  for (const BlockAt& exception : params.bip30_exceptions) {
    context.bip30_exception |= exception.height == context.height && exception.hash == hash;
  }
  return context;
}

}  // namespace headrace
