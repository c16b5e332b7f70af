// The life of a block, as architecture and code tell it. The pipeline (block_pipeline.h) is the only author.
//
//   requested  a peer was asked for it (sync/block_download)
//   received   its raw bytes lie in one slab
//   parsed     columns, txids, wtxids                                     any order, parallel   (parse_stage)
//   checked    context-free rules, and those that need only headers       any order, parallel   (check_stage)
//   located    what it spends is in memory, or was asked of the disk     any order, parallel
//   resolved   its coins are spent and created in the store, its spending
//              rules hold                                                 window order          (resolve_stage)
//   verified   every script passed, or is assumed valid                   any order, parallel   (verify_stage)
//   applied    it is the tip; its undo record is written                  strictly by height    (apply_stage)
//   durable    a checkpoint covers it (the coin store's manifest)
//
// Three heights follow: resolved >= verified >= applied. The store runs ahead of the verdict; nothing above applied is
// ever served, announced or named by a manifest.
#pragma once

#include <cstdint>

namespace headrace {

enum class BlockStage : uint8_t { kRequested, kReceived, kParsed, kChecked, kLocated, kResolved, kVerified, kApplied, kDurable };

}  // namespace headrace
